"""What a second tab, a closed tab, a reload, a restart and a shutdown do to a call."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import psutil
import pytest

from .kernel import Kernel
from .lab import Card, Lab, LabPage
from .probe import code_cells, sessions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Opener = Callable[[str], Awaitable[LabPage]]
CALL = 'import xnb\nwidget = xnb.call("echo", video=True, loop="thread")\nwidget'
LEGS = "(len(widget.leg.pages), widget.leg.connected_pages)"
_OWN = (
    "sorted(t.name for t in __import__('threading').enumerate()"
    " if t.name.startswith('xnb-') and 'server' not in t.name)"
)


def servers(lab: Lab) -> list[int]:
    """The embedded servers of all kernels."""
    found = []
    for process in psutil.Process(lab.process.pid).children(recursive=True):
        try:
            if "serve" in process.cmdline() and "xnb" in process.cmdline():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


async def until(what: str, check: Callable[[], bool | Awaitable[bool]], limit_s: float) -> None:
    """Ask again and again until something is so."""
    deadline_s = time.monotonic() + limit_s
    while True:
        found = check()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < deadline_s, f"after {limit_s:g} s not: {what}"
        await asyncio.sleep(0.1)


async def mode(card: Card) -> str:
    """What fills the card."""
    return await card.root.get_attribute("data-mode") or ""


async def use_camera(card: Card, kernel: Kernel) -> None:
    """Send this page's camera."""
    await card.button("page").click()
    await kernel.wait_for("widget.call.sending", "camera and microphone")


async def second_tab(notebook: LabPage) -> LabPage:
    """The same notebook in another tab of the browser."""
    browser = notebook.page.context.browser
    assert browser is not None
    lab, page = notebook.lab, await browser.new_page()
    workspace = f"{lab.url}/lab/workspaces/{uuid.uuid4().hex[:8]}"
    await page.goto(f"{workspace}/tree/{notebook.notebook}?token={lab.token}")
    await page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    return LabPage(lab, page, notebook.notebook)


async def is_live(card: Card) -> None:
    """Connected, with a moving picture."""
    await card.wait_state("connected", 30)
    await card.wait_frames(5)


async def test_tabs_reload_restart_shutdown(open_notebook: Opener) -> None:
    notebook = await open_notebook("01-first-call.ipynb")
    first, *_ = await code_cells(notebook)
    await notebook.set_source(first, CALL)
    await notebook.run_cell(first)
    await is_live(notebook.card())
    await notebook.save()
    (server,) = servers(notebook.lab)

    async with notebook.kernel() as kernel:
        # A second tab shows the same call over a leg of its own.
        other = await second_tab(notebook)
        await is_live(other.card())
        await kernel.wait_for(LEGS, (2, 2))
        assert await kernel.eval("len(xnb.default_client(loop='thread').calls)") == 1
        # Closed, it takes its leg and its camera with it, and nothing else.
        await use_camera(other.card(), kernel)
        await other.page.close()
        await kernel.wait_for(LEGS, (1, 1))
        await kernel.wait_for("widget.call.sending", "test card")

        # A reload: the card comes back live over a new leg; the camera is not taken again.
        await notebook.page.bring_to_front()
        await use_camera(notebook.card(), kernel)
        before = await kernel.eval("widget.leg.pages[0]")
        start_s = time.monotonic()
        await notebook.reload()
        await is_live(notebook.card())
        print(f"live again {time.monotonic() - start_s:.1f} s after the reload began")
        await kernel.wait_for(LEGS, (1, 1))
        assert await kernel.eval("widget.leg.pages[0]") != before
        assert await kernel.eval("str(widget.call.state), widget.call.sending") == (
            "connected",
            "test card",
        )
        assert not await notebook.card().root.locator("video.xnb-mirror").is_visible()
        await use_camera(notebook.card(), kernel)

    # A restart ends the call and its server; the card says that no kernel is behind it.
    card = notebook.card()
    await notebook.ready()
    await sessions(notebook, "restartKernel")
    await until("the old server is gone", lambda: not psutil.pid_exists(server), 10)

    async def is_gone() -> bool:
        return await mode(card) == "gone"

    await until("the card says so", is_gone, 20)
    assert await card.root.get_attribute("data-transport") == "none"
    assert "No kernel is behind this card" in await card.root.inner_text()
    assert "busy" not in await card.root.inner_text()
    mirror = card.root.locator("video.xnb-mirror")
    assert await mirror.evaluate("(video) => !video.srcObject"), "the camera is off"

    # The cell calls anew in the new kernel; afterwards nothing of the call is left there.
    await notebook.ready()
    await notebook.set_source(first, CALL)
    await notebook.page.evaluate(
        "(i) => window.jupyterapp.shell.currentWidget.content.widgets[i].model.clearExecution()",
        first,
    )
    await notebook.run_cell(first)
    card = notebook.card()
    await is_live(card)
    async with notebook.kernel() as kernel:
        await kernel.run("await widget.call.hangup()")
        await card.wait_state("ended")
        await kernel.wait_for(LEGS, (0, 0))
        await kernel.run("await xnb.default_client(loop='thread').close()")
        await kernel.wait_for(_OWN, [])

    # Shut down: no kernel, no server.
    await sessions(notebook, "shutdown")
    await until("no server is left", lambda: not servers(notebook.lab), 10)
