"""JupyterLab in Chromium: opening a saved notebook with five finished calls, without a kernel."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary

from .harness import BadRun, Options, Record, figure, main, workplace
from .in_lab import need_browser, notebook_of, running_browser, running_lab

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from tests.browser.lab import Lab

CALLS = 5
SECONDS = 3.0
NO_KERNEL = "not-installed-here"
# Tall enough that all five are on the screen: JupyterLab draws what is not there later.
VIEW = {"width": 1200, "height": 3000}
_PLACE = """
import asyncio, xnb
widgets = []
"""
_CALL = """
widgets.append(xnb.call("testcard", video=True))
widgets[-1]
"""
_END = f"""
for widget in widgets:
    await widget.call.until("connected", timeout_s=20)
await asyncio.sleep({SECONDS})
for widget in widgets:
    await widget.call.hangup()
await asyncio.sleep(2)  # until every summary is written
"""
# A summary is shown when it has a place, is in sight and its pictures are there.
_WATCH = """([wanted]) => {
    const shown = (one) => {
        const { width, height, bottom } = one.getBoundingClientRect();
        const pictures = [...one.querySelectorAll("img")];
        return width > 200 && height > 60 && bottom <= innerHeight && pictures.length > 0
            && pictures.every((img) => img.complete && img.naturalWidth > 0);
    };
    const look = () => {
        const cards = [...document.querySelectorAll(".jp-OutputArea-output section")]
            .filter((one) => one.textContent.includes("You hung up") && shown(one));
        const cells = document.querySelectorAll(".jp-Notebook .jp-Cell");
        if (cells.length && cards.length >= wanted) window.benchShown = performance.now();
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


def measure(options: Options) -> list[Record]:
    """Seconds from navigation to five summaries, and to the only cell of an empty notebook."""
    chromium = need_browser()
    found: dict[str, list[float]] = {"empty": [], "saved": []}
    with workplace() as folder, running_lab(folder / "lab") as lab:
        saved = _notebook_with_calls(folder)
        names = {"empty": "empty.ipynb", "saved": "saved.ipynb"}
        _keep(lab, names["saved"], saved)
        _keep(lab, names["empty"], nbformat.from_dict(notebook_of([""], kernel=NO_KERNEL)))
        size_kb = (lab.root / names["saved"]).stat().st_size / 1000
        asyncio.run(_all(lab, chromium, options.runs, names, found))
    more_s = statistics.median(found["saved"]) - statistics.median(found["empty"])
    return [
        figure(
            "open a saved notebook with five calls",
            "s",
            found["saved"],
            found["empty"],
            None,
            f"peer: an empty notebook; {1000 * more_s:.0f} ms more, {size_kb:.0f} kB",
        )
    ]


def _notebook_with_calls(folder: Path) -> nbformat.NotebookNode:
    """Five calls of some seconds, hung up; JupyterLab keeps no widget state, and so does this."""
    notebook = nbformat.from_dict(notebook_of([_PLACE, *([_CALL] * CALLS), _END]))
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    for cell in notebook.cells[1:-1]:
        (output,) = cell.outputs
        data = output.get("data", {})
        if "You hung up" not in data.get("text/html", ""):
            raise BadRun(f"a call left no summary: {sorted(data)}")
        if "application/vnd.jupyter.widget-view+json" in data:
            raise BadRun("a finished call still refers to its widget")
    # A kernel that is not there: nothing of what is shown can come from one.
    spec = {"name": NO_KERNEL, "display_name": NO_KERNEL, "language": NO_KERNEL}
    notebook.metadata.kernelspec = spec
    # By the language JupyterLab would find another kernel and start it.
    notebook.metadata.language_info = {"name": NO_KERNEL}
    return notebook


def _keep(lab: Lab, name: str, notebook: nbformat.NotebookNode) -> None:
    """Put a notebook where the server sees it, and sign it, as saving it there does."""
    nbformat.write(notebook, lab.root / name)
    notary = NotebookNotary(data_dir=str(lab.root.parent / "data"))
    notary.sign(nbformat.read(lab.root / name, as_version=4))


async def _all(
    lab: Lab, chromium: str, runs: int, names: dict[str, str], found: dict[str, list[float]]
) -> None:
    async with running_browser(chromium) as browser:
        # The first page that a server gives is slower; it does not count.
        await _open(lab, browser, names["empty"], 0)
        for turn in range(runs):
            for kind, wanted in (("empty", 0), ("saved", CALLS)):
                found[kind].append(await _open(lab, browser, names[kind], wanted))
            print(f"  run {turn + 1} of {runs} done", file=sys.stderr, flush=True)


async def _open(lab: Lab, browser: Browser, name: str, wanted: int) -> float:
    """Seconds from navigation, with an empty cache, to what was wanted in sight."""
    context = await browser.new_context(viewport=VIEW)
    try:
        page = await context.new_page()
        await page.add_init_script(f"({_WATCH})({json.dumps([wanted])})")
        await page.goto(f"{lab.url}/lab/workspaces/{name[:-6]}/tree/{name}?token={lab.token}")
        await page.wait_for_function("() => window.benchShown", timeout=60_000)
        shown_ms: float = await page.evaluate("() => window.benchShown")
        kernels: list[Any] = await page.evaluate(
            "async (url) => (await fetch(url)).json()", f"{lab.url}/api/kernels?token={lab.token}"
        )
        if kernels:
            raise BadRun("a kernel runs")
        return shown_ms / 1000
    finally:
        await context.close()


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
