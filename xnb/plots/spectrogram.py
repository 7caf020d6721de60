"""Sound over time and frequency."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError
from .figure import INK, InlineFigure, plain_axes

_COLUMNS = 1000
_FLOOR_DB = -100.0


def spectrum_db(
    samples: NDArray[Any], sample_rate_hz: int, window: int = 1024
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Short-time spectrum.

    Args:
        samples: (n,) or (n, channels) float in -1..1; channels are averaged.
        sample_rate_hz: Samples a second.
        window: Samples in each Hann window, a power of two.

    Returns:
        Times in s (columns), frequencies in Hz (rows), and levels in dB of shape (rows, columns);
        a full-scale sine is about 0 dB, the floor is -100 dB.
    """
    mono = np.asarray(samples, np.float64)
    mono = mono if mono.ndim == 1 else mono.mean(axis=1)
    if len(mono) < window:
        mono = np.pad(mono, (0, window - len(mono)))
    step = max(window // 4, (len(mono) - window) // _COLUMNS + 1)
    starts = np.arange(0, len(mono) - window + 1, step)
    shape = np.hanning(window)
    levels = np.empty((window // 2 + 1, len(starts)))
    for column, start in enumerate(starts):
        spectrum = np.abs(np.fft.rfft(mono[start : start + window] * shape)) / (shape.sum() / 2)
        levels[:, column] = 20 * np.log10(np.maximum(spectrum, 10 ** (_FLOOR_DB / 20)))
    frequencies_hz = np.fft.rfftfreq(window, 1 / sample_rate_hz).astype(np.float64)
    return (starts + window / 2) / sample_rate_hz, frequencies_hz, levels


def spectrogram(
    samples: NDArray[Any],
    sample_rate_hz: int = 48000,
    *,
    highest_hz: float | None = None,
    title: str = "",
) -> InlineFigure:
    """Draw a spectrogram.

    Args:
        samples: (n,) or (n, channels) float in -1..1.
        sample_rate_hz: Samples a second.
        highest_hz: Upper end of the axis; half the sample rate if not given.
        title: Shown above.

    Raises:
        MediaError: ``samples`` has another shape.
    """
    samples = np.asarray(samples)
    if samples.ndim not in (1, 2):
        raise MediaError(
            f"An array of shape {samples.shape} has no spectrogram.",
            remedy="Give samples of shape (n,) or (n, channels).",
        )
    times_s, frequencies_hz, levels_db = spectrum_db(samples, sample_rate_hz)
    figure = InlineFigure(6.4, 2.6)
    axes = plain_axes(figure)
    duration_s = max(len(samples) / sample_rate_hz, float(times_s[-1]), 1e-3)
    image = axes.imshow(
        levels_db,
        origin="lower",
        aspect="auto",
        extent=(0, duration_s, 0, frequencies_hz[-1] / 1000),
        vmin=_FLOOR_DB,
        vmax=0,
        cmap="magma",
        interpolation="nearest",
    )
    axes.set_ylim(0, (highest_hz or frequencies_hz[-1]) / 1000)
    axes.set_xlabel("seconds", fontsize=8)
    axes.set_ylabel("kHz", fontsize=8)
    bar = figure.colorbar(image, ax=axes, pad=0.01)
    bar.set_label("dB", color=INK, fontsize=8)
    bar.ax.tick_params(colors=INK, labelsize=8)
    if title:
        axes.set_title(title, fontsize=9)
    return figure
