"""What a bot may do with a call it holds, whether of two people or in a room."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ...engine.peer import Peer
from ...media.source import Source, SourceTrack


class Held(Protocol):
    """A call that a bot holds.

    Attributes:
        peer: Over which it sends; another one after it had to connect anew.
        connected: Set when media can flow.
        video: Whether the call has pictures.
        is_room: Whether it is a group call.
    """

    connected: asyncio.Event
    video: bool
    is_room: bool

    @property
    def peer(self) -> Peer:
        """Over which it sends now."""
        ...

    def play(self, source: Source, audio: SourceTrack | None = None) -> None:
        """Send ``source``, with ``audio`` instead of its own; it is closed with the call."""
        ...

    async def run(self, *, camera: bool) -> None:
        """Hold the call until it is over.

        Args:
            camera: Whether the bot has a picture.
        """
        ...
