"""A room: who is in it, and telling everybody."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ..janus.plugin import Json, PluginError
from .requests import NO_SUCH_FEED, UNAUTHORIZED, Id
from .settings import RoomSettings

if TYPE_CHECKING:
    from .feed import FeedStream
    from .participant import Participant
    from .publisher import Publisher
    from .subscriber import Subscriber

MAX_PLACES = 2
"""Participants at a time with one token that is somebody's: a client that lost its connection
comes in again before its old place is given up."""


class Room:
    """One room.

    Args:
        id: A number, or a string as in Janus with ``string_ids``.
        settings: Its properties.
        allowed: Tokens that may join, each with the names of whose it is, or without for
            anybody; ``None`` lets everybody in who knows the pin.

    Attributes:
        check_allowed: Whether joining takes one of those tokens.
        allowed: The tokens, whether they are asked for or not.
        participants: By id, whether they publish or not.
        subscribers: Connections that receive from it.
        is_destroyed: Whether it is gone.
    """

    def __init__(
        self,
        id: Id,  # noqa: A002
        settings: RoomSettings,
        allowed: Mapping[str, Collection[str]] | None,
    ) -> None:
        self.id = id
        self.settings = settings
        self.check_allowed = allowed is not None
        self.allowed: dict[str, frozenset[str]] = {}
        for token, names in (allowed or {}).items():
            self.allow(token, names)
        self.participants: dict[Id, Publisher] = {}
        self.subscribers: set[Subscriber] = set()
        self.is_destroyed = False

    def __repr__(self) -> str:
        return f"<Room {len(self.participants)} in, {len(self.subscribers)} subscribers>"

    def allow(self, token: str, names: Collection[str] = ()) -> None:
        """Let in who has a token, where tokens are asked for.

        Args:
            token: Any text.
            names: What its owner may be called: as display, and as id if the client chooses it.
                Empty lets in anybody with it.
        """
        self.allowed[token] = frozenset(names)

    def names_for(self, token: str | None, id_: Id | None, display: str | None) -> frozenset[str]:
        """What somebody who wants to join may be called; empty: anything.

        Args:
            token: What they came with.
            id_: The id they ask for.
            display: What they want to be called.

        Raises:
            PluginError: Without such a token, under such a name, or once more nobody is let in
                (433).
        """
        if not self.check_allowed:
            return frozenset()
        names = None if token is None else self.allowed.get(token)
        if names is None:
            raise PluginError(UNAUTHORIZED, "Unauthorized (not in the allowed list)")
        if not names:
            return names
        if display not in names or (id_ is not None and str(id_) not in names):
            raise PluginError(UNAUTHORIZED, "Unauthorized (the token is for another display or id)")
        if sum(one.token == token for one in self.participants.values()) >= MAX_PLACES:
            raise PluginError(
                UNAUTHORIZED,
                f"Unauthorized ({MAX_PLACES} participants are in with this token already)",
            )
        return names

    def new_participant_id(self) -> Id:
        """An id that nobody in it has: a string in a room whose own id is one."""
        while True:
            made: Id = str(uuid.uuid4()) if isinstance(self.id, str) else secrets.randbits(52) + 1
            if made not in self.participants:
                return made

    def tell(self, data: Json, *, but: Participant | None = None) -> None:
        """Send an event to all participants."""
        for participant in tuple(self.participants.values()):
            if participant is not but:
                participant.link.event(data)

    @property
    def publishing(self) -> list[Publisher]:
        """Participants that have a publishing connection, up or about to be."""
        return [one for one in self.participants.values() if one.peer is not None]

    @property
    def active(self) -> list[Publisher]:
        """Participants whose streams can be subscribed to."""
        return [one for one in self.participants.values() if one.is_active]

    def feed(self, feed_id: Id) -> Publisher:
        """A publisher that can be subscribed to.

        Raises:
            PluginError: There is none with that id (428).
        """
        publisher = self.participants.get(feed_id)
        if publisher is None or not publisher.is_active:
            raise PluginError(NO_SUCH_FEED, f"No such feed ({feed_id})")
        return publisher

    def streams(self, feed_id: Id, mid: str | None) -> list[FeedStream]:
        """One stream of a publisher, or all that it sends now.

        Raises:
            PluginError: There is no such publisher or stream (428).
        """
        publisher = self.feed(feed_id)
        if mid is None:
            return [one for one in publisher.streams if not one.is_disabled]
        found = [one for one in publisher.streams if one.mid == mid]
        if not found:
            raise PluginError(NO_SUCH_FEED, f"No such mid '{mid}' in feed ({feed_id})")
        return [one for one in found if not one.is_disabled]

    def count(self) -> Json:
        """Packets and bytes in and out, for each feed and each subscriber."""
        return {
            "room": self.id,
            "feeds": [one.count() for one in self.publishing],
            "subscribers": [one.count() for one in self.subscribers],
        }
