"""Frames out of a call: ``call.video`` and ``call.audio``.

Nothing is decoded until somebody reads; the decoder stops when the last reader leaves.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from .errors import MediaError
from .loop import Runner, Stream, blocking, crosses, on_engine
from .media.frames import AudioChunk, VideoFrame

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .events import ListenerHandle

F = TypeVar("F", VideoFrame, AudioChunk)

LATEST_IDLE_S = 10.0
"""After this long without a question for ``latest()`` its decoder stops."""


class Readable(Protocol):
    """Where frames come from: one connection's Incoming, or several of them as one."""

    @property
    def active(self) -> bool:
        """Whether anything has been sent yet."""

    @property
    def codec(self) -> str | None:
        """Of what was sent last."""

    def on_frame(self, callback: Callable[[Any, float], Any]) -> ListenerHandle:
        """Call ``callback(frame, time_s)`` with each decoded frame until closed."""


class Receiver(Protocol):
    """What has both kinds: a :class:`~xnb.engine.peer.Peer`, or everybody of a group."""

    @property
    def audio_in(self) -> Readable:
        """Sound."""

    @property
    def video_in(self) -> Readable:
        """Pictures."""


class _Reader(Generic[F]):
    """A stream that somebody may still hold, and what feeds it."""

    def __init__(self, stream: Stream[F], gone: Callable[[_Reader[F]], None]) -> None:
        self.handle: ListenerHandle | None = None
        # Who leaves a loop over it with `break` closes nothing: it ends with the last reference.
        self.stream: weakref.ref[Stream[F]] = weakref.ref(stream, lambda _ref: gone(self))


class RemoteTrack(Generic[F]):
    """What the far end sends, of one kind, as frames."""

    kind: Literal["audio", "video"]

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._incoming: Readable | None = None
        self._start_s = time.monotonic()
        self._readers: set[_Reader[F]] = set()
        self._latest: F | None = None
        self._latest_asked_s = 0.0
        self._latest_handle: ListenerHandle | None = None
        self._latest_timer: asyncio.TimerHandle | None = None
        self._closed = False

    def __repr__(self) -> str:
        return (
            f"<remote {self.kind}{' active' if self.active else ''}, {len(self._readers)} readers>"
        )

    @property
    def active(self) -> bool:
        """Whether the far end has sent any."""
        return bool(self._incoming and self._incoming.active)

    @property
    def codec(self) -> str | None:
        """``"vp8"``, ``"h264"`` or ``"opus"``; ``None`` before the first frame."""
        return self._incoming.codec if self._incoming else None

    @property
    def is_read(self) -> bool:
        """Whether anybody reads it here."""
        return bool(self._readers or self._latest_handle)

    def _attach(self, peer: Receiver, start_s: float) -> None:
        self._incoming = peer.audio_in if self.kind == "audio" else peer.video_in
        self._start_s = start_s
        self._stop_latest()  # of a connection before this one
        for reader in tuple(self._readers):
            self._connect(reader)

    def _convert(self, frame: Any, time_s: float) -> F:
        raise NotImplementedError  # pragma: no cover - both kinds below have their own

    @on_engine
    def _stream(self, buffer: int) -> Stream[F]:
        stream: Stream[F] = Stream(buffer)
        if self._closed:
            stream.end()
            return stream
        reader = _Reader(stream, self._gone)
        stream._on_close = lambda: self._gone(reader)
        self._readers.add(reader)
        self._connect(reader)
        return stream

    def _connect(self, reader: _Reader[F]) -> None:
        def take(frame: Any, time_s: float) -> None:
            if stream := reader.stream():
                stream.put(self._convert(frame, time_s - self._start_s))

        if self._incoming:
            reader.handle = self._incoming.on_frame(take)

    def _gone(self, reader: _Reader[F]) -> None:
        """Nobody reads that stream any more; told on any thread."""
        self.runner.post(self._leave, reader)

    def _leave(self, reader: _Reader[F]) -> None:
        self._readers.discard(reader)
        if reader.handle:
            reader.handle.close()
            reader.handle = None

    @on_engine
    def latest(self) -> F | None:
        """The newest frame, or ``None`` when there is none yet.

        The first question starts the decoder, so it answers ``None`` for a moment; ten seconds
        after the last question the decoder stops again.
        """
        self._latest_asked_s = time.monotonic()
        if self._latest_handle is None and self._incoming and not self._closed:
            self._latest_handle = self._incoming.on_frame(self._keep)
            self._latest_timer = self.runner.loop.call_later(LATEST_IDLE_S, self._latest_idle)
        return self._latest

    def _keep(self, frame: Any, time_s: float) -> None:
        self._latest = self._convert(frame, time_s - self._start_s)

    def _latest_idle(self) -> None:
        idle_s = time.monotonic() - self._latest_asked_s
        if idle_s < LATEST_IDLE_S:
            self._latest_timer = self.runner.loop.call_later(
                LATEST_IDLE_S - idle_s, self._latest_idle
            )
        else:
            self._stop_latest()

    def _stop_latest(self) -> None:
        if self._latest_timer:
            self._latest_timer.cancel()
        if self._latest_handle:
            self._latest_handle.close()
        self._latest_handle = self._latest_timer = self._latest = None

    def _close(self) -> None:
        """The call is over: every reader gets what it has left and stops."""
        self._closed = True
        latest = self._latest
        self._stop_latest()
        self._latest = latest
        for reader in tuple(self._readers):
            self._leave(reader)
            if stream := reader.stream():
                stream.end()


class RemoteVideo(RemoteTrack[VideoFrame]):
    """``call.video``: the far end's picture."""

    kind = "video"

    def frames(self, *, buffer: int = 2) -> Stream[VideoFrame]:
        """Read every picture from now on; ends with the call.

        Args:
            buffer: Pictures that may wait for a slow reader; the oldest is dropped after that
                and counted in ``dropped``.

        Returns:
            A stream for ``async for`` (or plain ``for`` where blocking is fine) of
            :class:`~xnb.media.frames.VideoFrame`: ``image`` is ``(height, width, 3)`` uint8 RGB,
            ``time_s`` counts from the start of the call.

        Example:
            >>> async for frame in call.video.frames():
            ...     print(frame.time_s, frame.image.mean())
            ...     break
        """
        return self._stream(buffer)

    @crosses
    async def snapshot(self, timeout_s: float = 5.0) -> VideoFrame:
        """The next picture, decoded for this.

        Raises:
            MediaError: None came within ``timeout_s``.
        """
        import asyncio

        stream = self._stream(1)
        try:
            return await asyncio.wait_for(stream.__anext__(), timeout_s)
        except (TimeoutError, StopAsyncIteration):
            raise MediaError(
                f"No picture arrived within {timeout_s:g} s.",
                remedy="The far end may have its camera off, or the call may be over.",
            ) from None
        finally:
            stream.close()

    snapshot_now = blocking(snapshot)

    def _convert(self, frame: Any, time_s: float) -> VideoFrame:
        return VideoFrame(frame, time_s)


class RemoteAudio(RemoteTrack[AudioChunk]):
    """``call.audio``: the far end's sound."""

    kind = "audio"

    def chunks(self, *, buffer: int = 50) -> Stream[AudioChunk]:
        """Read all sound from now on; ends with the call.

        Args:
            buffer: Chunks of 20 ms that may wait for a slow reader; the oldest is dropped after
                that and counted in ``dropped``.

        Returns:
            A stream for ``async for`` (or plain ``for``) of
            :class:`~xnb.media.frames.AudioChunk`: ``samples`` is ``(n, channels)`` float32 in
            -1 to 1 at 48 kHz.
        """
        return self._stream(buffer)

    def _convert(self, frame: Any, time_s: float) -> AudioChunk:
        return AudioChunk.from_av(frame, time_s)
