"""Recordings of calls over real sockets: which sides, in sync, without a decoder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading

import av
import numpy as np
import pytest
from media_files import dominant_frequency, make, read_counter
from recorded import onsets, tracks

import xnb
from xnb.media.files import FileSource


@pytest.fixture(scope="session")
def beeps(tmp_path_factory):
    """A film with a beep at each whole second; made before the loop that a call runs on."""
    return make("beeps.mp4", tmp_path_factory.mktemp("media"))


async def pair(clients, *, mine, theirs, **options):
    """A call: the caller sends ``mine``, the callee ``theirs``; both ends of it."""
    alice, bob = clients(), clients()
    await bob.connect()
    ringing = bob.incoming()
    out = await alice.call(bob.handle, source=mine, **options)
    answered = await (await anext(ringing)).accept(source=theirs)
    await asyncio.gather(out.until("connected"), answered.until("connected"))
    return out, answered


async def talking_pair(clients, **options):
    """Both sides send the test card; the caller's tone is 900 Hz, the callee's 600 Hz."""
    cards = {side: xnb.testcard(audio=None) for side in ("mine", "theirs")}
    out, answered = await pair(clients, video=True, **cards, **options)
    out.send_audio(xnb.tone(900))
    answered.send_audio(xnb.tone(600))
    return out


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_both_sides_in_four_tracks_and_no_decoder(clients, tmp_path, codec):
    out = await talking_pair(clients, video_codec=codec)
    recording = out.record(tmp_path / "both.mkv", sides="both")
    await asyncio.sleep(2.5)
    decoders = [t.name for t in threading.enumerate() if t.name.startswith("xnb-decode")]
    assert decoders == []
    [recorded] = await recording.stop()
    assert tracks(recorded.path) == [
        ("video", codec, "remote picture"),
        ("video", codec, "local picture"),
        ("audio", "opus", "remote sound"),
        ("audio", "opus", "local sound"),
    ]
    assert recorded.duration_s == pytest.approx(2.5, abs=0.3)
    for index, frequency_hz in ((0, 600), (1, 900)):
        with av.open(str(recorded.path)) as container:
            stream = container.streams.video[index]
            counted = [
                (read_counter(frame.to_ndarray(format="rgb24")), frame.time)
                for frame in container.decode(stream)
            ]
        numbers = [number for number, _ in counted]
        assert len(numbers) > 40
        assert numbers == sorted(set(numbers))
        span_s = counted[-1][1] - counted[0][1]
        assert numbers[-1] - numbers[0] == pytest.approx(span_s * 30, abs=4)
        with av.open(str(recorded.path)) as container:
            decoded = container.decode(container.streams.audio[index])
            samples = np.concatenate([frame.to_ndarray()[0] for frame in decoded])
        assert dominant_frequency(samples[24000:96000]) == pytest.approx(frequency_hz, abs=3)


async def test_both_sides_beside_each_other(clients, tmp_path):
    out = await talking_pair(clients)
    recording = out.record(tmp_path / "both.mp4", sides="both")
    await asyncio.sleep(2.5)
    [recorded] = await recording.stop()
    assert (recorded.width, recorded.height) == (1280, 480)
    image = recorded.frame_at(1.5).image
    assert read_counter(image[:, :640]) is not None
    assert read_counter(image[:, 640:]) is not None
    samples = recorded.audio()[24000:96000]
    assert dominant_frequency(samples[:, 0]) == pytest.approx(600, abs=3)
    assert dominant_frequency(samples[:, 1]) == pytest.approx(900, abs=3)


async def test_what_this_side_sends(clients, tmp_path):
    out, _ = await pair(clients, mine=xnb.tone(900), theirs=xnb.tone(600))
    local = out.record(tmp_path / "mine.ogg", sides="local")
    remote = out.record(tmp_path / "theirs.m4a")
    await asyncio.sleep(1.5)
    [mine] = await local.stop()
    [theirs] = await remote.stop()
    assert dominant_frequency(mine.audio()[24000:]) == pytest.approx(900, abs=3)
    assert dominant_frequency(theirs.audio()[24000:]) == pytest.approx(600, abs=3)


async def test_a_side_there_is_not_says_so(clients, tmp_path):
    out, _ = await pair(clients, mine=xnb.tone(900), theirs=xnb.tone(600))
    with pytest.raises(xnb.RecordingError, match=r"'theirs'.*'remote', 'local' or 'both'"):
        out.record(tmp_path / "a.ogg", sides="theirs")
    assert os.listdir(tmp_path) == []


async def test_beep_and_picture_are_together(clients, tmp_path, beeps):
    """In what is sent and in what arrives, as they are in the file, within 20 ms."""
    film = FileSource.open(beeps)
    out, answered = await pair(clients, mine=film, theirs=xnb.silence(), video=True)
    sent = out.record(tmp_path / "sent.mkv", sides="local")
    got = answered.record(tmp_path / "got.mkv")
    await asyncio.sleep(4.2)
    original = np.median(offsets(xnb.Recording(beeps)))
    for [recorded] in (await sent.stop(), await got.stop()):
        found = offsets(recorded)
        print(recorded.path.name, found, original)
        assert abs(np.median(found) - original) < 0.02


def offsets(recorded):
    """By how many seconds each beep comes after the picture of its second."""
    seen = [(read_counter(f.image), f.time_s) for f in recorded.frames()]
    shown_at = {number: time_s for number, time_s in reversed(seen) if number is not None}
    samples = recorded.audio()[:, 0]
    found = []
    for second in (1, 2, 3):
        nearest = min(shown_at, key=lambda n, at=second * 30: abs(n - at))
        shown_s = shown_at[nearest] + (30 * second - nearest) / 30
        found.append(onsets(samples, [shown_s])[0] - shown_s)
    return found


KILLED = """
import asyncio, os, signal, sys, time
import xnb

async def main():
    client = xnb.Client("recorder")
    call = await client.call("testcard", video=True, video_codec=sys.argv[2])
    await call.until("connected", timeout_s=10)
    call.record(sys.argv[1], sides="both")
    begun_s = time.monotonic()
    await asyncio.sleep(4)
    print(time.monotonic() - begun_s, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_a_killed_call_leaves_all_but_the_last_second(tmp_path, codec):
    path = tmp_path / "killed.mkv"
    command = [sys.executable, "-c", KILLED, str(path), codec]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -9, done.stderr
    lasted_s = float(done.stdout)
    assert os.listdir(tmp_path) == ["killed.mkv.part.mkv"]
    recorded = xnb.recover(path)
    print(f"recorded for {lasted_s:.2f} s, saved {recorded.duration_s:.2f} s")
    assert lasted_s - 1 < recorded.duration_s < lasted_s + 0.1
    assert len(tracks(path)) == 4
    seen = [(read_counter(frame.image), frame.time_s) for frame in recorded.frames()]
    assert seen[-1][1] > recorded.duration_s - 0.2
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert dominant_frequency(recorded.audio()[9600:]) == pytest.approx(440, abs=3)
