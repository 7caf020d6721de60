"""A recording gives back what is in the file, and a page that plays it anywhere."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.figure import Figure
from media_files import (
    FACTS,
    TONE_HZ,
    dominant_frequency,
    make,
    read_counter,
    tone_samples,
)

from xnb.errors import MediaError, RecordingError
from xnb.events import (
    CallState,
    Ended,
    EndReason,
    ErrorEvent,
    LocalStatus,
    MediaStatus,
    StateChange,
)
from xnb.plots.spectrogram import as_bytes, by_ear, colours, spectrogram, spectrum_db, spectrum_of
from xnb.plots.waveform import envelope, waveform
from xnb.recording import Recording


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.text = {}, ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = dict(attrs)

    def handle_data(self, data):
        self.text += data


def page(recording):
    return Page(recording._repr_mimebundle_()["text/html"])


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm", "clip.mkv", "tone.wav", "silent.mp4"])
def test_facts(name, folder):
    facts, recording = FACTS[name], Recording(make(name, folder))
    assert recording.duration_s == pytest.approx(facts.duration_s, abs=0.08)
    assert recording.has_audio is facts.audio
    assert recording.has_video is bool(facts.size)
    assert (recording.width, recording.height) == (facts.size or (None, None))
    assert name in repr(recording)
    assert str(folder) not in repr(recording)


@pytest.mark.parametrize("rate_hz", [48000, 16000])
def test_audio_as_samples(rate_hz, folder):
    samples = Recording(make("clip.mp4", folder)).audio(rate_hz)
    assert samples.dtype == np.float32
    assert samples.shape[1] == 2
    assert len(samples) / rate_hz == pytest.approx(3, abs=0.05)
    steady = samples[rate_hz // 5 : -rate_hz // 5]
    assert dominant_frequency(steady, rate_hz) == pytest.approx(TONE_HZ, abs=0.5)
    assert np.abs(steady).max() == pytest.approx(0.3, rel=0.1)


def test_sound_that_begins_late_is_preceded_by_silence(folder):
    samples = np.abs(Recording(make("late_audio.mkv", folder)).audio()[:, 0])
    assert np.flatnonzero(samples > 0.1)[0] / 48000 == pytest.approx(0.5, abs=0.02)


def test_frames_and_frame_at(folder):
    recording = Recording(make("clip.webm", folder))
    frames = list(recording.frames())
    assert [read_counter(frame) for frame in frames] == list(range(90))
    assert [frame.time_s for frame in frames] == pytest.approx(
        [n / 30 for n in range(90)], abs=2e-3
    )
    for time_s, number in ((0, 0), (1.0, 30), (1.55, 46), (2.99, 89)):
        assert read_counter(recording.frame_at(time_s).image) == number
    for time_s in (-1, 9):
        with pytest.raises(RecordingError, match="long"):
            recording.frame_at(time_s)


def test_missing_parts_are_named(folder, tmp_path):
    with pytest.raises(RecordingError, match="has no sound"):
        Recording(make("silent.mp4", folder)).audio()
    with pytest.raises(RecordingError, match="has no sound"):
        Recording(make("silent.mp4", folder)).waveform()
    with pytest.raises(RecordingError, match="has no picture"):
        next(Recording(make("tone.wav", folder)).frames())
    with pytest.raises(RecordingError, match="There is no recording"):
        Recording(tmp_path / "nowhere.mp4")
    with pytest.raises(RecordingError, match="cannot be read"):
        _ = Recording(make("truncated.mp4", folder)).duration_s


@pytest.mark.parametrize(
    ("name", "tag"),
    [("clip.mp4", "video"), ("clip.webm", "video"), ("tone.wav", "audio"), ("sound.mp4", "audio")],
)
def test_the_player_without_a_kernel(name, tag, folder, monkeypatch):
    monkeypatch.chdir(folder)
    path = make(name, folder)
    recording = Recording(path, title='Call with "echo" <b>')
    html = recording._repr_mimebundle_()["text/html"]
    shown = Page(html)
    player = shown.tags[tag]
    assert "controls" in player
    assert player["src"] == name
    assert 'Call with "echo" <b>' in player["aria-label"]
    assert shown.tags["figure"]["role"] == "group"
    assert "color-scheme:light dark" in shown.tags["figure"]["style"]
    assert shown.tags["img"]["alt"].startswith("Waveform of")
    assert re.search(r"loudest -\d+ dBFS", shown.tags["img"]["alt"])
    assert base64.b64decode(shown.tags["img"]["src"].split(",")[1])[:4] == b"\x89PNG"
    assert "b" not in shown.tags
    assert str(folder) not in html
    assert "http" not in html


def test_a_silent_film_has_no_waveform(folder):
    assert "img" not in page(Recording(make("silent.mp4", folder))).tags


def test_the_media_is_not_in_the_notebook(folder, monkeypatch):
    path = make("clip.mp4", folder)
    monkeypatch.chdir(folder.parent)
    shown = page(Recording(path))
    assert shown.tags["video"]["src"] == shown.tags["a"]["href"] == f"{folder.name}/clip.mp4"
    elsewhere = folder / "inner"
    elsewhere.mkdir(exist_ok=True)
    monkeypatch.chdir(elsewhere)
    html = Recording(path)._repr_mimebundle_()["text/html"]
    assert "Saved as <code>clip.mp4</code>" in html
    assert "<video" not in html
    assert base64.b64encode(path.read_bytes())[:200].decode() not in html
    assert str(folder.parent) not in html


def test_figures(folder):
    recording = Recording(make("tone.wav", folder))
    for figure in (recording.waveform(), recording.spectrogram()):
        assert isinstance(figure, Figure)
        assert figure._repr_png_()[:4] == b"\x89PNG"
    axes = recording.waveform().axes[0]
    assert axes.get_xlim() == pytest.approx((0, 3), abs=0.02)
    values = axes.patches[0].get_data().values
    assert values.max() == pytest.approx(0.3, abs=0.01)


def test_the_envelope_keeps_every_peak():
    samples = np.zeros(100_000, np.float32)
    samples[[3, 54_321, 99_999]] = 0.9, -0.8, 0.7
    low, high = envelope(samples, 500)
    assert len(low) == 500
    assert (high[0], low[271], high[-1]) == pytest.approx((0.9, -0.8, 0.7))
    assert np.count_nonzero(high) == 2
    assert len(envelope(np.zeros((0, 2)))[0]) == 1


def test_the_spectrum_finds_tones():
    samples = tone_samples(1, 16000, 1000) + tone_samples(1, 16000, 5000) / 10
    times_s, frequencies_hz, levels_db = spectrum_db(samples, 16000)
    assert levels_db.shape == (len(frequencies_hz), len(times_s))
    level = levels_db.mean(axis=1)
    assert frequencies_hz[level.argmax()] == pytest.approx(1000, abs=16)
    assert level.max() == pytest.approx(20 * np.log10(0.3), abs=0.5)
    high = level * (frequencies_hz > 3000) - 200 * (frequencies_hz <= 3000)
    assert frequencies_hz[high.argmax()] == pytest.approx(5000, abs=16)
    assert times_s[-1] == pytest.approx(1 - 512 / 16000, abs=0.03)
    assert spectrogram(np.zeros(10))._repr_png_()


def test_the_spectrum_comes_in_pieces_too():
    samples = tone_samples(2, 16000, 1000)
    whole = spectrum_db(samples, 16000)
    pieces = [samples[start : start + 777] for start in range(0, len(samples), 777)]
    streamed = spectrum_of(pieces, len(samples), 16000)
    assert streamed.levels_db == pytest.approx(whole.levels_db)
    assert streamed.times_s == pytest.approx(whole.times_s)
    bands = by_ear(whole, 100).mean(axis=1)
    mel = 2595 * np.log10(1 + 1000 / 700) / (2595 * np.log10(1 + 8000 / 700))
    assert bands.argmax() == pytest.approx(100 * mel, abs=1.5)
    assert as_bytes(np.array([-300.0, -100, -50, 0, 9])).tolist() == [0, 0, 128, 255, 255]
    table = colours().astype(int)
    assert table.shape == (256, 3)
    luma = table @ (0.3, 0.6, 0.1)
    assert np.all(np.diff(luma) > -1)


def test_what_has_no_waveform_is_refused():
    with pytest.raises(MediaError, match="waveform"):
        waveform(np.zeros((2, 2, 2)))
    with pytest.raises(MediaError, match="floats"):
        waveform(np.zeros(10, np.int16))
    with pytest.raises(MediaError, match="spectrogram"):
        spectrogram(np.zeros((2, 2, 2)))


def test_markers_are_what_happened_meanwhile(folder):
    def far(time_s, muted, dark=False):
        return MediaStatus(
            time_s=time_s, is_microphone_deactivated=muted, is_camera_deactivated=dark
        )

    def near(time_s, muted, sending="test card"):
        return LocalStatus(
            time_s=time_s, muted=muted, camera_on=True, recording=True, sending=sending
        )

    def state(time_s, new):
        return StateChange(time_s=time_s, old=CallState.CONNECTING, new=new)

    events = (
        state(10.0, CallState.CONNECTED),
        far(10.1, True),
        near(19.0, False),
        far(20.5, False),
        near(21.0, True),
        state(21.25, CallState.RECONNECTING),
        state(21.75, CallState.CONNECTED),
        near(22.0, False, "clip.mp4"),
        far(22.5, False, True),
        ErrorEvent(time_s=22.75, error=MediaError("The camera is gone.")),
        Ended(time_s=23.2, reason=EndReason.REMOTE_HANGUP, duration_seconds=13.2),
    )
    recording = Recording(make("clip.mp4", folder), events, "ann", begun_s=20.0)
    assert recording.markers == [
        (0.5, "ann unmuted"),
        (1.0, "you muted"),
        (1.25, "connection lost, trying again"),
        (1.75, "connected again"),
        (2.0, "you unmuted"),
        (2.0, "sending clip.mp4"),
        (2.5, "ann turned the camera off"),
        (2.75, "The camera is gone"),
        (recording.duration_s, "ann hung up"),
    ]
    part = recording.trim(0.9, 1.9, folder / "marked.mp4")
    assert [(round(at, 2), text) for at, text in part.markers] == [
        (0.1, "you muted"),
        (0.35, "connection lost, trying again"),
        (0.85, "connected again"),
    ]
    assert Recording(make("clip.mp4", folder)).markers == []
