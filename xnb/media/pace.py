"""Where a source stands: the line between time in the medium and time on the clock."""

from __future__ import annotations

import threading

from .clock import Clock

# Shifts are whole samples, so that sound stays contiguous to the sample.
_SAMPLE_RATE_HZ = 48000


class Pace:
    """The line between time in the medium and time on the clock, shared by a source's tracks.

    It is anchored by the first reader that has a frame in hand, so opening and decoding never
    make the first frames late.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.epoch = 0
        self._lock = threading.Lock()
        self._start_media_s = 0.0
        self._anchored = False
        self._origin_s: float | None = None
        self._shift_s = 0.0
        self._paused_at_s: float | None = None

    @property
    def paused(self) -> bool:
        """Whether time in the medium stands still."""
        return self._paused_at_s is not None

    def due(self, media_s: float) -> float | None:
        """Clock time at which ``media_s`` is due; ``None`` while paused."""
        with self._lock:
            if self._paused_at_s is not None:
                return None
            self._anchor()
            assert self._origin_s is not None
            return self._origin_s + media_s + self._shift_s

    def stamp(self, media_s: float) -> float:
        """Seconds since the source began at which ``media_s`` is due."""
        return media_s + self._shift_s

    def position_s(self) -> float:
        """Time in the medium now."""
        with self._lock:
            if not self._anchored or self._origin_s is None:
                return self._start_media_s
            now_s = self.clock.now() if self._paused_at_s is None else self._paused_at_s
            return max(0.0, now_s - self._origin_s - self._shift_s)

    def pause(self) -> None:
        """Let time in the medium stand still."""
        with self._lock:
            if self._paused_at_s is None:
                self._paused_at_s = self.clock.now()

    def resume(self) -> None:
        """Go on from where :meth:`pause` stopped."""
        with self._lock:
            if self._paused_at_s is not None:
                stood_s = self.clock.now() - self._paused_at_s
                if self._anchored:
                    self._shift_s += _whole_samples(stood_s)
                self._paused_at_s = None

    def restart_at(self, media_s: float) -> int:
        """Begin anew at ``media_s`` with the next frame; returns the new epoch."""
        with self._lock:
            self._start_media_s = media_s
            self._anchored = False
            if self._paused_at_s is not None:
                self._paused_at_s = self.clock.now()
            self.epoch += 1
            return self.epoch

    def _anchor(self) -> None:
        if self._anchored:
            return
        now_s = self.clock.now()
        if self._origin_s is None:
            self._origin_s = now_s - self._start_media_s
        self._shift_s = _whole_samples(now_s - self._origin_s - self._start_media_s)
        self._anchored = True


def _whole_samples(seconds: float) -> float:
    return round(seconds * _SAMPLE_RATE_HZ) / _SAMPLE_RATE_HZ
