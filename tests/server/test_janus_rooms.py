"""Rooms of group calls on the embedded SFU, through the server's own socket."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time

import pytest
from aiohttp import web

from xnb.errors import SfuError
from xnb.server.app import SERVICES, make_app
from xnb.server.options import ServerOptions, SfuOptions
from xnb.server.videoroom import VideoRoomOptions
from xnb.signaling.janus import Gateway, JanusError, JanusSession, RoomAdmin

from .conftest import TOKEN
from .room_guests import joined, names_of, place_of, put_out_and_kept_out

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


@pytest.mark.parametrize("dialect", ["stock", "gateway"])
async def test_a_room_is_opened_found_and_closed(dialect):
    async with server(sfu=SfuOptions(dialect=dialect)) as (base, sfu):
        rooms = sfu.rooms
        await rooms.open("one", **OPEN)
        await rooms.open("one", **OPEN)
        place = await place_of(rooms, "one", "11", base)
        assert place.url == (
            base.replace("http", "ws") + "/janus" if dialect == "stock" else base + "/gateway"
        )
        assert place.token.split(",")[1] == "janus"
        lives_h = (int(place.token.split(",")[0]) - time.time()) / 3600
        assert lives_h == pytest.approx(24, abs=0.1)
        for hidden in (place.pin, place.secret, place.token, place.ticket):
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
        other = await place_of(rooms, "one", "22", base)
        async with joined(place, "11") as ann, joined(other, "22"):
            assert await rooms.present("one") == {"11", "22"}
            await rooms.kick("one", "11", names=names_of("11"), keep=lambda: names_of("22"))
            await asyncio.wait_for(ann.kicked.wait(), 5)
            assert await rooms.present("one") == {"22"}
            await rooms.close_room("one")
            await rooms.close_room("one")
        assert await rooms.present("one") == set()
        with pytest.raises(KeyError):
            await place_of(rooms, "one", "11", base)


@pytest.mark.parametrize("dialect", ["stock", "gateway"])
async def test_somebody_put_out_stays_out_under_any_name(dialect):
    async with server(sfu=SfuOptions(dialect=dialect)) as (base, sfu):
        await put_out_and_kept_out(sfu.rooms, base, knows_tickets=True)


async def test_guests_cannot_record_on_the_servers_disk(tmp_path):
    async with server(sfu=SfuOptions(recordings=tmp_path)) as (_, sfu):
        await sfu.rooms.open("one", **OPEN)
        assert sfu.videoroom.rooms["one"].settings.lock_record


async def test_the_host_governs_the_room_with_its_secret_and_nobody_without():
    async with server() as (base, sfu):
        await sfu.rooms.open("one", **OPEN)
        place = await place_of(sfu.rooms, "one", "11", base)
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
        again = await place_of(sfu.rooms, "one", "11", base)
        assert (again.pin, again.secret) == (place.pin, place.secret)
        assert sfu.videoroom.has_room("one")


async def test_a_base_url_with_tls_and_a_path_is_kept():
    async with server() as (_, sfu):
        await sfu.rooms.open("one", **OPEN)
        place = await place_of(sfu.rooms, "one", "11", "https://calls.example/xnb")
        assert place.url == "wss://calls.example/xnb/janus"


async def test_a_server_full_of_rooms_says_so():
    async with server() as (base, sfu):
        sfu.videoroom.options = VideoRoomOptions(max_rooms=1)
        await sfu.rooms.open("one", **OPEN)
        with pytest.raises(SfuError, match="other calls"):
            await sfu.rooms.open("two", **OPEN)
        with pytest.raises(KeyError):
            await place_of(sfu.rooms, "two", "11", base)


def test_importing_the_server_does_not_load_the_media_engine():
    script = (
        "import sys, xnb.server.app, xnb.server.run\n"
        "print(sorted({'aiortc', 'aioice', 'av', 'numpy'} & set(sys.modules)))"
    )
    told = subprocess.check_output([sys.executable, "-c", script], text=True, timeout=30)
    assert told.strip() == "[]"
