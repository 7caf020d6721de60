"""Packets lost between the far end and the kernel, seen in the page that shows the call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from .lab import LabPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

Opener = Callable[[str], Awaitable[LabPage]]

_LOSE = """
import random
_path, _chance, _lost = widget.call.peer.streams._path, random.Random(3), []
_on_rtp = _path._on_rtp
def _take(data, arrival_s):
    if _chance.random() < 0.05:
        _lost.append(data)
    else:
        _on_rtp(data, arrival_s)
_path._on_rtp = _take
"""

# How many pictures in five seconds, and the longest time between two of them in seconds.
_PICTURES = """async (video) => {
    const times = [];
    const end = performance.now() + 5000;
    await new Promise((done) => {
        const seen = (now) => {
            times.push(now);
            if (now < end) video.requestVideoFrameCallback(seen);
            else done();
        };
        video.requestVideoFrameCallback(seen);
        setTimeout(done, 10000);
    });
    const pauses = times.slice(1).map((time, i) => time - times[i]);
    return [times.length, Math.max(...pauses) / 1000];
}"""


async def test_the_picture_moves_on_with_five_percent_lost(open_notebook: Opener) -> None:
    notebook = await open_notebook("01-first-call.ipynb")
    first = next(i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code")
    await notebook.set_source(
        first, 'import xnb\nwidget = xnb.call("testcard", video=True)\nwidget'
    )
    await notebook.run_cell(first)
    card = notebook.card()
    await card.wait_state("connected")
    await card.wait_frames(30)
    async with notebook.kernel() as kernel:
        await kernel.run(_LOSE)
        pictures, longest_s = await card.video.evaluate(_PICTURES)
        print(f"{pictures} pictures, longest pause {longest_s:.2f} s")
        assert await kernel.eval("len(_lost)") > 10
        assert pictures > 75, "half of them, also on a busy machine"
        assert longest_s < 1.5
        decoders = "[t.name for t in __import__('threading').enumerate() if 'decode' in t.name]"
        assert await kernel.eval(decoders) == []
