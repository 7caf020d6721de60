"""After many joins and leaves everything is back to what it was, here and in the server."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import time

import pytest
from group_people import Rooms, all_there, assert_everybody_at_everybody, until
from leftovers import counts, settled

STRESS_S = float(os.environ.get("XNB_TEST_STRESS_S", "5"))
"""How long people come and go at random; minutes by ``XNB_TEST_STRESS_S=300``."""
PEOPLE = 4


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_group_calls_leave_nothing(clients, tmp_path):
    rooms = Rooms(clients)

    async def one(number: int) -> None:
        calls = await rooms.open(2)
        await all_there(calls)
        recording = calls[0].record(tmp_path / f"{number}.mkv")
        async for _chunk in calls[0].audio.chunks():
            break
        await asyncio.sleep(0.3)
        for call in reversed(calls):
            await call.hangup()
        assert recording.is_finished
        for client in rooms.clients:
            await client.close()

    for number in range(2):
        await one(number)
    await asyncio.sleep(1)
    gc.collect()
    baseline = counts()
    slack = {"threads": 3, "files and sockets": 2, "files and sockets of the server": 2}
    slack["threads of the server"] = 4
    limits = {name: value + slack.get(name, 0) for name, value in baseline.items()}
    for number in range(4):
        await one(10 + number)
    now = await settled(limits)
    grown = {name: (baseline[name], now[name]) for name in now if now[name] > limits[name]}
    assert not grown


@pytest.mark.slow
@pytest.mark.timeout(90 + 2 * STRESS_S)
@pytest.mark.parametrize("seed", [5])
async def test_random_joins_and_leaves(clients, seed):
    """People come, go, mute and change layers in any order; in the end all is as it should be."""
    chance = random.Random(seed)
    rooms = Rooms(clients)
    [host] = await rooms.open(PEOPLE, join=1)
    inside: dict[int, object] = {}
    failures = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: failures.append(context)
    )
    end_s = time.monotonic() + STRESS_S
    steps = 0
    while time.monotonic() < end_s:
        number = chance.randrange(1, PEOPLE)
        steps += 1
        if number not in inside:
            inside[number] = await rooms.join(number)
        elif chance.random() < 0.5:
            await inside.pop(number).hangup()
        else:
            call = inside[number]
            (call.unmute if call.is_muted else call.mute)()
            for person in call.participants:
                call.layer(person, chance.choice(["high", "low", "off", "auto"]))
        await asyncio.sleep(chance.random() * 0.6)
    for number in range(1, PEOPLE):
        if number not in inside:
            inside[number] = await rooms.join(number)
    calls = [host, *(inside[number] for number in range(1, PEOPLE))]
    for call in calls:
        call.unmute()
        await until(lambda call=call: len(call.participants) == PEOPLE - 1, "everybody", 20)
        for person in call.participants:
            call.layer(person, "auto")
    await all_there(calls, 30)
    await assert_everybody_at_everybody(calls, [rooms.name(number) for number in range(PEOPLE)])
    assert steps > STRESS_S / 4
    assert not failures, failures
    assert all(call.state == "connected" for call in calls)
