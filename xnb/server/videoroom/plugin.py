"""The videoroom plugin: its rooms, its handles, and what the server itself asks of it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import traceback
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any

from ..janus.plugin import HandleLink, Json, PluginError
from .handle import VideoRoomHandle
from .options import VideoRoomOptions
from .requests import INVALID_REQUEST, NO_SUCH_ROOM, ROOM_EXISTS, Id
from .room import Room
from .settings import RoomSettings, bitrate, codec_list

_log = logging.getLogger(__name__)


class VideoRoom:
    """The videoroom plugin of the embedded Janus API (Janus documentation, "VideoRoom").

    Packets are forwarded, nothing is decoded. Ids of rooms and participants are numbers, as in
    stock Janus, or strings, as with its ``string_ids``.

    Args:
        options: Limits and behaviour.

    Attributes:
        rooms: By id.

    Example:
        >>> plugin = VideoRoom()
        >>> plugin.create_room(1234, pin="open sesame", video_codecs=("vp8", "h264"))
        1234
    """

    package = "janus.plugin.videoroom"

    def __init__(self, options: VideoRoomOptions | None = None) -> None:
        self.options = options or VideoRoomOptions()
        self.rooms: dict[Id, Room] = {}
        self._handles: set[VideoRoomHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<VideoRoom {len(self.rooms)} rooms, {len(self._handles)} handles>"

    # The core

    def attach(self, link: HandleLink) -> VideoRoomHandle:
        """Begin with a new handle."""
        handle = VideoRoomHandle(self, link)
        self._handles.add(handle)
        return handle

    def forget(self, handle: VideoRoomHandle) -> None:
        """A handle is gone."""
        self._handles.discard(handle)

    async def close(self) -> None:
        """Close every room and connection. May be called again."""
        for room in tuple(self.rooms.values()):
            await self.destroy(room)
        await asyncio.gather(*(handle.detach() for handle in tuple(self._handles)))
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def soon(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that nobody needs to wait for; what fails is logged."""
        task = asyncio.ensure_future(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except PluginError as error:
            _log.warning("Refused: %s", error.reason)
        except Exception as error:
            # Only places, not messages or values: those may hold pins or SDP.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.error("Work for a room raised %s\n%s", type(error).__name__, places)

    # Rooms

    def room(self, room_id: Id) -> Room:
        """The room with this id.

        Raises:
            PluginError: There is none (426).
        """
        room = self.rooms.get(room_id)
        if room is None:
            raise PluginError(NO_SUCH_ROOM, f"No such room ({room_id})")
        return room

    def add_room(
        self,
        room_id: Id | None,
        settings: RoomSettings,
        allowed: Mapping[str, Collection[str]] | None,
    ) -> Room:
        """Make a room.

        Args:
            room_id: ``None`` makes a number up.
            settings: Its properties.
            allowed: Tokens that may join, as for :class:`~xnb.server.videoroom.room.Room`.

        Raises:
            PluginError: It exists already (427), or there are too many (423).
        """
        if room_id is not None and room_id in self.rooms:
            raise PluginError(ROOM_EXISTS, f"Room {room_id} already exists")
        if len(self.rooms) >= self.options.max_rooms:
            raise PluginError(INVALID_REQUEST, "Too many rooms on this server")
        while room_id is None or room_id in self.rooms:
            room_id = secrets.randbits(52) + 1
        room = self.rooms[room_id] = Room(room_id, settings, allowed)
        return room

    async def destroy(self, room: Room) -> None:
        """Destroy a room: everybody in it is told, all connections are closed."""
        if room.is_destroyed:
            return
        room.is_destroyed = True
        self.rooms.pop(room.id, None)
        room.tell({"videoroom": "destroyed", "room": room.id})
        participants = tuple(room.participants.values())
        subscribers = tuple(room.subscribers)
        room.participants.clear()
        for subscriber in subscribers:
            subscriber.link.hangup("Close PC")
        for participant in participants:
            if participant.peer:
                participant.link.hangup("Close PC")
        await asyncio.gather(
            *(one.close() for one in subscribers), *(one.unpublish() for one in participants)
        )

    # What the server itself asks, in the same process

    def create_room(
        self,
        room: Id,
        *,
        pin: str | None = None,
        secret: str | None = None,
        publishers: int = 8,
        video_codecs: Sequence[str] = ("vp8", "h264"),
        bitrate_bps: int = 0,
        is_private: bool = True,
        require_pvtid: bool = False,
        allowed: Mapping[str, Collection[str]] | None = None,
        record: bool = False,
        rec_dir: str | None = None,
        lock_record: bool = False,
        description: str = "",
        notify_joining: bool = True,
        audiolevel_event: bool = True,
        audio_active_packets: int = 20,
        audio_level_average: int = 40,
    ) -> Id:
        """Create a room; see :class:`~xnb.server.videoroom.settings.RoomSettings`.

        With ``allowed``, joining takes one of its tokens; each has the names of whose it is, as
        for :meth:`allow`. ``None`` lets in whoever knows the pin.

        Raises:
            PluginError: It exists already (427), or a codec is unknown (430).
        """
        settings = RoomSettings(
            description=description,
            secret=secret,
            pin=pin,
            is_private=is_private,
            require_pvtid=require_pvtid,
            publishers=publishers,
            bitrate_bps=bitrate(bitrate_bps),
            bitrate_cap=bitrate_bps > 0,
            video_codecs=codec_list(",".join(video_codecs), "videocodec"),
            audiolevel_event=audiolevel_event,
            audio_active_packets=audio_active_packets,
            audio_level_average=audio_level_average,
            notify_joining=notify_joining,
            record=record,
            rec_dir=rec_dir,
            lock_record=lock_record,
        )
        return self.add_room(room, settings, allowed).id

    def has_room(self, room: Id) -> bool:
        """Whether there is a room with this id."""
        return room in self.rooms

    def allow(self, room: Id, token: str, names: Collection[str] = ()) -> None:
        """Let in who has this token, too. Nothing happens when there is no such room.

        Args:
            room: Its id.
            token: What joining takes, in a room that was created with ``allowed``.
            names: What its owner may be called, now and later: as display, and as id where the
                client chooses that. At most two participants may be in with it at a time. Empty
                lets anybody in with it, under any name.
        """
        found = self.rooms.get(room)
        if found:
            found.allow(token, names)

    def disallow(self, room: Id, token: str) -> None:
        """Let nobody in with this token any more; who is in stays in."""
        found = self.rooms.get(room)
        if found:
            found.allowed.pop(token, None)

    async def put_out(self, room: Id, token: str) -> None:
        """Let nobody in with this token any more, and kick everybody who came in with it.

        All of that is done at once, also for who is cancelled while the connections close.
        """
        self.disallow(room, token)
        found = self.rooms.get(room)
        people = tuple(found.participants.values()) if found else ()
        closing = [one.put_out() for one in people if one.token == token]
        if closing:
            await asyncio.wait(closing)

    async def destroy_room(self, room: Id) -> None:
        """Destroy a room. Nothing happens when there is none."""
        found = self.rooms.get(room)
        if found:
            await self.destroy(found)

    async def kick(self, room: Id, participant: Id) -> None:
        """Put a participant out. Nothing happens when it is not there."""
        found = self.rooms.get(room)
        publisher = found.participants.get(participant) if found else None
        if publisher:
            await publisher.kick()

    def counts(self) -> list[Json]:
        """Packets and bytes in and out, for each room, feed and subscriber.

        Returns:
            For each room ``room``, ``feeds`` (``id``, ``display``, ``streams`` with ``mid``,
            ``type``, ``codec``, ``packets``, ``bytes``, ``lost``) and ``subscribers``
            (``handle``, ``streams`` with ``mid``, ``feed``, ``packets``, ``bytes``,
            ``retransmitted``).
        """
        return [room.count() for room in self.rooms.values()]
