"""Who somebody in a room is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..janus.plugin import HandleLink, Json
from .requests import Id, metadata, text

if TYPE_CHECKING:
    from .room import Room


class Participant:
    """Somebody in a room, with what others are told of them.

    Args:
        room: Where they are.
        link: Their client.
        id: Their own in the room.
        body: The request that they joined with.

    Attributes:
        private_id: What their subscribing handles may show that they are their own.
        display: Name to show.
        metadata: What they say of themselves.
    """

    def __init__(self, room: Room, link: HandleLink, id: Id, body: Json) -> None:  # noqa: A002
        self.room = room
        self.link = link
        self.id = id
        self.private_id = secrets.randbits(32)
        self.display = text(body, "display")
        self.metadata = metadata(body)

    def event(self, **more: object) -> Json:
        """An event of the room."""
        return {"videoroom": "event", "room": self.room.id, **more}

    def introduced(self) -> Json:
        """Who it is, without what it publishes."""
        told: Json = {"id": self.id}
        if self.display is not None:
            told["display"] = self.display
        if self.metadata is not None:
            told["metadata"] = self.metadata
        return told

    def told_of_leaving(self, how: str) -> Json:
        """What others are told: ``leaving``, ``kicked`` or ``unpublished``."""
        about = self.introduced()
        del about["id"]
        return self.event(**{how: self.id}, **about)

    def rename(self, body: Json, tells: bool) -> None:
        """Take a new name or metadata from a request.

        Args:
            body: The request.
            tells: Whether the others are told.
        """
        display, about = text(body, "display"), metadata(body)
        changed = (display or self.display, about or self.metadata)
        is_new = changed != (self.display, self.metadata)
        self.display, self.metadata = changed
        if is_new and tells:
            told: Json = {"videoroom": "event", "id": self.id, "display": self.display}
            self.room.tell(told | ({"metadata": about} if about else {}), but=self)
