"""The first-call notebook as a person runs it: JupyterLab, Chromium, clicks, Python asked."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable

import pytest

from .lab import Card, LabPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NOTEBOOK = "01-first-call.ipynb"
IN_CALL = "widget.call"
Opener = Callable[[str], Awaitable[LabPage]]


def difference(one: list[int], other: list[int]) -> float:
    """Mean difference of two pictures of grey values."""
    return statistics.fmean(abs(a - b) for a, b in zip(one, other, strict=True))


def texts(cells: list[dict]) -> str:
    """Everything the cells printed or showed as plain text."""
    found = []
    for cell in cells:
        for output in cell["outputs"]:
            data = output.get("data", {}).get("text/plain", "")
            for text in (output.get("text", ""), data):
                found.append("".join(text))
    return "\n".join(found)


@pytest.fixture
async def in_call(open_notebook: Opener) -> LabPage:
    """The notebook, run until the first call is connected and its picture plays."""
    notebook = await open_notebook(NOTEBOOK)
    await notebook.run(last=IN_CALL)
    card = notebook.card()
    await card.wait_state("connected")
    await card.wait_frames(5)
    return notebook


async def test_the_whole_notebook_runs(open_notebook: Opener) -> None:
    notebook = await open_notebook(NOTEBOOK)
    cells = await notebook.run()
    text = texts(cells)
    assert "connected after" in text
    assert "(480, 640, 3) uint8" in text
    assert "hangup after" in text
    assert "<Playback of clip.mp4: done>" in text
    assert "sound and picture 640x480" in text

    # Both calls are over, and their cards say so.
    for index in (0, 1):
        await notebook.card(index).wait_state("ended")
    # The clip and its echo are playable in the page, with a waveform each.
    players = notebook.page.locator(".jp-OutputArea .xnb-player")
    assert await players.count() == 2
    for index in (0, 1):
        player = players.nth(index)
        await player.scroll_into_view_if_needed()
        ready = notebook.page.locator('[data-ready="true"][data-wave="ready"]')
        await player.and_(ready).wait_for(timeout=20_000)
        seconds = await player.locator("video").evaluate(
            """async (video) => {
                video.muted = true;
                await video.play();
                await new Promise((done) => setTimeout(done, 700));
                video.pause();
                return [video.currentTime, video.duration, video.videoWidth];
            }"""
        )
        assert seconds[0] > 0.2
        assert 3 < seconds[1] < 7
        assert seconds[2] == 640
    async with notebook.kernel() as kernel:
        assert await kernel.eval("len(call.recordings)") == 1
        assert 3 < await kernel.eval("echoed.duration_s") < 7
        # The test card's tone came back through the echo bot.
        await kernel.run(
            "import numpy as np\n"
            "_x = sound[len(sound) // 4 : 3 * len(sound) // 4, 0]\n"
            "_power = np.abs(np.fft.rfft(_x)) ** 2\n"
            "_bin = round(440 * len(_x) / 48000)\n"
            "_share = float(_power[_bin - 3 : _bin + 4].max() / np.median(_power))\n"
            "_rms = float(np.sqrt(np.mean(_x**2)))"
        )
        assert await kernel.eval("_rms") > 0.01
        assert await kernel.eval("_share") > 1000


async def test_picture_moves_and_sound_has_energy(in_call: LabPage) -> None:
    card = in_call.card()
    assert await card.size() == (640, 480)
    first = await card.picture()
    assert statistics.pstdev(first) > 20, "colour bars, not one colour"
    await asyncio.sleep(0.7)
    second = await card.picture()
    assert difference(first, second) > 0.2
    before = int(await card.root.get_attribute("data-frames") or 0)
    await asyncio.sleep(2)
    after = int(await card.root.get_attribute("data-frames") or 0)
    assert after - before >= 20, "at least ten pictures a second, also on a busy machine"
    rms, frequency_hz = await card.sound()
    assert rms > 0.01
    assert 100 < frequency_hz < 2000
    assert await card.root.get_attribute("data-transport") == "webrtc"


async def test_each_button_changes_python(in_call: LabPage) -> None:
    card = in_call.card()
    async with in_call.kernel() as kernel:
        await _toggle(card, kernel, "mute", "call.is_muted", pressed=True)
        await _toggle(card, kernel, "camera", "call.is_camera_on", pressed=False)

        await card.button("record").click()
        await kernel.wait_for("call.recording is not None")
        assert await card.pressed("record")
        await asyncio.sleep(1.5)
        await card.button("record").click()
        await kernel.wait_for("len(call.recordings)", 1)
        await kernel.wait_for("call.recording is None")
        assert not await card.pressed("record")
        assert 1 < await kernel.eval("call.recordings[0].duration_s") < 5

        await card.button("hangup").click()
        await card.wait_state("ended")
        await kernel.wait_for("str(call.state)", "ended")
        assert await kernel.eval("str(call.end_reason)") == "hangup"


async def _toggle(card: Card, kernel, action: str, expression: str, *, pressed: bool) -> None:
    """Click twice; Python has ``pressed`` after the first click, the opposite after the second."""
    await kernel.wait_for(expression, not pressed)
    await card.button(action).click()
    await kernel.wait_for(expression, pressed)
    assert await card.pressed(action)
    await card.button(action).click()
    await kernel.wait_for(expression, not pressed)
    assert not await card.pressed(action)


async def test_python_and_the_keyboard_steer_it_too(in_call: LabPage) -> None:
    card = in_call.card()
    async with in_call.kernel() as kernel:
        await kernel.run("call.mute(); call.camera_off()")
        for action in ("mute", "camera"):
            await card.wait_pressed(action, True)
        await kernel.run("call.unmute(); call.camera_on()")
        for action in ("mute", "camera"):
            await card.wait_pressed(action, False)

        # "m" makes a cell markdown and "r" raw where the notebook gets the key.
        kinds = [cell["type"] for cell in await in_call.cells()]
        await card.root.focus()
        await in_call.page.keyboard.press("m")
        await kernel.wait_for("call.is_muted", True)
        await in_call.page.keyboard.press("m")
        await kernel.wait_for("call.is_muted", False)
        assert kinds == [cell["type"] for cell in await in_call.cells()]

        await kernel.run("await call.hangup()")
        await card.wait_state("ended")
        assert await kernel.eval("str(call.end_reason)") == "hangup"
    assert not await card.button("hangup").is_visible()


async def test_a_reload_in_mid_call_finds_it_again(in_call: LabPage) -> None:
    async with in_call.kernel() as kernel:
        await kernel.run("_before = call")
        # What is on disk is what a reloaded page shows.
        await in_call.save()
        await in_call.reload()
        card = in_call.card()
        await card.wait_state("connected")
        await card.wait_frames(5)
        first = await card.picture()
        await asyncio.sleep(0.7)
        assert difference(first, await card.picture()) > 0.2
        assert await kernel.eval("call is _before and str(call.state)") == "connected"
        await card.button("mute").click()
        await kernel.wait_for("call.is_muted", True)


async def test_shown_twice_it_is_one_call(in_call: LabPage) -> None:
    async with in_call.kernel() as kernel:
        index = next(
            i
            for i, cell in enumerate(await in_call.cells())
            if cell["source"].startswith("start_s")
        )
        await in_call.set_source(index, "widget")
        await in_call.run_cell(index)
        second = in_call.card(1)
        await second.wait_state("connected")
        await second.wait_frames(5)
        assert await kernel.eval("len(xnb.default_client().calls)") == 1
        await second.button("mute").click()
        await kernel.wait_for("call.is_muted", True)
        await in_call.card(0).wait_pressed("mute", True)
