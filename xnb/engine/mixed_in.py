"""What several connections receive as if it were one: everybody's sound, one person's picture."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from numpy.typing import NDArray

from ..events import ListenerHandle

if TYPE_CHECKING:
    from .receive import Incoming

_log = logging.getLogger(__name__)

RATE_HZ = 48_000
BLOCK = 960
"""Samples in a block of mixed sound: 20 ms."""
BLOCK_S = BLOCK / RATE_HZ
PREFILL = 2 * BLOCK
"""So much of somebody's sound waits before it is mixed in: their blocks and ours are not in step,
and each comes a few milliseconds early or late."""
MOST = 10 * BLOCK
"""Beyond 200 ms the oldest is left out."""
BEHIND_S = 0.1
"""After a blocked loop the clock of the mix starts anew instead of giving out a burst."""

FrameListener = Callable[[Any, float], Any]


class _Listeners:
    """Who wants frames; the first one starts the work, the last one ends it."""

    def __init__(self, start: Callable[[], None], stop: Callable[[], None]) -> None:
        self._start, self._stop = start, stop
        self._all: list[FrameListener] = []

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, callback: FrameListener) -> ListenerHandle:
        self._all.append(callback)
        if len(self._all) == 1:
            self._start()

        def remove() -> None:
            if callback in self._all:
                self._all.remove(callback)
                if not self._all:
                    self._stop()

        return ListenerHandle(remove)

    def tell(self, frame: Any, time_s: float) -> None:
        for listener in tuple(self._all):
            try:
                listener(frame, time_s)
            except Exception:
                _log.exception("A reader of a group's media failed.")

    def clear(self) -> None:
        if self._all:
            self._all.clear()
            self._stop()


class _Line:
    """One participant's sound that waits to be mixed."""

    def __init__(self) -> None:
        self._waiting: deque[NDArray[np.int16]] = deque()
        self._count = 0
        self._flows = False

    def put(self, frame: av.AudioFrame) -> None:
        samples = np.frombuffer(memoryview(frame.planes[0]), np.int16)[: frame.samples * 2]
        self._waiting.append(samples.reshape(-1, 2).copy())
        self._count += frame.samples
        while self._count > MOST:
            self._count -= len(self._waiting.popleft())

    def take(self) -> NDArray[np.int16] | None:
        """The next 20 ms; shorter where it breaks off, ``None`` while there is nothing."""
        if not self._flows and self._count < PREFILL:
            return None
        pieces, missing = [], BLOCK
        while missing and self._waiting:
            piece = self._waiting.popleft()
            if len(piece) > missing:
                self._waiting.appendleft(piece[missing:])
                piece = piece[:missing]
            pieces.append(piece)
            missing -= len(piece)
        self._count -= BLOCK - missing
        self._flows = not missing
        return np.concatenate(pieces) if pieces else None


class MixedIncoming:
    """Everybody's sound as one, in blocks of 20 ms on this machine's clock.

    Decoders run only while somebody listens. Sums that are too loud are clipped.

    Example:
        >>> mix = MixedIncoming()
        >>> mix.add("ann", peer.audio_in)
        >>> handle = mix.on_frame(lambda frame, time_s: print(frame.samples))
    """

    codec: str | None = "opus"

    def __init__(self) -> None:
        self._sources: dict[Hashable, Incoming] = {}
        self._lines: dict[Hashable, _Line] = {}
        self._handles: dict[Hashable, ListenerHandle] = {}
        self._listeners = _Listeners(self._begin, self._end)
        self._timer: asyncio.TimerHandle | None = None
        self._due_s = 0.0
        self._pts = 0

    @property
    def active(self) -> bool:
        """Whether anybody has sent sound yet."""
        return any(source.active for source in self._sources.values())

    def add(self, key: Hashable, source: Incoming) -> None:
        """Mix in what ``source`` receives, instead of what had this key before."""
        self.remove(key)
        self._sources[key] = source
        if self._listeners:
            self._listen(key)

    def remove(self, key: Hashable) -> None:
        """Leave it out. Does nothing when it is not there."""
        self._sources.pop(key, None)
        self._lines.pop(key, None)
        handle = self._handles.pop(key, None)
        if handle:
            handle.close()

    def on_frame(self, callback: FrameListener) -> ListenerHandle:
        """Call ``callback(frame, time_s)`` with each block: 48 kHz stereo s16, until closed."""
        return self._listeners.add(callback)

    def close(self) -> None:
        """Stop reading. May be called again."""
        self._listeners.clear()
        self._sources.clear()

    def _begin(self) -> None:
        for key in self._sources:
            self._listen(key)
        self._due_s = time.monotonic() + BLOCK_S
        self._timer = asyncio.get_running_loop().call_later(BLOCK_S, self._tick)

    def _end(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()
        self._lines.clear()

    def _listen(self, key: Hashable) -> None:
        line = self._lines[key] = _Line()
        self._handles[key] = self._sources[key].on_frame(lambda frame, _time_s: line.put(frame))

    def _tick(self) -> None:
        now_s = time.monotonic()
        if now_s - self._due_s > BEHIND_S:
            self._due_s = now_s
        while self._timer and self._due_s <= now_s:
            self._due_s += BLOCK_S
            self._listeners.tell(self._mixed(), now_s)
        if self._timer:
            self._timer = asyncio.get_running_loop().call_later(
                max(0.0, self._due_s - now_s), self._tick
            )

    def _mixed(self) -> av.AudioFrame:
        total: NDArray[np.int32] = np.zeros((BLOCK, 2), np.int32)
        for line in self._lines.values():
            piece = line.take()
            if piece is not None:
                total[: len(piece)] += piece
        samples = np.clip(total, -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._pts, Fraction(1, RATE_HZ)
        self._pts += BLOCK
        return frame


class FollowedIncoming:
    """The picture of one of several, who may change; decoded only while somebody looks."""

    def __init__(self) -> None:
        self.source: Incoming | None = None
        self._handle: ListenerHandle | None = None
        self._listeners = _Listeners(self._begin, self._end)

    @property
    def active(self) -> bool:
        """Whether the one who is followed has sent anything yet."""
        return bool(self.source and self.source.active)

    @property
    def codec(self) -> str | None:
        """Of the one who is followed."""
        return self.source.codec if self.source else None

    def follow(self, source: Incoming | None) -> None:
        """Show this one from now on; the picture changes with its first keyframe."""
        if source is self.source:
            return
        self._end()
        self.source = source
        if self._listeners:
            self._begin()

    def on_frame(self, callback: FrameListener) -> ListenerHandle:
        """Call ``callback(frame, time_s)`` with each picture until closed."""
        return self._listeners.add(callback)

    def request_keyframe(self) -> None:
        """Ask the one who is followed for a keyframe."""
        if self.source:
            self.source.request_keyframe()

    def close(self) -> None:
        """Stop reading. May be called again."""
        self._listeners.clear()
        self.source = None

    def _begin(self) -> None:
        if self.source:
            self._handle = self.source.on_frame(self._listeners.tell)

    def _end(self) -> None:
        if self._handle:
            self._handle.close()
            self._handle = None
