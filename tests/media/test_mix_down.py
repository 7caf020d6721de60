"""Recordings with tracks of several people, and the one film that is made of them."""

from __future__ import annotations

import asyncio
import threading
import types

import av
import numpy as np
import pytest
from encoded_frames import encode_pictures, sound
from media_files import dominant_frequency, tone_samples
from recorded import ZERO_S, tracks

import xnb
from xnb.media.encoded import EncodedFrame
from xnb.media.mix_down import mix_down
from xnb.media.recorder import Recorder

SIZE = (160, 120)
COLOURS = {"ann": (200, 40, 40), "bob": (40, 160, 60), "cem": (50, 80, 210)}
TONES_HZ = {"ann": 440, "bob": 660, "cem": 880}
LENGTH_S = 3.0
LATE_S = 1.0


def plain(colour, seconds, *, start_s=0.0, codec="vp8"):
    """Pictures of one colour at 30 a second."""
    picture = np.broadcast_to(np.array(colour, np.uint8), (SIZE[1], SIZE[0], 3))
    frames = (
        av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
            format="yuv420p"
        )
        for _ in range(round(seconds * 30))
    )
    return [
        (start_s + n / 30, EncodedFrame("video", codec, data, 5000 + 3000 * n, is_key))
        for n, (data, is_key) in enumerate(encode_pictures(codec, frames, SIZE))
    ]


async def group(path, people=("ann", "bob", "cem")):
    """A recording in which the last one comes a second later."""
    recorder = Recorder(path, audio=True, video=True, sides=None)
    events = []
    for name in people:
        start_s = LATE_S if name == people[-1] else 0.0
        seconds = LENGTH_S - start_s
        events += [(name, *one) for one in plain(COLOURS[name], seconds, start_s=start_s)]
        heard = tone_samples(seconds, frequency_hz=TONES_HZ[name])
        events += [(name, *one) for one in sound(heard, start_s=start_s)]
    for name, time_s, frame in sorted(events, key=lambda one: one[1]):
        recorder.push(name, frame, ZERO_S + time_s)
    return await recorder.finish()


def middle(image, row, column, rows=2, columns=2):
    """The mean colour in the middle of one place of the grid."""
    height, width = image.shape[0] // rows, image.shape[1] // columns
    cell = image[row * height : (row + 1) * height, column * width : (column + 1) * width]
    return cell[height // 3 : -height // 3, width // 3 : -width // 3].reshape(-1, 3).mean(0)


def loudness(samples, frequency_hz):
    """Amplitude of a tone in half a second of sound."""
    part = samples[:24000] * np.hanning(24000)
    return np.abs(np.fft.rfft(part))[frequency_hz // 2] * 4 / 24000


async def test_a_track_for_everybody_on_one_clock(tmp_path):
    path = tmp_path / "group.mkv"
    recorded = await group(path)
    assert recorded.duration_s == pytest.approx(LENGTH_S, abs=0.03)
    assert tracks(path) == [
        *(("video", "vp8", f"{name} picture") for name in COLOURS),
        *(("audio", "opus", f"{name} sound") for name in COLOURS),
    ]
    for index, name in enumerate(COLOURS):
        begin_s = LATE_S if name == "cem" else 0.0
        with av.open(str(path)) as container:
            frames = list(container.decode(container.streams.video[index]))
        assert frames[0].time == pytest.approx(begin_s, abs=0.02)
        shown = frames[5].to_ndarray(format="rgb24").reshape(-1, 3).mean(0)
        assert np.abs(shown - COLOURS[name]).max() < 25
        with av.open(str(path)) as container:
            heard = list(container.decode(container.streams.audio[index]))
        assert heard[0].time == pytest.approx(begin_s, abs=0.03)
        samples = np.concatenate([frame.to_ndarray()[0] for frame in heard])
        assert dominant_frequency(samples[9600:]) == pytest.approx(TONES_HZ[name], abs=1)


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
async def test_grid_and_mixed_sound(tmp_path, name):
    await group(tmp_path / "group.mkv")
    shares: list[float] = []
    film = await xnb.mix_down(tmp_path / "group.mkv", tmp_path / name, progress=shares.append)
    assert film.path == tmp_path / name
    assert film.duration_s == pytest.approx(LENGTH_S, abs=0.1)
    assert (film.width, film.height) == (2 * SIZE[0], 2 * SIZE[1])
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 5
    before, after = film.frame_at(0.6).image, film.frame_at(2.0).image
    places = {"ann": (0, 0), "bob": (0, 1), "cem": (1, 0)}
    for person, place in places.items():
        assert np.abs(middle(after, *place) - COLOURS[person]).max() < 25, person
    assert middle(before, 1, 0).max() < 30, "black before the one who is late"
    assert middle(after, 1, 1).max() < 30, "nobody is in the fourth place"
    samples = film.audio()[:, 0]
    for person, hz in TONES_HZ.items():
        early, later = loudness(samples[9600:], hz), loudness(samples[72000:], hz)
        assert later == pytest.approx(0.3, rel=0.35), (person, later)
        assert (early < 0.01) if person == "cem" else (early > 0.2), (person, early)


async def test_sound_alone(tmp_path):
    await group(tmp_path / "group.mkv", ("ann", "bob"))
    film = await xnb.mix_down(str(tmp_path / "group.mkv"), str(tmp_path / "sound.wav"))
    assert not film.has_video
    assert film.duration_s == pytest.approx(LENGTH_S, abs=0.05)


async def test_loud_sums_are_clipped_and_do_not_wrap(tmp_path):
    recorder = Recorder(tmp_path / "loud.mkv", audio=True, video=False, sides=None)
    loud = np.full(96000, 0.9) * np.sign(np.sin(2 * np.pi * 200 * np.arange(96000) / 48000))
    for name in ("ann", "bob"):
        for time_s, frame in sound(loud):
            recorder.push(name, frame, ZERO_S + time_s)
    await recorder.finish()
    mix_down(tmp_path / "loud.mkv", tmp_path / "loud.wav")
    samples = xnb.Recording(tmp_path / "loud.wav").audio()[24000:72000, 0]
    assert dominant_frequency(samples) == pytest.approx(200, abs=1)
    assert np.abs(samples).mean() > 0.7


async def test_cancelling_leaves_no_file(tmp_path):
    await group(tmp_path / "group.mkv")
    half = threading.Event()
    go_on = threading.Event()

    def slowly(share):
        half.set()
        go_on.wait(10)

    making = xnb.mix_down(tmp_path / "group.mkv", tmp_path / "film.mp4", progress=slowly)
    await asyncio.to_thread(half.wait, 20)
    making.cancel()
    making.cancel()
    go_on.set()
    with pytest.raises(xnb.RecordingError, match="cancelled"):
        await making
    assert sorted(one.name for one in tmp_path.iterdir()) == ["group.mkv"]


async def test_what_cannot_be_mixed_says_why(tmp_path):
    await group(tmp_path / "group.mkv", ("ann", "bob"))
    with pytest.raises(xnb.RecordingError, match="recording itself"):
        xnb.mix_down(tmp_path / "group.mkv", tmp_path / "group.mkv")
    with pytest.raises(xnb.RecordingError, match="no recording"):
        xnb.mix_down(tmp_path / "other.mkv", tmp_path / "film.mp4")
    with pytest.raises(xnb.RecordingError, match=r"suffix of film\.avi"):
        await xnb.mix_down(tmp_path / "group.mkv", tmp_path / "film.avi")
    with pytest.raises(xnb.RecordingError):
        await xnb.mix_down(tmp_path / "group.mkv", tmp_path / "no-such-folder" / "film.mp4")


async def test_a_bar_shows_the_progress_in_a_notebook(tmp_path, monkeypatch):
    import ipykernel  # noqa: F401 - what a kernel has imported
    import IPython
    import IPython.display

    shown: list = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: types.SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", shown.append)
    await group(tmp_path / "group.mkv", ("ann", "bob"))
    await xnb.mix_down(tmp_path / "group.mkv", tmp_path / "film.mp4")
    [bar] = shown
    for _ in range(50):
        await asyncio.sleep(0.02)
        if bar.value == 1.0:
            break
    assert bar.value == 1.0
    shown.clear()
    await xnb.mix_down(tmp_path / "group.mkv", tmp_path / "other.mp4", progress=lambda share: None)
    assert shown == [], "whoever watches needs no bar"


async def test_a_group_that_was_cut_off_is_recovered(tmp_path):
    from xnb.media.leftovers import part_of

    path = tmp_path / "group.mkv"
    recorder = Recorder(path, audio=True, video=True, sides=None)
    for name in ("ann", "bob"):
        for time_s, frame in plain(COLOURS[name], 2.0):
            recorder.push(name, frame, ZERO_S + time_s)
    for _ in range(100):
        await asyncio.sleep(0.05)
        if part_of(path).exists() and part_of(path).stat().st_size > 20_000:
            break
    killed = tmp_path / "killed.mkv"
    part_of(killed).write_bytes(part_of(path).read_bytes())
    recorder.stop()
    recovered = await asyncio.to_thread(xnb.recover, killed)
    assert [title for _, _, title in tracks(recovered.path)] == ["ann picture", "bob picture"]


@pytest.mark.parametrize("is_complete", [False, True])
async def test_a_film_that_was_not_made_is_made_of_the_tracks_that_are_left(is_complete, tmp_path):
    """As a kernel leaves them that is killed while it records, or while the film is made."""
    film = tmp_path / "lecture.webm"
    tracks_path = tmp_path / "lecture.webm.tracks.mkv"
    await group(tracks_path)
    if not is_complete:
        tracks_path.rename(tmp_path / "lecture.webm.tracks.mkv.part.mkv")
    made = xnb.recover(film)
    assert [one.name for one in tmp_path.iterdir()] == ["lecture.webm"]
    assert made.duration_s == pytest.approx(LENGTH_S, abs=0.1)
    assert made.has_video
    heard = made.audio()[-48000:-4800, 0]
    assert dominant_frequency(heard) in [pytest.approx(hz, abs=2) for hz in TONES_HZ.values()]
    with pytest.raises(xnb.RecordingError, match="no lecture"):
        xnb.recover(film)
