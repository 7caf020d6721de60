"""Sources that need no file: the test card, tones, noise, music and a spoken counter."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError
from .source import FRAME_SAMPLES, SAMPLE_RATE_HZ, PacedTrack, Source, Timed
from .testcard import CardPainter, read_counter

__all__ = ["music", "noise", "read_counter", "silence", "spoken_counter", "testcard", "tone"]

_FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ
_DIGITS = Path(__file__).parent / "assets" / "digits.ogg"
_Samples = NDArray[np.int16]


class _PictureTrack(PacedTrack):
    may_rest = True

    def __init__(self, card: CardPainter) -> None:
        super().__init__("video")
        self.frame_s = 1 / card.fps
        self._card = card
        self._next = 0

    async def _pull(self) -> Timed:
        number = self._next
        self._next += 1
        # Drawn for every frame asked for, also one that turns out late: that is rare.
        return Timed(number / self._card.fps, self._card.draw(number), self.source.pace.epoch)

    def _skip_to(self, media_s: float) -> None:
        self._next = max(self._next, math.floor(media_s * self._card.fps))


class _LoopTrack(PacedTrack):
    """Plays (n, 2) int16 samples over and over; n is a multiple of 960."""

    may_rest = True

    def __init__(self, samples: _Samples) -> None:
        super().__init__("audio")
        self._samples = samples
        self._next = 0

    async def _pull(self) -> Timed:
        index = self._next
        self._next += 1
        first = index * FRAME_SAMPLES % len(self._samples)
        piece = self._samples[first : first + FRAME_SAMPLES]
        return Timed(index * _FRAME_S, stereo_frame(piece), self.source.pace.epoch)

    def _skip_to(self, media_s: float) -> None:
        self._next = max(self._next, math.floor(media_s / _FRAME_S))


def stereo_frame(samples: _Samples) -> av.AudioFrame:
    """A 48 kHz s16 frame from (n, 2) int16 samples."""
    packed: NDArray[Any] = np.ascontiguousarray(samples).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="stereo")
    frame.sample_rate = SAMPLE_RATE_HZ
    return frame


def testcard(
    width: int = 640,
    height: int = 480,
    fps: float = 30,
    *,
    audio: Literal["tone", "counter"] | None = "tone",
    tone_hz: float = 440.0,
    colour: tuple[int, int, int] | None = None,
) -> Source:
    """Colour bars with a clock, a moving ball and a frame counter that machines can read.

    The counter is a strip of 24 black and white cells along the top, the lowest bit first; see
    :func:`read_counter`.

    Args:
        width: Even, 160 to 4096 pixels.
        height: Even, 120 to 2304 pixels.
        fps: Frames a second, 1 to 120.
        audio: ``"tone"``, ``"counter"`` for a voice that says the seconds, or ``None`` for no
            sound.
        tone_hz: Of the tone, 20 to 20,000, kept to within 0.5 Hz.
        colour: Red, green and blue, 0 to 255, instead of the bars, so that test cards can be
            told apart.

    Raises:
        MediaError: A size, rate or colour outside its range.

    Example:
        >>> source = testcard(320, 240, audio="counter")
    """
    for name, value, low, high in (
        ("width", width, 160, 4096),
        ("height", height, 120, 2304),
        ("fps", fps, 1, 120),
    ):
        if not low <= value <= high or (name != "fps" and value % 2):
            raise MediaError(
                f"The test card's {name} is {value!r}.",
                remedy=f"Use {low} to {high}{'' if name == 'fps' else ', an even number'}.",
            )
    if audio not in (None, "tone", "counter"):
        raise MediaError(
            f"audio is {audio!r}.", remedy="Use 'tone', 'counter' or None for no sound."
        )
    if colour is not None and not all(0 <= part <= 255 for part in colour):
        raise MediaError(f"colour is {colour!r}.", remedy="Use three numbers from 0 to 255.")
    samples = None
    if audio == "counter":
        samples = _counter_samples()
    elif audio == "tone":
        samples = _tone_samples(_checked_hz(tone_hz), 0.1)
    return Source(
        "test card",
        video=_PictureTrack(CardPainter(width, height, fps, colour)),
        audio=None if samples is None else _LoopTrack(samples),
    )


def tone(frequency_hz: float = 440.0, level: float = 0.2) -> Source:
    """A sine wave.

    Args:
        frequency_hz: 20 to 20,000, kept to within 0.5 Hz.
        level: Amplitude, 0 to 1 (full scale).
    """
    if not 0 <= level <= 1:
        raise MediaError(f"A tone's level cannot be {level!r}.", remedy="Use 0 to 1.")
    samples = _tone_samples(_checked_hz(frequency_hz), level)
    return Source(f"tone {frequency_hz:g} Hz", audio=_LoopTrack(samples))


def _checked_hz(frequency_hz: float) -> float:
    lowest_hz, highest_hz = 20, 20000
    if not lowest_hz <= frequency_hz <= highest_hz:
        raise MediaError(f"A tone cannot have {frequency_hz!r} Hz.", remedy="Use 20 to 20000.")
    return frequency_hz


def silence() -> Source:
    """No sound, sent as such."""
    return Source("silence", audio=_LoopTrack(np.zeros((FRAME_SAMPLES, 2), np.int16)))


def noise(level: float = 0.1) -> Source:
    """White noise, the same every time; ``level`` is its root mean square, 0 to 0.3."""
    loudest = 0.3
    if not 0 <= level <= loudest:
        raise MediaError(f"The noise's level is {level!r}.", remedy=f"Use 0 to {loudest}.")
    samples = np.random.default_rng(1).normal(0, level, SAMPLE_RATE_HZ * 4)
    return Source("noise", audio=_LoopTrack(_stereo(samples)))


def music() -> Source:
    """A short generated piece: broken chords over a bass, eight seconds, over and over."""
    return Source("music", audio=_LoopTrack(_music_samples()))


def spoken_counter() -> Source:
    """A voice that says the last digit of the second, once a second, in step with the test card."""
    return Source("spoken counter", audio=_LoopTrack(_counter_samples()))


@functools.lru_cache(maxsize=16)
def _tone_samples(frequency_hz: float, level: float) -> _Samples:
    # Two seconds hold a whole number of periods of every multiple of 0.5 Hz: no click at the seam.
    length = 2 * SAMPLE_RATE_HZ
    cycles = round(2 * frequency_hz)
    return _stereo(level * np.sin(2 * np.pi * cycles * np.arange(length) / length))


def _stereo(samples: NDArray[np.float64]) -> _Samples:
    mono = np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16)
    return np.repeat(mono[:, np.newaxis], 2, axis=1)


@functools.cache
def _music_samples() -> _Samples:
    beat = SAMPLE_RATE_HZ // 4
    chords = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))
    pattern = (0, 1, 2, 1, 0, 2, 1, 2)
    length = beat * len(chords) * len(pattern)
    mix = np.zeros(length)
    ring = 3 * beat
    for bar, chord in enumerate(chords):
        start = bar * len(pattern) * beat
        _pluck(mix, start, chord[0] - 12, beat * len(pattern), 0.16)
        for step, voice in enumerate(pattern):
            octave = 12 if step in (3, 7) else 0
            _pluck(mix, start + step * beat, chord[voice] + octave, ring, 0.12)
    return _stereo(mix)


def _pluck(mix: NDArray[np.float64], start: int, note: int, length: int, level: float) -> None:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    frequency_hz = 440 * 2 ** ((note - 69) / 12)
    wave = sum(np.sin(2 * np.pi * frequency_hz * k * time_s) / k**2 for k in (1, 2, 3))
    envelope = np.minimum(time_s / 0.008, 1) * np.exp(-4 * time_s) * np.linspace(1, 0, length)
    # The end of the piece rings on into its beginning, so that the loop has no seam.
    np.add.at(mix, np.arange(start, start + length) % len(mix), level * wave * envelope)


@functools.cache
def _counter_samples() -> _Samples:
    # assets/digits.ogg holds the ten digits, one a second. Made with espeak-ng 1.51:
    #   for d in 0..9: espeak-ng -v en-us -s 150 -a 160 --stdout $d, cut at silence to at most
    #   0.7 s, placed at d seconds, then encoded mono by libopus at 32 kbit/s.
    with av.open(str(_DIGITS)) as container:
        resampler = av.AudioResampler("s16", "stereo", SAMPLE_RATE_HZ)
        pieces = [
            out.to_ndarray().reshape(-1, 2)
            for frame in container.decode(audio=0)
            for out in resampler.resample(frame)
        ]
    spoken = np.concatenate(pieces)
    samples = np.zeros((10 * SAMPLE_RATE_HZ, 2), np.int16)
    length = min(len(samples), len(spoken))
    samples[:length] = spoken[:length]
    return samples
