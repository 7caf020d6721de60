"""The manual clock is exact; the real one waits."""

from __future__ import annotations

import asyncio
import time

from xnb.media.clock import Clock, ManualClock, MonotonicClock


async def test_sleepers_wake_at_the_times_they_asked_for():
    clock = ManualClock(10.0)
    woken = []

    async def tick(step_s):
        while True:
            await clock.sleep_until(clock.now() + step_s)
            woken.append((step_s, round(clock.now(), 6)))

    tasks = [asyncio.create_task(tick(0.5)), asyncio.create_task(tick(0.75))]
    await clock.advance(1.6)
    assert clock.now() == 11.6
    assert woken == [(0.5, 10.5), (0.75, 10.75), (0.5, 11.0), (0.75, 11.5), (0.5, 11.5)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert clock.sleeping == 0


async def test_a_jump_wakes_everyone_at_once():
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep_until(1))
    await asyncio.sleep(0)
    clock.jump(5)
    await task
    assert clock.now() == 5


async def test_autojump_goes_to_the_time_asked_for():
    clock = ManualClock(autojump=True)
    await clock.sleep_until(3600)
    assert clock.now() == 3600


async def test_the_machine_s_clock_waits():
    clock = MonotonicClock()
    assert isinstance(clock, Clock)
    begun = time.monotonic()
    await clock.sleep_until(clock.now() + 0.05)
    assert 0.045 < time.monotonic() - begun < 1
