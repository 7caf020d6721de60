"""When packets leave: small pictures at once, large ones spread, sound past everything."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import pytest

from xnb.engine.rtp.pacer import BURST_BYTES, MAX_DELAY_S, TICK_S, Pacer


class Handle:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Line:
    """A clock, its timers, and what left when."""

    def __init__(self, rate_bps: float = 1_000_000) -> None:
        self.now_s = 100.0
        self.sent: list[tuple[float, bytes]] = []
        self.timers: list[tuple[float, int, Handle]] = []
        self.armed = 0
        self.pacer = Pacer(
            lambda packet: self.sent.append((self.now_s, packet)),
            now=lambda: self.now_s,
            call_at=self.call_at,
        )
        self.pacer.rate_bps = rate_bps

    def call_at(self, when_s: float, callback: Callable[[], None]) -> Handle:
        assert when_s >= self.now_s + TICK_S - 1e-9
        handle = Handle(callback)
        self.armed += 1
        heapq.heappush(self.timers, (when_s, self.armed, handle))
        return handle

    @property
    def waiting(self) -> int:
        return sum(handle.callback is not None for _, _, handle in self.timers)

    def run(self, seconds: float, late_s: float = 0.0) -> None:
        until_s = self.now_s + seconds
        while self.timers and self.timers[0][0] <= until_s:
            when_s, _, handle = heapq.heappop(self.timers)
            if handle.callback is not None:
                self.now_s = max(self.now_s, when_s + late_s)
                handle.callback()
        self.now_s = max(self.now_s, until_s)

    def names(self) -> list[int]:
        return [packet[0] for _, packet in self.sent]


def packets(count: int, size_bytes: int = 1200, start: int = 0) -> list[bytes]:
    return [bytes([start + index]) * size_bytes for index in range(count)]


def test_an_ordinary_picture_leaves_at_once_without_a_timer():
    line = Line()
    for _ in range(5):
        before_s = line.now_s
        line.pacer.send(packets(10))
        assert [when_s for when_s, _ in line.sent[-10:]] == [before_s] * 10
        line.run(0.04)
    assert (line.pacer.queued_bytes, line.armed) == (0, 0)


def test_a_keyframe_is_spread_in_order():
    line = Line(rate_bps=4_000_000)
    line.pacer.send(packets(60))
    assert len(line.sent) == 10
    assert line.pacer.queued_bytes == 50 * 1200
    line.run(1.0)
    assert line.names() == list(range(60))
    took_s = line.sent[-1][0] - 100.0
    # 50 packets at 10 Mbps
    assert took_s == pytest.approx(50 * 1200 * 8 / 10e6, abs=0.006)
    gaps = {round(b - a, 6) for (a, _), (b, _) in zip(line.sent, line.sent[1:], strict=False)}
    assert min(gaps - {0.0}) >= TICK_S - 1e-6
    # In no 20 ms more than the rate, one burst and one packet.
    for start_s, _ in line.sent:
        size = sum(len(p) for when_s, p in line.sent if start_s <= when_s < start_s + 0.02)
        assert size <= BURST_BYTES + 0.02 * 10e6 / 8 + 1200
    assert (line.waiting, line.pacer.queued_bytes) == (0, 0)


def test_a_low_rate_does_not_delay_a_picture_for_long():
    line = Line(rate_bps=100_000)
    line.pacer.send(packets(60))
    line.run(0.05)
    line.pacer.send(packets(60, start=60))
    second_s = line.now_s
    line.run(1.0)
    assert line.names() == list(range(120))
    assert line.sent[59][0] - 100.0 <= MAX_DELAY_S + 2 * TICK_S
    assert line.sent[-1][0] - second_s <= MAX_DELAY_S + 2 * TICK_S


def test_sound_and_retransmissions_pass_a_waiting_keyframe():
    line = Line()
    line.pacer.send(packets(60))
    sound = [b"\xfe" * 120]
    line.pacer.send(sound, first=True)
    assert line.sent[-1] == (100.0, sound[0])
    again = packets(3, start=200)
    line.pacer.send(again, first=True)
    assert line.pacer.queued_bytes == 53 * 1200
    line.run(1.0)
    names = line.names()
    assert names[11:14] == [200, 201, 202]
    assert names[:10] + names[14:] == list(range(60))


def test_sound_does_not_wait_for_many_retransmissions_either():
    line = Line()
    line.pacer.send(packets(100), first=True)
    line.pacer.send([b"\xfe" * 120], first=True)
    assert line.sent[-1][1] == b"\xfe" * 120
    line.run(0.2)
    assert line.pacer.queued_bytes == 0


def test_the_next_picture_stays_behind_the_keyframe():
    line = Line()
    line.pacer.send(packets(40))
    line.run(0.033)
    assert line.pacer.queued_bytes
    line.pacer.send(packets(2, start=40))
    line.run(1.0)
    assert line.names() == list(range(42))


def test_a_late_tick_makes_up_for_its_delay():
    line = Line()
    line.pacer.send(packets(60))
    line.run(1.0, late_s=0.03)
    assert line.names() == list(range(60))
    assert line.sent[-1][0] - 100.0 <= MAX_DELAY_S + 0.03 + 2 * TICK_S
    line = Line()
    line.pacer.send(packets(60))
    line.now_s += 5.0
    line.run(0.0)
    assert (line.names(), line.waiting) == (list(range(60)), 0)
    # What was saved up while nothing waited does not make the next burst larger.
    line.pacer.send(packets(60, start=60))
    assert len(line.sent) == 60 + 10


def test_a_higher_rate_counts_from_now_on():
    line = Line(rate_bps=1_000_000)
    line.pacer.send(packets(60))
    line.run(0.02)
    line.pacer.rate_bps = 20_000_000
    line.run(0.03)
    assert line.pacer.queued_bytes == 0


def test_clear_drops_what_waits_and_its_timer():
    line = Line()
    line.pacer.send(packets(60))
    line.pacer.clear()
    assert (line.pacer.queued_bytes, line.waiting) == (0, 0)
    line.run(1.0)
    assert len(line.sent) == 10
    line.pacer.send(packets(2, start=100))
    assert line.names()[10:] == [100, 101]


def test_close_is_final_and_may_come_twice():
    line = Line()
    line.pacer.send(packets(60))
    line.pacer.close()
    line.pacer.close()
    line.pacer.send(packets(1), first=True)
    line.run(1.0)
    assert (len(line.sent), line.waiting) == (10, 0)


def test_a_packet_larger_than_a_burst_leaves_too():
    line = Line()
    line.pacer.send(packets(3, size_bytes=20_000))
    line.run(1.0)
    assert line.names() == [0, 1, 2]
