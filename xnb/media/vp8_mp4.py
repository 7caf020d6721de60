"""VP8 in MP4, which FFmpeg reads and every browser but Safari plays, but FFmpeg does not write.

The file is written with the sample entry of another codec, and that is replaced in the finished
file; see the VP Codec ISO Media File Format Binding for ``vp08`` and ``vpcC``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

STAND_IN = "mpeg4"
"""The codec to declare to FFmpeg."""

_ENTRY, _CONFIG = b"mp4v", b"esds"
_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
# Profile 0, level unknown, 8 bits, 4:2:0, limited range, colours as BT.601.
_VPCC = b"\x01\0\0\0" + bytes([0, 10, 0x82, 6, 6, 6, 0, 0])


def relabel(path: Path) -> None:
    """Say in a finished file that its stand-in pictures are VP8."""
    with path.open("r+b") as file:
        start, size = _find_moov(file)
        file.seek(start)
        data = bytearray(file.read(size))
        for at, length in list(_boxes_at(data, _PATH, 0, size)):
            # A full box, and the count of entries; then one sample entry of 78 bytes and boxes.
            entry = at + 8
            if data[entry + 4 : entry + 8] != _ENTRY:
                continue
            data[entry + 4 : entry + 8] = b"vp08"
            inside = list(_boxes(data, entry + 8 + 78, at + length))
            head, body, room = next(one for one in inside if data[one[0] + 4 :][:4] == _CONFIG)
            box = (len(_VPCC) + 8).to_bytes(4, "big") + b"vpcC" + _VPCC
            left = body + room - head - len(box)
            free = left.to_bytes(4, "big") + b"free" + bytes(left - 8)
            data[head : body + room] = box + free
        file.seek(start)
        file.write(data)


def _find_moov(file: object) -> tuple[int, int]:
    at = 0
    while True:
        file.seek(at)  # type: ignore[attr-defined]
        head = file.read(16)  # type: ignore[attr-defined]
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:16], "big") if size == 1 else size
        if head[4:8] == b"moov":
            return at, size
        if size < 8:
            raise ValueError("the file has no moov box")
        at += size


def _boxes(data: bytearray, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Where each box begins, where its body begins and how long that is."""
    while start + 8 <= end:
        size = int.from_bytes(data[start : start + 4], "big")
        if size < 8:
            return
        yield start, start + 8, size - 8
        start += size


def _boxes_at(
    data: bytearray, path: tuple[bytes, ...], start: int, end: int
) -> Iterator[tuple[int, int]]:
    for head, body, length in _boxes(data, start, end):
        if data[head + 4 : head + 8] != path[0]:
            continue
        if len(path) == 1:
            yield body, length
        else:
            yield from _boxes_at(data, path[1:], body, body + length)
