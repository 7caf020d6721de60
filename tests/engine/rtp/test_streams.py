"""Streams without a network: numbering, retransmission, routing, reports, limits."""

from __future__ import annotations

import asyncio
import random
import time

import pytest
from aiortc.rtp import RtcpPacket, unpack_remb_fci

from xnb.engine.rtp import rtcp
from xnb.engine.rtp.bandwidth import SendRate
from xnb.engine.rtp.inbound import InboundStream
from xnb.engine.rtp.outbound import Codec, OutboundStream
from xnb.engine.rtp.packets import (
    ABS_SEND_TIME_URI,
    AUDIO_LEVEL_URI,
    MID_URI,
    RtpPacket,
    parse_rtp,
)
from xnb.engine.rtp.wire import Wire

VP8, RTX, OPUS = 97, 98, 96


class Path:
    """What leaves, and a way in."""

    def __init__(self) -> None:
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.closed = False

    def open(self, on_rtp, on_rtcp) -> None:
        self.in_rtp, self.in_rtcp = on_rtp, on_rtcp

    def send_rtp(self, packet: bytes) -> None:
        self.rtp.append(packet)

    def send_rtcp(self, packet: bytes) -> None:
        self.rtcp.append(packet)

    def close(self) -> None:
        self.closed = True

    def feedback(self, kind: str) -> list:
        packets = [one for data in self.rtcp for one in RtcpPacket.parse(data)]
        return [one for one in packets if type(one).__name__ == kind]


class End:
    """One end of a connection: a wire, a sending and a receiving video stream."""

    def __init__(self, *, rtx: bool = True, nack: bool = True) -> None:
        self.path = Path()
        self.wire = Wire()
        self.wire.ids.learn({MID_URI: 1, AUDIO_LEVEL_URI: 2, ABS_SEND_TIME_URI: 3})
        self.out = OutboundStream("video", 111, 112, SendRate(1_000_000, 2_000_000))
        self.inbound = InboundStream("video", self.wire, 111)
        self.got: list[RtpPacket] = []
        self.inbound.listen(self.got.append)
        self.wire.outbound.append(self.out)
        self.wire.inbound.append(self.inbound)
        self.wire.open(self.path)
        self.out.open(self.wire, Codec("vp8", VP8, RTX if rtx else None), "v", "me", self.wire.ids)
        self.inbound.configure(
            "v", {VP8: ("vp8", 90_000)}, {RTX: VP8}, ssrc=None, rtx_ssrc=None, nack=nack
        )

    def parsed(self) -> list[RtpPacket]:
        return [parse_rtp(data, 0, self.wire.ids) for data in self.path.rtp]

    def arrive(self, data: bytes) -> None:
        self.path.in_rtp(data, time.monotonic())


@pytest.fixture
async def end():
    made = []

    def make(**settings) -> End:
        made.append(End(**settings))
        return made[-1]

    yield make
    for one in made:
        one.wire.close()


async def test_a_frame_becomes_packets_in_a_row_with_one_time(end):
    a = end()
    a.out.send_frame([b"one", b"two", b"three"], 900)
    a.out.send_frame([b"four"], 3900)
    first, second, third, fourth = a.parsed()
    numbers = [one.sequence_number for one in (first, second, third, fourth)]
    assert [(number - numbers[0]) & 0xFFFF for number in numbers] == [0, 1, 2, 3]
    assert first.timestamp == second.timestamp == third.timestamp
    assert (fourth.timestamp - first.timestamp) & 0xFFFFFFFF == 3000
    assert [one.marker for one in (first, second, third, fourth)] == [False, False, True, True]
    assert {one.mid for one in a.parsed()} == {"v"}
    assert {one.payload_type for one in a.parsed()} == {VP8}
    assert all(one.abs_send_time for one in a.parsed())


@pytest.mark.parametrize("rtx", [True, False])
async def test_what_was_lost_is_sent_again_and_arrives_once(end, rtx):
    a, b = end(rtx=rtx), end()
    a.out.send_frame([bytes([n]) * 50 for n in range(10)], 0)
    lost = a.path.rtp[4]
    for data in a.path.rtp[:4] + a.path.rtp[5:]:
        b.arrive(data)
    await asyncio.sleep(0.05)
    nacks = b.path.feedback("RtcpRtpfbPacket")
    missing = parse_rtp(lost, 0, a.wire.ids).sequence_number
    assert nacks
    assert nacks[0].lost == [missing]
    a.path.rtp.clear()
    a.path.in_rtcp(rtcp.nack(5, 111, [missing]))
    a.path.in_rtcp(rtcp.nack(5, 111, [missing]))
    (again,) = a.path.rtp
    assert a.out.retransmitted == 1
    assert parse_rtp(again, 0, a.wire.ids).payload_type == (RTX if rtx else VP8)
    b.arrive(again)
    b.arrive(again)
    assert b.got[-1].sequence_number == missing
    assert b.got[-1].payload == b"\4" * 50
    assert b.got[-1].is_retransmission
    assert not b.got[0].is_retransmission
    assert len(b.got) == 10
    assert b.inbound.duplicates == 1
    assert b.inbound.nack.missing == 0


async def test_a_packet_that_is_not_kept_any_more_is_not_sent_again(end):
    a = end()
    a.path.in_rtcp(rtcp.nack(5, 111, [12345]))
    assert a.path.rtp == []


async def test_streams_are_told_apart_by_ssrc_mid_or_payload_type(end):
    a, b = end(), end()
    audio = InboundStream("audio", b.wire, 113)
    audio.configure("a", {OPUS: ("opus", 48_000)}, {}, ssrc=77, rtx_ssrc=None, nack=False)
    b.wire.inbound.append(audio)
    second = InboundStream("video", b.wire, 114)
    second.configure("w", {VP8: ("vp8", 90_000)}, {}, ssrc=None, rtx_ssrc=None, nack=False)
    b.wire.inbound.append(second)
    a.out.send_frame([b"x"], 0)
    b.arrive(a.path.rtp[0])
    assert len(b.got) == 1
    assert second.received == 0
    nobody = bytearray(a.path.rtp[0])
    nobody[1] = 50
    nobody[8:12] = b"\0\0\0\1"
    b.arrive(bytes(nobody))
    assert b.wire.unrouted == 1
    b.arrive(b"\x80\x00garbage")
    assert b.wire.garbled == 1


async def test_a_new_sender_in_the_same_line_is_taken_up(end):
    a, b = end(), end()
    for n in range(3):
        a.out.send_frame([bytes([n])], n * 3000)
    for data in a.path.rtp:
        b.arrive(data)
    other = end()
    other.out.ssrc = 999
    for n in range(3):
        other.out.send_frame([bytes([n])], n * 3000)
    for data in other.path.rtp:
        b.arrive(data)
    assert b.inbound.ssrc == 999
    assert len(b.got) == 6
    assert b.inbound.statistics.packets_received == 3


async def test_probes_of_the_network_reach_nobody(end):
    a, b = end(), end()
    a.out.send_frame([b"x"], 0)
    b.arrive(a.path.rtp[0])
    probe = bytearray(a.path.rtp[0][:-1])
    probe[1] = RTX
    b.arrive(bytes(probe))
    assert len(b.got) == 1


async def test_reports_tell_round_trip_and_loss(end):
    a, b = end(), end()
    told = []
    a.out.on_loss = told.append
    chance = random.Random(3)
    for n in range(100):
        a.out.send_frame([bytes([n])], n * 3000)
    lost = 0
    for data in a.path.rtp:
        if chance.random() < 0.2:
            lost += 1
        else:
            b.arrive(data)
    a.wire._report()
    for data in a.path.rtcp:
        b.path.in_rtcp(data)
    b.out.send_frame([b"back"], 0)
    await asyncio.sleep(0.05)
    b.path.rtcp.clear()
    b.wire._report()
    for data in b.path.rtcp:
        a.path.in_rtcp(data)
    assert told == [pytest.approx(lost / 100, abs=0.02)]
    assert a.wire.rtt_s == pytest.approx(0.0, abs=0.02)


async def test_the_sender_report_shows_the_streams_own_clock(end):
    a = end()
    a.out.send_frame([b"x"], 0)
    now_s = time.monotonic()
    a.wire._report()
    (report,) = a.path.feedback("RtcpSrPacket")
    off = (report.sender_info.rtp_timestamp - a.out.ticks_at(now_s)) & 0xFFFFFFFF
    assert min(off, 2**32 - off) < 90
    assert report.sender_info.packet_count == 1
    assert report.sender_info.ntp_timestamp / 2**32 - rtcp.NTP_EPOCH_S == pytest.approx(
        time.time(), abs=0.5
    )


async def test_limits_are_told_and_obeyed(end):
    a, b = end(), end()
    a.out.send_frame([b"x"], 0)
    b.arrive(a.path.rtp[0])
    b.inbound.limit(300_000)
    (told,) = b.path.feedback("RtcpPsfbPacket")
    assert unpack_remb_fci(told.fci)[0] == pytest.approx(300_000, rel=0.01)
    heard = []
    a.out.on_limit = heard.append
    for data in b.path.rtcp:
        a.path.in_rtcp(data)
    assert heard == [pytest.approx(300_000, rel=0.01)]
    assert a.out.rate.target_bps <= 300_000


async def test_keyframe_requests_of_both_kinds(end):
    a = end()
    asked = []
    a.out.on_keyframe_request = lambda: asked.append(1)
    a.path.in_rtcp(rtcp.picture_loss(5, 111))
    full = b"\x84\xce\x00\x04" + (5).to_bytes(4, "big") + bytes(4)
    a.path.in_rtcp(full + (111).to_bytes(4, "big") + b"\1\0\0\0")
    a.path.in_rtcp(rtcp.picture_loss(5, 4242))
    assert asked == [1, 1]


async def test_garbled_feedback_is_counted_and_forgotten(end):
    a = end()
    chance = random.Random(5)
    for _ in range(200):
        a.path.in_rtcp(bytes([0x81, 201]) + chance.randbytes(chance.randrange(40)))
    assert a.wire.garbled > 0


async def test_closing_says_good_bye_and_leaves_no_timer(end):
    a = end()
    a.out.send_frame([b"x"], 0)
    a.wire.close()
    assert a.path.feedback("RtcpByePacket")[0].sources == [111]
    assert a.path.closed
    a.out.send_frame([b"y"], 3000)
    assert len(a.path.rtp) == 1


async def test_what_waited_for_a_blocked_loop_is_stale_until_it_is_drained(end):
    stream = end().inbound
    assert not stream.is_catching_up
    assert not stream.is_stale(captured_s=0.0, now_s=60.0), "late, but the loop was not blocked"
    stream.blocked(100.0)
    assert stream.is_catching_up
    # Four times as fast as it was sent, for 15 seconds.
    for step in range(150):
        now_s = 100 + step / 10
        assert stream.is_stale(captured_s=55 + 3 * step / 10, now_s=now_s), step
    assert not stream.is_stale(captured_s=115.0, now_s=115.1)
    assert stream.is_stale(captured_s=110.0, now_s=115.2)
    assert not stream.is_stale(captured_s=110.0, now_s=118.0)
    assert not stream.is_catching_up


async def test_a_sender_whose_clock_stood_still_is_not_stale_for_long(end):
    stream = end().inbound
    stream.blocked(100.0)
    found = [stream.is_stale(captured_s=60 + at_s, now_s=100 + at_s) for at_s in range(10)]
    assert found[:2] == [True, True]
    assert not any(found[2:])


async def test_a_blocked_loop_is_noticed_with_the_first_packet(end):
    a, b = end(), end()
    await asyncio.sleep(0.01)
    time.sleep(1.0)
    a.out.send_frame([b"one"], 0)
    b.arrive(a.path.rtp[0])
    assert b.inbound.is_catching_up
    assert not end().inbound.is_catching_up
