"""Figures of a running connection, in units a person can read."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import adapter

if TYPE_CHECKING:
    from .peer import Peer


@dataclass(frozen=True, slots=True)
class PeerStats:
    """One reading of a connection.

    Attributes:
        codec: Of the video received, or of the audio when there is none; ``None`` before.
        width: Of the received picture in pixels.
        height: Of the received picture in pixels.
        fps: Video frames received per second since the last reading.
        bitrate_bps: Received media since the last reading, in bits per second.
        sent_bitrate_bps: Sent media since the last reading, in bits per second.
        target_bitrate_bps: What our video encoder aims at now; ``None`` while it does not run.
        rtt_ms: Round-trip time from receiver reports (RFC 3550 section 6.4.1).
        loss_percent: Of our packets, as the far end reports it; 0 to 100.
        received_loss_percent: Of the far end's packets, those that never came, since the start.
        path: Candidate types of the pair in use, e.g. ``"host-host udp"``.
        playout_delay_ms: What the audio waits for late packets; ``None`` while nobody listens.
        recovered: 20 ms of sound made from what the next packet repeats (Opus FEC).
        concealed: 20 ms of sound that were lost and made up.
        retransmitted: Packets we sent again because the far end asked.
    """

    codec: str | None = None
    width: int = 0
    height: int = 0
    fps: float = 0.0
    bitrate_bps: float = 0.0
    sent_bitrate_bps: float = 0.0
    target_bitrate_bps: int | None = None
    rtt_ms: float | None = None
    loss_percent: float | None = None
    received_loss_percent: float = 0.0
    path: str = ""
    playout_delay_ms: float | None = None
    recovered: int = 0
    concealed: int = 0
    retransmitted: int = 0


class StatsReader:
    """Turns counters into rates between one reading and the next."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._last = (time.monotonic(), 0, 0, 0)
        self._rates = (0.0, 0.0, 0.0)

    async def read(self) -> PeerStats:
        """A reading; rates are over at least half a second."""
        peer = self._peer
        wire = peer.streams.wire
        now = time.monotonic()
        counters = (
            peer.video_in.frames,
            wire.bytes_received,
            sum(stream.bytes for stream in wire.outbound),
        )
        span_s = now - self._last[0]
        if span_s >= 0.5:
            fps, received, sent = (
                (new - old) / span_s for new, old in zip(counters, self._last[1:], strict=True)
            )
            self._rates = (fps, received * 8, sent * 8)
            self._last = (now, *counters)
        losses = [stream.loss for stream in wire.outbound if stream.loss is not None]
        lost = peer.audio_in.lost + peer.video_in.lost
        came = sum(stream.received for stream in wire.inbound)
        pair = adapter.selected_pair(peer.pc)
        width, height = peer.video_in.size or (0, 0)
        playout = peer.audio_in.playout
        return PeerStats(
            codec=peer.video_in.codec or peer.audio_in.codec,
            width=width,
            height=height,
            fps=round(self._rates[0], 1),
            bitrate_bps=round(self._rates[1]),
            sent_bitrate_bps=round(self._rates[2]),
            target_bitrate_bps=peer.video_bitrate_bps,
            rtt_ms=None if wire.rtt_s is None else wire.rtt_s * 1000,
            loss_percent=max(losses) * 100 if losses else None,
            received_loss_percent=100 * lost / (lost + came) if lost else 0.0,
            path=f"{pair[0]}-{pair[1]} {pair[2]}" if pair else "",
            playout_delay_ms=playout.delay_s * 1000 if playout else None,
            recovered=playout.recovered if playout else 0,
            concealed=playout.concealed if playout else 0,
            retransmitted=sum(stream.retransmitted for stream in wire.outbound),
        )
