"""What is remembered of a call while it goes on, so that its summary can tell of it. Bounded."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..events import CallState, Ended, Event, LocalStatus, StateChange
from . import words
from .summary_facts import Figure, Span

MAX_POINTS = 600
"""Figures kept of a call. When there are more, two neighbours become one."""
MAX_SPANS = 60
"""States kept; a call that flaps more often counts the rest to the last one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of one second, or of several put together.

    Attributes:
        time_s: On the monotonic clock.
        received_bps: Received media, in bits per second.
        rtt_ms: Round-trip time; ``None`` when unknown.
        loss_percent: Of our packets, as the far end reports it; ``None`` when unknown.
    """

    time_s: float
    received_bps: float
    rtt_ms: float | None
    loss_percent: float | None


class StatsHistory:
    """The figures of a whole call in at most 600 samples, however long it is.

    One sample a second at first. When there are too many, neighbours are put together two by two
    (rates as their mean, round-trip time and loss as the higher one, so that peaks stay), and
    from then on each sample stands for twice as many seconds.
    """

    def __init__(self, max_points: int = MAX_POINTS) -> None:
        self._max = max_points
        self._stride = 1
        self._kept: list[Sample] = []
        self._waiting: list[Sample] = []

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Oldest first."""
        rest = (_together(self._waiting),) if self._waiting else ()
        return (*self._kept, *rest)

    def add(self, time_s: float, stats: Any) -> None:
        """Remember one reading, a :class:`~xnb.engine.stats.PeerStats`."""
        self._waiting.append(
            Sample(time_s, float(stats.bitrate_bps), stats.rtt_ms, stats.loss_percent)
        )
        if len(self._waiting) < self._stride:
            return
        self._kept.append(_together(self._waiting))
        self._waiting = []
        if len(self._kept) >= self._max:
            pairs = zip(self._kept[::2], self._kept[1::2], strict=False)
            self._kept = [_together(pair) for pair in pairs]
            self._stride *= 2

    def figures(self, began_s: float) -> tuple[Figure, ...]:
        """What there is to draw; a figure that was never known is left out."""
        samples = self.samples
        ways: tuple[tuple[str, Callable[[Sample], float | None], Callable[[float], str]], ...] = (
            ("received", lambda one: one.received_bps, bitrate_words),
            ("RTT", lambda one: one.rtt_ms, lambda value: f"{value:.0f} ms"),
            ("loss", lambda one: one.loss_percent, _percent_words),
        )
        found = []
        for label, read, say in ways:
            points = tuple(
                (one.time_s - began_s, value) for one in samples if (value := read(one)) is not None
            )
            if len(points) >= 2:
                values = [value for _, value in points]
                usual, highest = say(statistics.median(values)), say(max(values))
                text = usual if usual == highest else f"{usual}, at most {highest}"
                found.append(Figure(label, points, text))
        return tuple(found)


class Timeline:
    """The states a call went through and the times it was recorded, from its events."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self.began_at_s: float | None = None
        self.began_s = 0.0
        self.duration_s = 0.0
        self._spans: list[Span] = []
        self._recorded: list[tuple[float, float]] = []
        self._recording_s: float | None = None
        self._state = CallState.NEW
        self._since_s = 0.0
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Note one event. They come in order; one that was taken already changes nothing."""
        if self.began_at_s is None:
            self.began_at_s, self.began_s = event.wall_time_s, event.time_s
        at_s = event.time_s - self.began_s
        if isinstance(event, StateChange):
            self._go(event.new, at_s)
        elif isinstance(event, LocalStatus):
            self._record(event.recording, at_s)
        elif isinstance(event, Ended):
            self.duration_s = event.duration_seconds
            self._record(False, at_s)

    def _go(self, state: CallState, at_s: float) -> None:
        if state is self._state:
            return
        self._close_span(at_s)
        self._state, self._since_s = state, at_s

    def _close_span(self, at_s: float) -> None:
        if self._state in (CallState.NEW, CallState.ENDED):
            return
        if len(self._spans) >= MAX_SPANS:
            self._spans[-1] = replace(self._spans[-1], end_s=at_s)
            return
        text = words.state_words(self._state)
        self._spans.append(Span(str(self._state), text, self._since_s, at_s))

    def _record(self, on: bool, at_s: float) -> None:
        if on and self._recording_s is None:
            self._recording_s = at_s
        elif not on and self._recording_s is not None:
            if len(self._recorded) < MAX_SPANS:
                self._recorded.append((self._recording_s, at_s))
            self._recording_s = None

    @property
    def was_connected(self) -> bool:
        """Whether media ever flowed."""
        connected = (CallState.CONNECTED, CallState.RECONNECTING)
        return any(span.state in connected for span in self._spans)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Oldest first; the state the call is in now is not among them."""
        return tuple(self._spans)

    @property
    def recorded(self) -> tuple[tuple[float, float], ...]:
        """Pairs of seconds since the call began."""
        return tuple(self._recorded)


def _together(samples: Sequence[Sample]) -> Sample:
    if len(samples) == 1:
        return samples[0]
    return Sample(
        samples[0].time_s,
        statistics.fmean(one.received_bps for one in samples),
        max((one.rtt_ms for one in samples if one.rtt_ms is not None), default=None),
        max((one.loss_percent for one in samples if one.loss_percent is not None), default=None),
    )


def bitrate_words(bitrate_bps: float) -> str:
    """``840 kbit/s`` or ``1.3 Mbit/s``."""
    if bitrate_bps >= 999_500:
        return f"{bitrate_bps / 1e6:.1f} Mbit/s"
    return f"{bitrate_bps / 1e3:.0f} kbit/s"


def _percent_words(value: float) -> str:
    return f"{value:.1f} %".replace(".0 %", " %")
