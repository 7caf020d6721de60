"""JupyterLab as a process, and a notebook open in a page of it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page

from .kernel import Kernel

START_LIMIT_S = 60.0
_CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets.map((cell) => ({
    type: cell.model.type,
    source: cell.model.sharedModel.getSource(),
    count: cell.model.executionCount ?? null,
    outputs: cell.model.outputs ? cell.model.outputs.toJSON() : [],
}))"""


class Lab:
    """A JupyterLab server of its own: free port, random token, settings in a temporary folder.

    Args:
        folder: For notebooks, settings and the log.
        options: More for its command line.
        base_url: The path it is served under, with a slash at both ends.
    """

    def __init__(self, folder: Path, *options: str, base_url: str = "/") -> None:
        self.root = folder / "notebooks"
        self.root.mkdir()
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{base_url}".rstrip("/")
        self._log = folder / "lab.log"
        quiet = folder / "settings" / "@jupyterlab" / "apputils-extension"
        quiet.mkdir(parents=True)
        (quiet / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        env = {
            **os.environ,
            "JUPYTER_TOKEN": self.token,
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={self.port}"]
        command += ["--ip=127.0.0.1", "--ServerApp.port_retries=0", f"--notebook-dir={self.root}"]
        for app in ("LabApp", "JupyterNotebookApp"):
            command.append(f"--{app}.expose_app_in_browser=True")
        command += [f"--ServerApp.base_url={base_url}", *options]
        if os.geteuid() == 0:
            command.append("--allow-root")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=env, stdout=log, stderr=log, start_new_session=True
            )

    def wait_until_up(self) -> None:
        """Block until it answers."""
        deadline_s = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline_s:
            if self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.request("/api/status"), timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise AssertionError(f"JupyterLab did not start:\n{self._log.read_text()[-3000:]}")

    def request(self, path: str) -> urllib.request.Request:
        """An authorised request to the server."""
        return urllib.request.Request(
            self.url + path, headers={"Authorization": f"token {self.token}"}
        )

    def kernel_of(self, notebook: str) -> Kernel:
        """The kernel of an open notebook."""
        with urllib.request.urlopen(self.request("/api/sessions"), timeout=10) as answer:
            sessions = json.load(answer)
        (kernel_id,) = [one["kernel"]["id"] for one in sessions if one["path"] == notebook]
        return Kernel(self.url, self.token, kernel_id)

    def shut_kernels(self) -> None:
        """End every kernel, and with them their servers and calls."""
        with urllib.request.urlopen(self.request("/api/sessions"), timeout=10) as answer:
            sessions = json.load(answer)
        for one in sessions:
            request = self.request(f"/api/sessions/{one['id']}")
            request.method = "DELETE"
            urllib.request.urlopen(request, timeout=20).close()

    def close(self) -> None:
        """Stop the server and its kernels."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class LabPage:
    """A notebook open in JupyterLab."""

    def __init__(self, lab: Lab, page: Page, notebook: str) -> None:
        self.lab = lab
        self.page = page
        self.notebook = notebook

    @classmethod
    async def open(cls, lab: Lab, page: Page, notebook: str, *, classic: bool = False) -> LabPage:
        """Open a notebook of the server's folder and wait for its kernel.

        Args:
            lab: The server.
            page: Where to.
            notebook: Its name in the folder.
            classic: In Notebook 7, which the same server serves, instead of JupyterLab.
        """
        workspace = f"lab/workspaces/{uuid.uuid4().hex[:8]}/tree"
        await page.goto(
            f"{lab.url}/{'notebooks' if classic else workspace}/{notebook}?token={lab.token}"
        )
        opened = cls(lab, page, notebook)
        await opened.ready()
        return opened

    async def ready(self) -> None:
        """Wait until the notebook is shown and its kernel is idle."""
        await self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        await self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell.currentWidget;
                return panel?.sessionContext?.isReady
                    && panel.sessionContext.session?.kernel?.status === "idle";
            }""",
            timeout=60_000,
        )

    async def reload(self) -> None:
        """Reload the page, as a person would; the kernel goes on."""
        await self.page.reload()
        await self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)

    async def save(self) -> None:
        """Save the notebook and wait until it is on disk."""
        await self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")

    async def set_source(self, index: int, source: str) -> None:
        """Write other code into a cell."""
        await self.page.evaluate(
            """([index, source]) => {
                const cell = window.jupyterapp.shell.currentWidget.content.widgets[index];
                cell.model.sharedModel.setSource(source);
            }""",
            [index, source],
        )

    async def cells(self) -> list[dict[str, Any]]:
        """Type, source, execution count and outputs of every cell."""
        found: list[dict[str, Any]] = await self.page.evaluate(_CELLS)
        return found

    async def command(self, name: str) -> None:
        """Start one of JupyterLab's commands without waiting for its end."""
        await self.page.evaluate(
            "(name) => { window.jupyterapp.commands.execute(name); return null; }", name
        )

    async def run(self, last: str = "", limit_s: float = 60) -> list[dict[str, Any]]:
        """Run the cells one after the other, as Shift+Enter does.

        Args:
            last: Stop after the cell whose source contains this; all cells without.
            limit_s: For each cell.

        Returns:
            All cells, with their outputs.

        Raises:
            AssertionError: A cell raised (with its traceback) or took too long.
        """
        for index, cell in enumerate(await self.cells()):
            if cell["type"] == "code" and cell["source"].strip():
                if cell["count"] is None:
                    await self.run_cell(index, limit_s)
                if last and last in cell["source"]:
                    break
        return await self.cells()

    async def run_cell(self, index: int, limit_s: float = 60) -> dict[str, Any]:
        """Run one cell and wait for its end."""
        await self.page.evaluate(
            "(index) => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = index; }",
            index,
        )
        await self.command("notebook:run-cell")
        deadline_s = time.monotonic() + limit_s
        while True:
            await asyncio.sleep(0.1)
            cell = (await self.cells())[index]
            for output in cell["outputs"]:
                if output["output_type"] == "error":
                    raise AssertionError("\n".join(output["traceback"]))
            if cell["count"] is not None:
                return cell
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not done after {limit_s:g} s:\n{cell['source']}")

    def kernel(self) -> Kernel:
        """The notebook's kernel; use it with ``async with``."""
        return self.lab.kernel_of(self.notebook)

    def card(self, index: int = 0) -> Card:
        """The ``index``-th call that the notebook shows."""
        return Card(self.page.locator(".jp-OutputArea .xnb-card:not(.xnb-door)").nth(index))


class Card:
    """The card of a call in the page."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.video = root.locator("video.xnb-video")

    async def wait_state(self, state: str, timeout_s: float = 20) -> None:
        """Wait until the card says the call is in ``state``."""
        await self.root.and_(self.root.page.locator(f'[data-state="{state}"]')).wait_for(
            timeout=timeout_s * 1000
        )

    async def wait_frames(self, count: int, timeout_s: float = 20) -> None:
        """Wait until the video element has presented at least ``count`` pictures."""
        await self.root.scroll_into_view_if_needed()
        handle = await self.root.element_handle()
        await self.root.page.wait_for_function(
            "([card, count]) => Number(card.dataset.frames ?? 0) >= count",
            arg=[handle, count],
            timeout=timeout_s * 1000,
        )

    def button(self, action: str) -> Locator:
        """The button ``mute``, ``camera``, ``record`` or ``hangup``."""
        return self.root.locator(f'button[data-action="{action}"]')

    async def pressed(self, action: str) -> bool:
        """Whether a button shows as pressed."""
        return await self.button(action).get_attribute("aria-pressed") == "true"

    async def wait_pressed(self, action: str, wanted: bool, timeout_s: float = 10) -> None:
        """Wait until a button shows as pressed or not."""
        button = self.root.locator(
            f'button[data-action="{action}"][aria-pressed="{str(wanted).lower()}"]'
        )
        await button.wait_for(timeout=timeout_s * 1000)

    async def picture(self) -> list[int]:
        """What the video element shows now: 64x48 grey values."""
        found: list[int] = await self.video.evaluate(
            """(video) => {
                const canvas = new OffscreenCanvas(64, 48);
                const context = canvas.getContext("2d");
                context.drawImage(video, 0, 0, 64, 48);
                const { data } = context.getImageData(0, 0, 64, 48);
                return Array.from({ length: 64 * 48 }, (_, i) =>
                    Math.round((data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3));
            }"""
        )
        return found

    async def size(self) -> tuple[int, int]:
        """Width and height of the picture in the video element."""
        width, height = await self.video.evaluate("(v) => [v.videoWidth, v.videoHeight]")
        return width, height

    async def sound(self, seconds: float = 1.0) -> tuple[float, float]:
        """Root mean square and strongest frequency (Hz) of what the element plays."""
        rms, frequency_hz = await self.video.evaluate(
            """async (video, seconds) => {
                const context = new AudioContext();
                try {
                    await context.resume();
                    const stream = new MediaStream(video.srcObject.getAudioTracks());
                    const source = context.createMediaStreamSource(stream);
                    const analyser = new AnalyserNode(context, { fftSize: 16384 });
                    source.connect(analyser);
                    await new Promise((done) => setTimeout(done, 1000 * seconds));
                    const wave = new Float32Array(analyser.fftSize);
                    analyser.getFloatTimeDomainData(wave);
                    const bins = new Float32Array(analyser.frequencyBinCount);
                    analyser.getFloatFrequencyData(bins);
                    let best = 0;
                    bins.forEach((value, i) => { if (value > bins[best]) best = i; });
                    const power = wave.reduce((sum, x) => sum + x * x, 0) / wave.length;
                    return [Math.sqrt(power), (best * context.sampleRate) / analyser.fftSize];
                } finally {
                    await context.close();
                }
            }""",
            seconds,
        )
        return rms, frequency_hz
