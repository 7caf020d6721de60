"""Both sides of a call in one file: tracks in Matroska, a mix elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from encoded_frames import SMALL, VGA, pictures, sound
from media_files import dominant_frequency, read_counter, tone_samples
from recorded import assert_good_file, onsets, record, shown, tracks

from xnb.recording import Recording

THEIRS_HZ, MINE_HZ = 600, 900


def theirs(seconds=3.0, **options):
    return pictures(seconds, **options), sound(tone_samples(seconds, frequency_hz=THEIRS_HZ))


def mine(seconds=3.0, *, start_s=0.0, **options):
    heard = sound(tone_samples(seconds, frequency_hz=MINE_HZ), start_s=start_s)
    return pictures(seconds, first=100, start_s=start_s, **options), heard


def assert_mixed(samples, begin_s=0.2):
    """The far end left, this side right, and nothing of one in the other."""
    for channel, right_hz, wrong_hz in ((0, THEIRS_HZ, MINE_HZ), (1, MINE_HZ, THEIRS_HZ)):
        part = samples[int(begin_s * 48000) : int((begin_s + 2) * 48000), channel]
        assert dominant_frequency(part) == pytest.approx(right_hz, abs=1)
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        share = spectrum[wrong_hz * 2 - 4 : wrong_hz * 2 + 5].max() / spectrum.max()
        assert share < 0.02


async def test_four_tracks_in_matroska(tmp_path):
    path = tmp_path / "both.mkv"
    recorded = await record(path, *theirs(), local=mine(codec="h264", size=VGA))
    assert recorded.frames == 180
    assert_good_file(path, 3)
    assert tracks(path) == [
        ("video", "vp8", "remote picture"),
        ("video", "h264", "local picture"),
        ("audio", "opus", "remote sound"),
        ("audio", "opus", "local sound"),
    ]
    import av

    for index, first in ((0, 0), (1, 100)):
        with av.open(str(path)) as container:
            frames = container.decode(container.streams.video[index])
            numbers = [read_counter(frame.to_ndarray(format="rgb24")) for frame in frames]
        assert numbers == list(range(first, first + 90))
    for index, frequency_hz in ((0, THEIRS_HZ), (1, MINE_HZ)):
        with av.open(str(path)) as container:
            decoded = container.decode(container.streams.audio[index])
            samples = np.concatenate([frame.to_ndarray()[0] for frame in decoded])
        assert dominant_frequency(samples[9600:]) == pytest.approx(frequency_hz, abs=1)


@pytest.mark.parametrize("name", ["both.webm", "both.mp4"])
async def test_side_by_side_elsewhere(name, tmp_path):
    path = tmp_path / name
    await record(path, *theirs(size=VGA), local=mine(codec="h264", size=SMALL))
    recording = assert_good_file(path, 3)
    assert [kind for kind, _, _ in tracks(path)] == ["video", "audio"]
    assert (recording.width, recording.height) == (1280, 480)
    seen = [
        (read_counter(frame.image[:, :640]), read_counter(frame.image[:, 640:]), frame.time_s)
        for frame in recording.frames()
    ]
    assert len(seen) == pytest.approx(90, abs=2)
    for left, right, time_s in seen[1:]:
        assert left == pytest.approx(time_s * 30, abs=1.1)
        assert right == pytest.approx(time_s * 30 + 100, abs=1.1)
    assert_mixed(recording.audio())


@pytest.mark.parametrize("name", ["both.wav", "both.ogg", "both.m4a"])
async def test_stereo_mix(name, tmp_path):
    path = tmp_path / name
    heard, said = theirs()[1], mine()[1]
    await record(path, heard, local=(said,))
    recording = assert_good_file(path, 3)
    assert_mixed(recording.audio())


@pytest.mark.parametrize("name", ["late.wav", "late.mp4"])
async def test_a_side_that_begins_later_is_in_its_place(name, tmp_path):
    path = tmp_path / name
    await record(path, *theirs(4.0), local=mine(2.0, start_s=1.5))
    recording = assert_good_file(path, 4)
    samples = recording.audio()
    assert onsets(samples[:, 1], [1.5])[0] == pytest.approx(1.5, abs=0.01)
    assert np.abs(samples[: int(1.4 * 48000), 1]).max() < 0.01
    if recording.has_video:
        early = recording.frame_at(1.0).image[:, 320:]
        assert early.mean() < 3
        assert read_counter(recording.frame_at(2.52).image[:, 320:]) == pytest.approx(130, abs=1)
        assert read_counter(recording.frame_at(3.9).image[:, 320:]) == 159


@pytest.mark.parametrize("name", ["one.webm", "one.mp4", "one.mkv", "one.ogg"])
async def test_the_side_that_came_alone_is_copied(name, tmp_path):
    path = tmp_path / name
    await record(path, local=mine(), sides="both")
    recording = assert_good_file(path, 3)
    assert dominant_frequency(recording.audio()[9600:]) == pytest.approx(MINE_HZ, abs=1)
    if recording.has_video:
        assert (recording.width, recording.height) == SMALL
        assert [number for number, _ in shown(recording)] == list(range(100, 190))


async def test_sound_of_both_and_the_picture_of_one(tmp_path):
    path = tmp_path / "call.mp4"
    await record(path, *theirs(), local=(mine()[1],))
    recording = assert_good_file(path, 3)
    assert tracks(path) == [("video", "vp8", ""), ("audio", "opus", "")]
    assert [number for number, _ in shown(recording)] == list(range(90))
    assert_mixed(Recording(path).audio())


async def test_another_shape_gets_black_bars(tmp_path):
    wide = pictures(1, codec="h264", size=(640, 320), start_s=1, first=9)
    path = tmp_path / "bars.webm"
    await record(path, pictures(1, size=VGA), wide, sound(tone_samples(2)))
    image = assert_good_file(path, 2).frame_at(1.51).image
    assert image.shape == (480, 640, 3)
    assert image[:72].mean() < 8
    assert image[-72:].mean() < 8
    assert read_counter(image[80:400]) == pytest.approx(24, abs=1)
