"""All RTP of one peer connection: which packet belongs to which stream, and the reports."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Any, Protocol

from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

from . import rtcp
from .inbound import InboundStream
from .outbound import OutboundStream
from .packets import ExtensionIds, RtpPacket, parse_rtp

_log = logging.getLogger(__name__)

FIRST_REPORT_S = 0.1
REPORT_S = 1.0
BEAT_S = 0.05
"""How often the loop is looked after while pictures come."""
STALL_S = 0.02
"""A beat this late means the loop was busy."""
BLOCKED_S = 0.5
"""Anything that is this late means that it was blocked: what waited in the socket is stale."""


class MediaPath(Protocol):
    """Encrypted transport; see :class:`xnb.engine.adapter.MediaPath`."""

    def open(
        self, on_rtp: Callable[[bytes, float], None], on_rtcp: Callable[[bytes], None]
    ) -> None:
        """Give decrypted packets to these."""

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send."""

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send."""

    def close(self) -> None:
        """Hand nothing on any more."""


class Wire:
    """Routes packets to streams by SSRC, MID or payload type (RFC 9143 section 9.2).

    Attributes:
        rtt_s: Round-trip time from receiver reports (RFC 3550 section 6.4.1), smoothed.
        stalls: How often this machine's event loop was found busy while pictures came.
        unrouted: Packets that belong to no stream.
        on_report: Called with each report block about one of our streams, and its packet.
    """

    def __init__(self) -> None:
        self.rtt_s: float | None = None
        self.stalls = 0
        self.unrouted = 0
        self.garbled = 0
        self.bytes_received = 0
        self.ids = ExtensionIds()
        self.on_report: Callable[[OutboundStream, Any], object] | None = None
        self.inbound: list[InboundStream] = []
        self.outbound: list[OutboundStream] = []
        self._path: MediaPath | None = None
        self._by_ssrc: dict[int, InboundStream] = {}
        self._wall_s = time.time() - time.monotonic() + rtcp.NTP_EPOCH_S
        self._reported: dict[int, float] = {}
        self._report_timer: asyncio.TimerHandle | None = None
        self._report_due_s = 0.0
        self._beat_timer: asyncio.TimerHandle | None = None
        self._beat_due_s = 0.0
        self._last_video_s = 0.0

    def open(self, path: MediaPath) -> None:
        """Use ``path`` from now on. Does nothing the second time."""
        if self._path is None:
            self._path = path
            path.open(self._on_rtp, self._on_rtcp)
            self._report_in(FIRST_REPORT_S)

    @property
    def is_open(self) -> bool:
        """Whether packets flow."""
        return self._path is not None

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send; dropped before :meth:`open`."""
        if self._path:
            self._path.send_rtp(packet)

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send; dropped before :meth:`open`."""
        if self._path:
            self._path.send_rtcp(packet)

    # In

    def _on_rtp(self, data: bytes, arrival_s: float) -> None:
        try:
            packet = parse_rtp(data, arrival_s, self.ids)
        except ValueError:
            self.garbled += 1
            return
        self.bytes_received += len(data)
        if arrival_s - self._report_due_s > BLOCKED_S:
            self._blocked(arrival_s)
        stream = self._by_ssrc.get(packet.ssrc) or self._route(packet)
        if stream is None:
            self.unrouted += 1
            return
        if stream.kind == "video":
            self._last_video_s = arrival_s
            if self._beat_timer is None:
                self._beat()
            elif arrival_s - self._beat_due_s > STALL_S:
                self._stalled(arrival_s)
        stream.take(packet)

    def _route(self, packet: RtpPacket) -> InboundStream | None:
        fitting = [one for one in self.inbound if packet.payload_type in one.payload_types]
        for stream in fitting:
            if packet.ssrc in (stream.ssrc, stream.rtx_ssrc) or packet.mid == stream.mid:
                break
        else:
            if len(fitting) != 1:
                return None
            stream = fitting[0]
        self._by_ssrc[packet.ssrc] = stream
        return stream

    def _beat(self) -> None:
        now_s = time.monotonic()
        if self._beat_timer is not None and now_s - self._beat_due_s > STALL_S:
            self._stalled(now_s)
        if now_s - self._last_video_s > REPORT_S:
            self._beat_timer = None
            return
        self._beat_due_s = now_s + BEAT_S
        self._beat_timer = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    def _stalled(self, now_s: float) -> None:
        self.stalls += 1
        for stream in self.inbound:
            stream.stalled(self._beat_due_s - BEAT_S, now_s)
        if now_s - self._beat_due_s > BLOCKED_S:
            self._blocked(now_s)
        self._beat_due_s = now_s + BEAT_S

    def _blocked(self, now_s: float) -> None:
        """A blocking cell, or the machine slept. Noticed before or after the first packets."""
        self._report_due_s = now_s
        for stream in self.inbound:
            stream.blocked(now_s)

    def _on_rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            self.garbled += 1
            return
        for packet in packets:
            self._take_rtcp(packet)

    def _take_rtcp(self, packet: Any) -> None:
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            if isinstance(packet, RtcpSrPacket):
                info = packet.sender_info
                for source in self.inbound:
                    if source.ssrc == packet.ssrc:
                        source.sender_report(info.ntp_timestamp, info.rtp_timestamp)
            for report in packet.reports:
                self._take_report(report, packet)
        elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for stream in self._sending(packet.media_ssrc):
                stream.resend(packet.lost)
        elif isinstance(packet, RtcpPsfbPacket):
            self._take_picture_feedback(packet)

    def _sending(self, *ssrcs: int) -> list[OutboundStream]:
        return [stream for stream in self.outbound if stream.ssrc in ssrcs]

    def _take_report(self, report: RtcpReceiverInfo, packet: Any) -> None:
        for stream in self._sending(report.ssrc):
            sent_s = self._reported.get(report.lsr)
            if report.lsr and sent_s is not None:
                rtt_s = max(0.0, time.monotonic() - sent_s - report.dlsr / 65536)
                self.rtt_s = rtt_s if self.rtt_s is None else 0.7 * self.rtt_s + 0.3 * rtt_s
            stream.reported(report.fraction_lost / 256, self.rtt_s)
            if self.on_report:
                self.on_report(stream, packet)

    def _take_picture_feedback(self, packet: RtcpPsfbPacket) -> None:
        if packet.fmt == RTCP_PSFB_PLI:
            for stream in self._sending(packet.media_ssrc):
                stream.keyframe_requested()
        elif packet.fmt == RTCP_PSFB_FIR:
            # RFC 5104 section 4.3.1: the streams are in the entries, eight bytes each.
            entries = range(0, len(packet.fci) - 7, 8)
            named = [int.from_bytes(packet.fci[at : at + 4], "big") for at in entries]
            for stream in self._sending(packet.media_ssrc, *named):
                stream.keyframe_requested()
        elif packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate_bps, ssrcs = unpack_remb_fci(packet.fci)
            except ValueError:
                return
            for stream in self._sending(*ssrcs):
                stream.limited(bitrate_bps)

    # Reports

    def _report_in(self, about_s: float) -> None:
        delay_s = about_s * (0.5 + random.random())  # noqa: S311
        self._report_due_s = time.monotonic() + delay_s
        self._report_timer = asyncio.get_running_loop().call_later(delay_s, self._report)

    def _report(self) -> None:
        now_s = time.monotonic()
        if now_s - self._report_due_s > BLOCKED_S:
            self._blocked(now_s)
        self._report_in(REPORT_S)
        reports = [report for stream in self.inbound if (report := stream.report())]
        for stream in self.outbound:
            if not stream.is_open or not stream.packets:
                continue
            ntp_s = now_s + self._wall_s
            middle = (int(ntp_s * 2**32) >> 16) & 0xFFFFFFFF
            self._reported[middle] = now_s
            self.send_rtcp(
                rtcp.sender_report(
                    stream.ssrc,
                    ntp_s=ntp_s,
                    rtp_timestamp=stream.report_ticks(now_s),
                    packets=stream.packets,
                    octets=stream.octets,
                    reports=reports,
                )
                + rtcp.description(stream.ssrc, stream.cname)
            )
            reports = []
        if reports:
            self.send_rtcp(rtcp.receiver_report(self.inbound[0].local_ssrc, reports))
        while len(self._reported) > 64:
            del self._reported[next(iter(self._reported))]

    def last_report(self) -> tuple[int, float]:
        """Middle of the NTP time of the newest sender report; when, in monotonic seconds."""
        return next(reversed(self._reported.items()), (0, 0.0))

    def close(self) -> None:
        """Say good-bye and stop. May be called again."""
        gone = [stream.ssrc for stream in self.outbound if stream.packets]
        if gone:
            self.send_rtcp(rtcp.bye(gone))
        for timer in (self._report_timer, self._beat_timer):
            if timer:
                timer.cancel()
        self._report_timer = self._beat_timer = None
        for stream in self.inbound:
            stream.close()
        for sender in self.outbound:
            sender.close()
        if self._path:
            self._path.close()
            self._path = None
