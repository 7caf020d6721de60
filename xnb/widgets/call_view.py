"""From a call and what happened in it to the plain values the widget shows. No widget here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..events import (
    CallState,
    Connected,
    Ended,
    EndReason,
    Event,
    MediaStatus,
    Stage,
    StateChange,
)
from . import words

_FAILURES = (EndReason.ERROR, EndReason.NETWORK)
_STEPS = (CallState.SIGNALING, CallState.RINGING, CallState.CONNECTING)
_NO_STEPS = ("new", "connected", "disconnected", "failed", "closed")


def describe(
    call: Any, events: Sequence[Event], before: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The widget's synced values.

    Args:
        call: The call.
        events: What happened so far, oldest first.
        before: Steps shown before the call existed (see :func:`step`).
    """
    title = call.title
    state = CallState(call.state)
    values: dict[str, Any] = {
        "title": title,
        "state": str(state),
        "state_text": words.state_words(state),
        "muted": bool(call.is_muted),
        "camera_on": bool(call.is_camera_on),
        "has_video": bool(call.video_enabled),
        "recording": call.recording is not None and state is not CallState.ENDED,
        "sending": call.sending or "",
        "incoming": call.direction == "incoming",
    }
    steps = [*before, *_steps(call, events, before)]
    if not steps and state is CallState.NEW:
        steps = [step("start", "Getting ready", 0)]
    values["stages"] = _mark_done(steps, state, events)
    values["stage_text"] = steps[-1]["text"] if steps else words.state_words(state)
    for event in events:
        if isinstance(event, Connected) and not values.get("connected_at"):
            values["connected_at"] = event.wall_time_s
        elif isinstance(event, MediaStatus):
            values["remote_camera_off"] = event.is_camera_deactivated
            values["remote_muted"] = event.is_microphone_deactivated
        elif isinstance(event, Ended):
            values.update(_ended(event, title))
    values["duration_s"] = float(call.duration_seconds or 0.0)
    return values


def step(name: str, text: str, at_ms: float) -> dict[str, Any]:
    """One step on the way to a connected call; ``at_ms`` counts from the first step."""
    return {"name": name, "text": text, "at_ms": round(at_ms), "done": False}


def _steps(
    call: Any, events: Sequence[Event], before: Sequence[dict[str, Any]]
) -> Iterable[dict[str, Any]]:
    offset_ms = before[-1]["at_ms"] if before else 0
    start_s = events[0].time_s if events else 0.0
    steps: dict[str, dict[str, Any]] = {}
    for event in events:
        at_ms = offset_ms + 1000 * (event.time_s - start_s)
        if isinstance(event, Connected):
            break
        if isinstance(event, Stage) and event.stage not in _NO_STEPS:
            one = step(event.stage, event.text, at_ms)
        elif isinstance(event, StateChange) and event.new in _STEPS:
            text = words.stage_words(event.new, call.title, incoming=call.direction == "incoming")
            one = step(str(event.new), event.detail or text, at_ms)
        else:
            continue
        if all(known["text"] != one["text"] for known in steps.values()):
            steps[one["name"]] = one
    return steps.values()


def _mark_done(
    steps: list[dict[str, Any]], state: CallState, events: Sequence[Event]
) -> list[dict[str, Any]]:
    arrived = state in (CallState.CONNECTED, CallState.RECONNECTING) or any(
        isinstance(event, Connected) for event in events
    )
    last = len(steps) - 1
    return [{**one, "done": arrived or index < last} for index, one in enumerate(steps)]


def _ended(event: Ended, title: str) -> dict[str, Any]:
    failed = event.reason in _FAILURES and event.error is not None
    return {
        "ended": {
            "reason": str(event.reason),
            "reason_text": words.end_words(event.reason, title),
            "duration": words.duration_words(event.duration_seconds),
            "duration_s": event.duration_seconds,
        },
        "failure": words.failure_words(event.error) if failed and event.error else {},
    }
