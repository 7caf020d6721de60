"""Which pictures of a source are left out."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from xnb.engine.picture_limits import PictureLimits
from xnb.settings import VideoSettings

TICKS = 90_000


def picture(time_s: float | None) -> av.VideoFrame:
    frame = av.VideoFrame(64, 48, "yuv420p")
    if time_s is not None:
        frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
    return frame


def kept(limits: PictureLimits, times_s) -> np.ndarray:
    return np.array([t for t in times_s if not limits.is_too_soon(picture(t))])


@pytest.mark.parametrize(
    ("source_fps", "sent_fps"), [(30, 15), (25, 12.5), (24, 12), (60, 15), (15, 15), (15.5, 15.5)]
)
def test_what_remains_comes_evenly(source_fps, sent_fps):
    limits = PictureLimits(VideoSettings(max_fps=15))
    times_s = kept(limits, np.arange(0, 4, 1 / source_fps))
    gaps_s = np.diff(times_s[times_s > 1])
    assert gaps_s == pytest.approx(1 / sent_fps, abs=2 / TICKS)


@pytest.mark.parametrize("source_fps", [20, 22, 35])
def test_other_rates_give_as_many_as_the_limit_allows(source_fps):
    limits = PictureLimits(VideoSettings(max_fps=15))
    times_s = kept(limits, np.arange(0, 10, 1 / source_fps))
    assert len(times_s) == pytest.approx(150, abs=3)


def test_a_camera_that_jitters_is_thinned_evenly():
    rng = np.random.default_rng(1)
    limits = PictureLimits(VideoSettings(max_fps=15))
    times_s = np.arange(0, 10, 1 / 30)
    left = kept(limits, times_s + rng.uniform(-0.008, 0.008, len(times_s)))
    gaps_s = np.diff(left[left > 2])
    assert gaps_s.min() > 0.05
    assert gaps_s.max() < 0.084


def test_another_source_and_a_pause_are_no_reason_to_wait():
    limits = PictureLimits(VideoSettings(max_fps=10))
    assert len(kept(limits, 100 + np.arange(0, 2, 1 / 20))) == pytest.approx(20, abs=2)
    for start_s in (3.0, 900.0):  # back in time, and much later
        times_s = kept(limits, start_s + np.arange(0, 2, 1 / 10))
        assert times_s[0] == pytest.approx(start_s, abs=2 / TICKS)
        assert len(times_s) == pytest.approx(20, abs=2)


def test_pictures_without_a_time_count_when_they_come(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("xnb.engine.picture_limits.time.monotonic", lambda: now_s)
    limits = PictureLimits(VideoSettings(max_fps=15))
    count = 0
    for step in range(120):
        now_s = 50 + step / 30
        count += not limits.is_too_soon(picture(None))
    assert count == pytest.approx(60, abs=2)
