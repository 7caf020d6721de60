"""What a bot is, and the ones that answer and send something."""

from __future__ import annotations

import abc
from typing import ClassVar

from ...media.source import Source
from .call import answering
from .held import Held
from .line import Line
from .room_call import sitting
from .seat import Seat


class Bot(abc.ABC):
    """A far end that is always there.

    Attributes:
        handle: What one calls; reserved in the directory.
    """

    handle: str

    @abc.abstractmethod
    async def called(self, line: Line) -> None:
        """Deal with one call, until it is over. Runs as a task of its own, several at once."""

    async def invited(self, seat: Seat) -> None:
        """Deal with one invitation to a group call; a bot that says nothing else declines."""
        seat.decline("takes no group calls")


class SendingBot(Bot):
    """A bot that answers at once and sends a source until the caller hangs up.

    Invited to a group call, it joins the room and sends there until the call is over.
    """

    camera: ClassVar[bool] = True

    @abc.abstractmethod
    def source(self, call: Held) -> Source:
        """What to send in this call."""

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""
        async with answering(line) as call:
            if call is not None:
                await self.hold(call)

    async def invited(self, seat: Seat) -> None:
        """See :meth:`Bot.invited`."""
        async with sitting(seat) as call:
            if call is not None:
                await self.hold(call)

    async def hold(self, call: Held) -> None:
        """Send the source for as long as the call lasts."""
        call.play(self.source(call))
        await call.run(camera=self.camera)
