"""A group call as values: who is in it, how it stands, what was created or joined."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from ..settings import VideoCodec
from .audiospace_replies import GuestSession
from .messages import User, id_text
from .room_access import RoomAccess


class MemberState(enum.IntEnum):
    """The values of ``session_state`` that a group call goes through (PROTOCOL B1)."""

    REQUEST_APPROVED = 4
    INVITATION_SENT = 5
    INVITATION_WITHDRAWN = 6
    INVITATION_DECLINED = 7
    INVITATION_ACCEPTED = 8
    STREAM_NEGOTIATED = 9
    STREAM_PUBLISHED = 10
    STREAM_EJECTED = 11
    STREAM_ENDED = 12
    STREAM_TIMED_OUT = 13
    ADMIN_STREAM_PUBLISHED = 16
    HOST_STREAM_PUBLISHED = 17
    HOST_STREAM_RECONNECTING = 18
    STREAM_CREATED = 19


_IN_CALL = frozenset({8, 9, 10, 16, 17, 18, 19})


@dataclass(frozen=True, slots=True)
class Hosted:
    """A group call that we created; nobody knows of it before it is published."""

    broadcast_id: str
    session_uuid: str
    access: RoomAccess
    chat_token: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class JoinedSpace:
    """A group call that we joined; the room is asked for with :meth:`AudioSpace.negotiate`.

    Args:
        session_uuid: Our session.
        host: Who made the call; empty when the server does not tell.
        video: Whether it is meant to have pictures.
        video_codec: Of those pictures.
        title: What the host calls it.
        conversation_id: The conversation it belongs to, if any.
    """

    session_uuid: str
    host: User
    video: bool = True
    video_codec: VideoCodec = "vp8"
    title: str = ""
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a group call; ``state`` as numbered in PROTOCOL B1.

    ``periscope_id`` is the other id that the live service's gateway goes by.
    """

    user_id: str
    handle: str
    state: int
    is_muted: bool = False
    session_uuid: str = ""
    periscope_id: str = ""

    @property
    def is_in_call(self) -> bool:
        """Whether this one has joined and not left."""
        return self.state in _IN_CALL

    @property
    def has_declined(self) -> bool:
        """Whether this one said no to the invitation."""
        return self.state == MemberState.INVITATION_DECLINED

    @property
    def was_removed(self) -> bool:
        """Whether the host put this one out."""
        return self.state == MemberState.STREAM_EJECTED


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """Where a group call stands.

    Args:
        is_live: Whether it is not over.
        host_id: Numeric id of the host; empty when the server does not tell.
        members: Everybody who was invited or joined, the host included where the server says so.
        end_reason: Why it is over, in the server's word, such as ``HUNG_UP`` or ``TIMED_OUT``.
        host_handle: Handle of the host, where the server tells.
        title: What the host calls it.
        video: Whether it is meant to have pictures.
    """

    is_live: bool
    host_id: str
    members: tuple[Member, ...]
    end_reason: str | None = None
    host_handle: str = ""
    title: str = ""
    video: bool = True

    def member(self, user_id: str) -> Member | None:
        """The member with that numeric id, or ``None``."""
        return next((one for one in self.members if one.user_id == user_id), None)

    @property
    def host_is_away(self) -> bool:
        """Whether the host has lost its connection and may still come back."""
        return any(m.state == MemberState.HOST_STREAM_RECONNECTING for m in self.members)


def member_of(entry: GuestSession) -> Member:
    """The member that an entry of ``guest_sessions`` tells of."""
    return Member(
        id_text(entry.twitter_user_id),
        entry.guest_username or "",
        entry.session_state or 0,
        bool(entry.is_muted_by_admin or entry.is_muted_by_guest),
        entry.session_uuid or "",
        id_text(entry.guest_user_id),
    )
