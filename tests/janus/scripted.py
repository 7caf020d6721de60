"""A server that speaks Janus as a test tells it to, also badly."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

Message = dict[str, Any]
Answer = Callable[["Scripted", Message], Awaitable[list[Message] | web.Response | None]]

SESSION, HANDLE = 7711223344556677, 8811223344556677


class Scripted:
    """Answers usual requests usually, and those in ``script`` as it says.

    Attributes:
        script: By ``janus`` or the body's ``request``: an async function that gives the messages
            to answer with, a whole response, or ``None`` for no answer at all.
        seen: All messages as they came, with the path of HTTP in ``"path"``.
        headers: Of each HTTP request.
        pushed: What goes out on the next poll, or on the socket at once by :meth:`push`.
    """

    def __init__(self) -> None:
        self.script: dict[str, Answer] = {}
        self.seen: list[Message] = []
        self.headers: list[dict[str, str]] = []
        self.polls: list[dict[str, str]] = []
        self.base = ""
        self.poll_answer: Callable[[], web.Response | None] = lambda: None
        self._pushed: asyncio.Queue[Message] = asyncio.Queue()
        self._socket: web.WebSocketResponse | None = None
        self._handles = 0

    def requests(self, name: str) -> list[Message]:
        """What came of one kind."""
        return [one for one in self.seen if name in (one["janus"], _request(one))]

    async def push(self, *messages: Message) -> None:
        """Tell the client something."""
        for message in messages:
            full = {"session_id": SESSION, **message}
            if self._socket is not None:
                await self._socket.send_json(full)
            else:
                self._pushed.put_nowait(full)

    def event(self, data: Message, *, to: Message | None = None, **more: Any) -> Message:
        """A plugin's event, or its reply to a message."""
        reply = {} if to is None else {"transaction": to["transaction"]}
        plugin = {"plugin": "janus.plugin.videoroom", "data": data}
        sender = HANDLE if to is None else to.get("handle_id", HANDLE)
        return {"janus": "event", "sender": sender, "plugindata": plugin, **reply, **more}

    async def drop(self) -> None:
        """Break the socket without a good-bye."""
        assert self._socket is not None
        transport = self._socket._req.transport if self._socket._req else None
        assert transport is not None
        transport.abort()

    async def _answer(self, message: Message) -> list[Message] | web.Response | None:
        self.seen.append(message)
        for name in (_request(message), message["janus"]):
            if name in self.script:
                return await self.script[name](self, message)
        same = {"transaction": message["transaction"], "session_id": SESSION}
        kind = message["janus"]
        if kind == "create":
            return [{"janus": "success", **same, "data": {"id": SESSION}}]
        if kind == "attach":
            self._handles += 1
            return [{"janus": "success", **same, "data": {"id": HANDLE + self._handles - 1}}]
        if kind in ("keepalive", "trickle"):
            return [{"janus": "ack", **same}]
        if kind == "message":
            return [{"janus": "ack", **same}, self.event({"videoroom": "event"}, to=message)]
        return [{"janus": "success", **same}]

    async def web_socket(self, request: web.Request) -> web.WebSocketResponse:
        """The socket."""
        socket = self._socket = web.WebSocketResponse(protocols=("janus-protocol",))
        await socket.prepare(request)
        with contextlib.suppress(ConnectionError):
            async for piece in socket:
                if piece.type is WSMsgType.TEXT:
                    answers = await self._answer(json.loads(piece.data))
                    for one in answers if isinstance(answers, list) else []:
                        await socket.send_json(one)
        if self._socket is socket:
            self._socket = None
        return socket

    async def post(self, request: web.Request) -> web.Response:
        """A POST: the first answer is the reply, the others go out on the poll."""
        self.headers.append(dict(request.headers))
        message = await request.json()
        message["path"] = request.path
        parts = request.path.strip("/").split("/")
        if len(parts) > 2:
            message["handle_id"] = int(parts[2])
        answers = await self._answer(message)
        if isinstance(answers, web.Response):
            return answers
        if not answers:
            await asyncio.sleep(30)
        first, *others = answers or [{}]
        await self.push(*others)
        return web.json_response(first)

    async def poll(self, request: web.Request) -> web.Response:
        """A poll, held for a second."""
        self.headers.append(dict(request.headers))
        self.polls.append(dict(request.query))
        if (response := self.poll_answer()) is not None:
            return response
        found: list[Message] = []
        with contextlib.suppress(TimeoutError):
            found.append(await asyncio.wait_for(self._pushed.get(), 1))
        while not self._pushed.empty():
            found.append(self._pushed.get_nowait())
        return web.json_response(found or {"janus": "keepalive"})

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Scripted]:
        """Run it."""
        app = web.Application()
        app.router.add_get("/ws", self.web_socket)
        app.router.add_post("/janus", self.post)
        app.router.add_post("/janus/{session}", self.post)
        app.router.add_post("/janus/{session}/{handle}", self.post)
        app.router.add_get("/janus/{session}", self.poll)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.base = f"//127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()


def _request(message: Message) -> str:
    body = message.get("body")
    return str(body.get("request", "")) if isinstance(body, dict) else ""
