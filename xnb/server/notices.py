"""Who is told of calls that ring: one list for each user, read by long poll."""

from __future__ import annotations

from typing import Any, Protocol

from .directory import User
from .held_polls import HeldPolls
from .log import FollowedLog

_MAX_NOTICES = 128


class Ringing(Protocol):
    """A call that somebody may be told of, whatever its kind."""

    id: str

    def rings_for(self, user_id: int) -> bool:
        """Whether this user has neither answered nor refused, and may still."""
        ...

    def notice(self) -> dict[str, Any]:
        """What the one who is called learns of it."""
        ...


class Notices:
    """The calls that users are told of. A user's list is bounded; the oldest entry goes first.

    Args:
        polls: Bounds the polls that are held.
        hold_s: Longest time a poll is held.
        max_users: Users for whom a list is kept.
    """

    def __init__(self, polls: HeldPolls, *, hold_s: float, max_users: int) -> None:
        self._polls = polls
        self._hold_s = hold_s
        self._max_users = max_users
        self._logs: dict[int, FollowedLog[Ringing]] = {}

    def tell(self, user: User, call: Ringing) -> None:
        """Let ``user`` know of ``call``."""
        self._log_of(user.id).append(call)

    async def poll(self, user: User, cursor: int, timeout_s: float | None = None) -> dict[str, Any]:
        """Calls that ring for this user; held until there is one or time is up."""
        log = self._log_of(user.id)
        if cursor > log.end:  # from before a restart of this server
            cursor = 0
        ringing = _ringing(log, cursor, user.id)
        if not ringing:
            cursor = log.end
            await self._polls.wait(log, cursor, timeout_s, self._hold_s)
            ringing = _ringing(log, cursor, user.id)
        return {"notices": [call.notice() for call in ringing], "cursor": log.end}

    def sweep(self) -> None:
        """Forget what rings for nobody, and the lists of those who asked longest ago."""
        for user_id, log in self._logs.items():
            if not _ringing(log, 0, user_id):
                log.trim(log.end)
        for user_id in tuple(self._logs)[: max(0, len(self._logs) - self._max_users)]:
            del self._logs[user_id]

    def close(self) -> None:
        """Answer all polls. May be called again."""
        for log in self._logs.values():
            log.close()

    def _log_of(self, user_id: int) -> FollowedLog[Ringing]:
        log = self._logs.get(user_id)
        if log is None:
            log = self._logs[user_id] = FollowedLog[Ringing](_MAX_NOTICES, drop_oldest=True)
        return log


def _ringing(log: FollowedLog[Ringing], cursor: int, user_id: int) -> list[Ringing]:
    """What rings from ``cursor`` on, each call once."""
    found = {call.id: call for call in log.after(cursor) if call.rings_for(user_id)}
    return list(found.values())
