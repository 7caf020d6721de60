"""A function between a source and the call: each picture goes through it, the newest first."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av

from ..errors import MediaError
from .accept import Sendable, accept
from .browser import PageMedia
from .frames import convert, to_av_video, to_rgb
from .late import LateSource, WrappingSource
from .source import VIDEO_TIME_BASE, EndOfMedia, MediaUnit, PacedTrack, Source, Timed

Function = Callable[..., Any]

# Whoever did not read for this long does not want pictures now.
_REST_S = 1.0
# So much earlier than its turn a picture still counts as on time.
_FPS_GRACE_S = 0.004


class FilterTrack(PacedTrack):
    """Pictures that went through a function, on a thread of its own.

    One picture at a time is in the function, and one waits: the newest. ``dropped`` counts
    those that a newer one replaced before the function, or before they were sent.

    Args:
        function: Of the picture as an array, and of its time in seconds if it takes two.
        fps: At most so many pictures a second go through it; ``None``: as many as come.
        track: The track to read, or ``None`` when pictures are :meth:`offered`.
    """

    def __init__(
        self, function: Function, fps: float | None, track: PacedTrack | None = None
    ) -> None:
        super().__init__("video")
        self.dropped = 0
        self.passed = 0
        self.inner = track
        self._function = function
        self._takes_time = _takes_two(function)
        self._step_s = 0.0 if fps is None else 1 / fps
        self._next_s = 0.0
        self._condition = threading.Condition()
        self._waiting: tuple[av.VideoFrame, float] | None = None
        self._result: tuple[av.VideoFrame, float] | None = None
        self._error: MediaError | None = None
        self._over = False
        self._thread: threading.Thread | None = None
        self._pump: asyncio.Task[None] | None = None
        self._reader: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @property
    def origin(self) -> object:
        """That of the track behind it, so that sound and picture stay in step."""
        return self.inner.origin if self.inner else super().origin

    @property
    def is_wanted(self) -> bool:
        """Whether somebody read lately."""
        if self.reading:
            return True
        now_s = self.source.pace.clock.now()
        return self.last_read_s is not None and now_s - self.last_read_s < _REST_S

    def offer(self, frame: av.VideoFrame, time_s: float) -> None:
        """Here is a new picture. From any thread."""
        if time_s < self._next_s - _FPS_GRACE_S:
            return
        self._next_s = max(self._next_s + self._step_s, time_s) if self._step_s else 0.0
        with self._condition:
            self.dropped += self._waiting is not None
            self._waiting = frame, time_s
            self._condition.notify()

    def finish(self, error: MediaError | None = None) -> None:
        """No picture comes any more. From any thread."""
        with self._condition:
            self._over = True
            self._error = self._error or error
            self._condition.notify()
            self._wake()

    async def read(self) -> MediaUnit:
        """See :meth:`SourceTrack.read`."""
        clock = self.source.pace.clock
        self.reading = True
        try:
            self._run()
            while True:
                with self._condition:
                    result, self._result = self._result, None
                    if result is None and (self._over or self.ended):
                        break
                    loop, event = asyncio.get_running_loop(), asyncio.Event()
                    self._reader = loop, event
                if result:
                    return self._stamped_at(*result)
                await event.wait()
        finally:
            self.reading = False
            self.last_read_s = clock.now()
        error = self._error
        self.source.error = self.source.error or error
        self._end()
        raise error or EndOfMedia

    def _stamped_at(self, frame: av.VideoFrame, time_s: float) -> av.VideoFrame:
        frame.pts = max(round(time_s / VIDEO_TIME_BASE), self._last_pts + 1)
        frame.time_base = Fraction(VIDEO_TIME_BASE)
        self._last_pts = frame.pts
        self.passed += 1
        return frame

    def _run(self) -> None:
        if self._thread is None and not self._over:
            self._thread = threading.Thread(target=self._work, name="xnb-filter", daemon=True)
            self._thread.start()
        if self.inner and (self._pump is None or self._pump.done()) and not self._over:
            self._pump = asyncio.ensure_future(self._read_inner(self.inner))

    async def _read_inner(self, inner: PacedTrack) -> None:
        try:
            while self.is_wanted:
                frame = await inner.read()
                if isinstance(frame, av.VideoFrame):
                    assert frame.pts is not None
                    assert frame.time_base is not None
                    self.offer(frame, float(frame.pts * frame.time_base))
        except EndOfMedia:
            self.finish()
        except MediaError as error:
            self.finish(error)

    def _work(self) -> None:
        while True:
            with self._condition:
                while self._waiting is None and not self._over:
                    self._condition.wait(1.0)
                if self._waiting is None:
                    return
                (frame, time_s), self._waiting = self._waiting, None
            try:
                made = self._apply(frame, time_s)
            except Exception as error:
                self.finish(_quoted(self._function, error))
                return
            if made is None:
                continue
            with self._condition:
                self.dropped += self._result is not None
                self._result = made, time_s
                self._wake()

    def _apply(self, frame: av.VideoFrame, time_s: float) -> av.VideoFrame | None:
        image = to_rgb(frame)
        made = self._function(image, time_s) if self._takes_time else self._function(image)
        if made is None:
            return None
        ready = to_av_video(made)
        # What the function gave may be its own, or the picture it was given.
        return convert(ready, pixel_format="yuv420p") if ready is made else ready

    def _wake(self) -> None:
        if self._reader:
            (loop, event), self._reader = self._reader, None
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def _pull(self) -> Timed:
        raise EndOfMedia  # read() needs no pacing: what comes is due already

    def close(self) -> None:
        """See :meth:`SourceTrack.close`."""
        self.finish()
        super().close()


class Filtered(WrappingSource):
    """Made by :func:`filtered`: the sound of another source as it is, and its filtered picture.

    Attributes:
        dropped: Pictures left out because a newer one was there before the function was ready.
    """

    is_on_trial = True

    def __init__(self, inner: Source, function: Function, fps: float | None) -> None:
        super().__init__(f"{inner.name}, filtered")
        self._function = function
        self._fps = fps
        self._outer: FilterTrack | None = None
        if isinstance(inner, LateSource) and not inner.kinds:
            self._behind: LateSource | None = inner
            inner.on_change = self._came
            inner.on_done(self._finish)
        else:
            self._behind = None
            self._adopt(inner)

    @property
    def dropped(self) -> int:
        """See the class."""
        return self._outer.dropped if self._outer else 0

    def _adopt(self, inner: Source) -> None:
        if inner.video:
            self._outer = FilterTrack(self._function, self._fps, inner.video)
            self._outer._source = self
        super()._adopt(inner)

    def _show(self, inner: Source) -> None:
        super()._show(inner)
        self.name = f"{inner.name}, filtered"
        self.video = self._outer

    def _begin(self) -> None:
        if self._behind:
            self._behind.start(self._clock)

    def _came(self) -> None:
        behind = self._behind
        if behind is None:
            return
        if behind.failure:
            self.refuse(behind.failure)
        elif behind.kinds and self._inner is None:
            self._adopt(behind)

    def close(self) -> None:
        """See :meth:`Source.close`."""
        if self._outer:
            self._outer.close()
        if self._behind:
            self._behind.close()
        super().close()


class FilteredPage(PageMedia):
    """The page's camera through a function: its pictures are decoded, and encoded anew."""

    def __init__(self, page: PageMedia, function: Function, fps: float | None) -> None:
        super().__init__(
            camera=page.camera, microphone=page.microphone, screen=page.screen, widget=page.widget
        )
        self._function = function
        self._fps = fps
        self.name = self._named(self.name)

    @property
    def dropped(self) -> int:
        """See :attr:`Filtered.dropped`."""
        return self.video.dropped if isinstance(self.video, FilterTrack) else 0

    def _picture_track(self, incoming: Any) -> PacedTrack | None:
        if incoming is None:
            return None
        if isinstance(self.video, PageFilterTrack) and self.video.incoming is incoming:
            return self.video
        return PageFilterTrack(incoming, self._function, self._fps)

    def _named(self, name: str) -> str:
        return f"{name}, filtered"


class PageFilterTrack(FilterTrack):
    """Pictures that a page sends, decoded while somebody reads them.

    Args:
        incoming: The engine ``Incoming`` of the page's picture.
        function: As of :class:`FilterTrack`.
        fps: The same.
    """

    def __init__(self, incoming: Any, function: Function, fps: float | None) -> None:
        super().__init__(function, fps)
        self.incoming = incoming
        self._handle: Any = None
        self._zero_s: float | None = None

    def _run(self) -> None:
        super()._run()
        if self._handle is None and not self._over:
            self._handle = self.incoming.on_frame(self._came)

    def _came(self, frame: av.VideoFrame, time_s: float) -> None:
        if self._over or not self.is_wanted:
            self._let_go()
            return
        if self._zero_s is None:
            self._zero_s = time_s
        self.offer(frame, time_s - self._zero_s)

    def _let_go(self) -> None:
        handle, self._handle = self._handle, None
        if handle:
            handle.close()

    def close(self) -> None:
        """See :meth:`SourceTrack.close`. On the engine's loop."""
        super().close()
        self._let_go()


def filtered(source: Sendable, function: Function, *, fps: float | None = None) -> Source:
    """Send a source through a function of yours: blur, mark, mirror, detect.

    Each picture goes through ``function`` on a thread of its own, and what it returns is sent.
    When it is slower than the pictures come, the newest wins: pictures in between are left out
    and counted in ``dropped``, and nothing piles up. Sound passes as it is.

    An exception in the function ends the source: ``playback.done`` and an ``error`` event quote
    it, and the call sends what it sent before.

    Args:
        source: Anything that can be sent; also ``xnb.page_media()``, whose pictures are decoded
            and encoded anew for this.
        function: Takes the picture as an array ``(height, width, 3)`` uint8 RGB, and the time in
            seconds if it takes two arguments; returns the picture to send (see
            :func:`~xnb.media.frames.to_av_video`) or ``None`` to leave this one out. The array is
            its own to change.
        fps: Let at most so many pictures a second through, 0.1 to 120; all that come if not given.

    Raises:
        MediaError: ``source`` cannot be sent, ``function`` cannot be called, or ``fps`` is out
            of range.

    Example:
        >>> playback = call.send_video(xnb.filtered(xnb.page_media(), lambda image: 255 - image))
        >>> playback.source.dropped
        0
    """
    slowest, fastest = 0.1, 120
    if fps is not None and not slowest <= fps <= fastest:
        raise MediaError(f"fps is {fps!r}.", remedy=f"Use {slowest} to {fastest}.")
    if not callable(function):
        raise MediaError(
            f"{type(function).__name__} is no function.",
            remedy="Give a function that takes a picture and returns one.",
        )
    inner = accept(source, "video")
    if isinstance(inner, PageMedia):
        return FilteredPage(inner, function, fps)
    return Filtered(inner, function, fps)


def _takes_two(function: Function) -> bool:
    try:
        inspect.signature(function).bind(None, 0.0)
    except (TypeError, ValueError):
        return False
    # An optional second argument of somebody else's function is not the time.
    required = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return len(required) > 1


def _quoted(function: Function, error: Exception) -> MediaError:
    name = getattr(function, "__name__", type(function).__name__)
    failure = MediaError(
        f"The filter {name} failed: {type(error).__name__}: {error}.",
        remedy="Correct it and send the source again.",
    )
    failure.__cause__ = error
    return failure
