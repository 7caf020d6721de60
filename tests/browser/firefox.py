"""Firefox without a driver: it speaks WebDriver BiDi itself (https://w3c.github.io/webdriver-bidi)."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

START_LIMIT_S = 30.0
COMMAND_LIMIT_S = 30.0
STOP_LIMIT_S = 8.0

# A page of its own may play sound; devices are made up and allowed; nothing calls home.
PREFERENCES = {
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.volume_scale": "0.0",
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
    "services.settings.server": "data:,",
}


class FirefoxError(AssertionError):
    """The browser refused a command, or a script in its page raised."""


class Firefox:
    """A headless Firefox with one page.

    Args:
        program: Path of the browser.
        folder: An empty folder for its profile.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._profile = folder
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0

    async def __aenter__(self) -> Self:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});"
            for name, value in PREFERENCES.items()
        ]
        (self._profile / "user.js").write_text("\n".join(lines))
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *("--headless", "--no-remote", "--remote-debugging-port=0"),
            *("--profile", str(self._profile)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(START_LIMIT_S):
                url = await self._listening()
                self._socket = await self._http.ws_connect(f"{url}/session", max_msg_size=0)
            self._reader = asyncio.create_task(self._read())
            self._drain = asyncio.create_task(self._swallow())
            await self.command("session.new", capabilities={})
            # The window it starts with never gets the focus, and JupyterLab goes by that.
            opened = await self.command("browsingContext.create", type="window")
            self._page = opened["context"]
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.cancel()
        self._drain.cancel()
        await self._socket.close()
        await self._end()

    async def _end(self) -> None:
        await self._http.close()
        if self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def _listening(self) -> str:
        assert self._process.stderr is not None
        said = b""
        async for line in self._process.stderr:
            said += line
            if found := re.search(rb"ws://\S+", line):
                return found[0].decode()
        raise FirefoxError(f"Firefox ended: {said.decode(errors='replace')[-2000:]}")

    async def _swallow(self) -> None:
        assert self._process.stderr is not None
        async for _line in self._process.stderr:
            pass

    async def _read(self) -> None:
        async for message in self._socket:
            answer = json.loads(message.data)
            waiting = self._answers.pop(answer.get("id"), None)
            if waiting and not waiting.done():
                waiting.set_result(answer)

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and wait for its result."""
        self._number += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        try:
            found = await asyncio.wait_for(answer, COMMAND_LIMIT_S)
        except TimeoutError:
            raise FirefoxError(f"{method} was not answered in {COMMAND_LIMIT_S:g} s") from None
        if found["type"] != "success":
            raise FirefoxError(f"{method}: {found.get('error')}: {found.get('message')}")
        result: dict[str, Any] = found["result"]
        return result

    async def preload(self, function: str) -> None:
        """Call a function in every page before its own scripts run."""
        await self.command("script.addPreloadScript", functionDeclaration=function)

    async def goto(self, url: str) -> None:
        """Load an address; returns when the document has been read."""
        await self.command(
            "browsingContext.navigate", context=self._page, url=url, wait="interactive"
        )

    async def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function, which may be async, in the page.

        Args:
            function: Its source, such as ``(a) => a + 1``.
            *arguments: What JSON can hold.

        Returns:
            What it returned, by way of JSON.
        """
        text = ", ".join(json.dumps(one) for one in arguments)
        found = await self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({function})({text})) ?? null))()",
            target={"context": self._page},
            awaitPromise=True,
        )
        if found["type"] != "success":
            raise FirefoxError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])

    async def wait_for(
        self, function: str, *arguments: Any, stage: str, limit_s: float = 20
    ) -> Any:
        """Call a function again and again until it returns something true, and return that.

        Args:
            function: As for :meth:`evaluate`.
            *arguments: As for :meth:`evaluate`.
            stage: What is waited for, to say when it does not come.
            limit_s: How long.
        """
        deadline_s = time.monotonic() + limit_s
        while not (found := await self.evaluate(function, *arguments)):
            if time.monotonic() > deadline_s:
                raise FirefoxError(f"{stage}: not within {limit_s:g} s")
            await asyncio.sleep(0.1)
        return found

    async def click(self, selector: str) -> None:
        """Move the mouse to the middle of the first element that fits, and click."""
        await self.evaluate(
            "(css) => document.querySelector(css).scrollIntoView({ block: 'center' })", selector
        )
        x, y = await self.evaluate(
            """(css) => {
                const box = document.querySelector(css).getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2].map(Math.round);
            }""",
            selector,
        )
        actions = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self.command(
            "input.performActions",
            context=self._page,
            actions=[{"type": "pointer", "id": "mouse", "actions": actions}],
        )

    async def screenshot(self, path: Path) -> None:
        """Save what the page shows now as a PNG."""
        found = await self.command("browsingContext.captureScreenshot", context=self._page)
        path.write_bytes(base64.b64decode(found["data"]))
