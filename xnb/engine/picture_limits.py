"""Pictures of a source brought within the limits of what is sent."""

from __future__ import annotations

import math
import statistics
import time
from collections import deque

from av import VideoFrame

from ..media.frames import convert
from ..settings import VideoSettings

_FEWEST, _INTERVALS = 4, 30
# What may remain above the limit: a rate is known from jittering times only.
_EXCESS = 0.12
# An even rate is worth a fifth of the pictures that the limit would allow.
_EVEN_SHARE = 0.79
# Longer than so many usual intervals: a picture was lost in between.
_GAP = 1.5
_LONGEST_S = 1.0


class PictureLimits:
    """Leaves out pictures that come too fast and scales down those that are too high.

    Every n-th picture is kept where that leaves about 0.8 times ``max_fps`` or more: of 25 a second
    12.5 for a limit of 15. Keeping 15 of 25 would leave some 40 ms and some 80 ms apart; a
    display that draws 30 times a second then gets two at once now and then and drops one, and
    what it shows stutters. From other rates as many are kept as the limit allows.

    Args:
        settings: ``max_fps`` and ``max_height_px``.

    Example:
        >>> limits = PictureLimits(VideoSettings(max_fps=15))
        >>> kept = [n for n, frame in enumerate(thirty_a_second) if not limits.is_too_soon(frame)]
        >>> kept[-3:]
        [54, 56, 58]
    """

    def __init__(self, settings: VideoSettings) -> None:
        self._max_fps = settings.max_fps
        self._step_s = 1 / settings.max_fps
        self._most_px = settings.max_height_px
        self._next_s = 0.0
        self._last_s: float | None = None
        self._left_out = 0
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)

    def is_too_soon(self, frame: VideoFrame) -> bool:
        """Whether to leave out this picture, the next of its source."""
        now_s = time.monotonic() if frame.time is None else frame.time
        if self._last_s is not None and 0 < now_s - self._last_s < _LONGEST_S:
            self._intervals_s.append(now_s - self._last_s)
        elif self._last_s is not None:
            # Another clock, or a long pause: what was known means nothing now.
            self._intervals_s.clear()
            self._next_s = now_s
            self._left_out = 0
        self._last_s = now_s
        every = self._every()
        if every:
            is_too_soon = self._left_out + 1 < every
        else:
            # Half a step of grace, so that a source at just this rate never loses a picture.
            is_too_soon = now_s < self._next_s - self._step_s / 2
        if is_too_soon:
            self._left_out += 1
            return True
        self._left_out = 0
        self._next_s = max(self._next_s, now_s - self._step_s) + self._step_s
        return False

    def _every(self) -> int | None:
        """Which of how many pictures to keep, where that is even; ``None``: go by the clock."""
        if len(self._intervals_s) < _FEWEST:
            return None
        usual_s = statistics.median(self._intervals_s)
        source_fps = 1 / statistics.fmean(one for one in self._intervals_s if one < _GAP * usual_s)
        every = max(1, math.ceil(source_fps / self._max_fps - _EXCESS))
        return every if source_fps / every >= _EVEN_SHARE * self._max_fps or every == 1 else None

    def scaled(self, frame: VideoFrame) -> VideoFrame:
        """The picture, no higher than allowed, with its proportions and its time."""
        if frame.height <= self._most_px:
            return frame
        height = self._most_px & ~1
        width = round(frame.width * height / frame.height) & ~1
        smaller = convert(frame, width=max(2, width), height=height)
        smaller.pts, smaller.time_base = frame.pts, frame.time_base
        return smaller
