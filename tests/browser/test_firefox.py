"""JupyterLab in Firefox ESR: a call, its picture and sound, the page's devices, hang-up."""

from __future__ import annotations

import asyncio
import shutil
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from media_files import dominant_frequency

import xnb
from xnb.server.bots.cards import colour

from .firefox import Firefox
from .kernel import Kernel
from .lab import Lab
from .test_everywhere import CELL, write_notebook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CARD = ".jp-OutputArea .xnb-card:not(.xnb-static)"
NOTEBOOK = "fox.ipynb"
_READY = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.sessionContext?.isReady
        && panel.sessionContext.session?.kernel?.status === "idle";
}"""
_RUN = """() => {
    window.jupyterapp.commands.execute("notebook:run-all-cells");
    return true;
}"""
_PICTURE = """(css) => {
    const video = document.querySelector(css + " video.xnb-video");
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 64, 48);
    const { data } = context.getImageData(0, 0, 64, 48);
    return Array.from({ length: 64 * 48 }, (_, i) => data[4 * i + 1]);
}"""
# Without a sound card Firefox starts no AudioContext; its receiver measures what it decodes.
_KEEP_PEERS = """() => {
    window.peers = [];
    window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
        construct: (made, given) => {
            const peer = new made(...given);
            window.peers.push(peer);
            return peer;
        },
    });
}"""
_SOUND = """async () => {
    const reports = [...(await window.peers.at(-1).getStats()).values()];
    const sound = reports.find((one) => one.type === "inbound-rtp" && one.kind === "audio");
    return Math.sqrt(sound.totalAudioEnergy / sound.totalSamplesDuration);
}"""

_GROUP = """import ipywidgets, xnb
widget = xnb.group(invite=["testcard", "testcard-2"], video=True)
ipywidgets.VBox([widget])"""
GROUP_CARD = ".jp-OutputArea .xnb-group:not(.xnb-static)"
# Each tile's name, the colour of its upper band, and the top rows, where the picture's number is.
_TILES = """(css) => [...document.querySelectorAll(css + " .xnb-tile[data-key]")].map((tile) => {
    const video = tile.querySelector("video");
    const canvas = new OffscreenCanvas(120, 60);
    const context = canvas.getContext("2d");
    if (video.videoWidth) context.drawImage(video, 0, 0, 120, 60);
    const { data } = context.getImageData(60, 10, 1, 1);
    const number = String(context.getImageData(0, 0, 120, 2).data.map((one) => one >> 7));
    return [tile.innerText.trim().split("\\n")[0], [...data].slice(0, 3), number];
})"""


@pytest.fixture(scope="session")
def firefox_program() -> str:
    for name in ("firefox-esr", "firefox"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Firefox on the path (apt-get install firefox-esr, or make setup as root)")


async def test_a_call_in_firefox(lab: Lab, firefox_program: str, tmp_path: Path) -> None:
    await _in_firefox(lab, firefox_program, tmp_path, CELL, _call)


async def test_a_group_call_in_firefox(lab: Lab, firefox_program: str, tmp_path: Path) -> None:
    await _in_firefox(lab, firefox_program, tmp_path, _GROUP, _group)


async def _in_firefox(
    lab: Lab,
    program: str,
    tmp_path: Path,
    cell: str,
    use: Callable[[Lab, Firefox], Awaitable[None]],
) -> None:
    """Open a notebook with one cell, run it, and use what it shows."""
    write_notebook(lab, NOTEBOOK, cell)
    try:
        async with Firefox(program, tmp_path) as firefox:
            await firefox.preload(_KEEP_PEERS)
            await firefox.goto(f"{lab.url}/lab/workspaces/fox/tree/{NOTEBOOK}?token={lab.token}")
            await firefox.wait_for(_READY, stage="the notebook's kernel", limit_s=60)
            await firefox.evaluate(_RUN)
            try:
                await use(lab, firefox)
            except AssertionError:
                await firefox.screenshot(tmp_path / "firefox.png")
                raise
    finally:
        lab.shut_kernels()


async def _call(lab: Lab, firefox: Firefox) -> None:
    connected = f"{CARD}[data-state=connected]"
    await firefox.wait_for(
        "(css) => document.querySelector(css) !== null", connected, stage="the card is connected"
    )
    await firefox.wait_for(
        "(css) => Number(document.querySelector(css).dataset.frames ?? 0) >= 10",
        CARD,
        stage="ten pictures",
    )
    state = await firefox.evaluate(
        "(css) => { const one = document.querySelector(css);"
        " const video = one.querySelector('video.xnb-video');"
        " return [one.dataset.transport, video.videoWidth, video.videoHeight]; }",
        CARD,
    )
    assert state == ["webrtc", 640, 480]
    first = await firefox.evaluate(_PICTURE, CARD)
    assert statistics.pstdev(first) > 20, "colour bars, not one colour"
    await asyncio.sleep(0.7)
    second = await firefox.evaluate(_PICTURE, CARD)
    assert statistics.fmean(abs(a - b) for a, b in zip(first, second, strict=True)) > 0.2
    assert await firefox.evaluate(_SOUND) > 0.01

    async with lab.kernel_of(NOTEBOOK) as kernel:
        await firefox.click(f"{CARD} button[data-action=mute]")
        await kernel.wait_for("widget.call.is_muted", True)
        await _own_camera(lab, kernel)
        await firefox.click(f"{CARD} button[data-action=hangup]")
        await kernel.wait_for("str(widget.call.end_reason)", "hangup")
    await firefox.wait_for(
        "(css) => document.querySelector(css) !== null",
        ".jp-OutputArea .xnb-card[data-state=ended]",
        stage="the card says it is over",
    )


async def _group(lab: Lab, firefox: Firefox) -> None:
    numbers = {"testcard": 1, "testcard-2": 2}

    async def numbers_shown() -> dict[str, str]:
        """The number strip of each picture, once everybody shows their colour."""
        end_s = time.monotonic() + 30
        while True:
            tiles = await firefox.evaluate(_TILES, GROUP_CARD)
            right = {
                name: number
                for name, seen, number in tiles
                if name in numbers
                and max(abs(a - b) for a, b in zip(seen, colour(numbers[name]), strict=True)) < 40
            }
            if len(right) == len(numbers):
                return right
            assert time.monotonic() < end_s, tiles
            await asyncio.sleep(0.2)

    seen: dict[str, set[str]] = {name: set() for name in numbers}
    for _ in range(6):
        for name, number in (await numbers_shown()).items():
            seen[name].add(number)
        await asyncio.sleep(0.4)
    for name, strips in seen.items():
        assert len(strips) >= 4, f"{name} stands still"
    async with lab.kernel_of(NOTEBOOK) as kernel:
        await firefox.click(f"{GROUP_CARD} button[data-action=mute]")
        await kernel.wait_for("widget.call.is_muted", True)
        await firefox.click(f"{GROUP_CARD} button[data-action=hangup]")
        await kernel.wait_for("str(widget.call.end_reason)", "hangup")


async def _own_camera(lab: Lab, kernel: Kernel) -> None:
    """Firefox's made-up camera and microphone are what the far end gets."""
    await kernel.run(
        "call = widget.call\nplayback = call.send_video(xnb.page_media())\ncall.unmute()"
    )
    await kernel.wait_for("call.peer.video_out.link is not None", True)
    await kernel.run(
        "import asyncio\n"
        "await asyncio.sleep(0.7)\n"
        "recording = call.record('mine.webm', sides='local')\n"
        "await asyncio.sleep(1.5)\n"
        "await recording.stop()"
    )
    mine = xnb.Recording(lab.root / "mine.webm")
    assert 0.8 < mine.duration_s < 4
    first, later = (mine.frame_at(time_s).image for time_s in (0.1, mine.duration_s - 0.2))
    assert max(first.std(axis=(0, 1))) < 20, "one colour all over, not the test card"
    assert np.abs(first.mean(axis=(0, 1)) - later.mean(axis=(0, 1))).max() > 5, "which changes"
    assert abs(dominant_frequency(mine.audio()[:, 0], 48_000) - 1000) < 20
