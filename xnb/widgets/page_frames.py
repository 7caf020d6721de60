"""What a page encodes itself and sends over the comm, in the shape of what a peer receives.

Nothing is decoded here: frames are cut into RTP payloads and go to the far end through the same
:class:`~xnb.engine.forward.Link` as the packets of a page's own connection.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Literal

from ..engine.codecs import CLOCK_RATE_HZ, is_keyframe, vp8_size
from ..engine.rtp.packetize import Packetizer
from ..engine.rtp.packets import RtpPacket
from ..errors import MediaError
from ..events import ListenerHandle
from ..media.encoded import EncodedFrame
from .frame_wire import WireFrame

_log = logging.getLogger(__name__)

KEYFRAME_GAP_S = 0.3
"""A keyframe is not asked for more often than this."""
KEYFRAME_RETRY_S = 0.8
KEYFRAME_TRIES = 20
OBSERVED_S = 1.0
"""How long the promptest frame is looked for."""
BURST_PACKETS = 8
BURST_GAP_S = 0.004
"""A large picture leaves in bursts: 8 packets of 1200 bytes every 4 ms are 19 Mbps."""


class PageClock:
    """Puts a page's own milliseconds on this machine's monotonic clock; one for both kinds."""

    def __init__(self) -> None:
        self._begun_s: float | None = None
        self._offset_s = 0.0

    def arrived(self, time_ms: float, now_s: float) -> None:
        """A frame captured at ``time_ms`` came at ``now_s``; the promptest one counts."""
        offset_s = now_s - time_ms / 1000
        if self._begun_s is None:
            self._begun_s, self._offset_s = now_s, offset_s
        elif now_s - self._begun_s <= OBSERVED_S:
            self._offset_s = min(self._offset_s, offset_s)

    def time_s(self, time_ms: float) -> float:
        """The monotonic time of the page's ``time_ms``."""
        return time_ms / 1000 + self._offset_s

    def time_ms(self, time_s: float) -> float:
        """The page's time at a monotonic time."""
        return 1000 * (time_s - self._offset_s)


class PageFrames:
    """One kind of what a page sends over the comm.

    Has what a ``Link`` and an ``Outgoing`` use of an engine ``Incoming``.

    Args:
        kind: ``"audio"`` or ``"video"``.
        clock: Shared by both kinds of one page.
        ask: Called with ``True`` for a keyframe and the bitrate in bits per second (``None``
            without a limit) that the page's encoder should keep to.

    Attributes:
        frames: That came so far.
    """

    def __init__(
        self,
        kind: Literal["audio", "video"],
        clock: PageClock,
        ask: Callable[[bool, int | None], Any],
    ) -> None:
        self.kind = kind
        self.codec: str | None = None
        self.size: tuple[int, int] | None = None
        self.active = False
        self.frames = 0
        self._rate = CLOCK_RATE_HZ[kind]
        self._clock = clock
        self._ask = ask
        self._packetizer: Packetizer | None = None
        self._packets: list[Callable[[RtpPacket, str], Any]] = []
        self._encoded: list[Callable[[EncodedFrame, float], Any]] = []
        self._ssrc = secrets.randbits(32)
        self._sequence_number = secrets.randbits(15)
        self._last_ticks = -1
        self._limits: dict[object, int] = {}
        self._told_bps: int | None = None
        self._asked_s = 0.0
        self._tries = 0
        self._timer: asyncio.TimerHandle | None = None
        self._leaving: list[RtpPacket] = []
        self._leave_timer: asyncio.TimerHandle | None = None

    def take(self, frame: WireFrame) -> None:
        """A frame of the page came."""
        now_s = time.monotonic()
        self._clock.arrived(frame.time_ms, now_s)
        is_key = self.kind == "audio" or is_keyframe(frame.codec, frame.data)
        if is_key:
            self._tries = 0
            if frame.codec == "vp8":
                self.size = vp8_size(frame.data)
        if self._packetizer is None or self.codec != frame.codec:
            self.codec, self._packetizer = frame.codec, Packetizer(frame.codec)
        try:
            payloads = self._packetizer.split(frame.data)
        except MediaError:
            return
        self.active = True
        self.frames += 1
        ticks = max(round(frame.time_ms * self._rate / 1000), self._last_ticks + 1)
        self._last_ticks = ticks
        self._send(payloads, ticks, frame.codec, now_s)
        encoded = EncodedFrame(self.kind, frame.codec, frame.data, ticks, is_key)
        for listener in tuple(self._encoded):
            listener(encoded, self._clock.time_s(frame.time_ms))

    def _send(self, payloads: list[bytes], ticks: int, codec: str, now_s: float) -> None:
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            packet = RtpPacket(
                payload_type=0,
                sequence_number=self._sequence_number,
                timestamp=ticks & 0xFFFFFFFF,
                ssrc=self._ssrc,
                payload=payload,
                marker=index == last and self.kind == "video",
                arrival_s=now_s,
            )
            self._sequence_number = (self._sequence_number + 1) & 0xFFFF
            self._leaving.append(packet)
        if self._leave_timer is None:
            self._leave(codec)

    def _leave(self, codec: str) -> None:
        self._leave_timer = None
        now, self._leaving = self._leaving[:BURST_PACKETS], self._leaving[BURST_PACKETS:]
        for packet in now:
            for listener in tuple(self._packets):
                listener(packet, codec)
        if self._leaving:
            loop = asyncio.get_running_loop()
            self._leave_timer = loop.call_later(BURST_GAP_S, self._leave, codec)

    # What a Link and an Outgoing ask for

    def on_packet(self, callback: Callable[[RtpPacket, str], Any]) -> ListenerHandle:
        """Call ``callback(packet, codec)`` with each packet."""
        return _listen(self._packets, callback)

    def on_encoded(self, callback: Callable[[EncodedFrame, float], Any]) -> ListenerHandle:
        """Call ``callback(frame, time_s)`` with each frame; a keyframe is asked for."""
        handle = _listen(self._encoded, callback)
        self.request_keyframe()
        return handle

    def packet_time_s(self, timestamp: int) -> float:
        """When what has the 32-bit RTP ``timestamp`` was captured, on the monotonic clock."""
        behind = (self._last_ticks - timestamp) & 0xFFFFFFFF
        if behind >= 1 << 31:
            behind -= 1 << 32
        return self._clock.time_s(1000 * (self._last_ticks - behind) / self._rate)

    def timestamp_at(self, time_s: float) -> int:
        """The RTP time stamp of what was captured at ``time_s``, not wrapped."""
        return round(self._clock.time_ms(time_s) * self._rate / 1000)

    def request_keyframe(self) -> None:
        """Ask the page for a keyframe until one comes, not more often than every 0.3 s."""
        if self.kind != "video":
            return
        self._tries = KEYFRAME_TRIES
        if self._timer is None:
            wait_s = max(0.0, self._asked_s + KEYFRAME_GAP_S - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._ask_for_key)

    def _ask_for_key(self) -> None:
        self._timer = None
        if self._tries <= 0:
            return
        self._tries -= 1
        self._asked_s = time.monotonic()
        self._ask(True, self._told_bps)
        self._timer = asyncio.get_running_loop().call_later(KEYFRAME_RETRY_S, self._ask_for_key)

    def limit_bitrate(self, owner: object, bitrate_bps: int | None) -> None:
        """Tell the page what ``owner`` can take; the smallest of all limits counts.

        Args:
            owner: Whoever sets it, so that it can be changed and lifted.
            bitrate_bps: ``None`` lifts it.
        """
        if bitrate_bps is None:
            self._limits.pop(owner, None)
        else:
            self._limits[owner] = bitrate_bps
        limit_bps = min(self._limits.values(), default=None)
        told_bps = self._told_bps
        if limit_bps and told_bps and 0.9 < limit_bps / told_bps < 1.1:
            return  # not worth another setting of the encoder
        if limit_bps != told_bps:
            self._told_bps = limit_bps
            self._ask(False, limit_bps)

    def close(self) -> None:
        """Pass nothing on any more. May be called again."""
        self._packets.clear()
        self._encoded.clear()
        self._leaving.clear()
        self._tries = 0
        for timer in (self._timer, self._leave_timer):
            if timer:
                timer.cancel()
        self._timer = self._leave_timer = None


def _listen(listeners: list[Any], callback: Any) -> ListenerHandle:
    listeners.append(callback)

    def remove() -> None:
        if callback in listeners:
            listeners.remove(callback)

    return ListenerHandle(remove)
