"""How media travel as buffers of custom messages: several frames behind each other, no JSON.

Each frame has a header of 16 bytes, little endian: codec (1 byte), flags (1; bit 0 is a keyframe),
nothing (2), length of the data in bytes (4), time in milliseconds (8, a float).
js/legs/comm_wire.js reads and writes the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_HEADER = struct.Struct("<BBHId")
CODECS = ("opus", "vp8", "h264", "jpeg", "pcm")
"""``pcm`` is mono, signed 16 bit, 48 kHz."""
SOUND = frozenset({"opus", "pcm"})
MAX_FRAMES = 64
"""In one buffer; more is not read."""


class WireFrame(NamedTuple):
    """One frame on its way between kernel and page.

    Attributes:
        codec: One of :data:`CODECS`.
        is_keyframe: Whether it can be decoded without an earlier one.
        time_ms: When it was captured, on the sender's clock.
        data: The encoded frame.
    """

    codec: str
    is_keyframe: bool
    time_ms: float
    data: bytes


def pack(frames: Iterable[WireFrame]) -> bytes:
    """The frames as one buffer.

    Raises:
        ValueError: A codec that is none of :data:`CODECS`.
    """
    parts: list[bytes] = []
    for frame in frames:
        if frame.codec not in CODECS:
            raise ValueError(f"There is no codec {frame.codec!r} on the wire.")
        kind = CODECS.index(frame.codec)
        parts += (
            _HEADER.pack(kind, int(frame.is_keyframe), 0, len(frame.data), frame.time_ms),
            frame.data,
        )
    return b"".join(parts)


def unpack(buffer: bytes | memoryview) -> Iterator[WireFrame]:
    """The frames in a buffer, up to the first one that is cut off or of an unknown codec."""
    view = memoryview(buffer).cast("B")
    at = 0
    for _ in range(MAX_FRAMES):
        if at + _HEADER.size > len(view):
            return
        kind, flags, _nothing, length, time_ms = _HEADER.unpack_from(view, at)
        at += _HEADER.size
        if kind >= len(CODECS) or at + length > len(view):
            return
        yield WireFrame(CODECS[kind], bool(flags & 1), time_ms, bytes(view[at : at + length]))
        at += length
