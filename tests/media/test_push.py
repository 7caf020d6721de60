"""What a program draws and plays is sent in order and in time; its errors are told."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest
from media_files import TONE_HZ, dominant_frequency, tone_samples

from xnb.errors import MediaError
from xnb.media.clock import ManualClock
from xnb.media.push import audio_from, video_from
from xnb.media.source import EndOfMedia
from xnb.media.testcard import CardPainter, read_counter

CARD = CardPainter(320, 240, 30)


def numbered(count):
    for number in range(count):
        yield CARD.draw(number).to_ndarray(format="rgb24")


async def numbered_async(count):
    for picture in numbered(count):
        await asyncio.sleep(0)
        yield picture


def counters(played):
    return [read_counter(frame) for frame in played.video.frames]


@pytest.mark.parametrize(
    "make",
    [
        lambda: numbered(40),
        lambda: list(numbered(40)),
        lambda: numbered_async(40),
        lambda: (CARD.draw(n) for n in range(40)),
    ],
    ids=["generator", "list", "async", "av"],
)
async def test_pictures_are_sent_at_their_rate(make, player):
    played = await player(video_from(make(), fps=20)).start().run()
    assert counters(played) == list(range(40))
    assert played.video.times_s == pytest.approx([n / 20 for n in range(40)], abs=1e-4)
    assert played.source.done
    assert played.source.error is None
    assert played.video.ended_at_s == pytest.approx(2.0, abs=0.05)


async def test_a_function_is_asked_for_each_picture(player):
    times = []

    def draw(time_s):
        times.append(time_s)
        return CARD.draw(round(time_s * 10)) if time_s < 1 else None

    played = await player(video_from(draw, fps=10)).start().run()
    assert counters(played) == list(range(10))
    assert times[:10] == pytest.approx([n / 10 for n in range(10)])

    left = list(numbered(3))
    played = await player(video_from(lambda: left.pop(0) if left else None)).start().run()
    assert counters(played) == [0, 1, 2]


async def test_a_generator_runs_on_a_thread_of_its_own_and_is_closed(player):
    names, closed = set(), []

    def draw():
        try:
            for picture in numbered(1000):
                names.add(threading.current_thread().name)
                yield picture
        finally:
            closed.append(True)

    before = threading.active_count()
    played = await player(video_from(draw, fps=30)).start().run(0.5)
    await played.stop()
    assert names
    assert threading.main_thread().name not in names
    deadline = time.monotonic() + 2
    while threading.active_count() > before and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert threading.active_count() == before
    assert closed == [True]


async def test_an_async_generator_is_closed(player):
    closed = []

    async def draw():
        try:
            async for picture in numbered_async(1000):
                yield picture
        finally:
            closed.append(True)

    played = await player(video_from(draw, fps=30)).start().run(0.5)
    await played.stop()
    for _ in range(20):
        await asyncio.sleep(0)
    assert closed == [True]
    assert len(asyncio.all_tasks()) == 1


async def test_a_slow_generator_is_sent_as_it_comes():
    def draw():
        for picture in numbered(4):
            time.sleep(0.1)
            yield picture

    source = video_from(draw, fps=30)
    times = []
    with pytest.raises(EndOfMedia):
        while True:
            frame = await asyncio.wait_for(source.video.read(), 5)
            times.append(float(frame.pts * frame.time_base))
    assert len(times) == 4
    assert min(np.diff(times)) > 0.05
    assert times[-1] == pytest.approx(0.3, abs=0.15)


async def test_late_pictures_are_dropped_for_the_newest(player):
    played = await player(video_from(numbered(200), fps=20)).start().run(1.0)
    seen = len(played.video.frames)
    played.clock.jump(3.0)
    await played.run(0.2)
    await played.stop()
    assert len(played.video.frames) - seen <= 7
    assert played.source.video.skipped >= 1
    assert played.video.times_s[seen + 1] > 3.9
    assert np.diff(played.video.times_s).min() > 0


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_error_in_the_generator_is_told(kind):
    def broken():
        yield from numbered(2)
        raise ZeroDivisionError("one over none")

    async def broken_async():
        for picture in broken():
            yield picture

    source = video_from(broken if kind == "sync" else broken_async)
    done = []
    source.on_done(lambda: done.append(source.error))
    source.start(ManualClock(autojump=True))
    assert read_counter(await source.video.read()) == 0
    assert read_counter(await source.video.read()) == 1
    with pytest.raises(MediaError, match="ZeroDivisionError: one over none"):
        await asyncio.wait_for(source.video.read(), 5)
    assert isinstance(source.error, MediaError)
    assert done == [source.error]
    with pytest.raises(EndOfMedia):
        await source.video.read()


async def test_a_wrong_picture_is_told():
    source = video_from([np.zeros((3, 240, 320), np.uint8)])
    with pytest.raises(MediaError, match="moveaxis"):
        await asyncio.wait_for(source.video.read(), 5)


def test_what_cannot_be_sent_is_refused_at_once():
    with pytest.raises(MediaError, match="fps"):
        video_from(numbered(1), fps=0)
    with pytest.raises(MediaError, match="int cannot be sent"):
        video_from(3)
    with pytest.raises(MediaError, match="cannot be sent"):
        video_from(np.zeros((240, 320, 3), np.uint8))
    with pytest.raises(MediaError, match="sample_rate_hz"):
        audio_from(np.zeros(10), 0)
    with pytest.raises(MediaError, match="not sound"):
        audio_from(np.zeros((10, 9)), 48000)


def pieces(samples, sizes=(1, 37, 5000, 160, 0, 900)):
    start, number = 0, 0
    while start < len(samples):
        size = sizes[number % len(sizes)]
        yield samples[start : start + size]
        start, number = start + size, number + 1


async def pieces_async(samples):
    for piece in pieces(samples):
        yield piece


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("form", ["array", "int16", "stereo", "generator", "async", "list"])
async def test_sound_of_every_form_and_rate(form, rate_hz, player):
    samples = tone_samples(2.0, rate_hz)
    given = {
        "array": lambda: samples,
        "int16": lambda: (samples * 32767).astype(np.int16),
        "stereo": lambda: np.stack((samples, samples), axis=1),
        "generator": lambda: pieces(samples),
        "async": lambda: pieces_async(samples),
        "list": lambda: list(pieces(samples)),
    }[form]()
    source = audio_from(given, rate_hz)
    if form in ("array", "int16", "stereo"):
        assert source.duration_s == pytest.approx(2.0)
    played = await player(source).start().run()
    assert len(played.audio.frames) == pytest.approx(100, abs=1)
    assert np.allclose(np.diff(played.audio.times_s), 0.02, atol=1e-9)
    steady = played.audio.samples[4800:90000]
    assert dominant_frequency(steady) == pytest.approx(TONE_HZ, abs=0.5)
    assert np.sqrt((steady**2).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.02)
    assert np.abs(steady[:, 0] - steady[:, 1]).max() < 1e-3


async def test_slow_sound_leaves_a_gap_and_no_burst():
    def play():
        for piece in np.split(tone_samples(0.4), 4):
            time.sleep(0.2)
            yield piece

    source = audio_from(play(), 48000)
    times = []
    with pytest.raises(EndOfMedia):
        while True:
            frame = await asyncio.wait_for(source.audio.read(), 5)
            times.append(float(frame.pts * frame.time_base))
    assert len(times) == 20
    assert min(np.diff(times)) >= 0.02 - 1e-9
    assert times[-1] > 0.6
