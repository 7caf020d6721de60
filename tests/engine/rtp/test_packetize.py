"""Payloads as the RFCs say, understood by aiortc's own depayloader."""

from __future__ import annotations

import random

import pytest
from aiortc.codecs import CODECS, depayload

from xnb.engine.rtp.packetize import MAX_PAYLOAD_BYTES, Packetizer, nal_units
from xnb.errors import MediaError


def codec_named(name: str):
    return next(c for c in CODECS["video"] if c.mimeType.lower() == f"video/{name}")


def nal(kind: int, size: int, importance: int = 3) -> bytes:
    """A NAL unit of ``size`` bytes without zeros, so without start codes."""
    body = random.Random(kind * 100_000 + size).choices(range(1, 256), k=size - 1)
    return bytes([importance << 5 | kind, *body])


def annex_b(*units: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + unit for unit in units)


@pytest.mark.parametrize("size", [1, 10, 1195, 1196, 1197, 2392, 2393, 50_000])
def test_vp8_frame_survives_aiortc_depayloader(size):
    data = random.Random(size).randbytes(size)
    payloads = Packetizer("vp8").split(data)
    assert b"".join(depayload(codec_named("vp8"), p) for p in payloads) == data
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES
    assert len(payloads) == -(-size // 1196)
    assert max(map(len, payloads)) - min(map(len, payloads)) <= 1


def test_vp8_descriptor_marks_the_first_packet_and_counts_pictures():
    packetizer = Packetizer("vp8")
    packetizer._picture_id = 0x7FFF
    last, first = packetizer.split(b"x" * 3000), packetizer.split(b"y" * 3000)
    assert [p[:4] for p in last] == [b"\x90\x80\xff\xff", b"\x80\x80\xff\xff", b"\x80\x80\xff\xff"]
    assert [p[:4] for p in first] == [b"\x90\x80\x80\x00", b"\x80\x80\x80\x00", b"\x80\x80\x80\x00"]


@pytest.mark.parametrize(
    "units",
    [
        [nal(7, 20), nal(8, 6), nal(5, 30_000)],
        [nal(7, 20), nal(8, 6), nal(5, 900), nal(5, 900)],
        [nal(1, 40)],
        [nal(1, 1200)],
        [nal(1, 1201)],
        [nal(1, 2398)],
        [nal(9, 2), nal(6, 30), nal(1, 5000), nal(1, 20), nal(1, 20)],
    ],
)
def test_h264_frame_survives_aiortc_depayloader(units):
    payloads = Packetizer("h264").split(annex_b(*units))
    back = b"".join(depayload(codec_named("h264"), p) for p in payloads)
    assert back == annex_b(*units)
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES


def test_h264_kinds_of_payload():
    parameters = [nal(7, 20), nal(8, 6, importance=1)]
    payloads = Packetizer("h264").split(annex_b(*parameters, nal(5, 2000)))
    assert payloads[0][0] == 3 << 5 | 24
    assert [p[0] & 0x1F for p in payloads[1:]] == [28, 28]
    assert [p[1] for p in payloads[1:]] == [0x80 | 5, 0x40 | 5]
    assert Packetizer("h264").split(annex_b(nal(1, 40))) == [nal(1, 40)]


def test_h264_start_codes_of_three_bytes_and_padding_zeros():
    a, b = nal(7, 20), nal(5, 40)
    data = b"\0\0\0\1" + a + b"\0\0\0\0\1" + b + b"\0\0"
    assert list(nal_units(data)) == [a, b]


def test_opus_and_empty_frames():
    assert Packetizer("opus").split(b"abc") == [b"abc"]
    assert [Packetizer(c).split(b"") for c in ("vp8", "h264", "opus")] == [[], [], []]


def test_what_cannot_be_packed_says_so():
    with pytest.raises(MediaError, match="h264_mp4toannexb"):
        Packetizer("h264").split(b"\0\0\0\x05hello")
    with pytest.raises(MediaError, match="vp9"):
        Packetizer("vp9")
