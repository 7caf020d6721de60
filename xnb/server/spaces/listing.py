"""All group calls of a server: the live ones, and for a while those that have ended."""

from __future__ import annotations

from ..auth import Caller
from ..directory import User
from ..options import ServerOptions
from ..refusal import Refusal, too_many
from .session import SpaceSession
from .space import Space


class SpaceList:
    """Group calls by their id and by the ids of their sessions. Bounded.

    Args:
        options: How many, and how long those that ended are remembered.
    """

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._live: dict[str, Space] = {}
        self._ended: dict[str, Space] = {}
        self._sessions: dict[str, tuple[Space, int]] = {}

    @property
    def live(self) -> tuple[Space, ...]:
        """Those that have not ended."""
        return tuple(self._live.values())

    def require_room_for(self, user: User) -> None:
        """Raises Refusal 429 when the user, or the server, hosts as many as it may."""
        mine = sum(space.host.id == user.id for space in self._live.values())
        if mine >= self._options.max_live_per_user or len(self._live) >= self._options.max_live:
            raise too_many("Too many live calls.", "End some of them first.")

    def add(self, space: Space) -> None:
        """Take in a new one."""
        self._live[space.id] = space
        self.index(space, space.host_session)

    def index(self, space: Space, session: SpaceSession) -> None:
        """Find ``space`` by this session from now on."""
        self._sessions[session.uuid] = (space, session.user.id)

    def find(self, broadcast_id: str) -> Space:
        """A live or remembered one. Raises Refusal 404."""
        space = self._live.get(broadcast_id) or self._ended.get(broadcast_id)
        if space is None:
            raise Refusal(
                404,
                "unknown_broadcast",
                "There is no group call with that broadcast id.",
                "It may have ended some minutes ago, or the server was started anew.",
            )
        return space

    def by_session(self, session_uuid: str) -> Space | None:
        """The one that this session is of, or was."""
        return self._sessions.get(session_uuid, (None, 0))[0]

    def of_session(self, caller: Caller, session_uuid: str) -> Space:
        """The one that this session of the caller is of. Raises Refusal 404."""
        space, user_id = self._sessions.get(session_uuid, (None, 0))
        if space is None or user_id != caller.user.id:
            raise Refusal(
                404,
                "unknown_session",
                "This account has no such session.",
                "Join the call to get one; joining again makes the old one void.",
            )
        return space

    def retire(self, space: Space) -> None:
        """It has ended: remember it for a while."""
        if self._live.pop(space.id, None) is None:
            return
        self._ended[space.id] = space
        while len(self._ended) > self._options.max_ended:
            self._forget(next(iter(self._ended.values())))

    def replaced(self, session_uuid: str) -> None:
        """This session is void: another login of the same user has taken its place."""
        self._sessions.pop(session_uuid, None)

    def sweep(self, now_s: float) -> None:
        """Forget what ended long ago."""
        for space in tuple(self._ended.values()):
            if now_s - (space.ended_at_s or now_s) >= self._options.remember_s:
                self._forget(space)

    def _forget(self, space: Space) -> None:
        self._ended.pop(space.id, None)
        for session_uuid in [u for u, (one, _) in self._sessions.items() if one is space]:
            del self._sessions[session_uuid]
