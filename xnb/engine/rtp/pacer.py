"""Spreads bursts of packets over time, so that a keyframe does not overrun the path's queue.

The pacer of the congestion control that WebRTC uses (draft-ietf-rmcat-gcc-02 section 4) sends in
bursts each 5 ms, faster than the encoder's rate so that it adds little delay.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

PACING_FACTOR = 2.5
"""How much faster than the encoder's rate the queue leaves."""
BURST_BYTES = 12_500
"""This much leaves at once: an ordinary picture, ten full packets."""
MAX_DELAY_S = 0.15
"""No packet waits longer: then the queue leaves faster than the factor says."""
TICK_S = 0.005
SMALL_BYTES = 400
"""A packet this small that is sent first (sound) never waits, whatever retransmissions do."""
MIN_RATE_BPS = 10_000.0


class Timer(Protocol):
    """What :meth:`asyncio.loop.call_at` returns."""

    def cancel(self) -> None:
        """Not to be called any more."""


class Pacer:
    """Sends packets at once while they are few, else at about 2.5 times the rate.

    A leaky bucket: what was sent lately drains at the pacing rate, and packets leave at once as
    long as it holds less than ten packets. The rest waits in order, in ticks of at least 5 ms, at
    most 150 ms. While nothing waits there is no timer.

    Args:
        send: Takes one packet.
        now: Monotonic time in seconds, the clock of `call_at`.
        call_at: Calls a function at a time; as :meth:`asyncio.loop.call_at`.

    Attributes:
        rate_bps: What the encoder aims at now; may be set at any time.
        queued_bytes: What waits.

    Example:
        >>> pacer = Pacer(print, now=loop.time, call_at=loop.call_at)
        >>> pacer.rate_bps = 1_000_000
        >>> pacer.send(packets_of_one_picture)
    """

    def __init__(
        self,
        send: Callable[[bytes], object],
        *,
        now: Callable[[], float] = time.monotonic,
        call_at: Callable[[float, Callable[[], None]], Timer],
    ) -> None:
        self.rate_bps: float = 1_000_000.0
        self.queued_bytes = 0
        self._send = send
        self._now = now
        self._call_at = call_at
        self._first: deque[bytes] = deque()
        self._queue: deque[bytes] = deque()
        self._timer: Timer | None = None
        self._level_bytes = 0.0
        self._level_s = now()
        self._catch_up = 0.0
        self._closed = False

    def send(self, packets: Sequence[bytes], *, first: bool = False) -> None:
        """Send now what may leave now and the rest soon, in order.

        After :meth:`close` packets are dropped.

        Args:
            packets: Whole packets, as they go to `send`.
            first: Ahead of everything that waits (sound, retransmissions). A packet of up to
                400 bytes then leaves at once in any case.
        """
        if self._closed or not packets:
            return
        self._drain()
        queue = self._first if first else self._queue
        idle = not queue and (first or not self._first)
        for packet in packets:
            size = len(packet)
            if (first and size <= SMALL_BYTES) or (idle and self._fits(packet)):
                self._level_bytes += size
                self._send(packet)
            else:
                idle = False
                queue.append(packet)
                self.queued_bytes += size
        if self.queued_bytes:
            # All of it has to leave in time, also what waited before: only ever faster.
            self._catch_up = max(self._catch_up, self.queued_bytes / MAX_DELAY_S)
            if self._timer is None:
                self._arm()

    def clear(self) -> None:
        """Drop what waits: it became worthless."""
        self._first.clear()
        self._queue.clear()
        self.queued_bytes = 0
        self._catch_up = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Drop what waits and take no more; may be called twice."""
        self._closed = True
        self.clear()

    def _bytes_per_s(self) -> float:
        return max(PACING_FACTOR * max(self.rate_bps, MIN_RATE_BPS) / 8, self._catch_up)

    def _drain(self) -> None:
        now_s = self._now()
        drained_bytes = (now_s - self._level_s) * self._bytes_per_s()
        self._level_bytes -= drained_bytes
        # While packets wait it may fall below empty: a late tick makes up for its delay.
        if self._level_bytes < 0 and not self.queued_bytes:
            self._level_bytes = 0.0
        self._level_s = now_s

    def _fits(self, packet: bytes) -> bool:
        return self._level_bytes + min(len(packet), BURST_BYTES) <= BURST_BYTES

    def _arm(self) -> None:
        head = self._first[0] if self._first else self._queue[0]
        excess_bytes = self._level_bytes + len(head) - BURST_BYTES
        wait_s = max(TICK_S, excess_bytes / self._bytes_per_s())
        self._timer = self._call_at(self._level_s + wait_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._drain()
        for queue in (self._first, self._queue):
            while queue and self._fits(queue[0]):
                packet = queue.popleft()
                self.queued_bytes -= len(packet)
                self._level_bytes += len(packet)
                self._send(packet)
            if queue:
                break
        if self.queued_bytes:
            self._arm()
        else:
            self._catch_up = 0.0
            self._level_bytes = max(0.0, self._level_bytes)
