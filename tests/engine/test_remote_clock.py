"""The far end's tracks on one clock: arrivals, reports, gradual moves."""

from __future__ import annotations

import itertools

import pytest

from xnb.engine.remote_clock import RemoteClock


def test_a_track_stands_on_its_earliest_arrival():
    clock = RemoteClock()
    for media_s, late_s in ((100.0, 0.05), (100.1, 0.0), (100.2, 0.03)):
        clock.arrived("audio", media_s, media_s - 90 + late_s)
    assert clock.time_s("audio", 100.5) == pytest.approx(10.5)
    assert clock.media_s("audio", 10.5) == pytest.approx(100.5)


def test_reports_bring_the_picture_to_the_sound_and_times_always_rise():
    clock = RemoteClock()
    clock.arrived("audio", 1000.0, 10.0)
    clock.arrived("video", 50.0, 10.08)  # its first picture took 80 ms to encode
    times = [clock.time_s("video", 50 + n / 30) for n in range(3)]
    # On the far end's own clock both began together.
    clock.report("audio", 5_000.0, 1000.0)
    clock.report("video", 5_000.0, 50.0)
    times += [clock.time_s("video", 50 + n / 30) for n in range(3, 20)]
    assert all(b > a for a, b in itertools.pairwise(times))
    assert times[0] == pytest.approx(10.08)
    assert times[-1] == pytest.approx(10.0 + 19 / 30)


def test_a_report_that_came_late_does_not_count_when_an_earlier_one_did():
    clock = RemoteClock()
    clock.arrived("audio", 0.0, 10.0)
    clock.arrived("video", 0.0, 10.0)
    for late_s in (0.0, 0.04, 0.02):
        clock.report("audio", 100.0, 0.0)
        clock.report("video", 100.0 + late_s, 0.0)
    clock.time_s("video", 0.0)
    assert clock.time_s("video", 5.0) == pytest.approx(15.0)


def test_a_report_from_nowhere_is_left_out():
    clock = RemoteClock()
    clock.arrived("audio", 0.0, 10.0)
    clock.arrived("video", 0.0, 10.0)
    clock.report("audio", 100.0, 0.0)
    clock.report("video", 9_000.0, 0.0)
    clock.time_s("video", 0.0)
    assert clock.time_s("video", 5.0) == pytest.approx(15.0)


def test_another_sender_starts_anew():
    clock = RemoteClock()
    clock.arrived("video", 500.0, 10.0)
    assert clock.time_s("video", 500.0) == pytest.approx(10.0)
    clock.restart("video")
    clock.arrived("video", 3.0, 20.0)
    assert clock.time_s("video", 3.5) == pytest.approx(20.5)
