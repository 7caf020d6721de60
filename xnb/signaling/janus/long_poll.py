"""Janus messages over HTTP: a POST for each request, one long poll for the events."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

import aiohttp

from ..failures import words_for
from ..trace import Trace
from .errors import SESSION_GONE, UNAUTHORIZED
from .gateway import Gateway
from .transport import MAX_MESSAGE_BYTES, DroppedError, Listener, Message, note

_log = logging.getLogger(__name__)

_MAX_EVENTS = 10
# A server that does not hold the poll must not be asked in a tight loop.
_MIN_GAP_S = 0.1
_CODES = {401: UNAUTHORIZED, 403: UNAUTHORIZED, 404: SESSION_GONE, 410: SESSION_GONE}


class LongPollTransport:
    """Requests, and the one poller of a session.

    Args:
        gateway: Gives the server as it is now.
        http: Makes the requests.
        listener: Who is told what comes.
        trace: Where messages are noted.
    """

    claim: Literal["claim", "keepalive"] = "keepalive"

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
        self._polling: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Nothing to connect; a poller that still runs is ended."""
        await self.close()

    def follow(self, session_id: int) -> None:
        """Start the poller."""
        self._polling = asyncio.create_task(self._poll(session_id), name="xnb janus poller")

    async def send(self, message: Message, limit_s: float) -> None:
        """POST one message and hand the reply on. Raises DroppedError."""
        inside = dict(message)
        path = "".join(
            f"/{inside.pop(name)}" for name in ("session_id", "handle_id") if name in inside
        )
        data = json.dumps(inside).encode()
        note(self._trace, "out", "http", message, len(data))
        status, reply, size = await self._ask("POST", path, data, {}, limit_s)
        if isinstance(reply, dict) and "janus" in reply:
            note(self._trace, "in", "http", reply, size)
            self._listener.on_message(reply)
        elif status in _CODES:
            self._listener.on_message(
                {
                    "janus": "error",
                    "transaction": message.get("transaction"),
                    "error": {"code": _CODES[status], "reason": f"HTTP {status}"},
                }
            )
        else:
            raise DroppedError(f"the answer was HTTP {status}", never_sent=status == 429)

    async def info(self, limit_s: float) -> Message | None:
        """What the server says of itself. Raises DroppedError."""
        status, reply, _ = await self._ask("GET", "/info", None, {}, limit_s)
        if not isinstance(reply, dict):
            raise DroppedError(f"the answer was HTTP {status}")
        return reply

    async def _poll(self, session_id: int) -> None:
        """Ask again and again until something fails."""
        loop = asyncio.get_running_loop()
        while True:
            started_s = loop.time()
            gateway = self._gateway()
            events = 1 if gateway.dialect == "gateway" else _MAX_EVENTS
            params = {"maxev": str(events), **gateway.credentials()}
            try:
                status, reply, size = await self._ask(
                    "GET", f"/{session_id}", None, params, gateway.poll_s
                )
            except DroppedError as dropped:
                self._polling = None
                self._listener.on_drop(dropped.why)
                return
            found = [
                one for one in (reply if isinstance(reply, list) else [reply]) if _is_message(one)
            ]
            for message in found:
                note(self._trace, "in", "http", message, size // len(found))
                self._listener.on_message(message)
            if not found:
                self._polling = None
                if status in _CODES:
                    self._listener.on_message(
                        {"janus": "error", "error": {"code": _CODES[status], "reason": ""}}
                    )
                self._listener.on_drop(f"the answer was HTTP {status}")
                return
            if any(message.get("janus") == "error" for message in found):
                self._polling = None
                self._listener.on_drop("the server refused the poll")
                return
            if all(message.get("janus") == "keepalive" for message in found):
                await asyncio.sleep(max(0.0, _MIN_GAP_S - (loop.time() - started_s)))

    async def _ask(
        self, method: str, path: str, data: bytes | None, params: Mapping[str, str], limit_s: float
    ) -> tuple[int, Any, int]:
        gateway = self._gateway()
        headers = gateway.headers()
        if data is not None:
            headers["Content-Type"] = "application/json"
        raw = bytearray()
        why, never_sent, status = "", False, 0
        try:
            async with self._http.request(
                method,
                gateway.url.rstrip("/") + path,
                data=data,
                params=params,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=limit_s),
                allow_redirects=False,
            ) as response:
                status = response.status
                async for part in response.content.iter_chunked(65536):
                    raw += part
                    if len(raw) > MAX_MESSAGE_BYTES:
                        response.close()
                        why = "the answer was too large"
                        break
        except TimeoutError:
            why = f"no answer within {limit_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:
            why, never_sent = words_for(error), isinstance(error, aiohttp.ClientConnectorError)
        if why:
            # Raised outside the handler: the library's exceptions hold headers and addresses.
            raise DroppedError(why, never_sent=never_sent)
        reply: Any = None
        with contextlib.suppress(ValueError, RecursionError):
            reply = json.loads(bytes(raw))
        return status, reply, len(raw)

    def drop(self, why: str) -> None:
        """Give the poller up as broken, and tell the listener."""
        polling, self._polling = self._polling, None
        if polling is not None:
            polling.cancel()
        self._listener.on_drop(why)

    async def close(self) -> None:
        """End the poller. May be called again."""
        polling, self._polling = self._polling, None
        if polling is not None and polling is not asyncio.current_task():
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and "janus" in value
