"""Recording encoded frames in tests, and looking at the file that comes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from encoded_frames import Timed
from media_files import read_counter

from xnb.media.recorder import RecordedFile, Recorder
from xnb.recording import Recording

ZERO_S = 5000.0
WITH_PICTURES = (".mp4", ".webm", ".mkv")


async def record(
    path: Path, *streams: list[Timed], local: tuple[list[Timed], ...] = (), **options: Any
) -> RecordedFile:
    """Push everything in order of time, as fast as it is written, and finish."""
    options = {"audio": True, "video": path.suffix in WITH_PICTURES, **options}
    if local:
        options.setdefault("sides", "both")
    recorder = Recorder(path, **options)
    events = [("remote", *one) for stream in streams for one in stream]
    events += [("local", *one) for stream in local for one in stream]
    for side, time_s, frame in sorted(events, key=lambda one: one[1]):
        recorder.push(side, frame, ZERO_S + time_s)
        while len(recorder._frames) > 10_000:
            await asyncio.sleep(0.02)
    return await recorder.finish()


def assert_good_file(path: Path, expected_s: float) -> Recording:
    """Complete, strictly rising, as long as it should be, and nothing lies beside it."""
    recording = Recording(path)
    assert recording.duration_s == pytest.approx(expected_s, abs=0.02)
    times: dict[int, list[int]] = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                times.setdefault(packet.stream_index, []).append(packet.dts)
    for dts in times.values():
        assert np.diff(dts).min(initial=1) > 0
    assert [p.name for p in path.parent.iterdir() if ".part" in p.name] == []
    return recording


def shown(recording: Recording) -> list[tuple[int | None, float]]:
    """The number in each picture, and its time."""
    return [(read_counter(frame.image), frame.time_s) for frame in recording.frames()]


def tracks(path: Path) -> list[tuple[str, str, str]]:
    """Kind, codec and title of each track."""
    with av.open(str(path)) as container:
        return [
            (
                stream.type,
                stream.codec_context.codec.canonical_name,
                stream.metadata.get("title", ""),
            )
            for stream in container.streams
        ]


def onsets(samples: Any, seconds: list[float], threshold: float = 0.1) -> list[float]:
    """When it first gets loud after half a second before each of ``seconds``."""
    found = []
    for second in seconds:
        begin = max(0, int((second - 0.5) * 48000))
        loud = np.flatnonzero(np.abs(samples[begin : begin + 48000]) > threshold)
        found.append((begin + int(loud[0])) / 48000 if len(loud) else float("nan"))
    return found
