"""Rooms with names instead of numbers: a private Janus as ``xnb serve`` starts it, and ours."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from room_people import Person

from xnb.server.app import serving
from xnb.server.janus.gateway import GatewayQuirks
from xnb.server.janus.process import JanusProcess
from xnb.server.options import ServerOptions, SfuOptions
from xnb.signaling.janus import Gateway, JanusError, JanusSession, RoomAdmin

from .conftest import TOKEN
from .real import why_not

ROOM = "1BdGYrRZXZLGX"


@contextlib.asynccontextmanager
async def private_janus():
    """Its address, and the key for making rooms."""
    if why := why_not():
        pytest.skip(why)
    process = JanusProcess()
    end = await process.start()
    try:
        yield Gateway(end.url, api_secret=end.api_secret), end.admin_key
    finally:
        await process.stop()


@contextlib.asynccontextmanager
async def embedded():
    """The same of the embedded server, which has no key."""
    async with serving(TOKEN) as base:
        yield Gateway(f"ws:{base.partition(':')[2]}/janus", token=TOKEN), None


@contextlib.asynccontextmanager
async def dialect(replies):
    """The embedded server in the dialect of X's gateway."""
    options = ServerOptions(sfu=SfuOptions(gateway=GatewayQuirks(replies=replies)))
    async with serving(TOKEN, options) as base:
        yield Gateway(f"{base}/gateway", dialect="gateway", token=TOKEN), None


@pytest.mark.parametrize(
    "server",
    [
        private_janus,
        embedded,
        pytest.param(lambda: dialect("poll"), id="gateway, replies on the poll"),
        pytest.param(lambda: dialect("post"), id="gateway, replies on the POST"),
    ],
)
async def test_two_people_in_a_room_with_a_name(server):
    async with server() as (gateway, key), contextlib.AsyncExitStack() as stack:
        sessions = [JanusSession(gateway) for _ in range(3)]
        for session in sessions:
            stack.push_async_callback(session.close)
        await asyncio.gather(*(one.open() for one in sessions))
        admin = RoomAdmin(sessions[0], ROOM, secret="s", admin_key=key, user_id="10")
        if key is not None:
            with pytest.raises(JanusError) as caught:
                await RoomAdmin(sessions[0], ROOM, admin_key="wrong").create()
            assert caught.value.code == 433
        await admin.create(video_codecs=("h264",), pin="1234")
        people = [
            Person(sessions[1], ROOM, "11", "red", 500, pin="1234", codec="h264"),
            Person(sessions[2], ROOM, "12", "green", 800, pin="1234", codec="h264"),
        ]
        for person in people:
            stack.push_async_callback(person.close)
        ann, bob = people
        extra = {"session_uuid": "", "stream_name": "s", "vidman_token": TOKEN}
        details = {"extra": extra} if gateway.dialect == "gateway" else {}
        assert (await ann.join(id="11")).id == "11"
        assert (await bob.join(id="12")).id == "12"
        await asyncio.gather(*(one.publish(**details) for one in people))
        theirs, mine = await asyncio.gather(ann.watch("12"), bob.watch("11"))
        assert {theirs.feed.user_id, mine.feed.user_id} == {"11", "12"}
        await asyncio.gather(
            theirs.shows("green"), mine.shows("red"), theirs.sounds(800), mine.sounds(500)
        )
        await admin.kick("12")
        await ann.hears("leaving", "12", "kicked")
        await admin.destroy()
        await ann.hears("destroyed")
        assert not await admin.exists()


async def test_the_gateway_wants_its_token():
    async with dialect("poll") as (gateway, _):
        session = JanusSession(Gateway(gateway.url, dialect="gateway", token="wrong-wrong-wrong"))
        with pytest.raises(JanusError) as caught:
            await session.open()
        assert caught.value.code == 403
        await session.replace_token(TOKEN)
        await session.open()
        await session.close()
