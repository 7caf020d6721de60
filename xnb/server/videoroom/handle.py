"""One attached handle of the videoroom plugin, whatever it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..janus.plugin import Answer, HandleLink, Json, PluginError
from .administration import REQUESTS, administrate
from .publisher import Publisher
from .requests import (
    ALREADY_JOINED,
    ID_EXISTS,
    INVALID_ELEMENT,
    INVALID_REQUEST,
    JOIN_FIRST,
    MAX_NAME,
    ROOM_EXISTS,
    UNAUTHORIZED,
    UNKNOWN_ERROR,
    check_secret,
    missing,
    optional_id,
    request_of,
    required_id,
    text,
)
from .subscriber import Subscriber

if TYPE_CHECKING:
    from .plugin import VideoRoom

ASYNCHRONOUS = {
    "join",
    "joinandconfigure",
    "configure",
    "publish",
    "unpublish",
    "start",
    "pause",
    "switch",
    "update",
    "subscribe",
    "unsubscribe",
    "leave",
}


class VideoRoomHandle:
    """A handle: nobody yet, or a participant, or a subscriber.

    Args:
        plugin: Whose it is.
        link: Its client.
    """

    def __init__(self, plugin: VideoRoom, link: HandleLink) -> None:
        self.role: Publisher | Subscriber | None = None
        self._plugin = plugin
        self._link = link
        self._is_detached = False

    def __repr__(self) -> str:
        return f"<VideoRoomHandle {self.role or 'new'}>"

    def is_synchronous(self, body: Json) -> bool:
        """Whether the answer is the reply itself: all but what joins and what moves media."""
        return not isinstance(body, dict) or body.get("request") not in ASYNCHRONOUS

    async def message(self, body: Json, jsep: Json | None) -> Answer:
        """Answer one message.

        Raises:
            PluginError: It is refused.
        """
        request = request_of(body)
        if self._is_detached:
            raise PluginError(UNKNOWN_ERROR, "The handle is gone")
        if request in REQUESTS:
            if request == "create":
                self._check_may_create(body)
            return Answer(await administrate(self._plugin, request, body))
        if request not in ASYNCHRONOUS:
            raise PluginError(INVALID_REQUEST, f"Unknown request '{request}'")
        if isinstance(self.role, Subscriber):
            return await self.role.message(request, body, jsep)
        if isinstance(self.role, Publisher):
            if request in ("join", "joinandconfigure"):
                is_in = self.role.room.participants.get(self.role.id) is self.role
                words = "Already in as a publisher on this handle"
                raise PluginError(
                    ALREADY_JOINED, words if is_in else "Not in a room (create a new handle)"
                )
            return await self.role.message(request, body, jsep)
        if request not in ("join", "joinandconfigure"):
            raise PluginError(JOIN_FIRST, "Invalid request on unconfigured participant")
        return await self._join(request, body, jsep)

    def _check_may_create(self, body: Json) -> None:
        """Rooms are made by the server's owner, or by whoever has the key for it.

        Raises:
            PluginError: Somebody else asks (433), or for a room that is there already (427).
        """
        if self._link.is_owner or self._plugin.options.admin_key:
            return
        room_id = optional_id(body, "room")
        if room_id is not None and self._plugin.has_room(room_id):
            raise PluginError(ROOM_EXISTS, f"Room {room_id} already exists")
        raise PluginError(UNAUTHORIZED, "Unauthorized (rooms are made by the server's owner only)")

    async def _join(self, request: str, body: Json, jsep: Json | None) -> Answer:
        room = self._plugin.room(required_id(body, "room"))
        check_secret(room.settings.pin, body, "pin")
        kind = text(body, "ptype")
        if kind is None:
            if request == "join":
                raise missing("ptype")
            kind = "publisher"
        if kind == "subscriber" and request == "join":
            if jsep is not None:
                raise PluginError(INVALID_REQUEST, "Can't send an offer to create subscribers")
            if len(room.subscribers) >= self._plugin.options.max_subscribers:
                raise PluginError(INVALID_REQUEST, "Too many subscribers in this room")
            subscriber = Subscriber(self._plugin, room, self._link, body)
            answer = await subscriber.join(body)
            if self._is_detached:
                await subscriber.close()
            self.role = subscriber
            return answer
        if kind != "publisher":
            raise PluginError(INVALID_ELEMENT, "Invalid element (ptype)")
        return await self._join_as_publisher(request, body, jsep)

    async def _join_as_publisher(self, request: str, body: Json, jsep: Json | None) -> Answer:
        room = self._plugin.room(required_id(body, "room"))
        id_ = optional_id(body, "id")
        names = room.names_for(text(body, "token"), id_, text(body, "display", MAX_NAME))
        if id_ is not None and id_ in room.participants:
            raise PluginError(ID_EXISTS, f"User ID {id_} already exists")
        if len(room.participants) >= self._plugin.options.max_participants:
            raise PluginError(INVALID_REQUEST, "Too many participants in this room")
        if id_ is None:
            id_ = room.new_participant_id()
        publisher = Publisher(self._plugin, room, self._link, id_, body, names)
        told: Json = {
            "videoroom": "joined",
            "room": room.id,
            "description": room.settings.description,
            "id": publisher.id,
            "private_id": publisher.private_id,
            "publishers": [one.shown() for one in room.active],
        }
        if room.settings.notify_joining:
            passive = [one for one in room.participants.values() if not one.is_active]
            told["attendees"] = [one.introduced() for one in passive]
        room.participants[publisher.id] = publisher
        self.role = publisher
        if room.settings.notify_joining:
            joining = {"videoroom": "event", "room": room.id, "joining": publisher.introduced()}
            room.tell(joining, but=publisher)
        if request == "join":
            return Answer(told)
        try:
            answer = await publisher.configure("publish", body, jsep)
        except PluginError:
            self.role = None
            await publisher.leave()
            raise
        return Answer({**answer.data, **told}, answer.jsep)

    async def trickle(self, candidates: list[Json | None]) -> None:
        """Take candidates of the client; unusable ones are passed over."""
        peer = self.role.peer if self.role else None
        if peer is None:
            return
        for one in candidates:
            if not isinstance(one, dict) or not isinstance(one.get("candidate"), str):
                continue  # the end of candidates: nothing waits for it
            mid, index = one.get("sdpMid"), one.get("sdpMLineIndex")
            await peer.add_candidate(
                one["candidate"],
                mid if isinstance(mid, str) else None,
                index if isinstance(index, int) else None,
            )

    async def hangup(self) -> None:
        """The client hung up: its connection is closed, a participant stays in the room."""
        if isinstance(self.role, Publisher):
            await self.role.unpublish()
        elif self.role:
            await self.role.close()

    async def detach(self) -> None:
        """The handle is gone: leave. May be called again."""
        self._is_detached = True
        self._plugin.forget(self)
        if isinstance(self.role, Publisher):
            await self.role.leave()
        elif self.role:
            await self.role.close()

    def info(self) -> Json:
        """What there is to see of it: its role, its room, what came and left."""
        if self.role is None:
            return {"type": "none"}
        kind = "publisher" if isinstance(self.role, Publisher) else "subscriber"
        peer = self.role.peer
        state = peer.state.value if peer else None
        return {"type": kind, "room": self.role.room.id, "peer": state} | self.role.count()
