"""One function takes all that can be sent, and says what that is when something else comes."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from live_reading import read_some, until
from matplotlib.figure import Figure
from media_files import TONE_HZ, dominant_frequency, make, tone_samples
from PIL import Image

import xnb
from xnb.errors import MediaError
from xnb.media.accept import accept
from xnb.media.browser import PageMedia
from xnb.media.figure import FigureSource
from xnb.media.frames import AudioChunk, VideoFrame, to_av_video
from xnb.media.late import OpenedLater, open_near

RED = np.full((120, 160, 3), (200, 20, 20), np.uint8)


def is_red(colour: tuple[float, float, float]) -> bool:
    red, green, blue = colour
    return abs(red - 200) < 8 and abs(green - 20) < 8 and abs(blue - 20) < 8


@pytest.mark.parametrize(
    "picture",
    [
        RED,
        RED / 255,
        Image.fromarray(RED),
        VideoFrame(to_av_video(RED), 0.0),
    ],
    ids=["array", "floats", "PIL", "VideoFrame"],
)
async def test_one_picture_is_sent_over_and_over(picture: Any) -> None:
    source = accept(picture, "audio")
    reading = await read_some(source.video, 4)
    assert all(is_red(reading.colour(index)) for index in range(4))
    assert np.diff(reading.times_s) == pytest.approx(0.2, abs=0.001)
    source.close()


@pytest.mark.parametrize(
    "make_pictures",
    [
        lambda: (RED for _ in range(9)),
        lambda: [RED] * 9,
        lambda: lambda: RED,
        lambda: lambda time_s: RED,
        lambda: several,
    ],
    ids=["generator", "list", "function", "of time", "async"],
)
async def test_a_program_makes_pictures_or_sound(make_pictures: Any) -> None:
    source = accept(make_pictures(), "video", fps=60)
    assert is_red((await read_some(source.video, 5)).colour())
    source.close()


async def several() -> Any:
    for _ in range(9):
        yield RED


@pytest.mark.parametrize(
    ("sound", "rate_hz"),
    [
        (tone_samples(1), 48_000),
        (tone_samples(1, 8000).astype(np.float32)[:, np.newaxis], 8000),
        (list(tone_samples(1)), 48_000),
        (AudioChunk(tone_samples(1, 16_000).astype(np.float32)[:, None], 0.0, 16_000), 48_000),
    ],
    ids=["array", "column", "list", "AudioChunk"],
)
async def test_samples_are_sound(sound: Any, rate_hz: int) -> None:
    source = accept(sound, "audio", sample_rate_hz=rate_hz)
    reading = await read_some(source.audio, 45)
    assert dominant_frequency(reading.samples) == pytest.approx(TONE_HZ, abs=4)
    source.close()


async def test_a_path_is_a_file(folder: Path) -> None:
    path = make("clip.mp4", folder)
    for given in (path, str(path)):
        source = accept(given, "video")
        assert isinstance(source, OpenedLater)
        assert repr(source) == "<OpenedLater clip.mp4: nothing>"
        await open_near(source)
        assert source.kinds == {"audio", "video"}
        assert source.duration_s == pytest.approx(3, abs=0.1)
        sound = await read_some(source.audio, 30)
        assert dominant_frequency(sound.samples) == pytest.approx(TONE_HZ, abs=4)
        source.seek(2.0)
        assert source.position_s == pytest.approx(2.0, abs=0.2)
        source.close()
    heard = accept(path, "audio")
    await open_near(heard)
    assert heard.kinds == {"audio"}
    heard.close()
    with pytest.raises(MediaError, match=r"no file none\.mp4"):
        await open_near(accept("none.mp4", "video"))


def test_an_address_is_a_stream_and_a_source_is_itself() -> None:
    source = accept("rtsp://user:secret@x.invalid/a", "video")
    assert repr(source) == "<OpenedLater rtsp stream: nothing>"
    card = xnb.testcard()
    assert accept(card, "audio") is card


def test_an_ipywebrtc_widget_is_taken_in_the_page() -> None:
    ipywebrtc = pytest.importorskip("ipywebrtc")
    widget = ipywebrtc.CameraStream()
    source = accept(widget, "video")
    assert isinstance(source, PageMedia)
    assert source.widget is widget
    assert source.name == "ipywebrtc widget"
    with pytest.raises(MediaError, match="A VideoRecorder cannot be sent"):
        accept(ipywebrtc.VideoRecorder(stream=widget), "video")


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (42, "An int"),
        (None, "A NoneType"),
        ({"a": 1}, "A dict"),
        (b"123", "A bytes"),
        (int, "The class int"),
        (object(), "An object"),
    ],
)
def test_anything_else_is_refused_with_a_list_of_what_is_accepted(thing: Any, name: str) -> None:
    with pytest.raises(MediaError) as raised:
        accept(thing, "video")
    text = str(raised.value)
    assert text.startswith(f"{name} cannot be sent. Give ")
    for word in ("source", "file", "address", "ipywebrtc", "figure", "array", "generator"):
        assert word in text


async def test_a_figure_is_redrawn_when_it_changes() -> None:
    mpl.use("agg")
    fig = Figure(figsize=(3.2, 2.4), dpi=100)
    canvas = fig.canvas
    source = accept(fig, "video")
    assert isinstance(source, FigureSource)
    first = await read_some(source.video, 2)
    assert (first.frames[0].width, first.frames[0].height) == (320, 240)
    assert first.colour() == pytest.approx((255, 255, 255), abs=3)
    fig.set_facecolor("#1414c8")
    later = await read_some(source.video, 5)
    red, green, blue = later.colour()
    assert blue > 180
    assert max(red, green) < 40
    assert fig.canvas is canvas, "its own, as before"
    source.close()


async def test_a_figure_may_be_changed_while_it_is_drawn() -> None:
    fig = Figure(figsize=(3.2, 2.4), dpi=100)
    source = xnb.figure(fig, fps=15)
    stop = threading.Event()

    def draw() -> None:
        while not stop.is_set():
            fig.clear()
            axes = fig.add_subplot()
            (line,) = axes.plot([0, 1], [0, 1])
            line.set_xdata([0, 1, 2])  # for a moment of another length than its ydata
            line.set_ydata([0, 1, 2])
            time.sleep(0.005)

    drawing = threading.Thread(target=draw)
    drawing.start()
    try:
        reading = await read_some(source.video, 8)
    finally:
        stop.set()
        drawing.join()
    assert len(reading.frames) == 8
    assert source.error is None
    source.close()


async def test_while_it_is_held_it_is_not_drawn() -> None:
    fig = Figure(figsize=(3.2, 2.4), dpi=100)
    source = xnb.figure(fig, fps=20)
    await read_some(source.video, 1)
    with source.hold():
        fig.set_facecolor("#c81414")
        while_held = asyncio.ensure_future(read_some(source.video, 20))
        await asyncio.sleep(0.4)
        fig.set_facecolor("#14c814")
    colours = [(await while_held).colour(index) for index in range(20)]
    assert not any(red > 150 and green < 90 for red, green, _ in colours), "never half done"
    await until(lambda: colours[-1][1] > 150, 1)
    source.close()


async def test_a_figure_that_cannot_be_drawn_ends_with_the_reason() -> None:
    fig = Figure()
    fig.draw = lambda _renderer: 1 / 0  # type: ignore[method-assign]
    source = xnb.figure(fig)
    with pytest.raises(MediaError, match=r"figure cannot be drawn: ZeroDivisionError.*hold\(\)"):
        await read_some(source.video, 1)
    with pytest.raises(MediaError, match="Axes is no figure"):
        xnb.figure(Figure().add_subplot())
