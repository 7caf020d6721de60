"""Pictures of a source brought within the limits of what is sent."""

from __future__ import annotations

import time

from av import VideoFrame

from ..media.frames import convert
from ..settings import VideoSettings


class PictureLimits:
    """Leaves out pictures that come too fast and scales down those that are too high.

    Args:
        settings: ``max_fps`` and ``max_height_px``.
    """

    def __init__(self, settings: VideoSettings) -> None:
        self._step_s = 1 / settings.max_fps
        self._most_px = settings.max_height_px
        self._next_s = 0.0

    def is_too_soon(self) -> bool:
        """Whether to leave out the picture that comes now."""
        now_s = time.monotonic()
        # Half a step of grace, so that a source at just this rate never loses a picture.
        if now_s < self._next_s - self._step_s / 2:
            return True
        self._next_s = max(self._next_s, now_s - self._step_s) + self._step_s
        return False

    def scaled(self, frame: VideoFrame) -> VideoFrame:
        """The picture, no higher than allowed, with its proportions and its time."""
        if frame.height <= self._most_px:
            return frame
        height = self._most_px & ~1
        width = round(frame.width * height / frame.height) & ~1
        smaller = convert(frame, width=max(2, width), height=height)
        smaller.pts, smaller.time_base = frame.pts, frame.time_base
        return smaller
