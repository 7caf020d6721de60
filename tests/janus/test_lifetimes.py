"""How long a session lives, on both servers, with times short enough to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from room_people import Person

from xnb.server.app import serving
from xnb.server.options import ServerOptions, SfuOptions
from xnb.signaling.janus import JanusError, JanusSession, RoomAdmin

from .conftest import SECRET, TOKEN, Server
from .real import RealJanus, why_not

TIMEOUT_S = 2


class Restarted:
    """A server that can be killed and started again at the same place, with nothing kept."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._stack = contextlib.AsyncExitStack()
        self._janus = RealJanus(folder, api_secret=SECRET) if kind == "janus" else None
        self._port = 0

    async def start(self) -> Server:
        """Start it."""
        if self._janus is not None:
            await asyncio.to_thread(self._janus.start)
            ports = self._janus.ws_port, "/", self._janus.http_port
            return Server("janus", *ports, {"api_secret": SECRET})
        base = await self._stack.enter_async_context(serving(TOKEN, port=self._port))
        self._port = urlsplit(base).port or 0
        return Server("embedded", self._port, "/janus", self._port, {"token": TOKEN})

    async def kill(self) -> None:
        """End it without a good-bye (Janus), or at once (ours, which is in this process)."""
        if self._janus is not None:
            await asyncio.to_thread(self._janus.stop, kill=True)
        await self._stack.aclose()


@pytest.mark.parametrize("kind", ["janus", "embedded"])
async def test_after_a_restart_everything_is_joined_again(kind, tmp_path):
    if kind == "janus" and (why := why_not()):
        pytest.skip(why)
    where = Restarted(kind, tmp_path / "settings")
    people: list[Person] = []
    sessions: list[JanusSession] = []

    async def meet(server: Server) -> None:
        """Two people in a room who see and hear each other."""
        mine = [JanusSession(server.gateway(how)) for how in ("ws", "http")]
        sessions.extend(mine)
        await asyncio.gather(*(one.open() for one in mine))
        await RoomAdmin(mine[0], 55).create(may_exist=True)
        ann = Person(mine[0], 55, "ann", "red", 500)
        bob = Person(mine[1], 55, "bob", "green", 800)
        people.extend((ann, bob))
        await asyncio.gather(ann.enter(), bob.enter())
        theirs, own = await asyncio.gather(ann.watch("bob"), bob.watch("ann"))
        await asyncio.gather(theirs.shows("green"), own.shows("red"), own.sounds(500))

    try:
        await meet(await where.start())
        await where.kill()
        async with asyncio.timeout(5):
            while any(one.state == "open" for one in sessions):
                await asyncio.sleep(0.02)
        server = await where.start()
        async with asyncio.timeout(10):
            while any(one.state != "lost" for one in sessions):
                await asyncio.sleep(0.02)
        with pytest.raises(JanusError) as caught:
            await people[0].publisher.configure(bitrate_bps=1)
        assert caught.value.code == 458
        await meet(server)
    finally:
        await asyncio.gather(*(one.close() for one in people))
        await asyncio.gather(*(one.close() for one in sessions))
        await where.kill()


@pytest.fixture(params=["janus", "embedded"])
async def brief(request):
    """A server that forgets silent sessions after 2 s."""
    if request.param == "janus":
        yield request.getfixturevalue("brief_janus")
        return
    options = ServerOptions(sfu=SfuOptions(session_timeout_s=TIMEOUT_S, reclaim_s=4, poll_s=30))
    async with serving(TOKEN, options) as base:
        port = urlsplit(base).port
        assert port
        yield Server("embedded", port, "/janus", port, {"token": TOKEN})


async def test_silence_ends_a_session_and_signs_of_life_keep_it(brief):
    """Also over HTTP, where a poll is held for longer than the server waits.

    For the embedded server it is such a sign, too, that a client answers pings.
    """
    silent = JanusSession(brief.gateway("ws", keepalive_s=60))
    kept = [JanusSession(brief.gateway(how, keepalive_s=0.5)) for how in ("ws", "http")]
    states: list[str] = []
    silent.on_state = states.append
    try:
        start_s = time.monotonic()
        await asyncio.gather(*(one.open() for one in (silent, *kept)))
        if brief.name == "janus":
            async with asyncio.timeout(10):
                while silent.state != "lost":
                    await asyncio.sleep(0.05)
            assert time.monotonic() - start_s > TIMEOUT_S * 0.9
            assert states == ["open", "lost"]
            await asyncio.sleep(1)
        else:
            await asyncio.sleep(TIMEOUT_S * 2)
            kept.append(silent)
        for session in kept:
            assert session.state == "open"
            assert await RoomAdmin(session, 5).exists() is False
    finally:
        await asyncio.gather(*(one.close() for one in (silent, *kept)))
