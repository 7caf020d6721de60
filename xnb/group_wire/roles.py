"""The two ways into a group call: as its host, and as a participant (PROTOCOL C1, C2)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import CallEnded, CallError, NotInvited, SignalingError, Unreachable, XnbError
from ..events import EndReason
from ..signaling.audiospace import Hosted, RoomAccess
from ..signaling.janus import Feed, FeedId, JanusError, JanusSession, RoomAdmin
from ..signaling.messages import User
from .subscription import Subscription, layers_of, sound_of, with_streams
from .wire import GroupWire

if TYPE_CHECKING:
    from ..participants import Participant

NOT_THERE = 428


class HostWire(GroupWire):
    """Starts a group call and ends it for everybody when it leaves.

    Args:
        *args: As for :class:`~xnb.group_wire.wire.GroupWire`.
        invite: Whom to invite: ids, handles, or objects with an ``id``.
        title: What the call is called.
        max_participants: Most people at a time, the host included; ``None`` is the server's
            limit.
    """

    def __init__(
        self,
        *args: Any,
        invite: Sequence[object] = (),
        title: str = "",
        max_participants: int | None = None,
    ) -> None:
        super().__init__(*args)
        self._invite = tuple(invite)
        self._title = title
        self._max_participants = max_participants
        self._creating: asyncio.Future[Hosted] | None = None

    async def connect(self) -> None:
        """Create the call, go into its room, open it and invite; returns when all that is done.

        Raises:
            UnknownUser: Nobody has one of the ids or handles; nothing was created.
            CallGated, Unauthorized, Unreachable, SignalingError: From the server.
            JanusError: From the room.
        """
        call = self._call
        call._stage("bootstrap", "Signing in")
        own = self._own = await self._bootstrap.run()
        call._is_ours(own.user)
        invited = await self._look_up(self._invite)
        call._stage("create", "Creating the group call")
        options = call.options
        self._creating = asyncio.ensure_future(
            self._space.create(
                video=options.video,
                title=self._title,
                conversation_id=options.conversation_id,
                video_codec=options.video_codec or "vp8",
                max_participants=self._max_participants,
            )
        )
        hosted = await asyncio.shield(self._creating)
        self._take(hosted)
        await self._enter(hosted.access)
        if hosted.access.gateway.dialect == "gateway":
            # Such a service wants media to flow before the call is published.
            await self._until_connected()
        await self._open_to_others()
        await self._let_know(invited)
        self._watch()

    def _take(self, hosted: Hosted) -> None:
        self.broadcast_id, self.session_uuid = hosted.broadcast_id, hosted.session_uuid

    async def _look_up(self, people: Sequence[object]) -> list[User]:
        if people:
            self._call._stage("resolve", "Looking up who is invited")
        return list(await asyncio.gather(*(self._bootstrap.resolve(one) for one in people)))

    async def _before_joining(self, session: JanusSession, access: RoomAccess) -> None:
        if self._profile.group.creates_room:
            admin = RoomAdmin(session, access.room, user_id=access.display)
            codec = self._call.options.video_codec or "vp8"
            try:
                await admin.create(video_codecs=(codec,), may_exist=True)
            finally:
                await admin.close()

    async def _open_to_others(self) -> None:
        """Tell the service which room and which stream are ours."""
        session, publisher, access = self._session, self._publisher, self._access
        assert session is not None
        assert publisher is not None
        assert access is not None
        handle = publisher.handle
        await self._space.publish(
            self.broadcast_id,
            session_id=session.id or 0,
            handle_id=handle.id if handle else 0,
            publisher_id=self.people.me,
            room=access.room,
            title=self._title,
        )
        if self._profile.group.host_starts_muted and self._own:
            await self._space.invite(self.broadcast_id, [self._own.user.id])
            await self._space.unmute(self.broadcast_id, self._own.user.id)
        if self.session_uuid:
            await self._space.stream_publish(self.session_uuid)
        if self._profile.group.host_watches_itself:
            self._spawn(self._watch_ourselves())

    async def _watch_ourselves(self) -> None:
        """Subscribe to our own feed; without, such a service ends the room after two minutes."""
        room = self.people.room
        if room is None:
            return
        feed = await with_streams(room, Feed(self.people.me))
        over = asyncio.Event()
        one = Subscription(room, feed, layers_of(feed), "low", "ourselves", over.set)
        try:
            await one.open()
            await over.wait()
        finally:
            await one.close()

    async def invite(self, people: Sequence[object]) -> None:
        """Let more people in, and let them know."""
        await self._let_know(await self._look_up(people))

    async def kick(self, person: Participant) -> None:
        """Put somebody out of the call and of its room.

        The room is asked as well when the service knows nobody like that, or does not answer.

        Raises:
            XnbError: Neither did it; what the service said.
        """
        failure: XnbError | None = None
        try:
            await self._space.remove(self.broadcast_id, person.id)
        except XnbError as error:
            failure = error
        are_out = False
        for feed_id in self.people.feed_ids(person):
            try:
                are_out |= await self._kick_feed(feed_id)
            except XnbError as error:
                self._call._nonfatal(error)
        if failure and not are_out:
            raise failure
        if failure:
            self._call._nonfatal(failure)

    async def _kick_feed(self, feed_id: FeedId) -> bool:
        """Put one connection out of the room; whether that did it."""
        try:
            return await self._ask_room(lambda admin: admin.kick(feed_id))
        except JanusError as error:
            if error.code != NOT_THERE:
                raise
            return False

    async def moderate(self, person: Participant, muted: bool) -> None:
        """Stop somebody's sound in the room, or let it through again."""
        feed = person._feed
        mid = sound_of(feed) if feed else None
        if feed is None or mid is None:
            raise CallError(
                f"{person.name} sends no sound.", remedy="Wait until they do, or leave it."
            )
        await self._ask_room(lambda admin: admin.moderate(feed.id, mid, muted))
        note = self._space.mute if muted else self._space.unmute
        await note(self.broadcast_id, person.id)

    async def _ask_room(self, request: Callable[[RoomAdmin], Awaitable[None]]) -> bool:
        """Ask the room something as its owner; ``False`` where the service does that by itself."""
        session, access = self._session, self._access
        if session is None or access is None or not access.secret:
            return False
        admin = RoomAdmin(session, access.room, secret=access.secret, user_id=access.display)
        try:
            await request(admin)
        finally:
            await admin.close()
        return True

    async def _let_know(self, people: Sequence[User]) -> None:
        if people:
            self._call._stage("invite", "Inviting")
            self.people.learn(people)
            await self._space.invite(self.broadcast_id, [one.id for one in people])

    async def _way_back(self, *, anew: bool) -> RoomAccess:
        access = await self._space.reconnect_host(self.broadcast_id)
        self.session_uuid = access.session_uuid or self.session_uuid
        return access

    async def _returned(self) -> None:
        await self._open_to_others()

    async def _say_goodbye(self, reason: EndReason) -> None:
        if self._creating and not self.broadcast_id:
            # Canceled while the server created it: wait, or it would stay there.
            with contextlib.suppress(XnbError):
                self._take(await self._creating)
        if self.broadcast_id:
            await self._space.end(self.broadcast_id)


class GuestWire(GroupWire):
    """Joins a group call that somebody else hosts.

    Args:
        *args: As for :class:`~xnb.group_wire.wire.GroupWire`.
        broadcast_id: The call.
        chat_token: What came with the invitation, for services that want it.
    """

    def __init__(self, *args: Any, broadcast_id: str, chat_token: str = "") -> None:
        super().__init__(*args)
        self.broadcast_id = broadcast_id
        self._chat_token = chat_token

    async def connect(self) -> None:
        """Join the call, go into its room and send; returns when all that is done.

        Raises:
            NotInvited: The host has not invited us, or has removed us.
            RoomFull: It has as many people as it takes.
            CallEnded: It is over, or there never was one with that id.
            Unauthorized, Unreachable, SignalingError: From the server.
            JanusError: From the room.
        """
        call = self._call
        call._stage("bootstrap", "Signing in")
        self._own = await self._bootstrap.run()
        call._is_me(self._own.user)
        call._stage("join", "Joining the group call")
        await self._join_space()
        await self._enter(await self._negotiate())
        await self._space.stream_publish(self.session_uuid)
        self._watch()

    async def _join_space(self) -> None:
        joined = await self._space.join(self.broadcast_id, chat_token=self._chat_token)
        self.session_uuid = joined.session_uuid
        call = self._call
        call._is_theirs(joined.host, joined.title)
        self.people.learn([joined.host])
        if call.options.video_codec is None:
            call.options = replace(call.options, video_codec=joined.video_codec)

    async def _negotiate(self, *, anew: bool = False) -> RoomAccess:
        return await self._space.negotiate(
            self.session_uuid, broadcast_id=self.broadcast_id, restart=anew
        )

    async def _way_back(self, *, anew: bool) -> RoomAccess:
        try:
            return await self._negotiate(anew=anew)
        except (CallEnded, NotInvited, Unreachable):
            raise
        except SignalingError:
            # The server has forgotten our session, but perhaps not the call.
            await self._join_space()
            return await self._negotiate()

    async def _returned(self) -> None:
        await self._space.stream_publish(self.session_uuid)

    async def _say_goodbye(self, reason: EndReason) -> None:
        if self.session_uuid:
            await self._space.stream_end(self.session_uuid)
