"""Reading a file's packets without decoding them, and telling which may be sent as they are."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer

from .avc import units
from .opus_packets import duration_samples
from .source import SAMPLE_RATE_HZ, Kind

_log = logging.getLogger(__name__)

AvPacket: TypeAlias = "av.Packet[Any]"
TimedPacket: TypeAlias = "tuple[float, AvPacket]"

# Decoders of the far end know these; anything with B-frames, more bits or fields does not pass.
_H264_PROFILES = {"Baseline", "Constrained Baseline", "Main", "High"}
_IDR, _SPS = 5, 7
# 60 ms is the longest frame of Opus (RFC 6716 section 2.1.4); longer packets hold several.
_LONGEST_OPUS_SAMPLES = 60 * SAMPLE_RATE_HZ // 1000
_OPUS_FRAME_S = 0.02
# Timestamps of sound jitter by this much; a larger step is a gap or an overlap.
_STEP_SAMPLES = 30 * SAMPLE_RATE_HZ // 1000
_OPUS_STEP_SAMPLES = 960
_PROBED_PACKETS = 60
_RATE_WINDOW_S = 2.0
_SAME_TIME_S = 1e-3


def codec_to_pass(container: InputContainer, stream: Any, kind: Kind) -> str | None:
    """The codec whose packets of ``stream`` a far end can take as they are, or ``None``.

    H.264 needs one of the profiles without extras, 8 bit 4:2:0, no B-frames and IDR pictures;
    VP8 always fits; both need square pixels. How the picture is turned is not looked at here.
    Opus must be mono or stereo without a mapping (RFC 7845 section 5.1.1) or output gain, in
    packets of at most 60 ms. Reads the first packets of the file.
    """
    context = stream.codec_context
    codec = {"libvpx": "vp8", "libopus": "opus"}.get(context.name, context.name)
    if kind == "audio":
        fits = codec == "opus" and _plain_opus_head(bytes(context.extradata or b""))
    else:
        fits = (
            codec in ("vp8", "h264")
            and context.pix_fmt == "yuv420p"
            and context.sample_aspect_ratio in (None, 0, 1)
            and (codec == "vp8" or _plain_h264(context))
        )
    if not fits:
        return None
    try:
        container.seek(min(0, stream.start_time or 0), stream=stream)
    except av.FFmpegError:
        return None  # what cannot be wound back cannot be taken up again at a keyframe either
    reader = PacketReader(container, stream, codec, zero_s=0.0)
    units = [unit for unit in (reader.next() for _ in range(_PROBED_PACKETS)) if unit]
    return codec if units and units[0][1].is_keyframe and not reader.broken else None


def _plain_h264(context: Any) -> bool:
    return context.profile in _H264_PROFILES and not context.has_b_frames


def _plain_opus_head(head: bytes) -> bool:
    if len(head) < 19 or head[:8] != b"OpusHead":
        return False
    channels, gain, mapping = head[9], head[16:18], head[18]
    return channels in (1, 2) and gain == b"\0\0" and mapping == 0


class PacketReader:
    """The packets of one stream, with their times from 0 on, through seeks and loops.

    Sound comes without a gap: times follow from the packets' lengths, and from the file's
    timestamps only where these have a real gap. H.264 comes as Annex B with its parameter sets
    on every keyframe (H.264 annex B; RFC 6184 section 8.4).

    Args:
        container: The open file; nobody else may read packets from it.
        stream: Which stream of it.
        codec: ``"vp8"``, ``"h264"`` or ``"opus"``.
        zero_s: Timestamp in the file that counts as time 0.
        frame_s: How long a picture stands at the end.

    Attributes:
        broken: A packet was met that must not be passed on; nothing comes any more.
        end_s: Where the packets given so far end.
        rate_bps: What the file needs: the larger of its mean and that of the last two seconds.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: Any,
        codec: str,
        *,
        zero_s: float,
        frame_s: float = _OPUS_FRAME_S,
    ) -> None:
        self.broken = False
        self.end_s = 0.0
        self._container = container
        self._stream = stream
        self._codec = codec
        self._zero_s = zero_s
        self._frame_s = frame_s
        self._base_s = 0.0
        self._filter = (
            BitStreamFilterContext("h264_mp4toannexb", stream) if codec == "h264" else None
        )
        self._packets: Iterator[Any] = iter(container.demux(stream))
        self._waiting: deque[TimedPacket] = deque()
        self._read_since_rewind = 0
        self._last_s = -math.inf
        self._next_sample: int | None = None
        self._sounded = False
        self._not_before_s = -math.inf
        self._recent: deque[tuple[float, int]] = deque()
        self._recent_bytes = self._all_bytes = 0
        self._all_s = 0.0

    @property
    def rate_bps(self) -> float:
        """See the class."""
        if self._all_s < _RATE_WINDOW_S / 2:
            return 0.0
        span_s = max(_RATE_WINDOW_S / 2, self._recent[-1][0] - self._recent[0][0])
        return 8 * max(self._all_bytes / self._all_s, self._recent_bytes / span_s)

    @property
    def mean_bps(self) -> float:
        """The mean rate of everything read so far."""
        return 8 * self._all_bytes / self._all_s if self._all_s else 0.0

    def close(self) -> None:
        """Close the file. May be called again."""
        self._packets = iter(())
        self._container.close()

    def next(self) -> TimedPacket | None:
        """The next packet; ``None`` at the end of the file, or when :attr:`broken`."""
        if not self._fill():
            return None
        time_s, packet = self._waiting.popleft()
        self.end_s = time_s + float((packet.duration or 0) * (packet.time_base or 0))
        self._count(time_s, packet.size)
        return time_s, packet

    def keyframe_by(self, time_s: float) -> bool:
        """Whether :meth:`next` gives a keyframe that is due by ``time_s``.

        Packets before it are thrown away; so are those before the place last sought.
        """
        while self._fill():
            due_s, packet = self._waiting[0]
            if due_s > time_s:
                return False
            if packet.is_keyframe and due_s >= self._not_before_s - _SAME_TIME_S:
                return True
            self.next()
        return False

    def begins_with_keyframe(self, time_s: float) -> bool:
        """Whether packets can begin at ``time_s``, the place last sought."""
        if self.keyframe_by(time_s + _SAME_TIME_S):
            return True
        # In a file whose first picture comes later, what comes first is that picture.
        nothing_before = self._read_since_rewind == len(self._waiting) > 0
        return nothing_before and bool(self._waiting[0][1].is_keyframe)

    def seek(self, time_s: float, base_s: float) -> None:
        """Go to ``time_s``, which includes ``base_s``, where this pass over the file began.

        Sound goes on there to the sample; pictures at the keyframe before it, for
        :meth:`keyframe_by`.
        """
        self._base_s = base_s
        self._not_before_s = time_s
        self._last_s = -math.inf
        self._next_sample = round(time_s * SAMPLE_RATE_HZ)
        self._sounded = False
        self.end_s = time_s
        early_s = _OPUS_FRAME_S * 4 if self._codec == "opus" else 0.0
        self._rewind(max(0.0, time_s - base_s - early_s))

    def begin_again(self, base_s: float) -> None:
        """Start the next pass of a loop at ``base_s``."""
        self._base_s = base_s
        self._not_before_s = -math.inf
        self._last_s = base_s - 1e-6
        self._rewind(0.0)

    def _rewind(self, in_file_s: float) -> None:
        offset = int((in_file_s + self._zero_s) / self._stream.time_base)
        try:
            self._container.seek(offset, stream=self._stream)
        except av.FFmpegError as error:
            _log.info("Seeking failed: %s", error.strerror)
        if self._filter:
            self._filter.flush()
        self._waiting.clear()
        self._read_since_rewind = 0
        self._packets = iter(self._container.demux(self._stream))

    def _fill(self) -> bool:
        while not self._waiting and not self.broken:
            try:
                packet = next(self._packets, None)
                if packet is None:
                    return False
                if packet.size == 0:
                    continue
                filtered = self._filter.filter(packet) if self._filter else (packet,)
            except (av.FFmpegError, ValueError):
                self.broken = True  # the decoder knows better how to get over it
                return False
            for one in filtered:
                self._read_since_rewind += 1
                unit = self._sound(one) if self._codec == "opus" else self._picture(one)
                if unit:
                    self._waiting.append(unit)
        return bool(self._waiting) and not self.broken

    def _file_time_s(self, packet: AvPacket) -> float | None:
        if packet.pts is None or packet.time_base is None:
            return None
        return float(packet.pts * packet.time_base) - self._zero_s + self._base_s

    def _picture(self, packet: AvPacket) -> TimedPacket | None:
        time_s = self._file_time_s(packet)
        if time_s is None:
            time_s = self.end_s
        # Out of order means B-frames. An invisible VP8 picture may share a rounded time.
        if time_s < self._last_s or (time_s == self._last_s and self._codec == "h264"):
            self.broken = math.isfinite(self._last_s) and self._last_s > self._base_s
            return None
        self._last_s = time_s
        packet.is_keyframe = packet.is_keyframe and self._is_keyframe(packet)
        self._set_length(packet, self._frame_s)
        return time_s, packet

    def _is_keyframe(self, packet: AvPacket) -> bool:
        data = bytes(packet)
        if self._codec == "vp8":
            return not data[0] & 1  # RFC 6386 section 9.1
        return {_IDR, _SPS} <= {unit[0] & 0x1F for unit in units(data)}

    def _sound(self, packet: AvPacket) -> TimedPacket | None:
        samples = duration_samples(bytes(packet))
        if not 0 < samples <= _LONGEST_OPUS_SAMPLES:
            self.broken = True
            return None
        time_s = self._file_time_s(packet)
        at = None if time_s is None else round(time_s * SAMPLE_RATE_HZ)
        if self._next_sample is None:
            self._next_sample = at or 0
        elif at is not None:
            step = at - self._next_sample
            if at < (self._not_before_s * SAMPLE_RATE_HZ) - samples / 2:
                return None
            if -SAMPLE_RATE_HZ < step < -_STEP_SAMPLES:
                return None
            if step > _STEP_SAMPLES and not self._sounded:
                self._next_sample = at
            elif step > _STEP_SAMPLES:
                self._next_sample += step // _OPUS_STEP_SAMPLES * _OPUS_STEP_SAMPLES
        self._sounded = True
        start = self._next_sample
        self._next_sample += samples
        self._set_length(packet, samples / SAMPLE_RATE_HZ)
        return start / SAMPLE_RATE_HZ, packet

    def _set_length(self, packet: AvPacket, length_s: float) -> None:
        packet.duration = max(1, round(length_s / (packet.time_base or Fraction(1, 1000))))

    def _count(self, time_s: float, size: int) -> None:
        if self._recent and not 0 <= time_s - self._recent[-1][0] < _RATE_WINDOW_S:
            self._recent.clear()
            self._recent_bytes = 0
        elif self._recent:
            self._all_s += time_s - self._recent[-1][0]
        self._all_bytes += size
        self._recent.append((time_s, size))
        self._recent_bytes += size
        while time_s - self._recent[0][0] > _RATE_WINDOW_S:
            self._recent_bytes -= self._recent.popleft()[1]
