"""The test card counts, the tones are in tune, and a late reader gets no burst."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import dominant_frequency

from xnb.errors import MediaError
from xnb.media import synthetic
from xnb.media.clock import ManualClock
from xnb.media.source import EndOfMedia
from xnb.media.testcard import CardPainter, read_counter


@pytest.mark.parametrize("size", [(640, 480), (320, 240), (160, 120), (1280, 720), (854, 480)])
@pytest.mark.parametrize("number", [0, 1, 77, 12_345, 2**24 - 1])
def test_the_counter_can_be_read_in_every_size(size, number):
    frame = CardPainter(*size, 30).draw(number)
    assert (frame.width, frame.height, frame.format.name) == (*size, "yuv420p")
    assert read_counter(frame) == number
    assert read_counter(frame.to_ndarray(format="rgb24")) == number
    assert read_counter(frame.reformat(640, 480)) == number


@pytest.mark.parametrize("codec", ["libvpx", "libx264"])
def test_the_counter_survives_coding_at_a_low_rate(codec):
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 480, "yuv420p"
    encoder.bit_rate, encoder.framerate = 200_000, 30
    encoder.time_base = Fraction(1, 30)
    encoder.options = (
        {"deadline": "realtime", "cpu-used": "8"} if codec == "libvpx" else {"preset": "ultrafast"}
    )
    decoder = av.CodecContext.create("vp8" if codec == "libvpx" else "h264", "r")
    card, seen = CardPainter(640, 480, 30), []
    packets = []
    for number in range(20):
        frame = card.draw(number)
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    for packet in packets:
        seen += [read_counter(frame) for frame in decoder.decode(packet)]
    seen += [read_counter(frame) for frame in decoder.decode(None)]
    assert seen == list(range(20))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 255, np.uint8),
        np.full((480, 640), 128, np.uint8),
        np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8),
        np.zeros((2, 2, 3), np.uint8),
    ],
    ids=["black", "white", "gray", "noise", "tiny"],
)
def test_other_pictures_have_no_counter(image):
    assert read_counter(image) is None


def test_frames_differ_below_the_counter():
    card = CardPainter(640, 480, 30)
    first, second = (card.draw(n).to_ndarray(format="rgb24")[20:].astype(int) for n in (10, 20))
    assert np.abs(first - second).mean() > 0.3
    # Bars left to right: white first, blue last.
    row = first[60]
    assert row[40].min() > 150
    assert row[620][2] > 150
    assert row[620][0] < 60


def test_drawing_is_cheap():
    card = CardPainter(640, 480, 30)
    card.draw(0)
    begun = time.process_time()
    for number in range(60):
        card.draw(number)
    assert (time.process_time() - begun) / 60 < 0.004


async def read_sound(source, seconds):
    source.start(ManualClock(autojump=True))
    frames = [await source.audio.read() for _ in range(round(seconds * 50))]
    assert [frame.pts for frame in frames] == [960 * n for n in range(len(frames))]
    assert {(f.format.name, f.layout.name, f.sample_rate, f.samples) for f in frames} == {
        ("s16", "stereo", 48000, 960)
    }
    return np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in frames]) / 32768


@pytest.mark.parametrize("frequency_hz", [100.0, 440.0, 997.5, 5000.0])
async def test_a_tone_is_in_tune_and_without_a_seam(frequency_hz):
    samples = await read_sound(synthetic.tone(frequency_hz, 0.5), 3)
    assert dominant_frequency(samples) == pytest.approx(frequency_hz, abs=0.1)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.001)
    time_s = np.arange(len(samples)) / 48000
    assert np.abs(samples[:, 0] - 0.5 * np.sin(2 * np.pi * frequency_hz * time_s)).max() < 1e-3


async def test_silence_noise_and_music():
    assert not (await read_sound(synthetic.silence(), 0.5)).any()
    noise = await read_sound(synthetic.noise(0.1), 2)
    assert noise.std() == pytest.approx(0.1, rel=0.05)
    music = await read_sound(synthetic.music(), 9)
    assert 0.1 < np.abs(music).max() < 1
    semitones = 12 * np.log2(dominant_frequency(music[: 48000 * 2]) / 440)
    assert semitones == pytest.approx(round(semitones), abs=0.1)
    levels = np.sqrt((music.reshape(-1, 12000, 2) ** 2).mean(axis=(1, 2)))
    assert levels.min() > 0.01
    # The loop of eight seconds comes round without a jump.
    assert np.abs(np.diff(music[48000 * 8 - 100 : 48000 * 8 + 100, 0])).max() < 0.05


async def test_the_counter_is_spoken_once_a_second():
    samples = await read_sound(synthetic.spoken_counter(), 10)
    digits = samples[:, 0].reshape(10, 48000)
    assert np.abs(digits[:, :33600]).max(axis=1).min() > 0.2
    assert np.abs(digits[:, 38400:]).max() < 0.02
    different = [np.abs(np.abs(digits[a]) - np.abs(digits[b])).mean() for a, b in ((0, 1), (4, 7))]
    assert min(different) > 0.005


async def test_card_and_voice_keep_time_together(player):
    played = await player(synthetic.testcard(audio="counter")).start().run(2.5)
    await played.stop()
    numbers = [read_counter(frame) for frame in played.video.frames]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) == pytest.approx(75, abs=1)
    assert played.video.times_s == pytest.approx([n / 30 for n in numbers], abs=1e-4)
    assert np.abs(np.array(played.video.at_s) - played.video.times_s).max() < 1e-3
    assert len(played.audio.frames) == pytest.approx(125, abs=2)


@pytest.mark.parametrize("blocked_s", [5.0, 120.0])
async def test_a_blocked_reader_gets_no_burst(player, blocked_s):
    played = await player(synthetic.testcard()).start().run(1.0)
    seen, heard = len(played.video.frames), len(played.audio.frames)
    played.clock.jump(blocked_s)
    await played.run(0.1)
    await played.stop()
    assert len(played.video.frames) - seen <= 6
    assert len(played.audio.frames) - heard <= 9
    number = read_counter(played.video.frames[seen])
    assert number == pytest.approx((1 + blocked_s) * 30, abs=4)
    assert played.video.times_s[seen] == pytest.approx(number / 30, abs=0.001)
    assert played.source.video.skipped == pytest.approx(blocked_s * 30, abs=4)
    assert played.source.audio.skipped == pytest.approx(blocked_s * 50, abs=4)


async def test_a_short_delay_skips_nothing(player):
    played = await player(synthetic.testcard()).start().run(1.0)
    played.clock.jump(0.15)
    await played.run(1.0)
    await played.stop()
    assert played.source.skipped == 0
    assert np.allclose(np.diff(played.audio.times_s), 0.02, atol=1e-9)


async def test_pause_holds_the_picture(player):
    played = await player(synthetic.testcard(audio=None)).start().run(1.0)
    played.source.pause()
    await played.run(1.0)
    played.source.resume()
    await played.run(1.0)
    await played.stop()
    counters = [read_counter(frame) for frame in played.video.frames]
    assert counters == list(range(len(counters)))
    assert len(counters) == pytest.approx(60, abs=3)


async def test_closing_ends_the_reader():
    source = synthetic.tone()
    await source.audio.read()
    source.pause()
    reader = asyncio.create_task(source.audio.read())
    await asyncio.sleep(0.01)
    source.close()
    with pytest.raises(EndOfMedia):
        await asyncio.wait_for(reader, 1)
    assert source.done


def test_what_cannot_be_made_is_refused():
    with pytest.raises(MediaError, match="width"):
        synthetic.testcard(641, 480)
    with pytest.raises(MediaError, match="fps"):
        synthetic.testcard(fps=500)
    with pytest.raises(MediaError, match="audio"):
        synthetic.testcard(audio="loud")
    with pytest.raises(MediaError, match="level"):
        synthetic.tone(440, 2)
    with pytest.raises(MediaError, match="cannot seek"):
        synthetic.tone().seek(3)
