"""One stream of packets going out: numbering, retransmission, feedback from the far end."""

from __future__ import annotations

import asyncio
import secrets
import struct
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from ..codecs import CLOCK_RATE_HZ
from .bandwidth import SendRate
from .pacer import Pacer
from .packets import ExtensionIds, abs_send_time, extension_block, rtp_header

HISTORY_PACKETS = {"audio": 256, "video": 1024}
"""Packets kept for retransmission: some 5 s of sound, 4 s of a 2.5 Mbps picture."""
RESEND_GAP_S = 0.02
"""A packet asked for again within this time, or half a round trip, is still on its way."""
LOSSY = 0.03
"""From this share of lost packets on, retransmissions are sent twice."""
TWICE_S = 0.015
_pack_header = struct.Struct("!BBHLL").pack


class Codec(NamedTuple):
    """How a stream is coded, as negotiated.

    Attributes:
        name: ``"vp8"``, ``"h264"`` or ``"opus"``.
        payload_type: 0 to 127.
        rtx_payload_type: Of retransmissions (RFC 4588); ``None`` to send the packet itself again.
    """

    name: str
    payload_type: int
    rtx_payload_type: int | None = None


class Path(Protocol):
    """Where packets leave."""

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send."""


_Kept = tuple[int, int, bool, bytes]
"""Sequence number, time stamp, marker and payload of what was sent."""


class OutboundStream:
    """The sending side of one m-line.

    Its RTP clock is a straight line on this machine's monotonic clock, so that streams of one
    peer are in step whatever they are made of; see :meth:`ticks_at`.

    Args:
        kind: ``"audio"`` or ``"video"``.
        ssrc: Of the stream, as in our description.
        rtx_ssrc: Of its retransmissions.
        rate: What to aim at, for video.

    Attributes:
        packets: Sent, without retransmissions.
        octets: Of payload, without retransmissions.
        retransmitted: Packets sent again.
        on_keyframe_request: Called when the far end asks for a keyframe.
        on_limit: Called with the bit rate that the far end's REMB allows.
        on_loss: Called with the share of packets lost, 0 to 1, of each report.
    """

    def __init__(
        self,
        kind: Literal["audio", "video"],
        ssrc: int,
        rtx_ssrc: int,
        rate: SendRate | None = None,
    ) -> None:
        self.kind = kind
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.rate = rate
        self.codec: Codec | None = None
        self.mid = ""
        self.cname = ""
        self.packets = 0
        self.octets = 0
        self.retransmitted = 0
        self.bytes = 0
        self.loss: float | None = None
        self.rtt_s: float | None = None
        self.remb_bps: int | None = None
        self.on_keyframe_request: Callable[[], None] | None = None
        self.on_limit: Callable[[int], None] | None = None
        self.on_loss: Callable[[float], None] | None = None
        self.clock_rate_hz = CLOCK_RATE_HZ[kind]
        self.start_s = time.monotonic()
        self.report_ticks: Callable[[float], int] = self.ticks_at
        self._path: Path | None = None
        self._ids = ExtensionIds()
        self._origin = secrets.randbits(31)
        self._last_timestamp: int | None = None
        # In the lower half: an early wrap confuses some decrypters.
        self._sequence_number = secrets.randbits(15)
        self._rtx_sequence_number = secrets.randbits(15)
        self._history: list[_Kept | None] = [None] * HISTORY_PACKETS[kind]
        self._resent_s: dict[int, float] = {}
        self._extensions = b"", -1
        self._level_blocks: dict[int, bytes] = {}
        self._pacer: Pacer | None = None

    def open(self, path: Path, codec: Codec, mid: str, cname: str, ids: ExtensionIds) -> None:
        """Send from now on. May be called again after a renegotiation."""
        self._path, self.codec, self.mid, self.cname, self._ids = path, codec, mid, cname, ids
        self._extensions = extension_block(ids, mid)
        self._level_blocks.clear()
        if self.kind == "video" and self._pacer is None:
            loop = asyncio.get_running_loop()
            offset_s = loop.time() - time.monotonic()

            def call_at(time_s: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
                return loop.call_at(time_s + offset_s, callback)

            self._pacer = Pacer(self._leave, call_at=call_at)

    @property
    def is_open(self) -> bool:
        """Whether packets can be sent."""
        return self._path is not None

    @property
    def next_sequence_number(self) -> int:
        """What the next packet will have."""
        return self._sequence_number

    def ticks_at(self, time_s: float) -> int:
        """The stream's RTP time stamp for the monotonic time ``time_s``, not wrapped."""
        return self._origin + round((time_s - self.start_s) * self.clock_rate_hz)

    def ticks_after_last(self) -> int:
        """The smallest time since :attr:`start_s`, in ticks, that is after all that was sent."""
        now = round((time.monotonic() - self.start_s) * self.clock_rate_hz)
        if self._last_timestamp is None:
            return 0
        return now + self.ahead(self._last_timestamp, self._origin + now) + 1

    @staticmethod
    def ahead(timestamp: int, other: int) -> int:
        """How far ``timestamp`` is after ``other``, both modulo 32 bits, in ticks."""
        step = (timestamp - other) & 0xFFFFFFFF
        return step - (1 << 32) if step >= 1 << 31 else step

    @property
    def last_timestamp(self) -> int | None:
        """The latest 32-bit time stamp sent."""
        return self._last_timestamp

    def send_frame(
        self, payloads: Sequence[bytes], ticks: int, *, audio_level: int | None = None
    ) -> None:
        """Send one frame.

        Args:
            payloads: One for each packet; the last gets the marker bit.
            ticks: Capture time since :attr:`start_s`, in units of the RTP clock.
            audio_level: 0 (loudest) to 127 dBov (RFC 6464).
        """
        timestamp = (self._origin + ticks) & 0xFFFFFFFF
        last = len(payloads) - 1
        number = self._sequence_number
        packets = []
        for index, payload in enumerate(payloads):
            packets.append(
                self._packet(
                    (number + index) & 0xFFFF,
                    timestamp,
                    index == last and self.kind == "video",
                    payload,
                    audio_level,
                )
            )
        self._sequence_number = (number + len(payloads)) & 0xFFFF
        if self._pacer is None:
            for packet in packets:
                self._leave(packet)
        else:
            if self.rate:
                self._pacer.rate_bps = self.rate.target_bps
            self._pacer.send(packets)

    def forward(
        self,
        payload: bytes,
        sequence_number: int,
        timestamp: int,
        marker: bool,
        audio_level: int | None = None,
    ) -> None:
        """Send one packet that came from elsewhere, at once.

        Args:
            payload: As it came.
            sequence_number: In this stream.
            timestamp: In this stream, 32 bits.
            marker: As it came.
            audio_level: As it came.
        """
        # One flat function: this is what an SFU does most of its time.
        path, codec = self._path, self.codec
        if path is None or codec is None:
            return
        if (sequence_number - self._sequence_number) & 0xFFFF < 0x8000:
            self._sequence_number = (sequence_number + 1) & 0xFFFF
        last = self._last_timestamp
        if last is None or 0 < (timestamp - last) & 0xFFFFFFFF < 0x80000000:
            self._last_timestamp = timestamp
        history = self._history
        history[sequence_number % len(history)] = sequence_number, timestamp, marker, payload
        block, at = self._extensions
        if audio_level is not None and self._ids.audio_level:
            block = self._level_extensions(audio_level)
        if at >= 0:
            block = block[:at] + abs_send_time(time.monotonic()) + block[at + 3 :]
        packet = (
            _pack_header(
                0x90 if block else 0x80,
                codec.payload_type | 0x80 if marker else codec.payload_type,
                sequence_number,
                timestamp,
                self.ssrc,
            )
            + block
            + payload
        )
        self.packets += 1
        self.octets += len(payload)
        self.bytes += len(packet)
        path.send_rtp(packet)

    def _packet(
        self,
        sequence_number: int,
        timestamp: int,
        marker: bool,
        payload: bytes,
        audio_level: int | None,
    ) -> bytes:
        assert self.codec is not None
        self.packets += 1
        self.octets += len(payload)
        last = self._last_timestamp
        if last is None or self.ahead(timestamp, last) > 0:
            self._last_timestamp = timestamp
        kept = sequence_number, timestamp, marker, payload
        self._history[sequence_number % len(self._history)] = kept
        return self._built(
            self.codec.payload_type,
            marker,
            sequence_number,
            timestamp,
            self.ssrc,
            payload,
            audio_level,
        )

    def _built(
        self,
        payload_type: int,
        marker: bool,
        sequence_number: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        audio_level: int | None = None,
    ) -> bytes:
        extensions = self._extensions[0]
        if audio_level is not None and self._ids.audio_level:
            extensions = self._level_extensions(audio_level)
        header = rtp_header(
            payload_type=payload_type,
            marker=marker,
            sequence_number=sequence_number,
            timestamp=timestamp,
            ssrc=ssrc,
            extended=bool(extensions),
        )
        return header + extensions + payload

    def _level_extensions(self, audio_level: int) -> bytes:
        block = self._level_blocks.get(audio_level)
        if block is None:
            block, _ = extension_block(self._ids, self.mid, audio_level=audio_level)
            self._level_blocks[audio_level] = block
        return block

    def _leave(self, packet: bytes) -> None:
        """The packet leaves now: only now its sending time is known."""
        if self._path is None:
            return
        at = self._extensions[1]
        if at >= 0:
            at += 12
            packet = packet[:at] + abs_send_time(time.monotonic()) + packet[at + 3 :]
        self.bytes += len(packet)
        self._path.send_rtp(packet)

    # What the far end says

    def resend(self, sequence_numbers: Sequence[int]) -> None:
        """Answer a NACK with what is still there (RFC 4588 section 4)."""
        now_s = time.monotonic()
        gap_s = max(RESEND_GAP_S, (self.rtt_s or 0.0) / 2)
        again: list[bytes] = []
        for number in sequence_numbers:
            kept = self._history[number % len(self._history)]
            if kept is None or kept[0] != number or self.codec is None:
                continue
            if now_s - self._resent_s.get(number, -1.0) < gap_s:
                continue
            self._resent_s[number] = now_s
            again.append(self._repeated(kept, self.codec))
        if len(self._resent_s) > len(self._history):
            self._resent_s.clear()
        self.retransmitted += len(again)
        self._send_again(again)
        if again and (self.loss or 0.0) >= LOSSY:
            # Half of what is waited for on such a path is lost retransmissions.
            asyncio.get_running_loop().call_later(TWICE_S, self._send_again, again)

    def _send_again(self, packets: list[bytes]) -> None:
        if self._pacer and packets:
            self._pacer.send(packets, first=True)
        else:
            for packet in packets:
                self._leave(packet)

    def _repeated(self, kept: _Kept, codec: Codec) -> bytes:
        original, timestamp, marker, payload = kept
        if codec.rtx_payload_type is None:
            return self._built(codec.payload_type, marker, original, timestamp, self.ssrc, payload)
        number = self._rtx_sequence_number
        self._rtx_sequence_number = (number + 1) & 0xFFFF
        return self._built(
            codec.rtx_payload_type,
            marker,
            number,
            timestamp,
            self.rtx_ssrc,
            original.to_bytes(2, "big") + payload,
        )

    def keyframe_requested(self) -> None:
        """A PLI or FIR came."""
        if self.on_keyframe_request:
            self.on_keyframe_request()

    def limited(self, bitrate_bps: int) -> None:
        """A REMB came."""
        self.remb_bps = bitrate_bps
        if self.rate:
            self.rate.on_remb(bitrate_bps, time.monotonic())
        if self.on_limit:
            self.on_limit(bitrate_bps)

    def reported(self, loss: float, rtt_s: float | None) -> None:
        """A receiver report came: ``loss`` is 0 to 1 since the one before."""
        self.loss = loss
        self.rtt_s = rtt_s if rtt_s is not None else self.rtt_s
        if self.rate:
            self.rate.on_report(loss, rtt_s, time.monotonic())
        if self.on_loss:
            self.on_loss(loss)

    def close(self) -> None:
        """Send nothing any more. May be called again."""
        self._path = None
        if self._pacer:
            self._pacer.close()
            self._pacer = None
