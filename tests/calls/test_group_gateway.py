"""Group calls in the live gateway's dialect, with each of its habits (PROTOCOL C3)."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace

import pytest
from group_people import Rooms, all_there, assert_everybody_at_everybody, until

import xnb
from xnb.profile import GroupSettings
from xnb.server.app import serving
from xnb.server.janus.gateway import GatewayQuirks
from xnb.server.options import ServerOptions, SfuOptions

TOKEN = "test-token-0123456789abcdef"
PATIENCE_S = 1.0
LIKE_LIVE = GroupSettings(
    dialect="gateway",
    creates_room=True,
    host_starts_muted=True,
    host_watches_itself=True,
    sends_descriptions=False,
    uses_turn=False,
)


@pytest.mark.parametrize("replies", ["poll", "post"])
async def test_everybody_at_everybody_for_longer_than_the_gateway_is_patient(replies):
    quirks = GatewayQuirks(
        replies=replies, host_must_subscribe_s=PATIENCE_S, sendrecv_drop_s=PATIENCE_S
    )
    options = ServerOptions(sfu=SfuOptions(dialect="gateway", gateway=quirks))
    made: list[xnb.Client] = []
    async with serving(TOKEN, options) as base:
        profile = replace(xnb.ServerProfile.local(base), group=LIKE_LIVE)

        def client() -> xnb.Client:
            made.append(xnb.Client(f"user-{uuid.uuid4().hex[:8]}", server=profile, token=TOKEN))
            return made[-1]

        rooms = Rooms(client)
        calls = await rooms.open(2)
        await all_there(calls)
        names = [rooms.name(0), rooms.name(1)]
        assert calls[0].broadcast_id == calls[0]._group._access.room
        await assert_everybody_at_everybody(calls, names)
        await asyncio.sleep(PATIENCE_S + 0.5)
        assert [call.state for call in calls] == ["connected"] * 2
        await assert_everybody_at_everybody(calls, names)
        assert calls[0].participants[0].id == (await made[1].connect()).id
        calls[0].layer(names[1], "low")
        await until(lambda: calls[0].participants[0].layer == "low", "the low layer")
        await calls[0].kick(names[1])
        assert (await calls[1].until("ended", timeout_s=10)).reason == "kicked"
        await asyncio.gather(*(one.close() for one in made))
