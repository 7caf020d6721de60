"""A call's picture live in JupyterLab in Chromium, 640x480 at 30: CPU of the kernel."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xnb.media.testcard import read_counter

from .harness import (
    ROOT,
    BadRun,
    Missing,
    Options,
    Record,
    Target,
    counted,
    cpu_s,
    figure,
    main,
    workplace,
)

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.lab import Lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FPS = 30
WARM_S = 4.0
_COUNT_LOADS = """(picture) => {
    if (!(picture instanceof HTMLImageElement)) return;
    picture.dataset.frames = "0";
    picture.addEventListener("load", () => {
        picture.dataset.frames = String(Number(picture.dataset.frames) + 1);
    });
}"""
_PLACE = """
import sys
sys.path.insert(0, {root!r})
import asyncio, xnb
client = xnb.Client("bench")
call = await client.call("testcard", video=True)
await call.until("connected", timeout_s=20)
call.mute()
call.camera_off()
"""


@dataclass(frozen=True)
class Way:
    """One way to show a call in a notebook.

    Attributes:
        code: A cell that ends in what is shown; ``call`` is a call that is connected.
        picture: Selects the picture, something that a canvas can draw.
        counter: Selects what counts shown pictures in ``data-frames``. An image that has none
            counts those that it loads.
    """

    code: str
    picture: str
    counter: str


WAYS = {
    "ours": Way("call", ".xnb-card video", ".xnb-card:not(.xnb-door)"),
    **{
        name: Way(
            f"from tests.bench.jpeg_view import JpegView\nJpegView(call, {name!r})",
            ".bench-jpeg",
            ".bench-jpeg",
        )
        for name in ("pillow", "ffmpeg")
    },
}
_STRIP = """(picture) => {
    const canvas = new OffscreenCanvas(640, 16);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0, 640, 16, 0, 0, 640, 16);
    const { data } = context.getImageData(0, 8, 640, 1);
    return Array.from({ length: 640 }, (_, i) => data[4 * i + 1]);
}"""


def measure(options: Options) -> list[Record]:
    """Kernel CPU while the picture is shown, and pictures a second in the page."""
    results = shown_in_turn(WAYS, options)

    def each(way: str, key: str) -> list[float]:
        return [one[key] for one in results[way]]

    ours, ffmpeg = (statistics.median(each(way, "cpu_percent")) for way in ("ours", "ffmpeg"))
    rates = {way: statistics.median(each(way, "fps")) for way in results}
    return [
        figure(
            "live display, kernel CPU",
            "% of a core",
            each("ours", "cpu_percent"),
            each("pillow", "cpu_percent"),
            Target(0.3),
            f"peer: JPEG by Pillow over the comm at {rates['pillow']:.0f} pictures a second; by "
            f"FFmpeg {ffmpeg:.1f} % at {rates['ffmpeg']:.0f}, ratio {ours / ffmpeg:.2f}",
        ),
        figure(
            "live display, pictures shown",
            "1/s",
            each("ours", "fps"),
            each("pillow", "fps"),
            Target(FPS * 0.97, of="ours", at_least=True),
        ),
    ]


def shown_in_turn(ways: dict[str, Way], options: Options) -> dict[str, list[dict[str, Any]]]:
    """Show the same call in each way, in turn.

    Returns:
        For each way its runs, with ``cpu_percent`` of the kernel and ``fps`` in the page.
    """
    for module in ("jupyterlab", "playwright"):
        if importlib.util.find_spec(module) is None:
            raise Missing(f"{module} is not installed (make setup)")
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None:
        raise Missing("no Chromium on the path (apt-get install chromium)")
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    with workplace() as folder:
        for turn in range(options.runs):
            for name, way in ways.items():
                place = folder / f"{turn}-{name}"
                results[name].append(
                    counted(lambda way=way, place=place: _one(way, place, chromium, options))
                )
                print(f"  run {turn + 1} of {options.runs}: {name} done", file=sys.stderr)
    return results


def _one(way: Way, folder: Path, chromium: str, options: Options) -> dict[str, Any]:
    sys.path.insert(0, str(ROOT))
    try:
        from tests.browser.lab import Lab
    finally:
        sys.path.remove(str(ROOT))

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lab = Lab(folder)
    try:
        lab.wait_until_up()
        return asyncio.run(_in_page(way, lab, chromium, options.seconds(16)))
    finally:
        lab.shut_kernels()
        lab.close()


async def _in_page(way: Way, lab: Lab, chromium: str, seconds: float) -> dict[str, Any]:
    from playwright.async_api import async_playwright

    (lab.root / "bench.ipynb").write_text(json.dumps(_notebook(way)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--autoplay-policy=no-user-gesture-required", "--mute-audio"],
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            page = await browser.new_page(viewport={"width": 1200, "height": 1000})
            return await _watch(way, lab, page, seconds)
        finally:
            await browser.close()


async def _watch(way: Way, lab: Lab, page: Page, seconds: float) -> dict[str, Any]:
    from tests.browser.lab import LabPage

    notebook = await LabPage.open(lab, page, "bench.ipynb")
    await notebook.run()
    picture = page.locator(f".jp-OutputArea {way.picture}").first
    counter = page.locator(f".jp-OutputArea {way.counter}").first
    await picture.wait_for(timeout=20_000)
    await picture.scroll_into_view_if_needed()
    await picture.evaluate(_COUNT_LOADS)
    async with notebook.kernel() as kernel:
        pid = int(await kernel.eval("__import__('os').getpid()"))

    async def shown() -> int:
        return int(await counter.get_attribute("data-frames") or 0)

    async def number() -> int | None:
        strip = np.asarray(await picture.evaluate(_STRIP), np.uint8)
        image = np.zeros((480, 640, 3), np.uint8)
        image[:16] = strip[np.newaxis, :, np.newaxis]
        return read_counter(image)

    await asyncio.sleep(WARM_S)
    start_s, cpu_before_s, frames = time.monotonic(), cpu_s(pid), await shown()
    await asyncio.sleep(seconds)
    wall_s = time.monotonic() - start_s
    spent_s, frames = cpu_s(pid) - cpu_before_s, await shown() - frames
    first, first_s = await number(), time.monotonic()
    await asyncio.sleep(2)
    last, last_s = await number(), time.monotonic()
    if first is None or last is None:
        raise BadRun(f"{way.picture}: the page does not show the test card")
    if abs(last - first - FPS * (last_s - first_s)) > 0.3 * FPS * (last_s - first_s):
        raise BadRun(
            f"{way.picture}: {last - first} pictures of the test card in {last_s - first_s:.1f} s"
        )
    return {"cpu_percent": 100 * spent_s / wall_s, "fps": frames / wall_s}


def _notebook(way: Way) -> dict[str, Any]:
    cells = [_PLACE.format(root=str(ROOT)), way.code]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell{index}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source.strip(),
            }
            for index, source in enumerate(cells)
        ],
    }


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
