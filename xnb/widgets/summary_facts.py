"""What the static forms of a call are made from: plain values, no widget, no call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .words import duration_words

MAX_SHARE_OF_LEAST = 0.5
"""Spans too short to be seen together take at most this share of a strip."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time the call spent in one state.

    Attributes:
        state: One of :class:`~xnb.events.CallState`.
        text: The state in words: "signing in".
        start_s: Since the call began.
        end_s: Since the call began.
    """

    state: str
    text: str
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long it took, in seconds."""
        return max(0.0, self.end_s - self.start_s)


@dataclass(frozen=True, slots=True)
class Picture:
    """A small still picture.

    Attributes:
        jpeg: Its data.
        width: In pixels.
        height: In pixels.
    """

    jpeg: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the connection over the call.

    Attributes:
        label: "received", "RTT", "loss".
        points: Pairs of seconds since the call began and a value.
        text: The usual and the highest value in words.
    """

    label: str
    points: tuple[tuple[float, float], ...]
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """A recording as a saved notebook shows it.

    Attributes:
        name: What to call it: its path seen from the notebook, else its name.
        kind: ``"audio"`` or ``"video"``.
        source: Where a player finds it: an address relative to the notebook, a ``data:`` address,
            or nothing when it lies elsewhere.
    """

    name: str
    kind: str = "video"
    source: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """Everything a summary shows.

    Attributes:
        title: The far end.
        state: One of :class:`~xnb.events.CallState`.
        state_text: The same in words.
        incoming: Whether the far end called.
        entry: How it began for us, such as "you joined"; by itself who called whom.
        people: Who took part in a group.
        began_at_s: Seconds since 1970; ``None`` when that is not known.
        duration_s: Since media was connected; 0 when it never was.
        reason_text: Why it ended; empty while it goes on.
        failure: Title, cause and remedy, when it failed.
        spans: The states it went through.
        recorded: When it was recorded: pairs of seconds since the call began.
        files: Finished recordings.
        figures: Of the connection.
        picture: The last one of the far end.
    """

    title: str
    state: str = "new"
    state_text: str = ""
    incoming: bool = False
    entry: str = ""
    people: tuple[str, ...] = ()
    began_at_s: float | None = None
    duration_s: float = 0.0
    reason_text: str = ""
    failure: dict[str, str] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    recorded: tuple[tuple[float, float], ...] = ()
    files: tuple[File, ...] = ()
    figures: tuple[Figure, ...] = ()
    picture: Picture | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is an end to tell of."""
        return bool(self.reason_text or self.failure)

    @property
    def headline(self) -> str:
        """Why it ended, what failed, or that it goes on, in a few words."""
        if self.failure:
            return str(self.failure.get("title", ""))
        return self.reason_text or f"Call with {self.title}"

    @property
    def state_label(self) -> str:
        """One or two words: "failed", "ended", "not live"."""
        if self.failure:
            return "failed"
        return "ended" if self.reason_text else "not live"

    @property
    def lines(self) -> tuple[str, ...]:
        """Sentences below the headline."""
        lines = [str(self.failure.get(part, "")) for part in ("cause", "remedy")]
        if not self.is_over:
            lines = ["It was going on when this was saved. Run the cell to call again."]
        elif self.duration_s > 0:
            lines.append(f"{duration_words(self.duration_s)} with {self._everybody}")
        return tuple(line for line in (*lines, self.began_text) if line)

    @property
    def began_text(self) -> str:
        """``2026-11-23 09:41 UTC+01:00, you called``; empty when the time is not known."""
        if self.began_at_s is None:
            return ""
        who = f"{self.title} called" if self.incoming else "you called"
        return f"{moment_words(self.began_at_s)}, {self.entry or who}"

    @property
    def _everybody(self) -> str:
        return ", ".join(self.people) or self.title

    @property
    def timeline_text(self) -> str:
        """``signing in 0.12 s, ringing 0.40 s, connected 42 s``."""
        return ", ".join(f"{span.text} {length_words(span.length_s)}" for span in self.spans)

    @property
    def initial(self) -> str:
        """A letter that stands for the far end where there is no picture."""
        return next((letter for letter in self.title if letter.isalnum()), "?").upper()


def facts_of(values: dict[str, Any], **more: Any) -> CallFacts:
    """The facts among a widget's values.

    Args:
        values: ``title``, ``state``, ``state_text``, ``incoming``, ``duration_s``, ``ended`` and
            ``failure`` as :class:`~xnb.widgets.call_widget.CallWidget` has them; of a group also
            ``entry`` and ``people``.
        **more: Further fields of :class:`CallFacts`.
    """
    ended = values.get("ended") or {}
    return CallFacts(
        title=str(values.get("title") or "…"),
        state=str(values.get("state") or "new"),
        state_text=str(values.get("state_text") or ""),
        incoming=bool(values.get("incoming")),
        entry=str(values.get("entry") or ""),
        people=tuple(values.get("people") or ()),
        duration_s=float(ended.get("duration_s") or values.get("duration_s") or 0.0),
        reason_text=str(ended.get("reason_text", "")),
        failure=dict(values.get("failure") or {}),
        **more,
    )


def length_words(seconds: float) -> str:
    """``0.12 s`` below a second, ``4.2 s`` below ten, then as :func:`duration_words`."""
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 9.95 else duration_words(seconds)


def moment_words(wall_s: float) -> str:
    """A moment as a date and a time of day with its offset: ``2026-11-23 09:41 UTC+01:00``."""
    at = datetime.fromtimestamp(wall_s).astimezone()
    offset = at.strftime("%z")
    zone = "UTC" if offset in ("+0000", "") else f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{at:%Y-%m-%d %H:%M} {zone}"


def strip_edges(spans: Sequence[Span], width_px: float, least_px: float) -> list[float]:
    """Where spans begin and end on a strip: one more number than there are spans, 0 to width.

    Each span is at least ``least_px`` wide, however short; what is left is shared by length.
    """
    if not spans:
        return [0.0]
    least = min(least_px, width_px * MAX_SHARE_OF_LEAST / len(spans))
    total_s = sum(span.length_s for span in spans) or 1.0
    free = width_px - least * len(spans)
    edges = [0.0]
    for span in spans:
        edges.append(edges[-1] + least + free * span.length_s / total_s)
    edges[-1] = float(width_px)
    return edges


def place_on_strip(spans: Sequence[Span], edges: Sequence[float], time_s: float) -> float:
    """Where a moment lies on the strip that :func:`strip_edges` laid out."""
    for span, left, right in zip(spans, edges, edges[1:], strict=False):
        if time_s <= span.end_s:
            share = (time_s - span.start_s) / span.length_s if span.length_s else 0.0
            return left + (right - left) * min(1.0, max(0.0, share))
    return edges[-1]
