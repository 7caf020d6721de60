"""Runs the bots: starts one when it is called, bounds how many, ends them all."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback

from ..broadcast import Broadcast
from ..p2p import P2PService
from . import table
from .line import Line

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

        async def hold() -> None:
            try:
                await bot.called(line)
            except Exception as error:
                # No message: it might quote SDP.
                places = "".join(traceback.format_tb(error.__traceback__))
                _log.error("Bot %s raised %s\n%s", line.name, type(error).__name__, places)
                line.leave("error")

        task = asyncio.create_task(hold(), name=f"xnb bot {line.name}")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def close(self) -> None:
        """End all calls of the bots. May be called again."""
        self._p2p.on_bot_called = None
        tasks = tuple(self._calls)
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*tasks, return_exceptions=True)
