"""Two servers that the same tests run against: Debian's Janus, and the embedded one."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from room_people import Person

from xnb.server.app import serving
from xnb.signaling.janus import Gateway, JanusSession, RoomAdmin

from .real import RealJanus, why_not
from .relay import Relay

SECRET = "janus-SECRET-0123456789"
TOKEN = "test-token-0123456789abcdef"
_rooms = itertools.count(1001)


@dataclass(frozen=True)
class Server:
    """Where a server is, and what it wants."""

    name: str
    ws_port: int
    ws_path: str
    http_port: int
    credentials: dict[str, str]
    session_timeout_s: float = 20.0

    def gateway(self, transport: str = "ws", port: int | None = None, **more: Any) -> Gateway:
        """How to reach it, by itself or through a relay's port."""
        if transport == "ws":
            url = f"ws://127.0.0.1:{port or self.ws_port}{self.ws_path}"
        else:
            url = f"http://127.0.0.1:{port or self.http_port}/janus"
        return Gateway(url, **{**self.credentials, **more})

    def port(self, transport: str) -> int:
        """The TCP port of a transport."""
        return self.ws_port if transport == "ws" else self.http_port


@pytest.fixture(scope="session")
def real_janus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's Janus with its usual times."""
    yield from _running(tmp_path_factory, "janus", 20)


@pytest.fixture(scope="session")
def brief_janus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Debian's Janus that forgets silent sessions after 2 s."""
    yield from _running(tmp_path_factory, "brief", 2)


def _running(
    folders: pytest.TempPathFactory, name: str, session_timeout_s: int
) -> Iterator[Server]:
    if why := why_not():
        pytest.skip(why)
    janus = RealJanus(
        folders.mktemp(name) / "settings",
        api_secret=SECRET,
        session_timeout_s=session_timeout_s,
    )
    try:
        janus.start()
        yield Server(
            "janus",
            janus.ws_port,
            "/",
            janus.http_port,
            {"api_secret": SECRET},
            session_timeout_s,
        )
    finally:
        janus.stop()


@pytest.fixture
async def embedded() -> AsyncIterator[Server]:
    """Our own server, in this process."""
    async with serving(TOKEN) as base:
        port = urlsplit(base).port
        assert port
        yield Server("embedded", port, "/janus", port, {"token": TOKEN})


@pytest.fixture(params=["janus", "embedded"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two in turn."""
    name = "real_janus" if request.param == "janus" else "embedded"
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


Connect = Callable[..., Awaitable[JanusSession]]


@pytest.fixture
async def connect(server: Server) -> AsyncIterator[Connect]:
    """Opens sessions; they are closed afterwards."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one(transport: str = "ws", **more: Any) -> JanusSession:
            session = JanusSession(server.gateway(transport, **more))
            stack.push_async_callback(session.close)
            await session.open()
            return session

        yield open_one


@dataclass(frozen=True)
class Room:
    """A room, its owner, and a way to bring people in."""

    id: int
    admin: RoomAdmin
    person: Callable[..., Awaitable[Person]]


@pytest.fixture
async def room(connect: Connect) -> AsyncIterator[Callable[..., Awaitable[Room]]]:
    """Makes rooms; who is in them leaves afterwards, and they are destroyed."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(transport: str = "ws", *, secret: str | None = None, **details: Any) -> Room:
            number = next(_rooms)
            admin = RoomAdmin(await connect(transport), number, secret=secret)
            await admin.create(**details)

            async def person(name: str, *look: Any, **more: Any) -> Person:
                made = Person(
                    await connect(transport), number, name, *look, pin=details.get("pin"), **more
                )
                stack.push_async_callback(made.close)
                return made

            return Room(number, admin, person)

        yield make


@pytest.fixture
async def relayed() -> AsyncIterator[Callable[[int], Awaitable[Relay]]]:
    """Makes relays to a port; they are closed afterwards."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(port: int) -> Relay:
            relay = await Relay(port).start()
            stack.push_async_callback(relay.close)
            return relay

        yield make
