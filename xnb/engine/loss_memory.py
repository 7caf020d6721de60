"""Whether a path loses packets, with some memory."""

from __future__ import annotations

import time
from collections.abc import Callable

LOSSY = 0.02
"""A path is lossy from this share of packets lost, smoothed over some reports."""
HOLD_S = 20.0
_WEIGHT = 0.3


class LossMemory:
    """Smooths what reports say, and holds on to a bad path for a while.

    Args:
        now: The clock.

    Example:
        >>> memory = LossMemory()
        >>> memory.report(0.1)
        >>> memory.is_lossy
        True
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.share = 0.0
        self._now = now
        self._until_s = float("-inf")

    def report(self, share: float) -> None:
        """A receiver report came: ``share`` of the packets, 0 to 1, was lost since the last."""
        self.share += _WEIGHT * (share - self.share)
        if self.share > LOSSY:
            self._until_s = self._now() + HOLD_S

    @property
    def is_lossy(self) -> bool:
        """Whether packets were lost lately."""
        return self._now() < self._until_s
