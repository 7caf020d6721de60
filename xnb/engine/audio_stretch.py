"""Sound made a little longer or shorter without a change of pitch: overlap-add at a period.

A piece as long as one period of the voice is cut out or repeated, and the seam is cross-faded, as
in WSOLA (Verhelst and Roelands, 1993).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEP = 4
"""Periods are looked for at 12 kHz."""
_MIN_PERIOD = 120
_MAX_PERIOD = 600
"""2.5 to 12.5 ms: voices from 400 down to 80 Hz."""
_SEAM = 360
"""7.5 ms of cross-fade."""
_QUIET = 60.0
"""Mean amplitude below which any seam is inaudible, of 32768."""
_ALIKE = 0.75
MIN_SAMPLES = _MAX_PERIOD + _SEAM
"""Shorter frames are left as they are."""

_FADE: NDArray[np.float32] = (
    0.5 - 0.5 * np.cos(np.pi * (np.arange(_SEAM, dtype=np.float32) + 0.5) / _SEAM)
).astype(np.float32)[:, None]


def crossfade(old: NDArray[np.int16], new: NDArray[np.int16]) -> NDArray[np.int16]:
    """``new`` with its first 7.5 ms blended from ``old``; both (n, channels), 360 or longer."""
    blended = old[:_SEAM] + _FADE * (new[:_SEAM].astype(np.float32) - old[:_SEAM])
    return np.concatenate([np.rint(blended).astype(np.int16), new[_SEAM:]])


def shorten(samples: NDArray[np.int16], most: int, *, anyhow: bool = False) -> NDArray[np.int16]:
    """Cut out one period, at most ``most`` samples.

    Args:
        samples: (n, channels) int16 at 48 kHz.
        most: The most to cut.
        anyhow: Cut even where the two sides of the seam are not alike.

    Returns:
        The shorter sound, or ``samples`` itself where a cut would be heard.
    """
    period = _period(samples, most, anyhow=anyhow)
    return crossfade(samples, samples[period:]) if period else samples


def lengthen(samples: NDArray[np.int16], most: int, *, anyhow: bool = False) -> NDArray[np.int16]:
    """Repeat one period, at most ``most`` samples; otherwise as :func:`shorten`."""
    period = _period(samples, most, anyhow=anyhow)
    if not period:
        return samples
    return np.concatenate([samples[:period], crossfade(samples[period:], samples)])


def _period(samples: NDArray[np.int16], most: int, *, anyhow: bool) -> int:
    """The shift that leaves the sound most like itself; 0 when nothing suits."""
    most = min(most, _MAX_PERIOD, len(samples) - _SEAM)
    if most < _MIN_PERIOD or len(samples) < MIN_SAMPLES:
        return 0
    mono = samples[::_STEP].sum(axis=1, dtype=np.float32)
    if float(np.abs(mono).mean()) < _QUIET * samples.shape[1]:
        return most
    seam, first, last = _SEAM // _STEP, _MIN_PERIOD // _STEP, most // _STEP
    pattern = mono[:seam]
    beyond = mono[first : last + seam]
    likeness = np.correlate(beyond, pattern)
    sums = np.concatenate([[0.0], np.cumsum(beyond * beyond, dtype=np.float64)])
    energy = np.sqrt((sums[seam:] - sums[:-seam]) * float(pattern @ pattern)) + 1e-6
    score = likeness / energy
    best = int(np.argmax(score))
    if score[best] < _ALIKE and not anyhow:
        return 0
    return (first + best) * _STEP
