"""``callback``: calls you."""

from __future__ import annotations

import asyncio

from .call import placing
from .line import Line
from .refusing import RING_S
from .seat import Seat
from .testcard import TestcardBot

CALL_BACK_AFTER_S = 3.0


class CallbackBot(TestcardBot):
    """Declines your call and three seconds later calls you, with the test card.

    It teaches the other side of a call: an incoming call arrives as a notice with a broadcast
    id, accepting it is ``join``, and now the far end offers and you answer. Listen before you
    call it (``client.listen_for_calls``), or you will miss it.
    """

    handle = "callback"

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""
        await asyncio.sleep(RING_S)
        if line.is_over:
            return
        line.leave("will call back")
        await asyncio.sleep(CALL_BACK_AFTER_S)
        async with placing(line.call_back()) as call:
            await self.hold(call)

    async def invited(self, seat: Seat) -> None:
        """See :meth:`Bot.invited`."""
        seat.decline("calls back people only")
