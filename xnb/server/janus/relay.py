"""A way to a Janus that clients cannot or must not reach themselves.

A private Janus listens on loopback only, and one with an API secret wants a secret that clients
never get. Both are reached over a WebSocket of our own server, which hands messages on. Media
does not come this way.
"""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from aiohttp import WSMsgType, web

from ...errors import SfuError
from .api_error import ApiError, Code
from .core import error_message
from .messages import MAX_MESSAGE_BYTES, decode, encode
from .pool import Instance
from .tokens import Tokens
from .web_socket import SUBPROTOCOL

RELAY = "/sfu"
_CONNECT_S = 5.0
_SILENCE_S = 120.0
_UP_BYTES = 4 * 1024 * 1024


def needs_own_token(instance: Instance) -> bool:
    """Whether clients show us a token of ours, because this Janus takes none of theirs."""
    endpoint = instance.endpoint
    return endpoint is not None and endpoint.token_secret is None and bool(endpoint.api_secret)


async def serve_relay(
    request: web.Request, instance: Instance, tokens: Tokens
) -> web.WebSocketResponse:
    """Hand messages on between a client and a Janus until either closes.

    Args:
        request: A request for a WebSocket.
        instance: The Janus, which speaks WebSocket.
        tokens: What clients show where the Janus itself knows no tokens.

    Raises:
        SfuError: That Janus is down or does not speak WebSocket.
    """
    endpoint = instance.endpoint
    if endpoint is None or not endpoint.url.startswith("ws"):
        raise SfuError("That group-call server cannot be reached this way.", remedy="Ask again.")
    down = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,), max_msg_size=MAX_MESSAGE_BYTES, compress=False, timeout=1.0
    )
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S)
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        try:
            async with asyncio.timeout(_CONNECT_S):
                up = await stack.enter_async_context(
                    http.ws_connect(endpoint.url, protocols=(SUBPROTOCOL,), max_msg_size=_UP_BYTES)
                )
        except (aiohttp.ClientError, OSError, TimeoutError):
            raise SfuError(
                "That group-call server does not answer.", remedy="Ask for the place again."
            ) from None
        await down.prepare(request)
        ways = {
            asyncio.create_task(_up(down, up, instance, tokens), name="janus relay up"),
            asyncio.create_task(_down(down, up), name="janus relay down"),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            with contextlib.suppress(Exception):
                await down.close()
    return down


async def _up(
    down: web.WebSocketResponse,
    up: aiohttp.ClientWebSocketResponse,
    instance: Instance,
    tokens: Tokens,
) -> None:
    while True:
        given = await down.receive(timeout=_SILENCE_S)
        if given.type is not WSMsgType.TEXT:
            return
        if not needs_own_token(instance) or instance.endpoint is None:
            await up.send_str(given.data)
            continue
        transaction = None
        try:
            message = decode(given.data)
            if not isinstance(message, dict):
                raise ApiError(Code.INVALID_JSON_OBJECT, "JSON error: not an object")
            transaction = message.get("transaction")
            # What a client may do here is to be in rooms, so that is all its token is good for.
            plugin = message.get("plugin") if message.get("janus") == "attach" else None
            if not tokens.allows(message.pop("token", None), plugin if plugin else None):
                raise ApiError(
                    Code.UNAUTHORIZED, "Unauthorized request (wrong or missing secret/token)"
                )
        except ApiError as error:
            known = transaction if isinstance(transaction, str) else None
            await down.send_str(encode(error_message(error, known)))
            continue
        await up.send_str(encode(message | {"apisecret": instance.endpoint.api_secret}))


async def _down(down: web.WebSocketResponse, up: aiohttp.ClientWebSocketResponse) -> None:
    async for given in up:
        if given.type is not WSMsgType.TEXT:
            return
        await down.send_str(given.data)
