"""The whole card in one visit: keys, charts, levels, layouts, themes, widths, accessibility."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from xnb.media.testcard import read_counter

from .kernel import Kernel
from .lab import Card, LabPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Opener = Callable[[str], Awaitable[LabPage]]

AXE = Path(__file__).resolve().parents[2] / "xnb/widgets/js/node_modules/axe-core/axe.min.js"
# In a box the live card stays where it is when the call has ended.
PLACE = """import ipywidgets, xnb
widget = xnb.call("echo", video=True, source=xnb.testcard())
ipywidgets.VBox([widget])"""
FAIL = """bad = xnb.call("nobody-of-that-name")
ipywidgets.VBox([bad])"""

VIOLATIONS = """async (card) => {
    const found = await axe.run(card, { resultTypes: ["violations"] });
    return found.violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""

# How many pixels of each chart are of a line's colour, not of grid or text.
_LINES = """(box) => [...box.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, a] = data.subarray(i, i + 4);
        if (a > 200 && Math.max(r, g, b) - Math.min(r, g, b) > 60) count += 1;
    }
    return count;
})"""

_TOO_WIDE = """(card) => {
    const { right } = card.getBoundingClientRect();
    const outside = [...card.querySelectorAll("*")].filter(
        (one) => one.checkVisibility() && one.getBoundingClientRect().right > right + 1);
    return [card.scrollWidth - card.clientWidth, ...outside.map((one) => one.className)];
}"""

_WAVE = """(canvas) => canvas.toDataURL()"""


async def until(look: Callable[[], Awaitable[Any]], what: str, timeout_s: float = 15) -> None:
    """Look again and again until it is so."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await look():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {timeout_s:g} s: {what}") from None


async def accessible(card: Card) -> None:
    """axe-core finds nothing serious or critical."""
    assert await card.root.evaluate(VIOLATIONS) == []


async def press(card: Card, key: str) -> None:
    """A key of the card, wherever the focus was."""
    await card.root.focus()
    await card.root.page.keyboard.press(key)


async def level(card: Card, side: str) -> int:
    """What a meter says, 0 to 100."""
    value = await card.root.locator(f".xnb-{side}-level").get_attribute("aria-valuenow")
    return int(value or 0)


async def test_the_card_from_the_first_picture_to_the_end(open_notebook: Opener) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is missing: npm --prefix xnb/widgets/js ci")
    notebook = await open_notebook("01-first-call.ipynb")
    cells = [i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code"]
    await notebook.set_source(cells[0], PLACE)
    await notebook.run_cell(cells[0])
    card = notebook.card()
    await card.wait_state("connected")
    await card.wait_frames(5)
    await notebook.page.add_script_tag(path=AXE)
    async with notebook.kernel() as kernel:
        await accessible(card)
        await _meters_of_both_sides(card, kernel)
        await _keys(card, kernel)
        await _menu_and_charts(card)
        await _snapshot(card, kernel, notebook.lab.root)
        await _layouts_and_widths(card)
        await _themes_and_motion(card)

        await press(card, "h")
        await card.wait_state("ended")
        await kernel.wait_for("str(widget.call.state)", "ended")
        await accessible(card)
        await _player(card)

        await notebook.set_source(cells[1], FAIL)
        await notebook.run_cell(cells[1])
        failed = notebook.card(1)
        await failed.root.and_(notebook.page.locator('[data-mode="failed"]')).wait_for()
        assert await failed.root.locator(".xnb-remedy").inner_text()
        await accessible(failed)


async def _meters_of_both_sides(card: Card, kernel: Kernel) -> None:
    for side in ("your", "their"):

        async def loud(side: str = side) -> bool:
            return await level(card, side) > 40

        await until(loud, f"the tone moves the meter of {side} side")
    await press(card, "m")
    await kernel.wait_for("widget.call.is_muted", True)
    for side in ("your", "their"):

        async def silent(side: str = side) -> bool:
            return await level(card, side) == 0

        await until(silent, f"muted, the meter of {side} side falls")
    await press(card, "m")
    await kernel.wait_for("widget.call.is_muted", False)


async def _keys(card: Card, kernel: Kernel) -> None:
    await press(card, "v")
    await kernel.wait_for("widget.call.is_camera_on", False)
    await press(card, "v")
    await kernel.wait_for("widget.call.is_camera_on", True)
    await press(card, "a")
    await card.wait_pressed("sound", True)
    assert await card.video.evaluate("(video) => video.muted")
    await press(card, "a")
    await card.wait_pressed("sound", False)
    # Arrows go round the toolbar, which is one stop for Tab.
    await card.button("mute").focus()
    await card.root.page.keyboard.press("ArrowRight")
    focused = "document.activeElement.dataset.action"
    assert await card.root.page.evaluate(focused) == "camera"
    await card.root.page.keyboard.press("End")
    assert await card.root.page.evaluate(focused) == "snapshot"
    await press(card, "r")
    await kernel.wait_for("widget.call.recording is not None")
    badge = card.root.locator(".xnb-rec-badge")

    async def counts() -> bool:
        return await badge.inner_text() >= "REC 00:01"

    await until(counts, "the time of the recording goes on")
    await press(card, "r")
    await kernel.wait_for("len(widget.recordings)", 1)


async def _menu_and_charts(card: Card) -> None:
    page = card.root.page
    await press(card, "d")
    items = card.root.locator(".xnb-menu [role=menuitemradio]")
    await items.first.wait_for()
    await until(
        lambda: items.first.evaluate("() => document.activeElement.role === 'menuitemradio'"),
        "the focus goes into the menu",
    )
    names = [name.strip() for name in await items.all_inner_texts()]
    assert {"No camera", "No microphone"} < set(names)
    assert len(names) >= 4, "the browser's own devices"
    await accessible(card)
    await page.keyboard.press("Escape")
    await items.first.wait_for(state="hidden")
    assert await card.root.evaluate("(card) => document.activeElement === card"), "focus is back"

    await press(card, "g")
    box = card.root.locator(".xnb-stats-box")
    await box.locator("canvas").first.wait_for()

    async def drawn() -> bool:
        bitrate, fps, rtt, _loss = await box.evaluate(_LINES)
        return bool(bitrate > 40 and fps > 40 and rtt > 20)

    await until(drawn, "lines in the charts")
    label = await box.locator("[role=img]").first.get_attribute("aria-label")
    assert label is not None
    assert label.startswith("Bitrate, kbps: now ")
    assert " in, " in label
    await accessible(card)
    await page.keyboard.press("Escape")
    await box.wait_for(state="hidden")
    strip = await card.root.locator(".xnb-figures").inner_text()
    for word in ("640×480", "fps", "bps in", "RTT", "loss", "path: ", "shown by WebRTC"):  # noqa: RUF001
        assert word in strip


async def _snapshot(card: Card, kernel: Kernel, folder: Path) -> None:
    await press(card, "c")
    note = card.root.locator(".xnb-note")

    async def said() -> bool:
        return "Snapshot saved as recordings/" in await note.inner_text()

    await until(said, "where the snapshot is")
    (path,) = (folder / "recordings").glob("*.png")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert pixels.shape == (480, 640, 3)
    assert read_counter(pixels.astype(np.uint8)) is not None
    # The bars of the test card, left to right, 60 % of the way down none is covered.
    bars = [pixels[120, 45 + 91 * i] for i in range(7)]
    wanted = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]
    assert [tuple(int(value > 100) for value in bar) for bar in bars] == wanted
    await kernel.run("_frame = await widget.snapshot()")
    assert await kernel.eval("(_frame.image.shape, str(_frame.image.dtype))") == (
        (480, 640, 3),
        "uint8",
    )


async def _layouts_and_widths(card: Card) -> None:
    await press(card, "t")
    await card.wait_pressed("tiles", True)
    own = card.root.locator("canvas.xnb-self")
    await own.wait_for()
    theirs, yours = await card.video.bounding_box(), await own.bounding_box()
    assert theirs is not None
    assert yours is not None
    assert abs(theirs["width"] - yours["width"]) < 2
    assert yours["x"] >= theirs["x"] + theirs["width"] - 1, "beside each other"
    assert abs(theirs["y"] - yours["y"]) < 2
    for tiles in (True, False):
        await card.root.evaluate("(card) => { card.parentElement.style.width = '320px'; }")
        await asyncio.sleep(0.3)
        assert await card.root.evaluate(_TOO_WIDE) == [0]
        for action in ("mute", "camera", "page", "screen", "record", "hangup", "snapshot", "stats"):
            size = await card.button(action).bounding_box()
            assert size is not None, action
            assert min(size["width"], size["height"]) >= 24, action  # WCAG 2.2, 2.5.8
        await card.root.evaluate("(card) => { card.parentElement.style.width = ''; }")
        if tiles:
            await press(card, "t")
            await card.wait_pressed("tiles", False)
    await press(card, "f")
    await card.wait_pressed("full", True)
    await press(card, "f")
    await card.wait_pressed("full", False)


async def _themes_and_motion(card: Card) -> None:
    page = card.root.page

    async def style(name: str) -> str:
        found: str = await card.root.evaluate("(card, name) => getComputedStyle(card)[name]", name)
        return found

    async def change(theme: str) -> None:
        before = await style("backgroundColor"), await style("borderTopColor")
        await page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
            theme,
        )

        async def other() -> bool:
            return before != (await style("backgroundColor"), await style("borderTopColor"))

        await until(other, f"the card follows {theme}")
        await asyncio.sleep(0.5)
        await accessible(card)

    light = await style("backgroundColor")
    await change("JupyterLab Dark")
    assert await style("backgroundColor") != light
    assert await style("borderTopWidth") == "1px"
    await change("JupyterLab Dark High Contrast")
    assert await style("borderTopWidth") == "2px"
    await change("JupyterLab Light")
    assert await style("backgroundColor") == light

    wave = card.root.locator(".xnb-wave-canvas")
    await wave.scroll_into_view_if_needed()  # what nobody sees is not drawn
    first = await wave.evaluate(_WAVE)
    await press(card, "m")  # a steady tone looks the same however far it scrolls
    await until(lambda: _differs(wave, first), "the waveform scrolls")
    await page.emulate_media(reduced_motion="reduce")
    calm = "() => matchMedia('(prefers-reduced-motion: reduce)').matches"
    assert await page.evaluate(calm)
    pictures = []
    for _ in range(12):
        pictures.append(await wave.evaluate(_WAVE))
        await asyncio.sleep(0.1)
    changes = sum(a != b for a, b in zip(pictures, pictures[1:], strict=False))
    assert changes <= 4, "with reduced motion it is drawn about once a second"
    await press(card, "m")
    await page.emulate_media(reduced_motion="no-preference", forced_colors="active")
    assert await style("borderTopStyle") == "solid"
    await page.emulate_media(forced_colors="none")


async def _differs(wave: Any, before: str) -> bool:
    return bool(await wave.evaluate(_WAVE) != before)


async def _player(card: Card) -> None:
    play = card.root.locator("button.xnb-play")
    assert await play.count() == 1
    await play.click()
    player = card.root.locator(".xnb-player")
    await player.locator("canvas").first.wait_for()
