"""Sound made longer and shorter: pitch stays, no clicks, cuts only where nobody hears them."""

from __future__ import annotations

import numpy as np
import pytest
from media_files import dominant_frequency

from xnb.engine.audio_stretch import crossfade, lengthen, shorten

FRAME = 960


def tone(hz: float, frames: int) -> np.ndarray:
    mono = 9000 * np.sin(2 * np.pi * hz * np.arange(frames * FRAME) / 48000)
    return np.stack([mono, 0.5 * mono], axis=1).astype(np.int16)


@pytest.mark.parametrize("change", [shorten, lengthen])
@pytest.mark.parametrize("hz", [90.0, 200.0, 440.0, 1000.0])
def test_a_tone_keeps_its_pitch_and_has_no_click(change, hz):
    sound = tone(hz, 60)
    out, changes = [], 0
    for number in range(60):
        piece = sound[number * FRAME : (number + 1) * FRAME]
        changed = change(piece, 600) if number % 3 == 1 else piece
        changes += changed is not piece
        out.append(changed)
    joined = np.concatenate(out)
    assert changes == 20
    difference = len(joined) - len(sound)
    assert (difference < 0) == (change is shorten)
    assert 20 * 120 <= abs(difference) <= 20 * 600
    assert dominant_frequency(joined) == pytest.approx(hz, abs=max(3.0, 0.01 * hz))
    worst = np.abs(np.diff(sound[:, 0].astype(int))).max()
    assert np.abs(np.diff(joined[:, 0].astype(int))).max() < 1.6 * worst + 100
    np.testing.assert_allclose(joined[:, 1], joined[:, 0] / 2, atol=2)


def test_never_more_than_asked_for():
    sound = tone(440.0, 1)
    for most in range(0, 700, 37):
        assert 0 <= FRAME - len(shorten(sound, most, anyhow=True)) <= most
        assert 0 <= len(lengthen(sound, most, anyhow=True)) - FRAME <= most


def test_what_is_not_alike_is_left_alone_unless_it_must_be():
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 5000, (FRAME, 2)).astype(np.int16)
    assert shorten(noise, 600) is noise
    assert lengthen(noise, 600) is noise
    assert len(shorten(noise, 600, anyhow=True)) < FRAME
    assert len(lengthen(noise, 600, anyhow=True)) > FRAME


def test_silence_gives_as_much_as_is_asked_for():
    silence = np.zeros((FRAME, 2), np.int16)
    assert len(shorten(silence, 500)) == FRAME - 500
    assert len(lengthen(silence, 500)) == FRAME + 500


def test_short_frames_stay():
    short = tone(440.0, 1)[:480]
    assert shorten(short, 600) is short


def test_a_crossfade_goes_from_one_to_the_other():
    old, new = np.full((360, 2), 1000, np.int16), np.full((FRAME, 2), -1000, np.int16)
    out = crossfade(old, new)
    assert len(out) == FRAME
    assert out[0, 0] > 990
    assert (out[360:] == -1000).all()
    assert (np.diff(out[:, 0]) <= 0).all()
