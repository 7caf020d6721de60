"""Rooms of group calls on the embedded SFU, through the server's own socket."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys

import pytest
from aiohttp import web

from xnb.errors import SfuError
from xnb.server.app import SERVICES, make_app
from xnb.server.options import ServerOptions, SfuOptions
from xnb.server.videoroom import VideoRoomOptions
from xnb.signaling.janus import Gateway, JanusError, JanusSession, Publisher, RoomAdmin

from .conftest import TOKEN

OPEN = {"publishers": 4, "video_codec": "h264", "bitrate_bps": 1_000_000}


@contextlib.asynccontextmanager
async def server(**options):
    runner = web.AppRunner(
        make_app(TOKEN, ServerOptions(**options)), handler_cancellation=True, shutdown_timeout=0.3
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", runner.app[SERVICES].sfu
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def joined(place, display, *, pin=None, token=None):
    gateway = Gateway(place.url, dialect=place.dialect, token=token or place.token)
    session = JanusSession(gateway)
    try:
        await session.open()
        who = display if place.dialect == "gateway" else None
        publisher = Publisher(session, place.room, pin=pin or place.pin, user_id=who)
        await publisher.join(display)
        yield publisher
    finally:
        await session.close()


@pytest.mark.parametrize("dialect", ["stock", "gateway"])
async def test_a_room_is_opened_found_and_closed(dialect):
    async with server(sfu=SfuOptions(dialect=dialect)) as (base, sfu):
        rooms = sfu.rooms
        await rooms.open("one", **OPEN)
        await rooms.open("one", **OPEN)
        place = await rooms.place("one", base_url=base)
        assert place.url == (
            base.replace("http", "ws") + "/janus" if dialect == "stock" else base + "/gateway"
        )
        assert place.token.split(",")[1] == "janus"
        for hidden in (place.pin, place.secret, place.token):
            assert len(hidden) > 15
            assert hidden not in repr(place)
        with pytest.raises(JanusError) as caught:
            async with joined(place, "11", pin="wrong"):
                pass
        assert caught.value.code == 433
        with pytest.raises(JanusError) as caught:
            async with joined(place, "11", token="wrong"):
                pass
        assert caught.value.code == 403
        async with joined(place, "11") as ann, joined(place, "22"):
            assert await rooms.present("one") == {"11", "22"}
            kicked = asyncio.Event()
            ann.on_kicked = kicked.set
            await rooms.kick("one", "11")
            await asyncio.wait_for(kicked.wait(), 5)
            assert await rooms.present("one") == {"22"}
            await rooms.close_room("one")
            await rooms.close_room("one")
        assert await rooms.present("one") == set()
        with pytest.raises(KeyError):
            await rooms.place("one", base_url=base)


async def test_the_host_governs_the_room_with_its_secret_and_nobody_without():
    async with server() as (base, sfu):
        await sfu.rooms.open("one", **OPEN)
        place = await sfu.rooms.place("one", base_url=base)
        session = JanusSession(Gateway(place.url, token=place.token))
        await session.open()
        try:
            with pytest.raises(JanusError) as caught:
                await RoomAdmin(session, "one", secret="wrong").destroy()
            assert caught.value.code == 433
            await RoomAdmin(session, "one", secret=place.secret).destroy()
        finally:
            await session.close()
        # Whoever asks for the place next has it made anew, with the same keys.
        assert not sfu.videoroom.has_room("one")
        again = await sfu.rooms.place("one", base_url=base)
        assert (again.pin, again.secret) == (place.pin, place.secret)
        assert sfu.videoroom.has_room("one")


async def test_a_base_url_with_tls_and_a_path_is_kept():
    async with server() as (_, sfu):
        await sfu.rooms.open("one", **OPEN)
        place = await sfu.rooms.place("one", base_url="https://calls.example/xnb")
        assert place.url == "wss://calls.example/xnb/janus"


async def test_a_server_full_of_rooms_says_so():
    async with server() as (base, sfu):
        sfu.videoroom.options = VideoRoomOptions(max_rooms=1)
        await sfu.rooms.open("one", **OPEN)
        with pytest.raises(SfuError, match="other calls"):
            await sfu.rooms.open("two", **OPEN)
        with pytest.raises(KeyError):
            await sfu.rooms.place("two", base_url=base)


def test_importing_the_server_does_not_load_the_media_engine():
    script = (
        "import sys, xnb.server.app, xnb.server.run\n"
        "print(sorted({'aiortc', 'aioice', 'av', 'numpy'} & set(sys.modules)))"
    )
    told = subprocess.check_output([sys.executable, "-c", script], text=True, timeout=30)
    assert told.strip() == "[]"
