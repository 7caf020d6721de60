"""The HTTP paths of the group calls (PROTOCOL C1, C2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

from aiohttp import web

from ..auth import Auth, Caller
from . import requests as req
from .audiospace import AudioSpaces

_PROXSEE = ("/api/v2/", "/api/v2/twitter/")
_GUEST = "/guest/api/v1/audiospace/"
_Reply = dict[str, Any]
T = TypeVar("T")


class _HasCookie(Protocol):
    cookie: str


C = TypeVar("C", bound=_HasCookie)


class ReadBody(Protocol):
    """Reads a request's JSON body as one of the structs. Raises Refusal 400, 408."""

    async def __call__(self, request: web.Request, kind: type[T], /) -> T:
        """The body."""
        ...


def add_spaces(app: web.Application, spaces: AudioSpaces, auth: Auth, read: ReadBody) -> None:
    """Serve the group calls.

    Args:
        app: Where the routes are added; its start and stop run and end the calls.
        spaces: What answers.
        auth: Who asks.
        read: Reads a body.
    """
    _add_host(app, spaces, auth, read)
    _add_members(app, spaces, auth, read)

    async def running(_app: web.Application) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(spaces.run(), name="xnb group call sweeper")
        yield
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper

    async def shut_down(_app: web.Application) -> None:
        await spaces.close()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(shut_down)


def _add_host(app: web.Application, spaces: AudioSpaces, auth: Auth, read: ReadBody) -> None:
    def on(path: str, kind: type[C], answer: Callable[[Caller, C, str], Awaitable[_Reply]]) -> None:
        async def handle(request: web.Request) -> web.Response:
            body = await read(request, kind)
            caller = auth.cookie(body.cookie)
            return web.json_response(await answer(caller, body, base_url_of(request)))

        for prefix in _PROXSEE:
            app.router.add_post(prefix + path, handle)

    async def create(caller: Caller, body: req.CreateSpace, base_url: str) -> _Reply:
        call = body.xnb_call or req.CallMembers()
        title = body.description or ""
        return await spaces.create(caller, call, title=title, base_url=base_url)

    async def publish(caller: Caller, body: req.PublishSpace, _base_url: str) -> _Reply:
        return spaces.publish(caller, body)

    async def reconnect(caller: Caller, body: req.ForHostBroadcast, base_url: str) -> _Reply:
        return await spaces.reconnect_host(caller, body.broadcast_id, base_url=base_url)

    async def end(caller: Caller, body: req.ForHostBroadcast, _base_url: str) -> _Reply:
        return spaces.end(caller, body.broadcast_id)

    async def chat(caller: Caller, body: req.AccessChat, _base_url: str) -> _Reply:
        return spaces.access_chat(caller, body.chat_token)

    on("createBroadcast", req.CreateSpace, create)
    on("publishBroadcast", req.PublishSpace, publish)
    on("reconnectHost", req.ForHostBroadcast, reconnect)
    on("endBroadcast", req.ForHostBroadcast, end)
    on("accessChat", req.AccessChat, chat)


def _add_members(app: web.Application, spaces: AudioSpaces, auth: Auth, read: ReadBody) -> None:
    def on_wait(
        path: str, kind: type[T], answer: Callable[[Caller, T, str], Awaitable[_Reply]]
    ) -> None:
        async def handle(request: web.Request) -> web.Response:
            caller = auth.guest(request.headers.get("Authorization"))
            body = await read(request, kind)
            return web.json_response(await answer(caller, body, base_url_of(request)))

        app.router.add_post(_GUEST + path, handle)

    def on(path: str, kind: type[T], answer: Callable[[Caller, T], _Reply]) -> None:
        async def at_once(caller: Caller, body: T, _base_url: str) -> _Reply:
            return answer(caller, body)

        on_wait(path, kind, at_once)

    on(
        "admin/invite",
        req.Invite,
        lambda c, b: spaces.invite(c, b.broadcast_id, b.twitter_user_ids, b.chat_token),
    )
    on(
        "admin/endAudiospace",
        req.EndSpace,
        lambda c, b: spaces.end(c, b.broadcast_id, b.chat_token),
    )
    on_wait("admin/removeParticipant", req.AboutMember, lambda c, b, _url: spaces.remove(c, b))
    on_wait("join", req.JoinSpace, lambda c, b, _url: spaces.join(c, b.broadcast_id, b.chat_token))
    on(
        "updateDeclineReason",
        req.Decline,
        lambda c, b: spaces.decline(c, b.broadcast_id, b.decline_reason),
    )
    on_wait(
        "stream/negotiate",
        req.ForSession,
        lambda c, b, url: spaces.negotiate(
            c, b.session_uuid, base_url=url, restart=bool(b.restart)
        ),
    )
    on("stream/publish", req.ForSession, lambda c, b: spaces.stream_publish(c, b.session_uuid))
    on("stream/end", req.ForSession, lambda c, b: spaces.stream_end(c, b.session_uuid))
    on("muteSpeaker", req.AboutMember, lambda c, b: spaces.set_muted(c, b, True))
    on("unmuteSpeaker", req.AboutMember, lambda c, b: spaces.set_muted(c, b, False))
    on(
        "call/status",
        req.SpaceStatus,
        lambda c, b: spaces.status(
            c,
            b.broadcast_id,
            inactive=bool(b.include_non_active_sessions),
            chat_token=b.chat_token,
        ),
    )


def base_url_of(request: web.Request) -> str:
    """How the asking client reaches this server, without a slash at the end."""
    return f"{request.scheme}://{request.host}"
