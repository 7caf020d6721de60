"""The forwarder: encoded packets of one source to any number of sinks, and feedback back.

Nothing is decoded or put together. Each :class:`Link` takes the packets of one
:class:`~xnb.engine.receive.Incoming` to one :class:`~xnb.engine.rtp.outbound.OutboundStream`
and rewrites what belongs to a connection (SSRC, payload type, sequence number, time stamp, MID),
as an RTP translator does (RFC 7667 section 3.2). What the sink loses it gets again from the
sink's own history; what only the source can give (a keyframe, fewer bits) is asked of the source:
keyframes not more often than it helps, and the smallest limit of all sinks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .codecs import starts_keyframe
from .rtp.outbound import OutboundStream
from .rtp.packets import RtpPacket

if TYPE_CHECKING:
    from .receive import Incoming

SINK_KEYFRAME_S = 1.0
"""A keyframe for one sink of many is asked for no more often than this."""
OFTEN = 4
OFTEN_S = 3.0
"""And no more often than this when it was asked for OFTEN times in a row."""


class Wishes(Protocol):
    """What becomes of the wishes of sinks."""

    def keyframe(self, sink: object) -> None:
        """A sink needs a keyframe."""

    def limit(self, sink: object, bitrate_bps: int | None) -> None:
        """A sink takes no more than this; ``None`` when it flows and sets no limit."""

    def forget(self, sink: object) -> None:
        """A sink takes nothing now."""


class _Direct:
    """To the source: the smallest limit counts."""

    def __init__(self, source: Incoming) -> None:
        self._source = source

    def keyframe(self, _sink: object) -> None:
        self._source.request_keyframe()

    def limit(self, sink: object, bitrate_bps: int | None) -> None:
        if self._source.kind == "video":
            self._source.limit_bitrate(sink, bitrate_bps)

    def forget(self, sink: object) -> None:
        self._source.limit_bitrate(sink, None)


class SharedWishes:
    """The wishes of many sinks of one source, so that a bad path to one costs the others nothing.

    The source may send what the sink with the best path takes: whoever takes less is to choose
    another source. And a sink is given a keyframe of its own once a second at most, a third as
    often when it goes on asking: each costs all the others picture quality.

    Args:
        source: What they share.
    """

    def __init__(self, source: Incoming) -> None:
        self._source = source
        self._limits: dict[object, int | None] = {}
        self._asked: dict[object, tuple[float, int]] = {}

    @property
    def limit_bps(self) -> int | None:
        """What the source is told; ``None`` without a limit."""
        limits = [bps for bps in self._limits.values() if bps is not None]
        return max(limits) if limits and len(limits) == len(self._limits) else None

    def keyframe(self, sink: object) -> None:
        """Ask for a keyframe, unless this sink asked just before."""
        now_s = time.monotonic()
        last_s, often = self._asked.get(sink, (-1e9, 0))
        if now_s - last_s < (OFTEN_S if often >= OFTEN else SINK_KEYFRAME_S):
            return
        self._asked[sink] = now_s, often + 1 if now_s - last_s < 2 * OFTEN_S else 0
        self._source.request_keyframe()

    def limit(self, sink: object, bitrate_bps: int | None) -> None:
        """Remember what a sink takes and tell the source the largest of all."""
        if self._source.kind == "video" and self._limits.get(sink, -1) != bitrate_bps:
            self._limits[sink] = bitrate_bps
            self._source.limit_bitrate(self, self.limit_bps)

    def forget(self, sink: object) -> None:
        """The sink has gone, or rests."""
        self._asked.pop(sink, None)
        if sink in self._limits:
            del self._limits[sink]
            self._source.limit_bitrate(self, self.limit_bps)


class Link:
    """One source to one sink.

    Pictures begin with a keyframe, which is asked for; until it comes, whatever the sink sent
    before goes on. So making a new link to a stream that another one feeds switches sources
    without a broken picture.

    Args:
        source: What a peer receives.
        stream: Where it goes.
        on_start: Called just before the first packet leaves.
        on_codec: Called once with the codec's name when the source sends another codec than
            the sink negotiated; nothing is sent then.
        asks: Whom the sink's wishes go to; to the source itself by default.

    Attributes:
        forwarded: Packets sent on.
        dropped: Packets that were not: before the first keyframe, older than the switch, in
            another codec, or stale after a blocking cell.
    """

    def __init__(
        self,
        source: Incoming,
        stream: OutboundStream,
        *,
        on_start: Callable[[], None] | None = None,
        on_codec: Callable[[str], None] | None = None,
        asks: Wishes | None = None,
    ) -> None:
        self.source = source
        self.stream = stream
        self.forwarded = 0
        self.dropped = 0
        self.is_flowing = False
        self._on_start = on_start
        self._on_codec = on_codec
        self._asks = asks or _Direct(source)
        self._paused = False
        self._sequence_offset = 0
        self._timestamp_offset = 0
        self._first = 0
        self._ssrc: int | None = None
        self._handle = source.on_packet(self._take)
        if stream.is_open:
            # Else the first packet that could leave asks: an earlier keyframe would be wasted,
            # and another is not to be had at once.
            source.request_keyframe()

    def pause(self) -> None:
        """Send nothing for a while."""
        self._paused = True
        self.is_flowing = False
        self._asks.forget(self)

    def resume(self) -> None:
        """Go on; with pictures from the next keyframe, which is asked for."""
        if self._paused:
            self._paused = False
            self.source.request_keyframe()

    def _take(self, packet: RtpPacket, codec: str) -> None:
        stream = self.stream
        if self._paused or stream.codec is None:
            self.dropped += 1
            return
        if codec != stream.codec.name:
            self.dropped += 1
            told, self._on_codec = self._on_codec, None
            if told:
                told(codec)
            return
        if packet.is_stale:
            # A burst of the past would not be skipped by the sink, but played.
            self.is_flowing = False
            self.dropped += 1
            return
        if packet.ssrc != self._ssrc:
            self.is_flowing = False  # another sender in the source's m-line: its own numbers
        if not self.is_flowing and not self._begin(packet, codec):
            self.dropped += 1
            return
        if (packet.sequence_number - self._first) & 0xFFFF >= 0x8000:
            self.dropped += 1  # from before the switch
            return
        if packet.sequence_number - self._first & 0x4000:
            self._first = (packet.sequence_number - 0x1000) & 0xFFFF
        self.forwarded += 1
        stream.forward(
            packet.payload,
            (packet.sequence_number + self._sequence_offset) & 0xFFFF,
            (packet.timestamp + self._timestamp_offset) & 0xFFFFFFFF,
            packet.marker,
            packet.audio_level,
        )

    def _begin(self, packet: RtpPacket, codec: str) -> bool:
        if not starts_keyframe(codec, packet.payload) or packet.is_retransmission:
            self.source.request_keyframe()
            return False
        if self._on_start:
            self._on_start()
        stream = self.stream
        self.is_flowing = True
        self._ssrc = packet.ssrc
        self._first = packet.sequence_number
        self._sequence_offset = (stream.next_sequence_number - packet.sequence_number) & 0xFFFF
        time_s = self.source.packet_time_s(packet.timestamp)
        timestamp = stream.ticks_at(time_s) & 0xFFFFFFFF
        last = stream.last_timestamp
        if last is not None and stream.ahead(timestamp, last) <= 0:
            timestamp = last + 1  # sender reports tell when it really was
        self._timestamp_offset = timestamp - packet.timestamp
        stream.report_ticks = self._ticks
        stream.on_keyframe_request = self._keyframe_requested
        stream.on_limit = self._limited
        self._asks.limit(self, stream.remb_bps)
        return True

    def _ticks(self, time_s: float) -> int:
        """For sender reports: the sink's time stamp of what the source captured at ``time_s``."""
        return self.source.timestamp_at(time_s) + self._timestamp_offset

    def _keyframe_requested(self) -> None:
        self._asks.keyframe(self)

    def _limited(self, bitrate_bps: int) -> None:
        self._asks.limit(self, bitrate_bps)

    def close(self) -> None:
        """Send nothing any more. May be called again."""
        self._handle.close()
        self._asks.forget(self)
        if self.is_flowing:
            self.is_flowing = False
            self.stream.report_ticks = self.stream.ticks_at
            self.stream.on_keyframe_request = None
            self.stream.on_limit = None
