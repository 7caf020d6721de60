"""Learning of incoming calls from an xnb server."""

from __future__ import annotations

import asyncio

import pytest

from xnb.errors import SettingsError, XnbError
from xnb.profile import ServerProfile
from xnb.signaling.http import HttpClient
from xnb.signaling.incoming import IncomingNotice, ServerIncoming

from .conftest import FakeServer, hang


async def test_notices_come_in_order(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    told: list[XnbError] = []
    fake.put(
        "xnb/incoming",
        {"notices": [{"broadcast_id": "b1", "host_id": 5, "host_handle": "ann", "audio_only": 1}]},
        {
            "notices": [
                {"broadcast_id": "b1", "host_id": 5, "host_handle": "ann", "audio_only": True},
                {"broadcastId": "b2", "hostId": "6", "conversationId": "5:6", "hostHandle": None},
            ],
            "cursor": 3,
        },
        {"notices": None, "cursor": 3},
        {"notices": [{"broadcast_id": "b3", "host_id": 7, "future": {}}], "cursor": 4},
        hang,
    )
    source = ServerIncoming(http, profile, told.append)
    seen = []
    async with asyncio.timeout(5):
        async for notice in source.notices():
            seen.append(notice)
            if len(seen) == 3:
                await source.close()
    assert seen == [
        IncomingNotice("b1", "5", "ann", None, True),
        IncomingNotice("b2", "6", "", "5:6", False),
        IncomingNotice("b3", "7", "", None, False),
    ]
    assert [call.body["cursor"] for call in fake.calls] == [0, 0, 3, 3]
    assert 0 < fake.calls[0].body["timeout_s"] < profile.rhythm.hold_s
    assert len(told) == 1


async def test_closing_while_waiting(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    fake.put("xnb/incoming", hang)
    source = ServerIncoming(http, profile)

    async def read() -> list[IncomingNotice]:
        return [notice async for notice in source.notices()]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    await source.close()
    await source.close()
    async with asyncio.timeout(1):
        assert await reading == []


async def test_the_live_service_cannot_be_listened_to() -> None:
    live = ServerProfile.live()
    client = HttpClient(live)
    with pytest.raises(SettingsError, match="answer_call"):
        ServerIncoming(client, live)
    await client.close()
