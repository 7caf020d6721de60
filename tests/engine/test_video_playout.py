"""Pictures at once on a good path, evenly on a bad one."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest

from xnb.engine.video_playout import MAX_DELAY_S, VideoPlayout

STEP_S = 1 / 30


class Path:
    """Pictures captured 30 times a second that arrive when they are told to, on a fast loop."""

    def __init__(self, late: dict[int, float], count: int = 200) -> None:
        self.shown: list[tuple[float, int]] = []
        self._late = late
        self._count = count
        self._now_s = 1000.0
        self.playout = VideoPlayout(
            lambda frame, timestamp: self.shown.append((self._now_s, timestamp)),
            now=lambda: self._now_s,
        )

    async def run(self) -> list[float]:
        """Give all in; returns how long after its capture each was shown."""
        last_s = 0.0
        arrivals = []
        for number in range(self._count):
            # In order: a late picture holds up those behind it, as a decoder does.
            last_s = max(last_s, number * STEP_S + 0.1 + self._late.get(number, 0.0))
            arrivals.append((last_s, number))
        steps = sorted({round(at, 3) for at, _ in arrivals} | {n / 200 for n in range(2000)})
        waiting = iter(arrivals)
        nearest = next(waiting, None)
        for at in steps:
            self._now_s = 1000.0 + at
            while nearest and nearest[0] <= at + 1e-9:
                self.playout.add("picture", nearest[1], nearest[1] * STEP_S)
                nearest = next(waiting, None)
            if self.playout._waiting and self.playout._waiting[0][0] <= self._now_s:
                self.playout._timer.cancel()
                self.playout._out()
        assert [number for _, number in self.shown] == list(range(self._count))
        self.playout.close()
        return [at - 1000.0 - number * STEP_S for at, number in self.shown]


async def test_a_good_path_adds_nothing():
    delays = await Path({n: 0.01 * (n % 3) for n in range(200)}).run()
    assert max(delays) < 0.1 + 0.025
    assert min(delays) == pytest.approx(0.1, abs=0.006)


async def test_late_pictures_do_not_show_once_it_is_known_that_they_come():
    late = dict.fromkeys(range(20, 200, 15), 0.12)
    path = Path(late)
    await path.run()
    times = [at for at, _ in path.shown]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps[:25]) > 0.1  # the first one is a surprise
    assert max(gaps[30:]) < 0.05
    assert path.playout.delay_s == pytest.approx(0.13, abs=0.03)


async def test_the_delay_is_bounded_and_falls_again():
    path = Path({10: 3.0}, count=250)
    delays = await path.run()
    assert max(delays[-20:]) <= 0.1 + MAX_DELAY_S + 0.01
    quiet = VideoPlayout(lambda frame, timestamp: None, now=lambda: clock[0])
    clock = [0.0]
    for number in range(30 * 120):
        clock[0] = number * STEP_S
        quiet.add("picture", number, clock[0] - (0.2 if number == 5 else 0.0))
    assert quiet.delay_s == 0.0
    quiet.close()


async def test_closing_forgets_what_waits():
    shown: list[int] = []
    playout = VideoPlayout(lambda frame, timestamp: shown.append(timestamp))
    now_s = time.monotonic()
    playout.add("a", 1, now_s)
    playout.add("b", 2, now_s - 0.2)
    playout.add("c", 3, now_s + 0.05)
    playout.close()
    playout.close()
    await asyncio.sleep(0.4)
    assert shown == [1, 2]
