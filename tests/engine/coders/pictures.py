"""Moving pictures for measuring coders: a panning texture, a moving face-like patch, noise."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from xnb.media.frames import from_planes, plane_array

PERIOD = 60


def clip(width: int = 320, height: int = 240, count: int = PERIOD) -> list[av.VideoFrame]:
    """Pictures of a loop of 60 at 30 a second, in ticks of 90 kHz."""
    rng = np.random.default_rng(11)
    margin = 32
    wide = (height + 2 * margin, width + 2 * margin)
    texture = sum(
        _smooth(rng, wide, grain) * share for grain, share in ((48, 90), (12, 60), (4, 30))
    )
    patch = 70 + 110 * _smooth(rng, wide, 18)
    chroma = [80 + 90 * _smooth(rng, (height // 2, width // 2), 40) for _ in range(2)]
    noise = rng.normal(0, 1.2, (4, height, width))
    rows, columns = np.mgrid[0:height, 0:width]
    frames = []
    for index in range(count):
        turn = 2 * np.pi * index / PERIOD
        dx, dy = round(14 * np.sin(turn)), round(6 * np.sin(2 * turn))
        luma = _cut(30 + texture, margin + dy, margin + dx, height, width).copy()
        center = width * (0.5 + 0.1 * np.sin(turn + 1)), height * (0.55 + 0.05 * np.sin(2 * turn))
        inside = ((columns - center[0]) / (0.18 * width)) ** 2 + (
            (rows - center[1]) / (0.32 * height)
        ) ** 2 < 1
        luma[inside] = _cut(patch, margin - dy, margin - dx, height, width)[inside]
        luma += noise[index % 4]
        planes = [np.clip(plane, 16, 235).astype(np.uint8) for plane in (luma, *chroma)]
        frames.append(stamped(from_planes(*planes), index))
    return frames


def stamped(frame: av.VideoFrame, index: int, fps: float = 30) -> av.VideoFrame:
    """The frame with the time of the ``index``-th at ``fps``."""
    frame.pts, frame.time_base = round(index * 90_000 / fps), Fraction(1, 90_000)
    return frame


def psnr_db(frame: av.VideoFrame, truth: av.VideoFrame) -> float:
    """Of the luma plane."""
    difference = plane_array(frame, 0).astype(np.int32) - plane_array(truth, 0)
    return float(10 * np.log10(255**2 / max(float((difference**2).mean()), 1e-3)))


def _cut(plane, top, left, height, width):
    return plane[top : top + height, left : left + width]


def _smooth(rng, shape, grain):
    """Noise of a grain in pixels, 0 to 1, by bilinear interpolation."""
    height, width = shape
    coarse = rng.random((height // grain + 2, width // grain + 2))
    y, x = np.arange(height) / grain, np.arange(width) / grain
    top, left = y.astype(int), x.astype(int)
    fy, fx = (y - top)[:, None], (x - left)[None, :]
    upper = coarse[top][:, left] * (1 - fx) + coarse[top][:, left + 1] * fx
    lower = coarse[top + 1][:, left] * (1 - fx) + coarse[top + 1][:, left + 1] * fx
    return upper * (1 - fy) + lower * fy
