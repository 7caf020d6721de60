"""The sound of a file as samples, a second at a time, and its envelope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .frames import from_av_audio
from .levels import as_mono

Samples = NDArray[np.float32]


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames of a stream; packets that cannot be decoded are left out."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def sound_chunks(container: Any, stream: Any, sample_rate_hz: int) -> Iterator[Samples]:
    """All sound of a stream in pieces of about a second, (n, 1) or (n, 2) in -1..1.

    The first sample is at the beginning of the file: silence comes before sound that begins late.
    """
    held: list[Samples] = []
    count = 0
    for piece in _pieces(container, stream, sample_rate_hz):
        held.append(piece)
        count += len(piece)
        if count >= sample_rate_hz:
            yield np.concatenate(held)
            held, count = [], 0
    if held:
        yield np.concatenate(held)


def _pieces(container: Any, stream: Any, sample_rate_hz: int) -> Iterator[Samples]:
    zero_s = (container.start_time or 0) / av.time_base
    channels = 1 if stream.codec_context.channels == 1 else 2
    resampler = av.AudioResampler("fltp", "mono" if channels == 1 else "stereo", sample_rate_hz)
    first = True
    for frame in _with_end(decoded(container, stream)):
        if first and frame is not None and frame.time is not None:
            silent = round((frame.time - max(0.0, zero_s)) * sample_rate_hz)
            if silent > 0:
                yield np.zeros((silent, channels), np.float32)
            first = False
        for out in resampler.resample(frame):
            yield from_av_audio(out)


def _with_end(frames: Iterator[Any]) -> Iterator[Any]:
    yield from frames
    yield None


def envelope_of(chunks: Iterable[Samples], bin_samples: int) -> tuple[Samples, Samples]:
    """Lowest and highest sample of each ``bin_samples``, of the mean of the channels.

    What is left of less than a bin at the end does not count.
    """
    lows, highs = [], []
    rest = np.zeros(0, np.float32)
    for chunk in chunks:
        samples = np.concatenate((rest, as_mono(chunk)))
        whole = len(samples) // bin_samples * bin_samples
        bins = samples[:whole].reshape(-1, bin_samples)
        lows.append(bins.min(axis=1))
        highs.append(bins.max(axis=1))
        rest = samples[whole:]
    low = np.concatenate(lows) if lows else np.zeros(0, np.float32)
    high = np.concatenate(highs) if highs else np.zeros(0, np.float32)
    return (low, high) if len(low) else (np.zeros(1, np.float32), np.zeros(1, np.float32))
