"""A bounded queue from one worker thread to one reader on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import MediaError
from .source import EndOfMedia

T = TypeVar("T")


class Handoff(Generic[T]):
    """Items on their way from a worker to a reader.

    The worker asks :attr:`is_full` before it makes more, so one decoded packet may overshoot the
    capacity by a few items; nothing is dropped here but by :meth:`put_newest`.

    Args:
        capacity: Items after which :attr:`is_full`.
        on_taken: Called by the reader after it took an item, to wake the worker.
    """

    def __init__(self, capacity: int, on_taken: Callable[[], None]) -> None:
        self.capacity = capacity
        self._on_taken = on_taken
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._finished = False
        self._error: MediaError | None = None
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_full(self) -> bool:
        """Whether the worker should wait."""
        return len(self._items) >= self.capacity

    @property
    def is_finished(self) -> bool:
        """Whether the worker said that nothing more comes."""
        return self._finished

    def holds(self, fits: Callable[[T], bool]) -> bool:
        """Whether an item that ``fits`` waits here. Thread-safe."""
        with self._lock:
            return any(map(fits, self._items))

    def put(self, item: T) -> None:
        """Add an item. Thread-safe."""
        with self._lock:
            self._items.append(item)
            self._wake()

    def put_newest(self, item: T) -> int:
        """Add an item at the cost of the oldest; how many were dropped. Thread-safe."""
        with self._lock:
            dropped = 0
            while len(self._items) >= self.capacity:
                self._items.popleft()
                dropped += 1
            self._items.append(item)
            self._wake()
        return dropped

    def finish(self, error: MediaError | None = None) -> None:
        """Say that nothing more comes: the reader gets what is left, then ``error`` or the end."""
        with self._lock:
            self._finished = True
            self._error = error
            self._wake()

    def restart(self) -> None:
        """Throw away what is in here and take items again."""
        with self._lock:
            self._items.clear()
            self._finished = False
            self._error = None
            self._wake()

    async def get(self) -> T:
        """The next item. Cancelling it loses nothing.

        Raises:
            EndOfMedia: Nothing more comes.
            MediaError: What the worker failed with.
        """
        while True:
            with self._lock:
                if self._items:
                    item = self._items.popleft()
                    break
                if self._finished:
                    raise self._error or EndOfMedia
                loop, event = asyncio.get_running_loop(), asyncio.Event()
                self._waiter = loop, event
            await event.wait()
        self._on_taken()
        return item

    def _wake(self) -> None:
        if self._waiter:
            (loop, event), self._waiter = self._waiter, None
            # The loop may have been closed by a program that ended without closing its call.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)
