"""What a Janus server's error codes mean, in words and with what to do next."""

from __future__ import annotations

from collections.abc import Collection

from ...errors import SfuError
from ..failures import UNTRUSTED
from ..trace import redact

SESSION_GONE = 458
UNAUTHORIZED = 403
ROOM_EXISTS = 427
ALREADY_JOINED = 425

_AGAIN = "Join again from scratch with a new session."
_OURS = "Report this: the request was put together wrongly."

# Core codes (Janus' apierror.h) and those of the video room (janus_videoroom.c); they do not
# overlap. Words are ours.
_WORDS: dict[int, tuple[str, str]] = {
    403: (
        "it did not accept the token or API secret",
        "Ask for a fresh token; tokens are valid for a limited time.",
    ),
    405: ("the token does not allow this plugin", "Ask for a token that includes it."),
    458: ("the session is gone: it timed out or the server was started again", _AGAIN),
    459: ("the handle is gone", _AGAIN),
    460: ("it does not have that plugin", "Enable the plugin in the server's settings."),
    464: ("it does not know that kind of description", _OURS),
    465: ("it cannot use the description (SDP)", "Check that both sides have a codec in common."),
    469: ("it did not expect an answer now", "Subscribe again on a new handle."),
    471: ("the connection is in a state in which this cannot be done", "Try again in a moment."),
    472: ("it takes no new sessions now", "Try again later or use another server."),
    421: ("the request was empty", _OURS),
    422: ("the request was no JSON object", _OURS),
    423: ("it does not know that request", "The server may be older than what is asked of it."),
    424: ("nobody has joined on this handle yet", "Join first."),
    425: ("this handle has joined already", "Use another handle."),
    426: (
        "there is no such room",
        "Check the room's id; the call may have ended or moved to another server.",
    ),
    427: ("a room with that id exists already", "Use it, or choose another id."),
    428: ("there is no such participant or stream in the room", "They may have left just now."),
    429: ("a member of the request is missing", _OURS),
    430: ("a member of the request has a value it does not take", _OURS),
    431: ("it cannot use a description of that kind now", _OURS),
    432: (
        "the room is full: no more people may send",
        "Wait until somebody leaves, or have the host allow more.",
    ),
    433: (
        "the room's pin, secret or token is wrong",
        "Check the pin, the secret or the invitation.",
    ),
    434: ("something is published on this handle already", "Unpublish first."),
    435: ("nothing is published on this handle", "Publish first."),
    436: ("that id is taken in the room", "Leave with the other connection first."),
    437: ("it cannot use the description (SDP)", "Check that both sides have a codec in common."),
    438: ("that stream cannot be subscribed to", "Look at the list of streams again."),
}


class JanusError(SfuError):
    """A Janus server refused a request, did not answer it, or is gone.

    Args:
        message: What failed and why.
        remedy: What to do next.
        code: Janus' number; 0 when there was no answer.

    Example:
        >>> try:
        ...     await publisher.join("12")
        ... except JanusError as error:
        ...     if error.code == 426:
        ...         print("the room is gone")
    """

    code: int

    def __init__(self, message: str, *, remedy: str = "", code: int = 0) -> None:
        super().__init__(message, remedy=remedy, code=code)


def refused(what: str, code: int, reason: str, secrets: Collection[str] = ()) -> JanusError:
    """The error for a reply that refuses.

    Args:
        what: The request, in words.
        code: Janus' number.
        reason: What the server wrote.
        secrets: Values that must not show.
    """
    words, remedy = _WORDS.get(code, ("", ""))
    said = redact(reason, secrets, limit=160).strip().rstrip(".")
    why = f"{words} ({said})" if words and said else words or said or "it gave no reason"
    return JanusError(
        f"The group-call server refused to {what}: {why}.",
        remedy=remedy or "Look at the trace to see what was sent.",
        code=code,
    )


def unanswered(what: str, why: str) -> JanusError:
    """The error for a request without an answer.

    Args:
        what: The request, in words.
        why: What happened instead.
    """
    remedy = "Check that it runs and that the network is up, then try again."
    if why == UNTRUSTED:
        remedy = "Name the file with its certificate in SSL_CERT_FILE before Python starts."
    return JanusError(
        f"The group-call server gave no answer to the request to {what}: {why}.", remedy=remedy
    )


def lost(what: str) -> JanusError:
    """The error for a request on a session that is gone for good.

    Args:
        what: The request, in words.
    """
    return JanusError(
        f"The group-call server could not be asked to {what}: the session with it is gone.",
        remedy=_AGAIN,
        code=SESSION_GONE,
    )


def closed(what: str) -> JanusError:
    """The error for a request on a session that was closed here.

    Args:
        what: The request, in words.
    """
    return JanusError(
        f"The group-call server could not be asked to {what}: the session was closed.",
        remedy="Open a new session.",
        code=SESSION_GONE,
    )
