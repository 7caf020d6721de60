"""A function between a source and the call: what it makes is sent, the newest picture first."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_reading import read_some, threads, until
from media_files import dominant_frequency, make, read_counter

import xnb
from xnb.errors import MediaError
from xnb.events import ListenerHandle
from xnb.media.browser import PageMedia
from xnb.media.filtered import FilteredPage, PageFilterTrack, filtered
from xnb.media.testcard import CardPainter


def inverted(image: Any) -> Any:
    image[40:] = 255 - image[40:]  # the counter above stays readable
    return image


async def test_what_the_function_makes_is_sent_with_the_sound_as_it_was() -> None:
    plain = await read_some(xnb.testcard(320, 240).video, 1)
    source = filtered(xnb.testcard(320, 240), inverted)
    assert source.name == "test card, filtered"
    pictures, sound = await asyncio.gather(read_some(source.video, 30), read_some(source.audio, 40))
    before, after = (one.frames[0].to_ndarray(format="rgb24")[60:] for one in (plain, pictures))
    assert np.abs(255 - before.astype(int) - after).mean() < 6
    counters = [read_counter(frame) for frame in pictures.frames]
    assert counters == sorted(set(counters))
    assert len(set(counters)) == 30
    assert dominant_frequency(sound.samples) == pytest.approx(440, abs=4)
    # Sound and picture count from the same beginning.
    assert source.video.origin is source.audio.origin
    assert pictures.times_s[0] == pytest.approx(counters[0] / 30, abs=0.01)
    source.close()
    await until(lambda: not threads("xnb-filter"), 3)


async def test_when_it_is_slow_the_newest_wins_and_the_rest_is_counted() -> None:
    def slow(image: Any) -> Any:
        time.sleep(0.15)
        return image

    source = filtered(xnb.testcard(320, 240, fps=30), slow)
    reading = await read_some(source.video, 8)
    counters = [read_counter(frame) for frame in reading.frames]
    steps = np.diff(counters)
    assert np.median(steps) >= 4, "30 pictures a second, 7 of which can be done"
    assert source.dropped >= sum(steps) - len(steps) - 2
    seconds = reading.at_s[-1] - reading.at_s[0]
    # What is shown is new: at most one picture old when the function began, and 0.15 s in it.
    assert counters[-1] / 30 >= seconds - 0.4
    source.close()


async def test_it_takes_the_time_too_and_may_leave_pictures_out() -> None:
    times_s: dict[int | None, float] = {}

    def every_other(image: Any, time_s: float) -> Any:
        times_s[read_counter(image)] = time_s
        return image if len(times_s) % 2 else None

    source = filtered(xnb.testcard(320, 240), every_other)
    reading = await read_some(source.video, 10)
    counters = [read_counter(frame) for frame in reading.frames]
    assert np.diff(counters).min() >= 2
    assert [times_s[counter] for counter in counters] == pytest.approx(
        [counter / 30 for counter in counters], abs=0.001
    )
    source.close()


async def test_fps_thins_out_before_the_function() -> None:
    calls: list[int] = []
    source = filtered(xnb.testcard(320, 240), lambda image: calls.append(1) or image, fps=10)
    reading = await read_some(source.video, 10)
    assert np.diff(reading.times_s).min() > 0.09
    assert np.median(np.diff(reading.times_s)) == pytest.approx(0.1, abs=0.011)
    assert len(calls) <= 12 + source.dropped
    source.close()


async def test_an_exception_ends_it_and_is_quoted() -> None:
    def broken(image: Any) -> Any:
        raise KeyError("nose")

    source = filtered(xnb.testcard(320, 240), broken)
    with pytest.raises(MediaError, match=r"The filter broken failed: KeyError: 'nose'.*Correct it"):
        await read_some(source.video, 1)
    source = filtered(xnb.testcard(320, 240), lambda _image: np.zeros(7))
    with pytest.raises(MediaError, match=r"The filter <lambda> failed: MediaError.*shape \(7,\)"):
        await read_some(source.video, 1)


async def test_a_file_is_opened_later_and_ends_with_it(folder: Path) -> None:
    source = filtered(make("clip.mkv", folder), inverted)
    assert source.kinds == set()
    came: list[bool] = []
    source.on_change = lambda: came.append(True)
    source.start()
    await until(lambda: came)
    pictures, sound = await asyncio.gather(
        read_some(source.video, 500), read_some(source.audio, 500)
    )
    assert pictures.ended
    assert sound.ended
    assert 70 <= len(pictures.frames) <= 75, "3 s of 25 pictures"
    assert source.done
    missing = filtered(folder / "none.mp4", inverted)
    missing.start()
    await until(lambda: missing.failure)
    assert "There is no file none.mp4" in str(missing.failure)


class Incoming:
    """What an engine gives for a page's picture: frames for whoever listens."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []
        self.card = CardPainter(320, 240, 30)

    def on_frame(self, callback: Any) -> ListenerHandle:
        self.listeners.append(callback)
        return ListenerHandle(lambda: self.listeners.remove(callback))

    def feed(self, number: int) -> None:
        for listener in tuple(self.listeners):
            listener(self.card.draw(number), 1000 + number / 30)


async def test_a_pages_camera_is_decoded_only_while_it_is_sent() -> None:
    incoming = Incoming()
    source = filtered(xnb.page_media(), inverted)
    assert isinstance(source, PageMedia)
    assert isinstance(source, FilteredPage)
    assert source.name == "camera and microphone, filtered"
    sound = object()
    source.flow(audio=sound, video=incoming)
    assert source.audio.incoming is sound, "passed on, undecoded"
    track = source.video
    assert isinstance(track, PageFilterTrack)
    assert incoming.listeners == []
    source.flow(audio=sound, video=incoming)
    assert source.video is track

    reading = asyncio.ensure_future(read_some(track, 10))
    for number in range(400):
        await asyncio.sleep(0.02)
        incoming.feed(number)
        if reading.done():
            break
    pictures = await reading
    numbers = [read_counter(frame) for frame in pictures.frames]
    assert numbers == sorted(set(numbers))
    shown_s = pictures.times_s[-1] - pictures.times_s[0]
    assert shown_s == pytest.approx((numbers[-1] - numbers[0]) / 30, abs=0.001)
    assert len(incoming.listeners) == 1
    track.last_read_s -= 2  # nobody read for a while
    incoming.feed(99)
    assert incoming.listeners == []
    source.close()
    await until(lambda: not threads("xnb-filter"), 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((xnb.testcard(), 7), "int is no function"),
        ((42, inverted), "An int cannot be sent"),
        ((xnb.testcard(), inverted, 0), "fps is 0.*Use 0.1 to 120"),
    ],
)
def test_what_cannot_be_is_refused_at_once(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(MediaError, match=words):
        filtered(*arguments[:2], **({"fps": arguments[2]} if len(arguments) > 2 else {}))
