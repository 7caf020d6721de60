"""The errors of the Janus API and their numbers."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """What a request to the core can fail with (Janus documentation, ``apierror.h``)."""

    UNAUTHORIZED = 403
    UNAUTHORIZED_PLUGIN = 405
    TRANSPORT_SPECIFIC = 450
    MISSING_REQUEST = 452
    UNKNOWN_REQUEST = 453
    INVALID_JSON = 454
    INVALID_JSON_OBJECT = 455
    MISSING_ELEMENT = 456
    INVALID_PATH = 457
    SESSION_NOT_FOUND = 458
    HANDLE_NOT_FOUND = 459
    PLUGIN_NOT_FOUND = 460
    PLUGIN_ATTACH = 461
    PLUGIN_MESSAGE = 462
    PLUGIN_DETACH = 463
    JSEP_UNKNOWN_TYPE = 464
    JSEP_INVALID_SDP = 465
    TRICKLE_INVALID_STREAM = 466
    INVALID_ELEMENT_TYPE = 467
    SESSION_CONFLICT = 468
    UNEXPECTED_ANSWER = 469
    TOKEN_NOT_FOUND = 470
    NOT_ACCEPTING_SESSIONS = 472
    UNKNOWN = 490


class ApiError(Exception):
    """A request that the core refuses; it becomes ``{"janus": "error", …}``.

    Args:
        code: The number.
        reason: The same in words, without anything secret.
    """

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(f"{int(code)}: {reason}")
        self.code = code
        self.reason = reason
