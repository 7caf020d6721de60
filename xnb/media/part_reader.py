"""Reading the part of a recording, also one that a killed process left."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av

from ..errors import RecordingError
from . import avc, opus_packets
from .conceal import Concealer
from .parts import Side, vp8_size

RATE_HZ = opus_packets.RATE_HZ

_FRAME_S = 1 / 30
_LONGEST_FRAME_S = 0.2
# A packet may overlap the one before by this much; beyond, it is left out.
_OVERLAP_SAMPLES = 240


class StreamFacts(NamedTuple):
    """What is in one stream of a part.

    Attributes:
        number: Its place in the file.
        side: Whose sound or picture it is.
        kind: ``"audio"`` or ``"video"``.
        codec: ``"opus"``, ``"vp8"`` or ``"h264"``.
        start_s: When its first frame begins, in seconds since the recording began.
        end_s: When its last frame ends.
        frames: How many frames it has.
        size: Width and height in pixels of the first picture.
        largest: Of the largest picture; H.264 that changes counts with its first size.
        varies: Whether size or parameter sets change on the way.
    """

    number: int
    side: Side
    kind: Literal["audio", "video"]
    codec: str
    start_s: float
    end_s: float
    frames: int
    size: tuple[int, int]
    largest: tuple[int, int]
    varies: bool


def open_part(path: Path) -> Any:
    """The part as an input container; its header says all, so nothing is probed.

    Raises:
        RecordingError: It holds nothing that can be read.
    """
    try:
        container = av.open(
            str(path), format="matroska", options={"probesize": "64", "analyzeduration": "1"}
        )
    except (av.FFmpegError, OSError) as error:
        raise RecordingError(
            f"{path.name} holds no recording: {getattr(error, 'strerror', error)}.",
            remedy="Delete it; it was left before anything had arrived.",
        ) from error
    return container


class _Counter:
    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.video = stream.type == "video"
        self.frames = 0
        self.start_s = self.last_s = self.length_s = 0.0
        self.size = self.largest = (0, 0)
        if self.video:
            self.size = self.largest = (stream.width, stream.height)
        self.varies = False
        extradata = stream.codec_context.extradata if stream.codec_context.name == "h264" else None
        self._sets = bytes(extradata or b"")

    def count(self, packet: Any) -> None:
        at_s = float(packet.pts * packet.time_base)
        if self.video:
            if self.frames:
                self.length_s = min(at_s - self.last_s, _LONGEST_FRAME_S)
            if packet.is_keyframe:
                self._look(bytes(packet))
        else:
            self.length_s = opus_packets.duration_samples(bytes(packet)) / RATE_HZ
        if not self.frames:
            self.start_s = at_s
        self.frames += 1
        self.last_s = at_s

    def _look(self, data: bytes) -> None:
        if self._sets:
            sets = avc.parameter_sets(avc.prefixed_units(data))
            self.varies = self.varies or bool(sets and sets.record() != self._sets)
        elif size := vp8_size(data):
            self.varies = self.varies or size != self.size
            self.largest = max(self.largest, size, key=lambda one: one[0] * one[1])

    def facts(self) -> StreamFacts:
        side, _, _ = self.stream.metadata.get("title", "remote sound").rpartition(" ")
        return StreamFacts(
            self.stream.index,
            side,
            "video" if self.video else "audio",
            self.stream.codec_context.codec.canonical_name,
            self.start_s,
            self.last_s + (self.length_s or _FRAME_S),
            self.frames,
            self.size,
            self.largest,
            self.varies,
        )


def survey(path: Path) -> list[StreamFacts]:
    """What is in a part; streams without a frame are left out.

    Raises:
        RecordingError: It cannot be read.
    """
    with open_part(path) as container:
        counters = [_Counter(stream) for stream in container.streams]
        for packet in _packets(container):
            counters[packet.stream_index].count(packet)
        return [counter.facts() for counter in counters if counter.frames]


def _packets(container: Any, stream: Any = None) -> Iterator[Any]:
    """Whole packets up to where the file breaks off."""
    packets = container.demux(stream) if stream else container.demux()
    try:
        for packet in packets:
            if packet.size and packet.pts is not None:
                yield packet
    except av.FFmpegError:
        return


class SoundPacket(NamedTuple):
    """A packet of sound, its place and its length in samples of 48 kHz."""

    data: bytes
    at: int
    samples: int


def sound_packets(path: Path, index: int) -> Iterator[SoundPacket]:
    """All sound of a stream without a gap: places rise by exactly the packets' lengths.

    What was lost is filled, see :class:`xnb.media.conceal.Concealer`: browsers and FFmpeg play
    a gap between time stamps as if it was not there. A recording that begins with this sound
    begins before 0 by what a decoder throws away.
    """
    expected: int | None = None
    concealer = Concealer()
    with open_part(path) as container:
        for packet in _packets(container, container.streams[index]):
            data = bytes(packet)
            samples = opus_packets.duration_samples(data)
            at = round(packet.pts * packet.time_base * RATE_HZ)
            expected = at if expected is None else expected
            off = at - expected
            if not samples or off < -_OVERLAP_SAMPLES:
                continue
            if off >= opus_packets.SHORTEST_SAMPLES:
                for filler, length in concealer.fill(off):
                    yield SoundPacket(filler, expected, length)
                    expected += length
            concealer.heard(data)
            yield SoundPacket(data, expected, samples)
            expected += samples


class PicturePacket(NamedTuple):
    """An encoded picture, when it is shown, for how long, and whether it is a keyframe."""

    data: bytes
    time_s: float
    length_s: float
    is_keyframe: bool


def picture_packets(path: Path, index: int, end_s: float) -> Iterator[PicturePacket]:
    """All pictures of a stream in order; the last one stands until ``end_s``."""
    with open_part(path) as container:
        held: PicturePacket | None = None
        for packet in _packets(container, container.streams[index]):
            time_s = float(packet.pts * packet.time_base)
            if held is not None:
                yield held._replace(length_s=time_s - held.time_s)
            held = PicturePacket(bytes(packet), time_s, 0.0, packet.is_keyframe)
        if held is not None:
            yield held._replace(length_s=max(float(Fraction(1, 1000)), end_s - held.time_s))


def decoded_pictures(path: Path, indexes: list[int]) -> Iterator[tuple[float, av.VideoFrame]]:
    """The pictures of one side, decoded, each with its time; what cannot be decoded is left out."""
    with open_part(path) as container:
        for packet in _packets(container):
            if packet.stream_index not in indexes:
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None:
                    yield float(frame.pts * frame.time_base), frame
