"""What is pushed is what is in the file: length, pictures, tone; in every container."""

from __future__ import annotations

import asyncio
import threading
import time

import av
import numpy as np
import pytest
from encoded_frames import SMALL, VGA, pictures, sound
from media_files import TONE_HZ, dominant_frequency, read_counter, tone_samples
from recorded import ZERO_S, assert_good_file, record, shown, tracks

from xnb.errors import RecordingError
from xnb.media import avc
from xnb.media.encoded import EncodedFrame
from xnb.media.recorder import Recorder
from xnb.recording import Recording

BOTH = ["call.mp4", "call.webm", "call.mkv"]


@pytest.mark.parametrize(
    ("name", "codec", "in_file"),
    [
        ("call.mp4", "vp8", "vp8"),
        ("call.mp4", "h264", "h264"),
        ("call.webm", "vp8", "vp8"),
        ("call.webm", "h264", "vp8"),
        ("call.mkv", "vp8", "vp8"),
        ("call.mkv", "h264", "h264"),
    ],
)
async def test_sound_and_pictures(name, codec, in_file, tmp_path):
    path = tmp_path / name
    recorded = await record(path, pictures(3, codec=codec), sound(tone_samples(3)))
    assert (recorded.audio, recorded.video) == (True, True)
    assert (recorded.frames, recorded.dropped) == (90, 0)
    assert recorded.size == SMALL
    assert recorded.size_bytes == path.stat().st_size
    recording = assert_good_file(path, 3)
    assert tracks(path) == [("video", in_file, ""), ("audio", "opus", "")]
    seen = shown(recording)
    assert [number for number, _ in seen] == list(range(90))
    assert [time_s for _, time_s in seen] == pytest.approx([n / 30 for n in range(90)], abs=0.0011)
    samples = recording.audio()
    assert len(samples) / 48000 == pytest.approx(3, abs=0.01)
    assert dominant_frequency(samples[9600:134400]) == pytest.approx(TONE_HZ, abs=0.5)
    assert np.sqrt((samples[9600:134400] ** 2).mean()) == pytest.approx(0.212, rel=0.05)


@pytest.mark.parametrize("name", ["call.mp4", "call.webm", "call.mkv"])
async def test_nothing_is_encoded_again(name, tmp_path):
    """The packets in the file are those that came, byte by byte."""
    path = tmp_path / name
    seen, heard = pictures(1), sound(tone_samples(1))
    await record(path, seen, heard)
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(container.streams.video[0]) if p.size]
    assert packets == [frame.data for _, frame in seen]
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]
    assert packets == [frame.data for _, frame in heard]


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.opus", "a.m4a", *BOTH])
async def test_sound_alone(name, tmp_path):
    recorded = await record(tmp_path / name, sound(tone_samples(2)))
    assert (recorded.audio, recorded.video, recorded.size) == (True, False, None)
    recording = assert_good_file(tmp_path / name, 2)
    assert not recording.has_video
    assert dominant_frequency(recording.audio()[9600:86400]) == pytest.approx(TONE_HZ, abs=0.5)


@pytest.mark.parametrize("name", BOTH)
async def test_pictures_alone_though_sound_was_expected(name, tmp_path):
    recorded = await record(tmp_path / name, pictures(1.5))
    assert (recorded.audio, recorded.video) == (False, True)
    recording = assert_good_file(tmp_path / name, 1.5)
    assert not recording.has_audio
    assert [number for number, _ in shown(recording)] == list(range(45))


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_pictures_begin_at_a_keyframe_that_was_asked_for(name, codec, tmp_path):
    frames = pictures(2, codec=codec, gop=30)[10:]
    asked = []
    path = tmp_path / name
    await record(path, frames, sound(tone_samples(2)), keyframe_needed=asked.append)
    assert asked == ["remote"]
    recording = assert_good_file(path, 2)
    seen = shown(recording)
    assert seen[0] == (30, pytest.approx(1, abs=0.01))
    assert [number for number, _ in seen] == list(range(30, 60))


async def test_h264_begins_where_its_parameter_sets_are(tmp_path):
    """A keyframe without them is none, and another one is asked for."""
    frames = pictures(2, codec="h264", gop=30)
    time_s, first = frames[0]
    shown_part = avc.without_parameter_sets(avc.units(first.data))
    bare = b"".join(b"\0\0\0\1" + unit for unit in shown_part)
    frames[0] = (time_s, first._replace(data=bare))
    asked = []
    recorder = Recorder(tmp_path / "a.mkv", audio=False, video=True, keyframe_needed=asked.append)
    for time_s, frame in frames[:10]:
        recorder.push("remote", frame, ZERO_S + time_s)
    await asyncio.sleep(0.6)
    for time_s, frame in frames[10:]:
        recorder.push("remote", frame, ZERO_S + time_s)
    await recorder.finish()
    assert asked == ["remote"]
    numbers = [number for number, _ in shown(assert_good_file(tmp_path / "a.mkv", 1))]
    assert numbers == list(range(30, 60))


@pytest.mark.parametrize("name", BOTH)
async def test_streams_that_begin_late_begin_late(name, tmp_path):
    path = tmp_path / name
    await record(path, pictures(2, start_s=0.7), sound(tone_samples(2.7)))
    assert shown(assert_good_file(path, 2.7))[0] == (0, pytest.approx(0.7, abs=0.01))

    path = tmp_path / f"sound-{name}"
    await record(path, pictures(2), sound(tone_samples(1.3), start_s=0.7))
    samples = assert_good_file(path, 2).audio()
    onset = int(np.flatnonzero(np.abs(samples[:, 0]) > 0.1)[0])
    assert onset / 48000 == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_the_last_picture_stands(name, codec, tmp_path):
    """While the camera is off, and until the end of the sound."""
    path = tmp_path / name
    early = pictures(1, codec=codec)
    late = pictures(1, codec=codec, start_s=3.5, first=105, timestamp=9)
    await record(path, early, late, sound(tone_samples(6)))
    recording = assert_good_file(path, 6)
    assert [number for number, _ in shown(recording)] == [*range(30), *range(105, 135)]
    assert read_counter(recording.frame_at(2.5).image) == 29
    assert read_counter(recording.frame_at(3.61).image) == 108
    assert read_counter(recording.frame_at(5.9).image) == 134


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_a_size_change_goes_on(name, codec, tmp_path):
    path = tmp_path / name
    larger = pictures(1, codec=codec, start_s=1, size=VGA, first=30)
    again = pictures(1, codec=codec, start_s=2, size=SMALL, first=60)
    await record(path, pictures(1, codec=codec), larger, again, sound(tone_samples(3)))
    recording = assert_good_file(path, 3)
    assert [number for number, _ in shown(recording)] == list(range(90))
    sizes = [(frame.width, frame.height) for frame in recording.frames()]
    if (name, codec) == ("call.webm", "h264"):
        assert set(sizes) == {SMALL}
    else:
        assert [*dict.fromkeys(sizes)] == [SMALL, VGA]
        assert sizes[::30] == [SMALL, VGA, SMALL]


@pytest.mark.parametrize("name", BOTH)
async def test_a_codec_change_is_encoded_again_in_the_largest_size(name, tmp_path):
    path = tmp_path / name
    later = pictures(1, codec="h264", start_s=1, size=VGA, first=30)
    await record(path, pictures(1), later, sound(tone_samples(2)))
    recording = assert_good_file(path, 2)
    assert [kind for kind, _, _ in tracks(path)] == ["video", "audio"]
    assert [number for number, _ in shown(recording)] == list(range(60))
    assert {(frame.width, frame.height) for frame in recording.frames()} == {VGA}


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_a_damaged_picture_costs_only_itself(codec, tmp_path):
    frames = pictures(2, codec=codec, gop=30)
    time_s, frame = frames[20]
    frames[20] = (time_s, frame._replace(data=b"\0\0\1" + bytes(range(7, 250))))
    path = tmp_path / "call.mkv"
    await record(path, frames, sound(tone_samples(2)))
    numbers = [number for number, _ in shown(assert_good_file(path, 2))]
    assert numbers[:20] == list(range(20))
    assert numbers[-30:] == list(range(30, 60))


async def test_what_is_not_asked_for_is_not_recorded(tmp_path):
    mine = (pictures(1, first=50), sound(tone_samples(1, frequency_hz=900)))
    theirs = (pictures(1), sound(tone_samples(1)))
    for sides, frequency_hz, first in (("remote", 600, 0), ("local", 900, 50)):
        path = tmp_path / f"{sides}.mkv"
        await record(path, *theirs, local=mine, sides=sides)
        recording = assert_good_file(path, 1)
        assert len(tracks(path)) == 2
        assert dominant_frequency(recording.audio()[9600:]) == pytest.approx(frequency_hz, abs=1)
        assert shown(recording)[0][0] == first


async def test_a_disk_that_stands_still_costs_frames_and_no_memory(tmp_path, monkeypatch):
    from xnb.media.parts import PartWriter

    wait = threading.Event()
    flush = PartWriter.flush

    def stuck(self, **options):
        wait.wait(20)
        flush(self, **options)

    monkeypatch.setattr(PartWriter, "flush", stuck)
    asked = []
    recorder = Recorder(tmp_path / "a.mkv", audio=True, video=True, keyframe_needed=asked.append)
    frames = pictures(1, gop=15)
    recorder.push("remote", frames[0][1], ZERO_S)
    await asyncio.sleep(0.5)
    padding = bytes(1 << 20)
    begun_s = time.process_time()
    for n, (_, frame) in enumerate(frames[1:] * 4, start=1):
        recorder.push("remote", frame._replace(data=frame.data + padding), ZERO_S + n / 30)
    assert time.process_time() - begun_s < 0.5
    assert 64 <= len(recorder._frames) <= 70
    assert recorder.dropped > 0
    wait.set()
    recorded = await recorder.finish()
    assert asked
    assert recorded.frames + recorded.dropped < 30 * 4
    numbers = [number for number, _ in shown(Recording(recorded.path))]
    assert numbers[:30] == list(range(30))


async def test_nothing_arrived(tmp_path):
    threads = threading.active_count()
    recorder = Recorder(tmp_path / "nothing.mp4", audio=True, video=True)
    with pytest.raises(RecordingError, match="Nothing arrived"):
        await recorder.finish()
    with pytest.raises(RecordingError, match="Nothing arrived"):
        recorder.stop().result(1)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads


async def test_pictures_without_a_keyframe_are_nothing(tmp_path):
    with pytest.raises(RecordingError, match="Nothing arrived"):
        await record(tmp_path / "nothing.mp4", pictures(1)[1:])
    assert list(tmp_path.iterdir()) == []


async def test_stopping_twice_gives_the_same_file_and_ends_the_thread(tmp_path):
    threads = threading.active_count()
    recorder = Recorder(tmp_path / "a.wav", audio=True, video=False)
    heard = sound(tone_samples(0.5))
    for time_s, frame in heard:
        recorder.push("remote", frame, time_s)
    assert repr(recorder) == "<Recorder a.wav: audio, open>"
    first, second = recorder.stop(), recorder.stop()
    recorder.push("remote", heard[0][1], 9.0)
    assert first.result(5) is second.result(5)
    assert (await recorder.finish()).duration_s == pytest.approx(0.5, abs=0.01)
    assert repr(recorder) == "<Recorder a.wav: audio, finished>"
    deadline = time.monotonic() + 2
    while threading.active_count() > threads and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("missing/call.mp4", {}, "folder missing does not exist"),
        ("call.avi", {}, r"Use \.wav"),
        ("call", {}, "suffix"),
        ("call.wav", {}, "sound only"),
        ("call.mp4", {"audio": False, "video": False}, "Nothing is to be recorded"),
        ("folder.mp4", {}, "is a folder"),
    ],
)
def test_what_cannot_be_recorded_is_refused_at_once(name, options, words, tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(RecordingError, match=words):
        Recorder(tmp_path / name, **{"audio": True, "video": True, **options})
    assert [p.name for p in tmp_path.iterdir()] == ["folder.mp4"]


async def test_one_file_is_recorded_once_at_a_time(tmp_path):
    recorder = Recorder(tmp_path / "a.wav", audio=True, video=False)
    with pytest.raises(RecordingError, match="being recorded already"):
        Recorder(tmp_path / "a.wav", audio=True, video=False)
    with pytest.raises(RecordingError, match="Nothing arrived"):
        await recorder.finish()
    recorded = await record(tmp_path / "a.wav", sound(tone_samples(0.2)))
    again = await record(tmp_path / "a.wav", sound(tone_samples(0.4)))
    assert recorded.duration_s == pytest.approx(0.2, abs=0.01)
    assert again.duration_s == pytest.approx(0.4, abs=0.01)


async def test_a_failing_disk_is_told_and_what_came_before_is_kept(tmp_path, monkeypatch):
    from xnb.media.matroska import MatroskaWriter

    write = MatroskaWriter.write

    def broken(self, blocks):
        if blocks[-1].time_s > 1.0:
            raise OSError(28, "No space left on device")
        write(self, blocks)

    monkeypatch.setattr(MatroskaWriter, "write", broken)
    recorder = Recorder(tmp_path / "full.mp4", audio=False, video=True)
    for time_s, frame in pictures(1):
        recorder.push("remote", frame, ZERO_S + time_s)
    await asyncio.sleep(1.2)
    for time_s, frame in pictures(1, start_s=1):
        recorder.push("remote", frame, ZERO_S + time_s)
    with pytest.raises(RecordingError, match=r"ends early, after 1\.0 s.*No space left"):
        await recorder.finish()
    recording = assert_good_file(tmp_path / "full.mp4", 1.0)
    assert [number for number, _ in shown(recording)] == list(range(30))


async def test_an_unknown_codec_says_which_are_known(tmp_path):
    one = EncodedFrame("video", "vp9", b"\x82\x49\x83\x42", 0, True)
    with pytest.raises(RecordingError, match=r"codec vp9 cannot be recorded.*vp8"):
        await record(tmp_path / "a.mkv", [(0.0, one)])
