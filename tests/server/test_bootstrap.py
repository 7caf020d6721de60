"""Login chain, directory, and every refusal that comes before a call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import aiohttp
import pytest

from xnb.server.auth import Auth
from xnb.server.directory import Directory
from xnb.server.options import ServerOptions, TurnOptions
from xnb.server.refusal import Refusal

from .conftest import GUEST, QUERY, TOKEN


async def test_the_chain_gives_an_identity_in_both_spellings(rig):
    user = await rig()
    ann = await user("ann")
    assert ann.user["twitter_screen_name"] == "ann"
    assert ann.user["id"] != ann.user["twitter_id"]
    again = await (await user("ANN")).login("twitter/")
    assert again.id == ann.id > 0
    async with ann.http.get(ann.base + "/health") as reply:
        body = await reply.json()
    assert body["ok"] is True
    assert body["version"]


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", TOKEN, "Bearer é"])
async def test_no_identity_without_the_token(rig, authorization):
    ann = await (await rig())("ann")
    headers = {} if authorization is None else {"authorization": authorization}
    async with ann.http.get(ann.base + QUERY, headers=headers) as reply:
        assert reply.status == 401
        assert (await reply.json())["error"]["code"] == "unauthorised"
        assert TOKEN not in await reply.text()


async def test_tokens_cannot_be_forged_mixed_up_or_kept_for_ever(rig):
    ann = await (await rig())("ann")
    good = ann.authorization
    head, claims, signature = good.split(".")
    forged = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": "bob"}
    forged_claims = base64.urlsafe_b64encode(json.dumps(forged).encode()).rstrip(b"=").decode()
    for bad in (
        "",
        "x",
        "a.b.c",
        "a.b.!",
        good + "x",
        "Bearer " + good,
        ann.cookie,
        f"{head}.{forged_claims}.{signature}",
        "ü" * 40,
        "." * 100,
    ):
        ann.authorization = bad
        assert await ann.refused("xnb/users/lookup", handle="ann") == (401, "unauthorised"), bad
    ann.authorization = good
    assert await ann.find("ann") == ann.id

    now = 1_000_000.0
    auth = Auth(TOKEN, Directory(), clock=lambda: now)
    cookie = auth.login(auth.web_session("Bearer " + TOKEN, "ann"))["cookie"]
    guest = auth.authorize(cookie)["authorization_token"]
    assert auth.guest(guest).user.handle == "ann"
    # A restarted server with the same token knows it; one with another token does not.
    assert Auth(TOKEN, Directory(), clock=lambda: now).guest(guest).user.id > 0
    with pytest.raises(Refusal):
        Auth(TOKEN + "2", Directory(), clock=lambda: now).guest(guest)
    now += 8 * 86400
    with pytest.raises(Refusal, match="run out"):
        auth.guest(guest)
    with pytest.raises(ValueError, match="16 characters"):
        Auth("short", Directory())


async def test_turn_credentials(rig):
    ann = await (await rig())("ann")
    async with ann.http.post(ann.base + "/api/v2/turnServers", json={"cookie": ann.cookie}) as r:
        assert (await r.json())["uris"] == []

    options = ServerOptions(turn=TurnOptions(("turn:127.0.0.1:3478",), "s3cret", ttl_s=600))
    assert "s3cret" not in repr(options)
    ann = await (await rig(options))("ann")
    async with ann.http.post(
        ann.base + "/api/v2/twitter/turnServers", json={"cookie": ann.cookie, "p2p": True}
    ) as reply:
        turn = await reply.json()
    assert turn["uris"] == ["turn:127.0.0.1:3478"]
    assert turn["ttl"] == 600
    assert turn["username"].partition(":")[2] == ann.user["id"]
    mac = hmac.new(b"s3cret", turn["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn["password"]) == mac
    async with ann.http.post(ann.base + "/api/v2/turnServers", json={"cookie": "x"}) as reply:
        assert reply.status == 401


async def test_lookup(rig):
    user = await rig()
    ann = await user("ann")
    bob = await user("Bob")
    assert (await ann.ok("xnb/users/lookup", handle="@bob"))["user"] == {
        "id": bob.id,
        "handle": "Bob",
        "display_name": "Bob",
    }
    assert (await ann.ok("xnb/users/lookup", id=str(bob.id)))["user"]["handle"] == "Bob"
    assert await ann.refused("xnb/users/lookup", handle="nobody") == (404, "unknown_user")
    assert await ann.refused("xnb/users/lookup", id=7) == (404, "unknown_user")
    assert await ann.refused("xnb/users/lookup") == (400, "malformed")
    assert await ann.refused("xnb/users/lookup", handle="no spaces") == (400, "malformed")


@pytest.mark.parametrize(("handle", "status"), [("a b", 400), ("", 200), ("x" * 33, 400)])
async def test_handles_are_checked_at_login(rig, handle, status):
    ann = await (await rig())("ann")
    headers = {"authorization": f"Bearer {TOKEN}", "x-xnb-user": handle}
    async with ann.http.get(ann.base + QUERY, headers=headers) as reply:
        assert reply.status == status


async def test_bots_are_reserved_and_known(rig):
    ann = await (await rig())("ann")
    for handle in ("echo", "testcard", "music", "busy", "noanswer", "callback", "flaky"):
        assert await ann.find(handle) > 0
    headers = {"authorization": f"Bearer {TOKEN}", "x-xnb-user": "Echo"}
    async with ann.http.get(ann.base + QUERY, headers=headers) as reply:
        assert reply.status == 403
        assert (await reply.json())["error"]["code"] == "reserved_handle"


def test_directory_is_bounded_and_keeps_who_is_in_a_call():
    now = 0.0
    busy: set[str] = {"u1"}
    directory = Directory(
        ["echo"], max_users=4, is_busy=lambda u: u.handle in busy, clock=lambda: now
    )
    ids = {}
    for name in ("u1", "u2", "u3", "u4", "u5"):
        now += 1
        ids[name] = directory.register(name).id
    assert len(directory) == 4
    assert directory.by_handle("u1").id == ids["u1"]
    with pytest.raises(Refusal):
        directory.by_handle("u2")
    assert directory.register("u2").id == ids["u2"]
    busy |= {"u2", "u3", "u4", "u5"}
    with pytest.raises(Refusal, match="as many users"):
        directory.register("u6")


async def test_refusals_before_any_handler(rig):
    ann = await (await rig())("ann")
    base, http = ann.base, ann.http
    auth = {"Authorization": ann.authorization}
    cases = [
        ("get", "/nothing/here", {}, None, 404, "not_found"),
        ("get", "/", {}, None, 404, "not_found"),
        ("get", GUEST + "p2p/broadcast/create", auth, None, 405, "method_not_allowed"),
        ("post", "/health", {}, b"{}", 405, "method_not_allowed"),
        ("post", GUEST + "signaling/send", auth, b"[" + b"1," * 200_000, 413, "too_large"),
        ("post", GUEST + "signaling/send", auth, b"{", 400, "malformed"),
        ("post", GUEST + "signaling/send", auth, b"[" * 100_000, 400, "malformed"),
        ("post", GUEST + "signaling/send", auth, b"\xff\xfe", 400, "malformed"),
        ("post", GUEST + "signaling/send", auth, b"[1]", 400, "malformed"),
        ("post", GUEST + "signaling/send", {}, b"{}", 401, "unauthorised"),
        ("post", "/api/v2/loginTwitterToken", {}, b'{"jwt":"a.b.c"}', 401, "unauthorised"),
        ("post", "/api/v2/authorizeToken", {}, b"{}", 400, "malformed"),
    ]
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[", "", "x"):
        cases.append(("get", "/health", {"Origin": origin}, None, 403, "forbidden_origin"))
    for method, path, headers, data, status, code in cases:
        async with http.request(method, base + path, headers=headers, data=data) as reply:
            assert (reply.status, (await reply.json())["error"]["code"]) == (status, code), path
    async with http.get(base + "/health", headers={"Origin": base}) as reply:
        assert reply.status == 200


async def test_a_bug_is_a_json_500_and_logs_no_secret(rig, monkeypatch, caplog):
    text = "".join(["hush", "-hush"])

    def broken(*_args):
        raise RuntimeError(text)

    monkeypatch.setattr("xnb.server.p2p.P2PService.status", broken)
    ann = await (await rig())("ann")
    assert await ann.refused("p2p/broadcast/status", broadcast_id="x") == (500, "internal")
    assert "RuntimeError" in caplog.text
    assert "broken" in caplog.text
    assert text not in caplog.text
    assert await ann.find("echo") > 0


async def test_a_client_that_speaks_no_http_does_no_harm(rig):
    import asyncio

    ann = await (await rig())("ann")
    port = int(ann.base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01\x00\xff not http\r\n\r\n")
    assert b"400" in await asyncio.wait_for(reader.read(), 5)
    writer.close()
    async with aiohttp.ClientSession() as http, http.get(ann.base + "/health") as reply:
        assert reply.status == 200
