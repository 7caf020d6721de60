"""Janus messages over a WebSocket (subprotocol ``janus-protocol``)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import Callable
from typing import Literal

import aiohttp

from ..failures import words_for
from ..trace import Trace
from .gateway import Gateway
from .transport import MAX_MESSAGE_BYTES, DroppedError, Listener, Message, note

_log = logging.getLogger(__name__)

_CLOSE_S = 0.5


class WebSocketTransport:
    """One socket at a time; a new one for each :meth:`open`.

    Args:
        gateway: Gives the server as it is now.
        http: Opens the socket.
        listener: Who is told what comes.
        trace: Where messages are noted.
    """

    claim: Literal["claim", "keepalive"] = "claim"

    def __init__(
        self,
        gateway: Callable[[], Gateway],
        http: aiohttp.ClientSession,
        listener: Listener,
        trace: Trace | None,
    ) -> None:
        self._gateway = gateway
        self._http = http
        self._listener = listener
        self._trace = trace
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, also again. Raises DroppedError."""
        await self.close()
        gateway = self._gateway()
        why = ""
        try:
            async with asyncio.timeout(gateway.request_s):
                self._socket = await self._http.ws_connect(
                    gateway.url,
                    protocols=("janus-protocol",),
                    max_msg_size=MAX_MESSAGE_BYTES,
                    headers=gateway.headers(),
                )
        except TimeoutError:
            why = f"no connection within {gateway.request_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            why = words_for(error)
        if self._socket is None:
            # Raised outside the handler: the library's exceptions hold headers and addresses.
            raise DroppedError(why, never_sent=True)
        self._reading = asyncio.create_task(self._read(self._socket), name="xnb janus reader")

    def follow(self, session_id: int) -> None:
        """Events come on the socket by themselves."""

    async def send(self, message: Message, limit_s: float) -> None:
        """Send one message. Raises DroppedError."""
        web_socket = self._socket
        if web_socket is None or web_socket.closed:
            raise DroppedError("the connection was dropped", never_sent=True)
        text = json.dumps(message)
        note(self._trace, "out", "ws", message, len(text))
        why = ""
        try:
            async with asyncio.timeout(limit_s):
                await web_socket.send_str(text)
        except TimeoutError:
            why = "the connection took no more data"
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            why = words_for(error)
        if why:
            raise DroppedError(why)

    async def info(self, limit_s: float) -> Message | None:
        """It is asked by a message."""
        return None

    async def _read(self, web_socket: aiohttp.ClientWebSocketResponse) -> None:
        async for piece in web_socket:
            if piece.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                message = json.loads(piece.data)
            except (ValueError, RecursionError):
                _log.debug("Ignored a message that is no JSON.")
                continue
            if isinstance(message, dict):
                note(self._trace, "in", "ws", message, len(piece.data))
                self._listener.on_message(message)
        if web_socket is self._socket:
            self._socket = None
            self._listener.on_drop("the connection was dropped")

    def drop(self, why: str) -> None:
        """Give the socket up as broken, and tell the listener."""
        web_socket, self._socket = self._socket, None
        wire = None if web_socket is None else web_socket.get_extra_info("socket")
        if wire is not None:
            # A close frame would wait in the same queue as what did not get through.
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        self._listener.on_drop(why)

    async def close(self) -> None:
        """Close the socket. May be called again."""
        web_socket, self._socket = self._socket, None
        reading, self._reading = self._reading, None
        if web_socket is not None and not web_socket.closed:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
                await asyncio.wait_for(web_socket.close(), _CLOSE_S)
        if reading is not None and reading is not asyncio.current_task():
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
