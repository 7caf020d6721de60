"""Sessions, handles and their ends: the same against Debian's Janus and the embedded server."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from typing import Any

import aiohttp
import pytest

from xnb.signaling.janus import JanusError, JanusSession, RoomAdmin

from .conftest import Server

pytestmark = pytest.mark.filterwarnings("error")


async def until(found: Any, what: str, limit_s: float = 15) -> None:
    """Wait until ``found()``."""
    async with asyncio.timeout(limit_s):
        while not found():
            await asyncio.sleep(0.02)
    assert found(), what


class Raw:
    """A WebSocket on which anything can be said; shares no code with the client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, server: Server) -> None:
        self._socket = socket
        self._members = {
            "apisecret": server.credentials.get("api_secret"),
            "token": server.credentials.get("token"),
        }
        self._numbers = itertools.count(1)

    async def say(self, text: str) -> dict[str, Any]:
        """Send text; gives the next message."""
        await self._socket.send_str(text)
        return await self.next()

    async def next(self) -> dict[str, Any]:
        """The next message."""
        return json.loads((await self._socket.receive(timeout=5)).data)

    async def ask(self, **members: Any) -> dict[str, Any]:
        """Send a message with credentials; gives what answers it finally."""
        known = {k: v for k, v in self._members.items() if v is not None}
        full = {"transaction": f"t{next(self._numbers)}", **known, **members}
        reply = await self.say(json.dumps({k: v for k, v in full.items() if v is not ...}))
        # What cannot be read is answered without its transaction.
        while reply.get("transaction", full["transaction"]) != full["transaction"]:
            reply = await self.next()
        return reply


@pytest.fixture
async def raw(server: Server):
    """A raw connection."""
    async with aiohttp.ClientSession() as http:
        url = server.gateway("ws").url
        async with http.ws_connect(url, protocols=("janus-protocol",)) as socket:
            assert socket.protocol == "janus-protocol"
            yield Raw(socket, server)


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_session_from_its_beginning_to_its_end(server, connect, transport):
    session = await connect(transport)
    assert session.state == "open"
    info = await session.info()
    assert info["janus"] == "server_info"
    assert {"janus.plugin.videoroom", "janus.plugin.echotest"} <= set(info["plugins"])
    assert info["session-timeout"] == 20
    handle, other = await session.attach(), await session.attach("janus.plugin.echotest")
    assert handle.id != other.id
    await handle.hangup()
    await other.detach()
    await other.detach()
    with pytest.raises(JanusError) as caught:
        await other.request({"audio": True})
    assert caught.value.code == 459
    with pytest.raises(JanusError) as caught:
        await session.attach("janus.plugin.none")
    assert caught.value.code == 460
    await session.close()
    await session.close()
    assert session.state == "closed"
    with pytest.raises(JanusError, match="closed"):
        await handle.request({"request": "list"})


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_nothing_is_left_of_a_closed_session(server, transport):
    before = asyncio.all_tasks()
    for _ in range(3):
        session = JanusSession(server.gateway(transport))
        await session.open()
        admin = RoomAdmin(session, 78)
        await asyncio.gather(*(admin.exists() for _ in range(5)))
        await session.close()
    mine = [one for one in asyncio.all_tasks() - before if one.get_name().startswith("xnb janus")]
    assert mine == []


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_info_needs_no_session(server, transport):
    session = JanusSession(server.gateway(transport))
    try:
        assert (await session.info())["janus"] == "server_info"
        assert session.state == "new"
    finally:
        await session.close()


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_who_has_no_key_stays_outside(server, transport):
    wrong = dict.fromkeys(server.credentials, "wrong-wrong-wrong-wrong")
    session = JanusSession(server.gateway(transport, **wrong))
    with pytest.raises(JanusError, match="did not accept the token") as caught:
        await session.open()
    assert caught.value.code == 403
    assert "wrong-wrong" not in str(caught.value)
    assert session.state == "new"
    await session.close()


async def test_error_codes_of_the_core(server, raw):
    """Each as Janus' apierror.h has it; what real Janus answers is what the embedded one must."""
    assert (await raw.say("{no json"))["error"]["code"] == 454
    assert (await raw.say("[1, 2]"))["error"]["code"] in (455, 456)
    assert (await raw.say("{}"))["error"]["code"] == 456
    created = await raw.ask(janus="create")
    number = created["data"]["id"]
    attached = await raw.ask(janus="attach", session_id=number, plugin="janus.plugin.videoroom")
    handle = attached["data"]["id"]
    here = {"session_id": number, "handle_id": handle}
    gone = number + 1 if number < 2**50 else number - 1
    jsep = {"janus": "message", **here, "body": {}}
    wanted = [
        (456, {"janus": "attach", "session_id": number}),
        (456, {"janus": "message", **here}),
        (456, {"janus": "trickle", **here}),
        (457, {"janus": "attach", "plugin": "janus.plugin.videoroom"}),
        (457, {"janus": "message", "session_id": number, "body": {}}),
        (457, {"janus": "keepalive"}),
        (457, {"janus": "nonsense"}),
        (453, {"janus": "nonsense", **here}),
        (453, {"janus": "nonsense", "session_id": number}),
        (453, {"janus": "create", "session_id": number}),
        (458, {"janus": "keepalive", "session_id": gone}),
        (458, {"janus": "claim", "session_id": gone}),
        (458, {"janus": "destroy", "session_id": gone}),
        (459, {"janus": "message", "session_id": number, "handle_id": handle + 1, "body": {}}),
        (460, {"janus": "attach", "session_id": number, "plugin": "janus.plugin.none"}),
        (468, {"janus": "create", "id": number}),
        (464, {**jsep, "jsep": {"type": "guess", "sdp": "v=0"}}),
        (465, {**jsep, "jsep": {"type": "offer", "sdp": "no"}}),
        (469, {**jsep, "jsep": {"type": "answer", "sdp": SDP}}),
        (455, {**jsep, "jsep": "text"}),
        (456, {**jsep, "jsep": {}}),
        (456, {**jsep, "jsep": {"type": "offer"}}),
        (467, {"janus": 5, **here}),
        (467, {"janus": "message", **here, "body": "text"}),
        (467, {"janus": "attach", "session_id": number, "plugin": 5}),
        (454, {"janus": "trickle", **here, "candidate": {}, "candidates": []}),
        (403, {"janus": "create", "apisecret": "wrong", "token": "wrong"}),
        (403, {"janus": "keepalive", "session_id": number, "apisecret": ..., "token": ...}),
    ]
    got = [(await raw.ask(**message)).get("error", {}).get("code") for _, message in wanted]
    differing = [(one, code) for one, code in zip(wanted, got, strict=True) if one[0] != code]
    assert differing == []
    no_transaction = await raw.ask(janus="create", transaction=...)
    assert no_transaction["error"]["code"] == 456
    assert (await raw.ask(janus="create", transaction=7))["error"]["code"] == 467
    assert (await raw.ask(janus="ping"))["janus"] == "pong"


SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "c=IN IP4 127.0.0.1\r\na=rtpmap:111 opus/48000/2\r\na=mid:0\r\na=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789012345678901\r\na=setup:active\r\na=sendonly\r\na=fingerprint:sha-256 "
    + ":".join(["AB"] * 32)
    + "\r\n"
)


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_dropped_connection_is_taken_up_again(server, relayed, transport):
    relay = await relayed(server.port(transport))
    session = JanusSession(server.gateway(transport, port=relay.port))
    states: list[str] = []
    session.on_state = states.append
    try:
        await session.open()
        admin = RoomAdmin(session, 77)
        await admin.create()
        handle, number = admin.handle, session.id
        await relay.down()
        await until(lambda: session.state == "claiming", "the drop is noticed")
        listing = asyncio.ensure_future(admin.list_participants())
        await asyncio.sleep(0.3)
        assert not listing.done()
        await relay.start()
        assert await asyncio.wait_for(listing, 10) == ()
        assert states == ["open", "claiming", "open"]
        # The same session and handle: nothing has been made anew.
        assert (session.id, admin.handle) == (number, handle)
        assert await admin.exists()
        await admin.destroy()
    finally:
        await session.close()


async def test_a_dead_connection_is_noticed_by_its_signs_of_life(server, relayed):
    """Nothing breaks; nothing gets through either."""
    relay = await relayed(server.port("ws"))
    session = JanusSession(server.gateway("ws", port=relay.port, keepalive_s=0.3))
    try:
        await session.open()
        relay.hold()
        await until(lambda: session.state == "claiming", "the silence is noticed", 5)
        relay.release()
        await until(lambda: session.state == "open", "the session is back", 5)
        assert (await session.attach()).id
    finally:
        await session.close()


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_blocked_loop_is_no_dead_connection(connect, transport):
    """A cell that computes for longer than a sign of life may take."""
    session = await connect(transport, keepalive_s=0.3)
    states: list[str] = []
    session.on_state = states.append
    for _ in range(2):
        await asyncio.sleep(0.302)
        time.sleep(0.4)
    await asyncio.sleep(0.1)
    assert states == []
    assert (await session.attach()).id


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_session_that_comes_back_too_late_is_lost(server, relayed, transport):
    relay = await relayed(server.port(transport))
    session = JanusSession(server.gateway(transport, port=relay.port, reclaim_s=0.8))
    states: list[str] = []
    session.on_state = states.append
    try:
        await session.open()
        await relay.down()
        await until(lambda: session.state == "claiming", "the drop is noticed")
        attaching = asyncio.ensure_future(session.attach())
        await until(lambda: session.state == "lost", "the session is given up", 5)
        with pytest.raises(JanusError, match="from scratch") as caught:
            await attaching
        assert caught.value.code == 458
        assert states == ["open", "claiming", "lost"]
    finally:
        await session.close()


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_session_that_the_server_forgot_is_lost(server, connect, raw, transport):
    """As after a restart of the server: 458 means that everything is to be joined again."""
    session = await connect(transport, keepalive_s=0.2)
    states: list[str] = []
    session.on_state = states.append
    handle = await session.attach()
    reply = await raw.ask(janus="destroy", session_id=session.id)
    assert reply["janus"] == "success"
    await until(lambda: session.state == "lost", "458 is noticed", 5)
    assert states == ["lost"]
    with pytest.raises(JanusError) as caught:
        await handle.request({"request": "list"})
    assert caught.value.code == 458


async def test_another_connection_may_claim_the_session(server, connect, raw):
    session = await connect(keepalive_s=60)
    reply = await raw.ask(janus="claim", session_id=session.id)
    assert reply["janus"] == "success"
    handle = await raw.ask(janus="attach", session_id=session.id, plugin="janus.plugin.videoroom")
    assert handle["janus"] == "success"
