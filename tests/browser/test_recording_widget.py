"""The recording notebook as a person uses it: play, seek, look, cut out a part, download."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_files import dominant_frequency, read_counter
from playwright.async_api import Locator

from xnb.recording import Recording

from .lab import LabPage
from .saved import must_be_clean, read

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "xnb/widgets/js/node_modules/axe-core/axe.min.js"
WAIT_MS = 20_000
FRAME_S = 1 / 30
Opener = Callable[[str], Awaitable[LabPage]]

# The strip with the counter, as grey values, of the picture that is shown.
_STRIP = """
const strip = (video) => {
    const canvas = new OffscreenCanvas(video.videoWidth, 16);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, 16);
    return Array.from({ length: canvas.width * 16 }, (_, i) => data[4 * i + 1]);
};
"""


class Player:
    """A player in the page."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.page = root.page
        self.video = root.locator("video")
        self.slider = root.locator(".xnb-player-slider")

    async def wait(self, selector: str) -> None:
        await self.root.and_(self.page.locator(selector)).wait_for(timeout=WAIT_MS)

    async def ready(self) -> None:
        await self.root.scroll_into_view_if_needed()
        await self.wait('[data-ready="true"][data-wave="ready"]')

    async def shown(self) -> tuple[float, int | None]:
        """When in the recording the picture is from that is shown, and its counter."""
        time_s, grey = await self.video.evaluate(
            """async (video) => {"""
            + _STRIP
            + """
                while (video.seeking) await new Promise((done) => setTimeout(done, 20));
                await new Promise((done) => setTimeout(done, 150));
                return [video.currentTime, strip(video)];
            }"""
        )
        return time_s, counter(grey)

    async def click_at(self, share: float) -> None:
        """Click into the waveform, once the page around it has come to rest."""
        box = await self.slider.bounding_box()
        assert box is not None
        place: Any = {"x": share * box["width"], "y": box["height"] / 2}
        await self.slider.click(position=place)

    async def note(self, text: str) -> str:
        """The note, once it contains ``text``."""
        note = self.root.locator(".xnb-player-note", has_text=text)
        await note.wait_for(timeout=WAIT_MS)
        return await note.inner_text()


def counter(grey: list[int]) -> int | None:
    return read_counter(np.array(grey, np.uint8).reshape(16, -1))


def expected(recording: Recording, time_s: float) -> int:
    number = read_counter(recording.frame_at(min(time_s, recording.duration_s)).image)
    assert number is not None
    return number


async def test_the_recording_notebook(open_notebook: Opener, ears: Path) -> None:
    notebook = await open_notebook("03-recording.ipynb")
    await notebook.run()
    page, folder = notebook.page, notebook.lab.root
    players = page.locator(".jp-OutputArea .xnb-player")
    assert await players.count() == 3
    first, part, both = (Player(players.nth(index)) for index in range(3))

    await first.ready()
    recording = Recording(folder / "recordings" / "card.webm")
    await _seeks(first, recording)
    await _plays_in_sync(first, recording)
    await _marks_and_spectrogram(first)
    await _saves_a_part(first, recording, folder)
    await _downloads(first, recording, folder)
    await _is_for_everybody(first)

    # What was cut out in Python plays too, and so does a format that browsers do not know.
    await part.ready()
    await part.click_at(0.5)
    time_s, number = await part.shown()
    assert number is not None
    assert abs(number - expected(recording, 1.5 + time_s)) <= 1
    await both.ready()
    assert await both.video.evaluate("(video) => video.videoWidth") == 640

    await notebook.save()
    kept = read(folder / "03-recording.ipynb")
    saved = json.dumps(kept)
    assert len(saved) < 1_000_000
    assert base64.b64encode(recording.path.read_bytes()[:3000]).decode() not in saved
    assert 'src=\\"recordings/card.webm\\"' in saved, "without a kernel the file itself is played"
    must_be_clean(kept, ears)


async def _seeks(player: Player, recording: Recording) -> None:
    for share in (0.5, 0.2, 0.8):
        await player.click_at(share)
        time_s, number = await player.shown()
        assert time_s == pytest.approx(share * recording.duration_s, abs=0.05)
        assert number is not None
        assert abs(number - expected(recording, time_s)) <= 1
        told = float(await player.slider.get_attribute("aria-valuenow") or -1)
        assert told == pytest.approx(time_s, abs=0.06)
    keyboard = player.page.keyboard
    await player.slider.focus()
    for key, wanted_s in (("Home", 0.0), ("ArrowRight", 1.0), ("Shift+ArrowRight", 1.1)):
        await keyboard.press(key)
        time_s, number = await player.shown()
        assert time_s == pytest.approx(wanted_s, abs=0.02)
        assert number is not None
        assert abs(number - expected(recording, time_s)) <= 1


async def _plays_in_sync(player: Player, recording: Recording) -> None:
    """While it plays: the picture that is presented, its time, and where the playhead is."""
    await player.page.keyboard.press("Space")
    seen: list[dict[str, Any]] = await player.root.evaluate(
        """async (root) => {"""
        + _STRIP
        + """
            const video = root.querySelector("video");
            const head = root.querySelector(".xnb-player-playhead");
            const seen = [];
            while (seen.length < 8) {
                const media = await new Promise((done) =>
                    video.requestVideoFrameCallback((_, { mediaTime }) => done(mediaTime)));
                await new Promise((done) => requestAnimationFrame(done));
                seen.push({ media, grey: strip(video), at: parseFloat(head.style.left) / 100 });
                await new Promise((done) => setTimeout(done, 80));
            }
            return seen;
        }"""
    )
    await player.page.keyboard.press("Space")
    await player.wait('[data-playing="false"]')
    times_s = [one["media"] for one in seen]
    assert times_s == sorted(times_s)
    assert times_s[-1] - times_s[0] > 0.4
    for one in seen:
        number = counter(one["grey"])
        assert number is not None
        # A busy machine may have presented another picture before it was looked at.
        assert 0 <= number - expected(recording, one["media"]) <= 6
        assert one["at"] * recording.duration_s == pytest.approx(one["media"], abs=0.2)


async def _marks_and_spectrogram(player: Player) -> None:
    ticks = player.root.locator(".xnb-player-tick")
    labels = [await one.get_attribute("aria-label") or "" for one in await ticks.all()]
    texts = [label.split(": ", 1)[1] for label in labels if "connected" not in label]
    assert texts == ["you muted", "you unmuted", "you hung up"]
    await player.root.get_by_role("button", name="you unmuted").click()
    time_s, _ = await player.shown()
    assert time_s == pytest.approx(3.0, abs=0.7)
    colours = "(canvas) => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width,"
    colours += " canvas.height).data).size"
    canvas = player.root.locator(".xnb-player-canvas")
    before = await canvas.evaluate(colours)
    await player.root.get_by_role("button", name="Spectrogram").click()
    await player.wait('[data-spectrogram="true"]')
    assert await canvas.evaluate(colours) > max(60, before), "many levels, not two colours"
    await player.root.get_by_role("button", name="Spectrogram").click()
    await player.wait('[data-spectrogram="false"]')


async def _saves_a_part(player: Player, recording: Recording, folder: Path) -> None:
    keyboard = player.page.keyboard
    await player.slider.focus()
    await keyboard.press("Home")
    await player.root.get_by_role("button", name="Cut out a part").click()
    # The beginning by keys, the end with the mouse.
    for _ in range(10):
        await keyboard.press("ArrowRight")
    box = await player.slider.bounding_box()
    handle = await player.root.locator(".xnb-player-to").bounding_box()
    assert box is not None
    assert handle is not None
    await player.page.mouse.move(handle["x"] + 4, handle["y"] + 20)
    await player.page.mouse.down()
    await player.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 20, steps=4)
    await player.page.mouse.up()
    assert (await player.root.locator(".xnb-player-span").inner_text()).startswith("From 0:01.0")
    await player.root.get_by_role("button", name="Save trimmed").click()
    said = await player.note("Saved")
    # The notebook itself saves card-trimmed.webm.
    assert "recordings/card-trimmed-2.webm" in said.replace("\\", "/")
    saved = Recording(folder / "recordings" / "card-trimmed-2.webm")
    length_s = 0.6 * recording.duration_s - 1.0
    assert saved.duration_s == pytest.approx(length_s, abs=0.05)
    assert expected(saved, 0.0) == expected(recording, 1.0)
    tone_hz = dominant_frequency(saved.audio()[4800:28800])
    assert tone_hz == pytest.approx(dominant_frequency(recording.audio()[52800:76800]), abs=20)
    await player.root.get_by_role("button", name="Cancel").click()
    await player.wait('[data-trim="false"]')


async def _downloads(player: Player, recording: Recording, folder: Path) -> None:
    async with player.page.expect_download(timeout=WAIT_MS) as download:
        await player.root.get_by_role("button", name="Download card.webm").click()
    got = await download.value
    assert got.suggested_filename == "card.webm"
    path = folder / "downloaded.webm"
    await got.save_as(path)
    assert path.read_bytes() == recording.path.read_bytes()


async def _is_for_everybody(player: Player) -> None:
    """Nothing that axe finds, in light and dark; all of it fits into 320 pixels."""
    page = player.page
    command = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    if AXE.exists():
        await page.evaluate(AXE.read_text(encoding="utf-8"))
        for theme in ("JupyterLab Dark", "JupyterLab Light"):
            await page.evaluate(command, theme)
            await page.wait_for_function(
                "(light) => document.body.dataset.jpThemeLight === light",
                arg=str("Light" in theme).lower(),
                timeout=WAIT_MS,
            )
            found = await player.root.evaluate("(root) => axe.run(root)")
            assert [one["id"] for one in found["violations"]] == []
            assert len(found["passes"]) > 10
    await player.root.evaluate("(root) => { root.style.width = '320px'; }")
    wide = await player.root.evaluate(
        """(root) => [...root.querySelectorAll("button, .xnb-player-time")]
            .filter((one) => one.offsetParent)
            .filter((one) => one.getBoundingClientRect().right
                > root.getBoundingClientRect().right)
            .map((one) => one.className)"""
    )
    assert [name for name in wide if "tick" not in name] == []
    await player.root.evaluate("(root) => { root.style.width = ''; }")
