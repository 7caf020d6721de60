"""Headers, extensions and counters that wrap, against aiortc's own parser and by fuzzing."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.rtp import RtpPacket as TheirPacket
from hypothesis import given
from hypothesis import strategies as st

from xnb.engine.rtp.packets import (
    ABS_SEND_TIME_URI,
    AUDIO_LEVEL_URI,
    MID_URI,
    ExtensionIds,
    Unwrapper,
    abs_send_time,
    extension_block,
    parse_rtp,
    rtp_header,
)


@pytest.fixture
def ids() -> ExtensionIds:
    ids = ExtensionIds()
    ids.learn({MID_URI: 1, AUDIO_LEVEL_URI: 2})
    ids.learn({MID_URI: 1, ABS_SEND_TIME_URI: 3})
    return ids


def built(ids: ExtensionIds, payload: bytes, **more) -> bytes:
    block, at = extension_block(ids, "0", **more)
    packet = (
        rtp_header(
            payload_type=97,
            marker=True,
            sequence_number=65535,
            timestamp=2**32 - 5,
            ssrc=0xDEADBEEF,
            extended=bool(block),
        )
        + block
        + payload
    )
    at += 12
    return packet[:at] + abs_send_time(70.5) + packet[at + 3 :]


def test_what_is_built_is_what_is_parsed(ids):
    data = built(ids, b"hello", audio_level=30)
    packet = parse_rtp(data, 1.5, ids)
    assert (packet.payload_type, packet.marker, packet.sequence_number) == (97, True, 65535)
    assert (packet.timestamp, packet.ssrc, packet.payload) == (2**32 - 5, 0xDEADBEEF, b"hello")
    assert (packet.mid, packet.audio_level, packet.arrival_s) == ("0", 30, 1.5)
    assert packet.abs_send_time == int((70.5 - 64) * 2**18)
    assert packet.size_bytes == len(data)


def test_aiortc_reads_it_the_same_way(ids):
    theirs = TheirPacket.parse(built(ids, b"hello"))
    assert (theirs.payload_type, theirs.marker, theirs.sequence_number) == (97, 1, 65535)
    assert (theirs.timestamp, theirs.ssrc, theirs.payload) == (2**32 - 5, 0xDEADBEEF, b"hello")


def test_padding_and_contributing_sources_are_not_payload(ids):
    data = bytearray(built(ids, b"abc")) + b"\0\0\3"
    data[0] |= 0x20
    assert parse_rtp(bytes(data), 0, ids).payload == b"abc"
    plain = rtp_header(
        payload_type=0, marker=False, sequence_number=1, timestamp=2, ssrc=3, extended=False
    )
    with_sources = bytes([plain[0] | 2]) + plain[1:] + b"\0" * 8 + b"xyz"
    assert parse_rtp(with_sources, 0, ids).payload == b"xyz"


def test_two_byte_extensions(ids):
    head = rtp_header(
        payload_type=0, marker=False, sequence_number=1, timestamp=2, ssrc=3, extended=True
    )
    items = bytes([3, 3]) + b"\1\2\3" + bytes([1, 2]) + b"v1"
    items += bytes(-len(items) % 4)
    block = b"\x10\x00" + (len(items) // 4).to_bytes(2, "big") + items
    packet = parse_rtp(head + block + b"p", 0, ids)
    assert (packet.abs_send_time, packet.mid, packet.payload) == (0x010203, "v1", b"p")


@given(st.binary(max_size=80))
def test_garbage_is_a_value_error_or_a_packet(data):
    ids = ExtensionIds()
    ids.learn({MID_URI: 1, AUDIO_LEVEL_URI: 2, ABS_SEND_TIME_URI: 3})
    with contextlib.suppress(ValueError):
        assert len(parse_rtp(data, 0, ids).payload) <= len(data)


@given(st.integers(0, 65535), st.lists(st.integers(-1000, 1000), max_size=200))
def test_a_counter_that_wraps_is_followed_in_both_directions(start, steps):
    unwrap, true = Unwrapper(16), start
    unwrap(start)
    highest = start
    for step in steps:
        # Steps are from the newest value, as packets arrive.
        true = highest + step
        highest = max(highest, true)
        assert unwrap(true & 0xFFFF) == true
