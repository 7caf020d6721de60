"""``busy`` and ``noanswer``: calls that come to nothing."""

from __future__ import annotations

import asyncio

from .base import Bot
from .line import Line
from .seat import Seat

RING_S = 1.0


class BusyBot(Bot):
    """Rings for a second and declines as busy.

    It teaches that the protocol has no message for declining: the callee just leaves before it
    has joined, and the caller learns it from the next status poll, as ``ENDED`` with the reason
    ``DECLINED`` and the description ``busy``. No media connection is ever made.
    """

    handle = "busy"

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""
        await asyncio.sleep(RING_S)
        line.leave("busy")

    async def invited(self, seat: Seat) -> None:
        """See :meth:`Bot.invited`."""
        await asyncio.sleep(RING_S)
        seat.decline("busy")


class NoAnswerBot(Bot):
    """Lets it ring.

    It teaches the ring limit: nobody answers, and after a minute either the caller gives up or
    the server ends the broadcast with ``MISSED``, whichever is first. In a group call it stays
    invited.
    """

    handle = "noanswer"

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""

    async def invited(self, seat: Seat) -> None:
        """See :meth:`Bot.invited`."""
