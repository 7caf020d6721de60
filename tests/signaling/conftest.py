"""A small server that can be told to misbehave, on a real socket."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDict

from xnb.profile import PollRhythm, ServerProfile
from xnb.settings import Timeouts
from xnb.signaling.http import HttpClient

TOKEN = "bearer-SECRET-0123456789"
JWT = "eyJhbGciOiJub25lIn0.SECRETJWT.sig"
COOKIE = "cookie-SECRET-abcdef0123"
GUEST_TOKEN = "guest-SECRET-99887766"
TURN_USER = "1999999999:SECRETUSER"
TURN_PASSWORD = "turn-SECRET-password"
SECRETS = (TOKEN, JWT, COOKIE, GUEST_TOKEN, TURN_USER, TURN_PASSWORD)

Reply = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Call:
    """One request as it arrived."""

    method: str
    path: str
    headers: CIMultiDict[str]
    body: Any


class FakeServer:
    """Answers each path with the next of its replies; the last one is repeated."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.replies: dict[str, list[Any]] = {}
        self.base = ""
        self.put("AuthenticatePeriscope", {"data": {"authenticate_periscope": JWT}})
        self.put(
            "loginTwitterToken",
            {"cookie": COOKIE, "user": {"id": "p1", "twitter_id": "42", "username": "me"}},
        )
        self.put("authorizeToken", {"authorization_token": GUEST_TOKEN})
        self.put("turnServers", {"uris": [], "ttl": 600})

    def put(self, name: str, *replies: Any) -> None:
        """Set the replies of the path that ends in ``name``: JSON, a Response or a handler."""
        self.replies.pop(name, None)
        self.replies[name] = list(replies)

    def to(self, name: str) -> list[Call]:
        return [call for call in self.calls if call.path.endswith(name)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.calls.append(Call(request.method, request.path, request.headers.copy(), body))
        for name, replies in reversed(self.replies.items()):
            if request.path.endswith(name) and replies:
                reply = replies.pop(0) if len(replies) > 1 else replies[0]
                if callable(reply):
                    return await reply(request, body)  # type: ignore[no-any-return]
                if isinstance(reply, tuple):
                    return web.json_response(reply[1], status=reply[0])
                return web.json_response(reply)
        return web.json_response({"error": {"code": "no_route", "message": "no"}}, status=404)


async def drop(request: web.Request, _body: Any) -> web.StreamResponse:
    """Cut the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_request: web.Request, _body: Any) -> web.StreamResponse:
    """Answer far too late."""
    await asyncio.sleep(30)
    return web.json_response({})


def text(content: str, content_type: str = "application/json", status: int = 200) -> Reply:
    """Answer with this text."""

    async def reply(_request: web.Request, _body: Any) -> web.StreamResponse:
        return web.Response(text=content, content_type=content_type, status=status)

    return reply


def refuse(status: int, code: str = "some_code", message: str = "some words") -> tuple[int, Any]:
    """An error reply as the embedded server makes it."""
    return status, {"error": {"code": code, "message": message, "remedy": "do that"}}


@pytest.fixture
async def fake() -> AsyncIterator[FakeServer]:
    server = FakeServer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@pytest.fixture
def profile(fake: FakeServer) -> ServerProfile:
    rhythm = PollRhythm(
        hold_s=5, min_gap_s=0.05, backoff_min_s=0.05, backoff_max_s=0.2, jitter_s=0.01
    )
    return dataclasses.replace(ServerProfile.local(fake.base + "/"), rhythm=rhythm)


@pytest.fixture
async def http(profile: ServerProfile) -> AsyncIterator[HttpClient]:
    client = HttpClient(profile, token=TOKEN, timeouts=Timeouts(signaling_s=0.5, hangup_s=0.4))
    client.set_guest_token(GUEST_TOKEN)
    yield client
    await client.close()
