"""Notebooks saved by JupyterLab; the first call in mid-call and afterwards, and opened again.

Saved with the state of the widgets, which JupyterLab can be told to save and does not by default;
what it saves by default is a part of that. Opened without a kernel and not trusted, so that its
HTML goes through JupyterLab's sanitizer.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from notebook_runs import NOTEBOOKS, must_have_printed
from PIL import Image
from playwright.async_api import Page

from xnb.media.testcard import read_counter

from .lab import Lab, LabPage
from .saved import WIDGETS, must_be_clean, read

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOTEBOOK = "01-first-call.ipynb"
ELSEWHERE = {NOTEBOOK, "02-media-in-and-out.ipynb", "03-recording.ipynb"}
"""The first has a test of its own below; the next two are saved by the tests that look at what they
show."""
Opener = Callable[[str], Awaitable[LabPage]]


def summaries(saved: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {kind: "".join(text) for kind, text in output["data"].items()}
        for cell in saved["cells"]
        for output in cell.get("outputs", [])
        if "text/markdown" in output.get("data", {})
    ]


async def open_without_kernel(lab: Lab, page: Page, path: Path) -> None:
    """Open a notebook that is not trusted and whose kernel there is none of."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("widgets")
    notebook.metadata["kernelspec"] = {"name": "gone", "display_name": "Gone", "language": "gone"}
    notebook.metadata["language_info"] = {"name": "gone"}
    nbformat.write(notebook, lab.root / "again.ipynb")
    await page.goto(f"{lab.url}/lab/workspaces/again/tree/again.ipynb?token={lab.token}")
    asked = page.locator(".jp-Dialog")
    await asked.locator("select").select_option(label="No Kernel", timeout=60_000)
    await asked.get_by_role("button", name="Select").click()
    await asked.wait_for(state="detached", timeout=10_000)
    await page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    kernels = await page.evaluate(
        "() => window.jupyterapp.serviceManager.kernels.runningCount ?? 0"
    )
    assert kernels == 0


@pytest.mark.parametrize(
    "name",
    [path.name for path in NOTEBOOKS if path.name not in ELSEWHERE],
    ids=lambda name: name[:2],
)
async def test_the_others_run_and_are_saved_without_secrets(
    lab: Lab, open_notebook: Opener, ears: Path, name: str
) -> None:
    notebook = await open_notebook(name)
    await notebook.run()
    await notebook.save()
    saved = read(lab.root / name)
    outputs = [output for cell in saved["cells"] for output in cell.get("outputs", [])]
    assert outputs
    assert not any(output.get("name") == "stderr" for output in outputs), outputs
    must_have_printed(name, saved["cells"])
    must_be_clean(saved, ears)


async def test_it_is_saved_without_secrets_and_shows_the_call_without_a_kernel(
    lab: Lab, page: Page, open_notebook: Opener, ears: Path
) -> None:
    notebook = await open_notebook(NOTEBOOK)
    await notebook.run(last="call.record(")
    card = notebook.card()
    await card.wait_state("connected")
    await card.wait_frames(30)

    # In mid-call: the widgets' state is in the file, and nothing else of the call.
    await notebook.save()
    saved = read(lab.root / NOTEBOOK)
    states = saved["metadata"]["widgets"][WIDGETS]["state"]
    (state,) = [one["state"] for one in states.values() if "connected_at" in one["state"]]
    assert state["state"] == "connected"
    assert not any(one.get("buffers") for one in states.values())
    assert "Run the cell to call again" in json.dumps(saved)
    assert not summaries(saved)
    must_be_clean(saved, ears, "video packet", "sent buffer")

    # After hang-up the summary stands where the card was.
    async with notebook.kernel() as kernel:
        await notebook.run(last="call.hangup()")
        await notebook.page.locator(".xnb-static img[alt='Last picture of testcard']").wait_for(
            timeout=15_000
        )
        decoded = await kernel.eval("call.peer.video_in.frames")
    await notebook.save()
    saved = read(lab.root / NOTEBOOK)
    (summary,) = summaries(saved)
    (jpeg,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", summary["text/html"])
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(jpeg))).convert("RGB"))
    number = read_counter(picture)
    assert number is not None
    # The bot numbers its pictures from when the call connects.
    assert abs(number - decoded) < 90, "what the page showed last, not an old keyframe"
    must_be_clean(saved, ears, "video packet", "sent buffer")

    lab.shut_kernels()
    await open_without_kernel(lab, page, lab.root / NOTEBOOK)
    shown = page.locator(".xnb-static")
    await shown.wait_for(timeout=20_000)
    await shown.scroll_into_view_if_needed()
    text = await shown.inner_text()
    for words in (
        "You hung up",
        "s with testcard",
        "you called",
        "kbit/s",
        "connected",
        "Recorded",
    ):
        assert words in text.replace("Mbit/s", "kbit/s"), words
    assert await shown.evaluate("(e) => !e.hasAttribute('data-state')"), "it was sanitized"
    pictures = await shown.locator("img").evaluate_all(
        "(all) => all.map((img) => [img.alt.split(' ')[0], img.complete && img.naturalWidth > 9])"
    )
    assert [alt for alt, _ in pictures] == ["Last", "curve", "curve", "curve", "Timeline:"]
    assert all(drawn for _, drawn in pictures)
    assert await shown.evaluate("(e) => getComputedStyle(e).borderRadius") == "12px"
    # The recording lies beside the notebook and plays from there.
    player = shown.locator("video")
    await player.evaluate("(video) => video.play()")
    await page.wait_for_function(
        "(video) => video.currentTime > 0.2 && video.videoWidth === 640",
        arg=await player.element_handle(),
        timeout=10_000,
    )
