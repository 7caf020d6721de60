"""One group call: who is invited, who is in it, and how it ends (PROTOCOL C1, C2).

Nothing here waits or talks to the media room: :mod:`xnb.server.audiospace` does. All times are
monotonic seconds, except those that leave the process.

Somebody who asks nothing any more and is not seen in the media room either is dropped. The host
gets a grace of ``host_back_s`` to come back with ``reconnectHost``; when it does not, the call is
over for everybody. Where the media room cannot tell who is in it, ``gone_s`` is what counts,
because a kernel that computes asks nothing for a while.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from typing import Any

from ..broadcast import new_broadcast_id
from ..directory import User
from ..options import ServerOptions
from ..refusal import Refusal, too_many
from .session import SpaceSession, SpaceState


class SpaceEnd(enum.StrEnum):
    """Why a group call is over."""

    HUNG_UP = "HUNG_UP"
    TIMED_OUT = "TIMED_OUT"


def names_in_room(user: User) -> frozenset[str]:
    """What ``user`` may be called in the media room; the gateway goes by the other id."""
    return frozenset({str(user.id), user.periscope_id})


class Space:
    """A group call with its host and everybody who was ever invited.

    Args:
        host: Who makes it.
        options: Limits of the server.
        now_s: The time of creation.
        device: The login the host uses.
        audio_only: No pictures are planned.
        video_codec: ``vp8`` or ``h264``.
        title: What the host calls it.
        conversation_id: The conversation it belongs to, if any.
        max_people: Most people at a time; the server's own limit holds as well.
        base_url: How the host reaches this server.
    """

    def __init__(
        self,
        host: User,
        options: ServerOptions,
        now_s: float,
        *,
        device: str = "",
        audio_only: bool = False,
        video_codec: str = "vp8",
        title: str = "",
        conversation_id: str | None = None,
        max_people: int | None = None,
        base_url: str = "",
    ) -> None:
        self.id = new_broadcast_id()
        self.host = host
        self.audio_only = audio_only
        self.video_codec = video_codec
        self.title = title
        self.conversation_id = conversation_id
        self.max_people = min(max_people or options.max_people, options.max_people)
        self.base_url = base_url
        self.room: str | int = self.id
        self.published = False
        self.end_reason: SpaceEnd | None = None
        self.ended_at_s: float | None = None
        self.chat_token = secrets.token_urlsafe(24)
        self._options = options
        self._chat_key = secrets.token_bytes(32)
        self._created_s = now_s
        self._host_is_silent = False
        self._invited_s: dict[int, float] = {}
        self.sessions: dict[int, SpaceSession] = {
            host.id: SpaceSession(host, SpaceState.STREAM_CREATED, now_s, audio_only, device=device)
        }

    def __repr__(self) -> str:
        state = "live" if self.is_live else "ended"
        return f"<Space {self.id}: {state}, {len(self.active())} people>"

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at_s is None

    @property
    def host_session(self) -> SpaceSession:
        """The host's own part."""
        return self.sessions[self.host.id]

    def active(self) -> list[SpaceSession]:
        """Those who are in the call now."""
        return [one for one in self.sessions.values() if one.is_active]

    def welcome(self) -> frozenset[str]:
        """What those may be called in the media room who are in the call, or just leaving."""
        return frozenset().union(
            *(
                names_in_room(one.user)
                for one in self.sessions.values()
                if one.is_active or one.is_leaving
            )
        )

    def access_token(self, user: User) -> str:
        """What ``accessChat`` gives this user for :attr:`chat_token`."""
        return hmac.digest(self._chat_key, str(user.id).encode(), "sha256").hex()

    def check_chat(self, user: User, token: str | None) -> None:
        """Refuse a chat token that is not this user's. None, and an empty one, are fine."""
        if token and not hmac.compare_digest(
            token.encode("utf-8", "surrogateescape"), self.access_token(user).encode()
        ):
            raise Refusal(
                403,
                "bad_chat_token",
                "That is not this account's chat token for the call.",
                "Send the access_token that accessChat answers, or leave it out.",
            )

    # Who may do what

    def touch(self, user: User, now_s: float) -> None:
        """``user`` asked something, or is seen in the media room: it is still there."""
        session = self.sessions.get(user.id)
        if session is not None:
            session.ping(now_s)

    def require_host(self, user: User) -> None:
        """Raises Refusal 403 for anybody but the host."""
        if user.id != self.host.id:
            raise Refusal(
                403, "not_the_host", "Only the host may do that.", "Ask the host of the call."
            )

    def require_live(self) -> None:
        """Raises Refusal 410 when it is over."""
        if not self.is_live:
            raise Refusal(
                410, "ended", "The group call is over.", "There is nothing to join any more."
            )

    def require_invited(self, user: User) -> SpaceSession:
        """The part of somebody who may be in it. Raises Refusal 403."""
        session = self.sessions.get(user.id)
        if session is None:
            raise Refusal(
                403,
                "not_invited",
                "This account is not invited to that group call.",
                "Ask its host for an invitation.",
            )
        if session.state is SpaceState.STREAM_EJECTED:
            raise Refusal(
                403,
                "removed",
                "The host has removed this account from the group call.",
                "Only a new invitation by the host opens it again.",
            )
        return session

    # What happens

    def publish(self, title: str, now_s: float) -> None:
        """The host sends: from now on people can be invited."""
        self.published = True
        self.title = title or self.title
        self.host_session.set(SpaceState.HOST_STREAM_PUBLISHED)
        self.touch(self.host, now_s)

    def invite(self, user: User, now_s: float) -> bool:
        """Let ``user`` in; whether there is something to tell them.

        Raises:
            Refusal: 429, too many people were invited.
        """
        session = self.sessions.get(user.id)
        if session is not None and session.is_active:
            if session is self.host_session:
                session.is_muted_by_admin = session.is_muted_by_guest = False
            return False
        if session is None and len(self.sessions) > self._options.max_invited:
            raise too_many(
                "Too many people are invited to this call.", "Start another call for the others."
            )
        self._invited_s[user.id] = now_s
        if session is not None and session.state is SpaceState.INVITATION_SENT and session.rings:
            return False
        self.sessions[user.id] = SpaceSession(
            user, SpaceState.INVITATION_SENT, now_s, self.audio_only, rings=True
        )
        return True

    def decline(self, user: User, reason: str | None) -> None:
        """``user`` does not want to come. Somebody who is in the call already has not declined."""
        session = self.sessions[user.id]
        if session.state is SpaceState.INVITATION_SENT:
            session.finish(SpaceState.INVITATION_DECLINED, reason or "declined")

    def admit(self, user: User, device: str, now_s: float) -> tuple[SpaceSession, bool]:
        """``user`` joins.

        Returns:
            The session, and whether it replaces one of another login of the same user, whose
            place in the media room has to be freed.

        Raises:
            Refusal: 409, the call is full.
        """
        old = self.sessions[user.id]
        if old.is_active and old.device == device:
            return old, False
        if not old.is_active and len(self.active()) >= self.max_people:
            raise Refusal(
                409,
                "room_full",
                f"The group call has {self.max_people} people, as many as it takes.",
                "Wait until somebody has left.",
            )
        replaces = old.is_active
        if replaces:
            old.finish(SpaceState.STREAM_ENDED, "REPLACED")
        state = SpaceState.INVITATION_ACCEPTED
        session = SpaceSession(user, state, now_s, self.audio_only, device=device)
        session.answered_at = session.created_at
        session.is_muted_by_admin = old.is_muted_by_admin
        self.sessions[user.id] = session
        return session, replaces

    def host_returns(self, device: str, now_s: float) -> tuple[SpaceSession, bool]:
        """The host asks for the way back.

        Returns:
            Its session, and whether that is a new one because the host comes from another login:
            then the place of the old one in the media room has to be freed.
        """
        old = self.host_session
        if old.device == device:
            return old, False
        session = SpaceSession(
            self.host, SpaceState.STREAM_CREATED, now_s, self.audio_only, device=device
        )
        session.is_muted_by_admin = old.is_muted_by_admin
        session.is_muted_by_guest = old.is_muted_by_guest
        if self.published:
            session.set(SpaceState.HOST_STREAM_RECONNECTING)
        old.finish(SpaceState.STREAM_ENDED, "REPLACED")
        self.sessions[self.host.id] = session
        self._host_is_silent = False
        return session, True

    def host_publishes(self) -> None:
        """The host sends (again)."""
        self._host_is_silent = False
        if self.published:
            self.host_session.set(SpaceState.HOST_STREAM_PUBLISHED)

    def end(self, reason: SpaceEnd, now_s: float) -> None:
        """End it for everybody, once; later reasons do not replace the first."""
        if not self.is_live:
            return
        self.ended_at_s = now_s
        self.end_reason = reason
        for session in self.sessions.values():
            if session.is_active:
                session.finish(SpaceState.STREAM_ENDED, reason)
            session.rings = False
            session.over.set()

    def check(self, now_s: float, *, has_presence: bool) -> list[User]:
        """End what nobody holds any more; who was dropped and is to leave the media room.

        Args:
            now_s: The time.
            has_presence: Whether the media room tells who is in it, so that silence means
                something.
        """
        if not self.is_live:
            return []
        if not self.published and now_s - self._created_s >= self._options.ring_s:
            self.end(SpaceEnd.TIMED_OUT, now_s)
            return []
        self._check_host(now_s, has_presence)
        if not self.is_live:
            return []
        dropped = []
        limit_s = self._options.gone_s
        if has_presence:
            limit_s = min(limit_s, self._options.absent_s + self._options.host_back_s)
        for session in self.sessions.values():
            if session.rings and now_s - self._invited_s[session.user.id] >= self._options.ring_s:
                session.rings = False
            if session is self.host_session or not session.is_active:
                continue
            if now_s - session.seen_s >= limit_s:
                session.finish(SpaceState.STREAM_TIMED_OUT, SpaceEnd.TIMED_OUT)
                dropped.append(session.user)
        return dropped

    def _check_host(self, now_s: float, has_presence: bool) -> None:
        options, session = self._options, self.host_session
        quiet_s = options.gone_s - options.host_back_s
        if has_presence:
            quiet_s = min(quiet_s, options.absent_s)
        silent_s = now_s - session.seen_s
        if silent_s >= max(quiet_s, 0.0) + options.host_back_s:
            self.end(SpaceEnd.TIMED_OUT, now_s)
        elif silent_s >= quiet_s and session.state is SpaceState.HOST_STREAM_PUBLISHED:
            session.set(SpaceState.HOST_STREAM_RECONNECTING)
            self._host_is_silent = True
        elif silent_s < quiet_s and self._host_is_silent:
            self.host_publishes()

    # What is told

    def rings_for(self, user_id: int) -> bool:
        """Whether this user was invited and has not answered."""
        session = self.sessions.get(user_id)
        return self.is_live and session is not None and session.rings

    def notice(self) -> dict[str, Any]:
        """What an invited person learns of it."""
        return {
            "broadcast_id": self.id,
            "host_id": self.host.id,
            "host_handle": self.host.handle,
            "conversation_id": self.conversation_id,
            "audio_only": self.audio_only,
            "kind": "group",
            "title": self.title,
            "chat_token": self.chat_token,
        }

    def call(self) -> dict[str, Any]:
        """``xnb_call``: what the protocol's own members do not tell."""
        return {
            "status": "RUNNING" if self.is_live else "ENDED",
            "end_reason": self.end_reason,
            "host_id": self.host.id,
            "host_handle": self.host.handle,
            "title": self.title,
            "audio_only": self.audio_only,
            "video_codec": self.video_codec,
            "conversation_id": self.conversation_id,
            "max_participants": self.max_people,
        }

    def public(self, *, inactive: bool) -> dict[str, Any]:
        """The answer of ``audiospace/call/status``.

        Args:
            inactive: Also those who are not in the call: invited, declined, gone, removed.
        """
        return {
            "guest_sessions": [
                one.public(self.id) for one in self.sessions.values() if inactive or one.is_active
            ],
            "xnb_call": self.call(),
        }
