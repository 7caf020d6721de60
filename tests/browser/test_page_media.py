"""The page's own camera and microphone: page, kernel, echo, kernel, page, and nothing decoded."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from .kernel import Kernel
from .lab import Card, LabPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Opener = Callable[[str], Awaitable[LabPage]]
DECODERS = "[t.name for t in __import__('threading').enumerate() if 'decode' in t.name]"

_COLOUR = """(video) => {
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 64, 48);
    const { data } = context.getImageData(0, 0, 64, 48);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
    return sum.map((one) => one / (64 * 48));
}"""

# The loudest 50 ms of two seconds: Chromium's fake microphone beeps once in a while.
_LOUDEST = """async (video) => {
    const context = new AudioContext();
    try {
        await context.resume();
        const stream = new MediaStream(video.srcObject.getAudioTracks());
        const analyser = new AnalyserNode(context, { fftSize: 2048 });
        context.createMediaStreamSource(stream).connect(analyser);
        let loudest = 0;
        const wave = new Float32Array(analyser.fftSize);
        for (let i = 0; i < 60; i++) {
            await new Promise((done) => setTimeout(done, 40));
            analyser.getFloatTimeDomainData(wave);
            loudest = Math.max(loudest, ...wave.map(Math.abs));
        }
        return loudest;
    } finally {
        await context.close();
    }
}"""

_REFUSING = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{}'))"


async def open_call(open_notebook: Opener, code: str) -> LabPage:
    """A notebook whose first cell places a call; connected, and its picture plays."""
    notebook = await open_notebook("01-first-call.ipynb")
    first = next(i for i, cell in enumerate(await notebook.cells()) if cell["type"] == "code")
    await notebook.set_source(first, f"import xnb\n{code}\nwidget")
    await notebook.run_cell(first)
    await notebook.card().wait_state("connected")
    await notebook.card().wait_frames(5)
    return notebook


async def shows_green(card: Card, wanted: bool = True, timeout_s: float = 15) -> None:
    """Wait until the card shows the fake camera's green, or does not."""
    colour = [0.0, 0.0, 0.0]
    async with asyncio.timeout(timeout_s):
        while True:
            colour = red, green, blue = await card.video.evaluate(_COLOUR)
            if (green > 1.6 * max(red, blue, 10)) is wanted:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(f"the picture is {colour}")


async def moves(card: Card) -> None:
    """The picture changes, at a fair rate."""
    before = int(await card.root.get_attribute("data-frames") or 0)
    first = await card.picture()
    await asyncio.sleep(2)
    second = await card.picture()
    after = int(await card.root.get_attribute("data-frames") or 0)
    assert after - before >= 20, "at least ten pictures a second, also on a busy machine"
    assert statistics.fmean(abs(a - b) for a, b in zip(first, second, strict=True)) > 0.2


async def test_the_camera_goes_to_echo_and_comes_back(
    open_notebook: Opener, tmp_path: Path
) -> None:
    notebook = await open_call(open_notebook, 'widget = xnb.call("echo", video=True)')
    card = notebook.card()
    async with notebook.kernel() as kernel:
        await shows_green(card, False)
        button = card.button("page")
        assert await button.get_attribute("aria-label") == (
            "Use this page’s camera and microphone"  # noqa: RUF001
        )
        await button.click()
        await card.wait_pressed("page", True)
        await shows_green(card)
        await moves(card)
        assert await card.size() == (640, 480)
        assert await card.video.evaluate(_LOUDEST) > 0.05
        assert await kernel.eval("widget.call.sending") == "camera and microphone"
        assert await kernel.eval(DECODERS) == []
        # One shows in the corner what the camera sees.
        mirror = card.root.locator("video.xnb-mirror")
        assert await mirror.is_visible()
        assert await mirror.evaluate("(video) => video.videoWidth") == 640

        # Mute and camera off hold in the page at once.
        await card.button("camera").click()
        assert await _enabled(card, "video") is False
        await kernel.wait_for("widget.call.is_camera_on", False)
        assert not await mirror.is_visible()
        await card.button("camera").click()
        await kernel.wait_for("widget.call.is_camera_on", True)
        assert await _enabled(card, "video") is True
        await shows_green(card)

        await card.button("page").click()
        await card.wait_pressed("page", False)
        await shows_green(card, False)
        await moves(card)
        assert await kernel.eval("widget.call.sending") == "test card"
        assert not await mirror.is_visible()


async def _enabled(card: Card, kind: str) -> bool:
    found: bool = await card.root.locator("video.xnb-mirror").evaluate(
        "(video, kind) => video.srcObject.getTracks().find((t) => t.kind === kind).enabled", kind
    )
    return found


async def test_python_begins_and_stops_it(open_notebook: Opener) -> None:
    notebook = await open_call(
        open_notebook, 'widget = xnb.call("echo", video=True, source=xnb.page_media())'
    )
    card = notebook.card()
    async with notebook.kernel() as kernel:
        await card.wait_pressed("page", True)
        await shows_green(card)
        await kernel.run("widget.call.playbacks[0].stop()")
        await card.wait_pressed("page", False)
        await shows_green(card, False)
        await kernel.run("playback = widget.call.send_video(xnb.page_media(microphone=False))")
        await shows_green(card)
        assert await kernel.eval("widget.call.sending") == "camera"
        # After a reload the page gives nothing by itself.
        await notebook.save()
        await notebook.reload()
        card = notebook.card()
        await card.wait_state("connected")
        await card.wait_frames(5)
        await shows_green(card, False)
        await card.wait_pressed("page", False)
        await kernel.wait_for("playback.done.is_done", True)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "Object.defineProperty(window, 'isSecureContext', { value: false })",
            "only to pages from https or localhost",
        ),
        (
            _REFUSING.format("NotAllowedError"),
            "does not let the page use your camera or microphone. Allow it in the address bar",
        ),
        (
            _REFUSING.format("NotFoundError"),
            "This computer has no camera or microphone. Connect one",
        ),
    ],
    ids=["insecure", "denied", "missing"],
)
async def test_a_refusal_is_said_in_words(open_notebook: Opener, script: str, words: str) -> None:
    notebook = await open_call(open_notebook, 'widget = xnb.call("echo", video=True)')
    card = notebook.card()
    await notebook.page.evaluate(f"() => {{ {script}; }}")
    await card.button("page").click()
    await card.root.locator(".xnb-note", has_text=words).wait_for(timeout=5000)
    await card.wait_pressed("page", False)
    async with notebook.kernel() as kernel:
        await _fails_with(kernel, words)
    await moves(card)


async def _fails_with(kernel: Kernel, words: str) -> None:
    """Asked from Python, the same words come as a MediaError."""
    await kernel.run(
        "_playback = widget.call.send_video(xnb.page_media())\n"
        "try:\n"
        "    await _playback.done\n"
        "    _said = ''\n"
        "except xnb.MediaError as error:\n"
        "    _said = str(error)"
    )
    assert words in await kernel.eval("_said")
