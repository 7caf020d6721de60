"""A group in one page: who is seen and heard in which tile, and everything its host may do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator

from xnb.server.bots.cards import colour, tone_hz

from .group_card import GroupCard
from .kernel import Kernel
from .lab import LabPage
from .test_card import _TOO_WIDE, AXE, VIOLATIONS, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Opener = Callable[[str], Awaitable[LabPage]]

# In a box the live card stays where it is when the call has ended.
PLACE = """import ipywidgets, xnb
widget = xnb.group(invite=["testcard", "testcard-2", "testcard-3"], video=True)
place = ipywidgets.VBox([widget])
place"""
CARDS = {"testcard": 1, "testcard-2": 2, "testcard-3": 3, "testcard-4": 4}
LAYERS = "{one.name: one.layer for one in widget.call.participants}"
HEIGHTS = "{one.name: one.tile_height_px for one in widget.call.participants}"
# Python's word to a page, said by the test.
LOST = "widget.leg._feeds[{key!r}].say_lost(widget.leg.pages[0], '', 'Because.', final=True)"
TALKERS = "sorted(p.name for p in widget.call.participants if p.is_talking and not p.is_muted)"
_AS_SEEN = """(card) => {
    const tiles = [...card.querySelectorAll(".xnb-tiles > .xnb-tile:not([hidden])")];
    const boxes = tiles.map((tile) => tile.getBoundingClientRect());
    return boxes.every((box, i) => {
        const before = boxes[i - 1];
        return !before || box.top > before.top + 5 || box.left > before.left + 5;
    });
}"""
_COUNT_LISTENERS = """() => {
    window.resizeListeners = new Set();
    for (const [name, change] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
        const plain = window[name].bind(window);
        window[name] = (type, listener, ...rest) => {
            if (type === "resize") window.resizeListeners[change](listener);
            return plain(type, listener, ...rest);
        };
    }
}"""
_HIDE_WHILE_TALKING = """(card) => new Promise((resolve) => {
    const look = () => {
        if (card.querySelector(".xnb-own-tile").dataset.talking !== "true") {
            requestAnimationFrame(look);
            return;
        }
        card.parentElement.style.display = "none";
        resolve();
    };
    look();
})"""
_COPY_HERE = """() => {
    navigator.clipboard.writeText = async (text) => { window.copied = text; };
}"""


async def test_a_group_from_the_first_picture_to_the_end(open_notebook: Opener) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is missing: npm --prefix xnb/widgets/js ci")
    notebook = await open_notebook("01-first-call.ipynb")
    cells = [i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code"]
    await notebook.set_source(cells[0], PLACE)
    await notebook.run_cell(cells[0])
    card = GroupCard(notebook.page.locator(".xnb-group"))
    await card.wait_state("connected", 40)
    await notebook.page.add_script_tag(path=AXE)
    async with notebook.kernel() as kernel:
        await _everybody_is_seen_and_heard(card)
        await _accessible(card)
        await _who_talks(card, kernel)
        await _pin_and_full_screen(card, kernel)
        await _behind_the_number(card, kernel)
        await _another_name(card, kernel)
        await _volume_and_figures(card)
        await _narrow(card)
        await _host(card, kernel)
        await _invite(card, kernel)
        await _away_and_back(card, kernel)
        await _own_camera(card, kernel)

        await card.button("hangup").click()
        await card.wait_state("ended")
        await kernel.wait_for("str(widget.call.state)", "ended")
        text = await card.root.locator(".xnb-panel").inner_text()
        assert "You ended the call for everybody" in text
        await _accessible(card)
        summary = await kernel.eval("widget._summary()['text/plain']")
        assert "testcard" in summary
        assert "you ended the call for everybody" in summary


async def _accessible(card: GroupCard) -> None:
    """axe-core finds nothing serious or critical."""
    assert await card.root.evaluate(VIOLATIONS) == []


async def _everybody_is_seen_and_heard(card: GroupCard) -> None:
    names = ["testcard", "testcard-2", "testcard-3"]
    for name in names:
        await card.wait_picture(name)
    assert sorted(await card.names()) == names
    for name in names:
        number = CARDS[name]

        async def is_right(name: str = name, number: int = number) -> bool:
            seen = await card.colour(name)
            return all(abs(a - b) <= 40 for a, b in zip(seen, colour(number), strict=True))

        await until(is_right, f"the colour of {name}")
        before, begun_s = await card.pictures(name), time.monotonic()
        await asyncio.sleep(1.5)
        rate = (await card.pictures(name) - before) / (time.monotonic() - begun_s)
        assert rate > 5, f"{name} moves at {rate:.1f} pictures a second"
        rms, frequency_hz = await card.heard(name)
        assert rms > 0.003
        if number > 1:  # the first one counts aloud as well
            assert abs(frequency_hz - tone_hz(number)) < 12, name
    assert await card.tile("You").count() == 1
    assert "4 people" in await card.root.locator(".xnb-status").inner_text()


async def _who_talks(card: GroupCard, kernel: Kernel) -> None:
    talking = card.root.locator('.xnb-tile[data-key][data-talking="true"] .xnb-tile-name')

    async def as_python_says() -> bool:
        talkers = await kernel.eval(TALKERS)
        return bool(talkers) and sorted(await talking.all_inner_texts()) == talkers

    await until(as_python_says, "those who talk are marked", 30)
    border = await talking.first.evaluate(
        "(name) => getComputedStyle(name.closest('.xnb-tile'), '::after').borderTopColor"
    )
    assert border not in ("rgba(0, 0, 0, 0)", "transparent")


async def _pin_and_full_screen(card: GroupCard, kernel: Kernel) -> None:
    small, _ = await card.size("testcard-2")
    await card.tile("testcard-2").hover()
    await card.tile("testcard-2").locator(".xnb-tile-pin").click()

    async def is_large() -> bool:
        large, _ = await card.size("testcard-2")
        others = [(await card.size(name))[0] for name in ("testcard", "testcard-3", "You")]
        return large > 1.5 * small and max(others) < small

    await until(is_large, "the pinned tile is large")
    assert await card.names() == ["testcard-2", "testcard", "testcard-3"], "first for the keyboard"
    assert await card.root.evaluate(_AS_SEEN)
    # Python is told how tall each tile is, so small ones get the small picture. (Whether the large
    # one keeps its large picture is up to the path, too, which a busy machine makes worse.)
    await kernel.wait_for(f"{HEIGHTS}['testcard-2'] > 280", True, 20)
    for name in ("testcard", "testcard-3"):
        await kernel.wait_for(f"0 < {HEIGHTS}['{name}'] < 120", True, 20)
        await kernel.wait_for(f"{LAYERS}['{name}']", "low", 20)
    small_one = card.tile("testcard").locator("video").first

    async def is_low() -> bool:
        return 0 < await small_one.evaluate("(video) => video.videoHeight") <= 180

    await until(is_low, "the low layer is shown", 20)
    await _accessible(card)
    await card.tile("testcard-2").locator(".xnb-tile-pin").click()
    await until(lambda: _is(card.root, "data-layout", "grid"), "all tiles in one size")
    await card.tile("testcard-3").hover()
    await card.tile("testcard-3").locator(".xnb-tile-full").click()
    full = "() => document.fullscreenElement?.querySelector('.xnb-tile-name')?.textContent"
    await until(lambda: _equals(card, full, "testcard-3"), "the tile fills the screen")
    await kernel.wait_for(f"{HEIGHTS}['testcard-3'] > 500", True, 3)
    for name in ("testcard", "testcard-2"):
        await kernel.wait_for(f"{HEIGHTS}['{name}']", 0, 8)
    await card.tile("testcard-3").locator(".xnb-tile-full").click()
    await until(lambda: _equals(card, full, None), "the tile is back")
    await kernel.wait_for(f"min({HEIGHTS}.values()) > 0", True, 3)


async def _behind_the_number(card: GroupCard, kernel: Kernel) -> None:
    """Those for whom there is no place beside a pinned tile: hidden, and one click away."""
    await card.tile("testcard-2").hover()
    await card.tile("testcard-2").locator(".xnb-tile-pin").click()
    await card.root.evaluate("(card) => { card.parentElement.style.width = '250px'; }")
    number = card.root.get_by_role("button", name="2 more, whom you hear: show all in one size")
    await number.wait_for()
    assert await number.inner_text() == "+2"
    for name in ("testcard", "testcard-3"):
        await kernel.wait_for(f"{HEIGHTS}['{name}']", 0, 8)
    await _accessible(card)
    await number.focus()
    await card.root.page.keyboard.press("Enter")
    await until(lambda: _is(card.root, "data-layout", "grid"), "all tiles in one size")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert await card.root.page.evaluate(focused) == "testcard: volume, figures and more"
    await card.root.evaluate("(card) => { card.parentElement.style.width = ''; }")
    await kernel.wait_for(f"min({HEIGHTS}.values()) > 0", True, 8)
    assert await card.root.evaluate(_AS_SEEN)


async def _another_name(card: GroupCard, kernel: Kernel) -> None:
    """Somebody whose name is known later: the face is theirs, too."""
    await kernel.run("person = widget.call.participant('testcard-2'); person.name = 'zoe'")
    await kernel.run("widget._follow_people()")
    letter = card.tile("zoe").locator(".xnb-avatar > span")
    await letter.wait_for(state="attached")
    await until(lambda: _says(letter, "Z"), "the face is that of the name")
    await kernel.run("person.name = 'testcard-2'; widget._follow_people()")
    await card.tile("testcard-2").wait_for()


async def _says(place: Locator, text: str) -> bool:
    return bool(await place.text_content() == text)


async def _is(root: object, name: str, value: str) -> bool:
    return bool(await root.get_attribute(name) == value)  # type: ignore[attr-defined]


async def _equals(card: GroupCard, script: str, value: object) -> bool:
    return bool(await card.root.page.evaluate(script) == value)


async def _volume_and_figures(card: GroupCard) -> None:
    box = await card.open_menu("testcard-2")
    video = card.tile("testcard-2").locator("video").first
    other = card.tile("testcard-3").locator("video").first
    await box.locator("input[type=range]").fill("0.2")
    assert abs(await video.evaluate("(v) => v.volume") - 0.2) < 0.01
    assert await other.evaluate("(v) => v.volume") == 1
    await box.get_by_role("button", name="Turn off the sound of testcard-2").click()
    assert await video.evaluate("(v) => v.muted") is True
    assert await other.evaluate("(v) => v.muted") is False
    await box.get_by_role("button", name="Turn off the sound of testcard-2").click()
    lines = box.locator(".xnb-person-figures")

    async def said() -> bool:
        text = await lines.inner_text()
        return "VP8" in text and "layer: " in text and "received" in text

    await until(said, "the person's figures")
    await _accessible(card)
    await card.root.page.keyboard.press("Escape")
    await box.wait_for(state="hidden")


async def _narrow(card: GroupCard) -> None:
    await card.root.evaluate("(card) => { card.parentElement.style.width = '320px'; }")
    await asyncio.sleep(0.4)
    assert await card.root.evaluate(_TOO_WIDE) == [0]
    for action in ("mute", "camera", "page", "screen", "record", "hangup"):
        size = await card.button(action).bounding_box()
        assert size is not None, action
        assert min(size["width"], size["height"]) >= 24, action  # WCAG 2.2, 2.5.8
    for name in ("testcard", "testcard-2", "testcard-3"):
        width, height = await card.size(name)
        assert 60 <= width <= 320
        assert height >= 45
        more = await card.tile(name).locator(".xnb-tile-more").bounding_box()
        assert more is not None
        assert min(more["width"], more["height"]) >= 24
    await card.root.evaluate("(card) => { card.parentElement.style.width = ''; }")
    await asyncio.sleep(0.4)


async def _host(card: GroupCard, kernel: Kernel) -> None:
    # Muted by code, heard again by the card.
    await kernel.run("await widget.call.mute_participant('testcard')")
    await card.tile("testcard").locator(".xnb-mark-muted").wait_for(timeout=15_000)
    box = await card.open_menu("testcard")
    again = box.get_by_role("button", name="Let everybody hear them again")
    await until(again.is_enabled, "the host may take it back")
    await again.click()
    await kernel.wait_for("widget.call.participant('testcard').is_muted_by_host", False)
    await card.root.page.keyboard.press("Escape")
    await box.wait_for(state="hidden")

    key = await card.tile("testcard-3").get_attribute("data-key")
    await kernel.run(LOST.format(key=key))
    words = card.tile("testcard-3").get_by_text("Neither seen nor heard on this page. Because.")
    await words.wait_for()

    box = await card.open_menu("testcard-3")
    await box.get_by_role("button", name="Mute for everybody").click()
    await card.tile("testcard-3").locator(".xnb-mark-muted").wait_for(timeout=15_000)
    await kernel.wait_for("widget.call.participant('testcard-3').is_muted", True)
    await box.get_by_role("button", name="Remove from the call").click()
    await box.get_by_role("button", name="Click again to remove testcard-3").click()
    await card.tile("testcard-3").wait_for(state="detached", timeout=15_000)
    await kernel.wait_for("sorted(p.name for p in widget.call.participants)", [
        "testcard",
        "testcard-2",
    ])  # fmt: skip
    # The next key is one for the card, not for the notebook.
    assert await card.root.evaluate("(card) => document.activeElement === card")


async def _invite(card: GroupCard, kernel: Kernel) -> None:
    button = card.root.get_by_role("button", name="Invite", exact=True).first
    await button.click()
    field = card.root.get_by_label("Handles, with spaces between")
    await field.wait_for()
    wanted = f'xnb.join("{await kernel.eval("widget.call.broadcast_id")}", video=True)'
    code = card.root.locator(".xnb-join code")
    await code.wait_for()
    assert await code.inner_text() == wanted
    await card.root.page.evaluate(_COPY_HERE)
    await card.root.get_by_role("button", name="Copy this line").click()
    assert await card.root.page.evaluate("window.copied") == wanted
    await _accessible(card)
    # An M that is typed mutes nobody.
    await field.type("m @testcard-4")
    assert not await card.pressed("mute")
    await field.fill("@testcard-4 nobody-of-this-name")
    await field.press("Enter")
    await field.wait_for(state="hidden")
    await until(lambda: _holds(field, "@testcard-4 nobody-of-this-name"), "the names are kept")
    await button.click()
    await field.fill("@testcard-4")
    await field.press("Enter")
    await field.wait_for(state="hidden")
    await card.wait_picture("testcard-4")

    async def is_right() -> bool:
        seen = await card.colour("testcard-4")
        return all(abs(a - b) <= 40 for a, b in zip(seen, colour(4), strict=True))

    await until(is_right, "the colour of testcard-4")


async def _holds(field: Locator, text: str) -> bool:
    return bool(await field.input_value() == text)


async def _away_and_back(card: GroupCard, kernel: Kernel) -> None:
    """The card leaves the page for longer than its connections last, a box of it open."""
    page = card.root.page
    box = await card.open_menu("testcard-2")
    await box.locator("input[type=range]").fill("0.4")
    await page.keyboard.press("Escape")
    await box.wait_for(state="hidden")
    await page.evaluate(_COUNT_LISTENERS)
    await card.root.get_by_role("button", name="Invite", exact=True).first.click()
    await card.root.get_by_label("Handles, with spaces between").wait_for()
    assert await page.evaluate("window.resizeListeners.size") == 1
    await kernel.run("place.children = ()")
    await card.root.wait_for(state="detached")
    await page.evaluate("window.dispatchEvent(new Event('resize'))")
    assert await page.evaluate("window.resizeListeners.size") == 0
    await kernel.wait_for(f"set({HEIGHTS}.values())", {None}, 5)
    await kernel.wait_for("widget.leg.pages", (), 10)
    await kernel.run("place.children = (widget,)")
    await card.wait_state("connected")
    for name in ("testcard", "testcard-2", "testcard-4"):
        await card.wait_picture(name)
    await kernel.wait_for(f"min({HEIGHTS}.values()) > 0", True, 8)
    video = card.tile("testcard-2").locator("video").first
    assert abs(await video.evaluate("(v) => v.volume") - 0.4) < 0.01


async def _own_camera(card: GroupCard, kernel: Kernel) -> None:
    await card.button("page").click()
    await card.wait_pressed("page", True)
    mirror = card.tile("You").locator("video.xnb-tile-mirror")
    await mirror.wait_for()
    await kernel.wait_for("widget.call.sending", "camera and microphone", 20)
    await until(lambda: _wide(mirror), "one sees oneself")
    # The microphone beeps once a second. Who is out of view is not marked as talking for ever.
    own = card.tile("You")
    await card.root.evaluate(_HIDE_WHILE_TALKING)
    await until(lambda: _is(own, "data-talking", "false"), "nobody talks in a card that is hidden")
    await card.root.evaluate("(card) => { card.parentElement.style.display = ''; }")
    await card.button("mute").click()
    await kernel.wait_for("widget.call.is_muted", True)
    await card.tile("You").locator(".xnb-mark-muted").wait_for()
    await kernel.run(LOST.format(key=""))
    note = card.root.locator(".xnb-note")
    said = "This page's own camera and microphone cannot be used now. Because."
    await until(lambda: _says(note, said), "that this page's own connection is lost", 20)
    assert said in await card.root.locator(".xnb-figures").inner_text(), "and stays readable"


async def _wide(mirror: object) -> bool:
    return bool(await mirror.evaluate("(v) => v.videoWidth === 640"))  # type: ignore[attr-defined]
