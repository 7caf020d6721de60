"""The Janus API over HTTP long poll, its tokens, and which pages may use it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from xnb.server.app import SERVICES, make_app, serving
from xnb.server.janus.api_error import ApiError
from xnb.server.janus.tokens import VIDEOROOM, Tokens
from xnb.server.options import ServerOptions, SfuOptions

from .conftest import TOKEN
from .janus_rig import TINY, Tiny, rigged

CREATE = {"janus": "create", "transaction": "t"}


@pytest.fixture
async def rig():
    async with rigged() as made:
        yield made


async def attached(rig, server, **more):
    made = await rig.post(server.http_url, CREATE | more)
    session = f"{server.http_url}/{made['data']['id']}"
    ask = {"janus": "attach", "transaction": "a", "plugin": TINY} | more
    made = await rig.post(session, ask)
    return session, f"{session}/{made['data']['id']}"


def message(transaction="m", **body):
    return {"janus": "message", "transaction": transaction, "body": body}


async def test_requests_are_posted_and_events_polled(rig):
    server = await rig.serve()
    session, handle = await attached(rig, server)
    reply = await rig.post(handle, message(request="sum", numbers=[40, 2]))
    assert reply["plugindata"]["data"] == {"tiny": "sum", "sum": 42}
    reply = await rig.post(handle, message("x", request="later", n=3))
    assert reply == {
        "janus": "ack",
        "session_id": int(session.rpartition("/")[2]),
        "transaction": "x",
    }
    event = await rig.get(session, params={"rid": "12345"})
    assert event["transaction"] == "x"
    assert event["sender"] == int(handle.rpartition("/")[2])
    assert event["plugindata"]["data"] == {"tiny": "later", "n": 3}
    trickled = {"janus": "trickle", "transaction": "c", "candidate": {"completed": True}}
    assert (await rig.post(handle, trickled))["janus"] == "ack"
    assert (await rig.get(session))["plugindata"]["data"]["candidates"] == [None]
    # A session or handle in the body does not count: the path does.
    keep = {"janus": "keepalive", "transaction": "k", "session_id": 1, "handle_id": 2}
    assert (await rig.post(session, keep))["janus"] == "ack"


async def test_maxev_gives_several_at_once_and_an_empty_poll_a_keepalive(rig):
    server = await rig.serve(poll_s=0.5)
    session, handle = await attached(rig, server)
    began = time.monotonic()
    assert await rig.get(session) == {"janus": "keepalive"}
    assert await rig.get(session, params={"maxev": "5"}) == [{"janus": "keepalive"}]
    assert 0.8 < time.monotonic() - began < 3
    await rig.post(handle, message(request="events", count=7))
    got = await rig.get(session, params={"maxev": "5", "rid": "9"})
    assert [each["plugindata"]["data"]["n"] for each in got] == [0, 1, 2, 3, 4]
    assert (await rig.get(session))["plugindata"]["data"]["n"] == 5
    rest = await rig.get(session, params={"maxev": "5"})
    assert [each["plugindata"]["data"].get("n") for each in rest] == [6, None]
    assert await rig.get(session, params={"maxev": "nonsense"}) == {"janus": "keepalive"}


async def test_the_newest_poll_gets_the_event(rig):
    server = await rig.serve(poll_s=5.0)
    session, handle = await attached(rig, server)
    first = asyncio.create_task(rig.get(session))
    await asyncio.sleep(0.2)
    second = asyncio.create_task(rig.get(session))
    assert await first == {"janus": "keepalive"}
    await rig.post(handle, message(request="events", count=1))
    assert (await second)["plugindata"]["data"]["n"] == 0


async def test_a_poll_that_is_given_up_loses_nothing(rig):
    server = await rig.serve()
    session, handle = await attached(rig, server)
    with pytest.raises(TimeoutError):
        await rig.get(session, timeout=aiohttp.ClientTimeout(total=0.3))
    await rig.post(handle, message(request="events", count=1))
    assert (await rig.get(session))["plugindata"]["data"]["n"] == 0


async def test_a_poll_is_a_sign_of_life_and_silence_is_not(rig):
    server = await rig.serve(session_timeout_s=0.6, poll_s=1.2)
    session, _ = await attached(rig, server)
    assert await rig.get(session) == {"janus": "keepalive"}
    await asyncio.sleep(1.3)
    assert (await rig.get(session))["error"]["code"] == 458
    assert server.tiny.handles[0].detached == 1


async def test_a_poll_ends_with_its_session(rig):
    server = await rig.serve()
    session, _ = await attached(rig, server)
    poll = asyncio.create_task(rig.get(session))
    await asyncio.sleep(0.1)
    done = await rig.post(session, {"janus": "destroy", "transaction": "d"})
    assert done["janus"] == "success"
    assert (await poll)["error"]["code"] == 458


async def test_a_session_moves_from_a_socket_to_polling(rig):
    server = await rig.serve()
    ws = await rig.ws(server)
    at = await ws.both()
    session = f"{server.http_url}/{at['session_id']}"
    assert (await rig.post(session, {"janus": "claim", "transaction": "c"}))["janus"] == "success"
    await ws.socket.close()
    await rig.post(f"{session}/{at['handle_id']}", message(request="events", count=1))
    assert (await rig.get(session))["plugindata"]["data"]["n"] == 0


async def test_events_of_a_client_that_never_polls_are_bounded(rig):
    server = await rig.serve()
    session, handle = await attached(rig, server)
    await rig.post(handle, message(request="events", count=1500))
    got = []
    while not got or got[-1]["plugindata"]["data"]["tiny"] != "ok":
        got += await rig.get(session, params={"maxev": "100"})
    assert len(got) == 1000
    assert got[-2]["plugindata"]["data"]["n"] == 1499


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 452),
        (b"{", 454),
        (b"\xff\xfe", 454),
        (b"[]", 455),
        (b"{}", 456),
        (b'{"janus":"create"}', 456),
        (b'{"janus":"attach","transaction":"t"}', 457),
        (b'{"janus":"sing","transaction":"t"}', 457),
        (b'{"janus":"create","transaction":"' + b"x" * 300_000 + b'"}', 450),
    ],
)
async def test_a_bad_post_is_named(rig, body, code):
    server = await rig.serve()
    assert (await rig.post(server.http_url, body))["error"]["code"] == code
    assert (await rig.post(server.http_url, CREATE))["janus"] == "success"


async def test_bad_paths(rig):
    server = await rig.serve()
    keep = {"janus": "keepalive", "transaction": "k"}
    assert (await rig.post(server.http_url + "/12345", keep))["error"]["code"] == 458
    assert (await rig.post(server.http_url + "/nonsense", keep))["error"]["code"] == 457
    assert (await rig.post(server.http_url + "/1/2", keep))["error"]["code"] == 458
    async with rig.http.get(server.http_url + "/12345") as reply:
        # A client that polls on after a 200 would poll for ever.
        assert reply.status == 404
        assert (await reply.json())["error"]["code"] == 458
    assert (await rig.get(server.http_url + "/info"))["plugins"].keys() == {TINY}
    assert (await rig.get(server.http_url + "/ping")) == {"janus": "pong"}


# Tokens


def by_hand(secret, expiry, *scope):
    """A signed token as Janus' documentation describes it, made without our code."""
    data = ",".join([str(expiry), *scope])
    digest = hmac.new(secret.encode(), data.encode(), hashlib.sha1).digest()
    return f"{data}:{base64.b64encode(digest).decode()}"


def test_signed_tokens_are_those_of_the_documentation():
    now_s = 1_700_000_000.0
    tokens = Tokens("hush", clock=lambda: now_s)
    made = tokens.sign(["janus.plugin.videoroom", "janus.plugin.echotest"], ttl_s=60)
    scope = ("janus", "janus.plugin.videoroom", "janus.plugin.echotest")
    word = made.partition(":")[0].rpartition(",")[2]
    assert len(word) == 16
    assert made == by_hand("hush", 1_700_000_060, *scope, word)
    again = tokens.sign(["janus.plugin.videoroom", "janus.plugin.echotest"], ttl_s=60)
    assert again != made
    assert not tokens.is_stored(made)
    assert tokens.allows(made)
    assert tokens.allows(made, "janus.plugin.echotest")
    assert not tokens.allows(made, "janus.plugin.streaming")
    now_s += 61
    assert not tokens.allows(made)
    later = 1_800_000_000
    assert tokens.allows(by_hand("hush", later, *scope))
    for wrong in (
        by_hand("other", later, *scope),
        by_hand("hush", later, "elsewhere", *scope[1:]),
        by_hand("hush", later),
        by_hand("hush", "x", *scope),
        by_hand("hush", later, *scope).replace("1800000000", "1900000000"),
        by_hand("hush", later, *scope)[:-2],
        "nonsense",
        "",
        ":",
        "ä:ö",
        None,
        5,
        "x" * 5000,
    ):
        assert not tokens.allows(wrong), wrong
    assert "hush" not in repr(tokens)


def test_stored_tokens_come_and_go():
    tokens = Tokens("hush")
    tokens.add("everything")
    tokens.add("only echo", ["janus.plugin.echotest"])
    assert tokens.allows("everything", TINY)
    assert tokens.is_stored("everything")
    assert not any(tokens.is_stored(other) for other in ("nothing", "ä", "\ud800", None, 5))
    assert tokens.allows("only echo", "janus.plugin.echotest")
    assert not tokens.allows("only echo", TINY)
    tokens.remove("everything")
    assert not tokens.allows("everything")
    with pytest.raises(ApiError) as caught:
        tokens.remove("everything")
    assert caught.value.code == 470
    with pytest.raises(ValueError, match="1024"):
        tokens.add("x" * 2000)


async def test_nobody_comes_in_without_a_token_or_the_secret(rig):
    tokens = Tokens("hush")
    other = Tiny("janus.plugin.other")
    server = await rig.serve(tokens=tokens, api_secret="the api secret", plugins=[other])
    good = {"token": tokens.sign([TINY], ttl_s=60)}
    secret = {"apisecret": "the api secret"}
    for bad in ({}, {"token": "wrong"}, {"apisecret": "wrong"}, {"apisecret": 5}):
        assert (await rig.post(server.http_url, CREATE | bad))["error"]["code"] == 403
    # Asking what this is needs none.
    assert (await rig.get(server.http_url + "/info"))["auth_token"] is True
    session, handle = await attached(rig, server, **good)
    keep = {"janus": "keepalive", "transaction": "k"}
    assert (await rig.post(session, keep))["error"]["code"] == 403
    assert (await rig.post(session, keep | good))["janus"] == "ack"
    assert (await rig.post(session, keep | secret))["janus"] == "ack"
    assert (await rig.get(session))["error"]["code"] == 403
    ask = {"janus": "attach", "transaction": "a", "plugin": "janus.plugin.other"}
    assert (await rig.post(session, ask | good))["error"]["code"] == 405
    assert (await rig.post(session, ask | secret))["janus"] == "success"
    await rig.post(handle, message(request="events", count=1) | good)
    assert (await rig.get(session, params=good))["plugindata"]["data"]["n"] == 0
    # The same over a WebSocket.
    ws = await rig.ws(server)
    assert (await ws.ask("create"))["error"]["code"] == 403
    assert (await ws.ask("create", **good))["janus"] == "success"


async def test_only_the_owner_is_told_to_the_plugin_as_such(rig):
    tokens = Tokens("hush")
    tokens.add("the server's own")
    server = await rig.serve(tokens=tokens, api_secret="the api secret")
    open_to_all = await rig.serve()
    for at, how, is_owner in (
        (server, {"token": "the server's own"}, True),
        (server, {"apisecret": "the api secret"}, True),
        (server, {"token": tokens.sign([TINY])}, False),
        (open_to_all, {}, True),
        (open_to_all, {"token": tokens.sign([TINY])}, True),
    ):
        await attached(rig, at, **how)
        assert at.tiny.handles[-1].link.is_owner is is_owner, how


async def test_a_signed_token_has_a_share_of_the_sessions(rig):
    tokens = Tokens("hush")
    tokens.add("the server's own")
    server = await rig.serve(tokens=tokens, max_guest_sessions=3)
    guest, other = ({"token": tokens.sign([TINY])} for _ in range(2))
    assert guest != other
    made = [await rig.post(server.http_url, CREATE | guest) for _ in range(3)]
    refused = await rig.post(server.http_url, CREATE | guest)
    assert refused["error"]["code"] == 472
    for free in (other, *[{"token": "the server's own"}] * 4):
        assert (await rig.post(server.http_url, CREATE | free))["janus"] == "success"
    url = f"{server.http_url}/{made[0]['data']['id']}"
    done = await rig.post(url, {"janus": "destroy", "transaction": "d"} | guest)
    assert done["janus"] == "success"
    assert (await rig.post(server.http_url, CREATE | guest))["janus"] == "success"
    assert guest["token"] not in repr(server.core) + repr(list(server.core.sessions.values()))


async def test_guests_make_no_rooms(rig):
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(make_app(TOKEN, ServerOptions()), shutdown_timeout=0.3)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/janus"
        sfu = runner.app[SERVICES].sfu

        async def asks(token, request, **body):
            session = await rig.post(url, CREATE | {"token": token})
            at = f"{url}/{session['data']['id']}"
            attach = {"janus": "attach", "transaction": "a", "plugin": VIDEOROOM, "token": token}
            handle = await rig.post(at, attach)
            at += f"/{handle['data']['id']}"
            told = await rig.post(at, message(request=request, **body) | {"token": token})
            return told["plugindata"]["data"]

        guest = sfu.tokens.sign([VIDEOROOM])
        assert (await asks(guest, "create", room="mine"))["error_code"] == 433
        assert (await asks(guest, "create"))["error_code"] == 433
        assert (await asks(guest, "create", room="mine", admin_key="x"))["error_code"] == 433
        assert not sfu.videoroom.rooms
        assert (await asks(TOKEN, "create", room="theirs"))["videoroom"] == "created"
        # What is there already is no secret: `exists` tells the same.
        assert (await asks(guest, "create", room="theirs"))["error_code"] == 427
        assert [one["room"] for one in (await asks(guest, "list"))["list"]] == ["theirs"]


async def test_a_token_that_runs_out_lets_nobody_in_any_more(rig):
    now_s = 1_700_000_000.0
    tokens = Tokens("hush", clock=lambda: now_s)
    server = await rig.serve(tokens=tokens)
    ws = await rig.ws(server)
    token = tokens.sign([TINY], ttl_s=60)
    session = (await ws.ask("create", token=token))["data"]["id"]
    now_s += 61
    keep = {"session_id": session}
    assert (await ws.ask("keepalive", token=token, **keep))["error"]["code"] == 403
    fresh = tokens.sign([TINY], ttl_s=60)
    assert (await ws.ask("keepalive", token=fresh, **keep))["janus"] == "ack"


# Pages


ORIGIN = "https://calls.example"


async def test_pages_of_other_origins_are_refused_unless_allowed(rig):
    options = ServerOptions(allowed_origins=frozenset({ORIGIN}))
    async with serving(TOKEN, options) as base:
        url, http = base + "/janus", rig.http
        create = CREATE | {"token": TOKEN}
        async with http.post(url, json=create, headers={"Origin": "https://evil.example"}) as reply:
            assert reply.status == 403
            assert (await reply.json())["error"]["code"] == "forbidden_origin"
            assert "Access-Control-Allow-Origin" not in reply.headers
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(url, headers={"Origin": "https://evil.example"})
        assert caught.value.status == 403
        async with http.post(url, json=create, headers={"Origin": base}) as reply:
            assert (await reply.json())["janus"] == "success"
        allowed = {"Origin": ORIGIN}
        async with http.post(url, json=create, headers=allowed) as reply:
            assert (await reply.json())["janus"] == "success"
            assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
        asks = {"Access-Control-Request-Method": "POST"}
        async with http.options(url + "/1/2", headers=allowed | asks) as reply:
            assert reply.status == 204
            assert "POST" in reply.headers["Access-Control-Allow-Methods"]
            assert "Content-Type" in reply.headers["Access-Control-Allow-Headers"]
        async with http.ws_connect(url, headers=allowed, protocols=("janus-protocol",)) as socket:
            await socket.send_json({"janus": "ping", "transaction": "p"})
            assert (await socket.receive_json(timeout=5))["janus"] == "pong"
        # Only the Janus API is open to them.
        async with http.get(base + "/health", headers=allowed) as reply:
            assert reply.status == 403


async def test_the_servers_own_janus_wants_its_token_unless_it_is_open(rig):
    async with serving(TOKEN) as base:
        assert (await rig.post(base + "/janus", CREATE))["error"]["code"] == 403
        made = await rig.post(base + "/janus", CREATE | {"token": TOKEN})
        assert made["janus"] == "success"
        info = await rig.get(base + "/janus/info")
        assert {"janus.plugin.videoroom", "janus.plugin.echotest"} <= info["plugins"].keys()
    async with serving(TOKEN, ServerOptions(sfu=SfuOptions(is_open=True))) as base:
        assert (await rig.post(base + "/janus", CREATE))["janus"] == "success"
