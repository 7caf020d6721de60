"""What a recording needs decoded or encoded again once it is over: mixes, and other codecs."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .frames import convert, from_av_audio, plane_array, to_int16, to_yuv420p
from .part_reader import RATE_HZ, decoded_pictures, sound_packets

Samples = NDArray[np.int16]
Pictures = Iterator[tuple[float, av.VideoFrame]]
Size = tuple[int, int]

BLOCK = 960
MILLISECONDS = Fraction(1, 1000)
FPS = 30

_VIDEO_OPTIONS = {
    "libx264": {"preset": "veryfast", "tune": "zerolatency", "crf": "23"},
    "libvpx": {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "auto-alt-ref": "0"},
}
_BITS_A_PIXEL = 0.15
# Less than a picture at 30 a second lasts, more than half of it.
_TOGETHER_S = 0.02
_BLACK = (16, 128, 128)


def decoded_sound(path: Path, index: int) -> Iterator[Samples]:
    """The sound of one stream as (960, 2) blocks from the recording's beginning on.

    libopus conceals what was lost.
    """
    decoder: Any = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = RATE_HZ, "stereo"
    rest: Samples = np.empty((0, 2), np.int16)
    unheard: int | None = None
    for packet in sound_packets(path, index):
        try:
            frames = decoder.decode(av.Packet(packet.data))
        except av.FFmpegError:
            frames = []
        piece: Samples = np.zeros((packet.samples, 2), np.int16)
        at = 0
        for frame in frames:
            samples = to_int16(from_av_audio(frame))[: packet.samples - at]
            piece[at : at + len(samples)] = samples
            at += len(samples)
        if unheard is None:
            unheard = max(0, -packet.at)
            for _ in range(max(0, packet.at) // BLOCK):
                yield np.zeros((BLOCK, 2), np.int16)
            rest = np.zeros((max(0, packet.at) % BLOCK, 2), np.int16)
        rest = np.concatenate((rest, piece[unheard:]))
        unheard = max(0, unheard - packet.samples)
        while len(rest) >= BLOCK:
            yield rest[:BLOCK]
            rest = rest[BLOCK:]
    if len(rest):
        yield rest


def mixed_sound(left: Iterator[Samples], right: Iterator[Samples]) -> Iterator[Samples]:
    """Two streams as one: the first one left, the second one right, each made mono."""
    nothing: Samples = np.empty((0, 2), np.int16)
    for one, other in zip_longest(left, right, fillvalue=nothing):
        block = np.zeros((max(len(one), len(other)), 2), np.int16)
        block[: len(one), 0] = one.mean(axis=1)
        block[: len(other), 1] = other.mean(axis=1)
        yield block


def encode_sound(output: Any, codec: str, blocks: Iterable[Samples]) -> Iterator[tuple[float, Any]]:
    """Encode blocks of sound into a new stream of ``output``; packets with their times."""
    stream = output.add_stream(codec, rate=RATE_HZ, layout="stereo")
    context = stream.codec_context
    planar = codec == "aac"
    context.format = "fltp" if planar else "s16"
    if codec != "pcm_s16le":
        stream.bit_rate = 128_000 if planar else 96_000
    context.time_base = Fraction(1, RATE_HZ)
    context.open()
    return _encoded_sound(stream, _of_length(blocks, context.frame_size or BLOCK), planar)


def _of_length(blocks: Iterable[Samples], length: int) -> Iterator[Samples]:
    rest: Samples = np.empty((0, 2), np.int16)
    for block in blocks:
        rest = np.concatenate((rest, block))
        while len(rest) >= length:
            yield rest[:length]
            rest = rest[length:]
    if len(rest):
        yield rest


def _encoded_sound(
    stream: Any, blocks: Iterable[Samples], planar: bool
) -> Iterator[tuple[float, Any]]:
    at = 0
    for block in blocks:
        if planar:
            array: Any = np.ascontiguousarray(block.T.astype(np.float32) / 32768)
        else:
            array = np.ascontiguousarray(block).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(
            array, format="fltp" if planar else "s16", layout="stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
        at += len(block)
        for packet in stream.encode(frame):
            yield at / RATE_HZ, packet
    for packet in stream.encode(None):
        yield at / RATE_HZ, packet


def one_picture(path: Path, indexes: list[int], size: Size) -> Pictures:
    """The pictures of one side, fitted into one size."""
    for time_s, frame in decoded_pictures(path, indexes):
        yield time_s, fitted(frame, size)


def side_by_side(path: Path, left: list[int], right: list[int], sizes: list[Size]) -> Pictures:
    """The pictures of two sides beside each other, as high as the higher one.

    A side is black before its first picture. Pictures within 20 ms are shown together, at the
    time of the last one.
    """
    height = max(size[1] for size in sizes) & ~1
    widths = [max(2, round(size[0] * height / size[1]) & ~1) for size in sizes]
    canvas = av.VideoFrame(sum(widths), height, "yuv420p")
    planes = [plane_array(canvas, index) for index in range(3)]
    for plane, value in zip(planes, _BLACK, strict=True):
        plane[:] = value
    streams = [_of_side(path, indexes, which) for which, indexes in enumerate((left, right))]
    begun_s: float | None = None
    last_s = 0.0
    for time_s, which, frame in heapq.merge(*streams, key=lambda one: one[0]):
        if begun_s is not None and time_s - begun_s > _TOGETHER_S:
            yield last_s, _copy(canvas)
            begun_s = None
        pane = fitted(frame, (widths[which], height))
        for index, plane in enumerate(planes):
            begin = (widths[0] if which else 0) // (2 if index else 1)
            part = plane_array(pane, index)
            plane[:, begin : begin + part.shape[1]] = part
        begun_s, last_s = time_s if begun_s is None else begun_s, time_s
    if begun_s is not None:
        yield last_s, canvas


def _of_side(
    path: Path, indexes: list[int], which: int
) -> Iterator[tuple[float, int, av.VideoFrame]]:
    for time_s, frame in decoded_pictures(path, indexes):
        yield time_s, which, frame


def fitted(frame: av.VideoFrame, size: Size) -> av.VideoFrame:
    """A yuv420p frame of an even size that shows all of ``frame``, with black bars."""
    source = to_yuv420p(frame)
    if (source.width, source.height) == size:
        return source
    scale = min(size[0] / source.width, size[1] / source.height)
    width = max(2, min(size[0], round(source.width * scale)) & ~1)
    height = max(2, min(size[1], round(source.height * scale)) & ~1)
    scaled = convert(source, width=width, height=height)
    left, top = (size[0] - width) // 4 * 2, (size[1] - height) // 4 * 2
    canvas = av.VideoFrame(*size, "yuv420p")
    for index, value in enumerate(_BLACK):
        half = 2 if index else 1
        plane = plane_array(canvas, index)
        plane[:] = value
        rows = slice(top // half, (top + height) // half)
        columns = slice(left // half, (left + width) // half)
        plane[rows, columns] = plane_array(scaled, index)
    return canvas


def _copy(frame: av.VideoFrame) -> av.VideoFrame:
    copy = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for index in range(3):
        plane_array(copy, index)[:] = plane_array(frame, index)
    return copy


def encode_pictures(
    output: Any, codec: str, size: Size, pictures: Pictures, end_s: float
) -> Iterator[tuple[float, Any]]:
    """Encode pictures into a new stream of ``output``; the last one stands until ``end_s``."""
    stream = output.add_stream(codec, rate=FPS, options=dict(_VIDEO_OPTIONS[codec]))
    stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
    stream.codec_context.time_base = MILLISECONDS
    stream.codec_context.gop_size = 2 * FPS
    # Two threads of libvpx wait for each other in a busy loop.
    stream.codec_context.thread_count = 1 if codec == "libvpx" else 2
    if codec == "libvpx":
        stream.bit_rate = max(600_000, int(size[0] * size[1] * FPS * _BITS_A_PIXEL))
    return _encoded_pictures(stream, pictures, end_s)


def _encoded_pictures(stream: Any, pictures: Pictures, end_s: float) -> Iterator[tuple[float, Any]]:
    last_ms, held = -1, None
    for time_s, picture in pictures:
        last_ms = max(round(time_s * 1000), last_ms + 1)
        picture.pts, picture.time_base, picture.pict_type = last_ms, MILLISECONDS, 0
        for packet in stream.encode(picture):
            if held is not None:
                held.duration = packet.pts - held.pts
                yield float(held.pts * held.time_base), held
            held = packet
    for packet in stream.encode(None):
        if held is not None:
            held.duration = packet.pts - held.pts
            yield float(held.pts * held.time_base), held
        held = packet
    if held is not None:
        held.duration = max(1, round(end_s / held.time_base) - held.pts)
        yield float(held.pts * held.time_base), held
