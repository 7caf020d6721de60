"""The media rooms of group calls: opened, found, emptied and closed, each within a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol, TypeVar, runtime_checkable

from ...errors import SfuError
from ..broadcast import wall_ms
from ..directory import User
from ..janus.rooms import Place, Rooms
from ..refusal import Refusal
from .session import SpaceSession, SpaceState
from .space import Space

_log = logging.getLogger(__name__)
T = TypeVar("T")

_ROOM_S = 10.0
_CLOSE_S = 2.0
_PRESENCE_S = 3.0
# Who leaves is out of the room by itself by then, unless the connection to it was dead.
_LEAVING_MS = 2000


@runtime_checkable
class Presence(Protocol):
    """Rooms that can tell who is in them."""

    async def present(self, broadcast_id: str) -> frozenset[str]:
        """The display names of those who are in the room; see :meth:`Space.name_in_room`.

        Raises:
            SfuError: It cannot be told now.
        """
        ...


class SpaceRooms:
    """What group calls do with :class:`~xnb.server.janus.rooms.Rooms`.

    Args:
        rooms: Where the rooms are.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._presence = rooms if isinstance(rooms, Presence) else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._looked_s: float | None = None

    @property
    def has_presence(self) -> bool:
        """Whether the rooms tell who is in them."""
        return self._presence is not None

    async def open(self, space: Space, bitrate_bps: int) -> None:
        """Make the room. Raises Refusal 503 when no SFU will."""
        await _in_time(
            self._rooms.open(
                space.id,
                publishers=space.max_people,
                video_codec=space.video_codec,
                bitrate_bps=bitrate_bps,
            )
        )

    async def place(self, space: Space, base_url: str) -> Place:
        """Where the room is now. Raises Refusal 503 when no SFU has it or takes it."""
        place = await _in_time(self._rooms.place(space.id, base_url=base_url))
        space.room, space.dialect = place.room, place.dialect
        return place

    async def put_out(self, space: Space, user: User) -> None:
        """Free somebody's place in the room. Trouble with the SFU is logged and no more."""
        try:
            async with asyncio.timeout(_ROOM_S):
                await self._rooms.kick(space.id, space.name_in_room(user))
        except (SfuError, TimeoutError, KeyError) as error:
            _log.warning("A media room did not put somebody out: %s.", type(error).__name__)

    def put_out_soon(self, space: Space, user: User) -> None:
        """The same, in the background."""
        self._spawn(self.put_out(space, user))

    def close_soon(self, space: Space) -> None:
        """Destroy the room, in the background."""
        self._spawn(self._close_room(space))

    async def _close_room(self, space: Space) -> None:
        try:
            async with asyncio.timeout(_ROOM_S):
                await self._rooms.close_room(space.id)
        except (SfuError, TimeoutError, KeyError) as error:
            _log.warning("A media room did not close: %s.", type(error).__name__)

    def look(self, spaces: Iterable[Space], now_s: float) -> None:
        """Note who is in the rooms, every few seconds, in the background."""
        if self._presence is None or (self._looking and not self._looking.done()):
            return
        if self._looked_s is None or now_s - self._looked_s >= _PRESENCE_S:
            self._looked_s = now_s
            self._looking = self._spawn(self._look(self._presence, tuple(spaces), now_s))

    async def _look(self, presence: Presence, spaces: tuple[Space, ...], now_s: float) -> None:
        for space in spaces:
            try:
                async with asyncio.timeout(_ROOM_S):
                    present = await presence.present(space.id)
            except (SfuError, TimeoutError, KeyError):
                # Not knowing is no reason to drop anybody.
                present = frozenset(space.name_in_room(one.user) for one in space.active())
            for session in tuple(space.sessions.values()):
                if space.name_in_room(session.user) not in present:
                    continue
                if session.is_active:
                    space.touch(session.user, now_s)
                elif _has_no_place(session):
                    await self.put_out(space, session.user)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name="xnb group call room")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Wait a little for what is under way. May be called again."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=_CLOSE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _has_no_place(session: SpaceSession) -> bool:
    """Whether somebody who is in the room should not be there."""
    if session.state is SpaceState.STREAM_EJECTED:
        return True
    ended_at = session.ended_at if session.state is SpaceState.STREAM_ENDED else None
    return ended_at is not None and wall_ms() - ended_at > _LEAVING_MS


def way_in(place: Place, token_name: str, *, is_host: bool) -> dict[str, Any]:
    """The members of a reply that tell where the room is.

    Args:
        place: The room.
        token_name: ``credential`` or ``janus_jwt`` (PROTOCOL C1, C2).
        is_host: Whether the room's secret is told as well.
    """
    room = {"room": place.room, "pin": place.pin, "dialect": place.dialect}
    if is_host:
        room["secret"] = place.secret
    return {
        token_name: place.token or "",
        "webrtc_gw_url": place.url,
        "room_id": place.room,
        "stream_name": str(place.room),
        "xnb_room": room,
    }


async def _in_time(asking: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(_ROOM_S):
            return await asking
    except (SfuError, TimeoutError, KeyError) as error:
        _log.warning("No media room for a group call: %s.", type(error).__name__)
    raise Refusal(
        503,
        "no_room",
        "No media server has a room for the group call now.",
        "Try again in a few seconds; the server's log says what is missing.",
    )
