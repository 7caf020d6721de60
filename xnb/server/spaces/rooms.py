"""The media rooms of group calls: opened, found, emptied and closed, each within a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol, TypeVar, runtime_checkable

from ...errors import SfuError
from ..directory import User
from ..janus.rooms import Place, Rooms
from ..refusal import Refusal
from .space import Space, names_in_room

_log = logging.getLogger(__name__)
T = TypeVar("T")

_ROOM_S = 10.0
_CLOSE_S = 2.0
_PRESENCE_S = 3.0


@runtime_checkable
class Presence(Protocol):
    """Rooms that can tell who is in them."""

    async def present(self, broadcast_id: str) -> frozenset[str]:
        """The display names of those who are in the room; see :func:`names_in_room`.

        Raises:
            SfuError: It cannot be told now.
        """
        ...


class SpaceRooms:
    """What group calls do with :class:`~xnb.server.janus.rooms.Rooms`.

    Args:
        rooms: Where the rooms are.
        clock: Monotonic seconds.
    """

    def __init__(self, rooms: Rooms, clock: Callable[[], float] = time.monotonic) -> None:
        self._rooms = rooms
        self._clock = clock
        self._presence = rooms if isinstance(rooms, Presence) else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking: set[str] = set()
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

    async def place(self, space: Space, user: User, base_url: str) -> Place:
        """Where the room is now. Raises Refusal 503 when no SFU has it or takes it."""
        asking = self._rooms.place(
            space.id, str(user.id), names=names_in_room(user), base_url=base_url
        )
        place = await _in_time(asking)
        space.room = place.room
        return place

    async def put_out(self, space: Space, user: User) -> None:
        """Put somebody out who is not in the call, and close the room to the ticket they had.

        Nothing happens when they have joined again meanwhile. It goes on when whoever waits for
        it is cancelled. Trouble with the SFU is logged and no more; :meth:`look` makes it good.
        """
        await asyncio.shield(self.put_out_soon(space, user))

    def put_out_soon(self, space: Space, user: User) -> asyncio.Task[None]:
        """The same, in the background."""
        return self._spawn(self._put_out(space, user))

    async def free(self, space: Space, user: User) -> None:
        """Put out the old connections of somebody who is in the call and comes anew.

        The ticket they had is good no more. Otherwise as :meth:`put_out`.
        """
        await asyncio.shield(self._spawn(self._kick(space, user)))

    async def _put_out(self, space: Space, user: User) -> None:
        session = space.sessions.get(user.id)
        if session is None or not session.is_active:
            await self._kick(space, user)

    async def _kick(self, space: Space, user: User) -> None:
        names = names_in_room(user)
        await _or_log(
            self._rooms.kick(space.id, str(user.id), names=names, keep=space.welcome),
            "did not put somebody out",
        )

    def close_soon(self, space: Space) -> None:
        """Destroy the room, in the background."""
        self._spawn(self._close_room(space))

    async def _close_room(self, space: Space) -> None:
        await _or_log(self._rooms.close_room(space.id), "did not close")

    def look(self, spaces: Iterable[Space]) -> None:
        """Every few seconds note who is in the rooms, and put out who has no business there.

        Runs in the background, for each call by itself: none waits for another one's SFU.
        """
        now_s = self._clock()
        if self._presence is None or (
            self._looked_s is not None and now_s - self._looked_s < _PRESENCE_S
        ):
            return
        self._looked_s = now_s
        for space in spaces:
            if space.id not in self._looking:
                self._looking.add(space.id)
                self._spawn(self._look(self._presence, space))

    async def _look(self, presence: Presence, space: Space) -> None:
        try:
            await self._look_into(presence, space)
        finally:
            self._looking.discard(space.id)

    async def _look_into(self, presence: Presence, space: Space) -> None:
        try:
            async with asyncio.timeout(_ROOM_S):
                present = await presence.present(space.id)
        except (SfuError, TimeoutError, KeyError):
            # Not knowing is no reason to drop anybody.
            present = space.welcome()
        now_s = self._clock()
        for session in space.active():
            if names_in_room(session.user) & present:
                space.touch(session.user, now_s)
        if not space.is_live:
            return
        strange = present - space.welcome()
        for session in tuple(space.sessions.values()):
            if names_in_room(session.user) & strange:
                strange -= names_in_room(session.user)
                await self.put_out(space, session.user)
        if strange:
            putting_out = self._rooms.put_out_others(space.id, keep=space.welcome)
            await _or_log(putting_out, "did not put a stranger out")

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


def way_in(place: Place, token_name: str, *, is_host: bool) -> dict[str, Any]:
    """The members of a reply that tell where the room is.

    Args:
        place: The room.
        token_name: ``credential`` or ``janus_jwt`` (PROTOCOL C1, C2).
        is_host: Whether the room's secret is told as well.
    """
    room = {
        "room": place.room,
        "pin": place.pin,
        "ticket": place.ticket,
        "dialect": place.dialect,
    }
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


async def _or_log(asking: Coroutine[Any, Any, None], what: str) -> None:
    """Do it within the time; of trouble only the kind is logged, its words may be secret."""
    try:
        async with asyncio.timeout(_ROOM_S):
            await asking
    except (SfuError, TimeoutError, KeyError) as error:
        _log.warning("A media room %s: %s.", what, type(error).__name__)
