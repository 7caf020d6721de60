"""What is asked for again and when: first principles, then a stream over a lossy simulated path."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnb.engine.rtp.nack import (
    AUDIO_MAX_RTT_S,
    DEADLINE_S,
    MAX_MISSING,
    MAX_REORDER_S,
    MAX_REQUESTS,
    NackTracker,
)

RTT_S = 0.05


def fed(kind: str, numbers: list[int], now_s: float = 0.0) -> NackTracker:
    tracker = NackTracker(kind)
    for number in numbers:
        tracker.received(number & 0xFFFF, now_s)
    return tracker


def test_in_order_nothing_is_missing():
    tracker = fed("video", list(range(65_000, 67_000)))
    assert (tracker.missing, tracker.next_due_s(RTT_S), tracker.due(1.0, RTT_S)) == (0, None, [])
    assert not tracker.hopeless(100.0)


def test_a_hole_is_asked_for_at_once_and_again_each_round_trip():
    tracker = fed("video", [10, 13], 1.0)
    assert tracker.next_due_s(RTT_S) == 1.0
    assert tracker.due(1.0, RTT_S) == [11, 12]
    again_s = tracker.next_due_s(RTT_S)
    assert again_s is not None
    assert RTT_S < again_s - 1.0 < 1.5 * RTT_S
    assert tracker.due(again_s - 0.001, RTT_S) == []
    tracker.received(11, again_s - 0.001)
    assert tracker.due(again_s, RTT_S) == [12]
    tracker.received(12, again_s + RTT_S)
    assert (tracker.requested, tracker.recovered, tracker.given_up) == (3, 2, 0)
    assert (tracker.missing, tracker.next_due_s(RTT_S)) == (0, None)


def test_holes_across_the_wrap_are_asked_for_in_order():
    assert fed("video", [65_533, 65_538]).due(0.0, RTT_S) == [65_534, 65_535, 0, 1]


def test_duplicates_and_late_ones_count_for_nothing():
    tracker = fed("video", [5, 6, 7, 6, 7, 5, 8])
    assert (tracker.missing, tracker.recovered, tracker.reordered) == (0, 0, 0)


def test_a_path_that_reorders_is_given_time_before_the_first_request():
    tracker = fed("video", [1, 3], 0.0)
    tracker.received(2, 0.008)
    assert (tracker.reordered, tracker.recovered) == (1, 0)
    tracker.received(5, 1.0)
    assert tracker.due(1.0, RTT_S) == []
    assert tracker.next_due_s(RTT_S) == pytest.approx(1.01)
    tracker.received(4, 1.008)
    assert (tracker.requested, tracker.reordered) == (0, 2)
    for step in range(40):
        tracker.received(7 + 2 * step, 2.0 + step)
        tracker.received(6 + 2 * step, 2.5 + step)
    tracker.received(100, 50.0)
    wait_s = (tracker.next_due_s(RTT_S) or 0.0) - 50.0
    assert 0 < wait_s <= MAX_REORDER_S + 1e-9


def test_a_packet_sooner_than_an_answer_was_only_overtaken():
    tracker = fed("video", [1, 3], 0.0)
    assert tracker.due(0.0, RTT_S) == [2]
    tracker.received(2, 0.01)
    assert (tracker.requested, tracker.recovered, tracker.reordered) == (1, 0, 1)


def test_hopeless_once_however_many_were_lost():
    tracker = fed("video", [1, 5], 0.0)
    deadline_s = DEADLINE_S["video"]
    assert not tracker.hopeless(deadline_s - 0.01)
    tracker.received(8, deadline_s - 0.01)
    assert tracker.hopeless(deadline_s + 0.01)
    assert not tracker.hopeless(deadline_s + 0.02)
    assert (tracker.given_up, tracker.missing) == (3, 2)
    # Holes noticed before the keyframe was asked for are no news when their time is over.
    assert not tracker.hopeless(3 * deadline_s)
    assert tracker.given_up == 5
    tracker.received(10, 10.0)
    assert tracker.hopeless(10.0 + deadline_s + 0.01)


def test_a_slow_path_has_a_later_deadline():
    tracker = fed("video", [1, 3], 0.0)
    tracker.due(0.0, 0.5)
    assert not tracker.hopeless(1.9)
    assert tracker.hopeless(2.1)


def test_requests_for_one_packet_are_bounded_and_the_timer_moves_on():
    tracker = fed("video", [1, 3], 0.0)
    now_s = 0.0
    for _ in range(100):
        next_s = tracker.next_due_s(0.001)
        if next_s is None:
            break
        assert next_s >= now_s
        now_s = next_s
        tracker.due(now_s, 0.001)
        if tracker.hopeless(now_s):
            break
    assert now_s == pytest.approx(DEADLINE_S["video"])
    assert tracker.requested == MAX_REQUESTS


@pytest.mark.parametrize(
    ("rtt_s", "asked"), [(None, []), (0.02, [2]), (0.09, [2]), (AUDIO_MAX_RTT_S + 0.01, [])]
)
def test_sound_is_asked_for_only_where_the_answer_can_be_played(rtt_s, asked):
    tracker = fed("audio", [1, 3], 0.0)
    assert tracker.due(0.0, rtt_s) == asked
    assert not tracker.hopeless(DEADLINE_S["audio"] + 0.001)
    assert (tracker.missing, tracker.given_up) == (0, 1)


def test_sound_is_not_asked_for_again_when_it_is_too_late():
    tracker = fed("audio", [1, 3], 0.0)
    assert tracker.due(0.0, 0.08) == [2]
    assert tracker.due(0.1, 0.08) == []
    assert tracker.next_due_s(0.08) == pytest.approx(DEADLINE_S["audio"])


def test_after_a_keyframe_older_holes_do_not_matter():
    tracker = fed("video", [65_530, 65_533, 2, 5], 0.0)
    assert tracker.missing == 2 + 4 + 2
    tracker.forget(before=2)
    assert tracker.due(0.0, RTT_S) == [3, 4]
    tracker.forget()
    assert (tracker.missing, tracker.given_up) == (0, 8)
    assert not tracker.hopeless(10.0)


def test_an_outage_asks_for_a_keyframe_not_for_a_hundred_packets():
    tracker = fed("video", [1], 0.0)
    tracker.received(101, 1.0)
    assert tracker.due(1.0, RTT_S) == []
    assert tracker.hopeless(1.0)
    assert (tracker.given_up, tracker.missing) == (99, 0)
    # The same hole in a stream that never stopped is a burst of losses.
    tracker.received(201, 1.03)
    assert len(tracker.due(1.03, RTT_S)) == 99


def test_more_holes_than_worth_it():
    tracker = fed("video", [0, MAX_MISSING["video"] + 2], 0.0)
    assert tracker.hopeless(0.0)
    tracker = fed("video", list(range(0, 1000, 2)), 0.0)
    assert tracker.missing == MAX_MISSING["video"]
    assert tracker.hopeless(0.0)
    audio = fed("audio", list(range(0, 1000, 2)), 0.0)
    assert audio.missing == MAX_MISSING["audio"]
    assert not audio.hopeless(0.0)


def test_a_stray_packet_is_ignored_and_a_new_beginning_is_followed():
    tracker = fed("video", [100, 101, 30_000, 102, 104], 0.0)
    assert tracker.due(0.0, RTT_S) == [103]
    for number in (40_000, 40_001, 40_003):
        tracker.received(number, 0.1)
    assert tracker.due(0.1, RTT_S) == [40_002]
    assert tracker.hopeless(0.1)
    for number in (7, 8, 10):
        tracker.received(number, 0.2)
    assert tracker.due(0.2, RTT_S) == [9]


@given(
    st.integers(0, 65_535),
    st.lists(st.tuples(st.integers(-40, 40), st.floats(0, 0.2)), max_size=200),
    st.sampled_from(["audio", "video"]),
)
def test_every_hole_is_accounted_for_and_time_always_moves_on(start, steps, kind):
    tracker = NackTracker(kind)
    tracker.received(start, 0.0)
    now_s, highest, noticed = 0.0, start, 0
    for step, wait_s in steps:
        now_s += wait_s
        number = highest + step
        if step > 0:
            noticed += step - 1
            highest = number
        tracker.received(number & 0xFFFF, now_s)
        asked = tracker.due(now_s, RTT_S)
        assert len(asked) == len(set(asked)) <= MAX_MISSING[kind]
        tracker.hopeless(now_s)
        next_s = tracker.next_due_s(RTT_S)
        assert (next_s is None) == (tracker.missing == 0)
        assert next_s is None or next_s > now_s
        counted = tracker.recovered + tracker.reordered + tracker.given_up + tracker.missing
        assert counted == noticed


@dataclass
class Outcome:
    packets: int
    unanswered: int
    hopeless: int
    sent_again: int
    worst_s: float
    tracker: NackTracker


def stream(kind: str, loss: float, *, seconds: int, jitter_s: float = 0.0) -> Outcome:
    """A stream over a path that loses packets, requests and answers alike; 50 ms round trip."""
    rng = random.Random(7)
    tracker = NackTracker(kind)
    events: list[tuple[float, int, str, list[int]]] = []
    first_s: dict[int, float] = {}
    came_s: dict[int, float] = {}
    order = 0

    def at(when_s: float, what: str, numbers: list[int]) -> None:
        nonlocal order
        order += 1
        heapq.heappush(events, (when_s, order, what, numbers))

    number = 65_000
    for tick in range(seconds * (30 if kind == "video" else 50)):
        when_s = tick / (30 if kind == "video" else 50)
        count = 1 if kind == "audio" else 3 + (rng.random() < 0.5) + (20 if tick % 300 == 0 else 0)
        for index in range(count):
            first_s[number] = when_s + index * 0.0002
            at(first_s[number], "send", [number])
            number += 1
    sent = hopeless = newest = 0
    timer_s = None
    while events:
        now_s, _, what, numbers = heapq.heappop(events)
        if what == "send":
            for each in numbers:
                sent += 1
                if rng.random() >= loss:
                    at(now_s + RTT_S / 2 + jitter_s * rng.random(), "arrive", [each])
            continue
        if what == "arrive":
            came_s.setdefault(numbers[0], now_s)
            newest = max(newest, numbers[0])
            tracker.received(numbers[0] & 0xFFFF, now_s)
        due = tracker.due(now_s, RTT_S)
        hopeless += tracker.hopeless(now_s)
        if due and rng.random() >= loss:
            at(now_s + RTT_S / 2, "send", [newest - ((newest - each) & 0xFFFF) for each in due])
        next_s = tracker.next_due_s(RTT_S)
        if next_s is not None and (timer_s is None or timer_s <= now_s or next_s < timer_s):
            timer_s = next_s
            at(next_s, "timer", [])
    delays = [came_s[each] - first_s[each] for each in came_s]
    # What is lost at the very end is noticed by nobody.
    unanswered = sum(each not in came_s for each in first_s if each < newest)
    return Outcome(len(first_s), unanswered, hopeless, sent - len(first_s), max(delays), tracker)


@pytest.mark.parametrize("loss", [0.02, 0.05, 0.1, 0.2])
def test_video_survives_independent_loss(loss):
    outcome = stream("video", loss, seconds=120)
    assert outcome.hopeless == 0
    assert outcome.unanswered == 0
    assert outcome.tracker.recovered > 0.9 * loss * outcome.packets
    # Hardly more is sent again than was lost.
    assert outcome.sent_again < outcome.packets * (loss / (1 - loss) * 1.1 + 0.01)


def test_reordering_alone_costs_little():
    outcome = stream("video", 0.0, seconds=120, jitter_s=0.01)
    assert outcome.tracker.reordered > 0.2 * outcome.packets
    assert outcome.tracker.requested < 0.2 * outcome.tracker.reordered
    assert outcome.hopeless == 0


@pytest.mark.parametrize(("loss", "left"), [(0.05, 0.005), (0.1, 0.01), (0.2, 0.05)])
def test_most_lost_sound_comes_in_time(loss, left):
    outcome = stream("audio", loss, seconds=200)
    assert outcome.unanswered < left * outcome.packets
    assert outcome.hopeless == 0
    assert outcome.worst_s < 0.25
