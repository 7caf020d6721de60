"""Pictures and sound made by a program: arrays, generators, functions."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError
from .frames import check_sample_rate, to_av_audio, to_av_video, to_int16
from .handoff import Handoff
from .source import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    Kind,
    PacedTrack,
    Source,
    Timed,
)
from .synthetic import stereo_frame

_log = logging.getLogger(__name__)

_VIDEO_AHEAD = 2
_AUDIO_AHEAD = 25
_JOIN_TIMEOUT_S = 0.5
_Convert = Callable[[Any], Iterable[Any]]


class PushTrack(PacedTrack):
    """Pulls items from a program, turns them into frames, gives them a place in time.

    A frame gets the place after the one before it, or now when the program is slower than that.
    """

    def __init__(self, kind: Kind, items: Any, convert: _Convert, frame_s: float) -> None:
        super().__init__(kind)
        self.frame_s = frame_s
        self._items = items
        self._convert = convert
        self._wake = threading.Event()
        self._async_wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        capacity = _VIDEO_AHEAD if kind == "video" else _AUDIO_AHEAD
        self._queue: Handoff[Any] = Handoff(capacity, self._taken)
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._next_s = 0.0
        self._stopped = False

    async def _pull(self) -> Timed:
        if self._thread is None and self._task is None and not self._stopped:
            self._begin()
        pace = self.source.pace
        frame = await self._queue.get()
        while self.kind == "video" and len(self._queue) and self._is_behind():
            self.skipped += 1
            frame = await self._queue.get()
        if self._is_behind():
            self._next_s = pace.position_s()
        media_s = self._next_s
        self._next_s += self.frame_s
        return Timed(media_s, frame, pace.epoch)

    def _skip_to(self, media_s: float) -> None:
        self.skipped += 1

    def _count_skipped(self, stretch_s: float) -> None:
        # A program's frames have no places of their own: only those thrown away count.
        pass

    def _is_behind(self) -> bool:
        return self.source.pace.position_s() > self._next_s + self.frame_s

    def _begin(self) -> None:
        if isinstance(self._items, AsyncIterable):
            self._loop = asyncio.get_running_loop()
            self._async_wake = asyncio.Event()
            self._task = asyncio.create_task(self._pump(aiter(self._items)))
        else:
            self._thread = threading.Thread(
                target=self._work, args=(iter(self._items),), name="xnb-push", daemon=True
            )
            self._thread.start()

    def _taken(self) -> None:
        self._wake.set()
        if self._async_wake:
            self._async_wake.set()

    def _work(self, items: Iterator[Any]) -> None:
        try:
            for item in items:
                for frame in self._convert(item):
                    self._queue.put(frame)
                while self._queue.is_full and not self._stopped:
                    self._wake.clear()
                    if self._queue.is_full and not self._stopped:
                        self._wake.wait(1.0)
                if self._stopped:
                    break
            else:
                self._put_rest()
        except Exception as error:
            self._queue.finish(_as_media_error(error, self.source.name))
        finally:
            close = getattr(items, "close", None)
            if close:
                close()

    async def _pump(self, items: AsyncIterator[Any]) -> None:
        assert self._async_wake is not None
        try:
            async for item in items:
                for frame in self._convert(item):
                    self._queue.put(frame)
                while self._queue.is_full:
                    self._async_wake.clear()
                    await self._async_wake.wait()
            self._put_rest()
        except Exception as error:
            self._queue.finish(_as_media_error(error, self.source.name))
        finally:
            aclose = getattr(items, "aclose", None)
            if aclose:
                await aclose()

    def _put_rest(self) -> None:
        for frame in self._convert(None):
            self._queue.put(frame)
        self._queue.finish()

    def close(self) -> None:
        """See :meth:`SourceTrack.close`. Also closes the generator."""
        super().close()
        if self._stopped:
            return
        self._stopped = True
        self._wake.set()
        self._queue.finish()
        if self._task and self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_TIMEOUT_S)


class PushSource(Source):
    """What a program makes."""

    def _released(self) -> None:
        for track in self._tracks:
            track.close()


def video_from(pictures: Any, fps: float = 30, *, name: str = "pictures") -> Source:
    """Send what a program draws.

    Args:
        pictures: An iterable, generator or async generator of pictures (see
            :func:`~xnb.media.frames.to_av_video` for what a picture may be), or a function that
            returns one; it may take the time in seconds. ``None`` from it ends the video. Plain
            iterables and functions run on a thread of their own.
        fps: How often to ask for one at most, 1 to 120. Pictures that come too late are left
            out and counted.
        name: What people see.

    Returns:
        A source with a video track. An exception in the generator ends it and is kept in
        ``source.error``; the reader gets a :class:`~xnb.errors.MediaError`.

    Raises:
        MediaError: ``pictures`` or ``fps`` cannot be used.

    Example:
        >>> def draw(time_s):
        ...     return np.full((240, 320, 3), int(time_s * 50) % 256, np.uint8)
        >>> source = video_from(draw, fps=15)
    """
    slowest, fastest = 1, 120
    if not slowest <= fps <= fastest:
        raise MediaError(f"fps is {fps!r}.", remedy=f"Use {slowest} to {fastest}.")
    items = _items(pictures, fps)
    return PushSource(name, video=PushTrack("video", items, convert_picture, 1 / fps))


def convert_picture(item: Any) -> list[av.VideoFrame]:
    """The frame that is sent for one picture of a program; none for ``None``."""
    return [] if item is None else [_fresh(to_av_video(item), item)]


def audio_from(samples: Any, sample_rate_hz: int = 48000, *, name: str = "sound") -> Source:
    """Send sound that a program makes.

    Args:
        samples: One array of any length, or an iterable, generator or async generator of arrays;
            shape (n,) or (n, 2), int16 or float in -1..1.
        sample_rate_hz: 8,000 to 192,000; resampled to 48 kHz.
        name: What people see.

    Returns:
        A source with an audio track; ``duration_s`` is known for an array. Errors as with
        :func:`video_from`.

    Raises:
        MediaError: ``samples`` or the rate cannot be used.
    """
    rate_hz = check_sample_rate(sample_rate_hz)
    duration_s = None
    if isinstance(samples, np.ndarray | list | tuple) and not _is_list_of_arrays(samples):
        array = to_int16(samples if isinstance(samples, np.ndarray) else np.asarray(samples, float))
        duration_s = len(array) / rate_hz
        samples = (array[start : start + rate_hz] for start in range(0, len(array), rate_hz))
    elif not isinstance(samples, Iterable | AsyncIterable):
        samples = _items(samples, 1)
    track = PushTrack("audio", samples, _Chunks(rate_hz), FRAME_SAMPLES / SAMPLE_RATE_HZ)
    return PushSource(name, audio=track, duration_s=duration_s)


class _Chunks:
    """Chunks of any length and rate in, blocks of 20 ms at 48 kHz out; ``None`` flushes."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resampler = av.AudioResampler("s16", "stereo", SAMPLE_RATE_HZ)
        self._pending: NDArray[np.int16] = np.empty((0, 2), np.int16)

    def __call__(self, chunk: Any) -> list[av.AudioFrame]:
        frame = None
        if chunk is not None:
            samples = to_int16(getattr(chunk, "samples", chunk))
            if not len(samples):
                return []
            # Always stereo, so that a change from mono to stereo does not upset the resampler.
            frame = to_av_audio(np.broadcast_to(samples, (len(samples), 2)), self._rate_hz)
            frame.pts = None
        resampled: list[NDArray[Any]] = [
            out.to_ndarray().reshape(-1, 2) for out in self._resampler.resample(frame)
        ]
        pending = np.concatenate([self._pending, *resampled])
        if chunk is None and len(pending) % FRAME_SAMPLES:
            padding = np.zeros((-len(pending) % FRAME_SAMPLES, 2), np.int16)
            pending = np.concatenate((pending, padding))
        count = len(pending) // FRAME_SAMPLES
        self._pending = pending[count * FRAME_SAMPLES :]
        return [
            stereo_frame(pending[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES]) for n in range(count)
        ]


def _is_list_of_arrays(samples: Any) -> bool:
    return not isinstance(samples, np.ndarray) and any(np.ndim(s) for s in samples[:1])


def _fresh(frame: av.VideoFrame, item: Any) -> av.VideoFrame:
    """A frame of our own: the timestamps of the program's must not be changed under it."""
    if frame is item or frame is getattr(item, "av", None):
        frame = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="yuv420p")
    return frame


def _items(given: Any, fps: float) -> Any:
    if inspect.isgeneratorfunction(given) or inspect.isasyncgenfunction(given):
        given = given()
    if isinstance(given, AsyncIterable | Iterable) and not isinstance(given, np.ndarray):
        return given
    if not callable(given):
        raise MediaError(
            f"{type(given).__name__} cannot be sent.",
            remedy="Give a generator, a list or a function that returns arrays.",
        )
    return _called(given, fps)


def _called(function: Callable[..., Any], fps: float) -> Iterator[Any]:
    try:
        inspect.signature(function).bind(0.0)
        takes_time = True
    except (TypeError, ValueError):
        takes_time = False
    number = 0
    while True:
        item = function(number / fps) if takes_time else function()
        if item is None:
            return
        yield item
        number += 1


def _as_media_error(error: Exception, name: str) -> MediaError:
    if isinstance(error, MediaError):
        return error
    failure = MediaError(
        f"What makes {name} failed: {type(error).__name__}: {error}.",
        remedy="Correct the generator and send it again.",
    )
    failure.__cause__ = error
    return failure
