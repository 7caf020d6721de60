"""Notebook 02 runs in JupyterLab, and what the page shows; 01 and 03 have tests of their own."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from .lab import Lab, LabPage
from .saved import must_be_clean, read

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

NOTEBOOK = "02-media-in-and-out.ipynb"
Opener = Callable[[str], Awaitable[LabPage]]


def shown(cells: list[dict[str, Any]], kind: str) -> list[str]:
    """Everything the cells gave of one MIME type; ``stream`` is what they printed."""
    found = []
    for cell in cells:
        for output in cell["outputs"]:
            if kind == "stream" and output["output_type"] == "stream":
                assert output["name"] == "stdout", output
                found.append("".join(output["text"]))
            elif kind in output.get("data", {}):
                found.append("".join(output["data"][kind]))
    return found


async def test_it_runs_from_top_to_bottom_and_is_saved_without_secrets(
    lab: Lab, open_notebook: Opener, ears: Path
) -> None:
    notebook = await open_notebook(NOTEBOOK)
    await notebook.run(last="playback = call.send_video(draw")
    # The picture that Python draws is in the card: an orange ball before blue.
    card = notebook.card()
    await card.wait_frames(20)
    await notebook.page.wait_for_function(
        "(card) => card.querySelector('video.xnb-video').videoHeight === 360",
        arg=await card.root.element_handle(),
        timeout=10_000,
    )
    reds, blues = await card.video.evaluate(
        """(video) => {
            const canvas = new OffscreenCanvas(64, 36);
            const context = canvas.getContext("2d");
            context.drawImage(video, 0, 0, 64, 36);
            const { data } = context.getImageData(0, 0, 64, 36);
            let [reds, blues] = [0, 0];
            for (let at = 0; at < data.length; at += 4) {
                if (data[at] > 180 && data[at + 2] < 80) reds++;
                if (data[at] < 60 && data[at + 2] > 80) blues++;
            }
            return [reds, blues];
        }"""
    )
    # A disc of radius 40 in 640x360 is 2.2 % of it: 50 of 2304 points.
    assert 30 < reds < 70
    assert blues > 2000

    cells = await notebook.run()
    text = "\n".join(shown(cells, "stream"))
    assert re.search(r"sent  659.26 Hz, heard   6[3-8]\d Hz", text)
    assert re.search(r"30 pictures, the ball moved over \d{3} pixels", text)
    assert re.search(r"muted +\d chunks", text)
    assert "hangup after" in text
    await card.wait_state("ended")
    # The sound, the snapshot, the ball's way and the spectrogram are pictures in the page.
    pictures = notebook.page.locator(".jp-OutputArea-output.jp-RenderedImage img")
    widths = await pictures.evaluate_all("(all) => all.map((one) => one.naturalWidth)")
    assert len([width for width in widths if width >= 400]) >= 4, widths

    await notebook.save()
    saved = read(lab.root / NOTEBOOK)
    assert any(cell.get("outputs") for cell in saved["cells"])
    must_be_clean(saved, ears)
