"""Reading sources on the real clock, as a call does."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
import pytest

from xnb.media.source import EndOfMedia, SourceTrack


class Reading:
    """What one track gave."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.at_s: list[float] = []
        self.ended = False

    @property
    def samples(self) -> Any:
        """(n, 2) float of all sound."""
        return np.concatenate([one.to_ndarray().reshape(-1, 2) / 32768 for one in self.frames])

    @property
    def times_s(self) -> list[float]:
        """The frames' own times."""
        return [float(one.pts * one.time_base) for one in self.frames]

    def colour(self, index: int = -1) -> tuple[float, float, float]:
        """Mean red, green and blue of a picture."""
        red, green, blue = self.frames[index].to_ndarray(format="rgb24").mean(axis=(0, 1))
        return float(red), float(green), float(blue)


async def read_some(track: SourceTrack | None, count: int, limit_s: float = 15) -> Reading:
    """Read ``count`` frames, or to the end; an error of the source is raised."""
    assert track is not None
    reading = Reading()
    async with asyncio.timeout(limit_s):
        while len(reading.frames) < count:
            try:
                frame = await track.read()
            except EndOfMedia:
                reading.ended = True
                break
            assert not isinstance(frame, av.Packet)
            reading.frames.append(frame)
            reading.at_s.append(time.monotonic())
    return reading


async def until(fn: Callable[[], Any], limit_s: float = 15) -> None:
    """Wait until ``fn()`` is true."""
    async with asyncio.timeout(limit_s):
        while not fn():
            await asyncio.sleep(0.01)


def threads(prefix: str) -> list[str]:
    """The names of running threads that begin like this."""
    return [one.name for one in threading.enumerate() if one.name.startswith(prefix)]


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody uses."""
    with socket.socket(type=kind) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def ffmpeg(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, for as long as the block lasts."""
    path = shutil.which("ffmpeg")
    if path is None:
        pytest.skip("ffmpeg is missing (apt-get install ffmpeg)")
    process = subprocess.Popen(
        [path, "-hide_banner", "-loglevel", "error", *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)
