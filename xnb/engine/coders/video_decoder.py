"""Encoded pictures into frames, on a thread that lives only while somebody wants them."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from fractions import Fraction

import av
from av.codec.context import Flags
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from ...errors import MediaError
from ...media.encoded import EncodedFrame

_TICKS_A_SECOND = 90_000
_TIME_BASE = Fraction(1, _TICKS_A_SECOND)
_MAX_BACKLOG_TICKS = _TICKS_A_SECOND
_MAX_BACKLOG = 240
_ASK_AGAIN_TICKS = _TICKS_A_SECOND // 2
_MAX_READY = 8
# libvpx decodes VP8 with 3 to 5 % less CPU than FFmpeg's own decoder.
_DECODERS = {"vp8": "libvpx", "h264": "h264"}


class VideoDecoder:
    """Decodes one stream on a thread of its own.

    It begins at a keyframe. When more than a second of pictures waits for the thread, it goes
    on at a keyframe among them, or drops all and asks for one. Decoded frames wait for the loop
    in a queue of 8 that drops the oldest, so a blocked loop shows no burst afterwards.

    Args:
        codec: ``"vp8"`` or ``"h264"``.
        deliver: Called on ``loop`` with each frame and its RTP timestamp.
        need_keyframe: Called on ``loop`` when nothing can be decoded before a keyframe; again
            after each further half second of the stream without one.
        loop: Where both run.

    Attributes:
        decoded: Frames that came out of the decoder.
        dropped: Pictures or frames thrown away: without a keyframe, in a backlog, undecodable,
            or not taken by the loop in time.

    Raises:
        MediaError: Another codec.
    """

    def __init__(
        self,
        codec: str,
        deliver: Callable[[av.VideoFrame, int], None],
        need_keyframe: Callable[[], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        if codec not in _DECODERS:
            raise MediaError(f"Video in {codec!r} cannot be decoded.", remedy="Use vp8 or h264.")
        self.codec = codec
        self.decoded = 0
        self.dropped = 0
        self._deliver = deliver
        self._need_keyframe = need_keyframe
        self._loop = loop
        self._context: VideoCodecContext | None = None
        self._changed = threading.Condition()
        self._backlog: deque[EncodedFrame] = deque()
        self._awaits_keyframe = True
        self._asked_ticks: int | None = None
        self._is_closed = False
        self._ready: deque[tuple[av.VideoFrame, int]] = deque()
        self._thread = threading.Thread(target=self._run, name=f"xnb-decode-{codec}", daemon=True)
        self._thread.start()

    def push(self, frame: EncodedFrame) -> None:
        """Hand over one picture; never waits. Pictures come in decoding order."""
        with self._changed:
            if self._is_closed:
                return
            if frame.is_keyframe:
                self._awaits_keyframe = False
                self._asked_ticks = None
            elif self._awaits_keyframe:
                self.dropped += 1
                self._ask(frame.timestamp)
                return
            self._backlog.append(frame)
            waiting_ticks = frame.timestamp - self._backlog[0].timestamp
            if waiting_ticks > _MAX_BACKLOG_TICKS or len(self._backlog) > _MAX_BACKLOG:
                self._shorten(frame.timestamp)
            self._changed.notify()

    def close(self) -> None:
        """Stop the thread and deliver nothing more; a second call does nothing."""
        with self._changed:
            self._is_closed = True
            self._backlog.clear()
            self._changed.notify()
        self._thread.join(timeout=2)
        self._ready.clear()

    def _shorten(self, ticks: int) -> None:
        """Too much waits: keep what begins at the newest keyframe, else nothing."""
        pictures = list(self._backlog)
        at = next((i for i in range(len(pictures) - 1, 0, -1) if pictures[i].is_keyframe), None)
        self._backlog.clear()
        if at is not None:
            self._backlog.extend(pictures[at:])
        else:
            self._awaits_keyframe = True
            self._ask(ticks)
        self.dropped += len(pictures) - len(self._backlog)

    def _ask(self, ticks: int) -> None:
        if self._asked_ticks is None or ticks - self._asked_ticks >= _ASK_AGAIN_TICKS:
            self._asked_ticks = ticks
            self._on_loop(self._tell_need)

    def _tell_need(self) -> None:
        if not self._is_closed:
            self._need_keyframe()

    def _on_loop(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            self._is_closed = True

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._backlog and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    break
                picture = self._backlog.popleft()
            self._decode(picture)
        self._context = None

    def _decode(self, picture: EncodedFrame) -> None:
        if self._context is None:
            self._context = _open(self.codec)
        packet = av.Packet(picture.data)
        packet.pts = picture.timestamp
        packet.time_base = _TIME_BASE
        try:
            frames = self._context.decode(packet)
        except FFmpegError:
            self._fail(picture)
            return
        if any(frame.is_corrupt for frame in frames):
            self._fail(picture)
            return
        self.decoded += len(frames)
        for frame in frames:
            ticks = picture.timestamp if frame.pts is None else frame.pts
            frame.pts, frame.time_base = ticks, _TIME_BASE
            self._hand_over(frame, ticks)

    def _fail(self, picture: EncodedFrame) -> None:
        """What follows up to the next keyframe builds on what could not be decoded."""
        self._context = None
        with self._changed:
            self.dropped += 1
            while self._backlog and not self._backlog[0].is_keyframe:
                self._backlog.popleft()
                self.dropped += 1
            if not self._backlog:
                self._awaits_keyframe = True
                self._ask(picture.timestamp)

    def _hand_over(self, frame: av.VideoFrame, ticks: int) -> None:
        with self._changed:
            is_first = not self._ready
            if len(self._ready) >= _MAX_READY:
                self._ready.popleft()
                self.dropped += 1
            self._ready.append((frame, ticks))
        if is_first:
            self._on_loop(self._deliver_ready)

    def _deliver_ready(self) -> None:
        with self._changed:
            ready = list(self._ready)
            self._ready.clear()
        for frame, ticks in ready:
            if self._is_closed:
                return
            self._deliver(frame, ticks)


def _open(codec: str) -> VideoCodecContext:
    context = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    # One thread: more would hold pictures back and keep a set of frames each.
    context.thread_count = 1
    context.flags |= Flags.low_delay
    return context
