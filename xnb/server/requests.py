"""The bodies of requests, and reading them: lenient in spelling, strict in size and type."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from .refusal import malformed

UserId = Annotated[int, Meta(ge=0, le=2**63 - 1)]
ShortText = Annotated[str, Meta(max_length=256)]
TokenText = Annotated[str, Meta(min_length=1, max_length=4096)]
_Cursor = Annotated[int, Meta(ge=0, le=2**53)]
_Seconds = Annotated[float, Meta(ge=0, le=3600)]
T = TypeVar("T")


class Body(Struct):
    """Base of all requests. Its repr shows nothing: bodies hold tokens and SDP."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Login(Body):
    """``loginTwitterToken``; everything else a client sends there is ignored."""

    jwt: TokenText


class Cookie(Body):
    """``authorizeToken`` and ``turnServers``."""

    cookie: TokenText
    service: ShortText = "guest"


class Create(Body):
    """``p2p/broadcast/create``."""

    invitees_twitter: Annotated[list[UserId], Meta(max_length=64)]
    audio_only: bool = False
    conversation_id: ShortText | None = None


class ForBroadcast(Body):
    """A request that names a broadcast and nothing else."""

    broadcast_id: ShortText


class Leave(Body):
    """``p2p/broadcast/leave``."""

    broadcast_id: ShortText
    session_uuid: ShortText | None = None
    trigger: ShortText | None = None
    description: ShortText | None = None


class Message(Body):
    """One signaling message; the sender's id is filled in by the server."""

    type: Annotated[str, Meta(min_length=1, max_length=64)]
    message: str
    id: ShortText | None = None


class Send(Body):
    """``signaling/send``."""

    broadcast_id: ShortText
    recipient_id: UserId
    message: Message


class SendBatch(Body):
    """``signaling/sendBatch``."""

    broadcast_id: ShortText
    recipient_id: UserId
    messages: Annotated[list[Message], Meta(max_length=256)]


class Receive(Body):
    """``signaling/receive``."""

    broadcast_id: ShortText
    cursor: _Cursor = 0
    timeout_s: _Seconds | None = None


class Lookup(Body):
    """``xnb/users/lookup``: by handle or by id."""

    handle: ShortText | None = None
    id: UserId | None = None


class Announce(Body):
    """``xnb/announce``."""

    broadcast_id: ShortText
    recipient_id: UserId
    audio_only: bool = False
    conversation_id: ShortText | None = None


class Incoming(Body):
    """``xnb/incoming``."""

    cursor: _Cursor = 0
    timeout_s: _Seconds | None = None


class Anything(Body):
    """A request whose content does not matter."""


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _snake_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {_snake(key): _snake_keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_snake_keys(inner) for inner in value]
    return value


def parse(body: bytes, kind: type[T]) -> T:
    """Read a JSON object into ``kind``; camelCase names and numbers as text are accepted.

    Raises:
        Refusal: 400, naming the member that is wrong but not what it held.
    """
    try:
        raw = msgspec.json.decode(body or b"{}")
        if not isinstance(raw, dict):
            raise malformed("The body is not a JSON object.")
        return msgspec.convert(_snake_keys(raw), kind, strict=False)
    except msgspec.ValidationError as error:
        raise malformed(f"The body does not fit this path: {error}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise malformed("The body is not valid JSON.", "Send a JSON object in UTF-8.") from None
