"""From a group call to the plain values its card shows. No widget here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..events import Ended, EndReason, Event

MAX_NAMES = 3
"""Names in a title; the rest are counted."""
MAX_PEOPLE = 20
"""Names taken from one use of the invite box."""
MAX_NAME_CHARS = 64


class Keys:
    """What the page calls people: ``"1"``, ``"2"`` in order of coming, the same when they return.

    The server's ids are nothing that a page or a saved notebook should keep.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def of(self, person: Any) -> str:
        """The key of a participant, given when they are seen first."""
        key = self._known.setdefault(str(person.id), str(len(self._known) + 1))
        self._names[key] = person.name
        return key

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all who were ever there, in order of coming."""
        return tuple(self._names[key] for key in self._known.values())


def people_of(participants: Iterable[Any], keys: Keys) -> list[dict[str, Any]]:
    """One value for each person, in order of joining.

    Args:
        participants: Of the call.
        keys: What the page calls them.

    Returns:
        Dicts of ``key``, ``name``, ``host``, ``talking``, ``muted``, ``silenced`` (by the host, for
        everybody), ``camera`` and ``pictures``: whether those of the camera come at all.
    """
    return [
        {
            "key": keys.of(one),
            "silenced": bool(one.is_muted_by_host),
            "name": one.name,
            "host": bool(one.is_host),
            "talking": bool(one.is_talking and not one.is_muted),
            "muted": bool(one.is_muted),
            "camera": bool(one.is_camera_on),
            "pictures": one.layer != "off",
        }
        for one in participants
    ]


def group_title(names: Sequence[str]) -> str:
    """``ann``, ``ann and bob``, ``ann, bob and cem``, ``ann, bob, cem and 2 more``.

    Example:
        >>> group_title(["ann", "bob"])
        'ann and bob'
    """
    if not names:
        return "a group"
    if len(names) > MAX_NAMES:
        return f"{', '.join(names[:MAX_NAMES])} and {len(names) - MAX_NAMES} more"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def group_end_words(events: Iterable[Event], *, is_host: bool) -> str:
    """Why a group call ended, where that is said in other words than of a 1:1 call.

    Args:
        events: What happened.
        is_host: Whether the call was ours.

    Returns:
        A sentence without the full stop, or nothing when the words of a 1:1 call will do.
    """
    ended = next((event for event in events if isinstance(event, Ended)), None)
    if ended is None:
        return ""
    if ended.reason is EndReason.REMOTE_HANGUP:
        return "The host ended the call"
    if ended.reason is EndReason.HANGUP:
        return "You ended the call for everybody" if is_host else "You left the call"
    return ""


def names_from(content: Any) -> list[str]:
    """The names that a page's invite box holds, without doubles and ``@``.

    Args:
        content: A list of texts, or what a page sent instead.
    """
    found: list[str] = []
    for one in content if isinstance(content, list) else []:
        name = str(one).strip().lstrip("@")[:MAX_NAME_CHARS]
        if name and name not in found:
            found.append(name)
    return found[:MAX_PEOPLE]
