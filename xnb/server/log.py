"""A bounded list that many readers follow by cursor, with waiting for the next entry."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class LogFullError(Exception):
    """The log holds as many entries or bytes as it may."""


class FollowedLog(Generic[T]):
    """Entries numbered from 0; a cursor is the number of the next entry to read.

    Reading takes nothing away, so an answer lost on the way is asked for again with the old
    cursor. :meth:`trim` drops what a reader has confirmed.

    Args:
        max_entries: Entries held.
        max_bytes: Sum of the sizes given to :meth:`append`.
        drop_oldest: Make room for new entries instead of raising.
    """

    def __init__(
        self, max_entries: int, max_bytes: int = 1 << 62, *, drop_oldest: bool = False
    ) -> None:
        self._entries: deque[tuple[T, int]] = deque()
        self._first = 0
        self._bytes = 0
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._drop_oldest = drop_oldest
        self._changed = asyncio.Event()
        self.closed = False

    @property
    def end(self) -> int:
        """The cursor behind the newest entry."""
        return self._first + len(self._entries)

    def append(self, entry: T, size: int = 0) -> None:
        """Add an entry and wake the readers.

        Raises:
            LogFullError: There is no room and nothing may be dropped.
        """
        while len(self._entries) >= self._max_entries or self._bytes + size > self._max_bytes:
            if not self._drop_oldest or not self._entries:
                raise LogFullError
            self.trim(self._first + 1)
        self._entries.append((entry, size))
        self._bytes += size
        self._wake()

    def after(self, cursor: int) -> list[T]:
        """The entries from ``cursor`` on."""
        skip = max(0, cursor - self._first)
        return [entry for i, (entry, _) in enumerate(self._entries) if i >= skip]

    def trim(self, cursor: int) -> None:
        """Forget the entries before ``cursor``."""
        while self._entries and self._first < cursor:
            self._bytes -= self._entries.popleft()[1]
            self._first += 1

    async def wait(self, cursor: int, timeout_s: float) -> None:
        """Return when there is an entry at ``cursor``, the log is closed, or time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.end <= cursor and not self.closed:
                    await self._changed.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Wake all readers; nobody waits any more. May be called again."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
