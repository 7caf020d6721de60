"""What is sent: a busy encoder, one clock for a source's tracks, packets beside pictures."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import make

from xnb.engine.coders.video_encoder import VideoEncoder
from xnb.engine.peer import Peer
from xnb.engine.send_clock import REANCHOR_S, SendClock
from xnb.media import synthetic
from xnb.media.files import FileSource
from xnb.media.frames import VideoFrame
from xnb.media.source import SourceTrack
from xnb.media.testcard import read_counter


async def join(a: Peer, b: Peer) -> None:
    await b.apply_offer(await a.make_offer(video=True))
    await a.apply_answer(await b.make_answer())
    await asyncio.gather(a.wait_connected(), b.wait_connected())


@pytest.fixture
async def pair():
    a, b = Peer(), Peer()
    await join(a, b)
    yield a, b
    await asyncio.gather(a.close(), b.close())


async def test_a_busy_encoder_drops_pictures_rather_than_delaying_them(pair, monkeypatch):
    a, b = pair
    encode = VideoEncoder.encode

    def slow(self, frame, *, keyframe=False):
        time.sleep(0.1)
        return encode(self, frame, keyframe=keyframe)

    monkeypatch.setattr(VideoEncoder, "encode", slow)
    source = synthetic.testcard(160, 120, fps=30)
    taken: dict[int, float] = {}
    a.video_out.on_frame(
        lambda frame: taken.setdefault(read_counter(VideoFrame(frame, 0).image), time.monotonic())
    )
    seen: list[tuple[int, float]] = []
    b.video_in.on_frame(
        lambda frame, time_s: seen.append(
            (read_counter(VideoFrame(frame, time_s).image), time.monotonic())
        )
    )
    a.video_out.play(source.video)
    await asyncio.sleep(4)
    source.close()
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 50
    assert a.video_out.skipped > 50
    delays = [at - taken[number] for number, at in seen[5:]]
    # One picture waits while one is encoded: two encodings, however long it goes on.
    assert np.median(delays) < 0.3
    assert max(delays[-5:]) < 0.4


def test_tracks_of_one_source_stand_on_one_line():
    clock = SendClock()
    first = clock.captured_s("film", 5.0)
    assert clock.captured_s("film", 5.5) == pytest.approx(first + 0.5)
    assert clock.captured_s("other", 100.0) == pytest.approx(time.monotonic(), abs=0.1)
    late = clock.captured_s("film", 5.0 - 2 * REANCHOR_S)
    assert late == pytest.approx(time.monotonic(), abs=0.1)
    assert clock.captured_s("film", None) == pytest.approx(time.monotonic(), abs=0.1)


class Blocks(SourceTrack):
    """20 ms blocks of a constant, due one after the other, with times from ``start_s``."""

    kind = "audio"

    def __init__(self, start_s: float = 0.0) -> None:
        self._number = 0
        self._start_s = start_s
        self._began_s = time.monotonic()

    async def read(self) -> av.AudioFrame:
        due_s = self._began_s + self._number * 0.02
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        samples = np.full((1, 1920), 1000, np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate = 48_000
        frame.pts = round((self._start_s + self._number * 0.02) * 48_000)
        frame.time_base = Fraction(1, 48_000)
        self._number += 1
        return frame

    def close(self) -> None:
        pass


@pytest.mark.alone
async def test_changing_the_source_does_not_shift_the_sound_for_good(pair):
    a, _ = pair
    sent = []
    a.audio_out.on_encoded(lambda frame, time_s: sent.append((time_s, time.monotonic())))
    for start_s in (0.0, 3.3, 7.7, 1.234):
        a.audio_out.play(Blocks(start_s))
        await asyncio.sleep(0.35)
    late = [now - time_s for time_s, now in sent]
    assert len(late) > 50
    assert max(late) - min(late) < 0.015
    times = [time_s for time_s, _ in sent]
    assert min(np.diff(times)) > 0.018


async def test_packets_of_a_file_and_pictures_take_turns_whole(pair, tmp_path):
    a, b = pair
    path = make("clip.webm", tmp_path)
    film = FileSource.open(path, loop=True)
    numbers: list[tuple[int, int]] = []
    b.video_in.on_frame(
        lambda frame, time_s: numbers.append(
            (frame.width, read_counter(VideoFrame(frame, time_s).image))
        )
    )
    card = synthetic.testcard(160, 120)
    a.video_out.play(film.video)
    await asyncio.sleep(1.5)
    assert a.video_out.bitrate_bps is None  # passed through: there is no encoder
    a.video_out.play(card.video)
    await asyncio.sleep(1.0)
    assert a.video_out.bitrate_bps is not None
    a.video_out.muted = True
    await asyncio.sleep(0.4)
    a.video_out.play(film.video)
    a.video_out.muted = False
    await asyncio.sleep(2.0)
    widths = [width for width, _ in numbers]
    assert 160 in widths
    assert None not in [number for _, number in numbers]
    changes = sum(one != other for one, other in zip(widths, widths[1:], strict=False))
    assert changes == 2
    film.close()
    card.close()
