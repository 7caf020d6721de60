"""The two halves of a recording while it is being made: one file for sound, one for pictures.

Each is a Matroska file written as it comes, so that it can be played even when the process was
killed; :mod:`xnb.media.assemble` joins them into what was asked for.
"""

from __future__ import annotations

import abc
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .frames import (
    convert,
    from_av_audio,
    from_planes,
    plane_array,
    to_av_audio,
    to_int16,
    to_yuv420p,
)

RATE_HZ = 48000
MILLISECONDS = Fraction(1, 1000)

# Time stamps jitter with the network: sound stays gapless until it is this far off.
_REANCHOR_S = 0.025
# Below that a steady offset is worked off by stretching, which nobody hears.
_STEADY_S = 0.005
_STEADY_WEIGHT = 0.05
_STRETCH_SAMPLES = 2
_BLOCK = 960
# A picture that stands longer is written again, so that players can seek.
_STANDING_MS = 1000
_REORDERED_MS = 50


class Part(abc.ABC):
    """One stream being encoded into a file of its own.

    Args:
        path: Where to write.
        file_format: FFmpeg's name of the container.
        codec: FFmpeg's name of the encoder.
        zero_s: Time at which the recording began.
    """

    def __init__(self, path: Path, file_format: str, codec: str, zero_s: float) -> None:
        self.path = path
        self.codec = codec
        self.first_pts: int | None = None
        self.frames = 0
        self._zero_s = zero_s
        options = {"cluster_time_limit": "1000"} if file_format == "matroska" else {}
        self._container = av.open(
            str(path), "w", format=file_format, options={**options, "flush_packets": "1"}
        )
        self._stream: Any = None

    @property
    @abc.abstractmethod
    def end_s(self) -> float:
        """Where it ends, in seconds since the recording began."""

    def finish(self) -> None:
        """Write what the encoder still holds and close the file."""
        if self._stream is not None:
            self._mux(self._stream.encode(None))
        self._container.close()

    def abort(self) -> None:
        """Close the file as it is. May be called after :meth:`finish`."""
        self._container.close()

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            if self.first_pts is None:
                self.first_pts = packet.pts
            self._container.mux(packet)


class AudioPart(Part):
    """Sound on a gapless timeline that begins with the recording."""

    def __init__(self, path: Path, file_format: str, codec: str, zero_s: float) -> None:
        super().__init__(path, file_format, codec, zero_s)
        self._stream = self._container.add_stream(codec, rate=RATE_HZ, layout="stereo")
        self._planar = codec == "aac"
        if codec != "pcm_s16le":
            self._stream.bit_rate = 128_000
        context = self._stream.codec_context
        context.format = "fltp" if self._planar else "s16"
        context.time_base = Fraction(1, RATE_HZ)
        context.open()
        self.frame_size = context.frame_size or _BLOCK
        self._resampler: av.AudioResampler | None = None
        self._resampled_layout: tuple[Any, ...] = ()
        self._pending: NDArray[np.int16] = np.empty((0, 2), np.int16)
        self._placed = 0
        self._written = 0
        self._steady = 0.0

    @property
    def end_s(self) -> float:
        """See :attr:`Part.end_s`."""
        return self._placed / RATE_HZ

    def write(self, frame: av.AudioFrame, time_s: float) -> None:
        """Put a frame where ``time_s`` says, or right after the last when that is about there."""
        self.frames += 1
        samples = self._converted(frame)
        off = round((time_s - self._zero_s) * RATE_HZ) - self._placed
        limit = _REANCHOR_S * RATE_HZ
        if off > limit or (self._placed == 0 and off > 0):
            self._silence(off)
            self._steady = 0.0
        elif off < -limit:
            samples = samples[-off:]
            self._steady = 0.0
        else:
            self._steady += _STEADY_WEIGHT * (off - self._steady)
            samples = self._stretched(samples)
        self._place(samples)

    def finish(self) -> None:
        """See :meth:`Part.finish`."""
        if len(self._pending):
            self._encode(self._pending)
            self._pending = self._pending[:0]
        super().finish()

    def _stretched(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        if abs(self._steady) < _STEADY_S * RATE_HZ or len(samples) < _BLOCK // 2:
            return samples
        change = _STRETCH_SAMPLES if self._steady > 0 else -_STRETCH_SAMPLES
        self._steady -= change
        length = len(samples) + change
        at = np.linspace(0, len(samples) - 1, length)
        before = np.arange(len(samples))
        columns = [np.interp(at, before, samples[:, channel]) for channel in range(2)]
        return np.rint(np.stack(columns, axis=1)).astype(np.int16)

    def _converted(self, frame: av.AudioFrame) -> NDArray[np.int16]:
        if frame.format.name == "s16":
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
        else:
            samples = to_int16(from_av_audio(frame)[:, :2])
        stereo = np.broadcast_to(samples[:, :2], (len(samples), 2))
        if frame.sample_rate == RATE_HZ:
            return np.asarray(stereo, np.int16)
        if self._resampled_layout != (frame.sample_rate,):
            self._resampled_layout = (frame.sample_rate,)
            self._resampler = av.AudioResampler("s16", "stereo", RATE_HZ)
        again = to_av_audio(stereo, frame.sample_rate)
        again.pts = None
        assert self._resampler is not None
        pieces = [out.to_ndarray().reshape(-1, 2) for out in self._resampler.resample(again)]
        return np.concatenate([np.empty((0, 2), np.int16), *pieces]).astype(np.int16)

    def _silence(self, count: int) -> None:
        second = np.zeros((RATE_HZ, 2), np.int16)
        while count > 0:
            self._place(second[:count])
            count -= RATE_HZ

    def _place(self, samples: NDArray[np.int16]) -> None:
        self._placed += len(samples)
        self._pending = np.concatenate((self._pending, samples))
        whole = len(self._pending) // self.frame_size * self.frame_size
        for start in range(0, whole, self.frame_size):
            self._encode(self._pending[start : start + self.frame_size])
        self._pending = self._pending[whole:]

    def _encode(self, samples: NDArray[np.int16]) -> None:
        if self._planar:
            array: Any = np.ascontiguousarray(samples.T.astype(np.float32) / 32768)
            frame = av.AudioFrame.from_ndarray(array, format="fltp", layout="stereo")
        else:
            array = np.ascontiguousarray(samples).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(array, format="s16", layout="stereo")
        frame.sample_rate = RATE_HZ
        frame.pts = self._written
        frame.time_base = Fraction(1, RATE_HZ)
        self._written += len(samples)
        self._mux(self._stream.encode(frame))


class VideoPart(Part):
    """Pictures of one size with rising times; between them the last one stands."""

    _OPTIONS = {  # noqa: RUF012 - never changed
        "libx264": {"preset": "veryfast", "tune": "zerolatency", "crf": "23"},
        "libvpx": {
            "deadline": "realtime",
            "cpu-used": "8",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
        },
    }
    _BITS_PER_PIXEL = 0.15

    def __init__(
        self, path: Path, file_format: str, codec: str, zero_s: float, *, fps: float
    ) -> None:
        super().__init__(path, file_format, codec, zero_s)
        self.dropped = 0
        self.width = self.height = 0
        self.frame_ms = max(1, round(1000 / fps))
        self._fps = fps
        self._last_ms: int | None = None
        self._last: av.VideoFrame | None = None

    @property
    def start_s(self) -> float:
        """When the first picture is shown, in seconds since the recording began."""
        return (self.first_pts or 0) / 1000

    @property
    def end_s(self) -> float:
        """See :attr:`Part.end_s`."""
        return 0.0 if self._last_ms is None else (self._last_ms + self.frame_ms) / 1000

    def write(self, frame: av.VideoFrame, time_s: float) -> None:
        """Show a picture from ``time_s`` on. One that comes after a later one is dropped."""
        self.frames += 1
        raw_ms = round((time_s - self._zero_s) * 1000)
        at_ms = max(0, raw_ms)
        if self._last_ms is not None and at_ms <= self._last_ms:
            if raw_ms < self._last_ms - _REORDERED_MS:
                self.dropped += 1
                return
            at_ms = self._last_ms + 1
        if self._stream is None:
            self._open(frame)
        self._stand(at_ms)
        self._last = self._fitted(frame)
        self._encode(at_ms)

    def stand_until(self, end_s: float) -> None:
        """Let the last picture stand until ``end_s``."""
        if self._last_ms is None:
            return
        last_ms = round(end_s * 1000) - self.frame_ms
        self._stand(last_ms)
        if last_ms - self._last_ms >= self.frame_ms:
            self._encode(last_ms)

    def _stand(self, until_ms: int) -> None:
        while self._last_ms is not None and until_ms - self._last_ms > _STANDING_MS * 3 // 2:
            self._encode(self._last_ms + _STANDING_MS)

    def _open(self, frame: av.VideoFrame) -> None:
        self.width, self.height = frame.width & ~1, frame.height & ~1
        stream: Any = self._container.add_stream(
            self.codec, rate=round(self._fps), options=dict(self._OPTIONS[self.codec])
        )
        stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
        context = stream.codec_context
        context.time_base = MILLISECONDS
        context.gop_size = round(2 * self._fps)
        # Two threads of libvpx wait for each other in a busy loop.
        context.thread_count = 1 if self.codec == "libvpx" else 2
        if self.codec == "libvpx":
            pixels_per_s = self.width * self.height * self._fps
            stream.bit_rate = max(600_000, int(pixels_per_s * self._BITS_PER_PIXEL))
        self._stream = stream

    def _encode(self, at_ms: int) -> None:
        frame = self._last
        assert frame is not None
        frame.pts, frame.time_base = at_ms, MILLISECONDS
        frame.pict_type = 0
        self._last_ms = at_ms
        self._mux(self._stream.encode(frame))

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """A frame of our own in the recording's size; others look at the one that came."""
        source = to_yuv420p(frame)
        if (source.width, source.height) == (self.width, self.height):
            if source is not frame:
                return source
            return from_planes(*(plane_array(source, index) for index in range(3)))
        scale = min(self.width / source.width, self.height / source.height)
        width = max(2, min(self.width, round(source.width * scale)) & ~1)
        height = max(2, min(self.height, round(source.height * scale)) & ~1)
        scaled = convert(source, width=width, height=height)
        left, top = (self.width - width) // 4 * 2, (self.height - height) // 4 * 2
        black = (16, 128, 128)
        canvas = av.VideoFrame(self.width, self.height, "yuv420p")
        for index, value in enumerate(black):
            half = 2 if index else 1
            plane = plane_array(canvas, index)
            plane[:] = value
            rows = slice(top // half, (top + height) // half)
            columns = slice(left // half, (left + width) // half)
            plane[rows, columns] = plane_array(scaled, index)
        return canvas
