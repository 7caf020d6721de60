"""A cell that blocks the loop longer than the room waits: people leave it, come back, and go on.

``XNB_TEST_BLOCK_S=120`` makes the cell as long as the promise is and takes the server's own
limits; by default both are short.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid

import pytest
from group_people import Rooms, all_there, assert_everybody_at_everybody, until

import xnb
from xnb.events import ParticipantJoined, ParticipantLeft, StateChange
from xnb.loop import Runner
from xnb.server.app import serving
from xnb.server.options import ServerOptions, SfuOptions

TOKEN = "test-token-0123456789abcdef"
PROMISED_S = 120.0
BLOCK_S = float(os.environ.get("XNB_TEST_BLOCK_S", "11"))
SHORT = ServerOptions(absent_s=1.0, host_back_s=15.0, sfu=SfuOptions(session_timeout_s=8.0))
OPTIONS = ServerOptions() if BLOCK_S > 30 else SHORT

pytestmark = pytest.mark.timeout(90 + 2 * BLOCK_S)


@pytest.fixture
async def base():
    """A server on a thread that nothing blocks."""
    runner = Runner(None)
    server = serving(TOKEN, OPTIONS)
    url = await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(server.__aenter__(), runner.loop)
    )
    yield url
    await asyncio.wrap_future(
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), runner.loop)
    )
    await asyncio.to_thread(runner.close)


def told(call, kind):
    return [event for event in call.timeline if isinstance(event, kind)]


def test_the_server_waits_for_what_is_promised():
    assert ServerOptions().absent_s + ServerOptions().host_back_s > PROMISED_S + 10


async def test_host_and_guest_come_back_after_a_blocking_cell(base):
    made: list[xnb.Client] = []

    def client() -> xnb.Client:
        # The third one's engine has a thread of its own: it sees what happens meanwhile.
        loop = "thread" if len(made) == 2 else "auto"
        handle = f"user-{uuid.uuid4().hex[:8]}"
        made.append(xnb.Client(handle, server=base, token=TOKEN, loop=loop))
        return made[-1]

    rooms = Rooms(client)
    host, guest, witness = calls = await rooms.open(3)
    names = [rooms.name(number) for number in range(3)]
    await all_there(calls)
    start_s = time.monotonic()

    time.sleep(BLOCK_S)

    free_s = time.monotonic()
    assert host.state == guest.state == witness.state == "connected"
    if OPTIONS.sfu.session_timeout_s + 2 < BLOCK_S:
        gone = {event.participant.name for event in told(witness, ParticipantLeft)}
        assert gone == {names[0], names[1]}, "the witness saw nobody leave"
    await until(lambda: len(witness.participants) == 2, "coming back")
    await all_there(calls)
    back_s = time.monotonic() - free_s
    assert back_s < 12, f"{back_s:.1f} s after a cell of {free_s - start_s:.1f} s"
    await assert_everybody_at_everybody(calls, names)
    assert [call.state for call in calls] == ["connected"] * 3
    for call in calls:
        states = [event.new for event in told(call, StateChange)]
        assert "ended" not in states
    assert "reconnecting" not in [event.new for event in told(witness, StateChange)]
    assert len(told(witness, ParticipantJoined)) >= 2
    await asyncio.gather(*(one.close() for one in made))
