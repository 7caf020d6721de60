"""What one side receives: encoded frames always, decoded frames only while somebody reads them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from aiortc import RTCRtpReceiver
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame, VideoFrame

from ..events import ListenerHandle
from . import adapter
from .codecs import CLOCK_RATE_HZ, is_keyframe, vp8_size

_log = logging.getLogger(__name__)

REPORTS = 16
"""Sender reports that are compared; they come about once a second."""
STUCK_CHECK_S = 0.2
STUCK_S = 0.6
"""Packets that come for this long without one whole picture mean a hole that stays."""

Frame = AudioFrame | VideoFrame
FrameListener = Callable[[Any, float], Any]
EncodedListener = Callable[[str, bytes, int], Any]


class RemoteClock:
    """Puts the far end's audio and video on one local clock.

    Each track starts on its arrival times, the earliest of its first second. Once both have sent
    a sender report (RFC 3550 section 6.4.1) their distance on the far end's NTP clock is known,
    and the video is moved to match the audio. A report is late by what its sender took to
    encode, never early, so the earliest of the last few counts.
    """

    def __init__(self) -> None:
        self._offsets: dict[str, float] = {}
        self._reports: dict[str, deque[float]] = {}
        self._observed: dict[str, tuple[float, float]] = {}

    def arrived(self, kind: str, media_s: float) -> None:
        """A frame of media time ``media_s`` has just arrived."""
        now_s = time.monotonic()
        first_s, least_s = self._observed.get(kind, (now_s, now_s - media_s))
        if now_s - first_s <= 1.0:
            self._observed[kind] = first_s, min(least_s, now_s - media_s)

    def time_s(self, kind: str, media_s: float) -> float:
        """Local monotonic time in seconds of media time ``media_s`` of one track."""
        offset = self._offsets.get(kind)
        if offset is None:
            _, offset = self._observed.get(kind, (0.0, time.monotonic() - media_s))
            self._offsets[kind] = offset
        return media_s + offset

    def report(self, kind: str, ntp_s: float, media_s: float) -> None:
        """Take in a sender report: media time ``media_s`` was sent at ``ntp_s``."""
        self._reports.setdefault(kind, deque(maxlen=REPORTS)).append(ntp_s - media_s)
        if len(self._reports) == 2 and "audio" in self._offsets:
            skew_s = min(self._reports["video"]) - min(self._reports["audio"])
            if abs(skew_s) < 3600:
                self._offsets["video"] = self._offsets["audio"] + skew_s


class Incoming:
    """The receiving half of one kind of media of a peer.

    Args:
        kind: ``"audio"`` or ``"video"``.
        clock: Shared by both kinds of one peer.
    """

    def __init__(self, kind: Literal["audio", "video"], clock: RemoteClock) -> None:
        self.kind = kind
        self.active = False
        """Whether the far end has sent anything yet."""
        self.codec: str | None = None
        self.size: tuple[int, int] | None = None
        self.frames = 0
        self.bytes = 0
        self.latest: tuple[Frame, float] | None = None
        self.on_first: Callable[[], None] | None = None
        self._clock = clock
        self._decoded: list[FrameListener] = []
        self._encoded: list[EncodedListener] = []
        self._receiver: RTCRtpReceiver | None = None
        self._tap: adapter.ReceiverTap | None = None
        self.resyncs = 0
        """How often a picture that stood still was given up for a new keyframe."""
        self._pump: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None

    def attach(self, receiver: RTCRtpReceiver, track: MediaStreamTrack) -> None:
        """Read from ``receiver`` from now on; its track is always drained."""
        if self._receiver is receiver:
            return
        self._receiver = receiver
        self._tap = adapter.ReceiverTap(
            receiver,
            self._on_encoded,
            is_keyframe,
            lambda ntp_s, media_s: self._clock.report(self.kind, ntp_s, media_s),
            CLOCK_RATE_HZ[self.kind],
        )
        self._tap.decoding = bool(self._decoded)
        self._pump = asyncio.ensure_future(self._drain(track))
        if self.kind == "audio":
            self._tap.use_audio_buffer()
        else:
            self._tap.release_on_marker()
            self._watch = asyncio.ensure_future(self._resync_when_stuck(self._tap))

    async def _resync_when_stuck(self, tap: adapter.ReceiverTap) -> None:
        frames, packets, stuck_s = self.frames, tap.packets, 0.0
        while True:
            await asyncio.sleep(STUCK_CHECK_S)
            moved, arriving = self.frames > frames, tap.packets > packets
            frames, packets = self.frames, tap.packets
            stuck_s = stuck_s + STUCK_CHECK_S if arriving and not moved and self.active else 0.0
            if stuck_s >= STUCK_S:
                stuck_s = 0.0
                self.resyncs += 1
                tap.resync()
                self.request_keyframe()

    def on_frame(self, callback: FrameListener) -> ListenerHandle:
        """Decode, and call ``callback(frame, time_s)`` with each frame until closed.

        The decoder runs only while there is such a listener; for video a keyframe is asked for
        when the first one comes.
        """
        self._decoded.append(callback)
        if self._tap and not self._tap.decoding:
            self._tap.decoding = True
            self.request_keyframe()

        def remove() -> None:
            if callback in self._decoded:
                self._decoded.remove(callback)
            if self._tap and not self._decoded:
                self._tap.decoding = False
                self.latest = None

        return ListenerHandle(remove)

    def on_encoded(self, callback: EncodedListener) -> ListenerHandle:
        """Call ``callback(codec, data, rtp_timestamp)`` with each whole encoded frame.

        The timestamp counts from 0 in units of the codec's clock (48 kHz or 90 kHz).
        """
        self._encoded.append(callback)

        def remove() -> None:
            if callback in self._encoded:
                self._encoded.remove(callback)

        return ListenerHandle(remove)

    def request_keyframe(self) -> None:
        """Ask the far end for a keyframe (video only; audio has nothing to ask for)."""
        if self.kind == "video" and self._receiver and (not self._asking or self._asking.done()):
            self._asking = asyncio.ensure_future(adapter.send_pli(self._receiver))

    @property
    def lost(self) -> int:
        """Audio packets that never came, or too late."""
        return self._tap.audio.lost if self._tap and self._tap.audio else 0

    @property
    def dropped(self) -> int:
        """Encoded frames that did not reach the decoder because it was too slow."""
        return self._tap.dropped if self._tap else 0

    def _on_encoded(self, codec: str, data: bytes, timestamp: int) -> None:
        self.codec = codec
        self.frames += 1
        self.bytes += len(data)
        if codec == "vp8":
            self.size = vp8_size(data) or self.size
        if not self.active:
            self.active = True
            if self.on_first:
                self.on_first()
        self._clock.arrived(self.kind, timestamp / CLOCK_RATE_HZ[self.kind])
        for listener in tuple(self._encoded):
            listener(codec, data, timestamp)

    async def _drain(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if not isinstance(frame, AudioFrame | VideoFrame):
                continue
            if frame.pts is None or frame.time_base is None:
                continue
            time_s = self._clock.time_s(self.kind, float(frame.pts * frame.time_base))
            if isinstance(frame, VideoFrame):
                self.size = (frame.width, frame.height)
            self.latest = (frame, time_s)
            for listener in tuple(self._decoded):
                try:
                    listener(frame, time_s)
                except Exception:
                    _log.exception("A reader of %s frames failed.", self.kind)

    async def close(self) -> None:
        """Stop reading. May be called again."""
        self._decoded.clear()
        self._encoded.clear()
        self.latest = None
        for task in (self._pump, self._watch, self._asking):
            if task and not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._pump = self._watch = self._asking = None
