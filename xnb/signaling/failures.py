"""What went wrong with a request, in words, without hosts, headers and secrets."""

from __future__ import annotations

from collections.abc import Collection

import aiohttp

from ..errors import (
    CallEnded,
    CallGated,
    NotInvited,
    RoomFull,
    SignalingError,
    Unauthorized,
    UnknownUser,
)
from ..profile import PathKey
from .messages import snake_keys
from .trace import redact

STAGES: dict[PathKey, str] = {
    "token": "asking for a call token",
    "login": "logging in",
    "authorize": "asking for a guest token",
    "turn": "asking for TURN servers",
    "create": "creating the call",
    "publish": "publishing the call",
    "join": "joining the call",
    "status": "asking for the call's status",
    "leave": "leaving the call",
    "send": "sending a signal",
    "send_batch": "sending signals",
    "receive": "waiting for signals",
    "lookup": "looking up the recipient",
    "announce": "announcing the call",
    "incoming": "waiting for incoming calls",
    "region": "asking for a region",
    "group_create": "creating the group call",
    "group_publish": "publishing the group call",
    "group_reconnect": "coming back to the group call as its host",
    "group_chat": "asking for access to the group call's chat",
    "group_invite": "inviting to the group call",
    "group_join": "joining the group call",
    "group_negotiate": "asking for the way into the group call's room",
    "group_stream_publish": "announcing that we send",
    "group_stream_end": "leaving the group call",
    "group_status": "asking for the group call's status",
    "group_mute": "muting",
    "group_unmute": "taking a mute back",
    "group_decline": "declining the group call",
    "group_remove": "removing somebody from the group call",
    "group_end": "ending the group call",
    "group_end_broadcast": "ending the group call's broadcast",
    "group_counts": "asking for the packet counts of the group call's room",
}
_CREATES = ("create", "group_create")
_GROUP_CODES: dict[str, type[SignalingError]] = {
    "not_invited": NotInvited,
    "removed": NotInvited,
    "room_full": RoomFull,
    "ended": CallEnded,
    "unknown_broadcast": CallEnded,
}
_ENTRIES = ("group_join", "group_negotiate", "group_stream_publish")


def refusal(
    who: str, key: PathKey, status: int, reply: object, secrets: Collection[str]
) -> SignalingError:
    """The error for a reply that refuses.

    Args:
        who: Name of the service.
        key: Which call.
        status: HTTP status code.
        reply: Parsed JSON, or ``None``.
        secrets: Values that must not show.
    """
    code, said, remedy = _error_of(reply)
    said = redact(said or code, secrets)
    stage = STAGES[key]
    tail = f": {said.rstrip('.')}." if said else "."
    remedy = redact(remedy, secrets)
    if status == 401:
        return Unauthorized(
            f"The {who} did not accept us while {stage}{tail}",
            remedy=remedy or "Check the token or session it was given.",
            status=status,
        )
    if status == 403 and key in _CREATES:
        return CallGated(
            f"The {who} does not let this account place calls{tail}",
            remedy=remedy
            or "The account is not in the rollout; only the service can change "
            "that. Trying again does not help.",
            status=status,
        )
    if status == 404 and (code == "unknown_user" or key == "lookup"):
        return UnknownUser(
            f"The {who} knows no such user{tail}",
            remedy=remedy or "Check the handle or id.",
            status=status,
        )
    if key.startswith("group_") and (kind := _group_kind(key, status, code)):
        return kind(
            f"The {who} refused with {status} while {stage}{tail}",
            remedy=remedy or _GROUP_REMEDIES[kind],
            status=status,
        )
    if status == 429:
        remedy = remedy or "Too many requests; wait a minute before trying again."
    return SignalingError(
        f"The {who} answered {status} while {stage}{tail}",
        remedy=remedy or "Look at the trace to see what was sent.",
        status=status,
    )


def _group_kind(key: PathKey, status: int, code: str) -> type[SignalingError] | None:
    """What a refusal of a group call means; by the status where the service gives no code."""
    if code in _GROUP_CODES:
        return _GROUP_CODES[code]
    if status == 410:
        return CallEnded
    return NotInvited if status == 403 and not code and key in _ENTRIES else None


_GROUP_REMEDIES: dict[type[SignalingError], str] = {
    NotInvited: "Ask the host for an invitation.",
    RoomFull: "Wait until somebody has left, then join again.",
    CallEnded: "Check the broadcast id, or start a call of your own.",
}

UNTRUSTED = "its certificate is not trusted here"
_WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((TimeoutError,), "no answer in time"),
    ((aiohttp.ClientConnectorDNSError,), "the host name cannot be resolved"),
    ((aiohttp.ClientConnectorCertificateError,), UNTRUSTED),
    ((aiohttp.ClientSSLError,), "the TLS handshake failed"),
    ((aiohttp.ClientConnectorError,), "the connection was refused"),
    ((aiohttp.ServerDisconnectedError, ConnectionResetError), "the connection was dropped"),
    ((aiohttp.ClientPayloadError,), "the answer broke off"),
    ((aiohttp.ClientResponseError,), "the answer was no valid HTTP"),
)


def words_for(error: BaseException) -> str:
    """What happened, without the host, port or headers that the exception names."""
    found = (words for kinds, words in _WORDS if isinstance(error, kinds))
    return next(found, "the connection failed")


def _error_of(reply: object) -> tuple[str, str, str]:
    """Code, message and remedy of an error reply, as far as it has them."""
    body = snake_keys(reply)
    if not isinstance(body, dict):
        return "", "", ""
    error = body.get("error")
    if error is None and isinstance(body.get("errors"), list) and body["errors"]:
        error = body["errors"][0]
    if not isinstance(error, dict):
        return "", error if isinstance(error, str) else "", ""
    texts = (error.get(name) for name in ("code", "message", "remedy"))
    code, said, remedy = (str(t) if isinstance(t, str | int) else "" for t in texts)
    return code, said, remedy
