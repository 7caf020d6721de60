"""Our place in the room of a group call: going in, coming back, leaving.

One Janus handle and one connection to send, one of each for everybody who is received (see
:mod:`xnb.group_wire.people`). The steps with the calling service are in
:mod:`xnb.group_wire.roles`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from ..engine.peer import PeerState
from ..engine.publishing import PublishingPeer
from ..errors import (
    CallEnded,
    CallError,
    ConnectError,
    NotInvited,
    RoomFull,
    SfuError,
    SignalingError,
    Unauthorized,
    XnbError,
)
from ..events import CallState, EndReason
from ..profile import ServerProfile
from ..settings import IceSettings
from ..signaling.audiospace import AudioSpace, RoomAccess
from ..signaling.bootstrap import Bootstrap, Session
from ..signaling.janus import Feed, FeedId, JanusError, JanusSession, Joined, Publisher, RoomAdmin
from ..signaling.trace import Trace
from .people import PAUSES_S, People
from .subscription import Room

if TYPE_CHECKING:
    from ..group_call import GroupCall

SILENT_S = 3.0
"""So long a way that fell silent may take to come back once the server can be reached again."""
ELSEWHERE_S = 1.5
"""A room whose server does not answer for so long is asked for anew."""
NO_ROOM, ROOM_IS_FULL, NOT_LET_IN, ID_TAKEN = 426, 432, 433, 436


class GroupWire:
    """Base of host and participant; one is made for each call.

    Args:
        call: The call it drives.
        bootstrap: Gives the session, with the TURN servers.
        space: The server's group calls.
        profile: The service.
        trace: Where messages are noted.
    """

    def __init__(
        self,
        call: GroupCall,
        bootstrap: Bootstrap,
        space: AudioSpace,
        profile: ServerProfile,
        trace: Trace,
    ) -> None:
        self.broadcast_id = ""
        self.session_uuid = ""
        self.people = People(call, bootstrap, space, self._spawn)
        self._call = call
        self._bootstrap = bootstrap
        self._space = space
        self._profile = profile
        self._trace = trace
        self._own: Session | None = None
        self._access: RoomAccess | None = None
        self._session: JanusSession | None = None
        self._publisher: Publisher | None = None
        self._peer: PublishingPeer | None = None
        self._is_in = False
        self._dropped: JanusSession | None = None
        self._recovering: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = False

    async def connect(self) -> None:
        """Start or join the call; see the two subclasses in :mod:`xnb.group_wire.roles`."""
        raise NotImplementedError  # pragma: no cover

    async def _way_back(self, *, anew: bool) -> RoomAccess:
        """Where the room is now, and a token for it; :meth:`_returned` must follow.

        Args:
            anew: Have our old place in the room freed, which tells the others that we left.
        """
        raise NotImplementedError  # pragma: no cover

    async def _returned(self) -> None:
        """Tell the service that we are in the room again."""
        raise NotImplementedError  # pragma: no cover

    async def _say_goodbye(self, reason: EndReason) -> None:
        """Tell the service that we leave."""
        raise NotImplementedError  # pragma: no cover

    # Into the room

    async def _enter(self, access: RoomAccess) -> None:
        """Join the room, send, and receive everybody who is there.

        Raises:
            RoomFull, CallEnded: The room says so.
            JanusError: It refused, or cannot be reached.
            ConnectError: No usable address on this machine.
        """
        self._call._stage("room", "Going into the room")
        self._access = access
        session = self._session = JanusSession(access.gateway, trace=self._trace)
        session.on_state = lambda state: self._session_state(session, state)
        peer = self._peer = self._make_peer()
        offering = asyncio.ensure_future(peer.make_offer(video=self._call.options.video))
        try:
            await session.open()
            await self._before_joining(session, access)
            self.people.broadcast_id, self.people.my_name = self.broadcast_id, access.display
            joined = await self._join(session, access)
            self.people.greet(self._room_of(session, access, joined), joined)
            await self._publish(peer, await offering, access)
            self._is_in = True
        except JanusError as error:
            # On the way back a missing or full room may be another one in a moment.
            raise (error if self._is_in else _in_words(error)) from None
        finally:
            offering.cancel()
            await asyncio.gather(offering, return_exceptions=True)

    async def _before_joining(self, session: JanusSession, access: RoomAccess) -> None:
        """What a host does on services where it makes the room."""

    def _make_peer(self) -> PublishingPeer:
        options = self._call.options
        return PublishingPeer(
            ice=self._ice(),
            timeouts=options.timeouts,
            video_settings=options.video_settings,
            video_codec=options.video_codec,
            name="ourselves",
        )

    def _ice(self) -> IceSettings:
        options = self._call.options
        given = self._own.ice_servers if self._own and self._profile.group.uses_turn else ()
        return IceSettings(
            servers=(*options.ice.servers, *given),
            relay_only=options.ice.relay_only,
            loopback=options.ice.loopback,
        )

    async def _until_connected(self) -> None:
        if self._peer:
            await self._peer.wait_connected()

    def _room_of(self, session: JanusSession, access: RoomAccess, joined: Joined) -> Room:
        return Room(
            session,
            access.room,
            access.pin,
            access.display,
            joined.private_id,
            self._ice(),
            self._call.options.timeouts,
        )

    async def _join(self, session: JanusSession, access: RoomAccess) -> Joined:
        publisher = self._publisher = Publisher(
            session, access.room, pin=access.pin, user_id=access.display or None
        )
        people = self.people
        publisher.on_publishers = people.publishers
        publisher.on_joining = people.joining
        publisher.on_unpublished = people.unpublished
        publisher.on_leaving = people.leaving
        publisher.on_talking = people.talking
        publisher.on_moderated = self._moderated
        publisher.on_kicked = lambda: self._end(EndReason.KICKED)
        publisher.on_destroyed = self._room_destroyed
        publisher.on_hangup = lambda _reason: self._trouble("The room closed our connection")
        publisher.on_detached = lambda: self._trouble("The room forgot us")
        try:
            return await publisher.join(access.display, id=access.publisher_id, token=access.ticket)
        except JanusError as error:
            if error.code != ID_TAKEN:
                raise
        # An earlier connection of ours that the room still holds; the others go by the name.
        return await publisher.join(access.display, token=access.ticket)

    async def _publish(self, peer: PublishingPeer, offer: str, access: RoomAccess) -> None:
        assert self._publisher is not None
        answer = await self._publisher.publish(
            offer,
            descriptions=peer.descriptions() if self._profile.group.sends_descriptions else {},
            extra=access.extra,
        )
        self._call._adopt(peer)
        await peer.apply_answer(answer)

    def _moderated(self, feed_id: FeedId, mid: str, muted: bool) -> None:
        if feed_id != self.people.me:
            self.people.moderated(feed_id, mid, muted)
        elif self._peer and self._peer.descriptions().get(mid) == "audio":
            self._call._muted_by_host(muted)

    # Trouble, and the way back

    def _session_state(self, session: JanusSession, state: str) -> None:
        if session is not self._session or self._left:
            return
        if state == "lost":
            self._trouble("The room's server forgot us")
        elif state == "claiming":
            self._dropped = session
            self._spawn(self._look_elsewhere(session))
        elif state == "open" and session is self._dropped:
            self._spawn(self._catch_up(session))

    async def _look_elsewhere(self, session: JanusSession) -> None:
        """The room's server dropped us: it may be dead and the room somewhere else."""
        asked = False
        while session is self._session and self._access:
            await asyncio.sleep(ELSEWHERE_S)
            if session.state != "claiming":
                if asked and session.state == "open":
                    await self._returned()
                return
            try:
                found = await self._way_back(anew=False)
            except XnbError:
                continue
            asked = True
            if session is not self._session or session.state != "claiming":
                continue
            if (found.gateway.url, found.room) != (self._access.gateway.url, self._access.room):
                self._trouble("The room has moved")
                return

    async def _catch_up(self, session: JanusSession) -> None:
        """What was said while the connection was down is lost: see who is there now."""
        access = self._access
        if access is None:
            return
        admin = RoomAdmin(session, access.room, secret=access.secret, user_id=access.display)
        try:
            listed = await admin.list_participants()
        finally:
            await admin.close()
        if session is not self._session:
            return
        here = {one.id for one in listed}
        if self.people.me not in here:
            self._trouble("The room forgot us")
            return
        self.people.only(here)
        unknown = self.people.missing({one.id for one in listed if one.is_publisher})
        # The list does not say what they send; that is found out when they are received.
        self.people.publishers(
            tuple(
                Feed(one.id, one.display, (), one.is_talking, one.display)
                for one in listed
                if one.id in unknown
            )
        )

    def _room_destroyed(self) -> None:
        self._spawn(self._ended_or_moved())

    async def _ended_or_moved(self) -> None:
        """The host has ended the call, or the room's server gave the room up."""
        with contextlib.suppress(CallEnded, NotInvited):
            if (await self._space.status(self.broadcast_id)).is_live:
                self._trouble("The room was closed")
                return
        self._end(EndReason.REMOTE_HANGUP)

    def _trouble(self, why: str, *, patient: bool = False) -> None:
        """Come back into the room, from scratch if need be."""
        if self._left or self._call._ending or not self._is_in:
            return
        if self._recovering is None or self._recovering.done():
            self._recovering = self._spawn(self._recover(why, patient))

    async def _recover(self, why: str, patient: bool) -> None:
        call = self._call
        call._go(CallState.RECONNECTING, why)
        limit_s = call.options.timeouts.reconnect_s
        failure: XnbError | None = None
        attempt, is_full = 0, False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while True:
                    try:
                        access = await self._way_back(anew=is_full)
                        if patient and await self._is_back():
                            await self._returned()
                            return
                        patient = False
                        await self._stand_up()
                        await self._enter(access)
                        await self._until_connected()
                        await self._returned()
                        return
                    except (CallEnded, NotInvited, RoomFull, Unauthorized):
                        raise
                    except XnbError as error:
                        failure = error
                        # Our own old places may be those that are missing.
                        is_full = getattr(error, "code", None) in (ROOM_IS_FULL, NOT_LET_IN)
                    await asyncio.sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
                    attempt += 1
        cause = failure.message if failure else f"{why}."
        raise ConnectError(
            f"The group call could not be reached again within {limit_s:g} s: {cause}",
            stage="reconnecting",
            remedy="Check the network, and join the call again.",
        )

    async def _is_back(self) -> bool:
        """Whether the old connection works again, given a moment."""
        end_s = time.monotonic() + SILENT_S
        while time.monotonic() < end_s:
            peer, session = self._peer, self._session
            if peer and session and peer.state is PeerState.CONNECTED and session.state == "open":
                return True
            if session is None or session.state in ("lost", "closed"):
                return False
            await asyncio.sleep(0.1)
        return False

    async def _stand_up(self) -> None:
        """Close everything that is in the room; the participants stay, without media."""
        peer, session = self._peer, self._session
        closing = [self.people.stop()]
        if session:
            # It ends with everything in it: nobody has to leave or detach before.
            session.on_state = None
            closing.append(session.close())
        if peer:
            peer.on_state = None
            closing.append(peer.close())
        await asyncio.gather(*closing, return_exceptions=True)
        if session is self._session:
            # Only now: whoever was cancelled in here has left it for the next one to close.
            self._peer = self._publisher = self._session = None

    # The service

    async def _watch_status(self) -> None:
        told = False
        while True:
            await asyncio.sleep(self._profile.rhythm.status_s)
            try:
                status = await self._space.status(self.broadcast_id)
            except (CallEnded, NotInvited) as error:
                kicked = isinstance(error, NotInvited)
                self._end(EndReason.KICKED if kicked else EndReason.REMOTE_HANGUP)
                return
            except SignalingError as error:
                # Media does not need the server: say so once and go on asking.
                if not told:
                    self._call._nonfatal(error)
                told = True
                continue
            told = False
            self.people.take_status(status)
            me = status.member(self._own.user.id) if self._own else None
            if not status.is_live:
                self._end(EndReason.REMOTE_HANGUP)
            elif me and me.was_removed:
                self._end(EndReason.KICKED)

    async def send_media_status(self, camera_off: bool, microphone_off: bool) -> None:
        """Note for the others that we muted ourselves; the picture they see by itself."""
        if self._own and not self._left and self._profile.has("group_mute"):
            say = self._space.mute if microphone_off else self._space.unmute
            await say(self.broadcast_id, self._own.user.id)

    def _watch(self) -> None:
        """We are in: follow what happens from now on."""
        self._spawn(self.people.tick())
        self._spawn(self._watch_status())
        self._spawn(self._until_connected())

    # Ends

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _task: work.close())  # cancelled before it began
        return task

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Turn whatever a background step raises into the end of the call."""
        try:
            await work
        except CallEnded:
            self._end(EndReason.REMOTE_HANGUP)
        except NotInvited:
            self._end(EndReason.KICKED)
        except SfuError as error:
            self._call._nonfatal(error)
        except XnbError as error:
            lost = isinstance(error, ConnectError)
            self._end(EndReason.NETWORK if lost else EndReason.ERROR, error)
        except Exception as error:
            failure = CallError(f"The group call broke off: {type(error).__name__}.")
            failure.__cause__ = error
            self._end(EndReason.ERROR, failure)

    def _end(self, reason: EndReason, error: XnbError | None = None) -> None:
        if not self._left:
            self._call._spawn(self._call._end(reason, error))

    async def leave(self, reason: EndReason) -> None:
        """Leave room and call, and stop every task of this wire. May be called again."""
        if self._left:
            return
        self._left = True
        tasks = tuple(self._tasks)
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel()
        try:
            await asyncio.gather(self._stand_up(), self._bye(reason))
        finally:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _bye(self, reason: EndReason) -> None:
        try:
            await self._say_goodbye(reason)
        except XnbError as error:
            self._call._nonfatal(error)


def _in_words(error: JanusError) -> XnbError:
    """What a refusal of the room means for the call."""
    known: dict[int, Callable[..., XnbError]] = {NO_ROOM: CallEnded, ROOM_IS_FULL: RoomFull}
    kind = known.get(error.code)
    return kind(error.message, remedy=error.remedy) if kind else error
