"""Encoded frames as a call brings them, made by FFmpeg's encoders: with times, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np

from xnb.media.encoded import EncodedFrame
from xnb.media.opus_packets import PRE_SKIP_SAMPLES
from xnb.media.testcard import CardPainter

Timed = tuple[float, EncodedFrame]
VGA, SMALL = (640, 480), (320, 240)

_OPTIONS = {
    "vp8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"},
    "h264": {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "x264-params": "repeat-headers=1:annexb=1",
    },
}
_ENCODERS = {"vp8": "libvpx", "h264": "libx264"}


@cache
def card(size: tuple[int, int]) -> CardPainter:
    """A painter of numbered pictures at 30 a second."""
    return CardPainter(*size, 30)


def encode_pictures(
    codec: str, frames: Iterable[av.VideoFrame], size: tuple[int, int], *, gop: int = 60
) -> Iterator[tuple[bytes, bool]]:
    """Encode frames as a call does: constrained, without delay, headers on every keyframe."""
    context: Any = av.CodecContext.create(_ENCODERS[codec], "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.bit_rate, context.gop_size, context.max_b_frames = 1_000_000, gop, 0
    context.thread_count = 1
    context.options = _OPTIONS[codec]
    for number, frame in enumerate(frames):
        frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, 30), 0
        for packet in context.encode(frame):
            yield bytes(packet), packet.is_keyframe


def pictures(
    seconds: float,
    *,
    codec: str = "vp8",
    size: tuple[int, int] = SMALL,
    start_s: float = 0.0,
    first: int = 0,
    gop: int = 60,
    timestamp: int = 1_000_000,
) -> list[Timed]:
    """Numbered pictures at 30 a second, the first one a keyframe with the number ``first``."""
    count = round(seconds * 30)
    frames = (card(size).draw(number) for number in range(first, first + count))
    return [
        (
            start_s + number / 30,
            EncodedFrame("video", codec, data, timestamp + 3000 * number, is_keyframe),
        )
        for number, (data, is_keyframe) in enumerate(encode_pictures(codec, frames, size, gop=gop))
    ]


def sound(
    samples: Any, *, start_s: float = 0.0, timestamp: int = 77_777, bitrate_bps: int = 64_000
) -> list[Timed]:
    """Samples (n,) or (n, 2) at 48 kHz as Opus packets of 20 ms, labelled with capture times."""
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.bit_rate = bitrate_bps
    array = np.asarray(samples)
    array = np.stack((array, array), axis=1) if array.ndim == 1 else array
    pieces = np.rint(array * 32767).astype(np.int16)
    timed: list[Timed] = []
    for start in range(0, len(pieces) // 960 * 960, 960):
        piece = np.ascontiguousarray(pieces[start : start + 960]).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        for packet in context.encode(frame):
            # The encoder counts from what it looks ahead; a sender counts what it captured.
            at = packet.pts + PRE_SKIP_SAMPLES
            one = EncodedFrame("audio", "opus", bytes(packet), timestamp + at, True)
            timed.append((start_s + at / 48000, one))
    return timed
