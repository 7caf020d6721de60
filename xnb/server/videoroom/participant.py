"""Who somebody in a room is."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ..janus.plugin import HandleLink, Json, PluginError
from .requests import MAX_NAME, UNAUTHORIZED, Id, metadata, text

if TYPE_CHECKING:
    from .room import Room


class Participant:
    """Somebody in a room, with what others are told of them.

    Args:
        room: Where they are.
        link: Their client.
        id: Their own in the room.
        body: The request that they joined with.
        names: What they may be called; empty: anything.

    Attributes:
        token: What they were let in with, if they showed one.
        private_id: What their subscribing handles may show that they are their own.
        display: Name to show.
        metadata: What they say of themselves.
    """

    def __init__(
        self,
        room: Room,
        link: HandleLink,
        id: Id,  # noqa: A002
        body: Json,
        names: frozenset[str] = frozenset(),
    ) -> None:
        self.room = room
        self.link = link
        self.id = id
        self.private_id = secrets.randbits(32)
        self.token = text(body, "token")
        self.display = text(body, "display", MAX_NAME)
        self.metadata = metadata(body)
        self._names = names

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
        """What others are told: ``leaving``, ``kicked`` or ``unpublished``.

        ``kicked`` comes without a name, as from Debian's Janus: janode takes it for a new name.
        """
        about = self.introduced()
        del about["id"]
        if how == "kicked":
            about.pop("display", None)
        return self.event(**{how: self.id}, **about)

    def rename(self, body: Json, tells: bool) -> None:
        """Take a new name or metadata from a request.

        Args:
            body: The request.
            tells: Whether the others are told; who had a name or metadata before is told of
                anyway, as in Janus.

        Raises:
            PluginError: It may not be called so (433).
        """
        display, about = text(body, "display", MAX_NAME), metadata(body)
        if display and self._names and display not in self._names:
            raise PluginError(UNAUTHORIZED, "Unauthorized (the token is for another display)")
        before = self.display, self.metadata
        self.display, self.metadata = display or self.display, about or self.metadata
        if (self.display, self.metadata) != before and (tells or before != (None, None)):
            told: Json = {"videoroom": "event", "id": self.id}
            if self.display is not None:
                told["display"] = self.display
            self.room.tell(told | ({"metadata": about} if about else {}), but=self)
