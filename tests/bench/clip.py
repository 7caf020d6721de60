"""What both sides of a measurement send: pictures with a readable number, speech, clicks.

Everything is made from fixed seeds, so that two runs send the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48000
CELL_PX = 16
COUNTER_BITS = 12
_DARK, _LIGHT = 16, 235
_DIGITS = Path(__file__).resolve().parents[2] / "xnb" / "media" / "assets" / "digits.ogg"

Picture = NDArray[np.uint8]


def pictures(width: int, height: int, count: int) -> Picture:
    """A camera-like loop without a cut: (count, width * height * 3 / 2) uint8, I420.

    A textured wall sways, an oval moves before it, every pixel has a little sensor noise. Along
    the top, 16-pixel cells say the picture's index: 12 bits, lowest first, then the same 12
    inverted, so that a damaged strip is noticed.
    """
    rng = np.random.default_rng(20)
    margin = 48
    wall = _texture(rng, height + 2 * margin, width + 2 * margin, (80, 20, 5), (30, 200))
    face = _texture(rng, height + 2 * margin, width + 2 * margin, (40, 12, 6), (70, 190))
    chroma = [
        _texture(rng, height // 2 + margin, width // 2 + margin, (60, 30, 15), (96, 160))
        for _ in range(2)
    ]
    rows, columns = np.mgrid[0:height, 0:width]
    grain = rng.normal(0, 1.3, (height, width))
    made = np.empty((count, width * height * 3 // 2), np.uint8)
    for index in range(count):
        turn = 2 * np.pi * index / count
        # The same speed whatever the length of the loop: shorter loops sway less far.
        reach = count / 120
        right, down = round(22 * reach * np.sin(turn)), round(9 * reach * np.cos(turn))
        luma = _cut(wall, margin + down, margin + right, height, width).copy()
        middle_x = width * (0.5 + 0.11 * reach * np.sin(turn + 1))
        middle_y = height * (0.55 + 0.07 * reach * np.cos(turn))
        oval = ((columns - middle_x) / (0.2 * width)) ** 2 + (
            (rows - middle_y) / (0.3 * height)
        ) ** 2 < 1
        luma[oval] = _cut(face, margin - down, margin - right, height, width)[oval]
        luma += np.roll(grain, 37 * index, axis=(0, 1))
        planes = [luma]
        for plane in chroma:
            top, left = (margin + down) // 2, (margin + right) // 2
            planes.append(_cut(plane, top, left, height // 2, width // 2))
        y, u, v = (np.clip(np.rint(plane), _DARK, _LIGHT).astype(np.uint8) for plane in planes)
        _write_counter(y, index)
        made[index] = np.concatenate([y.ravel(), u.ravel(), v.ravel()])
    return made


def _texture(
    rng: Any, height: int, width: int, scales: tuple[int, ...], span: tuple[int, int]
) -> Any:
    total = np.zeros((height, width))
    for weight, scale in enumerate(reversed(scales), 1):
        coarse = rng.random((height // scale + 2, width // scale + 2))
        at_y, at_x = np.arange(height) / scale, np.arange(width) / scale
        y, x = at_y.astype(int), at_x.astype(int)
        fy, fx = (at_y - y)[:, None], (at_x - x)[None, :]
        upper = coarse[np.ix_(y, x)] * (1 - fx) + coarse[np.ix_(y, x + 1)] * fx
        lower = coarse[np.ix_(y + 1, x)] * (1 - fx) + coarse[np.ix_(y + 1, x + 1)] * fx
        total += weight * (upper * (1 - fy) + lower * fy)
    low, high = span
    return low + (high - low) * (total - total.min()) / (total.max() - total.min())


def _cut(plane: Any, top: int, left: int, height: int, width: int) -> Any:
    return plane[top : top + height, left : left + width]


def _write_counter(luma: Picture, index: int) -> None:
    for bit in range(COUNTER_BITS):
        value = index >> bit & 1
        for cell, light in ((bit, value), (bit + COUNTER_BITS, 1 - value)):
            left = cell * CELL_PX
            luma[:CELL_PX, left : left + CELL_PX] = _LIGHT if light else _DARK


def read_counter(row: Any, scale: float = 1.0) -> int | None:
    """The index in the cells.

    Args:
        row: Brightness along the middle of the strip, at least ``384 * scale`` values.
        scale: Size of the picture against the one that was sent.

    Returns:
        The index, or ``None`` when the strip is damaged or missing.
    """
    number = 0
    for bit in range(COUNTER_BITS):
        one = row[int((bit + 0.5) * CELL_PX * scale)] > 125
        other = row[int((bit + COUNTER_BITS + 0.5) * CELL_PX * scale)] > 125
        if one == other:
            return None
        number |= int(one) << bit
    return number


def speech() -> NDArray[np.int16]:
    """About 6 s of a voice saying digits with short pauses, mono, 48 kHz, to be looped.

    A whole number of 20 ms frames.
    """
    with av.open(str(_DIGITS)) as container:
        resampler = av.AudioResampler("s16", "mono", RATE_HZ)
        parts = [
            piece.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    samples = np.concatenate(parts)
    frame = RATE_HZ // 50
    samples = samples[: len(samples) // frame * frame]
    loud = np.abs(samples.reshape(-1, frame).astype(np.int32)).max(axis=1) > 250
    # A frame stays when it or one of its neighbours within 60 ms sounds.
    near = np.convolve(loud, np.ones(7), "same") > 0
    kept = samples.reshape(-1, frame)[near]
    active = kept[np.abs(kept).max(axis=1) > 250].astype(float)
    # -26 dBov, the usual level of speech in tests (ITU-T P.56): codecs overshoot, so full scale
    # would be clipped and PESQ would rate the clipping.
    level = 32768 * 10 ** (-26 / 20) / np.sqrt(np.mean(active**2))
    return np.rint(kept.ravel() * level).astype(np.int16)


def clicks() -> tuple[NDArray[np.int16], list[int]]:
    """Ten seconds of silence with short clicks, and where they are, in samples.

    They are about 0.5 s apart and fall on every part of a 20 ms frame, so that how a side cuts
    its frames evens out.
    """
    samples = np.zeros(10 * RATE_HZ, np.int16)
    wave = 22000 * np.sin(2 * np.pi * np.arange(96) / 24)
    places = [round(number * (0.5 * RATE_HZ + 137.0)) + 4800 for number in range(19)]
    for place in places:
        samples[place : place + len(wave)] = wave
    return samples, places


def heard_share(heard: NDArray[np.int16], sent: NDArray[np.int16]) -> float:
    """How alike the loudness of ``heard`` and of the looped ``sent`` runs: -1 to 1.

    Compares the loudness in steps of 10 ms, second by second, each at the shift where the two
    fit best: an adaptive delay moves the sound a little. The median second counts.
    """
    seconds = [heard[at : at + RATE_HZ] for at in range(0, len(heard) - RATE_HZ + 1, RATE_HZ)]
    return float(np.median([_best_fit(one, sent)[0] for one in seconds])) if seconds else 0.0


def shift_samples(heard: NDArray[np.int16], sent: NDArray[np.int16]) -> int:
    """Where in the looped ``sent`` the beginning of ``heard`` is, to within 10 ms."""
    return _best_fit(heard, sent)[1]


def _best_fit(heard: NDArray[np.int16], sent: NDArray[np.int16]) -> tuple[float, int]:
    step = RATE_HZ // 100
    got, loop = _loudness(heard, step), _loudness(sent, step)
    got = got[: len(loop)]
    if len(got) < 50 or got.std() == 0:
        return 0.0, 0
    twice = np.concatenate([loop, loop])
    best, where = -1.0, 0
    got = (got - got.mean()) / got.std()
    for start in range(len(loop)):
        piece = twice[start : start + len(got)]
        if piece.std() > 0:
            fit = float(np.mean(got * (piece - piece.mean()) / piece.std()))
            if fit > best:
                best, where = fit, start
    return best, where * step


def _loudness(samples: NDArray[np.int16], step: int) -> Any:
    whole = samples[: len(samples) // step * step].reshape(-1, step).astype(float)
    return np.sqrt(np.mean(whole**2, axis=1))
