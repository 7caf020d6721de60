"""The Janus API over HTTP: requests as POST, events by long poll."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from .api_error import ApiError, Code
from .core import Core, error_message
from .messages import MAX_MESSAGE_BYTES, decode
from .session import Json

POLL_S = 30.0
_BODY_S = 15.0
_REPLY_S = 60.0
_MAX_EVENTS = 100


class LongPoll:
    """HTTP requests to a core.

    Args:
        core: Who answers.
        poll_s: How long a poll is held before it is answered with a ``keepalive``.
    """

    def __init__(self, core: Core, *, poll_s: float = POLL_S) -> None:
        self._core = core
        self._poll_s = poll_s

    async def post(self, request: web.Request) -> web.Response:
        """One request: at the root, at a session or at a handle, by its path."""
        try:
            message = located(await read_json(request), request)
        except ApiError as error:
            return answer(error_message(error, None))
        return answer(await ask(self._core, message))

    async def get(self, request: web.Request) -> web.Response:
        """A poll for events. ``maxev`` asks for several at once; ``rid`` keeps caches away."""
        query = request.query
        return await self.answer_poll(request, query.get("apisecret"), query.get("token"))

    async def answer_poll(
        self, request: web.Request, apisecret: str | None, token: str | None
    ) -> web.Response:
        """The answer to a poll by somebody with these credentials.

        Without a session the status is 404, as in Janus: clients that get 200 poll on at once.
        """
        try:
            self._core.authorize(apisecret, token)
            return answer(await self.poll(request))
        except ApiError as error:
            status = 403 if error.code is Code.UNAUTHORIZED else 404
            told = error_message(error, None, path_number(request, "session_id"))
            return answer(told, status=status)

    async def poll(self, request: web.Request) -> Json | list[Json]:
        """The events of a session, once there are some.

        Raises:
            ApiError: 458, the session is over or ends meanwhile.
        """
        session_id = path_number(request, "session_id")
        session = self._core.session(session_id or 0)
        count = request.query.get("maxev", "")
        most = max(1, min(_MAX_EVENTS, int(count))) if count.isascii() and count.isdigit() else 1
        found = await session.poll(self._poll_s)
        if session.is_closed:
            raise ApiError(Code.SESSION_NOT_FOUND, f"No such session {session.id}")
        gone = request.transport is None or request.transport.is_closing()
        events = session.take(most) if found and not gone else []
        if most > 1:
            return events or [{"janus": "keepalive"}]
        return events[0] if events else {"janus": "keepalive"}

    async def info(self, _request: web.Request) -> web.Response:
        """What this server is."""
        return answer(self._core.info())

    async def ping(self, _request: web.Request) -> web.Response:
        """That it is there."""
        return answer({"janus": "pong"})


async def read_json(request: web.Request) -> object:
    """The decoded body of a request.

    Raises:
        ApiError: 450 for one that is too large or too slow, 452 for none, 454 for garbled JSON.
    """
    try:
        async with asyncio.timeout(_BODY_S):
            data = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(
            Code.TRANSPORT_SPECIFIC, f"The request is larger than {MAX_MESSAGE_BYTES // 1024} KiB"
        ) from None
    except TimeoutError:
        raise ApiError(
            Code.TRANSPORT_SPECIFIC, f"The body did not arrive within {_BODY_S:g} s"
        ) from None
    if not data:
        raise ApiError(Code.MISSING_REQUEST, "Request payload missing")
    return decode(data)


def located(message: object, request: web.Request) -> object:
    """A request with the session and handle that its path names, and no others.

    Raises:
        ApiError: 457, the path names something that is no number.
    """
    if not isinstance(message, dict):
        return message
    message = {k: v for k, v in message.items() if k not in {"session_id", "handle_id"}}
    for name in ("session_id", "handle_id"):
        if name in request.match_info:
            number = path_number(request, name)
            if number is None:
                raise ApiError(Code.INVALID_PATH, "The path names no session or handle")
            message[name] = number
    return message


def path_number(request: web.Request, name: str) -> int | None:
    """A positive number in the path, or ``None``."""
    text = request.match_info.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 19 else None


async def ask(core: Core, message: object) -> Json:
    """The core's reply to a request of a client that polls."""
    replied: asyncio.Future[Json] = asyncio.get_running_loop().create_future()

    def reply(given: Json) -> None:
        if not replied.done():
            replied.set_result(given)

    await core.request(message, reply, None)
    try:
        async with asyncio.timeout(_REPLY_S):
            return await replied
    except TimeoutError:
        return error_message(
            ApiError(Code.UNKNOWN, f"There was no answer within {_REPLY_S:g} s"), None
        )


def answer(message: Any, *, status: int = 200) -> web.Response:
    """JSON that no cache keeps."""
    return web.json_response(message, status=status, headers={"Cache-Control": "no-store"})
