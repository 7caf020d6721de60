"""A raw HTTP client that follows the protocol notes and shares no code with the product's."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from xnb.server.app import serving
from xnb.server.options import ServerOptions

TOKEN = "test-token-0123456789abcdef"
GUEST = "/guest/api/v1/"
QUERY = "/graphql/r7VUmxbfqNkx7uwjgONSNw/AuthenticatePeriscope"


@dataclass
class Raw:
    """One login. ``post`` returns (status, JSON)."""

    base: str
    http: aiohttp.ClientSession
    handle: str
    id: int = 0
    authorization: str = field(default="", repr=False)
    cookie: str = field(default="", repr=False)
    user: dict[str, Any] = field(default_factory=dict)

    async def login(self, prefix: str = "") -> Raw:
        headers = {"authorization": f"Bearer {TOKEN}", "x-xnb-user": self.handle}
        async with self.http.get(self.base + QUERY, headers=headers) as reply:
            assert reply.status == 200, await reply.text()
            jwt = (await reply.json())["data"]["authenticate_periscope"]
        api = f"{self.base}/api/v2/{prefix}"
        async with self.http.post(
            api + "loginTwitterToken",
            json={"jwt": jwt, "vendor_id": "m5-proxsee-login-a2011357b73e", "create_user": True},
        ) as reply:
            body = await reply.json()
            self.cookie, self.user = body["cookie"], body["user"]
            self.id = int(self.user["twitter_id"])
        async with self.http.post(
            api + "authorizeToken", json={"service": "guest", "cookie": self.cookie}
        ) as reply:
            self.authorization = (await reply.json())["authorization_token"]
        return self

    async def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": self.authorization}
        async with self.http.post(self.base + GUEST + path, json=body, headers=headers) as reply:
            assert reply.content_type == "application/json"
            return reply.status, await reply.json()

    async def proxsee(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """A call whose body carries the cookie."""
        url = f"{self.base}/api/v2/{path}"
        async with self.http.post(url, json={"cookie": self.cookie, **body}) as reply:
            assert reply.content_type == "application/json"
            return reply.status, await reply.json()

    async def ok(self, path: str, **body: Any) -> dict[str, Any]:
        status, reply = await self.post(path, **body)
        assert status == 200, reply
        return reply

    async def refused(self, path: str, **body: Any) -> tuple[int, str]:
        status, reply = await self.post(path, **body)
        assert set(reply) == {"error"}, reply
        assert set(reply["error"]) == {"code", "message", "remedy"}
        assert reply["error"]["message"]
        return status, reply["error"]["code"]

    async def find(self, handle: str) -> int:
        return int((await self.ok("xnb/users/lookup", handle=handle))["user"]["id"])

    async def call(self, invitee: int, *, announce: bool = True) -> str:
        created = await self.ok(
            "p2p/broadcast/create",
            invitees_twitter=[invitee],
            audio_only=True,
            conversation_id=None,
        )
        broadcast_id = str(created["broadcast_id"])
        assert (await self.ok("p2p/broadcast/publish", broadcast_id=broadcast_id)) == {
            "success": True
        }
        if announce:
            await self.ok("xnb/announce", broadcast_id=broadcast_id, recipient_id=invitee)
        return broadcast_id

    async def status(self, broadcast_id: str) -> dict[str, Any]:
        return await self.ok("p2p/broadcast/status", broadcast_id=broadcast_id)

    async def leave(self, broadcast_id: str, **more: Any) -> None:
        await self.ok("p2p/broadcast/leave", broadcast_id=broadcast_id, trigger="User", **more)


@pytest.fixture
async def rig():
    """Start servers; gives a function that logs handles in."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(options: ServerOptions | None = None):
            base = await stack.enter_async_context(serving(TOKEN, options))
            http = await stack.enter_async_context(
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40))
            )

            async def user(handle: str) -> Raw:
                return await Raw(base, http, handle).login()

            return user

        yield start
