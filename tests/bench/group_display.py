"""A group of eight with video in one page of JupyterLab: pictures of each, CPU of the kernel."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .harness import BadRun, Options, Record, Target, counted, cpu_s, figure, main, workplace
from .in_lab import VIEW, need_browser, notebook_of, running_browser, running_lab

if TYPE_CHECKING:
    from tests.browser.lab import Lab

PEOPLE = 8
LOW_FPS = 15
"""What small tiles get; see :mod:`xnb.engine.publishing`."""
WARM_S = 6.0
_START = f"""
import xnb
others = ["testcard", *(f"testcard-{{n}}" for n in range(2, {PEOPLE} + 1))]
widget = xnb.group(invite=others, video=True)
widget
"""
_SHOWN = """(count) =>
    document.querySelectorAll('.xnb-tile[data-key][data-picture="true"]').length >= count"""
# Counts the pictures that each tile hands to be drawn, and notes the longest time between two.
# The callback itself comes at most once for each time the page is drawn (here 30 a second), so
# two pictures may share one: the browser's own count is taken.
_WATCH = """async (milliseconds) => {
    const videos = [...document.querySelectorAll('.xnb-tile[data-key] video')];
    const start = performance.now();
    const seen = videos.map((video) => {
        const one = { count: 0, last: start, pause: 0 };
        const note = (now) => {
            one.pause = Math.max(one.pause, now - one.last);
            one.last = now;
        };
        const next = (now, { presentedFrames }) => {
            one.first ??= presentedFrames - 1;
            one.count = presentedFrames - one.first;
            note(now);
            video.requestVideoFrameCallback(next);
        };
        video.requestVideoFrameCallback(next);
        one.end = () => note(performance.now());
        return one;
    });
    await new Promise((done) => setTimeout(done, milliseconds));
    for (const one of seen) one.end();
    const seconds = (performance.now() - start) / 1000;
    return seen.map(({ count, pause }) => ({ fps: count / seconds, pause_ms: pause }));
}"""


def measure(options: Options) -> list[Record]:
    """The slowest tile's pictures a second, its longest pause, and kernel CPU."""
    chromium = need_browser()
    runs: list[dict[str, float]] = []
    with workplace() as folder:
        for turn in range(options.runs):
            runs.append(counted(lambda turn=turn: _one(folder / str(turn), chromium, options)))
            print(f"  run {turn + 1} of {options.runs}: done", file=sys.stderr)

    def each(key: str) -> list[float]:
        return [one[key] for one in runs]

    pause_ms = statistics.median(each("pause_ms"))
    return [
        figure(
            f"group of {PEOPLE} in a page, pictures of the slowest tile",
            "1/s",
            each("fps"),
            None,
            Target(LOW_FPS * 0.9, of="ours", at_least=True),
            f"longest pause {pause_ms:.0f} ms; the bots encode on the same machine",
        ),
        figure(
            f"group of {PEOPLE} in a page, kernel CPU",
            "% of a core",
            each("cpu_percent"),
            None,
            Target(60, of="ours"),
        ),
    ]


def _one(folder: Path, chromium: str, options: Options) -> dict[str, float]:
    with running_lab(folder) as lab:
        return asyncio.run(_in_page(lab, chromium, options.seconds(20)))


async def _in_page(lab: Lab, chromium: str, seconds: float) -> dict[str, float]:
    from tests.browser.lab import LabPage

    (lab.root / "bench.ipynb").write_text(json.dumps(notebook_of([_START])))
    async with running_browser(chromium) as browser:
        page = await browser.new_page(viewport=VIEW)  # type: ignore[arg-type]
        notebook = await LabPage.open(lab, page, "bench.ipynb")
        await notebook.run()
        await page.wait_for_function(_SHOWN, arg=PEOPLE, timeout=60_000)
        async with notebook.kernel() as kernel:
            pid = int(await kernel.eval("__import__('os').getpid()"))
        await asyncio.sleep(WARM_S)
        start_s, before_s = time.monotonic(), cpu_s(pid)
        tiles: list[dict[str, Any]] = await page.evaluate(_WATCH, 1000 * seconds)
        cpu_percent = 100 * (cpu_s(pid) - before_s) / (time.monotonic() - start_s)
    if len(tiles) != PEOPLE:
        raise BadRun(f"the page shows {len(tiles)} tiles, not {PEOPLE}")
    return {
        "fps": min(one["fps"] for one in tiles),
        "pause_ms": max(one["pause_ms"] for one in tiles),
        "cpu_percent": cpu_percent,
    }


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
