"""Whether a path's queue grows or stays, by how long packets took (draft-ietf-rmcat-gcc-02)."""

from __future__ import annotations

import math
from collections import deque

TREND_S = 0.4
"""Time constant of the delay's trend."""
GROWTH_WINDOW_MS = 240.0
"""The trend is judged as the delay it adds in this time, in ms."""
FULL_WEIGHT = 6.0
MIN_GROUPS = 4
DOUBT = 1.5
"""Standard errors of the slope that jitter alone may explain."""
FIRST_THRESHOLD_MS = 12.5
THRESHOLD_RANGE_MS = (6.0, 600.0)
THRESHOLD_UP_PER_MS = 0.0087
THRESHOLD_DOWN_PER_MS = 0.039
OVERUSE_MS = 10.0

BUCKET_S = 0.5
BASE_BUCKETS = 40
"""The path's own delay is the least of these: 20 s."""
STANDING_S = 0.1
"""A queue this long that stays is too long."""
MAX_QUEUE_S = 3.0
"""A longer one is none: the sender's clock jumped."""
DRAIN_S = 2.0


class DelayTrend:
    """The slope of the delay over the last half second, and whether that is too steep.

    A weighted least-squares line, its moments kept relative to the newest point so that each point
    costs the same and nothing drifts; compared to a threshold that follows it slowly (GCC section
    5.4), so that a path that always jitters is not taken for a full one.

    Attributes:
        state: 1 while the queue grows, -1 while it drains, else 0.
        points: Taken since the last reset.
        delay_s: Of the newest point.
        threshold_ms: Growth in 240 ms from which on the queue grows.
    """

    def __init__(self) -> None:
        self.threshold_ms = FIRST_THRESHOLD_MS
        self.reset()

    def reset(self) -> None:
        """Begin with the next point; the threshold stays."""
        self.state = 0
        self.points = 0
        self._at_s = 0.0
        self.delay_s = 0.0
        self._weight = self._x = self._y = self._xx = self._xy = self._yy = 0.0
        self._over_ms = 0.0
        self._over_points = 0
        self._growth_ms = 0.0

    def add(self, at_s: float, delay_s: float) -> None:
        """Take a point.

        Args:
            at_s: When a group was sent, in seconds; increases.
            delay_s: How long it travelled, in seconds plus a constant.
        """
        if not self.points:
            self.points = 1
            self._weight = 1.0
            self._at_s, self.delay_s = at_s, delay_s
            return
        step, rise = at_s - self._at_s, delay_s - self.delay_s
        keep = math.exp(-step / TREND_S)
        weight, x, y = self._weight * keep, self._x * keep, self._y * keep
        self._xx = self._xx * keep + step * (step * weight - 2 * x)
        self._xy = self._xy * keep + step * (rise * weight - y) - rise * x
        self._yy = self._yy * keep + rise * (rise * weight - 2 * y)
        self._x, self._y = x - step * weight, y - rise * weight
        self._weight = weight = weight + 1
        self._at_s, self.delay_s = at_s, delay_s
        self.points += 1
        spread = weight * self._xx - self._x * self._x
        if self.points >= MIN_GROUPS and spread > 1e-9:
            slope = (weight * self._xy - self._x * self._y) / spread
            scatter = weight * self._yy - self._y * self._y - slope * slope * spread
            doubt = DOUBT * math.sqrt(max(0.0, scatter) / (spread * weight))
            sure = math.copysign(max(0.0, abs(slope) - doubt), slope)
            self._judge(sure * GROWTH_WINDOW_MS * min(1.0, weight / FULL_WEIGHT), step * 1000)

    def _judge(self, growth_ms: float, step_ms: float) -> None:
        threshold_ms = self.threshold_ms
        if growth_ms > threshold_ms:
            self._over_ms += step_ms
            self._over_points += 1
            if (
                self._over_ms > OVERUSE_MS
                and self._over_points > 1
                and growth_ms >= self._growth_ms
            ):
                self.state = 1
        else:
            self._over_ms, self._over_points = 0.0, 0
            self.state = -1 if growth_ms < -threshold_ms else 0
        self._growth_ms = growth_ms
        size_ms = abs(growth_ms)
        if size_ms <= threshold_ms + 15:
            pull = THRESHOLD_UP_PER_MS if size_ms > threshold_ms else THRESHOLD_DOWN_PER_MS
            threshold_ms += min(1.0, pull * min(step_ms, 100.0)) * (size_ms - threshold_ms)
            low_ms, high_ms = THRESHOLD_RANGE_MS
            self.threshold_ms = min(high_ms, max(low_ms, threshold_ms))


class StandingQueue:
    """Whether a queue stands in the path although it does not grow: it is full, or nearly.

    The trend cannot see that. The delay is compared to the least of the last 20 s, each time by
    the least of half a second, so that jitter does not matter. Where the delay does not fall
    although the sender had time to send less, it is not our queue but a longer path: that is
    the path's own delay from then on.

    Attributes:
        length_s: Of the queue, in seconds, as of the last half second.
    """

    def __init__(self) -> None:
        self.length_s = 0.0
        self._least_s: deque[float] = deque(maxlen=BASE_BUCKETS)
        self._bucket_s = math.inf
        self._bucket_until_s = -math.inf
        self._backed_off: tuple[float, float] | None = None

    def add(self, now_s: float, delay_s: float) -> bool:
        """Take a group's delay; true if the rate should be lowered because of it.

        Args:
            now_s: When it came, monotonic seconds.
            delay_s: How long it travelled, in seconds plus a constant.
        """
        self._bucket_s = min(self._bucket_s, delay_s)
        if now_s < self._bucket_until_s:
            return False
        least_s = self._bucket_s
        self._bucket_s, self._bucket_until_s = math.inf, now_s + BUCKET_S
        self._least_s.append(least_s)
        self.length_s = least_s - min(self._least_s)
        if self.length_s < STANDING_S:
            self._backed_off = None
            return False
        since_s, length_s = self._backed_off or (-math.inf, math.inf)
        if now_s - since_s < DRAIN_S:
            return False
        if self.length_s <= min(0.9 * length_s, MAX_QUEUE_S):
            self._backed_off = now_s, self.length_s
            return True
        self._least_s.clear()
        self._least_s.append(least_s)
        self.length_s, self._backed_off = 0.0, None
        return False
