"""What those in a group call may do: join, negotiate, send, mute, leave, ask (PROTOCOL C2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..auth import Caller
from ..directory import User
from ..janus.rooms import Rooms
from ..options import ServerOptions
from ..refusal import Refusal, conflict, malformed
from .listing import SpaceList
from .requests import AboutMember
from .rooms import SpaceRooms, way_in
from .session import SpaceSession, SpaceState
from .space import Space, SpaceEnd

OK = {"success": True}


class SpaceMembers:
    """The members' side of all group calls.

    :class:`~xnb.server.audiospace.AudioSpaces` adds the host's.

    Args:
        rooms: Where the media rooms are.
        options: Limits.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        rooms: Rooms,
        options: ServerOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self._rooms = SpaceRooms(rooms, clock)
        self._clock = clock
        self._list = SpaceList(options)

    @property
    def live_count(self) -> int:
        """Group calls that have not ended."""
        return len(self._list.live)

    def is_busy(self, user: User) -> bool:
        """Whether the user is in a live group call, or invited to one."""
        return any(user.id in space.sessions for space in self._list.live)

    def access_chat(self, caller: Caller, chat_token: str) -> dict[str, Any]:
        """The access token for a chat token that came with a notice. Raises Refusal 403, 404."""
        for space in self._list.live:
            if space.chat_token == chat_token:
                space.require_invited(caller.user)
                return {
                    "access_token": space.access_token(caller.user),
                    "room_id": space.id,
                    "endpoint": "",
                    "read_only": True,
                }
        raise Refusal(
            404,
            "unknown_broadcast",
            "There is no live call with that chat token.",
            "It may have ended; the notice of a call holds its chat token.",
        )

    async def join(
        self, caller: Caller, broadcast_id: str, chat_token: str | None = None
    ) -> dict[str, Any]:
        """Join as one who is invited.

        A second login of the same user takes the place of the first.

        Raises:
            Refusal: 403 not invited, removed, or the host; 404 unknown; 409 full; 410 it is over.
        """
        space = self._list.find(broadcast_id)
        space.require_live()
        space.require_invited(caller.user)
        space.check_chat(caller.user, chat_token)
        if caller.user.id == space.host.id:
            raise Refusal(
                403,
                "is_the_host",
                "The host is in its own call already.",
                "Come back with reconnectHost.",
            )
        old_uuid = space.sessions[caller.user.id].uuid
        session, replaces = space.admit(caller.user, caller.device, self._clock())
        if old_uuid != session.uuid:
            self._list.replaced(old_uuid)
        self._list.index(space, session)
        if replaces:
            await self._rooms.free(space, caller.user)
        return {"session_uuid": session.uuid, "can_auto_join": True, "xnb_call": space.call()}

    def decline(
        self, caller: Caller, broadcast_id: str, reason: str | None = None
    ) -> dict[str, Any]:
        """Say no to an invitation. Raises Refusal 403 for somebody who has none."""
        space = self._list.find(broadcast_id)
        space.require_invited(caller.user)
        if space.is_live:
            space.decline(caller.user, reason)
        return dict(OK)

    async def negotiate(
        self, caller: Caller, session_uuid: str, *, base_url: str, restart: bool = False
    ) -> dict[str, Any]:
        """The way into the room as it is now, with a fresh token.

        Args:
            caller: Who asks.
            session_uuid: Their session.
            base_url: How they reach this server.
            restart: Free their old place in the room first, whose connection is dead.

        Raises:
            Refusal: 404 no such session; 409 it is over, join again; 403 removed; 410 the call
                is over; 503 no media room can be had.
        """
        space, session = self._in_call(caller, session_uuid)
        if session.state is SpaceState.INVITATION_ACCEPTED:
            session.set(SpaceState.STREAM_NEGOTIATED)
        if restart:
            await self._rooms.free(space, caller.user)
            self._in_call(caller, session_uuid)  # the host may have removed them meanwhile
        place = await self._rooms.place(space, caller.user, base_url)
        try:
            self._in_call(caller, session_uuid)
        except Refusal:
            await self._rooms.put_out(space, caller.user)  # takes away what was just given
            raise
        return way_in(place, "janus_jwt", is_host=session is space.host_session)

    def stream_publish(self, caller: Caller, session_uuid: str) -> dict[str, Any]:
        """This one sends now. Raises Refusal as :meth:`negotiate`."""
        space, session = self._in_call(caller, session_uuid)
        if session is space.host_session:
            space.host_publishes()
        else:
            session.set(SpaceState.STREAM_PUBLISHED)
        return dict(OK)

    def stream_end(self, caller: Caller, session_uuid: str) -> dict[str, Any]:
        """Leave; when the host leaves, the call is over for everybody. Leaving twice is fine."""
        space = self._space_of(caller, session_uuid)
        session = space.sessions[caller.user.id]
        if session.uuid == session_uuid and session.is_active:
            if session is space.host_session:
                self._end(space, SpaceEnd.HUNG_UP)
            else:
                session.finish(SpaceState.STREAM_ENDED, SpaceEnd.HUNG_UP)
        return dict(OK)

    def set_muted(self, caller: Caller, whom: AboutMember, muted: bool) -> dict[str, Any]:
        """Note that somebody is muted or not: by the host, or by themselves.

        Raises:
            Refusal: 403 somebody else's, and not the host; 404 nobody of that call; 410 over.
        """
        space, session = self._member(caller, whom)
        space.require_live()
        if session.user.id == caller.user.id:
            session.is_muted_by_guest = muted
        else:
            space.require_host(caller.user)
            session.is_muted_by_admin = muted
        return dict(OK)

    def status(
        self,
        caller: Caller,
        broadcast_id: str,
        *,
        inactive: bool = True,
        chat_token: str | None = None,
    ) -> dict[str, Any]:
        """How the call stands, for those who are or were in it or invited. Raises Refusal 403."""
        space = self._list.find(broadcast_id)
        if caller.user.id not in space.sessions:
            space.require_invited(caller.user)
        space.check_chat(caller.user, chat_token)
        self._touch(space, caller)
        return space.public(inactive=inactive)

    def _end(self, space: Space, reason: SpaceEnd) -> None:
        if space.is_live:
            space.end(reason, self._clock())
            self._retire(space)

    def _retire(self, space: Space) -> None:
        self._list.retire(space)
        self._rooms.close_soon(space)

    def _touch(self, space: Space, caller: Caller) -> None:
        # Another login of the same user is no sign that the one in the call is there.
        session = space.sessions.get(caller.user.id)
        if session is not None and session.device == caller.device:
            space.touch(caller.user, self._clock())

    def _space_of(self, caller: Caller, session_uuid: str) -> Space:
        space = self._list.of_session(caller, session_uuid)
        self._touch(space, caller)
        return space

    def _in_call(self, caller: Caller, session_uuid: str) -> tuple[Space, SpaceSession]:
        space = self._space_of(caller, session_uuid)
        space.require_live()
        session = space.require_invited(caller.user)
        if session.uuid != session_uuid or not session.is_active:
            raise conflict(
                "session_over", "This session has left the call.", "Join the call again."
            )
        return space, session

    def _member(self, caller: Caller, whom: AboutMember) -> tuple[Space, SpaceSession]:
        """Whom a request about a member means; the caller when it names nobody."""
        space = self._list.by_session(whom.session_uuid or "")
        if whom.broadcast_id:
            space = self._list.find(whom.broadcast_id)
        if space is None:
            raise malformed("Neither a broadcast nor a session of one is given.")
        space.require_invited(caller.user)
        space.check_chat(caller.user, whom.chat_token)
        self._touch(space, caller)
        user_id = whom.twitter_user_id
        if user_id is None and not whom.session_uuid:
            user_id = caller.user.id
        for session in space.sessions.values():
            if session.user.id == user_id or session.uuid == whom.session_uuid:
                return space, session
        raise Refusal(
            404, "unknown_member", "Nobody like that is in the call.", "See its status for who is."
        )
