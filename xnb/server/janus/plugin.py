"""What the embedded Janus core and its plugins know of each other.

The same cut as in Janus itself: the core speaks sessions, handles and transactions (Janus
documentation, "The Janus API"), a plugin answers messages of one attached handle and sends
events about its media. A plugin that is worth its name fits on a page::

    class Clock:
        package = "janus.plugin.clock"

        def attach(self, link: HandleLink) -> PluginHandle:
            return ClockHandle(link)

        async def close(self) -> None: ...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Json = dict[str, Any]


class PluginError(Exception):
    """A plugin's refusal: ``error_code`` and ``error`` of the plugin's data.

    It is an answer of the plugin, never an error of the session (Janus documentation,
    "VideoRoom plugin documentation": every failure is a ``videoroom: event`` with both members).

    Args:
        code: The plugin's own error code, for instance 426 (no such room).
        reason: The same in words.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """What a plugin says to a message.

    Args:
        data: The plugin's data.
        jsep: Session description that goes with it: ``{"type": "answer", "sdp": …}``.
    """

    data: Json
    jsep: Json | None = None

    def __repr__(self) -> str:
        return f"Answer({'with' if self.jsep else 'no'} jsep)"  # SDP and pins are nobody's business


class HandleLink(Protocol):
    """What the core gives a plugin for one attached handle. Nothing here waits or raises.

    After :meth:`close` or the end of the session all of it does nothing.

    Attributes:
        id: The handle's number (``sender`` in events).
        session_id: The session's number.
        opaque_id: What the client named the handle when it attached.
        is_owner: Whether it was attached with the API secret or a stored token, or on a server
            that is open to everybody; not so with a signed token, which guests have.
    """

    id: int
    session_id: int
    opaque_id: str | None
    is_owner: bool

    def event(self, data: Json, jsep: Json | None = None) -> None:
        """Send a plugin event without transaction; the session's queue is bounded."""
        ...

    def webrtcup(self) -> None:
        """Tell the client that the peer connection is up."""
        ...

    def media(self, kind: str, mid: str, receiving: bool) -> None:
        """Tell the client that its media of one m-line began or stopped to arrive."""
        ...

    def hangup(self, reason: str) -> None:
        """Tell the client that the peer connection is gone; the handle stays."""
        ...

    def close(self) -> None:
        """Detach from the plugin's side: the client gets ``detached``."""
        ...


class PluginHandle(Protocol):
    """One handle, in the plugin.

    Messages, candidates and hang-ups come one after the other, in the order in which the client
    sent them; the next one comes when the coroutine of the last one has ended (after 30 s it is
    cancelled). Only :meth:`detach` may come at any time.
    """

    def is_synchronous(self, body: Json) -> bool:
        """Whether the answer to ``body`` is the reply itself (``success``).

        Else the reply is an ``ack`` and the answer follows as an event with the transaction.
        """
        ...

    async def message(self, body: Json, jsep: Json | None) -> Answer:
        """Answer one message. The core calls this for one message at a time.

        Raises:
            PluginError: The plugin refuses.
        """
        ...

    async def trickle(self, candidates: list[Json | None]) -> None:
        """Take candidates of the client; ``None`` says that there are no more."""
        ...

    async def hangup(self) -> None:
        """The client hung up: close the peer connection and keep the handle."""
        ...

    async def detach(self) -> None:
        """The handle or its session is gone. May be called again."""
        ...

    def info(self) -> Json:
        """What there is to see of this handle, nothing secret."""
        ...


class Plugin(Protocol):
    """A plugin of the embedded core.

    Attributes:
        package: Its name on the wire, for instance ``janus.plugin.videoroom``.
    """

    package: str

    def attach(self, link: HandleLink) -> PluginHandle:
        """Begin with a new handle.

        Raises:
            PluginError: No more handles are taken (the client gets 461).
        """
        ...

    async def close(self) -> None:
        """The server stops: let go of everything. May be called again."""
        ...
