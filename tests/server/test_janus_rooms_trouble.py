"""Rooms on real Janus servers when requests overlap, fail or are cut off."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest
from aiohttp import web

from xnb.errors import SfuError
from xnb.server.janus import janus_rooms
from xnb.server.janus.endpoint import Endpoint
from xnb.server.janus.pool import Instance, Pool
from xnb.server.janus.process import JanusSettings
from xnb.server.janus.rooms import RoomTerms
from xnb.signaling.janus import JanusError, RoomAdmin

from .janus_rig import until
from .room_guests import UNAUTHORIZED, code_of, joined, names_of, place_of
from .test_janus_pool import HERE, OPEN, Small, rooms_on


def put_out(rooms, who, *stay):
    return rooms.kick("one", who, names=names_of(who), keep=lambda: names_of(*stay))


@pytest.fixture
def held(monkeypatch):
    """Holds a request of :class:`RoomAdmin` before or after it was answered, until ``go``."""

    class Held:
        def __init__(self, name, *, after=False):
            self.there, self.go = asyncio.Event(), asyncio.Event()
            right = getattr(RoomAdmin, name)

            async def wait(admin, *args, **more):
                if not after:
                    await self._pause()
                answer = await right(admin, *args, **more)
                if after:
                    await self._pause()
                return answer

            monkeypatch.setattr(RoomAdmin, name, wait)

        async def _pause(self):
            self.there.set()
            await self.go.wait()

    return Held


async def exists(rooms, broadcast_id):
    """Whether the first server of the pool has a room."""
    session = await rooms._session(rooms._pool.instances[0])
    return await RoomAdmin(session, broadcast_id).exists()


async def test_a_place_asked_for_while_it_is_taken_away_is_of_no_use(held):
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        allow = held("allow")
        asking = asyncio.create_task(place_of(rooms, "one", "11", HERE))
        await allow.there.wait()
        ticket = rooms._rooms["one"].terms.tickets["11"].token
        kicking = asyncio.create_task(put_out(rooms, "11"))
        await asyncio.sleep(0)
        allow.go.set()
        with pytest.raises(SfuError, match="taken away"):
            await asking
        await kicking
        new = await place_of(rooms, "one", "11", HERE)
        assert new.ticket != ticket
        assert await code_of(joined(new, "11", ticket=ticket)) == UNAUTHORIZED


async def test_who_comes_back_while_the_old_place_is_taken_away_is_not_put_out(held):
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", HERE)
        async with joined(place, "11", id="11") as old:
            listing = held("list_participants")
            kicking = asyncio.create_task(put_out(rooms, "11"))
            await listing.there.wait()
            asking = asyncio.create_task(place_of(rooms, "one", "11", HERE))
            await asyncio.sleep(0.3)
            assert not asking.done()
            listing.go.set()
            async with joined(await asking, "11") as new:
                await kicking
                await asyncio.wait_for(old.kicked.wait(), 5)
                assert await rooms.present("one") == {"11"}
                assert not new.kicked.is_set()


async def test_who_joins_the_call_while_others_are_put_out_stays():
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        places = [await place_of(rooms, "one", who, HERE) for who in ("11", "22", "33")]
        async with contextlib.AsyncExitStack() as stack:
            for place, who in zip(places, ("11", "22", "33"), strict=True):
                await stack.enter_async_context(joined(place, who))
            asked = []

            def keep():
                asked.append(1)
                return names_of("22") if len(asked) == 1 else names_of("22", "33", "11")

            await rooms.put_out_others("one", keep=keep)
            assert len(asked) == 3
            assert len(await rooms.present("one")) >= 2


async def test_a_ticket_that_could_not_be_taken_away_is_at_the_next_look(monkeypatch):
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", HERE)
        right = RoomAdmin.disallow

        async def fails(*_args):
            raise JanusError("The test cut it off.")

        monkeypatch.setattr(RoomAdmin, "disallow", fails)
        with pytest.raises(SfuError):
            await put_out(rooms, "11")
        async with joined(place, "11"):
            pass
        with pytest.raises(SfuError):
            await rooms.present("one")
        monkeypatch.setattr(RoomAdmin, "disallow", right)
        await rooms.present("one")
        assert await code_of(joined(place, "11")) == UNAUTHORIZED
        assert rooms._rooms["one"].void == set()


async def test_a_ticket_is_taken_away_in_the_end_when_whoever_asked_was_cut_off(held):
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", HERE)
        disallow = held("disallow")
        kicking = asyncio.create_task(put_out(rooms, "11"))
        await disallow.there.wait()
        kicking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await kicking
        disallow.go.set()
        await rooms.present("one")
        assert await code_of(joined(place, "11")) == UNAUTHORIZED


async def test_a_room_that_is_made_while_it_is_closed_does_not_stay(held):
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        session = await rooms._session(rooms._pool.instances[0])
        secret = rooms._rooms["one"].terms.secret
        await RoomAdmin(session, "one", secret=secret).destroy()
        create = held("create")
        asking = asyncio.create_task(place_of(rooms, "one", "11", HERE))
        await create.there.wait()
        closing = asyncio.create_task(rooms.close_room("one"))
        await asyncio.sleep(0.1)
        create.go.set()
        await closing
        await asyncio.gather(asking, return_exceptions=True)
        assert not await exists(rooms, "one")


async def test_a_room_whose_making_was_cut_off_can_be_closed(held):
    async with rooms_on(JanusSettings()) as (_, rooms):
        create = held("create", after=True)
        opening = asyncio.create_task(rooms.open("one", **OPEN))
        await create.there.wait()
        assert await exists(rooms, "one")
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await rooms.close_room("one")
        assert not await exists(rooms, "one")


async def test_our_own_token_is_renewed_before_it_ends(monkeypatch):
    monkeypatch.setattr(janus_rooms, "_OWN_TTL_S", 3.0)
    async with rooms_on(JanusSettings(has_api_secret=False)) as (_, rooms):
        await rooms.open("one", **OPEN)
        session = rooms._sessions["auto-0"].session
        end_s = time.monotonic() + 6
        while time.monotonic() < end_s:
            assert await rooms.present("one") == frozenset()
            await asyncio.sleep(0.5)
        assert rooms._sessions["auto-0"].session is session


@contextlib.asynccontextmanager
async def mute():
    """A server that takes WebSockets and says nothing; its URL."""

    async def silence(request):
        socket = web.WebSocketResponse(protocols=("janus-protocol",))
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/", silence)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_a_server_that_says_nothing_does_not_hold_up_the_others():
    async with rooms_on(JanusSettings()) as (pool, rooms), mute() as url:
        await rooms.open("one", **OPEN)
        silent = Instance("silent", Endpoint(url))
        silent.is_healthy = True  # nobody has noticed yet
        there = janus_rooms._Room(RoomTerms(4, "vp8", 1_000_000), "two", instance=silent)
        rooms._rooms["two"] = there
        looking = asyncio.create_task(rooms.present("two"))
        await asyncio.sleep(0.3)
        # A new session is what the others need, too.
        await rooms._sessions.pop(pool.instances[0].name).session.close()
        began_s = time.monotonic()
        await place_of(rooms, "one", "11", HERE)
        assert time.monotonic() - began_s < 2
        assert not looking.done()
        with pytest.raises(SfuError):
            await looking
        silent.is_healthy = False
        began_s = time.monotonic()
        with pytest.raises(SfuError, match="down"):
            await rooms.present("two")
        assert time.monotonic() - began_s < 0.5


async def test_a_private_janus_that_cannot_be_started_for_a_while_is_tried_again():
    small = await Small().start()

    class Program:
        """A process that is found dead, and for which there are no ports at first."""

        def __init__(self):
            self.is_running = False
            self.failures = []

        async def start(self):
            if self.failures:
                raise self.failures.pop()
            self.is_running = True
            return Endpoint(f"http://127.0.0.1:{small.port}/janus")

        async def stop(self):
            self.is_running = False

        async def wait(self):
            await asyncio.sleep(60)

    instance = Instance("auto-0", process=Program())
    pool = Pool([instance], check_s=0.1)
    await pool.start()
    try:
        instance.process.failures = [OSError("ports"), ValueError("no"), RuntimeError("threads")]
        instance.process.is_running = False
        await until(lambda: not instance.is_healthy)
        await until(lambda: instance.is_healthy, 10)
        assert not instance.process.failures
    finally:
        await pool.close()
        await small.stop()


async def test_tokens_of_guests_outlive_calls():
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", HERE)
        assert int(place.token.split(",")[0]) - time.time() == pytest.approx(24 * 3600, abs=60)
