"""JupyterLab in Chromium: from running ``xnb.call`` to the first picture in the page."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from typing import TYPE_CHECKING

import numpy as np

from xnb.media.testcard import read_counter

from .harness import BadRun, Options, Record, Target, figure, main, workplace
from .in_lab import VIEW, need_browser, notebook_of, running_browser, running_lab

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.browser.kernel import Kernel
    from tests.browser.lab import Lab, LabPage

WARM_LIMIT_S = 1.0
COLD_LIMIT_S = 2.5
FPS = 30
CALL = 'widget = xnb.call("testcard", video=True)\nwidget'
CELLS = {"cold": f"import xnb\n\n{CALL}", "warm": CALL}
# The kernel's own clock where it is busy for us; registered before, so the cell stays as it is.
_NOTE_START = """
import time as _time
def _note_start(info):
    global _began
    _began = _time.time()
get_ipython().events.register("pre_run_cell", _note_start)
"""
_STAGES = """[
    [getattr(event, "stage", "") or str(getattr(event, "new", "")) or event.name,
     event.time_s - _time.monotonic() + _time.time()]
    for event in widget.call.timeline]"""
_RUN = """async (index) => {
    const { content } = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = index;
    const cell = content.widgets[index].node;
    const at = { };
    const now = () => performance.timeOrigin + performance.now();
    const canvas = new OffscreenCanvas(32, 24);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const isPicture = (video) => {
        context.drawImage(video, 0, 0, 32, 24);
        const { data } = context.getImageData(0, 0, 32, 24);
        let [lowest, highest] = [255, 0];
        for (let i = 1; i < data.length; i += 4) {
            lowest = Math.min(lowest, data[i]);
            highest = Math.max(highest, data[i]);
        }
        return highest - lowest > 100;
    };
    const first = new Promise((resolve, reject) => {
        setTimeout(() => reject(new Error("no picture within 20 s")), 20_000);
        const watch = (video) => video.requestVideoFrameCallback(() => {
            at.frame ??= now();
            if (isPicture(video)) resolve(now());
            else watch(video);
        });
        const look = () => {
            const video = cell.querySelector("video.xnb-video");
            if (!video) return;
            at.card = now();
            seeing.disconnect();
            watch(video);
        };
        const seeing = new MutationObserver(look);
        seeing.observe(cell, { childList: true, subtree: true });
    });
    at.begin = now();
    window.jupyterapp.commands.execute("notebook:run-cell");
    at.picture = await first;
    return at;
}"""
_STRIP = """(video) => {
    const canvas = new OffscreenCanvas(640, 16);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 640, 16, 0, 0, 640, 16);
    const { data } = context.getImageData(0, 8, 640, 1);
    return Array.from({ length: 640 }, (_, i) => data[4 * i + 1]);
}"""


def measure(options: Options) -> list[Record]:
    """Seconds with a fresh kernel and no server, and those of the second call in that kernel."""
    chromium = need_browser()
    found: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    with workplace() as folder, running_lab(folder / "lab") as lab:
        asyncio.run(_all(lab, chromium, options, found))
    targets = {"cold": COLD_LIMIT_S, "warm": WARM_LIMIT_S}
    return [
        figure(
            f"first picture in the page, {kind}",
            "s",
            [one["picture"] for one in found[kind]],
            None,
            Target(targets[kind], of="ours"),
            _words(found[kind]),
        )
        for kind in ("warm", "cold")
    ]


def _words(runs: list[dict[str, float]]) -> str:
    names = sorted(runs[0], key=lambda name: runs[0][name])
    places = {name: statistics.median(one.get(name, 0) for one in runs) for name in names}
    return "ms: " + ", ".join(f"{name} {1000 * at_s:.0f}" for name, at_s in places.items())


async def _all(
    lab: Lab, chromium: str, options: Options, found: dict[str, list[dict[str, float]]]
) -> None:
    async with running_browser(chromium) as browser:
        # The first page of a server compiles and loads what later ones have; it does not count.
        for turn in range(options.runs + 1):
            try:
                one = await _one(lab, browser, f"turn{turn}.ipynb")
            except BadRun as error:
                print(f"  not counted, done again: {error}", file=sys.stderr, flush=True)
                one = await _one(lab, browser, f"again{turn}.ipynb")
            if turn:
                for kind, stages in one.items():
                    found[kind].append(stages)
                print(f"  run {turn} of {options.runs} done", file=sys.stderr, flush=True)


async def _one(lab: Lab, browser: Browser, name: str) -> dict[str, dict[str, float]]:
    from tests.browser.lab import LabPage

    (lab.root / name).write_text(json.dumps(notebook_of(list(CELLS.values()))))
    context = await browser.new_context(viewport=VIEW)
    try:
        page = await context.new_page()
        notebook = await LabPage.open(lab, page, name)
        async with notebook.kernel() as kernel:
            await kernel.run(_NOTE_START)
            # What a person does before running a cell: the page and the kernel are at rest.
            await asyncio.sleep(2)
            if await kernel.eval("'xnb' in __import__('sys').modules"):
                raise BadRun("xnb was imported before the cell")
            return {kind: await _call(notebook, kernel, index) for index, kind in enumerate(CELLS)}
    finally:
        await context.close()
        lab.shut_kernels()


async def _call(notebook: LabPage, kernel: Kernel, index: int) -> dict[str, float]:
    """Run the cell; when what happened, in seconds after the command to run it."""
    times: dict[str, float] = await notebook.page.evaluate(_RUN, index)
    begin_s = times.pop("begin") / 1000
    stages = {name: at_ms / 1000 - begin_s for name, at_ms in times.items()}
    await _check(notebook, index)
    kernel_times: list[tuple[str, float]] = await kernel.eval(_STAGES)
    for place, at_s in kernel_times:
        stages.setdefault(f"kernel {place}", at_s - begin_s)
    stages["kernel has the cell"] = await kernel.eval("_began") - begin_s
    await kernel.run("await widget.call.hangup()")
    await asyncio.sleep(1)
    return stages


async def _check(notebook: LabPage, index: int) -> None:
    """What is shown is the test card, and it moves at its own pace."""
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(index)
    video = cell.locator("video.xnb-video")

    async def number() -> int:
        strip = np.asarray(await video.evaluate(_STRIP), np.uint8)
        image = np.zeros((480, 640, 3), np.uint8)
        image[:16] = strip[np.newaxis, :, np.newaxis]
        found = read_counter(image)
        if found is None:
            raise BadRun("the page does not show the test card")
        return int(found)

    await asyncio.sleep(1)
    first = await number()
    await asyncio.sleep(1)
    moved = await number() - first
    if not 0.5 * FPS < moved < 2 * FPS:
        raise BadRun(f"{moved} pictures of the test card in a second")


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
