"""The call's card outside JupyterLab: Notebook 7, voila, ipywidgets' HTML manager, a visit each."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from .kernel import Kernel
from .lab import Card, Lab, LabPage

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CELL = "import xnb\n\nwidget = xnb.call('testcard', video=True)\nwidget"

HTML_MANAGER = Path(__file__).parent / "html_manager"


def write_notebook(lab: Lab, name: str, cell: str = CELL) -> None:
    """A notebook with one cell, by default a call to the test card."""
    cells = [nbformat.v4.new_markdown_cell("# A call"), nbformat.v4.new_code_cell(cell)]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": spec})
    nbformat.write(made, lab.root / name)


async def live_until_hangup(card: Card, kernel: Kernel) -> None:
    """The card is live: the picture moves, the sound sounds, buttons and hang-up reach Python."""
    await card.wait_state("connected")
    await card.wait_frames(10)
    assert await card.size() == (640, 480)
    first = await card.picture()
    assert statistics.pstdev(first) > 20, "colour bars, not one colour"
    await asyncio.sleep(0.7)
    second = await card.picture()
    assert statistics.fmean(abs(a - b) for a, b in zip(first, second, strict=True)) > 0.2
    rms, frequency_hz = await card.sound(0.5)
    assert rms > 0.01
    assert 100 < frequency_hz < 2000

    await card.button("mute").click()
    await kernel.wait_for("widget.call.is_muted", True)
    await card.wait_pressed("mute", True)
    await card.button("hangup").click()
    await kernel.wait_for("str(widget.call.end_reason)", "hangup")
    await card.wait_state("ended")


async def test_notebook_7(lab: Lab, page: Page) -> None:
    write_notebook(lab, "seven.ipynb")
    try:
        notebook = await LabPage.open(lab, page, "seven.ipynb", classic=True)
        assert await page.evaluate("window.jupyterapp.name") == "Jupyter Notebook"
        await notebook.run()
        async with notebook.kernel() as kernel:
            await live_until_hangup(notebook.card(), kernel)
    finally:
        lab.shut_kernels()


async def test_voila(lab: Lab, page: Page) -> None:
    write_notebook(lab, "dashboard.ipynb")
    before = kernels(lab)
    await page.goto(f"{lab.url}/voila/render/dashboard.ipynb?token={lab.token}")
    # No JupyterLab application here.
    assert await page.evaluate("typeof window.jupyterapp") == "undefined"
    card = Card(page.locator(".xnb-card:not(.xnb-door):not(.xnb-static)"))
    await card.wait_state("connected", timeout_s=40)
    (kernel_id,) = kernels(lab) - before
    try:
        async with Kernel(lab.url, lab.token, kernel_id) as kernel:
            await live_until_hangup(card, kernel)
    finally:
        end_kernel(lab, kernel_id)


async def test_the_html_manager_as_editors_have_it(lab: Lab, page: Page) -> None:
    """No JupyterLab, no notebook: a page with a kernel, HTMLManager and the classic anywidget.

    VS Code shows widgets that way; VS Code itself is not here to be driven.
    """
    script = HTML_MANAGER / "dist" / "page.js"
    if not script.exists():
        pytest.skip("the page with ipywidgets' HTML manager is not built (make html-manager)")
    anywidget = Path(sys.prefix, "share", "jupyter", "nbextensions", "anywidget", "index.js")
    request = lab.request("/api/kernels")
    request.method = "POST"
    with urllib.request.urlopen(request, timeout=20) as answer:
        kernel_id = json.load(answer)["id"]
    try:
        # Some page of the server, for its address only.
        await page.goto(f"{lab.url}/static/favicons/favicon.ico")
        await page.evaluate(
            """() => {
                document.head.replaceChildren();
                document.body.replaceChildren();
                document.body.removeAttribute("style");
            }"""
        )
        await page.add_style_tag(path=script.with_suffix(".css"))
        await page.add_script_tag(path=script)
        # Beside another widget, which gives it the width it asks for.
        code = f"{CELL}\nimport ipywidgets\nipywidgets.HBox([widget, ipywidgets.Label('beside')])"
        given = [f"{lab.url}/", lab.token, kernel_id, anywidget.read_text(), code]
        async with asyncio.timeout(40):
            done = await page.evaluate("(given) => window.runAndShow(...given)", given)
        assert done == "ok"
        card = Card(page.locator(".xnb-card:not(.xnb-door)"))
        box = await card.root.bounding_box()
        assert box
        assert 400 < box["width"] < 700
        async with Kernel(lab.url, lab.token, kernel_id) as kernel:
            await live_until_hangup(card, kernel)
    finally:
        end_kernel(lab, kernel_id)


def end_kernel(lab: Lab, kernel_id: str) -> None:
    """End one kernel of the server."""
    request = lab.request(f"/api/kernels/{kernel_id}")
    request.method = "DELETE"
    urllib.request.urlopen(request, timeout=20).close()


def kernels(lab: Lab) -> set[str]:
    """The ids of all kernels of the server."""
    with urllib.request.urlopen(lab.request("/api/kernels"), timeout=10) as answer:
        return {one["id"] for one in json.load(answer)}
