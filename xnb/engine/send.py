"""What one side sends: a track whose source can be changed and muted in mid-call."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from aiortc import MediaStreamTrack
from av import AudioFrame, Packet, VideoFrame

from ..events import ListenerHandle
from ..media.frames import convert
from ..media.source import EndOfMedia, SourceTrack
from .codecs import CLOCK_RATE_HZ

_log = logging.getLogger(__name__)

REANCHOR_S = 1.0
"""A source this far from the track's clock is put back on it; sources pace themselves."""

Media: TypeAlias = "AudioFrame | VideoFrame | Packet[Any]"


class Outgoing(MediaStreamTrack):
    """The sending half of one kind of media of a peer.

    The sender of aiortc reads it with :meth:`recv`. What it gives comes from a
    :class:`~xnb.media.source.SourceTrack`, is put on the track's own clock, and stops while
    :attr:`muted` or while there is no source. Frames of a muted source are read and thrown away,
    so that a file goes on playing.

    Args:
        kind: ``"audio"`` or ``"video"``.
        max_fps: Pictures that come faster are left out.
        max_height_px: Higher pictures are scaled down.
    """

    def __init__(
        self,
        kind: Literal["audio", "video"],
        *,
        max_fps: float = 120,
        max_height_px: int = 4320,
    ) -> None:
        super().__init__()
        self.kind = kind
        self._max_fps = max_fps
        self._max_height_px = max_height_px
        self._next_picture_s = 0.0
        self.muted = False
        self.sent = 0
        self.on_end: Callable[[SourceTrack, BaseException | None], None] | None = None
        self.on_keyframe_request: Callable[[], None] | None = None
        self._rate = CLOCK_RATE_HZ[kind]
        self._time_base = Fraction(1, self._rate)
        self._start_s = time.monotonic()
        self._source: SourceTrack | None = None
        self._reading: asyncio.Future[Media] | None = None
        self._changed = asyncio.Event()
        self._offset_s: float | None = None
        self._last_pts = -1
        self._last_ticks = 0
        self._listeners: list[Callable[[Media], Any]] = []

    @property
    def source(self) -> SourceTrack | None:
        """What is being sent, or ``None``."""
        return self._source

    def play(self, source: SourceTrack | None) -> None:
        """Send ``source`` from now on; ``None`` sends nothing. The old source is not closed."""
        self._source = source
        self._offset_s = None
        self._changed.set()
        if self._reading:
            self._reading.cancel()

    def on_frame(self, callback: Callable[[Media], Any]) -> ListenerHandle:
        """Call ``callback`` with every frame just before it is encoded."""
        self._listeners.append(callback)

        def remove() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return ListenerHandle(remove)

    async def recv(self) -> Media:
        """The next frame that is due, for aiortc's sender."""
        while True:
            source = self._source
            if source is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            frame = await self._read(source)
            if frame is None or self.muted or source is not self._source:
                continue
            if isinstance(frame, VideoFrame):
                if self._is_too_soon():
                    continue
                frame = self._scaled(frame)
            self._stamp(frame)
            for listener in tuple(self._listeners):
                listener(frame)
            self.sent += 1
            return frame

    def _is_too_soon(self) -> bool:
        now_s, step_s = time.monotonic(), 1 / self._max_fps
        # Half a step of grace, so that a source at just this rate never loses a picture.
        if now_s < self._next_picture_s - step_s / 2:
            return True
        self._next_picture_s = max(self._next_picture_s, now_s - step_s) + step_s
        return False

    def _scaled(self, frame: VideoFrame) -> VideoFrame:
        if frame.height <= self._max_height_px:
            return frame
        height = self._max_height_px & ~1
        width = round(frame.width * height / frame.height) & ~1
        smaller = convert(frame, width=max(2, width), height=height)
        smaller.pts, smaller.time_base = frame.pts, frame.time_base
        return smaller

    async def _read(self, source: SourceTrack) -> Media | None:
        self._changed.clear()
        reading = self._reading = asyncio.ensure_future(source.read())
        try:
            return await reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                reading.cancel()
                raise
            return None  # play() took the source away
        except EndOfMedia:
            self._ended(source, None)
        except Exception as error:
            _log.warning("A %s source stopped with %s.", self.kind, type(error).__name__)
            self._ended(source, error)
        finally:
            self._reading = None
        return None

    def _ended(self, source: SourceTrack, error: BaseException | None) -> None:
        if self._source is source:
            self._source = None
            self._offset_s = None
        if self.on_end:
            self.on_end(source, error)

    def _stamp(self, frame: Media) -> None:
        """Put a frame on the track's clock: source time plus an offset, strictly rising."""
        now_s = time.monotonic() - self._start_s
        if frame.pts is None or frame.time_base is None:
            media_s = now_s
        else:
            media_s = float(frame.pts * frame.time_base)
        if self._offset_s is None or abs(media_s + self._offset_s - now_s) > REANCHOR_S:
            self._offset_s = now_s - media_s
        pts = round((media_s + self._offset_s) * self._rate)
        pts = max(pts, self._last_pts + max(1, self._last_ticks))
        self._last_pts = pts
        self._last_ticks = frame.samples if isinstance(frame, AudioFrame) else 1
        frame.pts = pts
        frame.time_base = self._time_base
        if isinstance(frame, Packet):
            frame.dts = pts

    def stop(self) -> None:
        """Stop for good. May be called again."""
        super().stop()
        self.play(None)
        self._listeners.clear()
