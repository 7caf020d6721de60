"""What is said on the wire: strict in what we send, lenient in what we read.

Reading accepts snake_case and camelCase names, numbers as strings, unknown members and missing
optional ones. Ids are ``str`` in Python and numbers on the wire. No repr holds SDP or a
candidate.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from ..errors import SignalingError
from ..profile import MessageFields

MAX_SDP_CHARS = 200_000
_MAX_INT64 = 2**63 - 1


class User(msgspec.Struct, frozen=True):
    """A person or bot. ``id`` is numeric text; ``handle`` has no ``@``; either may be empty."""

    id: str
    handle: str = ""


class Offer(msgspec.Struct, frozen=True):
    """An SDP offer (RFC 8829)."""

    sdp: str

    def __repr__(self) -> str:
        return f"Offer(<{len(self.sdp)} characters>)"


class Answer(msgspec.Struct, frozen=True):
    """An SDP answer (RFC 8829)."""

    sdp: str

    def __repr__(self) -> str:
        return f"Answer(<{len(self.sdp)} characters>)"


class CandidateSignal(msgspec.Struct, frozen=True):
    """One ICE candidate: ``candidate:...`` without ``a=``, its sdpMid and sdpMLineIndex."""

    candidate: str
    mid: str | None = None
    index: int | None = None

    def __repr__(self) -> str:
        return f"CandidateSignal(mid={self.mid!r}, index={self.index!r})"


class MediaStatusSignal(msgspec.Struct, frozen=True):
    """Whether the sender's camera and microphone are off."""

    is_camera_deactivated: bool = False
    is_microphone_deactivated: bool = False


class Unknown(msgspec.Struct, frozen=True):
    """A message we do not understand; to be ignored. ``type`` is cut to 40 characters."""

    type: str


Signal = Offer | Answer | CandidateSignal | MediaStatusSignal | Unknown


class Message(msgspec.Struct, frozen=True):
    """One signal with the envelope it came in. ``sender_id`` is empty when not given."""

    id: str
    sender_id: str
    signal: Signal


class CreateReply(msgspec.Struct):
    """Reply to ``p2p/broadcast/create``."""

    broadcast_id: str
    session_uuid: str = ""


class JoinReply(msgspec.Struct):
    """Reply to ``p2p/broadcast/join``."""

    session_uuid: str = ""
    host_id: int | str | None = None
    relay: bool | None = False


class SessionEntry(msgspec.Struct):
    """One entry of ``sessions`` in a status reply; what we do not use is left out."""

    session_uuid: str | None = None
    session_state: int | None = None
    twitter_user_id: int | str | None = None
    end_reason: str | None = None


class StatusReply(msgspec.Struct):
    """Reply to ``p2p/broadcast/status``."""

    status: str | None = None
    end_reason: str | None = None
    end_description: str | None = None
    sessions: list[SessionEntry] | None = None


class LoginUser(msgspec.Struct):
    """The user in a login reply."""

    id: int | str | None = None
    twitter_id: int | str | None = None
    twitter_screen_name: str | None = None
    username: str | None = None


class LoginReply(msgspec.Struct):
    """Reply to ``loginTwitterToken``."""

    cookie: str
    user: LoginUser | None = None

    def __repr__(self) -> str:
        return "LoginReply()"


class AuthorizeReply(msgspec.Struct):
    """Reply to ``authorizeToken``."""

    authorization_token: str

    def __repr__(self) -> str:
        return "AuthorizeReply()"


class TurnReply(msgspec.Struct):
    """Reply to ``turnServers``; ``ttl`` in seconds."""

    uris: list[str] | None = None
    username: str | None = None
    password: str | None = None
    ttl: float | None = None

    def __repr__(self) -> str:
        return f"TurnReply({len(self.uris or ())} servers)"


class LookupUser(msgspec.Struct):
    """The user in a lookup reply."""

    id: int | str
    handle: str = ""


class LookupReply(msgspec.Struct):
    """Reply to ``xnb/users/lookup``."""

    user: LookupUser


class NoticeEntry(msgspec.Struct):
    """One incoming call in a reply to ``xnb/incoming``."""

    broadcast_id: str
    host_id: int | str
    host_handle: str | None = ""
    conversation_id: str | None = None
    audio_only: bool | None = False
    kind: str | None = None
    title: str | None = None
    chat_token: str | None = None

    def __repr__(self) -> str:
        return f"NoticeEntry(broadcast_id={self.broadcast_id!r})"


T = TypeVar("T")


def decode(kind: type[T], body: object, what: str) -> T:
    """Read a JSON body as ``kind``.

    Args:
        kind: One of the reply structs.
        body: Parsed JSON.
        what: Which reply this is, for the error.

    Raises:
        SignalingError: A member is missing or of the wrong sort.
    """
    try:
        return msgspec.convert(snake_keys(body), kind, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error)
    raise SignalingError(
        f"The server's reply to {what} cannot be used: {reason}.",
        remedy="Its protocol may have changed; check the profile and xnb's version.",
    )


_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake_keys(value: object) -> Any:
    """The same JSON value with camelCase names turned into snake_case, at every depth."""
    if isinstance(value, Mapping):
        return {_CAMEL.sub(r"_\1", str(k)).lower(): snake_keys(v) for k, v in value.items()}
    if isinstance(value, list):
        return [snake_keys(item) for item in value]
    return value


def id_text(value: int | str | None) -> str:
    """An id as text; empty when there is none."""
    return "" if value is None else str(value).strip()


def id_number(value: str, what: str) -> int:
    """An id as the number the wire wants.

    Raises:
        SignalingError: It is not a positive 64-bit number.
    """
    if value.isascii() and value.isdigit() and 0 < (number := int(value)) <= _MAX_INT64:
        return number
    raise SignalingError(
        f"The {what} is not a numeric id.", remedy="Resolve the handle to a user first."
    )


_TYPES: dict[type[Any], str] = {
    Offer: "OFFER",
    Answer: "ANSWER",
    CandidateSignal: "CANDIDATE",
    MediaStatusSignal: "MEDIA_STATUS",
}


def signal_type(signal: Signal) -> str:
    """The type string of a signal on the wire."""
    return signal.type if isinstance(signal, Unknown) else _TYPES[type(signal)]


def encode_message(
    signal: Signal,
    fields: MessageFields,
    *,
    message_id: str | None = None,
    sender_id: int = 0,
) -> dict[str, Any]:
    """The JSON object that carries ``signal``.

    Args:
        signal: What to say; not an :class:`Unknown`.
        fields: The JSON names to use.
        message_id: Its id, or ``None`` for a fresh UUID.
        sender_id: 0 from a client; the server fills it in.

    Raises:
        SignalingError: ``signal`` is an :class:`Unknown`.
    """
    match signal:
        case Offer(sdp=sdp) | Answer(sdp=sdp):
            payload = sdp
        case CandidateSignal(candidate=candidate, mid=mid, index=index):
            payload = json.dumps(
                {"id": mid, "label": index, "candidate": candidate.removeprefix("a=")}
            )
        case MediaStatusSignal():
            payload = json.dumps(
                {
                    "isCameraDeactivated": signal.is_camera_deactivated,
                    "isMicrophoneDeactivated": signal.is_microphone_deactivated,
                }
            )
        case _:
            raise SignalingError(
                "A message of unknown type cannot be sent.", remedy="Send one of the known signals."
            )
    return {
        fields.id: message_id or str(uuid.uuid4()),
        fields.sender_id: sender_id,
        fields.type: signal_type(signal),
        fields.payload: payload,
    }


def decode_message(body: object, fields: MessageFields) -> Message | None:
    """Read one signaling message; ``None`` when it has no id or is no object.

    A message of unknown type, or with a payload that cannot be read, gives :class:`Unknown`.
    """
    if not isinstance(body, Mapping):
        return None
    flat = snake_keys({k: v for k, v in body.items() if not isinstance(v, dict | list)})

    def member(*names: str) -> object:
        for name in names:
            for source in (body, flat):
                if (value := source.get(name)) is not None:
                    return value
        return None

    message_id = member(fields.id, "id", "message_id", "uuid")
    if not isinstance(message_id, str | int) or not str(message_id):
        return None
    sender = member(fields.sender_id, "sender_id", "sender")
    kind = member(fields.type, "type", "message_type")
    payload = member(fields.payload, "message", "payload")
    return Message(
        id=str(message_id)[:100],
        sender_id=id_text(sender) if isinstance(sender, str | int) else "",
        signal=_decode_signal(kind if isinstance(kind, str) else "", payload),
    )


def _decode_signal(kind: str, payload: object) -> Signal:
    name = kind.strip().upper()
    signal: Signal | None = None
    if name in ("OFFER", "ANSWER"):
        if sdp := _sdp(payload):
            signal = Offer(sdp) if name == "OFFER" else Answer(sdp)
    elif name == "CANDIDATE":
        signal = _candidate(_object(payload))
    elif name == "MEDIA_STATUS":
        members = snake_keys(_object(payload) or {})
        signal = MediaStatusSignal(
            _truthy(members.get("is_camera_deactivated")),
            _truthy(members.get("is_microphone_deactivated")),
        )
    return Unknown(kind[:40]) if signal is None else signal


def _sdp(payload: object) -> str | None:
    if isinstance(payload, str) and payload.lstrip().startswith("{"):
        payload = _object(payload)
    if isinstance(payload, Mapping):
        payload = payload.get("sdp")
    if isinstance(payload, str) and 0 < len(payload) <= MAX_SDP_CHARS:
        return payload
    return None


def _candidate(members: Mapping[str, Any] | None) -> CandidateSignal | None:
    members = snake_keys(members or {})
    line = members.get("candidate")
    if not isinstance(line, str):
        return None
    mid = members.get("id", members.get("sdp_mid"))
    index = members.get("label", members.get("sdp_mline_index", members.get("sdp_m_line_index")))
    if isinstance(index, str):
        index = int(index) if index.isascii() and index.isdigit() else None
    return CandidateSignal(
        line.strip().removeprefix("a="),
        None if mid is None else str(mid)[:100],
        index if isinstance(index, int) else None,
    )


def _object(payload: object) -> Mapping[str, Any] | None:
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return None
    return payload if isinstance(payload, Mapping) else None


def _truthy(value: object) -> bool:
    return value.strip().lower() in ("true", "1") if isinstance(value, str) else bool(value)
