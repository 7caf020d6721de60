"""How good speech sounds after a call: PESQ (ITU-T P.862.2, wide band) against what was said."""

from __future__ import annotations

import importlib
import statistics
import warnings
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .clip import RATE_HZ, shift_samples
from .harness import Missing

PESQ_RATE_HZ = 16000
WORST = 1.0
"""What PESQ gives for speech one cannot understand; also for silence, of which it says nothing."""


def need_pesq() -> Any:
    """The module; raises Missing when it is not installed."""
    try:
        return importlib.import_module("pesq")
    except ImportError:
        raise Missing(
            "pesq is not installed (apt-get install gcc python3-dev; "
            ".venv/bin/pip install -e '.[bench]')"
        ) from None


def speech_quality(heard: NDArray[np.int16], said: NDArray[np.int16]) -> float:
    """Mean opinion score, 1 (bad) to 4.64 (as good as the original).

    ``heard`` is cut into pieces as long as the loop ``said``; each is laid beside the loop where
    it fits best and scored, and the mean is taken. Less than one loop scores as bad.

    Args:
        heard: Mono, 48 kHz.
        said: The loop, mono, 48 kHz.
    """
    pesq = need_pesq()
    scores = [] if len(heard) >= len(said) else [WORST]
    for start in range(0, len(heard) - len(said) + 1, len(said)):
        piece = heard[start : start + len(said)]
        shift = shift_samples(piece, said)
        wanted = np.roll(said, -shift)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                score = pesq.pesq(PESQ_RATE_HZ, _narrow(wanted), _narrow(piece), "wb")
            except pesq.NoUtterancesError:
                score = WORST
        scores.append(float(score))
    return statistics.fmean(scores)


def _narrow(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE_HZ
    resampler = av.AudioResampler("s16", "mono", PESQ_RATE_HZ)
    parts = [one.to_ndarray()[0] for one in (*resampler.resample(frame), *resampler.resample(None))]
    made: NDArray[np.int16] = np.concatenate(parts)
    return made
