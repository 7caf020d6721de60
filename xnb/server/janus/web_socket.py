"""The Janus API over a WebSocket with the subprotocol ``janus-protocol``."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

from .api_error import ApiError
from .core import Core, error_message
from .messages import MAX_MESSAGE_BYTES, decode, encode
from .session import Json, Session

SUBPROTOCOL = "janus-protocol"
_MAX_OUT = 2000
_READ_BELOW = 256
_SILENCE_S = 120.0
_SEND_S = 20.0


class WebSocketTransport:
    """One connection: requests in, answers and events out, in order.

    Of a client that does not read, nothing more is read while 256 messages wait for it, and at
    2000 the connection is closed. So is one that was silent for 120 s, or that takes nothing
    for 20 s.

    Clients may say nothing for longer than a session lasts (janus.js: 25 s), so the server pings,
    and each pong is a sign of life of the sessions here. Browsers and libraries answer by
    themselves; a process that does nothing but compute does not (RFC 6455 section 5.5.3).

    The sessions of a closed connection can be claimed, with the events it missed.

    Args:
        core: Who answers.
        socket: The connection, already prepared.
        abort: Cuts it without a word.

    Attributes:
        heard_at_s: When it was opened, or the last pong came.
    """

    def __init__(
        self, core: Core, socket: web.WebSocketResponse, abort: Callable[[], None]
    ) -> None:
        self.heard_at_s = core.clock()
        self._core = core
        self._abort = abort
        self._socket = socket
        self._out: deque[tuple[Session | None, Json]] = deque()
        self._changed = asyncio.Event()
        self._is_closed = False

    def deliver(self, session: Session, event: Json) -> None:
        """Send an event of a session."""
        self._put(session, event)

    async def run(self) -> None:
        """Serve until either side closes."""
        tasks = [
            asyncio.create_task(self._write(), name="janus websocket writer"),
            asyncio.create_task(self._ping(), name="janus websocket pings"),
        ]
        try:
            await self._read()
        finally:
            self._give_up()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            with contextlib.suppress(Exception):
                await self._socket.close()

    async def _read(self) -> None:
        while not self._is_closed:
            while len(self._out) > _READ_BELOW and not self._is_closed:
                await self._changed.wait()
            try:
                message = await self._socket.receive(timeout=_SILENCE_S)
            except TimeoutError:
                return
            if message.type is WSMsgType.PONG:
                self.heard_at_s = self._core.clock()
                continue
            if message.type is WSMsgType.PING:
                await self._in_time(self._socket.pong(message.data))
                continue
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            try:
                request = decode(message.data)
            except ApiError as error:
                self._reply(error_message(error, None))
                continue
            await self._core.request(request, self._reply, self)

    async def _ping(self) -> None:
        while not self._is_closed:
            await asyncio.sleep(self._core.ping_s)
            await self._in_time(self._socket.ping())

    async def _in_time(self, sending: Awaitable[None]) -> None:
        """Send something out of turn; a connection that does not take it is cut."""
        try:
            async with asyncio.timeout(_SEND_S):
                await sending
        except (TimeoutError, ConnectionError, RuntimeError):
            self._give_up()
            self._abort()

    def _reply(self, message: Json) -> None:
        self._put(None, message)

    def _put(self, session: Session | None, message: Json) -> None:
        if self._is_closed:
            return
        self._out.append((session, message))
        if len(self._out) > _MAX_OUT:
            self._give_up()
            self._abort()
        self._wake()

    def _give_up(self) -> None:
        """Send nothing more; events that were not sent wait for who claims their session."""
        if self._is_closed:
            return
        self._is_closed = True
        self._core.lost(self)
        for session, event in self._out:
            if session is not None and session.transport is None and not session.is_closed:
                session.keep(event)
        self._out.clear()
        self._wake()

    async def _write(self) -> None:
        try:
            while not self._is_closed:
                if not self._out:
                    await self._changed.wait()
                    continue
                async with asyncio.timeout(_SEND_S):
                    await self._socket.send_str(encode(self._out[0][1]))
                if not self._is_closed:
                    self._out.popleft()
                if len(self._out) == _READ_BELOW:
                    self._wake()
        except (TimeoutError, ConnectionError, RuntimeError):
            pass
        self._give_up()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_SEND_S):
                await self._socket.close(code=WSCloseCode.POLICY_VIOLATION)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def serve_web_socket(core: Core, request: web.Request) -> web.WebSocketResponse:
    """Answer a request for a WebSocket, until it closes.

    A message above 256 KiB closes the connection with code 1009 (RFC 6455 section 7.4.1).
    """
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        max_msg_size=MAX_MESSAGE_BYTES,
        compress=False,
        timeout=1.0,
        autoping=False,  # pongs would be kept from us
    )
    connection = request.transport
    if connection is None:
        raise web.HTTPServiceUnavailable  # it has gone already
    await socket.prepare(request)
    await WebSocketTransport(core, socket, connection.abort).run()
    return socket
