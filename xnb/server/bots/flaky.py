"""``flaky``: a far end with a bad network."""

from __future__ import annotations

import asyncio

from .held import Held
from .testcard import TestcardBot

CUT_AFTER_S = 8.0
CUT_FOR_S = 5.0


class FlakyBot(TestcardBot):
    """Sends the test card, loses its network for five seconds after eight, and comes back.

    It teaches what an outage looks like from the other side: signaling stays up, packets stop,
    consent checks (RFC 7675) go unanswered, and all of it goes on by itself when the network is
    back, because nobody hung up.
    """

    handle = "flaky"

    async def hold(self, call: Held) -> None:
        """See :meth:`SendingBot.hold`."""
        cutting = asyncio.create_task(_cut(call))
        try:
            await super().hold(call)
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)


async def _cut(call: Held) -> None:
    await call.connected.wait()
    await asyncio.sleep(CUT_AFTER_S)
    call.peer.set_network(False)
    await asyncio.sleep(CUT_FOR_S)
    call.peer.set_network(True)
