"""A cell that blocks: the call goes on in a thread of its own, and says so where it cannot.

``XNB_TEST_BLOCK_S=35`` makes the cells as long as the promise is, and holds the gaps against it; by
default they are short, and the limit allows for a machine on which much else runs.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable

import pytest

from .lab import Card, LabPage
from .probe import code_cells, interrupt, start_cell, watch, watched

PROMISED = "XNB_TEST_BLOCK_S" in os.environ
BLOCK_S = float(os.environ.get("XNB_TEST_BLOCK_S", "3.5"))
MAX_GAP_S = 0.4 if PROMISED else 3.0

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(240 + 6 * BLOCK_S)]

Opener = Callable[[str], Awaitable[LabPage]]

_COMPUTE = """
_until = time.monotonic() + {seconds}
_turns = 0
while time.monotonic() < _until:
    _turns += 1
"""


async def test_a_blocking_cell(open_notebook: Opener) -> None:
    notebook = await open_notebook("01-first-call.ipynb")
    first, second, third, fourth = (await code_cells(notebook))[:4]
    await notebook.set_source(
        first,
        "import time, xnb\n"
        "ended = []\n"
        'widget = xnb.call("testcard", video=True, loop="thread")\n'
        'widget.call.on("ended", lambda event: ended.append(time.monotonic()))\n'
        "widget",
    )
    await notebook.run_cell(first)
    card = notebook.card()
    await card.wait_state("connected")
    await card.wait_frames(30)
    note = card.root.locator(".xnb-note")

    # On a thread of its own the call does not notice: neither of a sleep nor of a computation.
    for code in (f"time.sleep({BLOCK_S})", _COMPUTE.format(seconds=BLOCK_S + 2)):
        await watch(card)
        await start_cell(notebook, second, code)
        await asyncio.sleep(BLOCK_S - 0.5)
        found = await watched(card)
        way = await card.root.get_attribute("data-transport")
        print(code.strip().splitlines()[0], way, found)
        assert found["sound_s"] > 0.5 * BLOCK_S
        assert found["pictures"] > (20 if PROMISED else 3) * (BLOCK_S - 1)
        assert found["still_s"] < MAX_GAP_S
        assert found["silent_s"] < MAX_GAP_S
        assert await note.inner_text() == ""
    # And its buttons work meanwhile: the second cell still runs.
    await card.button("hangup").click()
    await card.wait_state("ended")
    async with notebook.kernel() as kernel:
        assert await kernel.eval("str(widget.call.end_reason)") == "hangup"
        assert await kernel.eval("_until - ended[0]") > 0.3

        # On the kernel's loop it stands still, and the card says so, and how to help it.
        await notebook.set_source(third, 'widget = xnb.call("testcard", video=True)\nwidget')
        await notebook.run_cell(third)
        card = notebook.card(1)
        await card.wait_state("connected")
        await card.wait_frames(30)
        note = card.root.locator(".xnb-note")
        await start_cell(notebook, fourth, "time.sleep(60)")
        await card.root.scroll_into_view_if_needed()
        busy = note.filter(has_text="Kernel busy, media paused")
        await busy.wait_for(timeout=10_000)
        assert 'loop="thread"' in await note.inner_text()
        await asyncio.sleep(2)
        # Interrupted, or at its end, it leaves the call as it was.
        await interrupt(notebook)
        await note.filter(has_not_text="busy").wait_for(state="attached", timeout=10_000)
        await _goes_on(card)
        assert await kernel.eval("str(widget.call.state)") == "connected"
        assert await kernel.eval("widget.leg.connected_pages") == 1


async def _goes_on(card: Card) -> None:
    """Pictures come again, and no more of them than time has passed."""
    await card.root.scroll_into_view_if_needed()
    before = await _frames(card)
    async with asyncio.timeout(10):
        while await _frames(card) < before + 5:
            await asyncio.sleep(0.1)
    before, start_s = await _frames(card), time.monotonic()
    await asyncio.sleep(1)
    assert await _frames(card) - before < 31 * (time.monotonic() - start_s) + 15


async def _frames(card: Card) -> int:
    return int(await card.root.get_attribute("data-frames") or 0)
