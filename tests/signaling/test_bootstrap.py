"""The chain from token to session, and who a recipient is."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from xnb.errors import SettingsError, SignalingError, Unauthorized, UnknownUser, Unreachable
from xnb.profile import ServerProfile
from xnb.settings import IceServer
from xnb.signaling import bootstrap as module
from xnb.signaling.bootstrap import Bootstrap, parse_recipient
from xnb.signaling.http import HttpClient
from xnb.signaling.messages import User

from .conftest import (
    COOKIE,
    GUEST_TOKEN,
    JWT,
    SECRETS,
    TOKEN,
    TURN_PASSWORD,
    TURN_USER,
    FakeServer,
    drop,
    refuse,
)


async def test_the_whole_chain_on_the_wire(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    uris = ["turn:turn.test:3478", "stun:stun.test", "turns:turn.test:443", "http://what"]
    fake.put(
        "turnServers",
        {"uris": uris, "username": TURN_USER, "password": TURN_PASSWORD, "ttl": "600"},
    )
    session = await Bootstrap(http, profile, "@me").run()
    assert session.user == User("42", "me")
    assert session.ice_servers == (
        IceServer(("stun:stun.test",)),
        IceServer(("turn:turn.test:3478", "turns:turn.test:443"), TURN_USER, TURN_PASSWORD),
    )
    token, login, authorize, turn = fake.calls
    assert token.headers["x-xnb-user"] == "me"
    assert login.path == "/api/v2/loginTwitterToken"
    assert login.body == {
        "jwt": JWT,
        "vendor_id": "m5-proxsee-login-a2011357b73e",
        "create_user": False,
        "direct": True,
    }
    assert authorize.path == "/api/v2/twitter/authorizeToken"
    assert authorize.body == {"service": "guest", "cookie": COOKIE}
    assert turn.path == "/api/v2/twitter/turnServers"
    assert turn.body == {"cookie": COOKIE, "p2p": True}
    keys = {login.headers["X-Idempotence"], turn.headers["X-Idempotence"]}
    assert len(keys) == 2
    fake.put("status", {})
    await http.post("status", {})
    assert fake.calls[-1].headers["Authorization"] == GUEST_TOKEN
    for secret in SECRETS:
        assert secret not in repr(session) + repr(http) + repr(http.trace.entries)


async def test_web_mode(fake: FakeServer, http: HttpClient, profile: ServerProfile) -> None:
    web = dataclasses.replace(profile, login_mode="web", proxsee_prefix="")
    client = HttpClient(web, token=TOKEN)
    await Bootstrap(client, web, "me").run()
    _, login, authorize, turn = fake.calls
    assert login.body["create_user"] is True
    assert "direct" not in login.body
    assert (authorize.path, turn.path) == ("/api/v2/authorizeToken", "/api/v2/turnServers")
    await client.close()


async def test_it_is_cached_until_it_expires(
    fake: FakeServer, http: HttpClient, profile: ServerProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    boot = Bootstrap(http, profile, "me")
    first, second = await asyncio.gather(boot.run(), boot.run())
    assert first is second
    assert len(fake.calls) == 4
    now[0] += 569
    assert await boot.run() is first
    now[0] += 2
    assert await boot.run() is not first
    assert len(fake.calls) == 8


async def test_a_refused_guest_token_is_renewed_in_passing(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    boot = Bootstrap(http, profile, "me")
    await boot.run()
    fake.put("status", refuse(401), {"status": "RUNNING"})
    assert await http.post("status", {"broadcast_id": "b"}) == {"status": "RUNNING"}
    assert len(fake.to("authorizeToken")) == 2


@pytest.mark.parametrize(
    ("path", "reply", "kind", "words"),
    [
        ("AuthenticatePeriscope", refuse(401), Unauthorized, "asking for a call token"),
        ("AuthenticatePeriscope", {"data": {}}, Unauthorized, "gave no call token"),
        ("AuthenticatePeriscope", {"data": None}, Unauthorized, "gave no call token"),
        ("AuthenticatePeriscope", {"errors": [{"message": "x"}]}, Unauthorized, "no call token"),
        ("loginTwitterToken", drop, Unreachable, "logging in"),
        ("loginTwitterToken", {"user": {}}, SignalingError, "the login.*cookie"),
        ("loginTwitterToken", {"cookie": None}, SignalingError, "the login"),
        ("authorizeToken", refuse(400), SignalingError, "asking for a guest token"),
        ("authorizeToken", {}, SignalingError, "guest token request.*authorization_token"),
        ("turnServers", (503, {}), SignalingError, "asking for TURN servers"),
        ("turnServers", {"uris": "no"}, SignalingError, "the TURN request"),
        ("turnServers", {"uris": ["turn:t:1"]}, SignalingError, "no credentials"),
    ],
)
async def test_each_failing_step_is_named(
    fake: FakeServer,
    http: HttpClient,
    profile: ServerProfile,
    path: str,
    reply: Any,
    kind: type[SignalingError],
    words: str,
) -> None:
    fake.put(path, reply)
    boot = Bootstrap(http, profile, "me")
    with pytest.raises(SignalingError, match=words) as caught:
        await boot.run()
    assert type(caught.value) is kind
    assert "not logged in" in repr(boot)


@pytest.mark.parametrize(
    ("login", "user"),
    [
        ({"cookie": COOKIE}, User("", "me")),
        ({"cookie": COOKIE, "user": None}, User("", "me")),
        ({"cookie": COOKIE, "user": {"twitterId": 2**60, "extra": {}}}, User(str(2**60), "me")),
        (
            {"cookie": COOKIE, "user": {"id": 7, "twitter_screen_name": "Me", "username": "x"}},
            User("7", "Me"),
        ),
    ],
)
async def test_own_user_from_any_login_reply(
    fake: FakeServer, http: HttpClient, profile: ServerProfile, login: Any, user: User
) -> None:
    fake.put("loginTwitterToken", login)
    fake.put("AuthenticatePeriscope", {"data": {"authenticate_periscope": {"token": JWT}}})
    fake.put("turnServers", {"uris": None, "ttl": None})
    session = await Bootstrap(http, profile, "me").run()
    assert session.user == user
    assert session.ice_servers == ()
    assert fake.to("loginTwitterToken")[0].body["jwt"] == JWT


class _Person:
    id = 12


@pytest.mark.parametrize(
    ("given", "user"),
    [
        (12, User("12")),
        ("12", User("12")),
        (" 0012 ", User("12")),
        ("@echo", User("", "echo")),
        ("echo", User("", "echo")),
        (_Person(), User("12")),
        (SimpleNamespace(twitter_id="12"), User("12")),
        (SimpleNamespace(handle="echo"), User("", "echo")),
        ({"id": "12"}, User("12")),
        ({"twitter_id": 12, "handle": "echo"}, User("12", "echo")),
        ({"handle": "@echo"}, User("", "echo")),
        (User("12", "echo"), User("12", "echo")),
        (User("", "echo"), User("", "echo")),
    ],
)
def test_recipients(given: object, user: User) -> None:
    assert parse_recipient(given) == user


@pytest.mark.parametrize(
    "bad",
    [None, "", "@", 0, -5, True, False, 2**63, 1.5, "two words", "a/b", "x" * 51, [], {}, object(),
     {"id": None}, {"id": True}, SimpleNamespace(id=""), b"echo", {"id": [1]}],
)  # fmt: skip
def test_what_is_no_recipient(bad: object) -> None:
    with pytest.raises(SettingsError, match="is no recipient"):
        parse_recipient(bad)


@pytest.mark.parametrize("bad", ["", "@", "has space", "x" * 51, "line\nbreak"])
def test_what_is_no_own_handle(bad: str, profile: ServerProfile, http: HttpClient) -> None:
    with pytest.raises(SettingsError, match="cannot be a handle"):
        Bootstrap(http, profile, bad)


async def test_resolving_asks_the_server(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    fake.put("users/lookup", {"user": {"id": 5, "handle": "echo", "display_name": "Echo"}})
    boot = Bootstrap(http, profile, "me")
    assert await boot.resolve("@echo") == User("5", "echo")
    assert fake.calls[-1].body == {"handle": "echo"}
    assert fake.calls[-1].headers["Authorization"] == GUEST_TOKEN
    assert await boot.resolve({"id": "5"}) == User("5", "echo")
    assert fake.calls[-1].body == {"id": 5}
    fake.put("users/lookup", refuse(404, "unknown_user"))
    with pytest.raises(UnknownUser):
        await boot.resolve("nobody")


async def test_without_a_lookup_only_ids_work() -> None:
    live = ServerProfile.live()
    client = HttpClient(live, token=TOKEN)
    boot = Bootstrap(client, live, "me")
    assert await boot.resolve(99) == User("99")
    with pytest.raises(SettingsError, match="numeric user id"):
        await boot.resolve("@somebody")
    await client.close()


async def test_the_live_profiles_session_headers(fake: FakeServer) -> None:
    live = dataclasses.replace(
        ServerProfile.live(),
        graphql_url=f"{fake.base}/graphql",
        proxsee_url=f"{fake.base}/api/v2",
        guest_url=f"{fake.base}/api/v1",
        home_url=f"{fake.base}/home",
    )

    async def home(request: Any, _body: Any) -> Any:
        from aiohttp import web

        assert "auth_token=web-SECRET-1" in request.headers["cookie"]
        response = web.Response()
        response.set_cookie("ct0", "csrf-SECRET-2")
        return response

    fake.put("/home", home)
    client = HttpClient(live, token=TOKEN, cookies={"auth_token": "web-SECRET-1"})
    await Bootstrap(client, live, "me").run()
    token = fake.to("AuthenticatePeriscope")[0]
    assert token.headers["x-csrf-token"] == "csrf-SECRET-2"
    assert token.headers["x-twitter-auth-type"] == "OAuth2Session"
    assert "ct0=csrf-SECRET-2" in token.headers["cookie"]
    assert "x-xnb-user" not in token.headers
    login = fake.to("loginTwitterToken")[0]
    assert login.headers["X-Periscope-User-Agent"] == "Twitter/m5"
    assert login.headers["X-Attempt"] == "1"
    assert login.body["create_user"] is True
    text = repr(client) + repr(client.trace.entries)
    assert "SECRET" not in text
    await client.close()
