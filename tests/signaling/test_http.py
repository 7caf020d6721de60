"""Retries, time limits, error mapping, and that no secret ever shows."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from xnb.errors import (
    CallGated,
    SettingsError,
    SignalingError,
    Unauthorized,
    UnknownUser,
    Unreachable,
)
from xnb.profile import PathKey, ServerProfile
from xnb.settings import Timeouts
from xnb.signaling.http import HttpClient
from xnb.signaling.trace import Trace

from .conftest import GUEST_TOKEN, SECRETS, TOKEN, FakeServer, drop, hang, refuse, text

STATUS = "p2p/broadcast/status"
CREATE = "p2p/broadcast/create"


async def test_a_guest_call_carries_the_raw_token_and_json(
    fake: FakeServer, http: HttpClient
) -> None:
    fake.put(STATUS, {"status": "RUNNING"})
    assert await http.post("status", {"broadcast_id": "b"}) == {"status": "RUNNING"}
    (call,) = fake.calls
    assert call.path == "/guest/api/v1/p2p/broadcast/status"
    assert call.headers["Authorization"] == GUEST_TOKEN
    assert call.body == {"broadcast_id": "b"}


async def test_graphql_carries_the_bearer(fake: FakeServer, http: HttpClient) -> None:
    await http.get("token", headers={"x-xnb-user": "me"})
    (call,) = fake.calls
    assert call.method == "GET"
    assert call.path == "/graphql/r7VUmxbfqNkx7uwjgONSNw/AuthenticatePeriscope"
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["x-xnb-user"] == "me"


@pytest.mark.parametrize(
    ("key", "reply", "kind", "words"),
    [
        ("status", refuse(401), Unauthorized, "asking for the call's status"),
        ("create", refuse(403, "gated"), CallGated, "does not let this account place calls"),
        ("create", (403, {"anything": 1}), CallGated, "rollout"),
        ("create", refuse(404, "unknown_user"), UnknownUser, "no such user"),
        ("lookup", (404, {}), UnknownUser, "no such user"),
        ("join", refuse(404, "unknown_broadcast"), SignalingError, "404 while joining"),
        ("join", refuse(403), SignalingError, "403 while joining"),
        (
            "send",
            refuse(413, "too_large"),
            SignalingError,
            "413 while sending a signal: some words",
        ),
        ("send", (429, {}), SignalingError, "wait a minute"),
        ("send", (500, {"errors": [{"message": "oh"}]}), SignalingError, "signal: oh."),
        ("send", (302, {}), SignalingError, "302"),
    ],
)
async def test_refusals_become_typed_errors(
    fake: FakeServer,
    http: HttpClient,
    key: PathKey,
    reply: Any,
    kind: type[SignalingError],
    words: str,
) -> None:
    fake.put(http.profile.url(key).removeprefix(fake.base), reply)
    with pytest.raises(SignalingError) as caught:
        await http.post(key, {"broadcast_id": "b"})
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert caught.value.status == reply[0]
    assert caught.value.remedy


@pytest.mark.parametrize("broken", [drop, (503, {}), (502, {}), (504, {})])
async def test_reads_are_tried_again(fake: FakeServer, http: HttpClient, broken: Any) -> None:
    fake.put(STATUS, broken, broken, {"status": "ENDED"})
    assert await http.post("status", {"broadcast_id": "b"}) == {"status": "ENDED"}
    assert len(fake.calls) == 3


@pytest.mark.parametrize("key", ["create", "send", "send_batch", "join", "publish", "announce"])
@pytest.mark.parametrize("broken", [drop, (503, {})])
async def test_writes_are_never_repeated(
    fake: FakeServer, http: HttpClient, key: PathKey, broken: Any
) -> None:
    fake.put(http.profile.url(key).removeprefix(fake.base), broken, {"success": True})
    with pytest.raises(SignalingError):
        await http.post(key, {"broadcast_id": "b"})
    assert len(fake.calls) == 1


async def test_retries_end_and_name_the_stage(fake: FakeServer, http: HttpClient) -> None:
    fake.put(STATUS, drop)
    with pytest.raises(
        Unreachable, match="asking for the call's status: the connection was dropped"
    ):
        await http.post("status", {"broadcast_id": "b"})
    assert len(fake.calls) == 3


async def test_a_silent_server_is_given_up_in_time(fake: FakeServer, http: HttpClient) -> None:
    fake.put(STATUS, hang)
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"no answer within 0\.5 s"):
        await http.post("status", {"broadcast_id": "b"})
    assert time.monotonic() - started < 1.5
    fake.put("p2p/broadcast/leave", hang)
    with pytest.raises(Unreachable, match=r"leaving the call: no answer within 0\.4 s"):
        await http.post("leave", {"broadcast_id": "b"})


async def test_a_reply_that_stalls_half_way(fake: FakeServer, http: HttpClient) -> None:
    async def stall(request: web.Request, _body: Any) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"status": ')
        await asyncio.sleep(30)
        return response

    fake.put(STATUS, stall)
    with pytest.raises(Unreachable, match="no answer within"):
        await http.post("status", {"broadcast_id": "b"})


async def test_nobody_listens() -> None:
    client = HttpClient(ServerProfile.local("http://127.0.0.1:9"))
    with pytest.raises(
        Unreachable, match="creating the call: the connection was refused"
    ) as caught:
        await client.post("create", {})
    assert "127.0.0.1" not in "".join(traceback.format_exception(caught.value))
    await client.close()


async def test_what_speaks_no_http_is_reported(fake: FakeServer) -> None:
    async def gibberish(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(gibberish, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = HttpClient(ServerProfile.local(f"http://127.0.0.1:{port}"))
    with pytest.raises(Unreachable, match="no valid HTTP"):
        await client.post("create", {})
    await client.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "garbled",
    ['{"status": "RUN', "<html>login</html>", "", "[1, 2]", "null", '"text"', "\x00", "[" * 5000],
)
async def test_garbled_json(fake: FakeServer, http: HttpClient, garbled: str) -> None:
    fake.put(STATUS, text(garbled))
    with pytest.raises(SignalingError, match="no JSON object") as caught:
        await http.post("status", {"broadcast_id": "b"})
    assert type(caught.value) is SignalingError


async def test_the_content_type_does_not_matter(fake: FakeServer, http: HttpClient) -> None:
    fake.put(STATUS, text('{"status": "RUNNING"}', "text/html"))
    assert await http.post("status", {"broadcast_id": "b"}) == {"status": "RUNNING"}


async def test_an_endless_reply_is_refused(fake: FakeServer, http: HttpClient) -> None:
    fake.put(STATUS, text('{"a": "' + "x" * 3_000_000 + '"}'))
    with pytest.raises(SignalingError, match="no JSON object"):
        await http.post("status", {"broadcast_id": "b"})


async def test_the_token_is_renewed_once_for_parallel_requests(
    fake: FakeServer, http: HttpClient
) -> None:
    renewals = 0

    async def check(request: web.Request, _body: Any) -> web.StreamResponse:
        good = request.headers["Authorization"] == "fresh-token"
        return web.json_response({"ok": True}, status=200 if good else 401)

    async def refresh() -> None:
        nonlocal renewals
        renewals += 1
        http.set_guest_token("fresh-token")

    http.refresh = refresh
    fake.put(CREATE, check)
    replies = await asyncio.gather(*(http.post("create", {"n": n}) for n in range(3)))
    assert replies == [{"ok": True}] * 3
    assert renewals <= 3
    assert await http.post("create", {}) == {"ok": True}

    async def useless() -> None:
        http.set_guest_token("still-bad")

    http.refresh = useless
    http.set_guest_token("bad")
    fake.calls.clear()
    with pytest.raises(Unauthorized):
        await http.post("create", {})
    assert len(fake.calls) == 2


async def test_a_call_the_service_lacks() -> None:
    client = HttpClient(ServerProfile.live(), token=TOKEN)
    with pytest.raises(SettingsError, match="live service has no call 'lookup'"):
        await client.post("lookup", {})
    await client.close()


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_a_token_no_header_can_carry(token: str) -> None:
    with pytest.raises(SettingsError) as caught:
        HttpClient(ServerProfile.local("http://127.0.0.1:1"), token=token)
    assert not token or token not in str(caught.value)


async def test_closing_twice_and_using_it_afterwards(fake: FakeServer, http: HttpClient) -> None:
    await http.get("token")
    await http.close()
    await http.close()
    with pytest.raises(SignalingError, match="closed"):
        await http.get("token")


async def test_an_injected_session_is_used_and_not_closed(fake: FakeServer) -> None:
    async with aiohttp.ClientSession(headers={"x-mine": "yes"}) as session:
        client = HttpClient(ServerProfile.local(fake.base), session=session)
        await client.get("token")
        await client.close()
        assert not session.closed
    assert fake.calls[0].headers["x-mine"] == "yes"


async def test_loopback_never_uses_a_proxy(
    fake: FakeServer, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await http.get("token")
    assert len(fake.calls) == 1


async def test_the_trace_tells_the_story(fake: FakeServer) -> None:
    trace = Trace(capacity=3)
    client = HttpClient(ServerProfile.local(fake.base), token=TOKEN, trace=trace)
    fake.put(STATUS, {"status": "RUNNING", "surprise": "x" * 30})
    fake.put(CREATE, refuse(403, "gated"))
    with pytest.raises(CallGated):
        await client.post("create", {"invitees_twitter": [7], "audio_only": True})
    await client.post("status", {"broadcast_id": "b1"})
    out, back = trace.entries[-2:]
    assert (out.direction, out.channel, out.name) == ("out", "http", "status")
    assert out.summary == {"broadcast_id": "b1"}
    assert out.size_bytes == len('{"broadcast_id": "b1"}')
    assert (back.direction, back.name) == ("in", "status 200")
    assert back.summary == {"status": "RUNNING", "surprise": "<30 characters>"}
    assert back.duration_s is not None
    assert 0 < back.duration_s < 1
    assert trace.entries[0].name == "create 403"
    assert (len(trace), trace.dropped) == (3, 1)
    await client.close()


async def test_no_secret_shows_anywhere(
    fake: FakeServer, http: HttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = " ".join(SECRETS) + " 10.1.2.3:5000 v=0\r\na=ice-pwd:SECRETPWD"
    shown = []
    for key, reply in {
        "login": refuse(401, echo, echo),
        "authorize": (500, {"error": {"code": echo, "message": echo, "remedy": echo}}),
        "turn": drop,
        "create": refuse(403, "gated", echo),
        "send": hang,
        "status": text(echo),
        "leave": (404, {"error": {"code": TOKEN, "message": GUEST_TOKEN}, "status": TOKEN}),
    }.items():
        fake.put(http.profile.url(key).removeprefix(fake.base), reply)  # type: ignore[arg-type]
        http.hide(*SECRETS)
        with pytest.raises(SignalingError) as caught:
            await http.post(
                key,  # type: ignore[arg-type]
                {"jwt": SECRETS[1], "cookie": SECRETS[2], "message": {"message": echo}},
            )
        shown += [str(caught.value), repr(caught.value)]
        shown += traceback.format_exception(caught.value)
        error: BaseException | None = caught.value
        while error := (error.__context__ if error else None):
            shown += [str(error), repr(error)]
    shown += [repr(http), repr(http.profile), repr(http.trace), repr(http.trace.entries)]
    shown.append(caplog.text)
    everything = "\n".join(shown)
    assert "creating the call" in everything or "place calls" in everything
    for secret in (*SECRETS, "SECRETPWD", "10.1.2.3", fake.base):
        assert secret not in everything


async def test_timeouts_and_profile_are_validated() -> None:
    with pytest.raises(SettingsError):
        Timeouts(signaling_s=0)
    for url in ("127.0.0.1:80", "ftp://host", "http://", ""):
        with pytest.raises(SettingsError, match="http://"):
            ServerProfile.local(url)
