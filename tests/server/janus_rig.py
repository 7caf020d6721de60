"""The Janus API on a real socket with a tiny plugin, and raw clients that share no code with it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from typing import Any

import aiohttp
from aiohttp import web

from xnb.server.janus.core import Core, CoreLimits
from xnb.server.janus.mount import add_janus
from xnb.server.janus.plugin import Answer, HandleLink, PluginError

TINY = "janus.plugin.tiny"
OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=mid:a\r\n"


class TinyHandle:
    """Answers a few requests, and says what it was told."""

    def __init__(self, plugin: Tiny, link: HandleLink) -> None:
        self.plugin, self.link = plugin, link
        self.detached = 0
        self.running = 0

    def is_synchronous(self, body):
        return body.get("request") in {"sum", "refuse now", "slow now"}

    async def message(self, body, jsep):
        self.running += 1
        assert self.running == 1, "two messages at a time"
        try:
            return await self._answer(body, jsep)
        finally:
            self.running -= 1

    async def _answer(self, body, jsep):
        request = body.get("request")
        self.plugin.seen.append(request)
        if request == "sum":
            return Answer({"tiny": "sum", "sum": sum(body["numbers"])})
        if request in {"later", "slow now"}:
            await asyncio.sleep(body.get("after_s", 0.05))
            return Answer({"tiny": "later", "n": body.get("n")})
        if request in {"refuse", "refuse now"}:
            raise PluginError(777, "no such thing")
        if request == "break":
            raise RuntimeError(f"hush: the pin is {body['pin']}")
        if request == "events":
            for n in range(body["count"]):
                self.link.event({"tiny": "event", "n": n, "pad": "x" * body.get("pad", 0)})
        if request == "media":
            self.link.webrtcup()
            self.link.media("video", "v1", True)
            self.link.hangup("DTLS alert")
        if request == "offer":
            return Answer({"tiny": "offered"}, {"type": "offer", "sdp": OFFER})
        if request == "bye":
            self.link.close()
        return Answer({"tiny": "ok", "jsep": jsep["type"] if jsep else None})

    async def trickle(self, candidates):
        self.link.event({"tiny": "trickled", "candidates": candidates})

    async def hangup(self):
        self.link.event({"tiny": "hung up"})

    async def detach(self):
        self.detached += 1
        if self.plugin.clings:
            raise RuntimeError("not now")

    def info(self):
        return {"detached": self.detached}


class Tiny:
    package = TINY

    def __init__(self, package: str = TINY) -> None:
        self.package = package
        self.handles: list[TinyHandle] = []
        self.seen: list[Any] = []
        self.clings = False
        self.is_full = False

    def attach(self, link):
        if self.is_full:
            raise PluginError(1, "full")
        self.handles.append(TinyHandle(self, link))
        return self.handles[-1]

    async def close(self):
        pass


class Server:
    """A core on a socket."""

    def __init__(self, core: Core, tiny: Tiny, base: str) -> None:
        self.core, self.tiny, self.base = core, tiny, base
        self.http_url = base + "/janus"


class Ws:
    """A raw WebSocket client: ``ask`` gives the reply, ``event`` the next thing that is none."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, **every: Any) -> None:
        self.socket, self.every = socket, every
        self.numbers = itertools.count()
        self.events: list[dict] = []

    async def ask(self, janus: str, **more: Any) -> dict:
        transaction = f"t{next(self.numbers)}"
        await self.send(janus=janus, transaction=transaction, **more)
        while True:
            got = await self.receive()
            if got.get("transaction") == transaction:
                return got
            self.events.append(got)

    async def send(self, **message: Any) -> None:
        await self.socket.send_str(json.dumps(self.every | message))

    async def receive(self, within_s: float = 5.0) -> dict:
        async with asyncio.timeout(within_s):
            while (message := await self.socket.receive()).type is aiohttp.WSMsgType.PING:
                pass  # only without autoping: then nobody answers it
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def event(self, within_s: float = 5.0) -> dict:
        return self.events.pop(0) if self.events else await self.receive(within_s)

    async def session(self) -> int:
        made = await self.ask("create")
        assert made["janus"] == "success", made
        return made["data"]["id"]

    async def handle(self, session_id: int, plugin: str = TINY) -> int:
        made = await self.ask("attach", session_id=session_id, plugin=plugin)
        assert made["janus"] == "success", made
        return made["data"]["id"]

    async def both(self) -> dict[str, int]:
        session_id = await self.session()
        return {"session_id": session_id, "handle_id": await self.handle(session_id)}

    def drop(self) -> None:
        """Cut the connection without a word."""
        self.socket._response.connection.transport.abort()


class Rig:
    """Starts servers and clients; everything ends with the test."""

    def __init__(self, stack: contextlib.AsyncExitStack, http: aiohttp.ClientSession) -> None:
        self.stack, self.http = stack, http

    async def serve(self, *, poll_s=5.0, tokens=None, api_secret=None, plugins=(), **limits):
        tiny = Tiny()
        core = Core(
            [tiny, *plugins], tokens=tokens, api_secret=api_secret, limits=CoreLimits(**limits)
        )
        app = web.Application(client_max_size=256 * 1024)
        add_janus(app, core, poll_s=poll_s)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.3)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return Server(core, tiny, f"http://127.0.0.1:{runner.addresses[0][1]}")

    async def ws(self, server: Server | str, *, autoping: bool = True, **every: Any) -> Ws:
        url = server if isinstance(server, str) else server.http_url
        socket = await self.http.ws_connect(
            url.replace("http", "ws", 1), protocols=("janus-protocol",), autoping=autoping
        )
        self.stack.push_async_callback(socket.close)
        assert socket.protocol == "janus-protocol"
        return Ws(socket, **every)

    async def post(self, url: str, body: Any = None, **more: Any) -> dict:
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        async with self.http.post(url, data=data, **more) as reply:
            assert reply.content_type == "application/json"
            return await reply.json()

    async def get(self, url: str, **more: Any) -> Any:
        async with self.http.get(url, **more) as reply:
            assert reply.content_type == "application/json"
            return await reply.json()


@contextlib.asynccontextmanager
async def rigged():
    """A rig, closed at the end."""
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        )
        yield Rig(stack, http)


async def until(condition, within_s: float = 5.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.01)
