"""Runs the bots: starts one when it is called, bounds how many, ends them all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from ..broadcast import Broadcast
from ..directory import User
from ..p2p import P2PService
from ..spaces.audiospace import AudioSpaces
from ..spaces.space import Space
from . import table
from .line import Line
from .seat import Seat

_log = logging.getLogger(__name__)
_CLOSE_S = 0.5


class BotHost:
    """All bots of one server.

    Args:
        p2p: Where their calls come from; its ``on_bot_called`` is taken.
    """

    def __init__(self, p2p: P2PService) -> None:
        self._p2p = p2p
        self._bots = table()
        self._calls: set[asyncio.Task[None]] = set()
        self._spaces: AudioSpaces | None = None
        self._base_url: Callable[[], str] = str
        p2p.on_bot_called = self.called

    @property
    def call_count(self) -> int:
        """Calls being held now."""
        return len(self._calls)

    def called(self, broadcast: Broadcast) -> None:
        """A bot is called: let it deal with it, or decline when too many calls are held."""
        line = Line(self._p2p, broadcast)
        bot = self._bots.get(line.name)
        if bot is None or len(self._calls) >= self._p2p.options.max_bot_calls:
            line.leave("busy")
            return
        self._hold(line.name, lambda: bot.called(line), lambda: line.leave("error"))

    def serve_rooms(self, spaces: AudioSpaces, base_url: Callable[[], str]) -> None:
        """Take the bots' invitations to group calls as well.

        Args:
            spaces: Where they come from; its ``on_bot_invited`` is taken.
            base_url: How this server is reached from this machine.
        """
        self._spaces = spaces
        self._base_url = base_url
        spaces.on_bot_invited = self.invited

    def invited(self, space: Space, bot_user: User) -> None:
        """A bot is invited to a group call: let it deal with it, or decline."""
        assert self._spaces is not None
        seat = Seat(self._spaces, space, bot_user, lambda: self._base_url() or space.base_url)
        bot = self._bots.get(seat.name)
        if bot is None or len(self._calls) >= self._p2p.options.max_bot_calls:
            seat.decline("busy")
            return
        self._hold(seat.name, lambda: bot.invited(seat), seat.leave)

    def _hold(
        self,
        name: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        on_error: Callable[[], None],
    ) -> None:
        async def hold() -> None:
            try:
                await work()
            except Exception as error:
                # No message: it might quote SDP.
                places = "".join(traceback.format_tb(error.__traceback__))
                _log.error("Bot %s raised %s\n%s", name, type(error).__name__, places)
                on_error()

        task = asyncio.create_task(hold(), name=f"xnb bot {name}")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def close(self) -> None:
        """End all calls of the bots. May be called again."""
        self._p2p.on_bot_called = None
        if self._spaces:
            self._spaces.on_bot_invited = None
        tasks = tuple(self._calls)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*tasks, return_exceptions=True)
