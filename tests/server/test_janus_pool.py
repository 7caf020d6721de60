"""Rooms over several Janus servers: the hash ring, health, a server killed and back again."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import os
import secrets
import signal

import pytest
from aiohttp import web

from xnb.errors import SettingsError, SfuError
from xnb.server.app import SERVICES, make_app
from xnb.server.janus.endpoint import Endpoint
from xnb.server.janus.janus_rooms import JanusRooms
from xnb.server.janus.pool import Instance, Pool
from xnb.server.janus.process import JanusProcess, JanusSettings
from xnb.server.janus.ring import Ring
from xnb.server.janus.tokens import Tokens
from xnb.server.options import JanusOptions, ServerOptions
from xnb.signaling.janus import JanusError

from .conftest import TOKEN
from .janus_rig import rigged, until
from .room_guests import joined, names_of, place_of, put_out_and_kept_out
from .test_janus_process import needs_janus

KEYS = [f"broadcast-{n}" for n in range(2000)]
OPEN = {"publishers": 4, "video_codec": "vp8", "bitrate_bps": 1_000_000}
HERE, ELSEWHERE = "http://127.0.0.1:8000", "https://calls.example:8443"


def test_a_server_that_goes_moves_only_its_own_rooms():
    names = ["a", "b", "c", "d"]
    before = {key: Ring(names).order(key) for key in KEYS}
    shares = collections.Counter(order[0] for order in before.values())
    assert set(shares) == set(names)
    assert all(0.15 < share / len(KEYS) < 0.35 for share in shares.values()), shares
    without = Ring(["d", "a", "b"])
    for key, order in before.items():
        assert sorted(order) == names
        # Whoever was on c goes where it would have stood in; nobody else moves.
        assert without.order(key) == [name for name in order if name != "c"]
    more = Ring([*names, "e"])
    moved = [key for key in KEYS if more.order(key)[0] != before[key][0]]
    assert {more.order(key)[0] for key in moved} == {"e"}
    assert 0.1 < len(moved) / len(KEYS) < 0.3


class Small:
    """A server that says what a Janus says when it is asked what it is; nothing more is needed."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.is_silent = False
        self._runner: web.AppRunner | None = None

    async def info(self, _request):
        if self.is_silent:
            await asyncio.sleep(30)
        return web.json_response({"janus": "server_info", "transaction": "t"})

    async def start(self):
        app = web.Application()
        app.router.add_get("/janus/info", self.info)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self):
        if self._runner:
            await self._runner.cleanup()


@contextlib.asynccontextmanager
async def small_pool(count):
    servers = [await Small().start() for _ in range(count)]
    instances = [
        Instance(f"small-{n}", Endpoint(f"http://127.0.0.1:{server.port}/janus"))
        for n, server in enumerate(servers)
    ]
    pool = Pool(instances, check_s=0.1)
    await pool.start()
    try:
        yield pool, servers
    finally:
        await pool.close()
        await pool.close()
        for server in servers:
            await server.stop()


def first(pool):
    return {key: pool.order(key)[0].name for key in KEYS[:200]}


async def test_a_server_that_stops_is_left_and_comes_back():
    async with small_pool(3) as (pool, servers):
        before = first(pool)
        await servers[1].stop()
        await until(lambda: not pool.instances[1].is_healthy)
        after = first(pool)
        assert "small-1" not in after.values()
        moved = {key for key in before if before[key] != after[key]}
        assert moved == {key for key in before if before[key] == "small-1"}
        await servers[1].start()
        await until(lambda: pool.instances[1].is_healthy)
        assert first(pool) == before
        for server in servers:
            await server.stop()
        await until(lambda: not any(instance.is_healthy for instance in pool.instances))
        with pytest.raises(SfuError, match="3 configured"):
            pool.order("any")


async def test_a_server_that_hangs_is_left(monkeypatch):
    monkeypatch.setattr("xnb.server.janus.pool._PROBE_S", 0.3)
    async with small_pool(2) as (pool, servers):
        servers[0].is_silent = True
        await until(lambda: not pool.instances[0].is_healthy)
        assert set(first(pool).values()) == {"small-1"}
        servers[0].is_silent = False
        await until(lambda: pool.instances[0].is_healthy)


async def test_what_is_no_janus_is_not_healthy():
    async def other(_request):
        return web.json_response({"hello": "world"})

    app = web.Application()
    app.router.add_get("/janus/info", other)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    pool = Pool([Instance("one", Endpoint(url + "/janus")), Instance("two", Endpoint(url))])
    await pool.start()
    try:
        assert [instance.is_healthy for instance in pool.instances] == [False, False]
    finally:
        await pool.close()
        await runner.cleanup()
    with pytest.raises(SettingsError, match="different"):
        Pool([Instance("one"), Instance("one")])


@contextlib.asynccontextmanager
async def rooms_on(*settings):
    needs_janus()
    instances = [
        Instance(f"auto-{n}", process=JanusProcess(each)) for n, each in enumerate(settings)
    ]
    pool = Pool(instances, check_s=0.3)
    rooms = JanusRooms(pool)
    try:
        await pool.start()
        yield pool, rooms
    finally:
        await rooms.close()
        await rooms.close()
    assert not any(instance.process.is_running for instance in instances)


async def test_rooms_move_from_a_killed_janus_and_it_comes_back():
    async with rooms_on(JanusSettings(), JanusSettings()) as (pool, rooms):
        ids = [f"call-{n}" for n in range(12)]
        places = {}
        for one in ids:
            await rooms.open(one, **OPEN)
            places[one] = await place_of(rooms, one, "11", HERE)
            assert places[one].room == one
        urls = {instance.endpoint.url for instance in pool.instances}
        assert {place.url for place in places.values()} == urls
        for one in ids[:3]:
            async with joined(places[one], "11"):
                assert await rooms.present(one) == {"11"}
            with pytest.raises(JanusError) as caught:
                async with joined(places[one], "11", pin="wrong"):
                    pass
            assert caught.value.code == 433

        victim = next(i for i in pool.instances if i.endpoint.url == places[ids[0]].url)
        mine = [one for one in ids if places[one].url == victim.endpoint.url]
        os.kill(victim.process.pid, signal.SIGKILL)
        began = asyncio.get_running_loop().time()
        moved = await place_of(rooms, ids[0], "11", HERE)
        assert asyncio.get_running_loop().time() - began < 6
        assert moved.url != places[ids[0]].url
        assert (moved.pin, moved.secret, moved.room) == (
            places[ids[0]].pin,
            places[ids[0]].secret,
            ids[0],
        )
        async with joined(moved, "22"):
            assert await rooms.present(ids[0]) == {"22"}
        for one in ids:
            if one not in mine:
                assert (await place_of(rooms, one, "11", HERE)).url == places[one].url

        await until(lambda: victim.is_healthy and victim.process.is_running, 10)
        # It is another process at another port; what was there is made anew, what moved stays.
        assert (await place_of(rooms, ids[0], "11", HERE)).url == moved.url
        for one in mine[1:]:
            again = await place_of(rooms, one, "11", HERE)
            async with joined(again, "33"):
                assert await rooms.present(one) == {"33"}
        fresh = next(n for n in KEYS if pool.order(n)[0] is victim)
        await rooms.open(fresh, **OPEN)
        assert (await place_of(rooms, fresh, "11", HERE)).url == victim.endpoint.url


async def test_somebody_put_out_stays_out_under_any_name():
    async with rooms_on(JanusSettings()) as (_, rooms):
        await put_out_and_kept_out(rooms, HERE, knows_tickets=False)


async def test_kick_and_close_a_room():
    async with rooms_on(JanusSettings()) as (_, rooms):
        await rooms.open("one", **OPEN)
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", HERE)
        async with joined(place, "11") as ann, joined(place, "22"):
            for who in ("11", "nobody"):
                await rooms.kick("one", who, names=names_of(who), keep=lambda: names_of("22"))
            await asyncio.wait_for(ann.kicked.wait(), 5)
            assert await rooms.present("one") == {"22"}
            await rooms.close_room("one")
            await rooms.close_room("one")
        with pytest.raises(JanusError) as caught:
            async with joined(place, "33"):
                pass
        assert caught.value.code == 426
        with pytest.raises(KeyError):
            await place_of(rooms, "one", "11", HERE)


async def test_a_janus_with_numbers_for_rooms_gets_numbers():
    async with rooms_on(JanusSettings(has_string_ids=False)) as (_, rooms):
        await rooms.open("1BdGYyRVXEqxX", **OPEN)
        place = await place_of(rooms, "1BdGYyRVXEqxX", "11", HERE)
        assert isinstance(place.room, int)
        async with joined(place, "11"):
            assert await rooms.present("1BdGYyRVXEqxX") == {"11"}


async def test_a_janus_elsewhere_is_reached_over_http_too():
    needs_janus()
    janus = JanusProcess()
    endpoint = await janus.start()
    there = dataclasses.replace(endpoint, url=janus.http_url)
    rooms = JanusRooms(pool := Pool([Instance("there", there)]))
    try:
        await pool.start()
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", ELSEWHERE)
        assert place.url == janus.http_url  # clients go there themselves
        async with joined(place, "11"):
            assert await rooms.present("one") == {"11"}
    finally:
        await rooms.close()
        assert janus.is_running  # it is not ours to stop
        await janus.stop()


@contextlib.asynccontextmanager
async def server(janus):
    """One of our servers, and where its rooms are."""
    app = make_app(TOKEN, ServerOptions(janus=janus))
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.3)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", app[SERVICES].sfu
    finally:
        await runner.cleanup()


def through(place, base):
    """The place as seen through our server at ``base``, where it was told for another address."""
    prefix = ELSEWHERE.replace("https", "wss")
    assert place.url.startswith(prefix + "/sfu/")
    return place.url.replace(prefix, base)


async def test_clients_elsewhere_reach_a_private_janus_through_us():
    needs_janus()
    async with server(JanusOptions(("auto",))) as (base, sfu), rigged() as rig:
        await sfu.rooms.open("one", **OPEN)
        place = await place_of(sfu.rooms, "one", "11", ELSEWHERE)
        ws = await rig.ws(through(place, base))
        assert (await ws.ask("create"))["error"]["code"] == 403
        at = {"token": place.token}
        session = (await ws.ask("create", **at))["data"]["id"]
        made = await ws.ask("attach", session_id=session, plugin="janus.plugin.videoroom", **at)
        body = {"request": "join", "ptype": "publisher", "room": "one", "pin": place.pin}
        body["token"] = place.ticket
        at |= {"session_id": session, "handle_id": made["data"]["id"]}
        # A real Janus may answer before its ack.
        said = [await ws.ask("message", body=body, **at), await ws.event()]
        (event,) = [each for each in said if each["janus"] == "event"]
        assert event["plugindata"]["data"]["videoroom"] == "joined"
        nobody = await rig.http.get(base + "/sfu/nobody")
        assert nobody.status == 404


async def test_clients_of_a_janus_with_an_api_secret_never_see_it():
    needs_janus()
    janus = JanusProcess(JanusSettings(has_tokens=False))
    endpoint = await janus.start()
    try:
        options = JanusOptions((endpoint.url,), endpoint.api_secret, endpoint.admin_key)
        async with server(options) as (base, sfu), rigged() as rig:
            await sfu.rooms.open("one", **OPEN)
            place = await place_of(sfu.rooms, "one", "11", ELSEWHERE)
            assert endpoint.api_secret not in str(vars(place))
            ws = await rig.ws(through(place, base))
            forged = Tokens(secrets.token_urlsafe()).sign()
            for bad in ({}, {"token": forged}):
                assert (await ws.ask("create", **bad))["error"]["code"] == 403
            at = {"token": place.token}
            at |= {"session_id": (await ws.ask("create", **at))["data"]["id"]}
            other = await ws.ask("attach", plugin="janus.plugin.echotest", **at)
            assert other["error"]["code"] == 403
            made = await ws.ask("attach", plugin="janus.plugin.videoroom", **at)
            assert made["janus"] == "success"
            await ws.socket.send_str("{")
            assert (await ws.receive())["error"]["code"] == 454
    finally:
        await janus.stop()
