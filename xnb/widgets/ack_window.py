"""How much may be on its way to a page, and how fast it should come."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

PICTURES_IN_FLIGHT = 10
"""0.33 s at 30 pictures a second."""
MESSAGES_IN_FLIGHT = 40
"""With a picture or without: sound is small and goes on when pictures have to wait."""
GIVE_UP_S = 30.0
"""A page that acknowledges nothing for this long while messages wait is gone."""
MIN_BITRATE_BPS = 150_000
MAX_BITRATE_BPS = 4_000_000
RATE_S = 2.0
"""How far back from the last acknowledgement the rate is looked at."""
CALM_S = 2.0
"""This long after the last drop the limit begins to rise."""
RISE = 1.25
"""For each second after that."""


class AckWindow:
    """Counts what a page has not acknowledged: a slow page gets fewer frames, not later ones.

    Args:
        capacity: Pictures that may be on their way.
        clock: Seconds, monotonic; for tests.

    Attributes:
        limit_bps: What the sender should aim at, ``None`` for no limit. It falls below the rate
            that arrived when the window was full, and rises again slowly.
    """

    def __init__(
        self, capacity: int = PICTURES_IN_FLIGHT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.capacity = capacity
        self.sent = 0
        self.limit_bps: int | None = None
        self._acked = 0
        self._pictures = 0
        self._clock = clock
        self._sizes: deque[tuple[int, int, int]] = deque()
        self._arrived: deque[tuple[float, int]] = deque()
        self._full_since_s: float | None = None
        self._calm_s = 0.0

    @property
    def in_flight(self) -> int:
        """Messages sent and not acknowledged."""
        return self.sent - self._acked

    @property
    def is_full(self) -> bool:
        """Whether no picture may be sent for now."""
        return self._pictures >= self.capacity

    @property
    def is_full_for_sound(self) -> bool:
        """Whether nothing at all may be sent for now."""
        return self.in_flight >= MESSAGES_IN_FLIGHT

    @property
    def is_hopeless(self) -> bool:
        """Whether the page has not answered for so long that it must be gone."""
        since_s = self._full_since_s
        return since_s is not None and self._clock() - since_s > GIVE_UP_S

    def took(self, size_bytes: int, pictures: int = 1) -> int:
        """A message of ``size_bytes`` with so many pictures leaves now; gives its number."""
        self.sent += 1
        self._pictures += pictures
        self._sizes.append((self.sent, size_bytes, pictures))
        return self.sent

    def refused(self) -> None:
        """Something could not be sent because the window is full."""
        now_s = self._clock()
        if self._full_since_s is None:
            self._full_since_s = now_s
            rate = 0.75 * self._rate_bps()
            if self.limit_bps is not None:
                rate = min(rate, 0.85 * self.limit_bps)
            self.limit_bps = round(min(MAX_BITRATE_BPS, max(MIN_BITRATE_BPS, rate)))
        self._calm_s = now_s + CALM_S

    def acknowledged(self, number: int) -> None:
        """The page has everything up to ``number``. Numbers never sent are ignored."""
        if not self._acked < number <= self.sent:
            return
        self._acked = number
        self._full_since_s = None
        now_s = self._clock()
        size_bytes = 0
        while self._sizes and self._sizes[0][0] <= number:
            _number, size, pictures = self._sizes.popleft()
            size_bytes += size
            self._pictures -= pictures
        self._arrived.append((now_s, size_bytes))
        while self._arrived[0][0] < now_s - RATE_S:
            self._arrived.popleft()
        while self.limit_bps is not None and now_s >= self._calm_s:
            self._calm_s = max(self._calm_s + 1.0, now_s - 1.0)
            raised = round(self.limit_bps * RISE)
            self.limit_bps = raised if raised < MAX_BITRATE_BPS else None

    def _rate_bps(self) -> float:
        if not self._arrived:
            return MIN_BITRATE_BPS
        span_s = max(0.25, self._arrived[-1][0] - self._arrived[0][0])
        return 8 * sum(size for _, size in self._arrived) / span_s
