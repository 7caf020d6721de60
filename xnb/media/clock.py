"""Clocks that media is paced by: the machine's, and one that tests move by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """A monotonic clock, in seconds, that one can sleep on."""

    def now(self) -> float:
        """The time, in seconds since an arbitrary moment. Never goes back."""
        ...

    async def sleep_until(self, time_s: float) -> None:
        """Return when :meth:`now` has reached ``time_s``; at once if it has already."""
        ...


class MonotonicClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        """See :meth:`Clock.now`."""
        return time.monotonic()

    async def sleep_until(self, time_s: float) -> None:
        """See :meth:`Clock.sleep_until`."""
        await asyncio.sleep(max(0.0, time_s - time.monotonic()))


class ManualClock:
    """A clock for tests: time passes only when told to.

    Args:
        start_s: The first value of :meth:`now`.
        autojump: Let :meth:`sleep_until` move the time itself, so that a reader that waits for
            nothing but the clock runs as fast as it can. Meant for one reader at a time.

    Example:
        >>> clock = ManualClock()
        >>> task = asyncio.create_task(clock.sleep_until(1.5))
        >>> await clock.advance(2)
        >>> clock.now(), task.done()
        (2.0, True)
    """

    _SETTLE_TURNS = 20

    def __init__(self, start_s: float = 0.0, *, autojump: bool = False) -> None:
        self._now_s = start_s
        self._autojump = autojump
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()

    def now(self) -> float:
        """See :meth:`Clock.now`."""
        return self._now_s

    async def sleep_until(self, time_s: float) -> None:
        """See :meth:`Clock.sleep_until`."""
        if self._autojump:
            await asyncio.sleep(0)
            self._now_s = max(self._now_s, time_s)
            return
        if time_s <= self._now_s:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (time_s, next(self._ticket), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, stopping at each sleeper's time and letting it run.

        A task that sleeps again and again is woken once for each of its sleeps, at exactly the
        times it asked for.
        """
        target_s = self._now_s + seconds
        while True:
            for _ in range(self._SETTLE_TURNS):
                await asyncio.sleep(0)
            if not self._sleepers or self._sleepers[0][0] > target_s:
                break
            self._now_s = max(self._now_s, self._sleepers[0][0])
            self._wake()
        self._now_s = max(self._now_s, target_s)

    @property
    def sleeping(self) -> int:
        """How many tasks sleep on this clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def step(self) -> None:
        """Let time pass until the next sleeper wakes; nothing happens when there is none."""
        waking = [time_s for time_s, _, future in self._sleepers if not future.done()]
        if waking:
            await self.advance(max(0.0, min(waking) - self._now_s))

    def jump(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, like an event loop that was blocked; wake who is due."""
        self._now_s += seconds
        self._wake()

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now_s:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
