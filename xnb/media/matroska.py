"""Writing Matroska as it comes, so that the file can be played at any moment (RFC 9559).

Unlike FFmpeg's writer, which needs to know every track before the first frame, this one keeps
some room before the media and adds tracks there as they appear.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

TICKS_A_SECOND = 10_000
"""Times in the file are tenths of a millisecond."""

_TICK_NS = 1_000_000_000 // TICKS_A_SECOND
ROOM_BYTES = 4096
"""Kept free for the list of tracks: room for about thirty."""
# Times of blocks are 16 bits, signed, from their cluster's.
_CLUSTER_TICKS = 20_000
_SEEK_PRE_ROLL_NS = 80_000_000

_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = (
    0x1A45DFA3,
    0x18538067,
    0x1549A966,
    0x1654AE6B,
    0x1F43B675,
)
_VOID, _TRACK_ENTRY, _TIMESTAMP, _SIMPLE_BLOCK = 0xEC, 0xAE, 0xE7, 0xA3
_UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of a file.

    Args:
        kind: ``"audio"`` or ``"video"``.
        codec_id: Matroska's name of the codec, e.g. ``V_VP8``.
        name: For people.
        private: What a decoder must know before the first frame.
        size: Width and height in pixels, of video.
        delay_samples: Samples at 48 kHz that a decoder makes and nobody hears, of sound.
    """

    kind: Literal["audio", "video"]
    codec_id: str
    name: str
    private: bytes = b""
    size: tuple[int, int] = (0, 0)
    delay_samples: int = 0


class Block(NamedTuple):
    """One frame: its track's number, time in seconds, whether it is a keyframe, its bytes."""

    track: int
    time_s: float
    is_keyframe: bool
    data: bytes


class MatroskaWriter:
    """A file that is complete up to the last :meth:`write`, whatever happens to the process.

    Args:
        path: Where to write. What is there is replaced.
        title: For people.
        room_bytes: Kept free for the list of tracks, about 130 for each.

    Raises:
        OSError: It cannot be written; every method may raise it.
    """

    def __init__(self, path: Path, title: str, room_bytes: int = ROOM_BYTES) -> None:
        self._file = path.open("wb")
        self._tracks: list[Track] = []
        self._room_bytes = room_bytes
        head = _master(
            _EBML,
            _uint(0x4286, 1),
            _uint(0x42F7, 1),
            _uint(0x42F2, 4),
            _uint(0x42F3, 8),
            _text(0x4282, "matroska"),
            _uint(0x4287, 4),
            _uint(0x4285, 2),
        )
        head += _SEGMENT.to_bytes(4, "big") + _UNKNOWN_SIZE
        head += _master(
            _INFO,
            _uint(0x2AD7B1, _TICK_NS),
            _text(0x7BA9, title),
            _text(0x4D80, "xnb"),
            _text(0x5741, "xnb"),
        )
        self._tracks_at = len(head)
        self._file.write(head + self._track_list())
        self._file.flush()

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def add_track(self, track: Track) -> int:
        """Announce a track, at any time; its number, for its blocks."""
        self._tracks.append(track)
        self._file.seek(self._tracks_at)
        self._file.write(self._track_list())
        self._file.seek(0, 2)
        self._file.flush()
        return len(self._tracks)

    def write(self, blocks: Sequence[Block]) -> None:
        """Write frames whose times rise, at once."""
        start = 0
        while start < len(blocks):
            begin = round(blocks[start].time_s * TICKS_A_SECOND)
            parts = [_uint(_TIMESTAMP, begin)]
            while start < len(blocks):
                block = blocks[start]
                offset = round(block.time_s * TICKS_A_SECOND) - begin
                if not 0 <= offset <= _CLUSTER_TICKS:
                    break
                flags = 0x80 if block.is_keyframe else 0
                place = struct.pack(">BhB", 0x80 | block.track, offset, flags)
                parts.append(_head(_SIMPLE_BLOCK, len(place) + len(block.data)))
                parts += (place, block.data)
                start += 1
            self._file.write(_master(_CLUSTER, *parts))
        self._file.flush()

    def close(self) -> None:
        """Close the file. May be called again."""
        self._file.close()

    def _track_list(self) -> bytes:
        entries = [_entry(number, track) for number, track in enumerate(self._tracks, start=1)]
        listed = _master(_TRACKS, *entries) if entries else b""
        room = self._room_bytes - len(listed)
        return (
            listed
            + _VOID.to_bytes(1, "big")
            + (room - 9 | 1 << 56).to_bytes(8, "big")
            + bytes(room - 9)
        )


def _entry(number: int, track: Track) -> bytes:
    parts = [
        _uint(0xD7, number),
        _uint(0x73C5, number),
        _uint(0x83, 1 if track.kind == "video" else 2),
        _uint(0x9C, 0),
        _text(0x536E, track.name),
        _text(0x22B59C, "und"),
        _text(0x86, track.codec_id),
    ]
    if track.private:
        parts.append(_binary(0x63A2, track.private))
    if track.kind == "video":
        parts.append(_master(0xE0, _uint(0xB0, track.size[0]), _uint(0xBA, track.size[1])))
    else:
        delay_ns = track.delay_samples * 1_000_000_000 // 48000
        parts += [_uint(0x56AA, delay_ns), _uint(0x56BB, _SEEK_PRE_ROLL_NS)]
        rate = _binary(0xB5, struct.pack(">d", 48000.0))
        parts.append(_master(0xE1, rate, _uint(0x9F, 2)))
    return _master(_TRACK_ENTRY, *parts)


def _head(identity: int, size: int) -> bytes:
    """An element's id and the size of what follows (RFC 8794 sections 4 and 5)."""
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    if size < 0x7F:
        return name + bytes([0x80 | size])
    return (
        name + (size | 1 << 28).to_bytes(4, "big")
        if size < 0xFFFFFFF
        else name + (size | 1 << 56).to_bytes(8, "big")
    )


def _binary(identity: int, data: bytes) -> bytes:
    return _head(identity, len(data)) + data


def _master(identity: int, *parts: bytes) -> bytes:
    return _binary(identity, b"".join(parts))


def _uint(identity: int, value: int) -> bytes:
    return _binary(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(identity: int, value: str) -> bytes:
    return _binary(identity, value.encode())
