"""Feedback packets to send: reports, requests, limits (RFC 3550 section 6, RFC 4585)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900 to 1970."""
CNAME_ITEM = 1
_GENERIC_NACK = 1
_TRANSPORT_FEEDBACK = 205


def nack(sender_ssrc: int, media_ssrc: int, numbers: Sequence[int]) -> bytes:
    """A generic NACK (RFC 4585 section 6.2.1).

    Args:
        sender_ssrc: Ours.
        media_ssrc: Of the stream that has holes.
        numbers: Missing sequence numbers, 0 to 65535, in any order.
    """
    fields: list[tuple[int, int]] = []
    for number in numbers:
        if fields and 1 <= (after := (number - fields[-1][0]) & 0xFFFF) <= 16:
            first, mask = fields[-1]
            fields[-1] = first, mask | 1 << (after - 1)
        else:
            fields.append((number & 0xFFFF, 0))
    body = b"".join(struct.pack("!HH", *field) for field in fields)
    head = struct.pack(
        "!BBHLL",
        0x80 | _GENERIC_NACK,
        _TRANSPORT_FEEDBACK,
        2 + len(fields),
        sender_ssrc,
        media_ssrc,
    )
    return head + body


def picture_loss(sender_ssrc: int, media_ssrc: int) -> bytes:
    """A picture loss indication: please send a keyframe (RFC 4585 section 6.3.1)."""
    return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=sender_ssrc, media_ssrc=media_ssrc))


def bitrate_limit(sender_ssrc: int, bitrate_bps: int, ssrcs: Sequence[int]) -> bytes:
    """The most that may be sent in all streams ``ssrcs`` together (REMB)."""
    fci = pack_remb_fci(bitrate_bps, list(ssrcs))
    return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=sender_ssrc, media_ssrc=0, fci=fci))


def sender_report(
    ssrc: int,
    *,
    ntp_s: float,
    rtp_timestamp: int,
    packets: int,
    octets: int,
    reports: Sequence[RtcpReceiverInfo] = (),
) -> bytes:
    """A sender report (RFC 3550 section 6.4.1).

    Args:
        ssrc: Of the stream.
        ntp_s: Now, in seconds since 1900.
        rtp_timestamp: What the stream's clock shows now.
        packets: Sent so far.
        octets: Of payload sent so far.
        reports: On streams received, at most 31.
    """
    info = RtcpSenderInfo(
        ntp_timestamp=int(ntp_s * 2**32),
        rtp_timestamp=rtp_timestamp & 0xFFFFFFFF,
        packet_count=packets & 0xFFFFFFFF,
        octet_count=octets & 0xFFFFFFFF,
    )
    return bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=list(reports)))


def receiver_report(ssrc: int, reports: Sequence[RtcpReceiverInfo]) -> bytes:
    """A receiver report (RFC 3550 section 6.4.2)."""
    return bytes(RtcpRrPacket(ssrc=ssrc, reports=list(reports)))


def description(ssrc: int, cname: str) -> bytes:
    """Which streams come from one clock: those with one CNAME (RFC 3550 section 6.5.1)."""
    item = (CNAME_ITEM, cname.encode())
    return bytes(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=ssrc, items=[item])]))


def bye(ssrcs: Sequence[int]) -> bytes:
    """Good-bye of some streams (RFC 3550 section 6.6)."""
    return bytes(RtcpByePacket(sources=list(ssrcs)))
