"""The playout buffer's decisions, packet by packet."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnb.engine.audio_buffer import (
    EARLY_S,
    PlayoutBuffer,
    Step,
)
from xnb.engine.audio_delay import MAX_DELAY_S, MIN_DELAY_S, DelayTarget
from xnb.engine.rtp.packets import RtpPacket

FRAME = 960
VOICE, WITH_FEC = b"\x48\x80\x00\x00", b"\x48\xc0\x00\x00"
"""Wideband SILK, 20 ms: a voice, without and with the frame before in it."""


def packet(n: int, data: bytes = VOICE, *, again: bool = False) -> RtpPacket:
    made = RtpPacket(
        payload_type=111,
        sequence_number=(65530 + n) & 0xFFFF,
        timestamp=(0xFFFFF000 + n * FRAME) & 0xFFFFFFFF,
        ssrc=9,
        payload=data,
    )
    made.is_retransmission = again
    return made


def steps(buffer: PlayoutBuffer, now_s: float, rtt_s: float | None = None) -> list[Step]:
    taken = []
    while (step := buffer.next(now_s, rtt_s)) is not None:
        taken.append(step)
        buffer.delivered(step.samples)
    return taken


def kinds(buffer: PlayoutBuffer, now_s: float) -> list[str]:
    return [step.kind for step in steps(buffer, now_s)]


def test_a_packet_in_order_is_played_as_it_comes_and_nothing_is_scheduled():
    buffer = PlayoutBuffer()
    for n in range(100):
        buffer.insert(packet(n), n * 0.02)
        assert kinds(buffer, n * 0.02) == ["play"]
        assert buffer.wake_s() is None
    assert buffer.output == 0xFFFFF000 + 100 * FRAME == buffer.media


def test_a_hole_is_filled_from_the_next_packet_when_it_is_due():
    buffer = PlayoutBuffer()
    buffer.insert(packet(0), 0.0)
    assert kinds(buffer, 0.0) == ["play"]
    buffer.insert(packet(2, WITH_FEC), 0.035)
    assert kinds(buffer, 0.035) == []
    due_s = buffer.wake_s()
    assert due_s == pytest.approx(0.02 + MIN_DELAY_S)
    taken = steps(buffer, due_s + 1e-6)
    assert [step.kind for step in taken] == ["recover", "play"]
    assert taken[0].data == taken[1].data == WITH_FEC
    assert (buffer.recovered_samples, buffer.concealed_samples) == (FRAME, 0)


def test_a_hole_filled_in_time_is_no_hole():
    buffer = PlayoutBuffer()
    for n, at_s in ((0, 0.0), (2, 0.03), (1, 0.039)):
        buffer.insert(packet(n), at_s)
        last = kinds(buffer, at_s)
    assert last == ["play", "play"]
    assert (buffer.received, buffer.late, buffer.concealed_samples) == (3, 0, 0)


def test_without_a_repetition_it_is_concealed_and_the_straggler_is_late():
    buffer = PlayoutBuffer()
    buffer.insert(packet(0), 0.0)
    steps(buffer, 0.0)
    buffer.insert(packet(2), 0.041)
    assert kinds(buffer, 0.041) == ["conceal", "play"]
    assert buffer.concealed_samples == FRAME
    buffer.insert(packet(1), 0.05)
    buffer.insert(packet(2), 0.05)
    assert kinds(buffer, 0.05) == []
    assert buffer.late == 2


def test_of_a_longer_hole_only_the_last_frame_can_be_recovered():
    buffer = PlayoutBuffer()
    buffer.insert(packet(0), 0.0)
    steps(buffer, 0.0)
    buffer.insert(packet(4, WITH_FEC), 0.08)
    taken = [kind for at_ms in range(80, 140) for kind in kinds(buffer, at_ms / 1000)]
    assert taken[:4] == ["conceal", "conceal", "recover", "play"]
    assert buffer.recovered_samples == FRAME
    assert buffer.concealed_samples == 2 * FRAME


def test_too_much_waiting_sound_is_skipped_with_a_seam():
    buffer = PlayoutBuffer()
    buffer.insert(packet(0), 0.0)
    steps(buffer, 0.0)
    taken = []
    for n in range(1, 200):
        buffer.insert(packet(n), 4.0)
        taken += steps(buffer, 4.0)
    assert len(taken) < 10
    assert buffer.waiting <= 12
    taken = steps(buffer, 4.4)
    assert taken[0].seam
    assert not any(step.seam for step in taken[1:])
    assert buffer.skipped > 150


def test_what_is_held_stays_bounded():
    buffer = PlayoutBuffer()
    for n in range(5000):
        buffer.insert(packet(n), 0.0)
    assert buffer.waiting < 20


def test_another_ssrc_makes_the_decoder_forget():
    buffer = PlayoutBuffer()
    buffer.insert(packet(0), 0.0)
    assert [step.fresh for step in steps(buffer, 0.0)] == [True]
    buffer.insert(packet(1), 0.02)
    assert [step.fresh for step in steps(buffer, 0.02)] == [False]
    other = packet(700)
    other.ssrc = 10
    buffer.insert(other, 0.04)
    assert [step.fresh for step in steps(buffer, 0.04)] == [True]
    assert buffer.output == 0xFFFFF000 + 3 * FRAME


def test_the_target_knows_jitter():
    rng = random.Random(4)
    for spread_s, least_s, most_s in ((0.002, 0.02, 0.02), (0.05, 0.045, 0.065), (0.9, 0.19, 0.2)):
        target = DelayTarget()
        for n in range(1000):
            now_s = n * 0.02 + rng.random() * spread_s
            target.measured(target.arrived(now_s - n * 0.02, now_s), None)
        assert least_s <= target.target_s <= most_s
        assert MIN_DELAY_S <= target.target_s <= MAX_DELAY_S
    assert MIN_DELAY_S < EARLY_S


def test_the_target_learns_how_late_repetitions_come():
    target = DelayTarget()
    for n in range(500):
        lateness_s = target.arrived(0.0, n * 0.02)
        if n % 20 == 19:
            target.repeated(0.07 + 0.0001 * (n % 7), 0.04, counted=False)
        else:
            target.measured(lateness_s, 0.04)
    assert 0.07 < target.target_s < 0.1
    for n in range(500, 3500):
        target.measured(target.arrived(0.0, n * 0.02), 0.04)
    assert target.target_s == MIN_DELAY_S


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.floats(0, 0.3),
            st.sampled_from(
                [VOICE, WITH_FEC, b"", b"\x78", b"\x4b\x06" + b"\x00" * 6, b"\xff\x00"]
            ),
        ),
        max_size=60,
    )
)
def test_any_packets_at_any_time_are_survived(arrivals):
    buffer = PlayoutBuffer()
    now_s, before = 0.0, None
    for number, wait_s, data in arrivals:
        now_s += wait_s
        buffer.insert(packet(number, data), now_s)
        for _ in range(400):
            if buffer.next(now_s) is None:
                break
            buffer.delivered(FRAME)
            assert before is None or buffer.output > before
            before = buffer.output
        else:
            raise AssertionError("it never ends")
        wake_s = buffer.wake_s()
        assert wake_s is None or wake_s > now_s - 1e-6
