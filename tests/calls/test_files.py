"""A real file into a call, a recording out of it, and the two compared."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from media_files import FACTS, TONE_HZ, dominant_frequency, make, read_counter

import xnb

RATE_HZ = 48_000
AUDIO_FILES = ["tone.mp3", "tone.wav", "tone.ogg", "tone.m4a", "cover.mp3", "sound.mp4"]
VIDEO_FILES = ["clip.mp4", "clip.webm", "clip.mkv", "vfr.mp4", "odd.webm", "silent.mp4"]


@pytest.fixture(scope="session")
def media_folder(tmp_path_factory):
    """A folder with the files already made: making one blocks the loop that a call runs on."""
    folder = tmp_path_factory.mktemp("media")
    for name in {*AUDIO_FILES, *VIDEO_FILES, "beeps.mp4"}:
        make(name, folder)
    return folder


async def pair(clients, *, loop="auto", **options):
    """Two clients in a call: the caller sends, the callee records."""
    alice, bob = clients(loop=loop), clients(loop=loop)
    await bob.connect()
    ringing = bob.incoming()
    out = await alice.call(bob.handle, **options)
    answered = await (await anext(ringing)).accept()
    await asyncio.gather(out.until("connected"), answered.until("connected"))
    return out, answered


def loud_spans(samples, threshold=0.05):
    """Start and end in seconds of each stretch of sound, pauses under 0.6 s bridged.

    A machine that is busy elsewhere makes a sender leave out a stretch; the time line stands.
    """
    step = RATE_HZ // 200
    mono = np.abs(samples[:, 0])
    level = mono[: len(mono) // step * step].reshape(-1, step).max(1) > threshold
    spans, last = [], -100
    for index in np.flatnonzero(level):
        if index - last > 120:
            spans.append([index, index])
        spans[-1][1] = last = index
    return [(a / 200, (b + 1) / 200) for a, b in spans]


@pytest.mark.parametrize("name", AUDIO_FILES)
async def test_audio_file_in_wav_out(clients, tmp_path, media_folder, name):
    out, answered = await pair(clients)
    recording = answered.record_incoming(audio_path=tmp_path / "in.wav")
    await asyncio.sleep(0.3)
    playback = await out.send_audio_file(make(name, media_folder))
    assert out.sending == name
    await asyncio.sleep(1.0)
    assert 0.15 < playback.progress < 0.8
    await playback.done
    assert playback.progress == 1.0
    await asyncio.sleep(0.5)
    [recorded] = await recording.stop()
    samples = recorded.audio()
    [(start, end)] = loud_spans(samples)
    assert end - start == pytest.approx(FACTS[name].duration_s, abs=0.08)
    middle = samples[int((start + 0.5) * RATE_HZ) : int((end - 0.5) * RATE_HZ)]
    assert dominant_frequency(middle) == pytest.approx(TONE_HZ, abs=3)
    assert answered.recordings == [recorded]


@pytest.mark.parametrize(
    ("name", "codec", "suffix", "loop"),
    [
        ("clip.mp4", "vp8", ".mp4", "auto"),
        ("clip.mp4", "h264", ".webm", "thread"),
        ("clip.webm", "h264", ".mp4", "auto"),
        ("clip.mkv", "vp8", ".mkv", "auto"),
        ("vfr.mp4", "vp8", ".mp4", "auto"),
        ("odd.webm", "vp8", ".webm", "auto"),
        ("silent.mp4", "vp8", ".mp4", "auto"),
    ],
)
async def test_video_file_in_recording_out(
    clients, tmp_path, media_folder, name, codec, suffix, loop
):
    blank = xnb_source_without_counter()
    out, answered = await pair(clients, video=True, video_codec=codec, source=blank, loop=loop)
    recording = answered.record(tmp_path / f"in{suffix}")
    await asyncio.sleep(0.3)
    playback = await out.send_video_file(make(name, media_folder))
    await playback.done
    await asyncio.sleep(0.5)
    [recorded] = await recording.stop()
    facts = FACTS[name]
    assert recorded.has_audio
    assert recorded.has_video
    seen = [(read_counter(f.image), f.time_s) for f in recorded.frames()]
    times = [time_s for _, time_s in seen]
    assert all(b > a for a, b in zip(times, times[1:], strict=False))
    counted = [(n, t) for n, t in seen if n is not None]
    numbers = [n for n, _ in counted]
    assert numbers == sorted(numbers)
    pictures = round(facts.duration_s * facts.fps)
    assert len(set(numbers)) >= 0.8 * pictures, (len(set(numbers)), pictures)
    if name != "vfr.mp4":
        (n0, t0), (n1, t1) = counted[0], counted[-1]
        assert (t1 - t0) == pytest.approx((n1 - n0) / facts.fps, abs=1.5 / facts.fps)
    if facts.audio:
        samples = recorded.audio()
        [(start, end)] = loud_spans(samples)
        assert end - start == pytest.approx(facts.duration_s, abs=0.1)


def xnb_source_without_counter():
    """Gray pictures, so that only the file's own counter is seen."""
    from xnb.media import push

    def gray():
        while True:
            yield np.full((480, 640, 3), 128, np.uint8)

    return push.video_from(gray(), fps=15)


async def test_sound_and_picture_stay_together(clients, tmp_path, media_folder):
    """Beeps at each whole second of the film are heard with the picture of that second."""
    blank = xnb_source_without_counter()
    out, answered = await pair(clients, video=True, source=blank)
    recording = answered.record(tmp_path / "in.mkv")
    await asyncio.sleep(0.2)
    await (await out.send_video_file(make("beeps.mp4", media_folder))).done
    await asyncio.sleep(0.4)
    [recorded] = await recording.stop()
    seen = [(read_counter(f.image), f.time_s) for f in recorded.frames()]
    shown_at = {number: time_s for number, time_s in reversed(seen) if number is not None}
    beeps = [start for start, _ in loud_spans(recorded.audio())]
    assert len(beeps) == 3
    offsets = []
    for second, beep_s in enumerate(beeps, start=1):
        nearest = min(shown_at, key=lambda n: abs(n - 30 * second))
        offsets.append(beep_s - (shown_at[nearest] + (30 * second - nearest) / 30))
    assert max(np.abs(offsets)) < 0.08, offsets


async def test_echo_returns_the_file(clients, tmp_path, media_folder):
    call = await clients().call("echo", video=True)
    await call.until("connected", timeout_s=10)
    recording = call.record_incoming(audio_path=tmp_path / "in.wav", video_path=tmp_path / "in.mp4")
    playback = await call.send_video_file(make("clip.mp4", media_folder))
    await playback.done
    await asyncio.sleep(0.4)
    audio, video = await recording.stop()
    assert dominant_frequency(audio.audio()[RATE_HZ : 2 * RATE_HZ]) == pytest.approx(TONE_HZ, abs=3)
    numbers = {read_counter(f.image) for f in video.frames()}
    assert len(numbers) > 40
    assert audio.duration_s == pytest.approx(video.duration_s, abs=0.2)


async def test_pause_seek_and_stop(clients, media_folder):
    call = await clients().call("echo", video=True)
    await call.until("connected")
    playback = await call.send_video_file(make("clip.mp4", media_folder))
    await asyncio.sleep(0.5)
    playback.pause()
    await asyncio.sleep(0.1)
    held = playback.position_s
    await asyncio.sleep(0.4)
    assert playback.position_s == pytest.approx(held, abs=0.02)
    playback.resume()
    playback.seek(2.5)
    await asyncio.sleep(0.2)
    assert 2.4 < playback.position_s < 3.0
    playback.stop()
    await playback.done
    assert call.sending == "test card"


async def test_recording_survives_the_far_ends_hangup(clients, tmp_path):
    out, answered = await pair(clients, source=xnb.tone(700))
    recording = answered.record_incoming(audio_path=tmp_path / "in.wav")
    await asyncio.sleep(1.5)
    await out.hangup()
    await answered.until("ended", timeout_s=6)
    recorded = await recording.audio.finished
    assert recorded.duration_s == pytest.approx(1.5, abs=0.2)
    assert dominant_frequency(recorded.audio()[RATE_HZ // 4 :]) == pytest.approx(700, abs=3)


async def test_recording_survives_a_camera_that_goes_off_and_on(clients, tmp_path):
    out, answered = await pair(clients, video=True, source=xnb.testcard())
    recording = answered.record(tmp_path / "in.mp4")
    await asyncio.sleep(1.0)
    out.camera_off()
    await asyncio.sleep(1.0)
    out.camera_on()
    await asyncio.sleep(1.0)
    [recorded] = await recording.stop()
    assert recorded.duration_s == pytest.approx(3.0, abs=0.25)
    times = [f.time_s for f in recorded.frames()]
    assert all(b > a for a, b in zip(times, times[1:], strict=False))
    assert 0.7 < max(np.diff(times)) < 1.4
    numbers = [read_counter(f.image) for f in recorded.frames()]
    assert numbers[-1] - numbers[0] == pytest.approx(30 * (times[-1] - times[0]), abs=4)


async def test_recording_events_reflect_what_runs(clients, tmp_path):
    call = await clients().call("testcard")
    await call.until("connected")
    told = []
    call.on("localstatus", lambda event: told.append(event.recording))
    recording = call.record(tmp_path / "a.wav")
    await asyncio.sleep(0.4)
    await recording.stop()
    await asyncio.sleep(0.05)
    assert told[0] is True
    assert told[-1] is False


async def test_nothing_to_record_says_so_and_leaves_no_file(clients, tmp_path):
    call = await clients().call("noanswer", video=True)
    recording = call.record(tmp_path / "empty.mp4")
    await call.hangup()
    with pytest.raises(xnb.RecordingError):
        await recording.video.finished
    assert not (tmp_path / "empty.mp4").exists()
