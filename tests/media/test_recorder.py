"""What is pushed is what is in the file: length, pictures, tone, sync; whatever happens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
from media_files import TONE_HZ, beep_samples, dominant_frequency, read_counter, tone_samples

from xnb.errors import RecordingError
from xnb.media.frames import to_av_audio, to_rgb
from xnb.media.recorder import Recorder
from xnb.media.testcard import CardPainter
from xnb.recording import Recording

ZERO_S = 5000.0
CARDS = {size: CardPainter(*size, 30) for size in ((640, 480), (320, 240))}
BOTH = ["call.mp4", "call.webm", "call.mkv"]


def pictures(seconds, *, start_s=0.0, size=(640, 480), first=0):
    for number in range(first, first + round(seconds * 30)):
        yield start_s + (number - first) / 30, "video", CARDS[size].draw(number)


def sound(samples, *, start_s=0.0, rate_hz=48000):
    step = rate_hz // 50
    for start in range(0, len(samples), step):
        yield (
            start_s + start / rate_hz,
            "audio",
            to_av_audio(samples[start : start + step], rate_hz),
        )


async def record(path, *streams, jitter_s=0.0, **options):
    """Push everything in order of time, about as fast as the encoder goes."""
    random = np.random.default_rng(3)
    events = sorted((event for stream in streams for event in stream), key=lambda e: e[0])
    kinds = {kind for _, kind, _ in events}
    options = {"audio": "audio" in kinds, "video": "video" in kinds, **options}
    recorder = Recorder(path, **options)
    for time_s, kind, frame in events:
        shifted_s = ZERO_S + time_s + random.uniform(-jitter_s, jitter_s)
        getattr(recorder, f"push_{kind}")(frame, shifted_s)
        while len(recorder._video_frames) > 20 or len(recorder._audio_frames) > 200:
            await asyncio.sleep(0.005)
    return await recorder.finish()


def packet_times(path):
    times = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                times.setdefault(packet.stream.type, []).append(
                    (packet.dts, float(packet.pts * packet.time_base))
                )
    return times


def assert_good_file(path, expected_s):
    """Complete, strictly rising, as long as it should be by everyone's measure."""
    recording = Recording(path)
    assert recording.duration_s == pytest.approx(expected_s, abs=0.05)
    for packets in packet_times(path).values():
        assert np.diff([dts for dts, _ in packets]).min(initial=1) > 0
    leftovers = [p.name for p in Path(path).parent.iterdir() if ".part" in p.name]
    assert leftovers == []
    return recording


def shown(recording):
    return [(read_counter(frame.image), frame.time_s) for frame in recording.frames()]


@pytest.mark.parametrize("name", BOTH)
async def test_sound_and_pictures(name, tmp_path):
    path = tmp_path / name
    recorded = await record(path, pictures(3), sound(tone_samples(3)))
    assert (recorded.audio, recorded.video, recorded.frames, recorded.dropped) == (
        True,
        True,
        90,
        0,
    )
    assert recorded.size == (640, 480)
    assert recorded.size_bytes == path.stat().st_size
    assert recorded.duration_s == pytest.approx(3, abs=0.05)
    recording = assert_good_file(path, 3)
    seen = shown(recording)
    assert [number for number, _ in seen] == list(range(90))
    assert [time_s for _, time_s in seen] == pytest.approx([n / 30 for n in range(90)], abs=0.002)
    samples = recording.audio()
    assert len(samples) / 48000 == pytest.approx(3, abs=0.05)
    assert dominant_frequency(samples[9600:134400]) == pytest.approx(TONE_HZ, abs=0.5)
    assert np.sqrt((samples[9600:134400] ** 2).mean()) == pytest.approx(0.212, rel=0.1)


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.opus", "a.m4a", "a.mp4", "a.webm", "a.mkv"])
@pytest.mark.parametrize("rate_hz", [48000, 16000])
async def test_sound_alone(name, rate_hz, tmp_path):
    recorded = await record(
        tmp_path / name, sound(tone_samples(2, rate_hz), rate_hz=rate_hz), video=name == "a.mp4"
    )
    assert (recorded.audio, recorded.video, recorded.size) == (True, False, None)
    recording = assert_good_file(tmp_path / name, 2)
    assert not recording.has_video
    assert dominant_frequency(recording.audio()[9600:86400]) == pytest.approx(TONE_HZ, abs=0.5)


@pytest.mark.parametrize("name", BOTH)
async def test_pictures_alone_though_sound_was_expected(name, tmp_path):
    recorded = await record(tmp_path / name, pictures(1.5), audio=True)
    assert (recorded.audio, recorded.video) == (False, True)
    recording = assert_good_file(tmp_path / name, 1.5)
    assert not recording.has_audio
    assert [number for number, _ in shown(recording)] == list(range(45))


async def test_h264_or_vp8_in_mkv(tmp_path):
    for codec in ("h264", "vp8"):
        path = tmp_path / f"{codec}.mkv"
        await record(path, pictures(0.5), video_codec=codec)
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.codec.canonical_name == codec


@pytest.mark.parametrize("name", ["call.mp4", "call.webm"])
async def test_jitter_is_smoothed_and_sync_is_kept(name, tmp_path):
    path = tmp_path / name
    await record(path, pictures(4), sound(beep_samples(4)), jitter_s=0.012)
    recording = assert_good_file(path, 4)
    samples = np.abs(recording.audio()[:, 0])
    numbers = dict(shown(recording))
    for second in (1, 2, 3):
        window = samples[int((second - 0.5) * 48000) :]
        onset_s = second - 0.5 + int(np.flatnonzero(window > 0.1)[0]) / 48000
        # A jittering picture may itself be 12 ms off.
        assert onset_s - numbers[second * 30] == pytest.approx(0, abs=0.04)
        assert onset_s == pytest.approx(second, abs=0.03)
    # Smooth: the beep is one piece.
    beep = recording.audio()[int(2.02 * 48000) : int(2.08 * 48000)]
    assert dominant_frequency(beep) == pytest.approx(TONE_HZ, abs=3)


async def test_a_gap_in_the_sound_becomes_silence(tmp_path):
    path = tmp_path / "gap.wav"
    await record(
        path, sound(tone_samples(1)), sound(tone_samples(1), start_s=2.0), audio=True, video=False
    )
    samples = assert_good_file(path, 3).audio()
    assert np.abs(samples[int(1.01 * 48000) : int(1.99 * 48000)]).max() == 0
    assert dominant_frequency(samples[:48000]) == pytest.approx(TONE_HZ, abs=1)
    assert dominant_frequency(samples[96480:]) == pytest.approx(TONE_HZ, abs=1)


async def test_sound_that_comes_twice_is_kept_once(tmp_path):
    path = tmp_path / "twice.wav"
    recorder = Recorder(path, audio=True, video=False)
    for time_s, _, piece in (
        *sound(tone_samples(1)),
        *sound(tone_samples(0.5), start_s=0.3),
        *sound(tone_samples(0.5), start_s=1.0),
    ):
        recorder.push_audio(piece, ZERO_S + time_s)
    await recorder.finish()
    assert_good_file(path, 1.5)


async def test_a_steady_offset_is_worked_off(tmp_path):
    """The first frame came 40 ms late; twenty seconds on the sound is where it belongs."""
    path = tmp_path / "offset.wav"
    recorder = Recorder(path, audio=True, video=False)
    for number, (time_s, _, piece) in enumerate(sound(beep_samples(22))):
        recorder.push_audio(piece, ZERO_S + time_s + (0 if number else 0.04))
    await recorder.finish()
    samples = np.abs(Recording(path).audio()[:, 0])
    onset_s = 20.5 + int(np.flatnonzero(samples[int(20.5 * 48000) :] > 0.1)[0]) / 48000
    # Sample 0 of the file is the first frame's 40 ms.
    assert onset_s + 0.04 == pytest.approx(21, abs=0.012)


@pytest.mark.parametrize("name", BOTH)
async def test_streams_that_begin_late_begin_late(name, tmp_path):
    path = tmp_path / name
    await record(path, pictures(2, start_s=0.7), sound(tone_samples(2.7)))
    recording = assert_good_file(path, 2.7)
    assert shown(recording)[0] == (0, pytest.approx(0.7, abs=0.01))

    path = tmp_path / f"sound-{name}"
    await record(path, pictures(2), sound(tone_samples(1.3), start_s=0.7))
    samples = assert_good_file(path, 2).audio()
    onset = int(np.flatnonzero(np.abs(samples[:, 0]) > 0.1)[0])
    assert onset / 48000 == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize("name", BOTH)
async def test_a_camera_that_is_off_leaves_its_last_picture(name, tmp_path):
    path = tmp_path / name
    await record(
        path,
        pictures(1),
        pictures(1, start_s=3.5, first=105),
        sound(tone_samples(6)),
    )
    recording = assert_good_file(path, 6)
    seen = shown(recording)
    assert [n for n, _ in seen if n < 29] == list(range(29))
    assert read_counter(recording.frame_at(2.5).image) == 29
    assert read_counter(recording.frame_at(3.6).image) == 108
    assert read_counter(recording.frame_at(5.9).image) == 134
    assert seen[-1][1] > 5.9
    assert max(np.diff([t for _, t in seen])) < 1.6


@pytest.mark.parametrize("name", ["call.mp4", "call.webm"])
async def test_a_size_change_is_fitted_into_the_first_size(name, tmp_path):
    path = tmp_path / name
    await record(path, pictures(1), pictures(1, start_s=1, size=(320, 240), first=30))
    recording = assert_good_file(path, 2)
    assert (recording.width, recording.height) == (640, 480)
    assert [number for number, _ in shown(recording)] == list(range(60))


async def test_another_shape_gets_black_bars(tmp_path):
    wide = CardPainter(640, 320, 30)
    first = list(pictures(0.2, size=(320, 240)))
    await record(tmp_path / "bars.mp4", first, [(0.5, "video", wide.draw(9))])
    image = Recording(tmp_path / "bars.mp4").frame_at(0.5).image
    assert image.shape == (240, 320, 3)
    assert image[:36].mean() < 8
    assert image[-36:].mean() < 8
    assert read_counter(image[40:200]) == 9


async def test_pictures_out_of_order_never_turn_time_back(tmp_path):
    frames = list(pictures(1))
    frames[10], frames[11] = (frames[11][0], *frames[10][1:]), (frames[10][0], *frames[11][1:])
    recorder = Recorder(tmp_path / "order.mp4", audio=False, video=True)
    for time_s, _, frame in frames:
        recorder.push_video(frame, ZERO_S + time_s)
    recorder.push_video(frames[0][2], ZERO_S)
    recorded = await recorder.finish()
    assert recorded.dropped == 1
    recording = assert_good_file(tmp_path / "order.mp4", 1)
    assert len(shown(recording)) == 30


async def test_frames_pushed_are_not_changed(tmp_path):
    frame = CARDS[(640, 480)].draw(3)
    frame.pts = 4711
    before = to_rgb(frame).copy()
    piece = to_av_audio(tone_samples(0.02), 48000)
    piece.pts = 4711
    await record(tmp_path / "same.mp4", [(0, "video", frame)], [(0, "audio", piece)])
    assert frame.pts == piece.pts == 4711
    assert (to_rgb(frame) == before).all()


async def test_a_slow_encoder_drops_pictures_and_counts_them(tmp_path, monkeypatch):
    from xnb.media.parts import VideoPart

    write = VideoPart.write

    def slow(self, frame, time_s):
        time.sleep(0.01)
        write(self, frame, time_s)

    monkeypatch.setattr(VideoPart, "write", slow)
    recorder = Recorder(tmp_path / "slow.mp4", audio=True, video=True)
    begun = time.monotonic()
    for (time_s, _, frame), (_, _, piece) in zip(
        pictures(5, size=(320, 240)), sound(tone_samples(3)), strict=True
    ):
        recorder.push_video(frame, ZERO_S + time_s)
        recorder.push_audio(piece, ZERO_S + time_s * 0.6)
    assert time.monotonic() - begun < 1
    recorded = await recorder.finish()
    assert recorded.dropped > 20
    assert recorded.frames + recorded.dropped == 150
    samples = Recording(recorded.path).audio()
    assert dominant_frequency(samples[9600:130000]) == pytest.approx(TONE_HZ, abs=0.5)


async def test_nothing_arrived(tmp_path):
    threads = threading.active_count()
    recorder = Recorder(tmp_path / "nothing.mp4", audio=True, video=True)
    with pytest.raises(RecordingError, match="Nothing arrived"):
        await recorder.finish()
    with pytest.raises(RecordingError, match="Nothing arrived"):
        recorder.stop().result(1)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads


async def test_stopping_twice_gives_the_same_file_and_ends_the_thread(tmp_path):
    threads = threading.active_count()
    recorder = Recorder(tmp_path / "a.wav", audio=True, video=False)
    for time_s, _, piece in sound(tone_samples(0.5)):
        recorder.push_audio(piece, time_s)
    first, second = recorder.stop(), recorder.stop()
    recorder.push_audio(piece, 9.0)
    assert first.result(5) is second.result(5)
    assert (await recorder.finish()).duration_s == pytest.approx(0.5, abs=0.001)
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
        ("call.webm", {"video_codec": "h264"}, "cannot hold h264"),
        ("call.mp4", {"video_codec": "vp8"}, "cannot hold vp8"),
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
    assert (recorded.duration_s, again.duration_s) == (pytest.approx(0.2), pytest.approx(0.4))


async def test_a_failing_encoder_is_told_and_what_came_before_is_kept(tmp_path, monkeypatch):
    from xnb.media.parts import VideoPart

    write = VideoPart.write

    def broken(self, frame, time_s):
        if time_s > ZERO_S + 0.9:
            raise OSError(28, "No space left on device")
        write(self, frame, time_s)

    monkeypatch.setattr(VideoPart, "write", broken)
    with pytest.raises(RecordingError, match=r"ends early, after 0\.9 s.*No space left"):
        await record(tmp_path / "full.mp4", pictures(2))
    recording = assert_good_file(tmp_path / "full.mp4", 0.93)
    assert len(shown(recording)) == 28


SCRIPT = """
import sys, time
from xnb.media.frames import to_av_audio
from xnb.media.recorder import Recorder
from xnb.media.testcard import CardPainter
import numpy as np
recorder = Recorder(sys.argv[1], audio=True, video=True)
card = CardPainter(320, 240, 30)
sine = 0.3 * np.sin(2 * np.pi * 600 * np.arange(960) / 48000)
for n in range(60):
    recorder.push_video(card.draw(n), n / 30)
for n in range(100):
    recorder.push_audio(to_av_audio(sine, 48000), n / 50)
if sys.argv[2] == "kill":
    time.sleep(1.5)
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["exit.mp4", "exit.webm"])
def test_leaving_the_interpreter_completes_the_file(name, tmp_path):
    path = tmp_path / name
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(path), "exit"], timeout=60)
    assert done.returncode == 0
    recording = assert_good_file(path, 2)
    assert [number for number, _ in shown(recording)] == list(range(60))
    assert dominant_frequency(recording.audio()[9600:86400]) == pytest.approx(TONE_HZ, abs=0.5)


def test_a_killed_process_leaves_playable_parts(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "killed.mp4"), "kill"], timeout=60
    )
    assert done.returncode == -9
    numbers = [n for n, _ in shown(Recording(tmp_path / "killed.video.part.mkv"))]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 25
    samples = Recording(tmp_path / "killed.audio.part.mkv").audio()
    # At most the last cluster, one second, is lost.
    assert len(samples) > 0.8 * 48000
    assert dominant_frequency(samples[4800:38400]) == pytest.approx(TONE_HZ, abs=1)
