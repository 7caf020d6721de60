"""The live gateway's dialect on the embedded SFU (PROTOCOL C3), by a raw HTTP client."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import aiohttp
import pytest

from xnb.server.app import serving
from xnb.server.janus.gateway import GatewayQuirks
from xnb.server.options import ServerOptions, SfuOptions

from .conftest import TOKEN

VIDEOROOM = "janus.plugin.videoroom"
ROOM = "1BdGYyRVXEqxX"
SENDRECV = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
HEADERS = {"Authorization": TOKEN, "Referer": "https://x.com"}
NUMBERS = itertools.count()


class Phone:
    """One user's session and handle at the gateway."""

    def __init__(self, http, base, user):
        self.http, self.gateway, self.user = http, base + "/gateway", user
        self.session = self.handle = ""

    async def post(self, url, headers=HEADERS, **message):
        message = {"transaction": f"t{next(NUMBERS)}"} | message
        async with self.http.post(url, json=message, headers=headers) as reply:
            assert reply.status == 200
            return await reply.json()

    async def poll(self):
        async with self.http.get(self.session, params={"maxev": "1"}, headers=HEADERS) as reply:
            return await reply.json()

    async def attach(self):
        if not self.session:
            made = await self.post(self.gateway, janus="create")
            self.session = f"{self.gateway}/{made['data']['id']}"
        made = await self.post(self.session, janus="attach", plugin=VIDEOROOM)
        self.handle = f"{self.session}/{made['data']['id']}"
        return self

    async def say(self, request, room=ROOM, jsep=None, **body):
        body = {"request": request, "room": room, "periscope_user_id": self.user} | body
        more = {"jsep": jsep} if jsep else {}
        return await self.post(self.handle, janus="message", body=body, **more)

    async def create(self, **more):
        return (await self.say("create", audiocodec="opus", videocodec="h264", **more))[
            "plugindata"
        ]["data"]


@pytest.fixture
async def gateway():
    """Starts servers; gives a function that attaches users."""
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15))
        )

        async def start(**quirks):
            options = SfuOptions(gateway=GatewayQuirks(**quirks))
            base = await stack.enter_async_context(serving(TOKEN, ServerOptions(sfu=options)))

            async def attached(user):
                return await Phone(http, base, user).attach()

            return attached

        yield start


async def test_only_the_authorization_header_lets_in(gateway):
    ann = await (await gateway())("11")
    for headers in ({}, {"Authorization": "wrong"}, {"Authorization": f"Bearer {TOKEN}"}):
        made = await ann.post(ann.gateway, headers, janus="create", token=TOKEN)
        assert made["error"]["code"] == 403
        refused = await ann.post(ann.handle, headers, janus="message", body={"request": "create"})
        assert refused["error"]["code"] == 403
        async with ann.http.get(ann.session, headers=headers) as reply:
            assert (await reply.json())["error"]["code"] == 403
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await ann.http.ws_connect(ann.gateway, headers=HEADERS)


async def test_bodies_name_a_room_as_text_and_a_user(gateway):
    ann = await (await gateway())("11")
    assert (await ann.create())["videoroom"] == "created"
    assert (await ann.create())["error_code"] == 427
    for code, more in (
        (430, {"room": 1234}),
        (429, {"room": None}),
        (429, {"periscope_user_id": None}),
    ):
        refused = await ann.say("join", ptype="publisher", display="11", **more)
        assert refused["plugindata"]["data"]["error_code"] == code
    refused = await ann.say("configure", descriptions=[{"mid": "0", "description": "audio"}])
    assert refused["plugindata"]["data"]["error_code"] == 429


async def test_a_body_beside_other_requests_than_messages_is_passed_over(gateway):
    attach = await gateway(host_must_subscribe_s=5.0)
    ann = await attach("11")
    strange = {"request": "publish", "x": 1}
    kept = await ann.post(ann.session, janus="keepalive", body=strange, jsep={"sdp": "x"})
    assert kept["janus"] == "ack"
    done = {"completed": True}
    trickled = await ann.post(ann.handle, janus="trickle", candidate=done, body=strange)
    assert trickled["janus"] == "ack"


async def test_answers_come_on_the_poll_with_user_ids(gateway):
    attach = await gateway()
    ann, bob = await attach("11"), await attach("22")
    await ann.create(notify_joining=True)
    assert (await ann.say("join", ptype="publisher", display="11"))["janus"] == "ack"
    assert (await ann.poll())["plugindata"]["data"]["videoroom"] == "joined"
    ack = await bob.say("join", ptype="publisher", display="22")
    joined = await bob.poll()
    assert joined["transaction"] == ack["transaction"]
    (attendee,) = joined["plugindata"]["data"]["attendees"]
    assert attendee["periscope_user_id"] == attendee["display"] == "11"
    told = (await ann.poll())["plugindata"]["data"]
    assert told["joining"]["display"] == "22"


async def test_answers_come_on_the_post_when_it_is_told_so(gateway):
    attach = await gateway(replies="post", poll_s=0.3)
    ann = await attach("11")
    await ann.create()
    joined = await ann.say("join", ptype="publisher", display="11")
    assert joined["janus"] == "event"
    assert joined["plugindata"]["data"]["videoroom"] == "joined"
    assert await ann.poll() == {"janus": "keepalive"}


async def test_a_host_who_does_not_subscribe_to_itself_loses_the_room(gateway):
    attach = await gateway(host_must_subscribe_s=0.5)
    offer = {"type": "offer", "sdp": SENDRECV.replace("a=mid", "a=sendonly\r\na=mid")}
    for room, subscribes in (("quiet", False), ("kept", True)):
        ann = await attach("11")
        await ann.create(room=room)
        await ann.say("join", room, ptype="publisher", display="11")
        joined = (await ann.poll())["plugindata"]["data"]
        assert (await ann.say("configure", room, offer))["janus"] == "ack"
        if subscribes:
            await ann.attach()
            wanted = {"ptype": "subscriber", "streams": [{"feed": joined["id"], "mid": "0"}]}
            await ann.say("join", room, **wanted)
        else:
            for _ in range(5):
                data = (await ann.poll()).get("plugindata", {}).get("data", {})
                if data.get("videoroom") == "destroyed":
                    break
            assert data["room"] == room
    await asyncio.sleep(0.7)
    there = await ann.say("exists", "kept")
    assert there["plugindata"]["data"]["exists"] is True
    gone = await ann.say("exists", "quiet")
    assert gone["plugindata"]["data"]["exists"] is False


async def test_a_publisher_who_could_listen_is_dropped(gateway):
    attach = await gateway(sendrecv_drop_s=0.3)
    ann = await attach("11")
    await ann.create()
    await ann.say("join", ptype="publisher", display="11")
    await ann.poll()
    await ann.say("configure", jsep={"type": "offer", "sdp": SENDRECV})
    seen = [(await ann.poll())["janus"] for _ in range(2)]
    assert "hangup" in seen
