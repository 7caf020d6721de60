"""Group calls on a real Janus: the same content, and the way back when it is killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import uuid

import psutil
import pytest
from group_people import Rooms, all_there, assert_everybody_at_everybody, card, see, until

import xnb
from xnb.events import StateChange
from xnb.server.app import serving
from xnb.server.janus.process import usable_address
from xnb.server.options import JanusOptions, ServerOptions

BACK = ["reconnecting", "connected"]
TOKEN = "test-token-0123456789abcdef"


@pytest.fixture
async def janus_rooms():
    """Rooms on a Janus of their own, started and stopped by a server in this process."""
    if shutil.which("janus") is None:
        pytest.skip("janus is not installed (apt-get install janus)")
    try:
        usable_address()
    except xnb.SfuError as error:
        pytest.skip(f"{error.message} {error.remedy}")
    made = []
    async with serving(TOKEN, ServerOptions(janus=JanusOptions(("auto",)))) as base:

        def client() -> xnb.Client:
            made.append(xnb.Client(f"user-{uuid.uuid4().hex[:8]}", server=base, token=TOKEN))
            return made[-1]

        yield Rooms(client, lambda number: card(number, fps=5))
        await asyncio.gather(*(one.close() for one in made))


def states(call) -> list[str]:
    """The states it went through."""
    return [event.new for event in call.timeline if isinstance(event, StateChange)]


def janus_pids() -> list[int]:
    """The Janus processes that this process started."""
    children = psutil.Process().children(recursive=True)
    return [one.pid for one in children if one.name() == "janus"]


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("people", [2, 3, 8])
async def test_everybody_arrives_at_everybody(janus_rooms, people):
    calls = await janus_rooms.open(people)
    await all_there(calls, 60)
    names = [janus_rooms.name(number) for number in range(people)]
    await assert_everybody_at_everybody(calls, names)
    if people == 2:
        person = calls[0].participant(names[1])
        calls[0].layer(person, "low")
        await until(lambda: person.layer == "low", "the low layer")
        assert await see(person.video) == 1
        calls[0].layer(person, "off")
        await until(lambda: person.layer == "off", "no picture")
        await calls[0].mute_participant(person)
        await until(lambda: person.is_muted, "the mute")
    elif people == 3:
        await calls[0].kick(names[1])
        assert (await calls[1].until("ended", timeout_s=10)).reason == "kicked"
        await until(lambda: len(calls[0].participants) == 1, "the others' hearing of it")
        await calls[0].hangup()
        assert (await calls[2].until("ended", timeout_s=10)).reason == "remote_hangup"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_killed_janus_is_replaced_and_everybody_is_back(janus_rooms):
    calls = await janus_rooms.open(2)
    await all_there(calls)
    people = [call.participants for call in calls]
    [pid] = janus_pids()
    os.kill(pid, signal.SIGKILL)
    for call in calls:
        await until(lambda call=call: states(call)[-2:] == BACK, "coming back", 60)
    assert [call.participants for call in calls] == people
    await until(lambda: all(call.participants[0].peer for call in calls), "the others", 20)
    assert await see(people[0][0].video, 20) == 1
    assert await see(people[1][0].video, 20) == 0
    assert pid not in janus_pids()
