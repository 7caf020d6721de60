"""Pictures and sound that a program hands in one by one."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest
from live_reading import read_some
from media_files import TONE_HZ, dominant_frequency, read_counter, tone_samples

import xnb
from xnb.errors import MediaError
from xnb.media.testcard import CardPainter


async def test_what_is_pushed_is_sent_the_newest_first() -> None:
    card = CardPainter(320, 240, 30)
    source = xnb.pushed()
    reading = asyncio.ensure_future(read_some(source.video, 20))
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.wait(0.005):  # faster than 30 a second
            source.push(card.draw(number).to_ndarray(format="rgb24"))
            number += 1

    worker = threading.Thread(target=work)
    worker.start()
    pictures = await reading
    stop.set()
    worker.join()
    counters = [read_counter(frame) for frame in pictures.frames]
    assert counters == sorted(set(counters))
    assert source.dropped > 20
    assert pictures.at_s[-1] - pictures.at_s[0] > 0.5, "at most 30 pictures a second"
    source.close()
    with pytest.raises(MediaError, match="over"):
        source.push(np.zeros((20, 20, 3), np.uint8))


async def test_sound_keeps_its_order_and_ends_when_told() -> None:
    source = xnb.pushed(video=False, audio=True, sample_rate_hz=16_000)
    for piece in np.array_split(tone_samples(1, 16_000), 7):
        source.push_sound(piece)
    source.finish()
    start_s = time.monotonic()
    sound = await read_some(source.audio, 1000)
    assert sound.ended
    assert len(sound.frames) == pytest.approx(50, abs=2)
    assert time.monotonic() - start_s > 0.8
    assert dominant_frequency(sound.samples) == pytest.approx(TONE_HZ, abs=4)
    assert source.dropped == 0


def test_what_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(MediaError, match=r"no audio.*pushed\(audio=True\)"):
        xnb.pushed().push_sound(np.zeros(10))
    with pytest.raises(MediaError, match="neither picture nor sound"):
        xnb.pushed(video=False)
    with pytest.raises(MediaError, match="A picture is needed, not str"):
        xnb.pushed().push("no")
