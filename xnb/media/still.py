"""One picture, sent over and over."""

from __future__ import annotations

from typing import Any

from ..errors import MediaError
from .frames import from_planes, plane_array, to_av_video
from .source import PacedTrack, Source, Timed


class _StillTrack(PacedTrack):
    may_rest = True

    def __init__(self, picture: Any, fps: float) -> None:
        super().__init__("video")
        self.frame_s = 1 / fps
        self._planes = [plane_array(to_av_video(picture), index).copy() for index in range(3)]
        self._next = 0

    async def _pull(self) -> Timed:
        number = self._next
        self._next += 1
        frame = from_planes(self._planes[0], self._planes[1], self._planes[2])
        return Timed(number * self.frame_s, frame, self.source.pace.epoch)

    def _skip_to(self, media_s: float) -> None:
        self._next = max(self._next, int(media_s / self.frame_s))


def still(picture: Any, *, fps: float = 5) -> Source:
    """One picture, sent until something else is.

    Args:
        picture: An array, a PIL image or a :class:`~xnb.media.frames.VideoFrame`; see
            :func:`~xnb.media.frames.to_av_video`. It is copied.
        fps: How often it is sent again, 1 to 30; a codec needs next to nothing for it.

    Raises:
        MediaError: This is no picture, or ``fps`` is out of range.

    Example:
        >>> call.send_video(PIL.Image.open("poster.png"))
    """
    slowest, fastest = 1, 30
    if not slowest <= fps <= fastest:
        raise MediaError(f"fps is {fps!r}.", remedy=f"Use {slowest} to {fastest}.")
    return Source("picture", video=_StillTrack(picture, fps))
