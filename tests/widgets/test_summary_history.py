"""What is remembered of a call while it goes on."""

from __future__ import annotations

from xnb.engine.stats import PeerStats
from xnb.events import CallState, Ended, EndReason, Event, LocalStatus, StateChange
from xnb.widgets.summary_history import MAX_SPANS, StatsHistory, Timeline, bitrate_words


def change(old: CallState, new: CallState, time_s: float) -> StateChange:
    return StateChange(old=old, new=new, time_s=time_s, wall_time_s=1e9 + time_s)


def status(recording: bool, time_s: float) -> LocalStatus:
    return LocalStatus(muted=False, camera_on=True, recording=recording, sending="", time_s=time_s)


STATES = [
    change(CallState.NEW, CallState.SIGNALING, 100.0),
    change(CallState.SIGNALING, CallState.RINGING, 100.1),
    change(CallState.RINGING, CallState.CONNECTING, 100.5),
    change(CallState.CONNECTING, CallState.CONNECTED, 100.7),
]


def test_states_become_spans() -> None:
    events: list[Event] = [
        *STATES,
        status(True, 110.0),
        status(True, 111.0),
        status(False, 120.0),
        status(True, 130.0),
        change(CallState.CONNECTED, CallState.ENDED, 142.7),
        Ended(reason=EndReason.HANGUP, duration_seconds=42.0, time_s=142.7),
    ]
    timeline = Timeline(events)
    found = [(span.text, round(span.start_s, 3), round(span.end_s, 3)) for span in timeline.spans]
    assert found == [
        ("signing in", 0.0, 0.1),
        ("ringing", 0.1, 0.5),
        ("connecting", 0.5, 0.7),
        ("connected", 0.7, 42.7),
    ]
    assert [(round(a, 3), round(b, 3)) for a, b in timeline.recorded] == [(10, 20), (30, 42.7)]
    assert timeline.began_at_s == 1e9 + 100
    assert timeline.was_connected
    assert not Timeline(STATES[:3]).was_connected


def test_a_call_that_flaps_needs_no_more_memory() -> None:
    timeline = Timeline(STATES)
    for n in range(1000):
        old, new = CallState.CONNECTED, CallState.RECONNECTING
        timeline.take(change(*((old, new) if n % 2 == 0 else (new, old)), 101.0 + n))
    assert len(timeline.spans) == MAX_SPANS
    assert timeline.spans[-1].end_s == 1000.0


def test_figures_say_usual_and_highest() -> None:
    history = StatsHistory()
    for n in range(9):
        rtt_ms = 90.0 if n == 4 else 10.0
        history.add(n + 5.0, PeerStats(bitrate_bps=1.25e6, rtt_ms=rtt_ms, loss_percent=0.0))
    received, rtt, loss = history.figures(5.0)
    assert (received.label, received.text) == ("received", "1.2 Mbit/s")
    assert (rtt.label, rtt.text) == ("RTT", "10 ms, at most 90 ms")
    assert rtt.points[4] == (4.0, 90.0)
    assert (loss.label, loss.text) == ("loss", "0 %")


def test_a_figure_that_was_never_known_is_left_out() -> None:
    history = StatsHistory()
    assert history.figures(0.0) == ()
    for n in range(3):
        history.add(float(n), PeerStats(bitrate_bps=8000.0))
    assert [figure.label for figure in history.figures(0.0)] == ["received"]


def test_a_long_call_is_kept_whole_in_bounded_memory() -> None:
    history = StatsHistory(max_points=16)
    for n in range(1000):
        peak = 500.0 if n == 123 else 10.0
        history.add(float(n), PeerStats(bitrate_bps=float(n), rtt_ms=peak))
        assert len(history.samples) <= 17
    samples = history.samples
    assert samples[0].time_s == 0.0
    assert samples[-1].time_s > 800
    assert max(one.rtt_ms or 0.0 for one in samples) == 500.0, "a peak is never lost"
    rates = [one.received_bps for one in samples]
    assert rates == sorted(rates)


def test_bitrates_in_words() -> None:
    assert [bitrate_words(one) for one in (0, 64_400, 999_600, 2_345_678)] == [
        "0 kbit/s",
        "64 kbit/s",
        "1.0 Mbit/s",
        "2.3 Mbit/s",
    ]
