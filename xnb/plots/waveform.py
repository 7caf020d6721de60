"""Sound over time: the envelope of its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError
from .figure import ACCENT, INK, InlineFigure, plain_axes

_COLUMNS = 1200


def envelope(
    samples: NDArray[Any], columns: int = _COLUMNS
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lowest and highest value in each of at most ``columns`` equal stretches.

    Args:
        samples: (n,) or (n, channels), float in -1..1. Channels are looked at together.
        columns: 1 or more.

    Returns:
        Two arrays of the same length, lowest and highest.
    """
    if not len(samples):
        return np.zeros(1, np.float32), np.zeros(1, np.float32)
    low = samples if samples.ndim == 1 else samples.min(axis=1)
    high = samples if samples.ndim == 1 else samples.max(axis=1)
    return narrowed(low, high, columns)


def narrowed(
    low: NDArray[Any], high: NDArray[Any], columns: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """An envelope of at most ``columns`` columns, from a longer one; keeps every peak.

    Args:
        low: Lowest values, one or more.
        high: Highest values, as many.
        columns: 1 or more.
    """
    starts = np.linspace(0, len(low), min(columns, len(low)), endpoint=False).astype(int)
    return (
        np.minimum.reduceat(low, starts).astype(np.float32),
        np.maximum.reduceat(high, starts).astype(np.float32),
    )


def waveform(
    samples: NDArray[Any], sample_rate_hz: int = 48000, *, title: str = ""
) -> InlineFigure:
    """Draw the waveform of samples.

    Args:
        samples: (n,) or (n, channels) float in -1..1.
        sample_rate_hz: Samples a second.
        title: Shown above.

    Raises:
        MediaError: ``samples`` has another shape or dtype.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2) or not np.issubdtype(samples.dtype, np.floating):
        raise MediaError(
            f"An array of shape {samples.shape} and dtype {samples.dtype} has no waveform.",
            remedy="Give floats in -1..1 of shape (n,) or (n, channels).",
        )
    low, high = envelope(samples)
    return draw_envelope(low, high, len(samples) / sample_rate_hz, title=title)


def draw_envelope(
    low: NDArray[np.float32], high: NDArray[np.float32], duration_s: float, *, title: str = ""
) -> InlineFigure:
    """Draw an envelope that spans ``duration_s`` seconds; quiet sound is not made louder."""
    figure = InlineFigure(6.4, 1.5)
    axes = plain_axes(figure)
    edges_s = np.linspace(0, max(duration_s, 1e-3), len(low) + 1)
    axes.stairs(high, edges_s, baseline=low, fill=True, color=ACCENT)
    axes.axhline(0, color=INK, linewidth=0.5)
    axes.set_xlim(0, edges_s[-1])
    axes.set_ylim(-1, 1)
    axes.set_yticks((-1, 0, 1))
    axes.set_xlabel("seconds", fontsize=8)
    if title:
        axes.set_title(title, fontsize=9)
    return figure
