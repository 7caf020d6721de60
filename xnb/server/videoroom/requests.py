"""Members of a request, checked as Janus checks them, and its error codes."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec

from ..janus.plugin import Json, PluginError

Id = int | str

UNKNOWN_ERROR = 499
NO_MESSAGE = 421
INVALID_REQUEST = 423
JOIN_FIRST = 424
ALREADY_JOINED = 425
NO_SUCH_ROOM = 426
ROOM_EXISTS = 427
NO_SUCH_FEED = 428
MISSING_ELEMENT = 429
INVALID_ELEMENT = 430
INVALID_SDP_TYPE = 431
PUBLISHERS_FULL = 432
UNAUTHORIZED = 433
ALREADY_PUBLISHED = 434
NOT_PUBLISHED = 435
ID_EXISTS = 436
INVALID_SDP = 437

MAX_TEXT = 4096
"""Longer texts are refused."""
MAX_NAME = 256
"""What participants are called, and their streams: longer displays, descriptions and ids are
refused, since everybody in the room is told them again and again."""
MAX_METADATA_BYTES, MAX_METADATA_LEVELS = 4096, 16
"""Likewise larger ``metadata``, as JSON; deeper ones could not be encoded inside of an event."""
MAX_ITEMS = 128
"""Longer lists are refused."""
MAX_DESCRIPTIONS = 64
"""As many as there may be m-lines; more in one request are refused."""


def request_of(body: object) -> str:
    """The name of a request.

    Raises:
        PluginError: There is none (421, 429, 430).
    """
    if not isinstance(body, dict):
        raise PluginError(NO_MESSAGE, "No message??")
    name = text(body, "request")
    if name is None:
        raise missing("request")
    return name


def missing(name: str) -> PluginError:
    """A mandatory member is not there."""
    return PluginError(MISSING_ELEMENT, f"Missing mandatory element ({name})")


def wrong(name: str, kind: str) -> PluginError:
    """A member has another type than it should."""
    return PluginError(INVALID_ELEMENT, f"Invalid element type ({name} should be {kind})")


def text(body: Json, name: str, most_chars: int = MAX_TEXT) -> str | None:
    """A text, or ``None`` without it."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise wrong(name, "a string")
    if len(value) > most_chars:
        raise PluginError(
            INVALID_ELEMENT,
            f"Invalid element ({name} should have at most {most_chars} characters)",
        )
    return value


def flag(body: Json, name: str) -> bool | None:
    """A boolean, or ``None`` without it."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(name, "a boolean")
    return value


def number(body: Json, name: str) -> int | None:
    """A whole number from 0, or ``None`` without it."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise wrong(name, "a positive integer")
    return value


def optional_id(body: Json, name: str) -> Id | None:
    """An id of a room or participant: a number as in stock Janus, or a string (``string_ids``)."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63:
        return value
    raise wrong(name, "a positive integer or a string")


def required_id(body: Json, name: str) -> Id:
    """The same, which has to be there."""
    value = optional_id(body, name)
    if value is None:
        raise missing(name)
    return value


def items(body: Json, name: str) -> list[Json] | None:
    """A list of objects, or ``None`` without it."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise wrong(name, "an array")
    if not all(isinstance(one, dict) for one in value):
        raise PluginError(INVALID_ELEMENT, f"Invalid element in the {name} array (not an object)")
    return value


def texts(body: Json, name: str) -> list[str] | None:
    """A list of texts, or ``None`` without it."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise wrong(name, "an array")
    if not all(isinstance(one, str) and len(one) <= MAX_TEXT for one in value):
        raise PluginError(INVALID_ELEMENT, f"Invalid element in the {name} array (not a string)")
    return list(value)


def metadata(body: Json) -> Json | None:
    """What a participant says of itself, as it came; ``None`` without it."""
    value: Any = body.get("metadata")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise wrong("metadata", "an object")
    is_small = _has_levels(value, MAX_METADATA_LEVELS)
    if not is_small or len(msgspec.json.encode(value)) > MAX_METADATA_BYTES:
        raise PluginError(
            INVALID_ELEMENT,
            f"Invalid element (metadata should have at most {MAX_METADATA_BYTES} bytes in "
            f"{MAX_METADATA_LEVELS} levels)",
        )
    return value


def _has_levels(value: Any, most: int) -> bool:
    """Whether objects and lists are in each other at most so often."""
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return most > 0 and all(_has_levels(one, most - 1) for one in inner)


def descriptions(body: Json) -> dict[str, str]:
    """What a publisher says of its streams, by mid."""
    found: dict[str, str] = {}
    for one in items(body, "descriptions") or ():
        mid, description = text(one, "mid", MAX_NAME), text(one, "description", MAX_NAME)
        if mid is None or description is None:
            raise missing("mid" if mid is None else "description")
        found[mid] = description
    if len(found) > MAX_DESCRIPTIONS:
        raise PluginError(
            INVALID_ELEMENT, f"Invalid element (at most {MAX_DESCRIPTIONS} descriptions)"
        )
    return found


def check_secret(wanted: str | None, body: Json, name: str) -> None:
    """Compare a pin, secret or key, in a time that does not depend on where they differ.

    Raises:
        PluginError: It is missing (429) or another one (433).
    """
    if not wanted:
        return
    given = text(body, name)
    if given is None:
        raise missing(name)
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise PluginError(UNAUTHORIZED, f"Unauthorized (wrong {name})")
