"""Where the rooms of group calls are: what audio spaces ask of an SFU, whichever it is."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol

Dialect = Literal["stock", "gateway"]
VIDEO_CODECS = ("vp8", "h264")
# The Janus API asks for the token with every request, and nobody is given another one during a
# call. So it lives longer than calls do; what one may do with it in a room, the ticket decides.
TOKEN_TTL_S = 24 * 3600.0


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
        ticket: What one person needs to join, besides the pin; see :class:`RoomTerms`.
        api_secret: Always ``None``: the server's own is never given to clients.
    """

    url: str
    room: str | int
    pin: str
    secret: str
    dialect: Dialect = "stock"
    token: str | None = None
    ticket: str = ""
    api_secret: None = None

    def __repr__(self) -> str:
        return f"Place(dialect={self.dialect!r})"


@dataclass(frozen=True, repr=False)
class Ticket:
    """What one person joins a room with. Shows nothing of itself.

    Args:
        token: One of the room's ``allowed`` tokens.
        names: What the person may be called in the room.
    """

    token: str
    names: frozenset[str]


@dataclass(repr=False)
class RoomTerms:
    """What a room is made with, and who may join it. Shows nothing of itself.

    Everybody joins with a ticket of their own, one of the room's ``allowed`` tokens: the pin,
    which is known to everybody who was ever in, is not enough. Subscribing takes the private id
    that joining gave (``require_pvtid``). A ticket that was taken away lets nobody in any more,
    under any name. What else it does depends on the SFU.

    The embedded one lets a person join under their own names only, and at most twice at a time.
    When it takes a ticket away, everybody who came with it is put out, and their subscriptions
    end, as they do whenever somebody leaves.

    A real Janus does not know whose a token is: who has one can join with it several times and
    under any name. So the names decide there. Together with a person everybody is put out whose
    name is that person's, or nobody's who is in the call; and whoever is in the room under a
    name that is nobody's in the call is put out within seconds. Whoever took the name of
    somebody who is in the call is not found out. Neither is who leaves the room and keeps a
    handle that subscribes: Janus finds subscriptions through the participant, so that one goes
    on receiving, and can subscribe to more with it, until that handle ends or the room does.

    Args:
        publishers: How many may send at the same time.
        video_codec: The preferred one.
        bitrate_bps: Most that one publisher may send as video.
    """

    publishers: int
    video_codec: str
    bitrate_bps: int
    pin: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    tickets: dict[str, Ticket] = field(default_factory=dict)

    @property
    def video_codecs(self) -> tuple[str, ...]:
        """The preferred one first."""
        return (self.video_codec, *(one for one in VIDEO_CODECS if one != self.video_codec))

    @property
    def allowed(self) -> dict[str, frozenset[str]]:
        """The tokens that let somebody in, each with the names of its person."""
        return {ticket.token: ticket.names for ticket in self.tickets.values()}

    def ticket(self, person: str, names: Collection[str]) -> Ticket:
        """The ticket of somebody, who has one from now on."""
        found = self.tickets.get(person)
        if found is None:
            found = self.tickets[person] = Ticket(secrets.token_urlsafe(16), frozenset(names))
        return found


class Rooms(Protocol):
    """Opens, finds and closes rooms by the id of their broadcast.

    Example::

        await rooms.open("1abc", publishers=8, video_codec="vp8", bitrate_bps=1_000_000)
        place = await rooms.place(
            "1abc", "1000000002", names=["1000000002"], base_url="http://127.0.0.1:8000"
        )
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

    async def place(
        self, broadcast_id: str, person: str, *, names: Collection[str], base_url: str
    ) -> Place:
        """Where the room is now, with a fresh token and the ticket of one person.

        An SFU that has died is left: the room is then created anew elsewhere, with the same pin
        and secret.

        Args:
            broadcast_id: A broadcast that was opened.
            person: Who asks; the same one has the same ticket until it is taken away.
            names: What the person may be called in the room, as display name and as id.
            base_url: How the asking client reaches this server, without a slash at the end.

        Raises:
            KeyError: No room was opened for this broadcast.
            SfuError: No SFU can be reached, or the ticket was taken away meanwhile.
        """
        ...

    async def kick(
        self,
        broadcast_id: str,
        person: str,
        *,
        names: Collection[str],
        keep: Callable[[], Collection[str]],
    ) -> None:
        """Take somebody's ticket away, and put everybody out who has no other right to be in.

        That is who came with this ticket, or as far as the SFU does not know that, who has one
        of ``names``; and everybody whose name is not in ``keep``. A :meth:`place` that is asked
        for meanwhile waits for it, and gives another ticket.

        A ticket that could not be taken away because the SFU did not answer is tried again with
        whatever this room is asked next.

        Args:
            broadcast_id: The broadcast.
            person: As for :meth:`place`.
            names: As for :meth:`place`.
            keep: Gives the names of all who belong into the room; asked before each is put out.

        Raises:
            SfuError: The SFU does not answer, or refuses.
        """
        ...

    async def put_out_others(
        self, broadcast_id: str, *, keep: Callable[[], Collection[str]]
    ) -> None:
        """Put everybody out whose name is not in ``keep``.

        Args:
            broadcast_id: The broadcast.
            keep: As for :meth:`kick`.

        Raises:
            SfuError: The SFU does not answer, or refuses.
        """
        ...

    async def close_room(self, broadcast_id: str) -> None:
        """Destroy the room; everybody in it is told. May be called again."""
        ...

    async def close(self) -> None:
        """Close all rooms and what runs for them. May be called again."""
        ...
