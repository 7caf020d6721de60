"""Reading requests of the Janus API: what must be there, and the error when it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from .api_error import ApiError, Code

Json = dict[str, Any]
MAX_MESSAGE_BYTES = 256 * 1024
_MAX_TEXT_CHARS = 1024
_MAX_CANDIDATES = 256
_MAX_MID_CHARS = 64


def decode(data: bytes | str) -> object:
    """The JSON of a request.

    Raises:
        ApiError: 454, it is none.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        raise ApiError(Code.INVALID_JSON, "JSON error: this is not valid JSON in UTF-8") from None


def encode(message: Any) -> str:
    """A message as JSON text."""
    return msgspec.json.encode(message).decode()


def root(message: object) -> Json:
    """A request as an object. Raises ApiError 455."""
    if not isinstance(message, dict):
        raise ApiError(Code.INVALID_JSON_OBJECT, "JSON error: not an object")
    return message


def text(root: Json, name: str) -> str:
    """A member that must be text, at most 1024 characters. Raises ApiError 456 or 467."""
    if root.get(name) is None:
        raise ApiError(Code.MISSING_ELEMENT, f"Missing mandatory element ({name})")
    value = root[name]
    if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARS:
        raise ApiError(
            Code.INVALID_ELEMENT_TYPE, f"Invalid element type ({name} should be a string)"
        )
    return value


def number(root: Json, name: str) -> int | None:
    """A member that may be a positive integer. Raises ApiError 467."""
    value = root.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        raise ApiError(
            Code.INVALID_ELEMENT_TYPE, f"Invalid element type ({name} should be a positive integer)"
        )
    return value


def body(root: Json) -> Json:
    """The body of a message. Raises ApiError 456 or 467."""
    return _object(root, "body")


def jsep(root: Json) -> Json | None:
    """The session description that comes with a message, if any.

    Raises:
        ApiError: 455 for no object, 456 or 467 for a missing or wrong member, 464 for another
            type than offer and answer, 465 for what is no SDP (RFC 8866 section 5: it begins
            with ``v=0``), or names an m-line at too great a length.
    """
    if root.get("jsep") is None:
        return None
    description = root["jsep"]
    if not isinstance(description, dict):
        raise ApiError(Code.INVALID_JSON_OBJECT, "Invalid jsep object")
    kind = text(description, "type")
    if kind not in {"offer", "answer"}:
        raise ApiError(Code.JSEP_UNKNOWN_TYPE, f"JSEP error: unknown message type '{kind[:40]}'")
    sdp = description.get("sdp")
    if sdp is None:
        raise ApiError(Code.MISSING_ELEMENT, "JSEP error: missing mandatory element (sdp)")
    if not isinstance(sdp, str):
        raise ApiError(Code.INVALID_ELEMENT_TYPE, "JSEP error: sdp should be a string")
    lines = sdp.splitlines()
    if lines[:1] != ["v=0"] or any(line[1:2] != "=" for line in lines if line):
        raise ApiError(Code.JSEP_INVALID_SDP, "JSEP error: invalid SDP")
    if any(len(mid) > _MAX_MID_CHARS for mid in _mids(lines)):
        raise ApiError(
            Code.JSEP_INVALID_SDP,
            f"JSEP error: invalid SDP (a mid has more than {_MAX_MID_CHARS} characters)",
        )
    return description


def streams(sdp: str) -> frozenset[str]:
    """How candidates may name the m-lines of a description: by index or by mid."""
    lines = sdp.splitlines()
    count = sum(line.startswith("m=") for line in lines)
    return frozenset({*(f"#{index}" for index in range(count)), *_mids(lines)})


def _mids(lines: Sequence[str]) -> list[str]:
    return [line[6:].strip() for line in lines if line.startswith("a=mid:")]


def candidates(root: Json, known: frozenset[str] | None) -> list[Json | None]:
    """The candidates of a trickle request; ``None`` says that there are no more.

    Args:
        root: The request.
        known: The m-lines of the description it belongs to, from :func:`streams`; ``None``
            while there is no description.

    Raises:
        ApiError: 454 for one and several at once (as in Janus), 456 or 467 for a missing or
            wrong member, 466 for an m-line that is not there.
    """
    one, several = root.get("candidate"), root.get("candidates")
    if "candidate" not in root and several is None:
        raise ApiError(Code.MISSING_ELEMENT, "Missing mandatory element (candidate|candidates)")
    if one is not None and several is not None:
        raise ApiError(Code.INVALID_JSON, "Can't have both candidate and candidates")
    if several is None:
        return [_candidate(one, known)]
    if not isinstance(several, list) or len(several) > _MAX_CANDIDATES:
        raise ApiError(
            Code.INVALID_ELEMENT_TYPE, "Invalid element type (candidates should be an array)"
        )
    return [_candidate(each, known) for each in several]


def _candidate(value: Any, known: frozenset[str] | None) -> Json | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ApiError(
            Code.INVALID_ELEMENT_TYPE, "Invalid element type (candidate should be an object)"
        )
    if value.get("completed") is True:
        return None
    mid, index = value.get("sdpMid"), value.get("sdpMLineIndex")
    if mid is None and index is None:
        raise ApiError(Code.MISSING_ELEMENT, "Trickle error: missing mandatory element (sdpMid)")
    text(value, "candidate") if value.get("candidate") != "" else None
    is_index = isinstance(index, int) and not isinstance(index, bool)
    if (mid is not None and not isinstance(mid, str)) or (index is not None and not is_index):
        raise ApiError(
            Code.INVALID_ELEMENT_TYPE,
            "Trickle error: sdpMid should be a string and sdpMLineIndex an integer",
        )
    if known is not None and mid not in known and f"#{index}" not in known:
        raise ApiError(Code.TRICKLE_INVALID_STREAM, "Trickle error: no such m-line")
    return value


def _object(root: Json, name: str) -> Json:
    if root.get(name) is None:
        raise ApiError(Code.MISSING_ELEMENT, f"Missing mandatory element ({name})")
    value = root[name]
    if not isinstance(value, dict):
        raise ApiError(
            Code.INVALID_ELEMENT_TYPE, f"Invalid element type ({name} should be an object)"
        )
    return value
