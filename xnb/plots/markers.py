"""What a call's timeline says, as words at places of a recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..events import (
    CallState,
    Ended,
    ErrorEvent,
    Event,
    LocalStatus,
    MediaStatus,
    StateChange,
)
from ..widgets.words import end_words

Marker = tuple[float, str]

# An end is noticed just after the last sound, a start just before the first one.
_GRACE_S = 0.5


def markers_of(
    events: Iterable[Event], begun_s: float, duration_s: float, who: str = ""
) -> list[Marker]:
    """What happened while something was recorded.

    Args:
        events: A call's timeline, oldest first; what was before the recording sets the scene.
        begun_s: When the recording began, on the clock of :attr:`Event.time_s`.
        duration_s: Its length. What lies outside is left out; starts and ends of the call may
            lie 0.5 s outside.
        who: The far end's name.

    Returns:
        (seconds from the beginning, words), in order.
    """
    found = []
    for event, text in _told(events, who or "the far end"):
        at_s = event.time_s - begun_s
        grace_s = _GRACE_S if isinstance(event, StateChange | Ended) else 0.0
        if -grace_s <= at_s <= duration_s + grace_s:
            found.append((min(max(at_s, 0.0), duration_s), text))
    return sorted(found, key=lambda one: one[0])


def _told(events: Iterable[Event], who: str) -> Iterator[tuple[Event, str]]:
    far: MediaStatus | None = None
    near: LocalStatus | None = None
    connected = False
    for event in events:
        words: list[str] = []
        if isinstance(event, StateChange):
            words = _state_words(event.new, connected)
            connected = connected or event.new is CallState.CONNECTED
        elif isinstance(event, MediaStatus):
            words, far = _far_words(event, far, who), event
        elif isinstance(event, LocalStatus):
            words, near = _near_words(event, near), event
        elif isinstance(event, ErrorEvent):
            words = [event.error.message.rstrip(".")]
        elif isinstance(event, Ended):
            end = end_words(event.reason, who)
            words = [end[0].lower() + end[1:] if end.startswith("You ") else end]
        for text in words:
            yield event, text


def _state_words(state: CallState, again: bool) -> list[str]:
    if state is CallState.CONNECTED:
        return ["connected again" if again else "connected"]
    return ["connection lost, trying again"] if state is CallState.RECONNECTING else []


def _far_words(now: MediaStatus, before: MediaStatus | None, who: str) -> list[str]:
    words = []
    silent, dark = now.is_microphone_deactivated, now.is_camera_deactivated
    if silent != (before.is_microphone_deactivated if before else False):
        words.append(f"{who} {'muted' if silent else 'unmuted'}")
    # The first one says whether there is a camera at all.
    if before and dark != before.is_camera_deactivated:
        words.append(f"{who} turned the camera {'off' if dark else 'on'}")
    return words


def _near_words(now: LocalStatus, before: LocalStatus | None) -> list[str]:
    words = []
    if now.muted != (before.muted if before else False):
        words.append(f"you {'muted' if now.muted else 'unmuted'}")
    if before and now.camera_on != before.camera_on:
        words.append(f"you turned the camera {'on' if now.camera_on else 'off'}")
    if before and now.sending and now.sending != before.sending:
        words.append(f"sending {now.sending}")
    return words
