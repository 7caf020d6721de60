"""The HTTP face of the server: routes, checks that come before them, and JSON errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import metadata
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from . import requests as req
from .auth import Auth, Caller
from .bots import HANDLES
from .bots.host import BotHost
from .directory import Directory, User
from .janus.mount import AllowedPages, add_sfu
from .janus.sfu import Sfu
from .options import MAX_BODY_BYTES, ServerOptions
from .p2p import P2PService
from .refusal import Refusal, malformed
from .spaces.audiospace import AudioSpaces
from .spaces.counts import add_room_counts
from .spaces.routes import add_spaces

_log = logging.getLogger(__name__)
_BODY_TIMEOUT_S = 15.0
_SHUTDOWN_S = 0.3
_GUEST = "/guest/api/v1/"
_NEAR = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where we reach us
T = TypeVar("T")
Reply = dict[str, Any]


class Services:
    """What one server is made of."""

    def __init__(self, token: str, options: ServerOptions) -> None:
        self.options = options
        self.directory = Directory(
            HANDLES,
            max_users=options.max_users,
            is_busy=self._is_busy,
        )
        self.p2p = P2PService(self.directory, options)
        self.bots = BotHost(self.p2p)
        self.auth = Auth(token, self.directory, turn=options.turn)
        self.pages = AllowedPages(options.allowed_origins)
        self.sfu = Sfu(token, options)
        self.base_url = ""
        self.spaces = AudioSpaces(self.directory, self.sfu.rooms, options, notices=self.p2p.notices)
        self.bots.serve_rooms(self.spaces, lambda: self.base_url)

    def _is_busy(self, user: User) -> bool:
        return self.spaces.is_busy(user) or self.p2p.is_busy(user)


SERVICES = web.AppKey("services", Services)


def make_app(token: str, options: ServerOptions | None = None) -> web.Application:
    """The server as an aiohttp application.

    Args:
        token: The bearer token clients need, at least 16 characters.
        options: Limits and behaviour.
    """
    app = web.Application(
        middlewares=[_answer_in_json, _own_origin_only], client_max_size=MAX_BODY_BYTES
    )
    services = app[SERVICES] = Services(token, options or ServerOptions())
    _add_bootstrap(app, services.auth)
    _add_guest(app, services)
    add_spaces(app, services.spaces, services.auth, _body)
    add_room_counts(app, services.spaces, services.sfu.videoroom, services.auth, _body)
    app.cleanup_ctx.append(_running)
    app.on_shutdown.append(_shut_down)
    # Last, so that whoever is in its rooms has left when it closes.
    add_sfu(app, services.sfu, poll_s=services.options.sfu.poll_s)
    return app


@contextlib.asynccontextmanager
async def serving(
    token: str,
    options: ServerOptions | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[str]:
    """Run a server inside this loop and yield its base URL.

    Args:
        token: The bearer token clients need.
        options: Limits and behaviour.
        host: Address to listen on.
        port: TCP port, 0 for a free one.

    Raises:
        OSError: The port is taken or the address is not of this machine.
        SfuError: A private Janus was asked for and does not start.
    """
    app = make_app(token, options)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=_SHUTDOWN_S,
    )
    try:
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        actual = runner.addresses[0][1]
        app[SERVICES].base_url = _url(_NEAR.get(host, host), actual)
        yield _url(host, actual)
    finally:
        # Now, because the cleanup reads nothing more from the sockets over which they leave.
        await app[SERVICES].bots.close()
        await runner.cleanup()


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _running(app: web.Application) -> AsyncIterator[None]:
    sweeper = asyncio.create_task(app[SERVICES].p2p.run(), name="xnb server sweeper")
    yield
    sweeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sweeper


async def _shut_down(app: web.Application) -> None:
    app[SERVICES].p2p.close()
    await app[SERVICES].bots.close()


@web.middleware
async def _answer_in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refused(refusal)
    except web.HTTPException as answer:
        return _refused(_from_http(answer))
    except Exception as error:
        # Only places, not messages or values: those may hold tokens or SDP.
        places = "".join(traceback.format_tb(error.__traceback__))
        _log.error("%s raised %s\n%s", request.path, type(error).__name__, places)
        return _refused(
            Refusal(500, "internal", "The server made a mistake.", "Please report its log.")
        )


def _refused(refusal: Refusal) -> web.Response:
    return web.json_response(refusal.body(), status=refusal.status)


def _from_http(answer: web.HTTPException) -> Refusal:
    code, message, remedy = {
        404: ("not_found", "There is no such path.", "Check the base URL of the server profile."),
        405: ("method_not_allowed", "That method does not fit this path.", "See the path table."),
        413: (
            "too_large",
            f"The body is larger than {MAX_BODY_BYTES // 1024} KiB.",
            "Send less at once.",
        ),
    }.get(answer.status, ("http_error", answer.reason, ""))
    return Refusal(answer.status, code, message, remedy)


@web.middleware
async def _own_origin_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page of another origin may not talk to this server, whatever token it found."""
    origin = request.headers.get("Origin")
    if origin is not None and not _same_origin(origin, request.host):
        pages = request.app[SERVICES].pages
        if pages.allows(request):
            return await pages.answer(request, handler)
        raise Refusal(
            403,
            "forbidden_origin",
            "Requests from pages of another origin are not accepted.",
            "Talk to the server from Python, or allow the page: xnb serve --allow-origin URL.",
        )
    return await handler(request)


def _same_origin(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False


async def _body(request: web.Request, kind: type[T]) -> T:
    try:
        async with asyncio.timeout(_BODY_TIMEOUT_S):
            body = await request.read()
    except TimeoutError:
        raise Refusal(408, "timeout", "The body did not arrive in time.", "Try again.") from None
    return req.parse(body, kind)


def _add_bootstrap(app: web.Application, auth: Auth) -> None:
    async def health(_request: web.Request) -> web.Response:
        return web.json_response({"ok": True, "version": _version()})

    async def authenticate(request: web.Request) -> web.Response:
        jwt = auth.web_session(
            request.headers.get("Authorization"), request.headers.get("X-Xnb-User")
        )
        return web.json_response({"data": {"authenticate_periscope": jwt}})

    async def login(request: web.Request) -> web.Response:
        return web.json_response(auth.login((await _body(request, req.Login)).jwt))

    async def authorize(request: web.Request) -> web.Response:
        body = await _body(request, req.Cookie)
        if body.service != "guest":
            raise malformed("Only the service 'guest' exists here.")
        return web.json_response(auth.authorize(body.cookie))

    async def turn(request: web.Request) -> web.Response:
        return web.json_response(auth.turn_servers((await _body(request, req.Cookie)).cookie))

    app.router.add_get("/health", health)
    app.router.add_get("/graphql/{query_id}/AuthenticatePeriscope", authenticate)
    for prefix in ("/api/v2/", "/api/v2/twitter/"):
        app.router.add_post(prefix + "loginTwitterToken", login)
        app.router.add_post(prefix + "authorizeToken", authorize)
        app.router.add_post(prefix + "turnServers", turn)


def _version() -> str:
    try:
        return metadata.version("xnb")
    except metadata.PackageNotFoundError:
        return "unknown"


def _add_guest(app: web.Application, services: Services) -> None:
    p2p, directory = services.p2p, services.directory

    def on(path: str, kind: type[T], answer: Callable[[Caller, T], Reply]) -> None:
        async def at_once(caller: Caller, body: T) -> Reply:
            return answer(caller, body)

        on_poll(path, kind, at_once)

    def on_poll(path: str, kind: type[T], answer: Callable[[Caller, T], Awaitable[Reply]]) -> None:
        async def handle(request: web.Request) -> web.Response:
            caller = services.auth.guest(request.headers.get("Authorization"))
            return web.json_response(await answer(caller, await _body(request, kind)))

        app.router.add_post(_GUEST + path, handle)

    def lookup(_caller: Caller, body: req.Lookup) -> Reply:
        if body.id is not None:
            return {"user": directory.by_id(body.id).public()}
        if body.handle is not None:
            return {"user": directory.by_handle(body.handle).public()}
        raise malformed("Neither a handle nor an id was given.", 'Send {"handle": "echo"}.')

    on(
        "p2p/broadcast/create",
        req.Create,
        lambda caller, b: p2p.create(
            caller,
            b.invitees_twitter,
            audio_only=b.audio_only,
            conversation_id=b.conversation_id,
        ),
    )
    on("p2p/broadcast/publish", req.ForBroadcast, lambda c, b: p2p.publish(c, b.broadcast_id))
    on("p2p/broadcast/join", req.ForBroadcast, lambda c, b: p2p.join(c, b.broadcast_id))
    on("p2p/broadcast/status", req.ForBroadcast, lambda c, b: p2p.status(c, b.broadcast_id))
    on(
        "p2p/broadcast/leave",
        req.Leave,
        lambda c, b: p2p.leave(c, b.broadcast_id, b.session_uuid, b.description),
    )
    on(
        "signaling/send",
        req.Send,
        lambda c, b: p2p.send(c, b.broadcast_id, b.recipient_id, [_parts(b.message)]),
    )
    on(
        "signaling/sendBatch",
        req.SendBatch,
        lambda c, b: p2p.send(c, b.broadcast_id, b.recipient_id, [_parts(m) for m in b.messages]),
    )
    on_poll(
        "signaling/receive",
        req.Receive,
        lambda c, b: p2p.receive(c, b.broadcast_id, b.cursor, b.timeout_s),
    )
    on("signaling/scribe", req.Anything, lambda _c, _b: {"success": True})
    on("xnb/users/lookup", req.Lookup, lookup)
    on("xnb/announce", req.Announce, lambda c, b: p2p.announce(c, b.broadcast_id, b.recipient_id))
    on_poll(
        "xnb/incoming",
        req.Incoming,
        lambda c, b: p2p.notices.poll(c.user, b.cursor, b.timeout_s),
    )


def _parts(message: req.Message) -> tuple[str | None, str, str]:
    return message.id, message.type, message.message
