"""Sound over time and frequency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import MediaError
from ..media.levels import as_mono
from .figure import INK, InlineFigure, plain_axes

_COLUMNS = 1000
_FLOOR_DB = -100.0
_COLOURS = "magma"


class Spectrum(NamedTuple):
    """A short-time spectrum.

    Attributes:
        times_s: The middle of each column.
        frequencies_hz: Of each row, from 0 up.
        levels_db: (rows, columns); a full-scale sine is about 0 dB, the floor is -100 dB.
    """

    times_s: NDArray[np.float64]
    frequencies_hz: NDArray[np.float64]
    levels_db: NDArray[np.float64]


def spectrum_db(samples: NDArray[Any], sample_rate_hz: int, window: int = 1024) -> Spectrum:
    """Short-time spectrum of samples.

    Args:
        samples: (n,) or (n, channels) float in -1..1; channels are averaged.
        sample_rate_hz: Samples a second.
        window: Samples in each Hann window, a power of two.
    """
    return spectrum_of([np.asarray(samples)], len(samples), sample_rate_hz, window)


def spectrum_of(
    pieces: Iterable[NDArray[Any]], count: int, sample_rate_hz: int, window: int = 1024
) -> Spectrum:
    """Short-time spectrum of sound that comes in pieces, which are never held all at once.

    Args:
        pieces: As for :func:`spectrum_db`, of any lengths.
        count: About how many samples there are in all: says how far apart the columns are.
        sample_rate_hz: Samples a second.
        window: Samples in each Hann window, a power of two.
    """
    step = max(window // 4, (count - window) // _COLUMNS + 1)
    shape = np.hanning(window)
    columns: list[NDArray[np.float64]] = []
    held: NDArray[Any] = np.zeros(0, np.float32)
    begin = 0
    for piece in pieces:
        held = np.concatenate((held, as_mono(piece)))
        while len(columns) * step + window <= begin + len(held):
            start = len(columns) * step - begin
            columns.append(_levels_db(held[start : start + window] * shape, shape))
        used = max(0, min(len(held), len(columns) * step - begin))
        begin, held = begin + used, held[used:]
    if not columns:
        columns.append(_levels_db(np.pad(held, (0, window - len(held))) * shape, shape))
    frequencies_hz = np.fft.rfftfreq(window, 1 / sample_rate_hz).astype(np.float64)
    times_s = (np.arange(len(columns)) * step + window / 2) / sample_rate_hz
    return Spectrum(times_s, frequencies_hz, np.stack(columns, axis=1))


def _levels_db(windowed: NDArray[Any], shape: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(windowed)) / (shape.sum() / 2)
    levels: NDArray[np.float64] = 20 * np.log10(np.maximum(spectrum, 10 ** (_FLOOR_DB / 20)))
    return levels


def by_ear(spectrum: Spectrum, rows: int) -> NDArray[np.float64]:
    """Levels of ``rows`` bands as wide as the ear tells apart: (rows, columns), lowest first.

    The bands are even on the mel scale (Stevens, Volkmann and Newman 1937, in the form
    2595 log10(1 + f / 700)); each has the level of the strongest frequency in it.
    """
    highest_mel = 2595 * np.log10(1 + spectrum.frequencies_hz[-1] / 700)
    edges_hz = 700 * (10 ** (np.linspace(0, highest_mel, rows + 1) / 2595) - 1)
    edges = np.searchsorted(spectrum.frequencies_hz, edges_hz[:-1])
    bands: NDArray[np.float64] = np.stack(
        [
            spectrum.levels_db[low : max(low + 1, high)].max(axis=0)
            for low, high in zip(edges, [*edges[1:], len(spectrum.frequencies_hz)], strict=True)
        ]
    )
    return bands


def as_bytes(levels_db: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Levels as 0 (the floor, -100 dB) to 255 (0 dB), for images."""
    scaled = (np.clip(levels_db, _FLOOR_DB, 0) - _FLOOR_DB) / -_FLOOR_DB * 255
    whole: NDArray[np.uint8] = np.rint(scaled).astype(np.uint8)
    return whole


def colours() -> NDArray[np.uint8]:
    """The colour of each of 256 levels, (256, 3) RGB: as even for the eye as they are in dB."""
    from matplotlib import colormaps

    table: NDArray[np.uint8] = np.rint(colormaps[_COLOURS](np.arange(256))[:, :3] * 255).astype(
        np.uint8
    )
    return table


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
    spectrum = spectrum_db(samples, sample_rate_hz)
    return draw_spectrum(
        spectrum, len(samples) / sample_rate_hz, highest_hz=highest_hz, title=title
    )


def draw_spectrum(
    spectrum: Spectrum, duration_s: float, *, highest_hz: float | None = None, title: str = ""
) -> InlineFigure:
    """Draw a spectrum that spans ``duration_s`` seconds."""
    times_s, frequencies_hz, levels_db = spectrum
    figure = InlineFigure(6.4, 2.6)
    axes = plain_axes(figure)
    duration_s = max(duration_s, float(times_s[-1]), 1e-3)
    image = axes.imshow(
        levels_db,
        origin="lower",
        aspect="auto",
        extent=(0, duration_s, 0, frequencies_hz[-1] / 1000),
        vmin=_FLOOR_DB,
        vmax=0,
        cmap=_COLOURS,
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
