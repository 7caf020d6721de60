"""Where the rooms of group calls are: what audio spaces ask of an SFU, whichever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Dialect = Literal["stock", "gateway"]


@dataclass(frozen=True, repr=False)
class Place:
    """A room and the way into it. Shows nothing of itself: most of it is secret.

    Args:
        url: Base URL of the Janus API: ``http``, ``https``, ``ws`` or ``wss``.
        room: The room's id there.
        pin: What one needs to join.
        secret: What the host needs to moderate, kick and destroy.
        dialect: ``stock`` Janus API, or that of the live service's gateway (PROTOCOL C3).
        token: A token that is good for a limited time, or ``None`` where none is wanted.
        api_secret: Always ``None``: the server's own is never given to clients.
    """

    url: str
    room: str | int
    pin: str
    secret: str
    dialect: Dialect = "stock"
    token: str | None = None
    api_secret: None = None

    def __repr__(self) -> str:
        return f"Place(dialect={self.dialect!r})"


class Rooms(Protocol):
    """Opens, finds and closes rooms by the id of their broadcast.

    Example::

        await rooms.open("1abc", publishers=8, video_codec="vp8", bitrate_bps=1_000_000)
        place = await rooms.place("1abc", base_url="http://127.0.0.1:8000")
    """

    async def open(
        self, broadcast_id: str, *, publishers: int, video_codec: str, bitrate_bps: int
    ) -> None:
        """Create the room of a broadcast, with a pin and a secret of its own.

        Asking again for a room that is open changes nothing.

        Args:
            broadcast_id: Its name here and, as far as the SFU allows, there.
            publishers: How many may send at the same time.
            video_codec: The preferred one: ``vp8`` or ``h264``; both are taken.
            bitrate_bps: Most that one publisher may send as video.

        Raises:
            SfuError: No SFU can be reached, or it refuses.
        """
        ...

    async def place(self, broadcast_id: str, *, base_url: str) -> Place:
        """Where the room is now, with a fresh token.

        An SFU that has died is left: the room is then created anew elsewhere, with the same pin
        and secret.

        Args:
            broadcast_id: A broadcast that was opened.
            base_url: How the asking client reaches this server, without a slash at the end.

        Raises:
            KeyError: No room was opened for this broadcast.
            SfuError: No SFU can be reached.
        """
        ...

    async def kick(self, broadcast_id: str, participant_id: str) -> None:
        """Put somebody out of the room. Nothing happens when they are not in it."""
        ...

    async def close_room(self, broadcast_id: str) -> None:
        """Destroy the room; everybody in it is told. May be called again."""
        ...

    async def close(self) -> None:
        """Close all rooms and what runs for them. May be called again."""
        ...
