"""Requests that are held until there is something to say: how many, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

from .log import FollowedLog

_PAUSE_S = 0.1


class HeldPolls:
    """Bounds the polls that one server holds.

    Args:
        limit: Polls held at a time; above it a poll is answered almost at once.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._closed = False

    async def wait(
        self, log: FollowedLog[Any], cursor: int, timeout_s: float | None, limit_s: float
    ) -> None:
        """Return when there is an entry at ``cursor``, or time is up.

        Args:
            log: What is waited for.
            cursor: The entry wanted.
            timeout_s: What the client asks for; ``None`` leaves it to the server.
            limit_s: Longest time the server holds such a poll.
        """
        if self._held >= self._limit or self._closed:
            await asyncio.sleep(min(_PAUSE_S, limit_s))
            return
        self._held += 1
        try:
            await log.wait(cursor, limit_s if timeout_s is None else min(timeout_s, limit_s))
        finally:
            self._held -= 1

    def close(self) -> None:
        """Hold no more polls. May be called again."""
        self._closed = True
