"""Files are sent whole, in step, on time; bad ones say what is wrong."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest
from media_files import (
    BROKEN,
    FACTS,
    TONE_HZ,
    dominant_frequency,
    luma,
    make,
    read_counter,
)

from xnb.errors import MediaError
from xnb.media.files import FileSource


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def onset_s(played, near_s: float) -> float:
    """When sound begins, in source time, within half a second around ``near_s``."""
    for time_s, frame in zip(played.times_s, played.arrays, strict=True):
        loud = np.flatnonzero(np.abs(frame[:, 0]) > 0.1)
        if time_s > near_s - 0.5 and len(loud):
            return time_s + int(loud[0]) / 48000
    raise AssertionError("no sound there")


@pytest.mark.parametrize("name", [name for name in FACTS if name != "damaged.webm"])
async def test_every_kind_of_file_is_sent_whole(name, folder, player):
    facts = FACTS[name]
    source = FileSource.open(make(name, folder))
    done = []
    source.on_done(lambda: done.append(1))
    played = await player(source).start().run()
    assert done == [1]
    assert source.done
    assert source.skipped == 0
    assert source.corrupted == 0
    assert bool(source.audio) is facts.audio
    assert bool(source.video) is bool(facts.fps)
    assert source.duration_s == pytest.approx(facts.duration_s or source.duration_s, abs=0.08)
    if facts.audio:
        for frame in played.audio.frames:
            assert (frame.format.name, frame.layout.name) == ("s16", "stereo")
            assert (frame.sample_rate, frame.samples) == (48000, 960)
        assert np.allclose(np.diff(played.audio.times_s), 0.02, atol=1e-9)
        if name not in ("speech.wav", "beeps.mp4"):
            steady = played.audio.samples[4800:43200]
            assert dominant_frequency(steady) == pytest.approx(TONE_HZ, abs=0.5)
            assert np.sqrt(np.mean(steady**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
        else:
            assert np.abs(played.audio.samples).max() > 0.1
    if facts.fps:
        frame = played.video.frames[0]
        assert frame.format.name == "yuv420p"
        assert (frame.width, frame.height) == facts.size
        if name != "rotated.mp4":
            counters = [read_counter(frame) for frame in played.video.frames]
            assert counters == list(range(len(counters)))
        assert len(played.video.frames) == pytest.approx(facts.fps * facts.duration_s, abs=1)
    ended_s = max(p.ended_at_s or 0 for p in (played.audio, played.video))
    assert ended_s == pytest.approx(source.duration_s, abs=0.08)


async def test_frames_are_given_out_when_they_are_due(folder, player):
    played = await player(FileSource.open(make("clip.mp4", folder))).start().run()
    for track in (played.audio, played.video):
        late = np.array(track.at_s) - np.array(track.times_s)
        assert late.min() >= -1e-6
        assert late.max() < 0.001


async def test_variable_frame_rate_is_kept(folder, player):
    from media_files import _uneven

    played = await player(FileSource.open(make("vfr.mp4", folder))).start().run()
    assert played.video.times_s == pytest.approx(_uneven(3.0), abs=0.002)


async def test_sound_and_picture_stay_in_step(folder, player):
    played = await player(FileSource.open(make("beeps.mp4", folder))).start().run()
    times_s = dict(zip(map(read_counter, played.video.frames), played.video.times_s, strict=True))
    for second in (1, 2, 3):
        assert times_s[second * 30] == pytest.approx(second, abs=0.002)
        assert onset_s(played.audio, second) == pytest.approx(second, abs=0.02)


async def test_sound_that_begins_later_is_sent_later(folder, player):
    played = await player(FileSource.open(make("late_audio.mkv", folder))).start().run()
    assert played.video.times_s[0] == pytest.approx(0, abs=0.002)
    assert onset_s(played.audio, 0.5) == pytest.approx(0.5, abs=0.02)


async def test_picture_goes_on_after_the_sound(folder, player):
    played = await player(FileSource.open(make("short_audio.mp4", folder))).start().run()
    assert played.audio.times_s[-1] == pytest.approx(1.0, abs=0.05)
    assert played.video.times_s[-1] == pytest.approx(89 / 30, abs=0.01)
    assert played.audio.ended_at_s == pytest.approx(played.video.ended_at_s, abs=0.06)


async def test_a_phone_s_picture_is_turned_upright(folder, player):
    lying = await player(FileSource.open(make("silent.mp4", folder))).start().run(0.2)
    await lying.stop()
    played = await player(FileSource.open(make("rotated.mp4", folder))).start().run()
    upright = luma(played.video.frames[0]).astype(int)
    original = luma(lying.video.frames[0]).astype(int)
    errors = {turns: np.abs(np.rot90(original, turns) - upright).mean() for turns in (1, 3)}
    # The matrix (0, 1, -1, 0) of ISO 14496-12, 6.2.2 turns by 90° clockwise.
    assert errors[3] < 3
    assert errors[1] > 20


async def test_a_damaged_file_is_sent_as_far_as_it_goes(folder, player):
    source = FileSource.open(make("damaged.webm", folder))
    played = await player(source).start().run()
    assert source.done
    assert source.error is None
    assert len(played.video.frames) > 30
    assert read_counter(played.video.frames[0]) == 0


async def test_a_truncated_file_ends_where_it_breaks(folder, player):
    source = FileSource.open(make("truncated.webm", folder))
    played = await player(source).start().run()
    assert source.done
    counters = [read_counter(frame) for frame in played.video.frames]
    assert counters == list(range(len(counters)))
    assert 20 < len(counters) < 80


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_media_is_refused_at_once(name, folder):
    before = threads()
    with pytest.raises(MediaError, match=name):
        FileSource.open(make(name, folder))
    assert threads() == before


def test_a_missing_file_and_a_folder_are_refused(folder):
    with pytest.raises(MediaError, match=r"no file nowhere\.mp4"):
        FileSource.open(folder / "nowhere.mp4")
    with pytest.raises(MediaError, match="is a folder"):
        FileSource.open(folder)


def test_the_error_says_what_is_in_the_file(folder):
    with pytest.raises(MediaError, match=r"wanted sound, found h264 video 320x240"):
        FileSource.open(make("silent.mp4", folder), video=False)
    with pytest.raises(MediaError, match=r"wanted a picture, found mp3.* audio 44\.1 kHz, a cover"):
        FileSource.open(make("cover.mp3", folder), audio=False)


async def test_pause_and_resume(folder, player):
    source = FileSource.open(make("clip.mp4", folder))
    played = await player(source).start().run(1.0)
    source.pause()
    assert source.paused
    before = len(played.video.frames), len(played.audio.frames)
    await played.run(2.0)
    assert (len(played.video.frames), len(played.audio.frames)) == before
    assert source.position_s == pytest.approx(1.0, abs=0.05)
    source.resume()
    await played.run()
    assert [read_counter(frame) for frame in played.video.frames] == list(range(90))
    assert source.skipped == 0
    assert played.video.ended_at_s == pytest.approx(5.0, abs=0.1)
    for track in (played.audio, played.video):
        assert np.diff(track.times_s).min() > 0
    gaps = np.diff(played.audio.times_s)
    assert gaps.max() == pytest.approx(2.02, abs=0.06)
    assert np.sort(gaps)[-2] == pytest.approx(0.02, abs=1e-9)


@pytest.mark.parametrize("target_s", [0.5, 2.21])
async def test_seek_goes_to_the_very_place(folder, player, target_s):
    source = FileSource.open(make("beeps.mp4", folder))
    played = await player(source).start().run(1.5)
    counted = len(played.video.frames)
    heard = len(played.audio.frames)
    source.seek(target_s)
    assert source.position_s == pytest.approx(target_s, abs=0.001)
    await played.run()
    after = played.video.frames[counted:]
    numbers = [read_counter(frame) for frame in after]
    assert numbers[0] == int(target_s * 30)
    assert numbers == list(range(numbers[0], 120))
    assert source.done
    # Time goes on rising; sound and picture of the new place are in step.
    for track in (played.audio, played.video):
        assert np.diff(track.times_s).min() > 0
    assert len(played.audio.frames) - heard == pytest.approx((4 - target_s) * 50, abs=3)
    three_s = played.video.times_s[counted + numbers.index(90)]
    assert onset_s(played.audio, three_s) == pytest.approx(three_s, abs=0.02)


async def test_seek_outside_of_the_file_is_refused(folder, player):
    source = FileSource.open(make("tone.wav", folder))
    with pytest.raises(MediaError, match=r"3\.0 s long"):
        source.seek(7)
    await player(source).start().run()
    with pytest.raises(MediaError, match="it is over"):
        source.seek(1)


async def test_seek_while_one_track_has_ended_brings_it_back(folder, player):
    source = FileSource.open(make("short_audio.mp4", folder))
    played = await player(source).start().run(2.0)
    heard = len(played.audio.frames)
    source.seek(0.2)
    await played.run()
    assert len(played.audio.frames) - heard == pytest.approx(40, abs=4)
    assert dominant_frequency(played.audio.samples[heard * 960 + 4800 :][:28800]) == pytest.approx(
        TONE_HZ, abs=1
    )


async def test_loop_has_no_seam(folder, player):
    source = FileSource.open(make("clip.mkv", folder), loop=True)
    assert source.duration_s is None
    assert source.length_s == pytest.approx(3.0, abs=0.05)
    played = await player(source).start().run(7.5)
    await played.stop()
    counters = [read_counter(frame) for frame in played.video.frames]
    expected = list(range(75)) * 3
    assert counters == expected[: len(counters)]
    assert len(counters) > 180
    assert np.allclose(np.diff(played.audio.times_s), 0.02, atol=1e-9)
    starts = [t for t, n in zip(played.video.times_s, counters, strict=True) if n == 0]
    assert np.diff(starts) == pytest.approx(source.length_s, abs=0.01)


async def test_a_blocked_reader_gets_no_burst(folder, player):
    source = FileSource.open(make("clip.mp4", folder))
    played = await player(source).start().run(1.0)
    played.clock.jump(1.2)
    seen, heard = len(played.video.frames), len(played.audio.frames)
    await played.run(0.1)
    assert len(played.video.frames) - seen <= 6
    assert len(played.audio.frames) - heard <= 9
    await played.run()
    assert read_counter(played.video.frames[seen]) == pytest.approx(2.2 * 30, abs=3)
    assert source.video.skipped == pytest.approx(36, abs=4)
    assert source.audio.skipped == pytest.approx(60, abs=5)
    assert played.video.ended_at_s == pytest.approx(3.0, abs=0.1)


async def test_a_cancelled_read_loses_nothing(folder):
    source = FileSource.open(make("tone.wav", folder))
    frames = []
    for _ in range(60):
        try:
            frames.append(await asyncio.wait_for(source.audio.read(), 0.003))
        except TimeoutError:
            continue
    source.close()
    times = [frame.pts for frame in frames]
    assert len(times) > 5
    assert times == [960 * number for number in range(len(times))]


async def test_closing_ends_thread_and_reader(folder):
    before = threads()
    source = FileSource.open(make("clip.mp4", folder))
    done = []
    source.on_done(lambda: done.append(1))
    await source.video.read()
    reader = asyncio.create_task(source.audio.read())
    await asyncio.sleep(0.1)
    reader.cancel()
    begun = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - begun < 0.5
    assert threads() == before
    assert done == [1]
    late = []
    source.on_done(lambda: late.append(1))
    assert late == [1]


async def test_closing_wakes_a_waiting_reader(folder):
    source = FileSource.open(make("clip.mp4", folder))
    await source.video.read()
    source.pause()
    from xnb.media.source import EndOfMedia

    reader = asyncio.create_task(source.video.read())
    await asyncio.sleep(0.05)
    source.close()
    with pytest.raises(EndOfMedia):
        await asyncio.wait_for(reader, 1)


async def test_one_track_may_go_unread(folder, player):
    source = FileSource.open(make("clip.mp4", folder))
    played = await player(source).start(video=False).run()
    assert source.done
    assert len(played.audio.frames) == pytest.approx(150, abs=2)


async def test_a_sound_alone_loops_without_a_seam(folder, player):
    source = FileSource.open(make("tone.wav", folder), loop=True)
    played = await player(source).start().run(7.0)
    assert source.position_s == pytest.approx(1.0, abs=0.05)
    played.clock.jump(31)
    heard = len(played.audio.frames)
    await played.run(1.0)
    await played.stop()
    samples = played.audio.samples
    # 3 s hold 1800 whole periods: the tone goes on through both seams.
    assert dominant_frequency(samples[: 48000 * 7]) == pytest.approx(TONE_HZ, abs=0.1)
    levels = np.sqrt((samples[: 960 * heard].reshape(-1, 960, 2) ** 2).mean(axis=(1, 2)))
    assert levels[1:].min() > 0.2
    assert np.allclose(np.diff(played.audio.times_s[:heard]), 0.02, atol=1e-9)
    assert played.audio.times_s[heard + 1] == pytest.approx(38, abs=0.2)
    assert len(played.audio.frames) - heard == pytest.approx(50, abs=8)
