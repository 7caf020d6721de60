"""A part of a recording has exactly what was between two moments of it, picture and sound."""

from __future__ import annotations

import shutil
from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import Picture, Sound, dominant_frequency, encode, make, read_counter
from recorded import onsets, tracks

from xnb.errors import RecordingError
from xnb.media.playable import forms_of, make_form
from xnb.recording import Recording

RATE_HZ = 48000


def steps(seconds, first_hz=400):
    """Another tone in each half second: 400 Hz, 500 Hz, 600 Hz …"""
    at = np.arange(int(seconds * RATE_HZ))
    frequency = first_hz + 100 * (at // (RATE_HZ // 2))
    return 0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / RATE_HZ)


@pytest.fixture(scope="session")
def stepped(tmp_path_factory):
    """Four seconds of numbered pictures; their sound says when it is from."""

    def made(name):
        path = tmp_path_factory.mktemp("cut") / name
        suffix = path.suffix
        codec = "libvpx" if suffix == ".webm" else "libx264"
        sound = {".webm": "libopus", ".wav": "pcm_s16le"}.get(suffix, "aac")
        picture = Picture(codec, (320, 240), [n / 30 for n in range(120)], 30)
        has_picture = suffix != ".wav"
        encode(path, sound=Sound(sound, steps(4)), picture=picture if has_picture else None)
        return path

    return made


def tones(samples, every_s=0.5):
    """The tone in the middle of each stretch."""
    length = int(every_s * RATE_HZ)
    middles = range(length // 2, len(samples) - length // 4, length)
    return [dominant_frequency(samples[middle - 6000 : middle + 6000, 0]) for middle in middles]


@pytest.mark.parametrize("name", ["clip.webm", "clip.mp4", "clip.mkv", "sound.wav"])
def test_a_part_is_cut_exactly(name, stepped):
    path = stepped(name)
    whole = Recording(path)
    shares = []
    part = whole.trim(1.0, 2.5, progress=shares.append)
    assert part.path.name == f"{path.stem}-trimmed{path.suffix}"
    assert part.duration_s == pytest.approx(1.5, abs=0.025)
    assert tones(part.audio()) == pytest.approx([600, 700, 800], abs=4)
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1
    if part.has_video:
        shown = [(read_counter(frame.image), frame.time_s) for frame in part.frames()]
        assert [number for number, _ in shown] == list(range(30, 75))
        assert [time_s for _, time_s in shown] == pytest.approx(
            [n / 30 for n in range(45)], abs=0.002
        )
    assert [p.name for p in path.parent.iterdir() if ".part" in p.name] == []


def test_sound_and_picture_stay_in_sync(folder):
    part = Recording(make("beeps.mp4", folder)).trim(0.49, 3.2, folder / "beeps-part.webm")
    samples = part.audio()[:, 0]
    assert onsets(samples, [0.51, 1.51]) == pytest.approx([0.51, 1.51], abs=0.02)
    # Between two pictures: the one that stands there comes first.
    frames = list(part.frames())
    assert [read_counter(frame.image) for frame in frames[:3]] == [14, 15, 16]
    assert [frame.time_s for frame in frames[:3]] == pytest.approx([0, 0.010, 0.043], abs=0.002)


def test_where_sound_begins_late_it_does_in_the_part(folder):
    whole = Recording(make("late_audio.mkv", folder))
    samples = np.abs(whole.trim(0.2, 1.5, folder / "late.mkv").audio()[:, 0])
    assert np.flatnonzero(samples > 0.1)[0] / RATE_HZ == pytest.approx(0.3, abs=0.02)


def test_every_track_is_kept_where_there_is_room(folder):
    path = folder / "sides.mkv"
    with (
        av.open(str(make("clip.webm", folder))) as one,
        av.open(str(make("odd.webm", folder))) as other,
        av.open(str(path), "w") as output,
    ):
        for side, container in (("remote", one), ("local", other)):
            for stream in container.streams:
                copy = output.add_stream_from_template(stream)
                what = "picture" if stream.type == "video" else "sound"
                copy.metadata["title"] = f"{side} {what}"
        for offset, container in ((0, one), (2, other)):
            for packet in container.demux():
                if packet.dts is not None and packet.size:
                    packet.stream = output.streams[packet.stream_index + offset]
                    output.mux(packet)
    part = Recording(path).trim(0.5, 1.5)
    assert tracks(part.path) == [
        ("video", "vp8", "remote picture"),
        ("video", "vp8", "local picture"),
        ("audio", "opus", "remote sound"),
        ("audio", "opus", "local sound"),
    ]
    assert part.duration_s == pytest.approx(1.0, abs=0.03)


def test_names_that_are_free_and_other_formats(folder, tmp_path):
    path = shutil.copy(make("tone.mp3", folder), tmp_path)
    whole = Recording(path, title="echo")
    first, second = whole.trim(0, 1), whole.trim(1, 2)
    assert [first.path.name, second.path.name] == ["tone-trimmed.wav", "tone-trimmed-2.wav"]
    assert first.title == "echo"
    again = Recording(make("clip.mp4", folder)).trim(0, 1, tmp_path / "only.m4a")
    assert not again.has_video
    assert again.duration_s == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (1, 1), (0, 9), (5, 6)])
def test_parts_that_are_not_there(span, folder):
    with pytest.raises(RecordingError, match="has no part"):
        Recording(make("tone.wav", folder)).trim(*span)


def test_what_cannot_be_written_leaves_nothing(folder, tmp_path):
    whole = Recording(make("clip.mp4", folder))
    with pytest.raises(RecordingError, match="itself"):
        whole.trim(0, 1, whole.path)
    with pytest.raises(RecordingError, match="suffix"):
        whole.trim(0, 1, tmp_path / "part.xyz")
    with pytest.raises(RecordingError, match="could not be written"):
        whole.trim(0, 1, tmp_path / "nowhere" / "part.mp4")
    with pytest.raises(RecordingError, match="nothing in that part"):
        Recording(make("silent.mp4", folder)).trim(0, 1, tmp_path / "part.wav")

    def enough(share):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        whole.trim(0, 2, tmp_path / "part.mp4", progress=enough)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("clip.webm", [("file", 'video/webm; codecs="vp8, opus"'), ("encoded", None)]),
        ("tone.wav", [("file", "audio/wav"), ("encoded", 'audio/webm; codecs="opus"')]),
        (
            "clip.mp4",
            [
                ("file", 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"'),
                ("encoded", 'video/webm; codecs="vp8, opus"'),
            ],
        ),
        (
            "clip.mkv",
            [
                ("file", "video/x-matroska"),
                ("copy", 'video/mp4; codecs="avc1.42E01E, mp4a.40.2"'),
                ("encoded", 'video/webm; codecs="vp8, opus"'),
            ],
        ),
    ],
)
def test_forms_for_browsers(name, expected, folder, tmp_path):
    path = make(name, folder)
    forms = forms_of(path)
    assert [form.how for form in forms] == [how for how, _ in expected]
    for form, (_, mime) in zip(forms, expected, strict=True):
        assert mime in (None, form.mime)
    for number, form in enumerate(forms[1:]):
        target = tmp_path / f"{number}{form.suffix}"
        make_form(path, form, target)
        copy, whole = Recording(target), Recording(path)
        assert copy.duration_s == pytest.approx(whole.duration_s, abs=0.08)
        assert copy.has_video is whole.has_video
        assert dominant_frequency(copy.audio()[4800:96000]) == pytest.approx(600, abs=1)
        if copy.has_video:
            assert read_counter(copy.frame_at(1.0).image) == read_counter(whole.frame_at(1.0).image)
            with av.open(str(target)) as container:
                rate = container.streams.video[0].average_rate or Fraction(0)
                assert rate > 0
