"""What a bot is, and the ones that answer and send something."""

from __future__ import annotations

import abc
from typing import ClassVar

from ...media.source import Source
from .call import BotCall, answering
from .line import Line


class Bot(abc.ABC):
    """A far end that is always there.

    Attributes:
        handle: What one calls; reserved in the directory.
    """

    handle: ClassVar[str]

    @abc.abstractmethod
    async def called(self, line: Line) -> None:
        """Deal with one call, until it is over. Runs as a task of its own, several at once."""


class SendingBot(Bot):
    """A bot that answers at once and sends a source until the caller hangs up."""

    camera: ClassVar[bool] = True

    @abc.abstractmethod
    def source(self, line: Line) -> Source:
        """What to send in this call."""

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""
        async with answering(line) as call:
            if call is not None:
                await self.hold(call)

    async def hold(self, call: BotCall) -> None:
        """Send the source for as long as the call lasts."""
        call.play(self.source(call.line))
        await call.run(camera=self.camera)
