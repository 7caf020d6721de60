"""A folder of input files, and a player that reads sources on a clock moved by hand."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from xnb.media.clock import ManualClock
from xnb.media.source import EndOfMedia, Source, SourceTrack


class Played:
    """All frames of one track, as they were given out."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.at_s: list[float] = []
        self.ended_at_s: float | None = None

    @property
    def times_s(self) -> list[float]:
        """The frames' own times."""
        return [float(frame.pts * frame.time_base) for frame in self.frames]

    @property
    def arrays(self) -> list[Any]:
        """(960, 2) float of each audio frame."""
        return [frame.to_ndarray().reshape(-1, 2) / 32768 for frame in self.frames]

    @property
    def samples(self) -> Any:
        """(n, 2) float of all audio frames."""
        return np.concatenate(self.arrays)


class Player:
    """Reads the tracks of a source; time passes when every reader waits for it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.clock = ManualClock(100.0)
        self.audio = Played()
        self.video = Played()
        self.tasks: list[asyncio.Task[None]] = []

    def start(self, *, audio: bool = True, video: bool = True) -> Player:
        self.source.start(self.clock)
        for wanted, track, played in (
            (audio, self.source.audio, self.audio),
            (video, self.source.video, self.video),
        ):
            if wanted and track:
                self.tasks.append(asyncio.create_task(self._read(track, played)))
        return self

    async def run(self, seconds: float = 1e9) -> Player:
        """Play for ``seconds`` of the clock, at most to the end."""
        until_s = self.clock.now() + seconds
        deadline = time.monotonic() + 30
        while any(not task.done() for task in self.tasks):
            assert time.monotonic() < deadline, "the source stopped giving frames"
            if self.clock.sleeping < sum(not task.done() for task in self.tasks):
                await asyncio.sleep(0.0005)
            elif self.clock.now() < until_s:
                await self.clock.step()
            else:
                break
        for task in self.tasks:
            if task.done():
                task.result()
        return self

    async def stop(self) -> None:
        self.source.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _read(self, track: SourceTrack, played: Played) -> None:
        try:
            while True:
                frame = await track.read()
                assert not isinstance(frame, av.Packet)
                played.frames.append(frame)
                played.at_s.append(self.clock.now() - 100.0)
        except EndOfMedia:
            played.ended_at_s = self.clock.now() - 100.0


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the input files are made."""
    return tmp_path_factory.mktemp("media")


@pytest.fixture
def player() -> type[Player]:
    """The :class:`Player` class."""
    return Player
