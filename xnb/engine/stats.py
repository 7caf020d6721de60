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
        rtt_ms: Round-trip time from receiver reports (RFC 3550 section 6.4.1).
        loss_percent: Of our packets, as the far end reports it; 0 to 100.
        path: Candidate types of the pair in use, e.g. ``"host-host udp"``.
    """

    codec: str | None = None
    width: int = 0
    height: int = 0
    fps: float = 0.0
    bitrate_bps: float = 0.0
    rtt_ms: float | None = None
    loss_percent: float | None = None
    path: str = ""


class StatsReader:
    """Turns counters into rates between one reading and the next."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._last = (time.monotonic(), 0, 0)
        self._rates = (0.0, 0.0)

    async def read(self) -> PeerStats:
        """A reading; rates are over at least half a second."""
        peer = self._peer
        now = time.monotonic()
        frames = peer.video_in.frames
        size_bytes = peer.video_in.bytes + peer.audio_in.bytes
        then, old_frames, old_bytes = self._last
        if now - then >= 0.5:
            span_s = now - then
            self._rates = ((frames - old_frames) / span_s, (size_bytes - old_bytes) * 8 / span_s)
            self._last = (now, frames, size_bytes)
        rtt_ms = loss = None
        for report in (await peer.pc.getStats()).values():
            if report.type == "remote-inbound-rtp":
                if report.roundTripTime is not None:
                    rtt_ms = max(0.0, report.roundTripTime * 1000)
                share = report.fractionLost * 100 / 256
                loss = share if loss is None else max(loss, share)
        pair = adapter.selected_pair(peer.pc)
        width, height = peer.video_in.size or (0, 0)
        return PeerStats(
            codec=peer.video_in.codec or peer.audio_in.codec,
            width=width,
            height=height,
            fps=round(self._rates[0], 1),
            bitrate_bps=round(self._rates[1]),
            rtt_ms=rtt_ms,
            loss_percent=loss,
            path=f"{pair[0]}-{pair[1]} {pair[2]}" if pair else "",
        )
