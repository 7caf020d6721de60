"""Group calls: create, publish, invite, join, negotiate, leave, end (PROTOCOL C1, C2).

Members are users; the HTTP layer and the bots use the same methods. The media go through a room
of an SFU, which :class:`~xnb.server.janus.rooms.Rooms` opens and closes; this is the list of who
may be in it. Everything runs on one event loop, so a method without ``await`` is atomic.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..auth import Caller
from ..directory import Directory, User
from ..janus.rooms import Rooms
from ..notices import Notices
from ..options import ServerOptions
from ..refusal import Refusal, conflict, malformed
from .members import OK, SpaceMembers
from .requests import AboutMember, CallMembers, PublishSpace
from .rooms import way_in
from .session import SpaceState
from .space import Space, SpaceEnd

_log = logging.getLogger(__name__)

_SWEEP_S = 0.5


class AudioSpaces(SpaceMembers):
    """All group calls of one server.

    Args:
        directory: The accounts.
        rooms: Where the media rooms are.
        options: Limits.
        notices: Where people are told of their calls.
        clock: Monotonic seconds.

    Attributes:
        on_bot_invited: Called with the call and the bot when a bot is invited.
    """

    def __init__(
        self,
        directory: Directory,
        rooms: Rooms,
        options: ServerOptions,
        *,
        notices: Notices,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(rooms, options, clock=clock)
        self.on_bot_invited: Callable[[Space, User], None] | None = None
        self._directory = directory
        self._notices = notices

    async def create(
        self, caller: Caller, call: CallMembers, *, title: str = "", base_url: str
    ) -> dict[str, Any]:
        """Make a group call and its media room; nobody else knows of it yet.

        Raises:
            Refusal: 403 ``gated``; 429 too many live calls; 503 no media room can be had.
        """
        user = caller.user
        if user.handle.lower() in self.options.gated:
            raise Refusal(
                403,
                "gated",
                "This account may not host group calls yet.",
                "Such calls are opened to accounts step by step; here the server was told to "
                "gate this handle.",
            )
        self._list.require_room_for(user)
        space = Space(
            user,
            self.options,
            self._clock(),
            device=caller.device,
            audio_only=call.audio_only,
            video_codec=call.video_codec,
            title=title,
            conversation_id=call.conversation_id,
            max_people=call.max_participants,
            base_url=base_url,
        )
        self._list.add(space)
        try:
            await self._rooms.open(space, self.options.room_bitrate_bps)
            place = await self._rooms.place(space, user, base_url)
        except BaseException:
            self._end(space, SpaceEnd.TIMED_OUT)
            raise
        return {
            "broadcast": {
                "id": space.id,
                "user_id": user.periscope_id,
                "twitter_id": str(user.id),
                "media_key": space.id,
            },
            **way_in(place, "credential", is_host=True),
            "session_uuid": space.host_session.uuid,
            "access_token": space.access_token(user),
            "endpoint": "",
            "share_url": "",
            "stream_url": "",
        }

    def publish(self, caller: Caller, body: PublishSpace) -> dict[str, Any]:
        """Open the call to those who are invited: the host is in the room and sends.

        Raises:
            Refusal: 400 without the Janus ids, or with those of another room; 403 not the host;
                410 it is over.
        """
        space = self._hosted(caller, body.broadcast_id)
        space.require_live()
        ids = (
            body.janus_publisher_id,
            body.janus_room_id,
            body.webrtc_handle_id,
            body.webrtc_session_id,
        )
        if any(one in (None, "", 0) for one in ids):
            raise malformed(
                "The Janus ids of the host are missing.",
                "Join the room as a publisher first, then send janus_publisher_id, "
                "janus_room_id, webrtc_handle_id and webrtc_session_id.",
            )
        if str(body.janus_room_id) != str(space.room):
            raise malformed("janus_room_id is not the room of this call.", "Use the room given.")
        space.publish(body.status or "", self._clock())
        self.invite(caller, space.id, body.invitees_twitter or [])
        return {**OK, "broadcast": {"id": space.id}}

    def invite(
        self,
        caller: Caller,
        broadcast_id: str,
        user_ids: Sequence[int],
        chat_token: str | None = None,
    ) -> dict[str, Any]:
        """Let these people in and tell them. A second time changes nothing.

        Raises:
            Refusal: 403 not the host; 404 unknown user; 409 not published; 410 it is over;
                429 too many people.
        """
        space = self._hosted(caller, broadcast_id, chat_token)
        space.require_live()
        users = [self._directory.by_id(user_id) for user_id in user_ids]
        if not space.published:
            raise conflict("not_published", "The call is not published.", "Publish it first.")
        now_s = self._clock()
        for user in users:
            if not space.invite(user, now_s):
                continue
            if not user.is_bot:
                self._notices.tell(user, space)
            elif self.on_bot_invited:
                self.on_bot_invited(space, user)
        return dict(OK)

    async def reconnect_host(
        self, caller: Caller, broadcast_id: str, *, base_url: str
    ) -> dict[str, Any]:
        """The way back for a host whose connection broke.

        From another login, the old one's place in the room is freed, and others are told that
        the host is coming back until it sends.

        Raises:
            Refusal: 403 not the host; 410 it is over; 503 no media room can be had.
        """
        space = self._hosted(caller, broadcast_id)
        space.require_live()
        old_uuid = space.host_session.uuid
        session, is_new = space.host_returns(caller.device, self._clock())
        if is_new:
            self._list.replaced(old_uuid)
            self._list.index(space, session)
            await self._rooms.free(space, caller.user)
        place = await self._rooms.place(space, caller.user, base_url)
        return {
            **way_in(place, "credential", is_host=True),
            "session_uuid": session.uuid,
        }

    async def remove(self, caller: Caller, whom: AboutMember) -> dict[str, Any]:
        """Put somebody out, who can come back only when invited again.

        Raises:
            Refusal: 403 not the host; 404 nobody of that call; 400 the host itself.
        """
        space, session = self._member(caller, whom)
        space.require_host(caller.user)
        space.require_live()
        if session is space.host_session:
            raise malformed("The host cannot remove itself.", "End the call instead.")
        session.finish(SpaceState.STREAM_EJECTED, "REMOVED")
        await self._rooms.put_out(space, session.user)
        return dict(OK)

    def end(
        self, caller: Caller, broadcast_id: str, chat_token: str | None = None
    ) -> dict[str, Any]:
        """End the call for everybody. Ending a call that is over is fine."""
        space = self._hosted(caller, broadcast_id, chat_token)
        self._end(space, SpaceEnd.HUNG_UP)
        return dict(OK)

    def _hosted(self, caller: Caller, broadcast_id: str, chat_token: str | None = None) -> Space:
        space = self._list.find(broadcast_id)
        space.require_host(caller.user)
        space.check_chat(caller.user, chat_token)
        self._touch(space, caller)
        return space

    # Time

    def sweep(self) -> None:
        """Drop those who have gone, end what is over, forget what ended long ago."""
        now_s = self._clock()
        for space in self._list.live:
            for user in space.check(now_s, has_presence=self._rooms.has_presence):
                self._rooms.put_out_soon(space, user)
            if not space.is_live:
                self._retire(space)
        self._list.sweep(now_s)

    async def run(self) -> None:
        """Sweep twice a second until cancelled, and look now and then who is in the rooms."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            try:
                self._rooms.look(self._list.live)
                self.sweep()
            except Exception as error:  # the server outlives any one call
                _log.error("Sweeping the group calls raised %s.", type(error).__name__)

    async def close(self) -> None:
        """End all group calls. May be called again."""
        for space in self._list.live:
            self._end(space, SpaceEnd.HUNG_UP)
        await self._rooms.close()
