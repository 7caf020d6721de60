"""From packets of sound to sound: drives the playout buffer and a decoder on the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError
from .audio_buffer import FRAME_SAMPLES, RATE_HZ, PlayoutBuffer, Step
from .audio_stretch import crossfade, lengthen, shorten
from .coders.opus import OpusDecoder
from .rtp.packets import RtpPacket

_TIME_BASE = Fraction(1, RATE_HZ)
_FORMAT, _LAYOUT = av.AudioFormat("s16"), av.AudioLayout("stereo")
_SEAM_SAMPLES = 360
_SOFT_SHARE = 0.1
"""Sound softer than this share of the recent loudest hides a change of length."""
_GROW_PATIENCE, _SHRINK_PATIENCE = 60, 200
"""Frames such a place is waited for; after that, voices are stretched by whole periods."""
_REST_FRAMES = 3


class Timer(Protocol):
    """What a loop gives for a call to come."""

    def cancel(self) -> object:
        """Let the call not happen."""
        ...


class Loop(Protocol):
    """The part of an event loop that is used."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call ``callback`` in ``delay`` seconds."""
        ...


class AudioPlayout:
    """One continuous sound from a stream of Opus packets, whatever the network does to them.

    On a clean link a packet is decoded and handed out as it comes. With jitter or loss sound
    waits as long as that takes, see :class:`~xnb.engine.audio_delay.DelayTarget`; a packet that
    does not come in time is taken from the next one's in-band FEC or concealed.

    Everything happens on the loop, in :meth:`add` and in a timer that exists only while sound
    waits or is missed.

    Args:
        deliver: Called with 48 kHz stereo s16 frames and their time, in samples. A frame begins
            where the one before ended, unless the sender paused. Frames are mostly 20 ms long;
            where the delay changes, up to 12.5 ms shorter or longer.
        rtt_s: The round trip to the sender in seconds, or None while unknown: asked whether
            waiting for repeated packets helps.
        loop: Where timers are set; the running loop by default.
        now: The loop's clock, in seconds.

    Attributes:
        stretched: Frames made longer or shorter.
        failed: Packets the decoder did not take.
    """

    def __init__(
        self,
        deliver: Callable[[av.AudioFrame, int], None],
        *,
        rtt_s: Callable[[], float | None] = lambda: None,
        loop: Loop | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stretched = 0
        self.failed = 0
        self._deliver = deliver
        self._rtt_s = rtt_s
        self._loop: Loop = loop or asyncio.get_running_loop()
        self._now = now
        self._buffer = PlayoutBuffer()
        self._decoder = OpusDecoder()
        self._timer: Timer | None = None
        self._timer_s = 0.0
        self._waited = 0
        self._loudest = 0.0
        self._running = False
        self._closed = False

    @property
    def received(self) -> int:
        """Packets played."""
        return self._buffer.received

    @property
    def late(self) -> int:
        """Packets that came after their moment, or twice."""
        return self._buffer.late

    @property
    def skipped(self) -> int:
        """Packets thrown away because they had become too old while the loop was blocked."""
        return self._buffer.skipped

    @property
    def recovered(self) -> int:
        """20 ms frames taken from the in-band FEC of the packet after."""
        return self._buffer.recovered_samples // FRAME_SAMPLES

    @property
    def concealed(self) -> int:
        """20 ms frames that did not come in time and were not recovered."""
        return self._buffer.concealed_samples // FRAME_SAMPLES

    @property
    def target_delay_s(self) -> float:
        """How late a packet may come and still be played, 0.02 to 0.2 s."""
        return self._buffer.delay.target_s

    @property
    def delay_s(self) -> float:
        """How long after the earliest possible arrival sound is handed out, smoothed."""
        return self._buffer.delay_s

    @property
    def shift_samples(self) -> int:
        """Time handed out minus the sender's (RTP timestamp, not wrapping), now.

        It changes as the delay grows and shrinks; subtract it to compare sound with pictures.
        """
        return self._buffer.output - self._buffer.media

    def __repr__(self) -> str:
        return (
            f"<AudioPlayout received={self.received} recovered={self.recovered} "
            f"concealed={self.concealed} delay={self.delay_s * 1000:.0f} ms>"
        )

    def add(self, packet: RtpPacket) -> None:
        """Take a packet, in any order; what is due is delivered before this returns."""
        if self._closed:
            return
        now_s = self._now()
        self._buffer.insert(packet, now_s, self._rtt_s())
        self._run(now_s)

    def close(self) -> None:
        """Deliver nothing more. May be called twice, and from ``deliver``."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self, now_s: float) -> None:
        if self._running:
            return
        self._running = True
        try:
            while not self._closed:
                step = self._buffer.next(now_s, self._rtt_s())
                if step is None:
                    break
                timestamp = self._buffer.output
                samples = self._sound(step)
                self._buffer.delivered(len(samples))
                self._deliver(_frame(samples, timestamp), timestamp)
        finally:
            self._running = False
        self._set_timer()

    def _sound(self, step: Step) -> NDArray[np.int16]:
        decoder = self._decoder
        if step.kind == "conceal":
            return decoder.conceal(step.samples)
        if step.fresh:
            decoder.reset()
        tail = decoder.conceal(_SEAM_SAMPLES) if step.seam else None
        try:
            if step.kind == "recover":
                return decoder.decode_fec(step.data, step.samples)
            samples = decoder.decode(step.data)
        except MediaError:
            self.failed += 1
            return decoder.conceal(step.samples)
        if tail is not None and len(samples) >= _SEAM_SAMPLES:
            samples = crossfade(tail, samples)
        if step.change:
            return self._stretch(samples, step)
        self._waited = 0
        return samples

    def _stretch(self, samples: NDArray[np.int16], step: Step) -> NDArray[np.int16]:
        level = float(np.abs(samples[::4, 0].astype(np.int32)).mean())
        self._loudest = max(level, 0.99 * self._loudest)
        soft = level < _SOFT_SHARE * self._loudest
        self._waited += 1
        patience = _GROW_PATIENCE if step.change > 0 else _SHRINK_PATIENCE
        if self._waited < patience and not soft and not step.hurry:
            return samples
        change = lengthen if step.change > 0 else shorten
        changed = change(samples, abs(step.change), anyhow=soft or step.hurry)
        if changed is not samples:
            self.stretched += 1
            if not soft:
                self._waited = patience - _REST_FRAMES
        return changed

    def _set_timer(self) -> None:
        wake_s = None if self._closed else self._buffer.wake_s()
        if self._timer is not None:
            if wake_s is not None and self._timer_s <= wake_s:
                # Early is as good: it looks, and is set again.
                return
            self._timer.cancel()
            self._timer = None
        if wake_s is not None:
            self._timer_s = wake_s
            self._timer = self._loop.call_later(max(0.0, wake_s - self._now()), self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._run(self._now())


def _frame(samples: NDArray[np.int16], timestamp: int) -> av.AudioFrame:
    """The cheapest of PyAV's ways to make a frame: 2 microseconds."""
    frame = av.AudioFrame(format=_FORMAT, layout=_LAYOUT, samples=len(samples))
    data: Any = samples
    frame.planes[0].update(data)
    frame.sample_rate = RATE_HZ
    frame.pts = timestamp
    frame.time_base = _TIME_BASE
    return frame
