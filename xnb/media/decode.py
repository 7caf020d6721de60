"""Decoding one track of a file into frames that are ready to be sent."""

from __future__ import annotations

import abc
import logging
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from .frames import convert, from_planes, plane_array, to_yuv420p
from .source import FRAME_SAMPLES, SAMPLE_RATE_HZ
from .synthetic import stereo_frame

_log = logging.getLogger(__name__)

Decoded = list[tuple[float, av.AudioFrame | av.VideoFrame]]
Location: TypeAlias = "str | InputContainer"

# Timestamps in files jitter; a larger step is a real gap or overlap.
_GAP_SAMPLES = SAMPLE_RATE_HZ * 60 // 1000
_LONGEST_GAP_SAMPLES = SAMPLE_RATE_HZ * 600
# Codecs with memory need a run-up after a seek.
_RUN_UP_S = 0.1
_MAX_ERRORS_IN_A_ROW = 200
_STRANGEST_ASPECT = 4
_BIG_PICTURE_PX = 1280 * 720


class TrackDecoder(abc.ABC):
    """Reads one stream of a file through a container of its own.

    Args:
        location: Path or URL, or a container that is open and belongs to somebody else.
        index: The stream's index in the container.
        zero_s: Timestamp in the file that counts as time 0.
        options: For opening the container.
    """

    def __init__(
        self, location: Location, index: int, zero_s: float, options: dict[str, Any]
    ) -> None:
        self.index = index
        self.corrupted = 0
        self.end_s = 0.0
        self._base_s = 0.0
        self._zero_s = zero_s
        self._container: InputContainer = (
            av.open(location, "r", **options) if isinstance(location, str) else location
        )
        self._stream: Any = self._container.streams[index]
        self._packets: Iterator[Any] = iter(())
        self._errors_in_a_row = 0
        self._from_s: float | None = None
        self._open_packets()

    def close(self) -> None:
        """Close the file. May be called again."""
        self._packets = iter(())
        self._container.close()

    def more(self, limit: int = 1 << 30) -> Decoded | None:
        """Decode until there is something; ``None`` at the end. Times are in seconds from 0.

        Args:
            limit: Give up for now, with nothing, after so many packets.
        """
        for _ in range(limit):
            try:
                packet = next(self._packets, None)
            except (av.FFmpegError, ValueError):
                if self._note_error():
                    return None
                self._open_packets()
                continue
            decoded = None if packet is None else self.feed(packet)
            if decoded is None:
                return None
            if decoded:
                return decoded
        return []

    def feed(self, packet: Any) -> Decoded | None:
        """What one packet of this stream gives; ``None`` after too many bad ones in a row."""
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError):
            return None if self._note_error() else []
        self._errors_in_a_row = 0
        decoded: Decoded = []
        for frame in frames:
            decoded += self._take(frame)
        if packet.size == 0 and packet.dts is None:
            decoded += self._flush()
        return decoded

    def seek(self, time_s: float, base_s: float = 0.0) -> None:
        """Go to ``time_s``; what comes next begins there exactly.

        Args:
            time_s: From time 0, including ``base_s``.
            base_s: Time at which this pass over the file begins, for loops.
        """
        self._base_s = base_s
        self._from_s = time_s
        self._rewind(max(0.0, time_s - base_s - _RUN_UP_S))
        self._reset()

    def begin_again(self, base_s: float) -> None:
        """Start the next pass of a loop at ``base_s``."""
        self._close_pass(base_s)
        self._base_s = base_s
        self._rewind(0.0)

    def _rewind(self, in_file_s: float) -> None:
        offset = int((in_file_s + self._zero_s) / self._stream.time_base)
        try:
            self._container.seek(offset, stream=self._stream)
        except av.FFmpegError as error:
            _log.info("Seeking failed: %s", error.strerror)
        self._stream.codec_context.flush_buffers()
        self._open_packets()

    def _open_packets(self) -> None:
        self._packets = iter(self._container.demux(self._stream))

    def _note_error(self) -> bool:
        self.corrupted += 1
        self._errors_in_a_row += 1
        return self._errors_in_a_row > _MAX_ERRORS_IN_A_ROW

    def _time_s(self, frame: Any) -> float | None:
        if frame.pts is None or frame.time_base is None:
            return None
        return float(frame.pts * frame.time_base) - self._zero_s + self._base_s

    @abc.abstractmethod
    def _take(self, frame: Any) -> Decoded: ...

    @abc.abstractmethod
    def _flush(self) -> Decoded: ...

    @abc.abstractmethod
    def _reset(self) -> None: ...

    @abc.abstractmethod
    def _close_pass(self, end_s: float) -> None: ...


class AudioDecoder(TrackDecoder):
    """Gives 20 ms blocks of 48 kHz stereo s16 without a gap; gaps in the file become silence."""

    frame_s = FRAME_SAMPLES / SAMPLE_RATE_HZ

    def __init__(
        self, location: Location, index: int, zero_s: float, options: dict[str, Any]
    ) -> None:
        self._reset()
        super().__init__(location, index, zero_s, options)

    def _reset(self) -> None:
        self._resampler: av.AudioResampler | None = None
        self._layout: tuple[Any, ...] = ()
        self._pending: NDArray[np.int16] = np.empty((0, 2), np.int16)
        self._first: int | None = None

    def _take(self, frame: Any) -> Decoded:
        layout = (frame.format.name, frame.layout.name, frame.sample_rate)
        if layout != self._layout:
            self._layout = layout
            self._resampler = av.AudioResampler("s16", "stereo", SAMPLE_RATE_HZ)
        time_s = self._time_s(frame)
        frame.pts = None
        assert self._resampler is not None
        return self._add(self._resampler.resample(frame), time_s)

    def _flush(self) -> Decoded:
        decoded = self._add(self._resampler.resample(None), None) if self._resampler else []
        self._layout = ()
        return decoded

    def last(self) -> Decoded:
        """What is left of less than a block, filled up with silence."""
        left = len(self._pending)
        if left < FRAME_SAMPLES // 20 or self._first is None:
            return []
        padding = np.zeros((FRAME_SAMPLES - left, 2), np.int16)
        self._pending = np.concatenate((self._pending, padding))
        return self._blocks()

    def _add(self, frames: list[av.AudioFrame], time_s: float | None) -> Decoded:
        pieces: list[NDArray[Any]] = [self._pending]
        length = len(self._pending)
        if self._first is not None and time_s is not None:
            step = round(time_s * SAMPLE_RATE_HZ) - (self._first + length)
            if _GAP_SAMPLES < step < _LONGEST_GAP_SAMPLES:
                pieces.append(np.zeros((step, 2), np.int16))
            drop = -step if step < -_GAP_SAMPLES else 0
        else:
            drop = 0
            if self._first is None:
                self._first = round((time_s if time_s is not None else self._base_s) * 48000)
        for frame in frames:
            samples = frame.to_ndarray().reshape(-1, 2)
            pieces.append(samples[drop:])
            drop = max(0, drop - len(samples))
        self._pending = np.concatenate(pieces)
        self._trim_to_start()
        self.end_s = (self._first + len(self._pending)) / SAMPLE_RATE_HZ
        return self._blocks()

    def _trim_to_start(self) -> None:
        if self._from_s is None or self._first is None:
            return
        early = round(self._from_s * SAMPLE_RATE_HZ) - self._first
        if early > 0:
            dropped = min(early, len(self._pending))
            self._pending = self._pending[dropped:]
            self._first += dropped
        if len(self._pending):
            self._from_s = None

    def _blocks(self) -> Decoded:
        assert self._first is not None
        count = len(self._pending) // FRAME_SAMPLES
        decoded: Decoded = []
        for number in range(count):
            block = self._pending[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
            time_s = (self._first + number * FRAME_SAMPLES) / SAMPLE_RATE_HZ
            decoded.append((time_s, stereo_frame(block)))
        self._pending = self._pending[count * FRAME_SAMPLES :]
        self._first += count * FRAME_SAMPLES
        return decoded

    def _close_pass(self, end_s: float) -> None:
        if self._first is None:
            return
        missing = round(end_s * SAMPLE_RATE_HZ) - self._first - len(self._pending)
        if missing > 0:
            padding = np.zeros((min(missing, _LONGEST_GAP_SAMPLES), 2), np.int16)
            self._pending = np.concatenate((self._pending, padding))
        elif missing < 0:
            self._pending = self._pending[: max(0, len(self._pending) + missing)]
        self._layout = ()


class VideoDecoder(TrackDecoder):
    """Gives yuv420p pictures of even size, upright, with the file's own timing.

    Attributes:
        upright: Whether the last picture had no turn to undo and was not interlaced.
    """

    def __init__(
        self, location: Location, index: int, zero_s: float, options: dict[str, Any]
    ) -> None:
        super().__init__(location, index, zero_s, options)
        self.upright = False
        self._last_s = -math.inf
        self._before: av.VideoFrame | None = None
        rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        self.frame_s = min(1.0, max(1 / 240, float(1 / rate)))
        context = self._stream.codec_context
        self.height_px = context.height
        self.frame_bytes = max(1, context.width * context.height * 3 // 2)
        if context.width * context.height > _BIG_PICTURE_PX:
            context.thread_type = "AUTO"
            context.thread_count = 2

    def _reset(self) -> None:
        self._last_s = -math.inf
        self._before = None

    def leave_out_until(self, time_s: float) -> None:
        """While on the way to the place sought, make that place ``time_s`` if it is later."""
        if self._from_s is not None:
            self._from_s = max(self._from_s, time_s)

    def _take(self, frame: Any) -> Decoded:
        self.upright = round(frame.rotation / 90) % 4 == 0 and not frame.interlaced_frame
        time_s = self._time_s(frame)
        if time_s is None:
            time_s = self._base_s if math.isinf(self._last_s) else self._last_s + self.frame_s
        if time_s <= self._last_s:
            return []
        self._last_s = time_s
        self.end_s = time_s + self.frame_s
        if self._from_s is not None and time_s < self._from_s - 1e-3:
            self._before = frame
            return []
        return [*self._standing(time_s), (time_s, self._ready(frame))]

    def _standing(self, next_s: float) -> Decoded:
        """The picture that stands at the place sought, when no picture begins there."""
        from_s, before = self._from_s, self._before
        self._from_s = self._before = None
        if from_s is None or before is None or next_s < from_s + 1e-3:
            return []
        return [(from_s, self._ready(before))]

    def _flush(self) -> Decoded:
        return []

    def last(self) -> Decoded:
        """The last picture, when the place sought is after its beginning."""
        return self._standing(math.inf)

    def _close_pass(self, end_s: float) -> None:
        self._from_s = self._before = None
        self._last_s = end_s - 1e-6

    def _ready(self, frame: av.VideoFrame) -> av.VideoFrame:
        aspect = self._stream.codec_context.sample_aspect_ratio
        width = frame.width
        if aspect and aspect != 1 and 1 / _STRANGEST_ASPECT < aspect < _STRANGEST_ASPECT:
            width = round(frame.width * aspect)
        frame = convert(frame, width=width, pixel_format="yuv420p")
        turns = round(frame.rotation / 90) % 4
        frame = to_yuv420p(frame)
        if turns:
            planes = [np.rot90(plane_array(frame, index), turns) for index in range(3)]
            frame = from_planes(planes[0], planes[1], planes[2])
        return frame
