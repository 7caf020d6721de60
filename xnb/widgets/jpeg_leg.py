"""A call's decoded pictures as JPEGs, and its sound as plain samples, for one page.

For pages that can decode nothing themselves: plain http without a secure context has neither
WebCodecs nor AudioWorklet, and some browsers lack a codec.
"""

from __future__ import annotations

import asyncio
import logging
from fractions import Fraction
from typing import Any, ClassVar

import av
import numpy as np
from numpy.typing import NDArray

from ..events import ListenerHandle
from ..media.frames import convert
from .frame_leg import FrameLeg
from .leg import Path

_log = logging.getLogger(__name__)

IN_FLIGHT = 3
"""Pictures on their way."""
MAX_HEIGHT_PX = 480
MAX_FPS = 25
QUALITY = 5
"""FFmpeg's ``qscale``, 2 (best) to 31."""


class JpegLeg(FrameLeg):
    """Pictures as fast as the page acknowledges them, never more than 25 a second."""

    path: ClassVar[Path] = "jpeg"
    capacity: ClassVar[int] = IN_FLIGHT

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._pictures: ListenerHandle | None = None
        self._sound: ListenerHandle | None = None
        self._encoder: JpegEncoder | None = None
        self._work: asyncio.Task[None] | None = None
        self._next_s = 0.0

    def open(self) -> None:
        """Tell the page what comes, and begin with the sound."""
        super().open()
        if self._sound is None:
            self._sound = self._peer.audio_in.on_frame(self._take_sound)

    def set_visible(self, visible: bool) -> None:
        """Begin or stop to decode pictures."""
        if visible and self._pictures is None and self._is_open:
            self._pictures = self._peer.video_in.on_frame(self._take_picture)
        elif not visible and self._pictures:
            self._pictures.close()
            self._pictures = None

    def _take_picture(self, frame: av.VideoFrame, time_s: float) -> None:
        if time_s < self._next_s - 0.5 / MAX_FPS and time_s > self._next_s - 1:
            return
        if self.window.is_full or (self._work and not self._work.done()):
            self._dropped += 1
            if self.window.is_full:
                self._refused(0)
            return
        self._next_s = max(self._next_s + 1 / MAX_FPS, time_s)
        self._work = asyncio.ensure_future(self._encode(frame, time_s))

    async def _encode(self, frame: av.VideoFrame, time_s: float) -> None:
        if self._encoder is None:
            self._encoder = JpegEncoder()
        try:
            data = await asyncio.to_thread(self._encoder.encode, frame)
        except (av.FFmpegError, ValueError):
            _log.exception("A picture could not be made a JPEG.")
            return
        if self._is_open and self._pictures:
            self._add("jpeg", True, time_s, data)

    def _limit(self) -> None:
        """The far end's rate has nothing to do with that of JPEGs."""

    def _take_sound(self, frame: av.AudioFrame, time_s: float) -> None:
        samples: NDArray[np.int16] = np.frombuffer(memoryview(frame.planes[0]), np.int16)
        channels = len(frame.layout.channels)
        samples = samples[: frame.samples * channels]
        if channels > 1:
            wide = samples.reshape(-1, channels).astype(np.int32)
            samples = (wide.sum(axis=1) // channels).astype(np.int16)
        self._add("pcm", True, time_s, samples.tobytes())

    async def close(self) -> None:
        """Stop feeding. May be called again."""
        self.set_visible(False)
        if self._sound:
            self._sound.close()
            self._sound = None
        await super().close()
        if self._work:
            await asyncio.wait([self._work])


class JpegEncoder:
    """Makes JPEGs of at most 480 lines. Used by one thread at a time."""

    def __init__(self) -> None:
        self._context: Any = None
        self._size = (0, 0)
        self._number = 0

    def encode(self, frame: av.VideoFrame) -> bytes:
        """The JPEG of ``frame``."""
        height = min(MAX_HEIGHT_PX, frame.height) // 2 * 2
        width = max(2, round(frame.width * height / frame.height) // 2 * 2)
        if self._context is None or self._size != (width, height):
            self._size = width, height
            self._context = av.CodecContext.create("mjpeg", "w")
            self._context.width, self._context.height = width, height
            self._context.pix_fmt = "yuvj420p"
            self._context.time_base = Fraction(1, MAX_FPS)
            self._context.options = {"flags": "+qscale", "global_quality": str(118 * QUALITY)}
        picture = convert(frame, width=width, height=height, pixel_format="yuvj420p")
        self._number += 1
        picture.pts, picture.time_base = self._number, self._context.time_base
        return b"".join(bytes(packet) for packet in self._context.encode(picture))
