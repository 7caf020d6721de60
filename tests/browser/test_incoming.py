"""A ringing call in the page: Accept and Decline, clicked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from .lab import LabPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

Opener = Callable[[str], Awaitable[LabPage]]


async def test_it_rings_is_declined_and_accepted(open_notebook: Opener) -> None:
    notebook = await open_notebook("01-first-call.ipynb")
    first = next(i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code")
    await notebook.set_source(
        first, 'import xnb\nbell = xnb.listen()\nother = xnb.Client("zoe")\nbell'
    )
    await notebook.run_cell(first)
    door = notebook.page.locator(".jp-OutputArea .xnb-door")
    row = door.locator('[data-caller="zoe"]')

    async with notebook.kernel() as kernel:
        await kernel.run('call = await other.call("me", video=True)')
        await row.wait_for(timeout=15_000)
        await row.locator("button.xnb-decline").click()
        await kernel.wait_for("str(call.state)", "ended")
        assert await kernel.eval("str(call.end_reason)") == "declined"
        await row.wait_for(state="detached", timeout=10_000)

        await kernel.run('call = await other.call("me", video=True)')
        await row.locator("button.xnb-accept").first.click(timeout=15_000)
        await kernel.run('await call.until("connected", timeout_s=15)')
        await kernel.wait_for("bell.call is not None and str(bell.call.state)", "connected")
        assert await kernel.eval("bell.call.direction") == "incoming"
        assert await kernel.eval("bell.call.broadcast_id == call.broadcast_id") is True
        card = notebook.card()
        await card.wait_state("connected")
        await card.wait_frames(5)
        assert await card.size() == (640, 480)
        await kernel.run("await other.close()")
        await card.wait_state("ended", 30)
        assert await kernel.eval("str(bell.call.end_reason)") == "remote_hangup"
