"""A long poll with a cursor, as a stream that can be closed from outside."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from ..errors import SignalingError, Unauthorized, XnbError
from ..profile import PollRhythm

_log = logging.getLogger(__name__)

T = TypeVar("T")

_FINAL_STATUSES = frozenset({400, 403, 404, 410})


class LongPoll(Generic[T]):
    """Asks again and again, each time with the last reply's cursor.

    Args:
        fetch: Takes the cursor, returns the new cursor and what came.
        rhythm: Time limits and pauses.
        on_error: Told of each failure that is retried.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[tuple[int, Sequence[T]]]],
        rhythm: PollRhythm,
        on_error: Callable[[XnbError], None] | None = None,
    ) -> None:
        self.on_error = on_error
        self._fetch = fetch
        self._rhythm = rhythm
        self._cursor = 0
        self._closed = asyncio.Event()
        self._reading = False

    async def items(self) -> AsyncIterator[T]:
        """What comes, until :meth:`close`. Only one reader at a time.

        Raises:
            SignalingError: A failure that trying again cannot mend (400, 401, 403, 404, 410).
        """
        if self._reading:
            raise SignalingError("Somebody reads this already.", remedy="Use the first reader.")
        self._reading = True
        failures = 0
        try:
            while not self._closed.is_set():
                started_s = time.monotonic()
                try:
                    reply = await self._until_closed(self._fetch(self._cursor))
                except SignalingError as error:
                    if isinstance(error, Unauthorized) or error.status in _FINAL_STATUSES:
                        raise
                    failures += 1
                    held_s = time.monotonic() - started_s
                    if failures == 1 and held_s >= self._rhythm.hold_s:
                        # The server held the request longer than we wait, or this loop was
                        # blocked meanwhile: no failure, unless it goes on like that.
                        continue
                    self._tell(error)
                    await self._pause(self._backoff_s(failures))
                    continue
                if reply is None:
                    return
                failures = 0
                self._cursor, items = reply
                for item in items:
                    if self._closed.is_set():
                        return
                    yield item
                if not items:
                    # A server that does not hold the request must not be asked in a tight loop.
                    await self._pause(self._rhythm.min_gap_s - (time.monotonic() - started_s))
        finally:
            self._reading = False

    async def _until_closed(
        self, fetch: Awaitable[tuple[int, Sequence[T]]]
    ) -> tuple[int, Sequence[T]] | None:
        """The fetched reply, or ``None`` when closed meanwhile."""
        fetching = asyncio.ensure_future(fetch)
        closing = asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({fetching, closing}, return_when=asyncio.FIRST_COMPLETED)
            if fetching.done():
                return fetching.result()
            return None
        finally:
            for task in (fetching, closing):
                task.cancel()
            await asyncio.gather(fetching, closing, return_exceptions=True)

    def _backoff_s(self, failures: int) -> float:
        rhythm = self._rhythm
        base: float = min(rhythm.backoff_min_s * 2 ** min(failures - 1, 10), rhythm.backoff_max_s)
        return base + random.random() * rhythm.jitter_s  # noqa: S311 jitter

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), seconds)

    def _tell(self, error: XnbError) -> None:
        _log.debug("Polling failed (%s), trying again", type(error).__name__)
        if self.on_error:
            self.on_error(error)

    def close(self) -> None:
        """End :meth:`items`, also while it waits. May be called again."""
        self._closed.set()
