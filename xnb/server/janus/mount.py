"""The Janus API as part of the server's aiohttp application, and which pages may use it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from ...errors import SfuError
from .long_poll import LongPoll
from .relay import RELAY, serve_relay
from .web_socket import serve_web_socket

if TYPE_CHECKING:
    from .core import Core
    from .sfu import Sfu

JANUS = "/janus"
GATEWAY = "/gateway"
_SESSION = "/{session_id}"
_HANDLE = _SESSION + "/{handle_id}"
_PREFLIGHT_S = 600


def add_janus(app: web.Application, core: Core, *, poll_s: float) -> None:
    """Mount the stock API at ``/janus``: a WebSocket where an upgrade is asked, else HTTP.

    Args:
        app: Where to; its start and stop run and close the core.
        core: Who answers.
        poll_s: How long a poll is held.
    """
    long_poll = LongPoll(core, poll_s=poll_s)

    async def root(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await serve_web_socket(core, request)
        return await long_poll.info(request)

    for path in (JANUS, JANUS + "/"):
        app.router.add_get(path, root, allow_head=False)
        app.router.add_post(path, long_poll.post)
    app.router.add_get(JANUS + "/info", long_poll.info, allow_head=False)
    app.router.add_get(JANUS + "/ping", long_poll.ping, allow_head=False)
    app.router.add_get(JANUS + _SESSION, long_poll.get, allow_head=False)
    app.router.add_post(JANUS + _SESSION, long_poll.post)
    app.router.add_post(JANUS + _HANDLE, long_poll.post)

    async def running(_app: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(core.run(), name="xnb janus sweeper")
        yield
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper

    async def shut_down(_app: web.Application) -> None:
        # Connections are waited for after this, and polls end only with their sessions.
        await core.close()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(shut_down)


def add_sfu(app: web.Application, sfu: Sfu, *, poll_s: float) -> None:
    """Mount all of the group-call media on the server.

    Beside the stock API that is the live gateway's dialect at ``/gateway``, over HTTP only, and
    below ``/sfu`` the ways to real Janus servers that clients cannot reach themselves.

    Args:
        app: Where to; its start and stop start and close everything.
        sfu: What is mounted.
        poll_s: How long a poll is held.
    """
    gateway = sfu.gateway

    async def relay(request: web.Request) -> web.StreamResponse:
        instance = sfu.pool.named(request.match_info["name"]) if sfu.pool else None
        if instance is None:
            raise web.HTTPNotFound
        try:
            return await serve_relay(request, instance, sfu.tokens)
        except SfuError:
            raise web.HTTPServiceUnavailable from None

    async def running(_app: web.Application) -> AsyncIterator[None]:
        await sfu.start()
        yield
        await sfu.close()

    add_janus(app, sfu.core, poll_s=poll_s)
    app.router.add_get(RELAY + "/{name}", relay, allow_head=False)
    for path in ("", _SESSION, _HANDLE):
        app.router.add_post(GATEWAY + path, gateway.post)
    app.router.add_get(GATEWAY + _SESSION, gateway.get, allow_head=False)
    app.cleanup_ctx.append(running)


class AllowedPages:
    """Pages of other origins that may use the Janus API (Fetch standard, "CORS protocol").

    Args:
        origins: Origins such as ``https://calls.example``, as browsers write them.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.rstrip("/").lower() for origin in origins)

    def allows(self, request: web.Request) -> bool:
        """Whether the request comes from such a page and asks for the Janus API."""
        origin = request.headers.get("Origin", "").lower()
        return origin in self._origins and request.path.startswith((JANUS, GATEWAY, RELAY + "/"))

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to an allowed page, with what its browser wants to see."""
        if request.method == "OPTIONS":
            response: web.StreamResponse = web.Response(status=204)
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
            response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_S)
        else:
            response = await handler(request)
        if not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Vary"] = "Origin"
        return response
