"""What one side receives: packets always, whole frames and pictures only while somebody asks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Literal

from av import AudioFrame, VideoFrame

from ..errors import MediaError
from ..events import ListenerHandle
from ..media.encoded import EncodedFrame
from .audio_playout import AudioPlayout
from .codecs import CLOCK_RATE_HZ, starts_keyframe, vp8_payload_size
from .coders.video_decoder import VideoDecoder
from .remote_clock import RemoteClock
from .rtp.assemble import VideoAssembler
from .rtp.inbound import InboundStream
from .rtp.packets import RtpPacket, Unwrapper
from .rtp.reorder import Reorder
from .video_playout import VideoPlayout

_log = logging.getLogger(__name__)

KEYFRAME_GAP_S = 0.3
"""A keyframe is not asked for more often than this."""
KEYFRAME_RETRY_S = 0.6
KEYFRAME_TRIES = 50
STUCK_S = 0.8
"""Packets that come for this long without one whole picture mean a hole that stays."""
REORDER_PACKETS = 3
REORDER_PACKETS_WITH_NACK = 8
"""Sound that is written down may wait for a retransmission: 160 ms."""

Frame = AudioFrame | VideoFrame
FrameListener = Callable[[Any, float], Any]
EncodedListener = Callable[[EncodedFrame, float], Any]
PacketListener = Callable[[RtpPacket, str], Any]


class Incoming:
    """The receiving half of one kind of media of a peer.

    Three depths, each used only while it has listeners: packets (:meth:`on_packet`, what the
    forwarder takes), whole encoded frames (:meth:`on_encoded`, what a recorder takes), decoded
    frames (:meth:`on_frame`).

    Args:
        kind: ``"audio"`` or ``"video"``.
        clock: Shared by all tracks of one peer.
        track: Its name on that clock, where a peer has several of a kind; the kind by default.

    Attributes:
        active: Whether the far end has sent anything yet.
        codec: Of the last packet: ``"vp8"``, ``"h264"`` or ``"opus"``.
        size: Width and height in pixels, as far as known without decoding.
        frames: Pictures or packets of sound that arrived.
        bytes: Of payload.
        latest: The last decoded frame and its time, while somebody reads.
        resyncs: How often a picture with a hole was given up for a new keyframe.
    """

    def __init__(
        self, kind: Literal["audio", "video"], clock: RemoteClock, track: str = ""
    ) -> None:
        self.kind = kind
        self.active = False
        self.codec: str | None = None
        self.size: tuple[int, int] | None = None
        self.frames = 0
        self.bytes = 0
        self.latest: tuple[Frame, float] | None = None
        self.on_first: Callable[[], None] | None = None
        self.resyncs = 0
        self.stream: InboundStream | None = None
        self.playout: AudioPlayout | None = None
        self.decoder: VideoDecoder | None = None
        self.pictures: VideoPlayout | None = None
        self._rtt_s: Callable[[], float | None] = lambda: None
        self._clock = clock
        self._track = track or kind
        self._rate = CLOCK_RATE_HZ[kind]
        self._unwrap = Unwrapper(32)
        self._ssrc: int | None = None
        self._packet: list[PacketListener] = []
        self._encoded: list[EncodedListener] = []
        self._decoded: list[FrameListener] = []
        self._assembler: VideoAssembler | None = None
        self._reorder: Reorder | None = None
        self._frame_s = 0.0
        self._key_start: tuple[int, int] | None = None
        self._dropped = 0
        self._limits: dict[object, int] = {}
        self._asked_s = 0.0
        self._tries = 0
        self._asking: asyncio.TimerHandle | None = None

    def attach(self, stream: InboundStream, rtt_s: Callable[[], float | None]) -> None:
        """Read from ``stream`` from now on."""
        if self.stream is stream:
            return
        self.stream = stream
        self._rtt_s = rtt_s
        stream.listen(self._take)
        stream.on_hopeless = self._give_up
        stream.on_sender_report = self._reported
        if self._decoded or self._encoded:
            self.request_keyframe()

    # Listeners

    @property
    def is_read(self) -> bool:
        """Whether anybody takes its frames here, decoded or as they came."""
        return bool(self._decoded or self._encoded)

    def on_packet(self, callback: PacketListener) -> ListenerHandle:
        """Call ``callback(packet, codec)`` with each packet, in the order of arrival."""
        return self._listen(self._packet, callback)

    def on_encoded(self, callback: EncodedListener) -> ListenerHandle:
        """Call ``callback(frame, time_s)`` with each whole encoded frame, in decoding order.

        ``time_s`` is when it was captured, on this machine's monotonic clock. Pictures begin
        with a keyframe, which is asked for.
        """
        handle = self._listen(self._encoded, callback)
        self.request_keyframe()
        return handle

    def on_frame(self, callback: FrameListener) -> ListenerHandle:
        """Decode, and call ``callback(frame, time_s)`` with each frame until closed.

        The decoder runs only while there is such a listener; for video a keyframe is asked for
        when the first one comes.
        """
        first = not self._decoded
        handle = self._listen(self._decoded, callback)
        if first:
            self.request_keyframe()
        return handle

    def _listen(self, listeners: list[Any], callback: Any) -> ListenerHandle:
        listeners.append(callback)

        def remove() -> None:
            if callback in listeners:
                listeners.remove(callback)
                self._let_go()

        return ListenerHandle(remove)

    def _let_go(self) -> None:
        """Stop what nobody needs any more."""
        if not self._decoded:
            self._close_decoders()
        if not self._decoded and not self._encoded:
            self._assembler = None
        if not self._encoded:
            self._reorder = None

    def _close_decoders(self) -> None:
        if self.decoder:
            self._dropped += self.decoder.dropped
            self.decoder.close()
        if self.playout:
            self.playout.close()
        if self.pictures:
            self.pictures.close()
        self.decoder = self.playout = self.pictures = self.latest = None

    # Time

    def packet_time_s(self, timestamp: int) -> float:
        """When what has the 32-bit RTP ``timestamp`` was captured, on the monotonic clock."""
        ticks = self._unwrap(timestamp & 0xFFFFFFFF)
        return self._clock.time_s(self._track, ticks / self._rate)

    def timestamp_at(self, time_s: float) -> int:
        """The RTP time stamp of what was captured at ``time_s``, not wrapped."""
        return round(self._clock.media_s(self._track, time_s) * self._rate)

    def is_stale(self, time_s: float) -> bool:
        """Whether what was captured at ``time_s`` waited too long for our own, blocked, loop.

        Recorders want it all the same; who plays live should leave it out.
        """
        stream = self.stream
        return (
            stream is not None
            and stream.is_catching_up
            and stream.is_stale(time_s, time.monotonic())
        )

    def _reported(self, ntp_s: float, timestamp: int) -> None:
        if self.active:
            self._clock.report(self._track, ntp_s, self._unwrap(timestamp) / self._rate)

    # Keyframes and limits

    def request_keyframe(self) -> None:
        """Ask the far end for a keyframe, again and again until one begins (video only).

        Not more often than every 0.3 s, however many ask.
        """
        if self.kind != "video" or self.stream is None:
            return
        self._tries = KEYFRAME_TRIES
        wait_s = self._asked_s + KEYFRAME_GAP_S - time.monotonic()
        if wait_s <= 0:
            self._ask()
        elif self._asking is None:
            self._asking = asyncio.get_running_loop().call_later(wait_s, self._ask)

    def _ask(self) -> None:
        if self._asking:
            self._asking.cancel()
            self._asking = None
        if self.stream is None or self._tries <= 0:
            return
        self._tries -= 1
        self._asked_s = time.monotonic()
        self.stream.request_keyframe()
        self._asking = asyncio.get_running_loop().call_later(KEYFRAME_RETRY_S, self._ask)

    def _keyframe_began(self) -> None:
        self._tries = 0
        if self._asking:
            self._asking.cancel()
            self._asking = None

    def limit_bitrate(self, owner: object, bitrate_bps: int | None) -> None:
        """Tell the far end what ``owner`` can take; the smallest of all limits counts.

        Args:
            owner: Whoever sets it, so that it can be changed and lifted.
            bitrate_bps: ``None`` lifts it.
        """
        if bitrate_bps is None:
            if self._limits.pop(owner, None) is None:
                return
        else:
            self._limits[owner] = bitrate_bps
        if self.stream:
            self.stream.limit(min(self._limits.values(), default=None))

    # Packets in

    def _take(self, packet: RtpPacket) -> None:
        assert self.stream is not None
        codec = self.stream.codec_of(packet)
        if codec != self.codec:
            self.codec = codec
            self._assembler = None
        if packet.ssrc != self._ssrc:
            self._ssrc = packet.ssrc
            self._unwrap = Unwrapper(32)
            self._clock.restart(self._track)
        ticks = self._unwrap(packet.timestamp)
        self._clock.arrived(self._track, ticks / self._rate, packet.arrival_s)
        if self.stream.is_catching_up:
            captured_s = self._clock.time_s(self._track, ticks / self._rate)
            packet.is_stale = self.stream.is_stale(captured_s, packet.arrival_s)
        self.bytes += len(packet.payload)
        if self.kind == "audio" or packet.marker:
            self.frames += 1
        if not self.active and (self.kind == "audio" or packet.marker):
            self.active = True
            if self.on_first:
                self.on_first()
        if self.kind == "video" and starts_keyframe(codec, packet.payload):
            self._keyframe_began()
            if self._key_start is None or self._key_start[0] != packet.timestamp:
                self._key_start = packet.timestamp, packet.sequence_number
            if codec == "vp8":
                self.size = vp8_payload_size(packet.payload) or self.size
        for listener in tuple(self._packet):
            listener(packet, codec)
        if self.kind == "audio":
            self._take_sound(packet)
        elif self._encoded or self._decoded:
            self._take_picture(packet, codec)

    def _take_sound(self, packet: RtpPacket) -> None:
        if self._decoded:
            if self.playout is None:
                self.playout = AudioPlayout(self._heard, rtt_s=self._rtt_s)
            self.playout.add(packet)
        if self._encoded and packet.payload:
            if self._reorder is None:
                has_nack = self.stream is not None and self.stream.nack is not None
                self._reorder = Reorder(REORDER_PACKETS_WITH_NACK if has_nack else REORDER_PACKETS)
            for ready in self._reorder.add(packet):
                ticks = self._unwrap(ready.timestamp)
                frame = EncodedFrame("audio", self.codec or "opus", ready.payload, ticks, True)
                self._give_encoded(frame)

    def _take_picture(self, packet: RtpPacket, codec: str) -> None:
        if self._assembler is None:
            try:
                self._assembler = VideoAssembler(codec)
            except MediaError:
                return
            self._frame_s = packet.arrival_s
        for frame in self._assembler.add(packet):
            self._give_picture(frame)
        if packet.arrival_s - self._frame_s > STUCK_S:
            self._frame_s = packet.arrival_s
            self._give_up()

    def _give_up(self) -> None:
        """What is missing will not come: go on with a keyframe."""
        if self._assembler is None:
            return
        self.resyncs += 1
        for frame in self._assembler.give_up():
            self._give_picture(frame)
        if self._assembler.needs_keyframe:
            self.request_keyframe()

    def _give_picture(self, frame: EncodedFrame) -> None:
        self._frame_s = time.monotonic()
        if frame.is_keyframe and self.stream and self._key_start:
            timestamp, sequence_number = self._key_start
            if timestamp == frame.timestamp & 0xFFFFFFFF:
                self.stream.forget_holes(sequence_number)
        if self._decoded:
            if self.decoder is None or self.decoder.codec != frame.codec:
                self._close_decoders()
                self.decoder = VideoDecoder(
                    frame.codec,
                    self._seen,
                    self.request_keyframe,
                    asyncio.get_running_loop(),
                )
                if not frame.is_keyframe:
                    self.request_keyframe()
            self.decoder.push(frame)
        self._give_encoded(frame)

    def _give_encoded(self, frame: EncodedFrame) -> None:
        if not self._encoded:
            return
        time_s = self.packet_time_s(frame.timestamp)
        for listener in tuple(self._encoded):
            try:
                listener(frame, time_s)
            except Exception:
                _log.exception("A reader of encoded %s failed.", self.kind)

    # Decoded frames

    def _seen(self, frame: VideoFrame, timestamp: int) -> None:
        self.size = (frame.width, frame.height)
        if self.pictures is None:
            self.pictures = VideoPlayout(self._give_decoded)
        self.pictures.add(frame, timestamp, self.packet_time_s(timestamp))

    def _heard(self, frame: AudioFrame, timestamp: int) -> None:
        # Where the playout has stretched the sound so far, what is heard was captured earlier.
        shift = self.playout.shift_samples if self.playout else 0
        self._give_decoded(frame, timestamp - shift)

    def _give_decoded(self, frame: Frame, timestamp: int) -> None:
        if not self._decoded:
            return
        time_s = self.packet_time_s(timestamp)
        if self.is_stale(time_s):
            self._dropped += 1
            return
        self.latest = (frame, time_s)
        for listener in tuple(self._decoded):
            try:
                listener(frame, time_s)
            except Exception:
                _log.exception("A reader of %s frames failed.", self.kind)

    @property
    def lost(self) -> int:
        """Packets that never came."""
        statistics = self.stream.statistics if self.stream else None
        if statistics is None or statistics.max_seq is None or self.stream is None:
            return 0
        return max(0, statistics.packets_expected - self.stream.received)

    @property
    def dropped(self) -> int:
        """Frames left out: the decoder was too slow, or the loop was blocked meanwhile."""
        return self._dropped + (self.decoder.dropped if self.decoder else 0)

    def close(self) -> None:
        """Stop reading. May be called again."""
        for listeners in (self._packet, self._encoded, self._decoded):
            listeners.clear()
        self._let_go()
        self._keyframe_began()
        if self.stream:
            self.stream.close()
