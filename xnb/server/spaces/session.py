"""One person's part of a group call: its states and what is told of it."""

from __future__ import annotations

import asyncio
import enum
import uuid
from dataclasses import dataclass, field
from typing import Any

from ..broadcast import session_entry, wall_ms
from ..directory import User


class SpaceState(enum.IntEnum):
    """The states of the protocol's list that a person in a group call goes through."""

    INVITATION_SENT = 5
    INVITATION_DECLINED = 7
    INVITATION_ACCEPTED = 8
    STREAM_NEGOTIATED = 9
    STREAM_PUBLISHED = 10
    STREAM_EJECTED = 11
    STREAM_ENDED = 12
    STREAM_TIMED_OUT = 13
    HOST_STREAM_PUBLISHED = 17
    HOST_STREAM_RECONNECTING = 18
    STREAM_CREATED = 19


_ACTIVE = frozenset(
    {
        SpaceState.INVITATION_ACCEPTED,
        SpaceState.STREAM_NEGOTIATED,
        SpaceState.STREAM_PUBLISHED,
        SpaceState.HOST_STREAM_PUBLISHED,
        SpaceState.HOST_STREAM_RECONNECTING,
        SpaceState.STREAM_CREATED,
    }
)


# Who leaves is out of the room by itself by then, unless the connection to it was dead.
_LEAVING_MS = 2000


@dataclass(slots=True)
class SpaceSession:
    """One person's part of a group call.

    Attributes:
        over: Set when this part is over: left, removed, replaced, or the whole call ended.
        rings: Whether this one is to be told, and has not answered.
    """

    user: User
    state: SpaceState
    seen_s: float
    audio_only: bool
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    device: str = field(default="", repr=False)
    rings: bool = False
    is_muted_by_admin: bool = False
    is_muted_by_guest: bool = False
    created_at: int = field(default_factory=wall_ms)
    answered_at: int | None = None
    ended_at: int | None = None
    updated_at: int = field(default_factory=wall_ms)
    pinged_at: int | None = None
    end_reason: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def is_active(self) -> bool:
        """Whether this one is in the call."""
        return self.state in _ACTIVE

    @property
    def is_leaving(self) -> bool:
        """Whether this one has left the call just now, and may still be in the media room."""
        ended_at = self.ended_at if self.state is SpaceState.STREAM_ENDED else None
        return ended_at is not None and wall_ms() - ended_at <= _LEAVING_MS

    def set(self, state: SpaceState) -> None:
        """Go to ``state`` now."""
        if state is not self.state:
            self.state = state
            self.updated_at = wall_ms()

    def ping(self, now_s: float) -> None:
        """This one was there at ``now_s``."""
        self.seen_s = max(self.seen_s, now_s)
        self.pinged_at = wall_ms()

    def finish(self, state: SpaceState, reason: str | None = None) -> None:
        """Go to a state in which this one is not in the call."""
        self.set(state)
        self.rings = False
        self.ended_at = self.updated_at
        self.end_reason = reason
        self.over.set()

    def public(self, broadcast_id: str) -> dict[str, Any]:
        """The entry in ``guest_sessions``."""
        return {
            **session_entry(self, broadcast_id),
            "is_muted_by_admin": self.is_muted_by_admin,
            "is_muted_by_guest": self.is_muted_by_guest,
        }
