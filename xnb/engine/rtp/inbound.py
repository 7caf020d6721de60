"""One stream of packets coming in: who it is, what is missing, what the far end is told."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RtcpReceiverInfo

from . import rtcp
from .bandwidth import ReceiveEstimator
from .nack import NackTracker
from .packets import RtpPacket

_log = logging.getLogger(__name__)

SEEN_PACKETS = 1024
"""How far back a packet that comes twice is noticed."""
REPEAT_S = 0.012
"""A request is said twice, so far apart; the sender answers once (see RESEND_GAP_S there)."""
CATCH_UP_S = 2.0
"""Reading what came while the event loop was blocked mostly takes no longer."""
DRAIN = 0.5
"""If it does, each second of it has to shorten the delay by this many."""
STALE_S = 0.5
"""What waited longer for a blocked loop is not worth being played live."""
LIMIT_REPEAT_S = 1.0
"""A limit is told again this often; the far end forgets it otherwise."""

PacketListener = Callable[[RtpPacket], object]


class Wire(Protocol):
    """What a stream needs of its connection."""

    @property
    def rtt_s(self) -> float | None:
        """Round-trip time, where it is known."""

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send."""


class InboundStream:
    """The receiving side of one m-line.

    Packets go to the listeners as they come, each once, retransmissions unwrapped (RFC 4588);
    holes are asked for again; the sender's limit is estimated.

    Args:
        kind: ``"audio"`` or ``"video"``.
        wire: The connection it is part of.
        local_ssrc: What our feedback is signed with.

    Attributes:
        ssrc: Of the stream, once it is known.
        on_hopeless: Called when a missing packet will not come any more.
        on_sender_report: Called with NTP seconds and the 32-bit RTP time stamp of each report.
        estimate_bps: What the path seems to take, ``None`` before anything is known.
        is_catching_up: Whether what is read may have waited for our own loop; see
            :meth:`is_stale`.
    """

    def __init__(self, kind: Literal["audio", "video"], wire: Wire, local_ssrc: int) -> None:
        self.kind = kind
        self.local_ssrc = local_ssrc
        self.ssrc: int | None = None
        self.rtx_ssrc: int | None = None
        self.mid = ""
        self.statistics: StreamStatistics | None = None
        self.received = 0
        self.duplicates = 0
        self.unknown = 0
        self.estimate_bps: int | None = None
        self.is_catching_up = False
        self._catch_up_until_s = 0.0
        self._backlog: tuple[float, float] | None = None
        self.on_hopeless: Callable[[], object] | None = None
        self.on_sender_report: Callable[[float, int], object] | None = None
        self.on_source: Callable[[int, StreamStatistics], object] | None = None
        self.nack: NackTracker | None = None
        self._wire = wire
        self._listeners: tuple[PacketListener, ...] = ()
        self._codecs: dict[int, tuple[str, int]] = {}
        self._originals: dict[int, int] = {}
        self._seen: list[int] = [-1] * SEEN_PACKETS
        self._estimator = ReceiveEstimator() if kind == "video" else None
        self._limit_bps: int | None = None
        self._told_s = 0.0
        self._last_report: tuple[int, float] = (0, 0.0)
        self._timer: asyncio.TimerHandle | None = None

    def configure(
        self,
        mid: str,
        codecs: Mapping[int, tuple[str, int]],
        retransmissions: Mapping[int, int],
        *,
        ssrc: int | None,
        rtx_ssrc: int | None,
        nack: bool,
    ) -> None:
        """Take what was negotiated.

        Args:
            mid: Of the m-line.
            codecs: Payload type to codec name and clock rate.
            retransmissions: Payload type of a retransmission to that of the original.
            ssrc: As in the far end's description, if it says.
            rtx_ssrc: The same for retransmissions.
            nack: Whether the far end answers to NACKs.
        """
        self.mid, self._codecs, self._originals = mid, dict(codecs), dict(retransmissions)
        self.rtx_ssrc = rtx_ssrc
        if ssrc is not None and self.ssrc is None:
            self._adopt(ssrc)
        if nack and self.nack is None:
            self.nack = NackTracker(self.kind)

    @property
    def payload_types(self) -> set[int]:
        """All that may arrive here."""
        return set(self._codecs) | set(self._originals)

    def codec_of(self, packet: RtpPacket) -> str:
        """Codec name in lower case."""
        return self._codecs[packet.payload_type][0]

    def listen(self, listener: PacketListener) -> Callable[[], None]:
        """Call ``listener`` with each packet; returns what takes it away."""
        self._listeners = (*self._listeners, listener)

        def remove() -> None:
            self._listeners = tuple(one for one in self._listeners if one is not listener)

        return remove

    # Packets

    def take(self, packet: RtpPacket) -> None:
        """A packet came for this m-line."""
        if self._estimator and packet.abs_send_time is not None:
            estimate_bps = self._estimator.add(packet)
            if estimate_bps is not None:
                self.estimate_bps = estimate_bps
                self._tell_limit()
        if self._recognise(packet):
            self._hand_over(packet)

    def _recognise(self, packet: RtpPacket) -> bool:
        if packet.payload_type in self._originals:
            if not self._unwrap(packet) or not self._is_new(packet):
                return False
            if self.nack:
                self.nack.received(packet.sequence_number, packet.arrival_s)
            return True
        if packet.payload_type not in self._codecs:
            self.unknown += 1
            return False
        if packet.ssrc != self.ssrc:
            self._adopt(packet.ssrc)
        is_new = self._is_new(packet)
        if is_new and self.nack:
            recovered = self.nack.recovered
            self.nack.received(packet.sequence_number, packet.arrival_s)
            packet.is_retransmission = self.nack.recovered > recovered
        if not packet.is_retransmission:
            # The far end is told what the network loses, not what is left of it after repair.
            self._count(packet)
        return is_new

    def _count(self, packet: RtpPacket) -> None:
        assert self.statistics is not None
        self.statistics.add(packet)  # type: ignore[arg-type]  # it has the fields that count
        if self.statistics.packets_received == 1 and self.on_source:
            self.on_source(packet.ssrc, self.statistics)

    def _is_new(self, packet: RtpPacket) -> bool:
        number = packet.sequence_number
        if self._seen[number % SEEN_PACKETS] == number:
            self.duplicates += 1
            return False
        self._seen[number % SEEN_PACKETS] = number
        return True

    def _hand_over(self, packet: RtpPacket) -> None:
        self.received += 1
        if self.nack and self.nack.missing and self._timer is None:
            self._ask_again()
        if self._limit_bps is not None and packet.arrival_s - self._told_s > LIMIT_REPEAT_S:
            self._tell_limit()
        for listener in self._listeners:
            try:
                listener(packet)
            except Exception:
                _log.exception("A listener to %s packets failed.", self.kind)

    def _unwrap(self, packet: RtpPacket) -> bool:
        if len(packet.payload) < 2 or self.ssrc is None:
            return False  # a probe for bandwidth: nothing in it
        packet.payload_type = self._originals[packet.payload_type]
        packet.sequence_number = int.from_bytes(packet.payload[:2], "big")
        packet.payload = packet.payload[2:]
        packet.ssrc = self.ssrc
        packet.is_retransmission = True
        return True

    def _adopt(self, ssrc: int) -> None:
        """A new sender in this m-line: nothing known of the old one holds."""
        self.ssrc = ssrc
        rates = [rate for _, rate in self._codecs.values()]
        self.statistics = StreamStatistics(rates[0] if rates else 90_000)
        self._seen = [-1] * SEEN_PACKETS
        self._last_report = (0, 0.0)
        if self.nack:
            self.nack = NackTracker(self.kind)

    # Feedback

    def _ask_again(self) -> None:
        self._timer = None
        if self.nack is None or self.ssrc is None:
            return
        now_s = time.monotonic()
        loop = asyncio.get_running_loop()
        rtt_s = self._wire.rtt_s
        due = self.nack.due(now_s, rtt_s)
        if due:
            self._wire.send_rtcp(rtcp.nack(self.local_ssrc, self.ssrc, due))
            loop.call_later(REPEAT_S, self._repeat, due)
        if self.nack.hopeless(now_s) and self.on_hopeless:
            self.on_hopeless()
        next_s = self.nack.next_due_s(rtt_s)
        if next_s is not None:
            self._timer = loop.call_later(max(0.001, next_s - now_s), self._ask_again)

    def _repeat(self, asked: list[int]) -> None:
        """Say a request again: where packets get lost, requests do too."""
        if self.nack is None or self.ssrc is None:
            return
        missing = self.nack.still_missing(asked)
        if missing:
            self._wire.send_rtcp(rtcp.nack(self.local_ssrc, self.ssrc, missing))

    def forget_holes(self, before: int) -> None:
        """What is missing before sequence number ``before`` is not needed any more."""
        if self.nack:
            self.nack.forget(before)

    def request_keyframe(self) -> None:
        """Send a PLI now."""
        if self.ssrc is not None:
            self._wire.send_rtcp(rtcp.picture_loss(self.local_ssrc, self.ssrc))

    def limit(self, bitrate_bps: int | None) -> None:
        """Allow the sender no more than this, whatever the path takes; ``None`` lifts it."""
        if bitrate_bps != self._limit_bps:
            self._limit_bps = bitrate_bps
            self._tell_limit()

    def _tell_limit(self) -> None:
        limits = [bps for bps in (self.estimate_bps, self._limit_bps) if bps is not None]
        if limits and self.ssrc is not None:
            self._told_s = time.monotonic()
            packet = rtcp.bitrate_limit(self.local_ssrc, min(limits), [self.ssrc])
            self._wire.send_rtcp(packet)

    def stalled(self, from_s: float, until_s: float) -> None:
        """This machine was busy: arrivals of that time say nothing of the network."""
        if self._estimator:
            self._estimator.stalled(from_s, until_s)

    def blocked(self, until_s: float) -> None:
        """The event loop stood still until now, so that packets piled up in the socket."""
        self.is_catching_up = True
        self._catch_up_until_s = until_s + CATCH_UP_S
        self._backlog = None

    def is_stale(self, captured_s: float, now_s: float) -> bool:
        """Whether a packet or frame of our own past should be left out where it is played live.

        Only for a while after the loop was blocked; and a sender whose clock stood still
        meanwhile, so that what it sends looks old for ever, is not taken for a backlog for long.

        Args:
            captured_s: When it was captured, on the monotonic clock.
            now_s: When it was read.
        """
        if now_s >= self._catch_up_until_s:
            self.is_catching_up = False
            return False
        late_s = now_s - captured_s
        if late_s <= STALE_S:
            return False
        if self._backlog is None:
            self._backlog = now_s, late_s
        from_s, first_late_s = self._backlog
        if late_s < first_late_s - DRAIN * (now_s - from_s):
            self._catch_up_until_s = max(self._catch_up_until_s, now_s + CATCH_UP_S)
        return True

    def sender_report(self, ntp_timestamp: int, rtp_timestamp: int) -> None:
        """The far end said what its clocks show."""
        self._last_report = ((ntp_timestamp >> 16) & 0xFFFFFFFF, time.monotonic())
        if self.on_sender_report:
            self.on_sender_report(ntp_timestamp / 2**32, rtp_timestamp)

    def report(self) -> RtcpReceiverInfo | None:
        """What the far end is told about this stream (RFC 3550 section 6.4.1)."""
        statistics = self.statistics
        if statistics is None or statistics.max_seq is None or self.ssrc is None:
            return None
        last, came_s = self._last_report
        delay = int((time.monotonic() - came_s) * 65536) if last else 0
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=statistics.fraction_lost,
            packets_lost=statistics.packets_lost,
            highest_sequence=(statistics.cycles + statistics.max_seq) & 0xFFFFFFFF,
            jitter=statistics.jitter & 0xFFFFFFFF,
            lsr=last,
            dlsr=min(delay, 0xFFFFFFFF),
        )

    def close(self) -> None:
        """Hear nothing any more. May be called again."""
        self._listeners = ()
        if self._timer:
            self._timer.cancel()
            self._timer = None
