"""A session: the handles of one client, and the events it has yet to get."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

if TYPE_CHECKING:
    from .handle import Handle

Json = dict[str, Any]


class Transport(Protocol):
    """A connection that events can be pushed on, such as a WebSocket.

    Attributes:
        heard_at_s: When its far end last showed that it is there, whatever it said.
    """

    heard_at_s: float

    def deliver(self, session: Session, event: Json) -> None:
        """Send an event of a session; never waits and never raises."""
        ...


class Session:
    """One client's session.

    Events go straight to its transport. Without one (HTTP, or a WebSocket that broke) they wait
    here to be polled or claimed; of more than ``max_events`` or ``max_bytes`` the oldest are
    dropped.

    Args:
        session_id: Its number.
        transport: Where events go; ``None`` for HTTP long poll.
        max_events: Events that wait, at most.
        max_bytes: Their size as JSON, at most.
        clock: Monotonic seconds.
        guest_token: The signed token that it was made with, if it was.

    Attributes:
        handles: Attached handles by number.
        transport: Where events go now.
        lost_at_s: When its transport broke, ``None`` while it has one or never had.
        last_heard_s: When the client last asked for something.
        dropped: Events that were dropped.
        translate: Rewrites events on their way out (the gateway's dialect).
        intercept: Says of an event that it took it, which then goes no further.
        own_feeds: Ids under which its handles publish (noted by the gateway's dialect).
    """

    def __init__(
        self,
        session_id: int,
        transport: Transport | None,
        *,
        max_events: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
        guest_token: str | None = None,
    ) -> None:
        self.id = session_id
        self.guest_token = guest_token
        self.handles: dict[int, Handle] = {}
        self.transport = transport
        self.lost_at_s: float | None = None
        self.dropped = 0
        self.is_closed = False
        self.translate: Callable[[Json], Json] | None = None
        self.intercept: Callable[[Json], bool] | None = None
        self.own_feeds: set[str] = set()
        self._clock = clock
        self.last_heard_s = clock()
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[Json, int]] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._poll = 0
        self._polling = 0

    def __repr__(self) -> str:
        return f"Session({self.id}, {len(self.handles)} handles, {len(self._waiting)} waiting)"

    def heard(self) -> None:
        """Note that the client is there."""
        self.last_heard_s = self._clock()

    def event(self, event: Json) -> None:
        """Send an event, or keep it until somebody asks."""
        if self.is_closed:
            return
        if self.translate is not None:
            event = self.translate(event)
        if self.intercept is not None and self.intercept(event):
            return
        if self.transport is not None:
            self.transport.deliver(self, event)
        else:
            self.keep(event)

    def keep(self, event: Json) -> None:
        """Let an event wait for a poll or a claim."""
        size = len(msgspec.json.encode(event))
        while self._waiting and (
            len(self._waiting) >= self._max_events or self._bytes + size > self._max_bytes
        ):
            self._bytes -= self._waiting.popleft()[1]
            self.dropped += 1
        self._waiting.append((event, size))
        self._bytes += size
        self._wake()

    def take(self, count: int) -> list[Json]:
        """The oldest ``count`` events that wait; they wait no longer."""
        taken: list[Json] = []
        while self._waiting and len(taken) < count:
            event, size = self._waiting.popleft()
            self._bytes -= size
            taken.append(event)
        return taken

    async def poll(self, timeout_s: float) -> bool:
        """Wait until an event is there to take.

        Args:
            timeout_s: How long; then ``False``.

        Returns:
            Whether there is one; ``False`` also when the session is over or a newer poll came,
            which gets the next event instead.
        """
        self._poll += 1
        mine = self._poll
        self._polling += 1
        self._wake()
        try:
            async with asyncio.timeout(timeout_s):
                while not self._waiting and not self.is_closed and mine == self._poll:
                    await self._changed.wait()
        except TimeoutError:
            pass
        finally:
            self._polling -= 1
            self.heard()
        return bool(self._waiting) and mine == self._poll

    def claim(self, transport: Transport | None) -> None:
        """Take the session over to another connection, with the events that wait."""
        self.transport = transport
        self.lost_at_s = None
        self.heard()
        if transport is not None:
            for event in self.take(len(self._waiting)):
                transport.deliver(self, event)

    def lose(self, transport: Transport) -> bool:
        """Note that a transport broke. Returns whether it was this session's own."""
        if self.transport is not transport:
            return False
        self.transport = None
        self.lost_at_s = self._clock()
        return True

    def is_overdue(self, timeout_s: float, reclaim_s: float) -> bool:
        """Whether nobody cared for too long: as a client, or to claim it after a broken line."""
        if self.lost_at_s is not None:
            return self._clock() - max(self.lost_at_s, self.last_heard_s) >= reclaim_s
        heard_s = self.last_heard_s
        if self.transport is not None:
            heard_s = max(heard_s, self.transport.heard_at_s)
        return not self._polling and 0 < timeout_s <= self._clock() - heard_s

    def close(self) -> None:
        """No events from now on; polls end. May be called again."""
        self.is_closed = True
        self._waiting.clear()
        self._bytes = 0
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
