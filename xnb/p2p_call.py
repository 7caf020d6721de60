"""The signaling side of a 1:1 call: places or answers it, keeps it negotiated, leaves it.

The order of steps is the one of PROTOCOL B8: the caller creates, publishes, announces and
offers; the callee joins, waits for the offer and answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from .engine import negotiation as ng
from .engine.negotiation import Negotiation
from .engine.peer import Peer
from .errors import (
    Busy,
    CallError,
    ConnectError,
    Declined,
    Missed,
    SignalingError,
    XnbError,
)
from .events import CallState, EndReason
from .profile import ServerProfile
from .settings import IceSettings
from .signaling.bootstrap import Bootstrap, Session
from .signaling.messages import (
    Answer,
    CandidateSignal,
    MediaStatusSignal,
    Offer,
    Signal,
    User,
)
from .signaling.p2p import P2P, Created, Mailbox, Status, Trigger

if TYPE_CHECKING:
    from .calls import Call

_REASON = {
    "CANCELED": EndReason.CANCELED,
    "DECLINED": EndReason.DECLINED,
    "HUNG_UP": EndReason.REMOTE_HANGUP,
    "MISSED": EndReason.MISSED,
    "TIMED_OUT": EndReason.TIMEOUT,
}


class P2PWire:
    """Base of both directions; one is made for each call.

    Args:
        call: The call it drives.
        bootstrap: Gives the session, with the TURN servers.
        p2p: The server's 1:1 calls.
        profile: The service.
    """

    def __init__(self, call: Call, bootstrap: Bootstrap, p2p: P2P, profile: ServerProfile) -> None:
        self.broadcast_id = ""
        self._call = call
        self._bootstrap = bootstrap
        self._p2p = p2p
        self._profile = profile
        self._session_uuid: str | None = None
        self._mailbox: Mailbox | None = None
        self._peer: Peer | None = None
        self._negotiation = Negotiation(
            polite=call.direction == "incoming", offers_first=call.direction == "outgoing"
        )
        self._inputs: asyncio.Queue[Any] = asyncio.Queue(maxsize=256)
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = False
        self._answered = asyncio.Event()
        self._creating: asyncio.Future[Created] | None = None

    async def connect(self) -> None:
        """Place or answer the call; see the two subclasses."""
        raise NotImplementedError  # pragma: no cover

    # Steps that both directions share

    def _make_peer(self, session: Session, *, relay: bool) -> Peer:
        options = self._call.options
        peer = Peer(
            ice=IceSettings(
                servers=(*options.ice.servers, *session.ice_servers),
                relay_only=relay or options.ice.relay_only,
                loopback=options.ice.loopback,
            ),
            timeouts=options.timeouts,
            video_settings=options.video_settings,
            video_codec=options.video_codec,
            prefer_codec=self._call._preferred_codec(),
            name=self._call.title,
        )
        self._peer = peer
        self._call._adopt(peer)
        return peer

    def _open_mailbox(self, far_end: str) -> None:
        self._mailbox = self._p2p.mailbox(self.broadcast_id, far_end)
        self._mailbox.on_error = self._call._nonfatal
        self._spawn(self._receive(self._mailbox))
        self._spawn(self._negotiate())
        self._spawn(self._watch_status())

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Awaitable[None]) -> None:
        """Turn whatever a background step raises into the end of the call."""
        try:
            await work
        except XnbError as error:
            self._end(
                EndReason.NETWORK if isinstance(error, ConnectError) else EndReason.ERROR, error
            )
        except Exception as error:
            failure = CallError(f"The call broke off: {type(error).__name__}.")
            failure.__cause__ = error
            self._end(EndReason.ERROR, failure)

    def _end(self, reason: EndReason, error: XnbError | None = None) -> None:
        if not self._left:
            self._call._spawn(self._call._end(reason, error))

    async def _receive(self, mailbox: Mailbox) -> None:
        try:
            async for signal in mailbox.receive():
                await self._signal(signal)
        except SignalingError:
            if self._left or await self._is_over():
                return
            raise

    async def _signal(self, signal: Signal) -> None:
        match signal:
            case Offer(sdp=sdp):
                await self._inputs.put(ng.RemoteOffer(sdp))
            case Answer(sdp=sdp):
                self._answered.set()
                await self._inputs.put(ng.RemoteAnswer(sdp))
            case CandidateSignal(candidate=candidate, mid=mid, index=index):
                await self._inputs.put(ng.RemoteCandidate(candidate, mid, index))
            case MediaStatusSignal():
                self._call._remote_status(
                    signal.is_camera_deactivated, signal.is_microphone_deactivated
                )
            case _:
                pass  # unknown types are for later clients (PROTOCOL B3)

    async def _negotiate(self) -> None:
        """Feed the state machine and do what it says, one thing at a time."""
        while True:
            given = await self._inputs.get()
            todo = list(self._negotiation.feed(given))
            while todo:
                follow_up = await self._act(todo.pop(0))
                if follow_up is not None:
                    todo.extend(self._negotiation.feed(follow_up))

    async def _act(self, action: Any) -> Any:
        peer, mailbox = self._peer, self._mailbox
        assert peer is not None
        assert mailbox is not None
        match action:
            case ng.MakeOffer():
                return ng.LocalOffer(
                    await peer.make_offer(audio=True, video=self._call.options.video)
                )
            case ng.MakeAnswer():
                return ng.LocalAnswer(await peer.make_answer())
            case ng.Rollback():
                await peer.rollback()
            case ng.ApplyOffer(sdp=sdp):
                await peer.apply_offer(sdp, video=self._call.options.video)
            case ng.ApplyAnswer(sdp=sdp):
                await peer.apply_answer(sdp)
                self._spawn(peer.wait_connected())
            case ng.AddCandidate(candidate=candidate, mid=mid, index=index):
                await peer.add_candidate(candidate, mid, index)
            case ng.SendOffer(sdp=sdp):
                await mailbox.send(Offer(sdp), *self._candidates(), self._media_status())
            case ng.SendAnswer(sdp=sdp):
                await mailbox.send(Answer(sdp), *self._candidates(), self._media_status())
                self._spawn(peer.wait_connected())
            case _:
                pass
        return None

    def _candidates(self) -> list[CandidateSignal]:
        if not self._profile.send_candidates or self._peer is None:
            return []
        return [CandidateSignal(*one) for one in self._peer.local_candidates()]

    def _media_status(self) -> MediaStatusSignal:
        call = self._call
        return MediaStatusSignal(
            is_camera_deactivated=not call.is_camera_on,
            is_microphone_deactivated=call.is_muted,
        )

    async def send_media_status(self, camera_off: bool, microphone_off: bool) -> None:
        """Tell the far side what we stopped sending (MEDIA_STATUS, PROTOCOL B3)."""
        if self._mailbox and not self._left:
            await self._mailbox.send(
                MediaStatusSignal(
                    is_camera_deactivated=camera_off, is_microphone_deactivated=microphone_off
                )
            )

    # How it ends

    async def _watch_status(self) -> None:
        told = False
        while not self._left:
            await asyncio.sleep(self._profile.rhythm.status_s)
            try:
                if await self._is_over():
                    return
                told = False
            except SignalingError as error:
                # Media does not need the server: say so once and go on asking.
                if not told:
                    self._call._nonfatal(error)
                told = True

    async def _is_over(self) -> bool:
        """Ask the server; end the call when it says so."""
        try:
            status = await self._p2p.status(self.broadcast_id)
        except SignalingError as error:
            if error.status not in (404, 410):
                raise
            self._end(EndReason.REMOTE_HANGUP)
            return True
        if status.ended or status.remote_ended(self._session_uuid or ""):
            self._end(*self._meaning(status))
            return True
        if self._call.direction == "outgoing" and status.remote_answered(self._session_uuid or ""):
            self._answered.set()
        return False

    def _meaning(self, status: Status) -> tuple[EndReason, XnbError | None]:
        title = self._call.title
        if self._call._connected_s is not None:
            return EndReason.REMOTE_HANGUP, None
        reason = _REASON.get(status.end_reason or "", EndReason.REMOTE_HANGUP)
        error: XnbError | None = None
        if reason is EndReason.DECLINED:
            if (status.end_description or "").lower() == "busy":
                error = Busy(f"{title} is busy.", remedy="Try again later.")
            else:
                error = Declined(f"{title} declined the call.")
        elif reason is EndReason.MISSED:
            error = Missed(f"{title} did not answer.", remedy="Try again later.")
        return reason, error

    async def leave(self, reason: EndReason) -> None:
        """Leave the broadcast and stop every task of this wire. May be called again."""
        if self._left:
            return
        self._left = True
        tasks = tuple(self._tasks)
        for task in tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if self._mailbox:
            await self._mailbox.close()
        try:
            if self._creating and not self.broadcast_id:
                # Canceled while the server created it: wait, or it would go on ringing.
                created = await self._creating
                self.broadcast_id, self._session_uuid = created.broadcast_id, created.session_uuid
            if self.broadcast_id:
                failed = reason in (EndReason.ERROR, EndReason.NETWORK)
                trigger: Trigger = "Error" if failed else "User"
                await self._p2p.leave(self.broadcast_id, self._session_uuid, trigger)
        except XnbError as error:
            self._call._nonfatal(error)
        await asyncio.gather(*tasks, return_exceptions=True)


class OutgoingP2P(P2PWire):
    """Places a call."""

    def __init__(self, *args: Any, recipient: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._wanted = recipient

    async def connect(self) -> None:
        """Create, publish, announce and offer; returns when the far end rings.

        Raises:
            UnknownUser, CallGated, Unauthorized, Unreachable, SignalingError: From the server.
            ConnectError: No usable address on this machine.
        """
        call = self._call
        call._stage("bootstrap", "Signing in")
        session = await self._bootstrap.run()
        call._stage("resolve", f"Looking up {call.title}")
        user: User = await self._bootstrap.resolve(self._wanted)
        call.recipient = user
        call._stage("create", "Creating the call")
        options = call.options
        self._creating = asyncio.ensure_future(
            self._p2p.create(user.id, not options.video, options.conversation_id)
        )
        created = await asyncio.shield(self._creating)
        self.broadcast_id, self._session_uuid = created.broadcast_id, created.session_uuid
        self._make_peer(session, relay=False)
        await self._p2p.publish(self.broadcast_id)
        self._open_mailbox(user.id)
        for action in self._negotiation.feed(ng.NegotiationNeeded()):
            follow_up = await self._act(action)
            for further in self._negotiation.feed(follow_up) if follow_up is not None else ():
                await self._act(further)
        if options.announce:
            call._stage("announce", f"Letting {call.title} know")
            await self._p2p.announce(
                self.broadcast_id, user.id, not options.video, options.conversation_id
            )
        call._go(CallState.RINGING, f"Ringing {call.title}")
        self._spawn(self._ring())

    async def _ring(self) -> None:
        limit_s = self._call.options.timeouts.ring_s
        try:
            await asyncio.wait_for(self._answered.wait(), limit_s)
        except TimeoutError:
            self._end(
                EndReason.MISSED,
                Missed(
                    f"{self._call.title} did not answer within {limit_s:g} s.",
                    remedy="Try again, or ring longer with Timeouts(ring_s=...).",
                ),
            )
        else:
            self._call._go(CallState.CONNECTING, f"{self._call.title} answered")
            await self._expect_answer()

    async def _expect_answer(self) -> None:
        """The far end joined; its answer must follow."""
        peer = self._peer
        assert peer is not None
        limit_s = self._call.options.timeouts.connect_s
        deadline = asyncio.get_running_loop().time() + limit_s
        while peer.pc.remoteDescription is None:
            if asyncio.get_running_loop().time() > deadline:
                raise ConnectError(
                    f"{self._call.title} answered, but sent no description within {limit_s:g} s.",
                    stage="signaling",
                    remedy="Call again; the far end's program may have stopped.",
                )
            await asyncio.sleep(0.05)


class IncomingP2P(P2PWire):
    """Answers a call whose broadcast id is known."""

    def __init__(
        self, *args: Any, broadcast_id: str, host_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.broadcast_id = broadcast_id
        self._host_id = host_id

    async def connect(self) -> None:
        """Join, wait for the offer and answer it; returns when the answer was sent.

        Raises:
            CallError: The call is over, or was placed by somebody else than ``host_id``.
            ConnectError: No offer came in time.
        """
        call = self._call
        call._stage("bootstrap", "Signing in")
        session = await self._bootstrap.run()
        try:
            status = await self._p2p.status(self.broadcast_id)
        except SignalingError as error:
            if error.status == 404:
                self._left = True
                raise CallError(
                    "There is no such call.", remedy="Check the broadcast id; it may be over."
                ) from None
            raise
        if status.ended:
            self._left = True
            raise CallError("The call is over already.", remedy="Call back instead.")
        call._stage("join", "Joining the call")
        joined = await self._p2p.join(self.broadcast_id)
        self._session_uuid = joined.session_uuid
        if self._host_id and joined.host_id != self._host_id:
            await self._p2p.leave(self.broadcast_id, joined.session_uuid, "Error")
            self._left = True
            raise CallError(
                "The call was placed by somebody else than expected.",
                remedy="Check host_id, or leave it out to accept any caller.",
            )
        if not call.recipient.id:
            call.recipient = await self._name_of(joined.host_id)
        self._make_peer(session, relay=joined.relay)
        self._negotiation.feed(ng.Accepted())
        self._open_mailbox(joined.host_id)
        call._go(CallState.CONNECTING, "Waiting for the caller's offer")
        await self._wait_for_offer()

    async def _name_of(self, user_id: str) -> User:
        try:
            return await self._bootstrap.resolve(user_id)
        except XnbError:
            return User(user_id, "")

    async def _wait_for_offer(self) -> None:
        peer = self._peer
        assert peer is not None
        limit_s = self._call.options.timeouts.connect_s
        deadline = asyncio.get_running_loop().time() + limit_s
        while peer.pc.localDescription is None and not self._left:
            if asyncio.get_running_loop().time() > deadline:
                raise ConnectError(
                    f"The caller sent no offer within {limit_s:g} s.",
                    stage="signaling",
                    remedy="The caller may be gone; call back.",
                )
            await asyncio.sleep(0.02)
