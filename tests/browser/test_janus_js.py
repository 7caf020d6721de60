"""janus.js in Chromium against the embedded server: a client that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from room_people import Person

from xnb.server.app import serving
from xnb.server.options import ServerOptions
from xnb.signaling.janus import Gateway, JanusSession, RoomAdmin

if TYPE_CHECKING:
    from playwright.async_api import Page

JS = Path(__file__).parent.parent / "janus" / "js"
MODULES = JS / "node_modules"
FILES = {
    "page.html": JS / "page.html",
    "page.js": JS / "page.js",
    "janus.js": MODULES / "janus-gateway" / "npm" / "dist" / "janus.es.js",
    "adapter.js": MODULES / "webrtc-adapter" / "out" / "adapter.js",
}
TOKEN = "test-token-0123456789abcdef"
LIMIT_S = 20.0
RGB = {"red": (255, 0, 0), "green": (0, 150, 0), "blue": (0, 0, 255)}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FILES["janus.js"].exists(), reason="janus.js is not installed (make peer)"
    ),
]


@asynccontextmanager
async def two_origins() -> AsyncIterator[tuple[str, str]]:
    """Where the page is, and a server that lets pages from there in."""

    async def give(request: web.Request) -> web.FileResponse:
        return web.FileResponse(FILES[request.match_info["name"]])

    app = web.Application()
    app.router.add_get("/js/{name}", give)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pages = f"http://127.0.0.1:{runner.addresses[0][1]}"
        options = ServerOptions(allowed_origins=frozenset({pages}))
        async with serving(TOKEN, options) as base:
            yield pages, base
    finally:
        await runner.cleanup()


async def open_page(page: Page, pages: str) -> None:
    """Open it, and wait until its script has run."""
    await page.goto(f"{pages}/js/page.html")
    await page.wait_for_function("window.somebody", timeout=10_000)


async def until(page: Page, ready: Any, what: str) -> None:
    """Wait until what the page sees and hears is as wanted."""
    seen: Any = None
    for _ in range(int(LIMIT_S / 0.2)):
        seen = await page.evaluate("somebody.now()")
        if ready(seen):
            return
        await asyncio.sleep(0.2)
    notes = await page.evaluate("somebody.notes")
    raise AssertionError(f"the page waited for {what}; it sees {seen}; notes {notes}")


def is_like(rgb: list[int] | None, name: str) -> bool:
    """Whether a colour is nearest to that of this name."""
    if rgb is None or max(rgb) < 60:
        return False

    def distance(one: str) -> int:
        return sum(abs(a - b) for a, b in zip(rgb, RGB[one], strict=True))

    return min(RGB, key=distance) == name


def near(frequency_hz: float | None, wanted_hz: float) -> bool:
    """Whether a tone is the wanted one."""
    return frequency_hz is not None and abs(frequency_hz - wanted_hz) < 15


def sees(seen: Any, name: str, colour: str, tone_hz: float) -> bool:
    """Whether somebody's picture and sound arrive."""
    one = seen.get(name, {})
    return is_like(one.get("video"), colour) and near(one.get("audio"), tone_hz)


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_browser_in_a_room_of_three(page: Page, scheme: str) -> None:
    async with two_origins() as (pages, base):
        address = base.partition(":")[2]
        gateway = Gateway(f"ws:{address}/janus", token=TOKEN)
        sessions = [JanusSession(gateway) for _ in range(3)]
        people: list[Person] = []
        try:
            await asyncio.gather(*(one.open() for one in sessions))
            admin = RoomAdmin(sessions[0], 4711)
            await admin.create(pin="1234", publishers=3)
            ann = Person(sessions[1], 4711, "ann", "red", 500, pin="1234")
            bob = Person(sessions[2], 4711, "bob", "green", 1000, pin="1234")
            people += [ann, bob]
            await ann.enter()
            await open_page(page, pages)
            details = {
                "server": f"{scheme}:{address}/janus",
                "token": TOKEN,
                "room": 4711,
                "pin": "1234",
                "display": "page",
                "colour": "rgb(0, 0, 255)",
                "toneHz": 1500,
            }
            number = await asyncio.wait_for(
                page.evaluate("details => somebody.enter(details)", details), LIMIT_S
            )
            view = await ann.watch("page")
            assert view.feed.id == number
            await asyncio.gather(view.shows("blue"), view.sounds(1500))
            # janus.js heard of ann when it joined, and hears of bob later: a renegotiation.
            await until(page, lambda seen: sees(seen, "ann", "red", 500), "ann")
            await bob.enter()
            await until(
                page,
                lambda seen: sees(seen, "bob", "green", 1000) and sees(seen, "ann", "red", 500),
                "ann and bob",
            )
            assert bob.joined
            await admin.kick(bob.joined.id)
            await ann.hears("leaving", bob.joined.id, "kicked")
            await page.evaluate("somebody.leave()")
            await ann.hears("leaving", number, "")
        finally:
            await asyncio.gather(*(one.close() for one in people))
            await asyncio.gather(*(one.close() for one in sessions))


async def test_the_echo_comes_back_to_a_browser(page: Page) -> None:
    async with two_origins() as (pages, base):
        await open_page(page, pages)
        details = {
            "server": f"ws:{base.partition(':')[2]}/janus",
            "token": TOKEN,
            "colour": "rgb(0, 150, 0)",
            "toneHz": 700,
        }
        await page.evaluate("details => somebody.echo(details)", details)
        await until(page, lambda seen: sees(seen, "echo", "green", 700), "the echo")
