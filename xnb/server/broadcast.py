"""One 1:1 broadcast: its two sessions, its mailboxes and how it ends."""

from __future__ import annotations

import enum
import secrets
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from .directory import User
from .log import FollowedLog
from .options import ServerOptions

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Status(enum.StrEnum):
    """What ``p2p/broadcast/status`` says."""

    RINGING = "RINGING"
    RUNNING = "RUNNING"
    ENDED = "ENDED"


class EndedBy(enum.StrEnum):
    """``end_reason`` of a broadcast."""

    CANCELED = "CANCELED"
    DECLINED = "DECLINED"
    HUNG_UP = "HUNG_UP"
    MISSED = "MISSED"
    TIMED_OUT = "TIMED_OUT"


class SessionState(enum.IntEnum):
    """The states of the protocol's list that a 1:1 call goes through."""

    INVITATION_SENT = 5
    STREAM_ENDED = 12
    HOST_STREAM_PUBLISHED = 17
    STREAM_CREATED = 19
    CALL_RANG = 20
    CALL_ANSWERED = 21


def new_broadcast_id() -> str:
    """A fresh broadcast id: 13 letters and digits, 71 bits of them random."""
    return "1" + "".join(secrets.choice(_ID_LETTERS) for _ in range(12))


def wall_ms() -> int:
    """Milliseconds since 1970, for times that leave the process."""
    return int(time.time() * 1000)


def session_entry(session: Any, broadcast_id: str) -> dict[str, Any]:
    """What a status answer tells of one member, in 1:1 and group calls alike.

    Args:
        session: A :class:`Session`, or that of a group call.
        broadcast_id: Of the call.
    """
    return {
        "session_uuid": session.uuid,
        "session_state": int(session.state),
        "created_at": session.created_at,
        "started_at": session.created_at,
        "answered_at": session.answered_at,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
        "last_updated_at": session.updated_at,
        "last_pinged_at": session.pinged_at,
        "host_broadcast_id": broadcast_id,
        "twitter_user_id": session.user.id,
        "guest_user_id": session.user.periscope_id,
        "guest_username": session.user.handle,
        "guest_display_name": session.user.display_name,
        "guest_is_audio_only": session.audio_only,
    }


@dataclass(slots=True)
class Session:
    """One member's part of a broadcast. Times on the wall clock, in milliseconds."""

    user: User
    state: SessionState
    audio_only: bool
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    device: str = field(default="", repr=False)
    created_at: int = field(default_factory=wall_ms)
    answered_at: int | None = None
    ended_at: int | None = None
    updated_at: int = field(default_factory=wall_ms)
    pinged_at: int | None = None
    end_reason: str | None = None

    def set(self, state: SessionState) -> None:
        """Go to ``state`` now."""
        self.state = state
        self.updated_at = wall_ms()

    def public(self, broadcast_id: str) -> dict[str, Any]:
        """The entry in the ``sessions`` of a status answer."""
        return session_entry(self, broadcast_id)


@dataclass(frozen=True, slots=True)
class MailboxMessage:
    """A signaling message as it is delivered. The payload (SDP, candidates) is not shown."""

    id: str
    sender_id: int
    type: str
    message: str = field(repr=False)

    def public(self) -> dict[str, Any]:
        """The wire form."""
        return {
            "id": self.id,
            "sender_id": self.sender_id,
            "type": self.type,
            "message": self.message,
        }

    @property
    def size(self) -> int:
        """Bytes counted against the mailbox, at most 4 a character."""
        return len(self.message) + len(self.type) + len(self.id)


class Broadcast:
    """A call between a host and one invitee. All times are monotonic seconds.

    Args:
        host: Who calls.
        invitee: Who is called.
        audio_only: No video is planned.
        conversation_id: The conversation it belongs to, if any.
        options: Limits of the server.
        now_s: The time of creation.
    """

    def __init__(
        self,
        host: User,
        invitee: User,
        *,
        audio_only: bool,
        conversation_id: str | None,
        options: ServerOptions,
        now_s: float,
    ) -> None:
        self.id = new_broadcast_id()
        self.host = host
        self.invitee = invitee
        self.audio_only = audio_only
        self.conversation_id = conversation_id
        self.status = Status.RINGING
        self.published = False
        self.announced = False
        self.end_reason: EndedBy | None = None
        self.end_description: str | None = None
        self.ended_at_s: float | None = None
        self.sessions = {
            host.id: Session(host, SessionState.STREAM_CREATED, audio_only),
            invitee.id: Session(invitee, SessionState.INVITATION_SENT, audio_only),
        }
        self.mailboxes = {
            user_id: FollowedLog[MailboxMessage](options.max_messages, options.max_mailbox_bytes)
            for user_id in self.sessions
        }
        self._options = options
        self._ring_since_s = now_s
        self._seen_s = dict.fromkeys(self.sessions, now_s)

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.status is not Status.ENDED

    def other(self, user: User) -> User:
        """The far end, seen from ``user``."""
        return self.invitee if user.id == self.host.id else self.host

    def touch(self, user: User, now_s: float) -> None:
        """``user`` asked something: it is still there."""
        self._seen_s[user.id] = now_s
        self.sessions[user.id].pinged_at = wall_ms()

    def publish(self, now_s: float) -> None:
        """From now on the call rings."""
        self.published = True
        self._ring_since_s = now_s
        self.sessions[self.host.id].set(SessionState.HOST_STREAM_PUBLISHED)

    def announce(self) -> None:
        """The invitee has been told."""
        self.announced = True
        self.sessions[self.invitee.id].set(SessionState.CALL_RANG)

    def answer(self, device: str) -> None:
        """The invitee joined, from this login."""
        session = self.sessions[self.invitee.id]
        session.device = device
        session.set(SessionState.CALL_ANSWERED)
        session.answered_at = session.updated_at
        self.status = Status.RUNNING

    def leave(self, user: User, description: str | None, now_s: float) -> None:
        """A member goes; the reason follows from who left and when."""
        if self.status is Status.RUNNING:
            reason = EndedBy.HUNG_UP
        elif user.id == self.host.id:
            reason = EndedBy.CANCELED
        else:
            reason = EndedBy.DECLINED
        self.end(reason, now_s, description)

    def end(self, reason: EndedBy, now_s: float, description: str | None = None) -> None:
        """End it, once; later reasons do not replace the first."""
        if not self.is_live:
            return
        self.status = Status.ENDED
        self.end_reason = reason
        self.end_description = description
        self.ended_at_s = now_s
        for session in self.sessions.values():
            session.set(SessionState.STREAM_ENDED)
            session.ended_at = session.updated_at
            session.end_reason = reason
        for mailbox in self.mailboxes.values():
            mailbox.trim(mailbox.end)
            mailbox.close()

    def check(self, now_s: float) -> None:
        """End it when it rang too long or when a member has gone."""
        if not self.is_live:
            return
        members = [self.host]
        if self.status is Status.RUNNING:
            members.append(self.invitee)
        elif now_s - self._ring_since_s >= self._options.ring_s:
            self.end(EndedBy.MISSED if self.published else EndedBy.TIMED_OUT, now_s)
            return
        if any(now_s - self._seen_s[user.id] >= self._options.gone_s for user in members):
            self.end(EndedBy.TIMED_OUT, now_s, "gone")

    def public(self) -> dict[str, Any]:
        """The answer of ``p2p/broadcast/status``."""
        return {
            "broadcast_id": self.id,
            "status": self.status,
            "end_reason": self.end_reason,
            "end_description": self.end_description,
            "sessions": [session.public(self.id) for session in self.sessions.values()],
        }

    def notice(self) -> dict[str, Any]:
        """What the invitee learns of the call."""
        return {
            "broadcast_id": self.id,
            "host_id": self.host.id,
            "host_handle": self.host.handle,
            "conversation_id": self.conversation_id,
            "audio_only": self.audio_only,
            "kind": "p2p",
        }

    def rings_for(self, user_id: int) -> bool:
        """Whether it rings, and for this user."""
        return self.status is Status.RINGING and user_id == self.invitee.id
