"""How much a path takes: what a receiver reports about it, and what a sender makes of the reports.

The receiver watches the one-way delay by the abs-send-time extension, after
draft-ietf-rmcat-gcc-02, and reports a bit rate (draft-alvestrand-rmcat-remb-03). The sender obeys
that report and looks at the loss in receiver reports (RFC 3550 section 6.4.1) itself. No clock and
no socket here: the time is passed in.
"""

from __future__ import annotations

import math
from collections import deque

from .overuse import STANDING_S, DelayTrend, StandingQueue
from .packets import RtpPacket

_STAMPS_PER_S = 1 << 18
_STAMP_MASK = (1 << 24) - 1
_STAMP_HALF = 1 << 23

# Groups of packets (GCC section 5.2)
GROUP_STAMPS = _STAMPS_PER_S // 200
"""Packets sent within 5 ms are one group."""
BURST_GAP_S = 0.005
BURST_MAX_S = 0.1
"""Packets read at nearly the same time although sent apart waited together: one group as well."""
AT_ONCE_STAMPS = _STAMPS_PER_S // 1000
MAX_DELAY_STEP_S = 1.0
STALE_S = 0.5
STALL_MARGIN_S = 0.02

# Rate (GCC section 5.5)
RATE_WINDOW_S = 0.6
MIN_RATE_SPAN_S = 0.3
BACK_OFF = 0.85
QUEUE_BACK_OFF_PER_S = 0.3
LEAST_BACK_OFF = 0.5
"""The longer the queue that has to drain, the further below what passes: at 1.2 s to half of it."""
BACK_OFF_INTERVAL_S = 0.4
START_BPS = 300_000
MIN_BPS = 30_000
MAX_BPS = 50_000_000
FIRST_GROWTH_PER_S = 1.5
GROWTH_PER_S = 1.08
NEAR_GROWTH_PER_S = 1.03
FORGET_CEILING_S = 8.0
REPORT_INTERVAL_S = 0.5


class _ReceivedRate:
    """Bits per second over the last 0.6 s in which the sender sent at all."""

    def __init__(self) -> None:
        self._groups: deque[tuple[float, int]] = deque()
        self._clock_s = 0.0
        self._bytes = 0

    def add(self, since_last_s: float, sent_since_last_s: float, size_bytes: int) -> None:
        """Take a group of `size_bytes`.

        A gap counts as time in which nothing could pass, unless the sender made it.

        Args:
            since_last_s: Since the group before it came, in seconds.
            sent_since_last_s: Since the last packet of that was sent, to this one's first.
            size_bytes: Headers included.
        """
        self._clock_s += max(0.0, since_last_s - max(0.0, sent_since_last_s - STALE_S))
        groups = self._groups
        groups.append((self._clock_s, size_bytes))
        self._bytes += size_bytes
        oldest_s = self._clock_s - RATE_WINDOW_S
        while len(groups) > 2 and groups[1][0] <= oldest_s:
            self._bytes -= groups.popleft()[1]

    def bps(self) -> float | None:
        """``None`` until there is enough to tell."""
        if not self._groups:
            return None
        first_s, first_bytes = self._groups[0]
        span_s = self._clock_s - first_s
        return (self._bytes - first_bytes) * 8 / span_s if span_s >= MIN_RATE_SPAN_S else None


class ReceiveEstimator:
    """What one transport's incoming path takes, from when its packets were sent and came.

    All streams of a transport go into one estimator: they share the path and the sender's clock.
    Per group of packets only the shortest delay counts. It holds the standing queue of the path,
    but neither the time a large picture needs to pass nor the time packets lay in our own socket
    while the event loop was busy: the last one read after a stall hardly waited at all.

    Until the path was full for the first time the estimate grows quickly, so that video which
    begins in the middle of a call is not held down by what sound alone used.

    Attributes:
        overuses: How often the path was found too full.
    """

    def __init__(self) -> None:
        self.overuses = 0
        self._trend = DelayTrend()
        self._queue = StandingQueue()
        self._rate = _ReceivedRate()
        self._estimate_bps: float | None = None
        self._ceiling_bps: float | None = None
        self._fast = True
        self._backed_off_s = -math.inf
        self._updated_s = 0.0
        self._reported_s = -math.inf
        self._ignore_until_s = -math.inf
        # The open group
        self._first_stamp: int | None = None
        self._last_stamp = 0
        self._first_sent_s = 0.0
        self._last_sent_s = 0.0
        self._last_arrival_s = 0.0
        self._burst_from_s = 0.0
        self._last_delay_s = 0.0
        self._least_delay_s = 0.0
        self._least_sent_s = 0.0
        self._bytes = 0
        # The one before it
        self._closed_arrival_s: float | None = None
        self._closed_sent_s = 0.0

    @property
    def estimate_bps(self) -> int | None:
        """What the path takes, in bits per second; ``None`` while unknown."""
        return None if self._estimate_bps is None else int(self._estimate_bps)

    @property
    def incoming_bps(self) -> int | None:
        """What came in the last 0.6 s, headers included; ``None`` while unknown."""
        bps = self._rate.bps()
        return None if bps is None else int(bps)

    def add(self, packet: RtpPacket) -> int | None:
        """Note a packet; return the bit rate to report to its sender now, if it is time to.

        That is twice a second, and at once when it was lowered. A packet without abs-send-time
        says nothing.

        Args:
            packet: With `arrival_s` as read from the socket.
        """
        stamp = packet.abs_send_time
        if stamp is None:
            return None
        arrival_s = packet.arrival_s
        if self._first_stamp is None:
            self._open(stamp, 0.0, arrival_s, packet.size_bytes)
            return None
        ahead = (stamp - self._last_stamp) & _STAMP_MASK
        if ahead >= _STAMP_HALF:
            self._late(stamp, arrival_s, packet.size_bytes)
            return None
        sent_s = self._last_sent_s + ahead / _STAMPS_PER_S
        delay_s = arrival_s - sent_s
        gap_s = arrival_s - self._last_arrival_s
        if ((stamp - self._first_stamp) & _STAMP_MASK) > GROUP_STAMPS and not (
            gap_s <= BURST_GAP_S
            and (ahead <= AT_ONCE_STAMPS or delay_s < self._last_delay_s)
            and arrival_s - self._burst_from_s <= BURST_MAX_S
        ):
            report = self._close(arrival_s)
            self._open(stamp, sent_s, arrival_s, packet.size_bytes)
            return report
        if delay_s < self._least_delay_s:
            self._least_delay_s = delay_s
            self._least_sent_s = sent_s
        if gap_s > BURST_GAP_S:
            self._burst_from_s = arrival_s
        self._last_stamp = stamp
        self._last_sent_s = sent_s
        self._last_arrival_s = arrival_s
        self._last_delay_s = delay_s
        self._bytes += packet.size_bytes
        return None

    def stalled(self, from_s: float, until_s: float) -> None:
        """Our own loop slept: packets read just after it say nothing about the path.

        May be called before or after they were added. Short stalls need no call: see the class.

        Args:
            from_s: When it was last known to run, in monotonic seconds.
            until_s: When it ran again.
        """
        self._ignore_until_s = max(self._ignore_until_s, until_s + STALL_MARGIN_S)
        if until_s - from_s >= STALE_S:
            self._trend.reset()

    def _open(self, stamp: int, sent_s: float, arrival_s: float, size_bytes: int) -> None:
        self._first_stamp = self._last_stamp = stamp
        self._first_sent_s = self._last_sent_s = self._least_sent_s = sent_s
        self._last_arrival_s = self._burst_from_s = arrival_s
        self._last_delay_s = self._least_delay_s = arrival_s - sent_s
        self._bytes = size_bytes

    def _late(self, stamp: int, arrival_s: float, size_bytes: int) -> None:
        """A packet that was sent earlier; or the sender's clock is another one from now on."""
        if arrival_s - self._last_arrival_s < STALE_S:
            self._bytes += size_bytes
            return
        self._trend.reset()
        self._closed_arrival_s = None
        self._open(stamp, 0.0, arrival_s, size_bytes)

    def _close(self, now_s: float) -> int | None:
        """The open group is whole: judge the delay, adapt the estimate."""
        closed_s = self._closed_arrival_s
        arrival_s, sent_s = self._last_arrival_s, self._least_sent_s
        previous_sent_s = self._closed_sent_s
        self._closed_arrival_s = arrival_s
        self._closed_sent_s = self._last_sent_s
        if closed_s is None:
            self._updated_s = now_s
            self._rate.add(0.0, 0.0, self._bytes)
            self._trend.add(sent_s, self._least_delay_s)
            return None
        self._rate.add(arrival_s - closed_s, self._first_sent_s - previous_sent_s, self._bytes)
        if arrival_s <= self._ignore_until_s:
            return None
        if abs(self._least_delay_s - self._trend_delay_s()) > MAX_DELAY_STEP_S:
            # No queue does that: the socket's buffer ran over, or the sender's clock jumped.
            self._trend.reset()
        self._trend.add(sent_s, self._least_delay_s)
        standing = self._queue.add(arrival_s, self._least_delay_s)
        return self._adapt(now_s, standing)

    def _trend_delay_s(self) -> float:
        trend = self._trend
        return trend.delay_s if trend.points else self._least_delay_s

    def _adapt(self, now_s: float, standing: bool) -> int | None:
        incoming_bps = self._rate.bps()
        step_s = min(1.0, max(0.0, now_s - self._updated_s))
        self._updated_s = now_s
        if incoming_bps is None:
            return None
        if self._trend.state > 0 or standing:
            if now_s - self._backed_off_s >= BACK_OFF_INTERVAL_S:
                return self._back_off(incoming_bps, now_s)
        elif self._trend.state == 0 and self._queue.length_s < STANDING_S:
            self._grow(incoming_bps, step_s, now_s)
        if self._estimate_bps is None or now_s - self._reported_s < REPORT_INTERVAL_S:
            return None
        self._reported_s = now_s
        return int(self._estimate_bps)

    def _back_off(self, incoming_bps: float, now_s: float) -> int:
        """GCC section 5.5: to 0.85 of what passes, which is what the full path takes, or less."""
        self.overuses += 1
        self._fast = False
        self._backed_off_s = self._reported_s = now_s
        ceiling_bps = self._ceiling_bps
        if ceiling_bps is None or not 0.8 < incoming_bps / ceiling_bps < 1.2:
            self._ceiling_bps = incoming_bps
        else:
            self._ceiling_bps = ceiling_bps + 0.3 * (incoming_bps - ceiling_bps)
        factor = max(LEAST_BACK_OFF, BACK_OFF - QUEUE_BACK_OFF_PER_S * self._queue.length_s)
        estimate_bps = factor * incoming_bps
        if self._estimate_bps is not None:
            estimate_bps = min(estimate_bps, self._estimate_bps)
        self._estimate_bps = max(float(MIN_BPS), estimate_bps)
        return int(self._estimate_bps)

    def _grow(self, incoming_bps: float, step_s: float, now_s: float) -> None:
        """GCC section 5.5: by a factor, slower near where the path was full before.

        Never far beyond what comes in: more than that nobody has tried.
        """
        if self._estimate_bps is None:
            self._estimate_bps = max(float(START_BPS), 1.5 * incoming_bps)
            return
        if now_s - self._backed_off_s > FORGET_CEILING_S:
            self._fast, self._ceiling_bps = True, None
        ceiling_bps = self._ceiling_bps
        if ceiling_bps is not None and incoming_bps > 1.2 * ceiling_bps:
            self._ceiling_bps = ceiling_bps = None
        if self._fast:
            growth, most_bps = FIRST_GROWTH_PER_S, 2 * incoming_bps + 100_000
        elif ceiling_bps is not None and self._estimate_bps > 0.8 * ceiling_bps:
            growth, most_bps = NEAR_GROWTH_PER_S, 1.5 * incoming_bps + 10_000
        else:
            growth, most_bps = GROWTH_PER_S, 1.5 * incoming_bps + 10_000
        grown_bps = min(self._estimate_bps * growth**step_s + 1000 * step_s, most_bps, MAX_BPS)
        self._estimate_bps = max(self._estimate_bps, grown_bps)


# What the sender does with loss (GCC section 6)
LOW_LOSS = 0.02
HIGH_LOSS = 0.1
OWN_GROWTH_PER_S = 1.08
REMB_GROWTH_PER_S = 1.5
SHRINK_INTERVAL_S = 0.3
SMOOTHING_S = 1.0


class SendRate:
    """The bit rate a sender aims at.

    The least of what the receiver reports (REMB), what its loss allows, what somebody downstream
    takes, and the most that was allowed. Loss, smoothed over about a second (GCC section 6): below
    2 % the rate grows by 8 % a second, or quickly up to what a REMB promises; from 2 to 10 % it
    stays; above, it shrinks by half the share that was lost.

    Shrinking ends where it proves useless. A path that lost the share p at the rate r because it
    was full takes r (1 - p), and loses nothing below that. If at three quarters of it the loss is
    still the same, it does not come from us, and sending less would only look worse.

    Args:
        start_bps: To begin with.
        max_bps: Never more.
        min_bps: Never less, whatever is reported.
    """

    def __init__(self, start_bps: int, max_bps: int, min_bps: int = 50_000) -> None:
        self._max_bps = max(max_bps, min_bps)
        self._min_bps = min_bps
        self._loss_bps = float(min(max(start_bps, min_bps), self._max_bps))
        self._remb_bps: int | None = None
        self._limit_bps: int | None = None
        self._loss: float | None = None
        self._reported_s: float | None = None
        self._shrink_again_s = -math.inf
        self._lossy_from: tuple[float, float] | None = None

    def __repr__(self) -> str:
        return f"<SendRate {self.target_bps} bps remb={self._remb_bps} loss={self.loss:.1%}>"

    @property
    def target_bps(self) -> int:
        """What to aim at now, in bits per second."""
        bps = self._capped(self._loss_bps)
        if self._limit_bps is not None:
            bps = min(bps, self._limit_bps)
        return max(self._min_bps, int(bps))

    @property
    def loss(self) -> float:
        """The smoothed loss, 0 to 1."""
        return self._loss or 0.0

    def on_remb(self, bps: int, now_s: float) -> None:
        """The receiver says what the path takes (draft-alvestrand-rmcat-remb-03).

        Args:
            bps: Its estimate in bits per second.
            now_s: Monotonic time in seconds.
        """
        self._remb_bps = bps

    def on_report(self, fraction_lost: float, rtt_s: float | None, now_s: float) -> None:
        """The receiver says what was lost since its report before (RFC 3550 section 6.4.1).

        Args:
            fraction_lost: 0 to 1.
            rtt_s: Round trip in seconds, ``None`` while unknown.
            now_s: Monotonic time in seconds.
        """
        step_s = 1.0 if self._reported_s is None else min(5.0, now_s - self._reported_s)
        self._reported_s = now_s
        keep = 0.0 if self._loss is None else math.exp(-max(0.0, step_s) / SMOOTHING_S)
        self._loss = loss = keep * self.loss + (1 - keep) * min(1.0, max(0.0, fraction_lost))
        if loss < LOW_LOSS:
            self._lossy_from = None
            self._grow(step_s)
        elif min(loss, fraction_lost) > HIGH_LOSS and now_s >= self._shrink_again_s:
            self._shrink_again_s = now_s + SHRINK_INTERVAL_S + (rtt_s or 0.0)
            self._shrink(loss)

    def on_limit(self, bps: int | None) -> None:
        """Somebody downstream takes no more than this; ``None`` lifts the limit.

        Args:
            bps: Bits per second.
        """
        self._limit_bps = bps

    def _capped(self, bps: float) -> float:
        if self._remb_bps is not None:
            bps = min(bps, self._remb_bps)
        return min(bps, self._max_bps)

    def _grow(self, step_s: float) -> None:
        promised_bps = self._remb_bps is not None and self._remb_bps > self._loss_bps
        growth = REMB_GROWTH_PER_S if promised_bps else OWN_GROWTH_PER_S
        grown_bps = self._loss_bps * growth ** max(0.0, step_s) + 1000 * step_s
        # A little above a REMB, so that it leads and this does not lag behind.
        most_bps = self._max_bps if self._remb_bps is None else 1.1 * self._remb_bps
        self._loss_bps = max(min(grown_bps, most_bps, self._max_bps), float(self._min_bps))

    def _shrink(self, loss: float) -> None:
        rate_bps = self._capped(self._loss_bps)
        if self._lossy_from is None or loss > 1.5 * self._lossy_from[1] + 0.05:
            self._lossy_from = (rate_bps, loss)
        from_bps, from_loss = self._lossy_from
        floor_bps = 0.75 * from_bps * (1 - from_loss)
        shrunk_bps = max(rate_bps * (1 - 0.5 * loss), min(rate_bps, floor_bps))
        self._loss_bps = max(float(self._min_bps), shrunk_bps)
