"""What is left when a process ends or is killed in the middle of a recording."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest
from encoded_frames import pictures, sound
from media_files import TONE_HZ, dominant_frequency, tone_samples
from recorded import ZERO_S, assert_good_file, record, shown, tracks

import xnb
from xnb.errors import RecordingError
from xnb.media.recorder import Recorder
from xnb.recording import Recording

TESTS = Path(__file__).resolve().parent.parent
SECONDS = 6.0
SCRIPT = """
import sys, time, os, signal
sys.path.insert(0, sys.argv[3])
from encoded_frames import pictures, sound
from media_files import tone_samples
from xnb.media.recorder import Recorder
events = sorted(pictures(6, codec=sys.argv[4]) + sound(tone_samples(6)), key=lambda e: e[0])
recorder = Recorder(sys.argv[1], audio=True, video=True)
if sys.argv[2] == "exit":
    for time_s, frame in events:
        recorder.push("remote", frame, time_s)
    sys.exit()
print("recording", flush=True)
begun = time.monotonic()
for time_s, frame in events:
    time.sleep(max(0, begun + time_s / 2 - time.monotonic()))
    recorder.push("remote", frame, time_s)
os.kill(os.getpid(), signal.SIGKILL)
"""


def run(path: Path, how: str, codec: str = "vp8") -> int:
    command = [sys.executable, "-c", SCRIPT, str(path), how, str(TESTS), codec]
    return subprocess.run(command, timeout=60, check=False).returncode


@pytest.mark.parametrize("name", ["exit.mp4", "exit.webm"])
def test_leaving_the_interpreter_completes_the_file(name, tmp_path):
    path = tmp_path / name
    assert run(path, "exit") == 0
    recording = assert_good_file(path, SECONDS)
    assert [number for number, _ in shown(recording)] == list(range(180))
    assert dominant_frequency(recording.audio()[9600:-9600]) == pytest.approx(TONE_HZ, abs=0.5)


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_killed_process_leaves_a_file_that_plays_up_to_the_last_second(codec, tmp_path):
    path = tmp_path / "killed.mp4"
    assert run(path, "kill", codec) == -9
    assert [p.name for p in tmp_path.iterdir()] == ["killed.mp4.part.mkv"]
    part = tmp_path / "killed.mp4.part.mkv"
    announced = [("audio", "opus", "remote sound"), ("video", codec, "remote picture")]
    assert sorted(tracks(part)) == announced
    left = Recording(part)
    numbers = [number for number, _ in shown(left)]
    # It was pushed at twice the speed, so that a second of its time is half a second.
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 30 * (SECONDS - 2)
    samples = left.audio()
    assert len(samples) > 48000 * (SECONDS - 2)
    assert dominant_frequency(samples[9600:]) == pytest.approx(TONE_HZ, abs=0.5)

    with pytest.raises(RecordingError, match=r"xnb\.recover"):
        Recording(path)
    recovered = xnb.recover(path)
    assert recovered.path == path
    assert_good_file(path, len(numbers) / 30)
    assert [number for number, _ in shown(recovered)] == numbers
    assert dominant_frequency(recovered.audio()[9600:]) == pytest.approx(TONE_HZ, abs=0.5)
    assert [p.name for p in tmp_path.iterdir()] == ["killed.mp4"]


@pytest.fixture
def left_over(tmp_path, monkeypatch):
    """A folder with the part of a recording that was cut off, and no file."""

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xnb.media.recorder.finish", broken)
    recorder = Recorder(tmp_path / "call.webm", audio=True, video=True)
    for time_s, frame in sorted(pictures(2) + sound(tone_samples(2)), key=lambda one: one[0]):
        recorder.push("remote", frame, ZERO_S + time_s)
    with pytest.raises(RecordingError, match=r"could not be completed.*xnb\.recover"):
        recorder.stop().result(10)
    monkeypatch.undo()
    return tmp_path / "call.webm.part.mkv"


@pytest.mark.parametrize("share", [0.999, 0.7, 0.31])
def test_a_part_cut_off_anywhere_is_completed(share, left_over):
    os.truncate(left_over, int(left_over.stat().st_size * share))
    recovered = xnb.recover(left_over)
    numbers = [number for number, _ in shown(recovered)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 60 * share - 40
    assert dominant_frequency(recovered.audio()[4800:]) == pytest.approx(TONE_HZ, abs=1)


async def test_a_new_recording_of_that_name_keeps_what_was_left(left_over, caplog):
    path = left_over.with_name("call.webm")
    await record(path, sound(tone_samples(1, frequency_hz=900)))
    kept = left_over.with_name("call-unfinished-1.webm.part.mkv")
    assert sorted(p.name for p in path.parent.iterdir()) == [kept.name, "call.webm"]
    assert "xnb.recover" in caplog.text
    assert dominant_frequency(Recording(path).audio()[9600:]) == pytest.approx(900, abs=1)
    recovered = xnb.recover(kept)
    assert recovered.path.name == "call-unfinished-1.webm"
    assert [number for number, _ in shown(recovered)] == list(range(60))


def test_what_cannot_be_recovered_says_why(left_over):
    folder = left_over.parent
    with pytest.raises(RecordingError, match=r"no other\.mp4\.part\.mkv"):
        xnb.recover(folder / "other.mp4")
    target = folder / "call.webm"
    target.write_bytes(b"mine")
    with pytest.raises(RecordingError, match=r"call\.webm exists already"):
        xnb.recover(target)
    assert target.read_bytes() == b"mine"
    target.unlink()
    empty = folder / "empty.mp4.part.mkv"
    empty.write_bytes(b"")
    with pytest.raises(RecordingError, match="holds no recording"):
        xnb.recover(empty)


async def test_what_is_still_being_recorded_is_left_alone(tmp_path):
    recorder = Recorder(tmp_path / "call.webm", audio=True, video=True)
    for time_s, frame in sound(tone_samples(2)):
        recorder.push("remote", frame, time_s)
    part = tmp_path / "call.webm.part.mkv"
    for _ in range(100):
        if part.exists():
            break
        await asyncio.sleep(0.05)
    with pytest.raises(RecordingError, match="still being written"):
        xnb.recover(part)
    await recorder.finish()
    assert_good_file(tmp_path / "call.webm", 2)


async def test_the_part_is_valid_at_every_moment(tmp_path):
    """A track that comes later is announced in the room kept before the media."""
    recorder = Recorder(tmp_path / "call.mkv", audio=True, video=True, sides="both")
    late = pictures(1, codec="h264", start_s=2, timestamp=5)
    streams = [("remote", sound(tone_samples(3))), ("local", late)]
    events = sorted(((t, side, f) for side, s in streams for t, f in s), key=lambda one: one[0])
    part = tmp_path / "call.mkv.part.mkv"
    seen = []
    for number, (time_s, side, frame) in enumerate(events):
        recorder.push(side, frame, ZERO_S + time_s)
        if number % 60 == 59:
            await asyncio.sleep(0.6)
            with av.open(str(part)) as container:
                seen.append([stream.type for stream in container.streams])
    await recorder.finish()
    assert seen[0] == ["audio"]
    assert seen[-1] == ["audio", "video"]
