"""Bandwidth over simulated paths: a real bottleneck is found, a busy loop or jitter is not one."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from xnb.engine.rtp.bandwidth import MIN_BPS, ReceiveEstimator, SendRate
from xnb.engine.rtp.packets import RtpPacket

ONE_WAY_S = 0.025


def packet(sent_s: float, arrival_s: float, size_bytes: int = 1200) -> RtpPacket:
    made = RtpPacket(
        payload_type=96,
        sequence_number=0,
        timestamp=0,
        ssrc=1,
        payload=b"",
        arrival_s=arrival_s,
        size_bytes=size_bytes,
    )
    made.abs_send_time = int(sent_s * (1 << 18)) & 0xFFFFFF
    return made


@dataclass
class Path:
    """Video of a sender that obeys, and 32 kbps of sound, through a bottleneck with a queue.

    While the receiver's loop is stalled nothing is read; then everything is, at one time.
    """

    capacity_bps: Callable[[float], float] = lambda t: 10e6
    queue_s: float = 0.3
    jitter_s: float = 0.0
    loss: float = 0.0
    stalls: Sequence[tuple[float, float]] = ()
    tell: str = ""
    socket_bytes: float = math.inf
    start_bps: int = 1_000_000
    max_bps: int = 3_000_000
    obeys: bool = True
    estimator: ReceiveEstimator = field(default_factory=ReceiveEstimator)
    targets: list[tuple[float, int]] = field(default_factory=list)
    queues: list[tuple[float, float]] = field(default_factory=list)
    reports: list[tuple[float, int]] = field(default_factory=list)

    def run(self, seconds: float) -> SendRate:
        rng = random.Random(11)
        rate = SendRate(self.start_bps, self.max_bps)
        way: deque[tuple[float, float, int]] = deque()
        remb: deque[tuple[float, int]] = deque()
        unread: list[tuple[float, int]] = []
        stall = None
        free_s = last_arrival_s = 0.0
        sent = lost = unread_bytes = 0
        # A start near the wrap of the 24-bit send time, which comes every 64 s.
        stamp_offset_s = 60.0
        for step in range(int(seconds * 1000)):
            now_s = step / 1000
            sizes = [100] if step % 20 == 0 else []
            if step % 33 == 0:
                size = int(rate.target_bps * 0.033 / 8 * rng.uniform(0.7, 1.3))
                count = math.ceil(size / 1200)
                sizes += [size // count + 20] * count
            for size in sizes:
                sent += 1
                if rng.random() < self.loss or free_s - now_s > self.queue_s:
                    lost += 1
                    continue
                free_s = max(free_s, now_s) + size * 8 / self.capacity_bps(now_s)
                jitter_s = rng.expovariate(1 / self.jitter_s) if self.jitter_s else 0.0
                last_arrival_s = max(last_arrival_s, free_s + ONE_WAY_S + jitter_s)
                way.append((last_arrival_s, now_s, size))
            while way and way[0][0] <= now_s:
                _, sent_s, size = way.popleft()
                if unread_bytes + size > self.socket_bytes:
                    lost += 1
                    continue
                unread_bytes += size
                unread.append((sent_s, size))
            if any(from_s <= now_s < until_s for from_s, until_s in self.stalls):
                stall = next(s for s in self.stalls if s[0] <= now_s < s[1])
            else:
                if stall and self.tell == "before":
                    self.estimator.stalled(stall[0], now_s)
                for sent_s, size in unread:
                    bps = self.estimator.add(packet(sent_s + stamp_offset_s, now_s, size))
                    if bps is not None:
                        self.reports.append((now_s, bps))
                        remb.append((now_s + ONE_WAY_S, bps))
                if stall and self.tell == "after":
                    self.estimator.stalled(stall[0], now_s)
                unread, unread_bytes, stall = [], 0, None
            while remb and remb[0][0] <= now_s and self.obeys:
                rate.on_remb(remb.popleft()[1], now_s)
            if step % 1000 == 999 and not stall:
                rate.on_report(lost / sent, 2 * ONE_WAY_S, now_s)
                sent = lost = 0
            if step % 100 == 0:
                self.targets.append((now_s, rate.target_bps))
                self.queues.append((now_s, max(0.0, free_s - now_s)))
        return rate

    def lowest_bps(self, from_s: float) -> int:
        return min(bps for at_s, bps in self.targets if at_s >= from_s)

    def mean_bps(self, from_s: float, until_s: float = math.inf) -> float:
        values = [bps for at_s, bps in self.targets if from_s <= at_s < until_s]
        return sum(values) / len(values)

    def mean_queue_s(self, from_s: float, until_s: float = math.inf) -> float:
        values = [s for at_s, s in self.queues if from_s <= at_s < until_s]
        return sum(values) / len(values)


@pytest.mark.parametrize("start_bps", [300_000, 1_000_000, 3_000_000])
def test_a_bottleneck_is_found_within_seconds(start_bps):
    path = Path(capacity_bps=lambda t: 500_000, start_bps=start_bps)
    path.run(30)
    assert path.estimator.overuses
    late = [bps for at_s, bps in path.targets if at_s > 4]
    assert max(late) < 600_000
    assert sum(bps > 500_000 for bps in late) < 0.1 * len(late)
    assert 370_000 < path.mean_bps(6) < 480_000
    assert path.mean_queue_s(6) < 0.12


@pytest.mark.parametrize("queue_s", [0.3, 2.0])
def test_a_drop_of_the_capacity_is_followed_and_the_queue_drained(queue_s):
    path = Path(capacity_bps=lambda t: 500_000 if 10 < t < 30 else 2e6, queue_s=queue_s)
    path.run(45)
    assert path.mean_bps(8, 10) > 1_500_000
    assert all(bps < 520_000 for at_s, bps in path.targets if 13 < at_s < 20)
    assert path.mean_queue_s(20, 30) < 0.2
    assert path.mean_bps(42) > 1_300_000


STALLS = {
    "20 to 50 ms, ten times a second": [
        (t / 10, t / 10 + 0.02 + t % 4 / 100) for t in range(10, 400)
    ],
    "300 ms each 2 s": [(2 * t + 0.31, 2 * t + 0.61) for t in range(1, 20)],
    "1 s each 5 s": [(5.0 * t, 5.0 * t + 1) for t in range(1, 8)],
    "5 s twice": [(10.0, 15.0), (25.0, 30.0)],
}


@pytest.mark.parametrize("tell", ["", "before", "after"])
@pytest.mark.parametrize("stalls", STALLS)
def test_a_busy_loop_is_not_congestion(stalls, tell):
    path = Path(stalls=STALLS[stalls], tell=tell)
    path.run(40)
    assert path.lowest_bps(from_s=5) > 2_900_000
    # And no nonsense upwards: what came at once had been sent over time.
    assert max(bps for _, bps in path.reports) < 3 * 3_000_000


@pytest.mark.parametrize("tell", ["", "before", "after"])
def test_a_socket_that_ran_over_does_not_make_it_collapse(tell):
    path = Path(stalls=STALLS["5 s twice"], tell=tell, socket_bytes=200_000)
    path.run(40)
    assert path.estimator.overuses == 0
    # The sender is told of packets that were really lost, once each time.
    assert path.lowest_bps(from_s=5) > 1_400_000
    assert path.mean_bps(38) > 2_500_000


@pytest.mark.parametrize("stalls", ["20 to 50 ms, ten times a second", "300 ms each 2 s"])
def test_a_bottleneck_is_found_by_a_busy_loop_too(stalls):
    path = Path(capacity_bps=lambda t: 500_000, stalls=STALLS[stalls], tell="after")
    path.run(30)
    assert all(bps < 560_000 for at_s, bps in path.targets if at_s > 6)
    assert 350_000 < path.mean_bps(6) < 500_000
    assert path.mean_queue_s(6) < 0.15


@pytest.mark.parametrize("jitter_s", [0.002, 0.01, 0.03])
def test_jitter_is_not_congestion_and_does_not_hide_it(jitter_s):
    path = Path(jitter_s=jitter_s)
    path.run(40)
    assert path.lowest_bps(from_s=5) > 2_000_000
    path = Path(jitter_s=jitter_s, capacity_bps=lambda t: 500_000)
    path.run(30)
    assert 330_000 < path.mean_bps(6) < 490_000
    assert path.mean_queue_s(6) < 0.15


@pytest.mark.parametrize(("loss", "least_bps"), [(0.05, 800_000), (0.1, 550_000), (0.2, 450_000)])
def test_random_loss_does_not_starve_it(loss, least_bps):
    path = Path(loss=loss)
    path.run(120)
    assert path.lowest_bps(from_s=0) > least_bps


def test_reports_come_at_most_twice_a_second_unless_lowered():
    path = Path(capacity_bps=lambda t: 500_000)
    path.run(20)
    lowered_s = -1.0
    for (before_s, before), (at_s, bps) in zip(path.reports, path.reports[1:], strict=False):
        if bps < before:
            assert at_s - lowered_s >= 0.4
            lowered_s = at_s
        else:
            assert at_s - before_s >= 0.499
    assert len(path.reports) > 30


def test_no_send_times_no_report():
    estimator = ReceiveEstimator()
    plain = packet(0.0, 0.0)
    plain.abs_send_time = None
    assert all(estimator.add(plain) is None for _ in range(1000))
    assert (estimator.estimate_bps, estimator.incoming_bps) == (None, None)


def fed(estimator: ReceiveEstimator, from_s: float, seconds: float, offset_s: float = 0.0) -> None:
    for step in range(int(seconds * 100)):
        sent_s = from_s + step / 100
        estimator.add(packet(sent_s + offset_s, sent_s + ONE_WAY_S, 1250))


def test_a_pause_or_another_clock_of_the_sender_is_no_congestion():
    estimator = ReceiveEstimator()
    fed(estimator, 0.0, 5.0)
    assert estimator.incoming_bps == pytest.approx(1_000_000, rel=0.02)
    before = estimator.estimate_bps or 0
    fed(estimator, 25.0, 0.2)
    assert (estimator.incoming_bps or 0) > 200_000
    fed(estimator, 25.2, 1.8)
    fed(estimator, 27.0, 2.0, offset_s=10.0)
    fed(estimator, 29.0, 2.0, offset_s=-10.0)
    fed(estimator, 31.0, 2.0, offset_s=20.0)
    fed(estimator, 100.0, 2.0)
    assert estimator.incoming_bps == pytest.approx(1_000_000, rel=0.02)
    assert (estimator.estimate_bps or 0) >= before > 1_000_000
    assert estimator.overuses == 0


def test_packets_that_overtook_each_other_count_but_do_not_confuse():
    rng = random.Random(5)
    estimator = ReceiveEstimator()
    arrivals = sorted((step / 100 + rng.uniform(0.02, 0.04), step / 100) for step in range(1000))
    for arrival_s, sent_s in arrivals:
        estimator.add(packet(sent_s, arrival_s, 1250))
    assert estimator.overuses == 0
    assert estimator.incoming_bps == pytest.approx(1_000_000, rel=0.1)


def test_a_longer_way_is_learnt_and_not_fought():
    estimator = ReceiveEstimator()
    fed(estimator, 0.0, 10.0)
    for step in range(3000):
        sent_s = 10 + step / 100
        estimator.add(packet(sent_s, sent_s + ONE_WAY_S + 0.4, 1250))
    assert estimator.overuses <= 4
    assert (estimator.estimate_bps or 0) > 1_400_000


def test_a_queue_that_stands_is_lowered_although_it_grew_too_slowly_to_see():
    estimator = ReceiveEstimator()
    fed(estimator, 0.0, 10.0)
    before = estimator.estimate_bps or 0
    assert before > 1_500_000
    for step in range(1500):
        sent_s = 10 + step / 100
        queue_s = min(0.15, 0.012 * (sent_s - 10))
        estimator.add(packet(sent_s, sent_s + ONE_WAY_S + queue_s, 1250))
        if queue_s < 0.09:
            assert estimator.overuses == 0
    assert estimator.overuses >= 1
    assert (estimator.estimate_bps or 0) < 950_000
    fed(estimator, 25.0, 20.0)
    assert (estimator.estimate_bps or 0) > 1_200_000


def test_the_estimate_has_a_floor():
    estimator = ReceiveEstimator()
    for step in range(2000):
        sent_s = step / 50
        estimator.add(packet(sent_s, 2 * sent_s, 20))
    assert estimator.overuses
    assert estimator.estimate_bps == MIN_BPS


def reported(rate: SendRate, loss: float, seconds: int, from_s: int = 0) -> int:
    for second in range(from_s, from_s + seconds):
        rate.on_report(loss, 0.05, float(second))
    return rate.target_bps


def test_without_a_report_of_the_receiver_it_grows_slowly_to_the_most():
    rate = SendRate(300_000, 1_000_000)
    after_5 = reported(rate, 0.0, 5)
    assert 400_000 < after_5 < 500_000
    assert reported(rate, 0.01, 60, 5) == 1_000_000


@pytest.mark.parametrize("loss", [0.025, 0.05, 0.09])
def test_some_loss_holds_it(loss):
    rate = SendRate(700_000, 2_000_000)
    assert reported(rate, loss, 300) == 700_000


def test_much_loss_shrinks_it_by_half_the_share():
    rate = SendRate(1_000_000, 2_000_000)
    rate.on_report(0.3, 0.05, 0.0)
    assert rate.target_bps == pytest.approx(850_000, abs=1)
    rate.on_report(0.3, 0.05, 0.1)
    assert rate.target_bps == pytest.approx(850_000, abs=1)


def test_shrinking_ends_where_it_proves_useless():
    rate = SendRate(1_000_000, 2_000_000)
    assert reported(rate, 0.2, 300) == pytest.approx(600_000, abs=1000)
    assert reported(rate, 0.6, 20, 300) < 300_000
    assert reported(rate, 0.0, 60, 320) == 2_000_000


def test_loss_that_we_cause_is_removed():
    """A policer without a queue, seen by nothing but the loss."""
    rate = SendRate(2_000_000, 2_000_000)
    for second in range(60):
        rate.on_report(max(0.0, 1 - 600_000 / rate.target_bps), 0.05, float(second))
    assert 500_000 < rate.target_bps < 720_000


def test_a_noisy_share_of_loss_does_not_wear_it_down():
    rng = random.Random(3)
    rate = SendRate(1_000_000, 2_000_000)
    for second in range(600):
        lost = sum(rng.random() < 0.08 for _ in range(100))
        rate.on_report(lost / 100, 0.05, float(second))
    assert rate.target_bps > 600_000


def test_what_the_receiver_promises_is_a_limit_and_leads():
    rate = SendRate(1_000_000, 3_000_000)
    rate.on_remb(400_000, 0.0)
    assert rate.target_bps == 400_000
    rate.on_remb(2_500_000, 1.0)
    assert rate.target_bps == 1_000_000
    assert reported(rate, 0.0, 4, 1) == 2_500_000
    rate.on_remb(9_000_000, 6.0)
    assert reported(rate, 0.0, 4, 6) == 3_000_000


def test_a_limit_downstream_holds_while_it_is_there():
    rate = SendRate(1_000_000, 3_000_000)
    rate.on_limit(200_000)
    assert rate.target_bps == 200_000
    rate.on_limit(1)
    assert rate.target_bps == 50_000
    rate.on_limit(None)
    assert rate.target_bps == 1_000_000


def test_start_and_most_are_put_in_order():
    assert SendRate(5_000_000, 1_000_000).target_bps == 1_000_000
    assert SendRate(1, 1_000_000).target_bps == 50_000
