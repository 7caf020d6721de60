"""What a page can give a call besides its camera: the screen, and ipywebrtc's widgets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from .lab import Card, LabPage
from .test_page_media import _COLOUR, open_call, shows_green

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

Opener = Callable[[str], Awaitable[LabPage]]

_BLUE_STREAM = """
import io, ipywebrtc, ipywidgets, PIL.Image
_png = io.BytesIO()
PIL.Image.new("RGB", (320, 240), (20, 20, 200)).save(_png, "PNG")
_stream = ipywebrtc.ImageStream(image=ipywidgets.Image(value=_png.getvalue(), format="png"))
_shown = widget.call.send_video(_stream)
"""

_FILTERED = """
def _turned(image):
    return image[:, :, [2, 0, 1]]  # what was green is blue

_filtered = widget.call.send_video(xnb.filtered(xnb.page_media(microphone=False), _turned))
"""

_REFUSING = """() => {
    navigator.mediaDevices.getDisplayMedia = () =>
        Promise.reject(new DOMException("", "NotAllowedError"));
}"""

_REFUSED = """
_refused = widget.call.send_video(xnb.page_media(screen=True, microphone=False))
try:
    await _refused.done
    _said = ""
except xnb.MediaError as error:
    _said = str(error)
"""

_SCREEN = """
_screen = widget.call.send_video(xnb.page_media(screen=True, microphone=False))
"""


async def shows_blue(card: Card, limit_s: float = 20) -> None:
    """Wait until the card's picture is blue."""
    colour = [0.0, 0.0, 0.0]
    try:
        async with asyncio.timeout(limit_s):
            while not colour[2] > 1.6 * max(colour[0], colour[1], 10):
                await asyncio.sleep(0.1)
                colour = await card.video.evaluate(_COLOUR)
    except TimeoutError:
        raise AssertionError(f"the picture is {colour}") from None


async def wide(card: Card, limit_s: float = 20) -> None:
    """Wait until the picture has a screen's shape."""
    size = (0, 1)
    try:
        async with asyncio.timeout(limit_s):
            while not (size[0] >= 640 and abs(size[0] / size[1] - 16 / 9) < 0.01):
                await asyncio.sleep(0.1)
                size = await card.size()
    except TimeoutError:
        raise AssertionError(f"the picture is {size[0]}x{size[1]}") from None


async def test_screen_widgets_and_filters_take_turns(open_notebook: Opener) -> None:
    notebook = await open_call(
        open_notebook, 'widget = xnb.call("echo", video=True, source=xnb.page_media())'
    )
    card = notebook.card()
    async with notebook.kernel() as kernel:
        await shows_green(card)
        assert await card.size() == (640, 480)

        # The screen in the camera's place; Chromium's made-up one is green as well, but wide.
        await notebook.page.mouse.click(600, 5)
        await kernel.run(_SCREEN)
        await kernel.wait_for("widget.call.sending", "screen")
        await wide(card)
        assert await kernel.eval("len(widget.call.playbacks)") == 2, "the microphone goes on"
        await kernel.run("_screen.stop()")

        # A filter decodes the page's camera, and encodes what the function makes.
        await kernel.run(_FILTERED)
        await shows_blue(card)
        assert await kernel.eval("widget.call.sending") == "camera, filtered"
        await kernel.run("_filtered.stop()")

        # A widget of ipywebrtc: its picture is a canvas' and stands still.
        await shows_green(card, False)
        await kernel.run(_BLUE_STREAM)
        await shows_blue(card)
        assert await kernel.eval("widget.call.sending") == "ipywebrtc widget"

        # A refusal says why, and what was sent goes on.
        await notebook.page.evaluate(_REFUSING)
        await kernel.run(_REFUSED)
        assert "No screen was shared" in await kernel.eval("_said")
        await card.root.get_by_text("No screen was shared").first.wait_for(timeout=5000)
        assert await kernel.eval("widget.call.sending") == "ipywebrtc widget"
        await shows_blue(card)
