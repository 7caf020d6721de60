"""Gives decoded pictures out evenly when packets come late, and at once when they do not."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

WORTH_S = 0.045
"""Lateness up to this is left as it is: one frame at 30 a second and some jitter."""
MAX_DELAY_S = 0.3
MARGIN_S = 0.01
FORGET_S = 25.0
"""The delay falls to a third in this time when nothing is late any more."""
WINDOW_S = 10.0
"""How long the promptest picture counts as prompt."""
NOW_S = 0.003
"""A picture due this soon is given out at once."""


class VideoPlayout:
    """A delay that is zero on a good path and hides retransmissions on a bad one.

    Each picture has a time it was captured; how much longer than the promptest ones it took is
    its lateness. Once pictures are late by more than one frame, all are held back that much, so
    that the late ones do not show as a freeze; the delay falls again slowly.

    Args:
        deliver: Called with each picture and its RTP time stamp, on the loop.
        now: The clock.

    Attributes:
        delay_s: What pictures are held back now, 0 to 0.3.
    """

    def __init__(
        self,
        deliver: Callable[[Any, int], object],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.delay_s = 0.0
        self._deliver = deliver
        self._now = now
        self._waiting: deque[tuple[float, Any, int]] = deque()
        self._prompt: deque[tuple[float, float]] = deque()
        self._last_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, frame: Any, timestamp: int, captured_s: float) -> None:
        """Take a picture that was decoded just now.

        Args:
            frame: Given on as it is.
            timestamp: Given on as it is.
            captured_s: When it was captured, on any clock that runs as fast as ours.
        """
        now_s = self._now()
        transit_s = now_s - captured_s
        least_s = self._least(now_s, transit_s)
        self._adapt(now_s, transit_s - least_s)
        # The margin is for later pictures: one that is as late as can be has waited enough.
        due_s = captured_s + least_s + max(0.0, self.delay_s - MARGIN_S)
        if not self._waiting and due_s - now_s <= NOW_S:
            self._deliver(frame, timestamp)
            return
        self._waiting.append((min(due_s, now_s + MAX_DELAY_S), frame, timestamp))
        if self._timer is None:
            self._arm(now_s)

    def _least(self, now_s: float, transit_s: float) -> float:
        """The shortest transit of the last seconds; a queue whose values rise."""
        prompt = self._prompt
        while prompt and prompt[-1][1] >= transit_s:
            prompt.pop()
        prompt.append((now_s, transit_s))
        while prompt[0][0] < now_s - WINDOW_S:
            prompt.popleft()
        return prompt[0][1]

    def _adapt(self, now_s: float, late_s: float) -> None:
        passed_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        self.delay_s *= max(0.0, 1 - passed_s / FORGET_S)
        if late_s > max(WORTH_S, self.delay_s):
            self.delay_s = min(MAX_DELAY_S, late_s + MARGIN_S)
        elif self.delay_s < WORTH_S / 2:
            self.delay_s = 0.0

    def _arm(self, now_s: float) -> None:
        wait_s = max(0.0, self._waiting[0][0] - now_s)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._out)

    def _out(self) -> None:
        self._timer = None
        now_s = self._now()
        while self._waiting and self._waiting[0][0] <= now_s + NOW_S:
            _, frame, timestamp = self._waiting.popleft()
            self._deliver(frame, timestamp)
        if self._waiting:
            self._arm(now_s)

    def close(self) -> None:
        """Forget what waits. May be called again."""
        self._waiting.clear()
        if self._timer:
            self._timer.cancel()
            self._timer = None
