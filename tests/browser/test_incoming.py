"""A ringing call in the page: heard and seen, declined with a key, accepted with a click."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator

from .group_card import GroupCard
from .lab import LabPage
from .test_card import AXE, VIOLATIONS

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
        await _rings(door)
        await door.focus()
        await notebook.page.keyboard.press("d")
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


async def test_a_group_call_is_joined_by_its_id(open_notebook: Opener) -> None:
    notebook = await open_notebook("01-first-call.ipynb")
    first = next(i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code")
    await notebook.set_source(
        first, 'import xnb\nbell = xnb.listen()\nother = xnb.Client("zoe")\nbell'
    )
    await notebook.run_cell(first)
    door = notebook.page.locator(".jp-OutputArea .xnb-door")
    fold = door.locator(".xnb-join-fold")
    await fold.locator("summary").click(timeout=15_000)
    box = fold.locator("input")
    await box.fill("1Nobody")
    await box.press("Enter")
    group = notebook.page.locator(".jp-OutputArea .xnb-group")
    await group.get_by_text("no group call with that", exact=False).first.wait_for(timeout=15_000)

    async with notebook.kernel() as kernel:
        await kernel.run(
            "call = await other.start_group_call([], video=True)\n"
            'await call.until("connected", timeout_s=15)\n'
            'await call.invite("me")'
        )
        broadcast_id = await kernel.eval("call.broadcast_id")
        # It rings as well; that this one is joined by its id ends the ringing.
        row = door.locator('[data-caller="zoe"]')
        await row.wait_for(timeout=15_000)
        await door.press("d")
        await row.wait_for(state="detached", timeout=10_000)
        await fold.locator("summary").click()
        await box.fill(f'xnb.join("{broadcast_id}")')
        if AXE.exists():
            await notebook.page.add_script_tag(path=AXE)
            assert await door.evaluate(VIOLATIONS) == []
        await fold.locator("button", has_text="Join").first.click()
        card = GroupCard(group)
        await card.wait_state("connected", 30)
        await card.wait_picture("zoe")
        assert await kernel.eval("bell.call.broadcast_id") == broadcast_id
        assert await kernel.eval("bell.call.video_enabled") is True
        assert broadcast_id not in await kernel.eval("str(bell.get_state())")
        await kernel.run("await other.close()")
        await card.wait_state("ended", 30)


async def _rings(door: Locator) -> None:
    """It moves, unless motion is not wanted, makes a sound that can be silenced, is accessible."""
    page = door.page
    assert await door.get_attribute("data-rings") == "true"
    ring = door.locator(".xnb-calls .xnb-ring")
    motion = "(ring) => getComputedStyle(ring).animationName"
    assert await ring.evaluate(motion) == "xnb-ripple"
    await page.emulate_media(reduced_motion="reduce")
    assert await ring.evaluate(motion) == "none"
    await page.emulate_media(reduced_motion="no-preference")
    if AXE.exists():
        await page.add_script_tag(path=AXE)
        assert await door.evaluate(VIOLATIONS) == []
    await door.evaluate("(door) => { door.parentElement.style.width = '320px'; }")
    assert await door.evaluate("(door) => door.scrollWidth - door.clientWidth") == 0
    await door.evaluate("(door) => { door.parentElement.style.width = ''; }")
    await door.focus()
    await page.keyboard.press("m")
    assert await door.get_attribute("data-rings") == "false"
    await page.keyboard.press("m")
    assert await door.get_attribute("data-rings") == "true"
