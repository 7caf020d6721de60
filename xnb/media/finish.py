"""Making the file that was asked for from the part of a recording.

What the container can hold is copied as it came. The rest, listed under :func:`finish`, is
decoded or encoded again here.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av

from ..errors import RecordingError
from . import avc, transcode, vp8_mp4
from .opus_packets import RATE_HZ
from .part_reader import StreamFacts, open_part, picture_packets, sound_packets, survey
from .parts import Side

_VIDEO_RATE_HZ = 90_000
_ENCODERS = {"h264": "libx264", "vp8": "libvpx"}

Packets = Iterator[tuple[float, Any]]


class Format(NamedTuple):
    """A kind of file.

    Attributes:
        container: FFmpeg's name of it.
        audio: The encoder for sound that cannot be copied.
        copies_opus: Whether it can hold sound as it came.
        video: The codecs it can hold, the one to encode with first; none for sound alone.
    """

    container: str
    audio: str
    copies_opus: bool
    video: tuple[str, ...]


FORMATS = {
    ".wav": Format("wav", "pcm_s16le", False, ()),
    ".ogg": Format("ogg", "libopus", True, ()),
    ".opus": Format("ogg", "libopus", True, ()),
    ".m4a": Format("ipod", "aac", False, ()),
    ".mp4": Format("mp4", "libopus", True, ("h264", "vp8")),
    ".mkv": Format("matroska", "libopus", True, ("h264", "vp8")),
    ".webm": Format("webm", "libopus", True, ("vp8",)),
}
"""By suffix. Opus in ``.m4a`` would be valid, but hardly a player takes it."""


class Finished(NamedTuple):
    """What a finished file holds: kinds of media, pictures copied or decoded, first size."""

    audio: bool
    video: bool
    pictures: int
    size: tuple[int, int] | None


def finish(part: Path, target: Path) -> Finished | None:
    """Write ``target`` from ``part``, replacing what is there; the part stays.

    Encoded again are: sound for ``.wav`` and ``.m4a``; H.264 for ``.webm``; pictures whose codec
    changed on the way; and, when both sides were recorded, everything but ``.mkv``, which gets
    a track of each: sound is mixed with the far end left and this side right, and the pictures
    are put beside each other, the far end's left.

    Returns:
        What is in it; ``None`` when the part holds nothing for this kind of file, and then there
        is no file.

    Raises:
        RecordingError: The part cannot be read.
        OSError: The file cannot be written.
        av.FFmpegError: FFmpeg could not do it, e.g. for lack of space.
    """
    known = format_of(target)
    streams = [one for one in survey(part) if one.kind == "audio" or known.video]
    if not streams:
        return None
    job = _Job(part, known, streams)
    unfinished = target.with_name(f"{target.name}.whole.part{target.suffix}")
    try:
        job.write(unfinished)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return job.finished


def format_of(path: Path) -> Format:
    """What a file of this name is.

    Raises:
        RecordingError: Its suffix is not known.
    """
    known = FORMATS.get(path.suffix.lower())
    if known is None:
        raise RecordingError(
            f"The suffix of {path.name} is not known.", remedy=f"Use {', '.join(FORMATS)}."
        )
    return known


def length_s(path: Path) -> float:
    """Length of a media file in seconds, as its header says."""
    with av.open(str(path)) as container:
        return (container.duration or 0) / av.time_base


class _Job:
    def __init__(self, part: Path, known: Format, streams: list[StreamFacts]) -> None:
        self._part = part
        self._format = known
        self._end_s = max(one.end_s for one in streams)
        self._audio = _by_side(streams, "audio")
        self._video = _by_side(streams, "video")
        self._relabel = False
        first = next(iter(self._video.values()), None)
        self.finished = Finished(
            bool(self._audio),
            bool(self._video),
            sum(one.frames for one in streams if one.kind == "video"),
            first[0].size if first else None,
        )

    def write(self, path: Path) -> None:
        options = {"movflags": "faststart"} if self._format.container in {"mp4", "ipod"} else {}
        container = self._format.container
        with av.open(str(path), "w", format=container, options=options) as output:
            # Pictures first: players show the first track's.
            tracks = [*self._pictures(output), *self._sound(output)]
            for _, packet in heapq.merge(*tracks, key=lambda one: one[0]):
                output.mux(packet)
        if self._relabel:
            vp8_mp4.relabel(path)

    def _sound(self, output: Any) -> list[Packets]:
        sides = list(self._audio.items())
        if self._format.copies_opus and (len(sides) == 1 or self._keeps_sides):
            return [self._copied_sound(output, streams[0]) for _, streams in sides]
        if not sides:
            return []
        decoded = [transcode.decoded_sound(self._part, one[0].number) for _, one in sides]
        blocks = transcode.mixed_sound(*decoded) if len(decoded) > 1 else decoded[0]
        return [transcode.encode_sound(output, self._format.audio, blocks)]

    def _pictures(self, output: Any) -> list[Packets]:
        sides = list(self._video.values())
        if len(sides) == 1 or self._keeps_sides:
            return [self._one_side(output, streams) for streams in sides]
        if not sides:
            return []
        left, right = ([one.number for one in streams] for streams in sides)
        sizes = [_largest(streams) for streams in sides]
        height = max(size[1] for size in sizes) & ~1
        width = sum(max(2, round(size[0] * height / size[1]) & ~1) for size in sizes)
        pictures = transcode.side_by_side(self._part, left, right, sizes)
        encoder = _ENCODERS[self._format.video[0]]
        return [transcode.encode_pictures(output, encoder, (width, height), pictures, self._end_s)]

    def _one_side(self, output: Any, streams: list[StreamFacts]) -> Packets:
        if len(streams) == 1 and streams[0].codec in self._format.video:
            return self._copied_pictures(output, streams[0])
        width, height = _largest(streams)
        size = (width & ~1, height & ~1)
        pictures = transcode.one_picture(self._part, [one.number for one in streams], size)
        encoder = _ENCODERS[self._format.video[0]]
        return transcode.encode_pictures(output, encoder, size, pictures, self._end_s)

    @property
    def _keeps_sides(self) -> bool:
        return self._format.container == "matroska"

    def _stream(self, output: Any, one: StreamFacts) -> Any:
        if one.codec == "vp8" and self._format.container == "mp4":
            self._relabel = True
            width, height = one.largest
            return output.add_mux_stream(vp8_mp4.STAND_IN, width=width, height=height)
        with open_part(self._part) as container:
            stream = output.add_stream_from_template(container.streams[one.number], opaque=True)
        sides = self._audio | self._video
        if self._keeps_sides and (len(sides) > 1 or not sides.keys() & {"remote", "local"}):
            what = "sound" if one.kind == "audio" else "picture"
            stream.metadata["title"] = f"{one.side} {what}"
        return stream

    def _copied_sound(self, output: Any, one: StreamFacts) -> Packets:
        stream = self._stream(output, one)
        return self._timed_sound(stream, one)

    def _timed_sound(self, stream: Any, one: StreamFacts) -> Packets:
        for data, at, samples in sound_packets(self._part, one.number):
            packet: Any = av.Packet(data)
            packet.time_base = Fraction(1, RATE_HZ)
            packet.pts = packet.dts = at
            packet.duration = samples
            packet.is_keyframe = True
            packet.stream = stream
            yield at / RATE_HZ, packet

    def _copied_pictures(self, output: Any, one: StreamFacts) -> Packets:
        stream = self._stream(output, one)
        stream.time_base = Fraction(1, _VIDEO_RATE_HZ)
        if one.codec == "h264" and one.varies and self._format.container == "mp4":
            # The sample entry for parameter sets that change with the pictures.
            stream.codec_context.codec_tag = "avc3"
        return self._timed_pictures(stream, one)

    def _timed_pictures(self, stream: Any, one: StreamFacts) -> Packets:
        strip = one.codec == "h264" and not one.varies
        for picture in picture_packets(self._part, one.number, self._end_s):
            data = picture.data
            if strip and picture.is_keyframe:
                data = avc.prefixed(avc.without_parameter_sets(avc.prefixed_units(data)))
            packet: Any = av.Packet(data)
            packet.time_base = Fraction(1, _VIDEO_RATE_HZ)
            packet.pts = packet.dts = round(picture.time_s * _VIDEO_RATE_HZ)
            packet.duration = max(1, round(picture.length_s * _VIDEO_RATE_HZ))
            packet.is_keyframe = picture.is_keyframe
            packet.stream = stream
            yield picture.time_s, packet


def _by_side(streams: list[StreamFacts], kind: str) -> dict[Side, list[StreamFacts]]:
    """The streams of each side that has one, the far end first; in a group of each person."""
    first: tuple[Side, ...] = ("remote", "local")
    others = dict.fromkeys(one.side for one in streams if one.side not in first)
    sides: tuple[Side, ...] = (*first, *others)
    found = {
        side: [one for one in streams if one.kind == kind and one.side == side] for side in sides
    }
    return {side: of_side for side, of_side in found.items() if of_side}


def _largest(streams: list[StreamFacts]) -> tuple[int, int]:
    return max((one.largest for one in streams), key=lambda size: size[0] * size[1])
