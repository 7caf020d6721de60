"""What one side sends: a source that can be changed, forwarded to, and muted in mid-call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from av import AudioFrame, Packet, VideoFrame
from numpy.typing import NDArray

from ..events import ListenerHandle
from ..media.encoded import EncodedFrame
from ..media.source import EndOfMedia, SourceTrack
from ..settings import VideoSettings
from .codecs import CLOCK_RATE_HZ, is_keyframe
from .coders.encoding_thread import EncodingThread, Job
from .coders.opus import OpusEncoder
from .forward import Link
from .local_view import LocalView
from .loss_memory import LossMemory
from .picture_limits import PictureLimits
from .rtp.outbound import OutboundStream
from .rtp.packetize import Packetizer
from .rtp.packets import audio_level
from .send_clock import SendClock

if TYPE_CHECKING:
    from .receive import Incoming

_log = logging.getLogger(__name__)

OVERLAP_S = 0.001
"""A frame this much too early is moved; one that is earlier still is left out."""

Media: TypeAlias = "AudioFrame | VideoFrame | Packet[Any]"
FrameListener = Callable[[Any], Any]
EncodedListener = Callable[[EncodedFrame, float], Any]


class Outgoing:
    """The sending half of one kind of media of a peer.

    What it sends comes from a :class:`~xnb.media.source.SourceTrack` (:meth:`play`), as frames
    to encode or as packets in the negotiated codec, or from what another peer receives
    (:meth:`forward`). It is put on the track's own clock, and stops while :attr:`muted` or while
    there is no source. Frames of a muted source are read and thrown away, so that a file goes
    on playing.

    When the encoder is slower than the source, pictures are left out rather than delayed: the
    newest one waits, older ones are dropped and counted in ``skipped``.

    Args:
        kind: ``"audio"`` or ``"video"``.
        settings: Limits of what is sent.
        clock: Shared by both kinds of one peer.
    """

    def __init__(
        self,
        kind: Literal["audio", "video"],
        settings: VideoSettings | None = None,
        clock: SendClock | None = None,
    ) -> None:
        self.kind = kind
        self.settings = settings or VideoSettings()
        self.sent = 0
        self.on_end: Callable[[SourceTrack, BaseException | None], None] | None = None
        self.on_keyframe_request: Callable[[], None] | None = None
        self.stream: OutboundStream | None = None
        self._muted = False
        self._rate = CLOCK_RATE_HZ[kind]
        self._time_base = Fraction(1, self._rate)
        self._source: SourceTrack | None = None
        self._link: Link | None = None
        self._next_link: Link | None = None
        self._to_forward: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._reading: asyncio.Future[Media] | None = None
        self._changed = asyncio.Event()
        self._clock = clock or SendClock()
        self._least_pts = 0
        self._limits = PictureLimits(self.settings)
        self._packetizer: Packetizer | None = None
        self._opus: OpusEncoder | None = None
        self._lossy = LossMemory()
        self._video: EncodingThread | None = None
        self._need_key = True
        self._await_key = True
        self._view = LocalView()
        self._encoded: list[EncodedListener] = []
        self._copying: tuple[Incoming, ListenerHandle] | None = None
        self._stopped = False

    # What is sent

    @property
    def source(self) -> SourceTrack | None:
        """What is being sent, or ``None``."""
        return self._source

    @property
    def muted(self) -> bool:
        """Whether nothing is sent for now."""
        return self._muted

    @muted.setter
    def muted(self, value: bool) -> None:
        if value == self._muted:
            return
        self._muted = value
        self._changed.set()
        self._need_key = self._await_key = True
        if self._source and not value:
            self._source.request_keyframe()
        for link in (self._link, self._next_link):
            if link and value:
                link.pause()
            elif link:
                link.resume()

    def play(self, source: SourceTrack | None) -> None:
        """Send ``source`` from now on; ``None`` sends nothing. The old source is not closed."""
        self._to_forward = None
        self._unlink()
        self._set_source(source)

    def _set_source(self, source: SourceTrack | None) -> None:
        self._source = source
        self._need_key = self._await_key = True
        if self._video:
            self._video.forget_waiting()
        self._tell_source()
        self._changed.set()
        if self._reading:
            self._reading.cancel()

    def forward(
        self, incoming: Incoming | None, *, on_codec: Callable[[str], None] | None = None
    ) -> None:
        """Send what another peer receives, packet by packet, without decoding it.

        A picture takes over from what was sent before with its first keyframe.

        Args:
            incoming: ``None`` sends nothing.
            on_codec: Called with its name when the far end uses another codec than ours.
        """
        if incoming is None:
            self.play(None)
            return
        if self.stream is None:
            self._to_forward = lambda: self.forward(incoming, on_codec=on_codec)
            return
        if self._next_link:
            self._next_link.close()
        self._next_link = Link(
            incoming, self.stream, on_start=self._link_started, on_codec=on_codec
        )
        if self._muted:
            self._next_link.pause()

    def _link_started(self) -> None:
        if self._next_link:
            old, self._link, self._next_link = self._link, self._next_link, None
            if old:
                old.close()
            self._set_source(None)
            self._follow_link()

    def _unlink(self) -> None:
        for link in (self._link, self._next_link):
            if link:
                link.close()
        if self._link and self.stream:
            self._least_pts = max(self._least_pts, self.stream.ticks_after_last())
        self._link = self._next_link = None
        self._follow_link()
        self._watch_stream()

    @property
    def link(self) -> Link | None:
        """What is being forwarded, or is about to be."""
        return self._next_link or self._link

    # Listeners

    def on_frame(self, callback: FrameListener) -> ListenerHandle:
        """Call ``callback`` with every frame of the source that is sent.

        Packets that pass through are decoded for this.
        """
        return self._view.listen(callback)

    def on_encoded(self, callback: EncodedListener) -> ListenerHandle:
        """Call ``callback(frame, time_s)`` with every encoded frame that is sent.

        ``time_s`` is when it was captured, on the monotonic clock. A keyframe comes first.
        """
        self._encoded.append(callback)
        self._follow_link()
        self.request_keyframe()

        def remove() -> None:
            if callback in self._encoded:
                self._encoded.remove(callback)
            self._follow_link()

        return ListenerHandle(remove)

    def _follow_link(self) -> None:
        """Read whole frames of what is forwarded, while somebody wants them."""
        source = self._link.source if self._link and self._encoded else None
        if self._copying and self._copying[0] is not source:
            self._copying[1].close()
            self._copying = None
        if source and self._copying is None:
            self._copying = source, source.on_encoded(self._pass_on)

    def _pass_on(self, frame: EncodedFrame, time_s: float) -> None:
        self._await_key = self._muted or (self._await_key and not frame.is_keyframe)
        if not self._await_key:
            for listener in tuple(self._encoded):
                listener(frame, time_s)

    # The stream

    def attach(self, stream: OutboundStream) -> None:
        """Send into ``stream``; nothing leaves before it is open."""
        self.stream = stream
        self._watch_stream()
        waiting, self._to_forward = self._to_forward, None
        if waiting:
            waiting()

    def _watch_stream(self) -> None:
        if self.stream:
            self.stream.on_keyframe_request = self._keyframe_requested
            self.stream.on_loss = self._lost
            self.stream.on_limit = lambda _bitrate_bps: self._tell_source()

    def start(self) -> None:
        """The stream is open: begin, or go on with another codec."""
        if self._packetizer is None or self._packetizer.codec != self.codec:
            self._packetizer = Packetizer(self.codec or "opus")
            self._need_key = True
        self._tell_source()
        if self._task is None and not self._stopped:
            self._task = asyncio.ensure_future(self._run())

    @property
    def codec(self) -> str | None:
        """As negotiated."""
        return self.stream.codec.name if self.stream and self.stream.codec else None

    @property
    def bitrate_bps(self) -> int | None:
        """What the video encoder aims at now; ``None`` while it does not run."""
        encoder = self._video.encoder if self._video else None
        return encoder.target_bps if encoder else None

    @property
    def skipped(self) -> int:
        """Pictures left out because the encoder was busy."""
        return self._video.skipped if self._video else 0

    def _tell_source(self) -> None:
        if self._source is None:
            return
        # Packets of a file repeat nothing: where some get lost, encode anew, with FEC.
        lossy = self.kind == "audio" and self._lossy.is_lossy
        self._source.allow_packets(None if lossy else self.codec)
        self._source.limit_pictures(self.settings.max_height_px, self.settings.max_fps)
        if self.stream and self.stream.rate:
            self._source.set_bandwidth(self.stream.rate.target_bps)

    def _lost(self, share: float) -> None:
        self._lossy.report(share)
        if self._opus:
            self._opus.set_expected_loss(share * 100)
        self._tell_source()

    def _keyframe_requested(self) -> None:
        if self.on_keyframe_request:
            self.on_keyframe_request()
        self.request_keyframe()

    def request_keyframe(self) -> None:
        """Send a keyframe soon, for whoever listens to what is sent."""
        self._need_key = True
        if self._source:
            self._source.request_keyframe()
        if self._link:
            self._link.source.request_keyframe()

    # Reading and sending

    async def _run(self) -> None:
        while not self._stopped:
            source = self._source
            if source is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            if self._muted and source.may_rest:
                self._changed.clear()
                await self._changed.wait()
                continue
            unit = await self._read(source)
            if unit is None or self._muted or source is not self._source:
                continue
            try:
                await self._send(unit)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                _log.exception("Sending %s failed.", self.kind)
                self._ended(source, error)

    async def _read(self, source: SourceTrack) -> Media | None:
        self._changed.clear()
        reading = self._reading = asyncio.ensure_future(source.read())
        try:
            return await reading
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                reading.cancel()
                raise
            return None  # play() took the source away
        except EndOfMedia:
            self._ended(source, None)
        except Exception as error:
            _log.info("A %s source stopped with %s.", self.kind, type(error).__name__)
            self._ended(source, error)
        finally:
            self._reading = None
        return None

    def _ended(self, source: SourceTrack, error: BaseException | None) -> None:
        if self._source is source:
            self._source = None
        if self.on_end:
            self.on_end(source, error)

    async def _send(self, unit: Media) -> None:
        if isinstance(unit, Packet):
            if self._video:
                await self._video.idle()
            if self._stamp(unit):
                self._send_packet(unit)
        elif isinstance(unit, AudioFrame):
            if self._stamp(unit):
                self._send_sound(unit)
        elif not self._limits.is_too_soon(unit):
            unit = self._limits.scaled(unit)
            if self._stamp(unit):
                self._await_key = False
                self._view.show(unit)
                self._encode(unit)

    def _send_packet(self, packet: Packet[Any]) -> None:
        codec = self.codec
        if codec is None or packet.pts is None:
            return
        data = bytes(packet)
        frame = EncodedFrame(self.kind, codec, data, packet.pts, is_keyframe(codec, data))
        if self._await_key and not frame.is_keyframe:
            return
        self._await_key = False
        self._need_key = self.kind == "video"  # for the first picture that is encoded after it
        self._view.show_encoded(frame)
        self._give(frame)

    def _send_sound(self, frame: AudioFrame) -> None:
        if self._opus is None:
            self._opus = OpusEncoder()
        samples: NDArray[np.int16] = np.frombuffer(memoryview(frame.planes[0]), np.int16)
        self._view.show(frame)
        data = self._opus.encode(samples[: frame.samples * 2].reshape(-1, 2))
        assert frame.pts is not None
        self._give(EncodedFrame("audio", "opus", data, frame.pts, True), audio_level(samples))

    def _encode(self, frame: VideoFrame) -> None:
        codec, stream = self.codec, self.stream
        if codec not in ("vp8", "h264") or stream is None:
            return
        if self._video is None:
            self._video = EncodingThread(self.settings, self._encoded_one)
        if self._need_key:
            self._need_key = False
            self._video.want_keyframe()
        target_bps = stream.rate.target_bps if stream.rate else self.settings.max_bitrate_bps
        self._video.encode(Job(frame, codec, target_bps, self._source))  # type: ignore[arg-type]

    def _encoded_one(self, job: Job, data: bytes, is_key: bool) -> None:
        if self._muted or job.owner is not self._source or job.codec != self.codec:
            self._need_key = True
            return
        assert job.frame.pts is not None
        self._give(EncodedFrame("video", job.codec, data, job.frame.pts, is_key))

    def _give(self, frame: EncodedFrame, audio_level: int | None = None) -> None:
        stream = self.stream
        if stream is None or self._packetizer is None or self._link:
            return
        self.sent += 1
        payloads = self._packetizer.split(frame.data)
        stream.send_frame(payloads, frame.timestamp, audio_level=audio_level)
        time_s = stream.start_s + frame.timestamp / self._rate
        for listener in tuple(self._encoded):
            listener(frame, time_s)

    def _stamp(self, frame: Media) -> bool:
        """Put a frame on the stream's clock; whether it is after all that was sent."""
        stream = self.stream
        assert stream is not None
        has_time = frame.pts is not None and frame.time_base is not None
        media_s = float(frame.pts * frame.time_base) if has_time else None  # type: ignore[operator]
        origin = self._source.origin if self._source else self
        captured_s = self._clock.captured_s(origin, media_s)
        pts = round((captured_s - stream.start_s) * self._rate)
        if pts < self._least_pts - self._rate * OVERLAP_S:
            return False
        pts = max(pts, self._least_pts)
        self._least_pts = pts + (frame.samples if isinstance(frame, AudioFrame) else 1)
        frame.pts = pts
        frame.time_base = self._time_base
        if isinstance(frame, Packet):
            frame.dts = pts
        return True

    async def stop(self) -> None:
        """Stop for good. May be called again."""
        self._stopped = True
        self.play(None)
        self._view.close()
        self._encoded.clear()
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._video:
            await self._video.close()
