"""Anything as the source of a call: it reaches the far end, and what was before comes back."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_reading import until
from media_files import TONE_HZ, dominant_frequency, make, read_counter
from PIL import Image

import xnb

RED, BLUE = (200, 20, 20), (20, 20, 200)


def picture(colour: tuple[int, int, int]) -> Any:
    return np.full((240, 320, 3), colour, np.uint8)


class Echoed:
    """A call to echo, and what comes back from it."""

    def __init__(self, call: xnb.Call) -> None:
        self.call = call
        self.image: Any = None
        self.sound: list[Any] = []
        self.errors: list[str] = []
        call.on("error", lambda event: self.errors.append(str(event.error)))
        call.peer.video_in.on_frame(self._see)
        call.peer.audio_in.on_frame(
            lambda frame, _s: self.sound.append(frame.to_ndarray().reshape(-1, 2))
        )

    def _see(self, frame: Any, _time_s: float) -> None:
        self.image = frame.to_ndarray(format="rgb24")

    @property
    def counter(self) -> int | None:
        """Of the test card, if it is one."""
        return None if self.image is None else read_counter(self.image)

    def shows(self, colour: tuple[int, int, int]) -> bool:
        """Whether the picture is of this colour."""
        if self.image is None:
            return False
        return bool(np.abs(self.image.mean(axis=(0, 1)) - colour).max() < 25)

    async def hears_hz(self) -> float:
        """The strongest tone of what is heard from now on."""
        await asyncio.sleep(0.3)
        start = len(self.sound)
        await until(lambda: len(self.sound) >= start + 30)
        return dominant_frequency(np.concatenate(self.sound[start : start + 30]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture
async def client() -> Any:
    one = xnb.Client("sources")
    yield one
    await one.close()


async def place(client: xnb.Client, **options: Any) -> Echoed:
    call = await client.call("echo", video=True, **options)
    await call.until("connected", timeout_s=15)
    return Echoed(call)


async def test_each_kind_in_one_call(client: xnb.Client, folder: Path) -> None:
    echoed = await place(client, source=make("clip.webm", folder))
    call = echoed.call
    assert call.sending == "clip.webm"
    await until(lambda: echoed.counter)
    assert await echoed.hears_hz() == pytest.approx(TONE_HZ, abs=6)
    # The file is over: what a call without a source sends.
    await until(lambda: call.sending == "test card")
    await until(lambda: echoed.image is not None and abs(echoed.image.mean() - 74) < 8)

    still = call.send_video(Image.fromarray(picture(RED)))
    await until(lambda: echoed.shows(RED))
    drawn = call.send_video(picture(BLUE) for _ in itertools.count())
    await until(lambda: echoed.shows(BLUE))
    assert still.done.is_done, "replaced in full"
    drawn.stop()

    def turned(image: Any) -> Any:
        return image[:, :, ::-1]

    filtered = call.send_video(xnb.filtered(picture(RED), turned))
    await until(lambda: echoed.shows(BLUE))
    assert call.sending == "picture, filtered"
    filtered.stop()
    await until(lambda: echoed.counter is not None)

    source = xnb.pushed(audio=True)
    call.send_video(source)
    source.push(picture(RED))
    source.push_sound(0.3 * np.sin(2 * np.pi * 880 * np.arange(96_000) / 48_000))
    assert await echoed.hears_hz() == pytest.approx(880, abs=8)
    await until(lambda: echoed.shows(RED))
    await call.hangup()


async def test_a_broken_filter_leaves_what_was_sent_before(client: xnb.Client) -> None:
    echoed = await place(client)
    call = echoed.call
    before = call.send_video(picture(BLUE))
    await until(lambda: echoed.shows(BLUE))
    seen: list[int] = []

    def breaks(image: Any) -> Any:
        seen.append(1)
        if len(seen) > 20:
            raise RuntimeError("no face found")
        return picture(RED)

    playback = call.send_video(xnb.filtered(xnb.testcard(320, 240, audio=None), breaks))
    await until(lambda: echoed.shows(RED))
    with pytest.raises(xnb.MediaError, match="filter breaks failed: RuntimeError: no face found"):
        await playback.done
    assert not before.done.is_done
    await until(lambda: echoed.shows(BLUE))
    assert call.state == "connected"
    await call.hangup()


async def test_what_cannot_be_opened_says_so_and_the_call_goes_on(
    client: xnb.Client, tmp_path: Path
) -> None:
    with pytest.raises(xnb.MediaError, match=r"no file none\.mp4"):
        await client.call("echo", video=True, source=tmp_path / "none.mp4")
    with pytest.raises(xnb.MediaError, match="A dict cannot be sent"):
        await client.call("echo", video=True, source={})
    echoed = await place(client, source="rtsp://me:hunter2@127.0.0.1:9/live")
    await until(lambda: echoed.counter is not None)
    playback = echoed.call.send_video("rtsp://me:hunter2@127.0.0.1:9/live")
    with pytest.raises(xnb.MediaError, match=r"rtsp stream cannot be opened \(stage: connecting\)"):
        await playback.done
    await until(lambda: echoed.errors)
    assert not any("hunter2" in text or "127.0.0.1" in text for text in echoed.errors)
    assert echoed.call.state == "connected"
    await echoed.call.hangup()
