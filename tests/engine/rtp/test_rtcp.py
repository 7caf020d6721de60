"""Feedback packets, read back by aiortc's parser."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpPacket, unpack_remb_fci
from hypothesis import given
from hypothesis import strategies as st

from xnb.engine.rtp import rtcp


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=60, unique=True))
def test_nacks_name_just_what_is_missing(numbers):
    (packet,) = RtcpPacket.parse(rtcp.nack(1, 2, numbers))
    assert (packet.ssrc, packet.media_ssrc) == (1, 2)
    assert {number & 0xFFFF for number in packet.lost} == set(numbers)


def test_a_nack_over_the_wrap_takes_one_field():
    data = rtcp.nack(1, 2, [65534, 65535, 0, 1])
    assert len(data) == 16
    (packet,) = RtcpPacket.parse(data)
    assert [number & 0xFFFF for number in packet.lost] == [65534, 65535, 0, 1]


def test_requests_limits_and_reports():
    (pli,) = RtcpPacket.parse(rtcp.picture_loss(1, 2))
    assert (pli.fmt, pli.ssrc, pli.media_ssrc) == (1, 1, 2)
    (remb,) = RtcpPacket.parse(rtcp.bitrate_limit(1, 750_000, [5, 6]))
    bitrate_bps, ssrcs = unpack_remb_fci(remb.fci)
    assert bitrate_bps == pytest.approx(750_000, rel=0.001)
    assert ssrcs == [5, 6]
    report = rtcp.sender_report(9, ntp_s=100.5, rtp_timestamp=2**32 + 7, packets=3, octets=4)
    sender, described = RtcpPacket.parse(report + rtcp.description(9, "me"))
    assert sender.sender_info.ntp_timestamp == int(100.5 * 2**32)
    assert (sender.sender_info.rtp_timestamp, sender.sender_info.packet_count) == (7, 3)
    assert described.chunks[0].items == [(1, b"me")]
    (bye,) = RtcpPacket.parse(rtcp.bye([1, 2]))
    assert bye.sources == [1, 2]
