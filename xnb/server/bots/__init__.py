"""Bots to call, each teaching one thing. To add one: a class in a file here, a line in the table.

The table is loaded by :func:`table` and not on import, because the bots bring the media engine
with them and a server should listen before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cards import TESTCARDS, card_handle, colour, tone_hz

if TYPE_CHECKING:
    from .base import Bot

__all__ = ["HANDLES", "TESTCARDS", "colour", "table", "tone_hz"]

HANDLES = (
    "echo",
    "testcard",
    "music",
    "busy",
    "noanswer",
    "callback",
    "flaky",
    *(card_handle(number) for number in range(2, TESTCARDS + 1)),
)


def table() -> dict[str, Bot]:
    """One bot for each of :data:`HANDLES`."""
    from .callback import CallbackBot
    from .echo import EchoBot
    from .flaky import FlakyBot
    from .music import MusicBot
    from .refusing import BusyBot, NoAnswerBot
    from .testcard import TestcardBot

    bots: tuple[Bot, ...] = (
        EchoBot(),
        TestcardBot(),
        MusicBot(),
        BusyBot(),
        NoAnswerBot(),
        CallbackBot(),
        FlakyBot(),
        *(TestcardBot(number) for number in range(2, TESTCARDS + 1)),
    )
    return {bot.handle: bot for bot in bots}
