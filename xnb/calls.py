"""A call: one object for placed, answered and group calls."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Protocol, overload

from .call_media import CallMedia
from .engine.peer import Peer, PeerState
from .errors import (
    CallError,
    ConnectError,
    Declined,
    Missed,
    RecordingError,
    XnbError,
)
from .events import (
    CallState,
    Connected,
    Emitter,
    Ended,
    EndReason,
    ErrorEvent,
    Event,
    ListenerHandle,
    MediaStatus,
    ParticipantChanged,
    Stage,
    StateChange,
    Talking,
    Track,
)
from .loop import Completion, Runner, blocking, crosses
from .media.accept import Sendable
from .playback import Playback
from .settings import CallOptions
from .signaling.messages import User
from .tracks import RemoteAudio, RemoteVideo

TIMELINE_LENGTH = 500


class Wire(Protocol):
    """The signaling side of one call: how it is placed or answered, and how it is left."""

    broadcast_id: str

    async def connect(self) -> None:
        """Exchange everything needed for media to flow; returns when the call rings."""

    async def send_media_status(self, camera_off: bool, microphone_off: bool) -> None:
        """Tell the far side what we stopped sending."""

    async def leave(self, reason: EndReason) -> None:
        """Say good-bye and stop all signaling tasks. May be called again."""


class Call(CallMedia):
    """A call as a value: its state, its media in and out, its recordings, its end.

    Made by :class:`~xnb.client.Client`. In a notebook it displays as its widget. Methods may be
    called from any thread or loop; coroutine methods have blocking twins (see :mod:`xnb.loop`).

    Attributes:
        audio: The far end's sound, :class:`~xnb.tracks.RemoteAudio`.
        video: The far end's picture, :class:`~xnb.tracks.RemoteVideo`.
        peer: The media connection, once there is one; ``peer.pc`` is the real
            ``RTCPeerConnection``.
        error: What went wrong, when the call ended because of it.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        recipient: User,
        direction: Literal["outgoing", "incoming"],
        options: CallOptions,
        source: Sendable | None = None,
    ) -> None:
        super().__init__(options, source)
        self.runner = runner
        self.recipient = recipient
        self.direction = direction
        self.audio = RemoteAudio(runner)
        self.video = RemoteVideo(runner)
        self.peer: Peer | None = None
        self.error: XnbError | None = None
        self.end_reason: EndReason | None = None
        self._state = CallState.NEW
        self._wire: Wire | None = None
        self._emitter = Emitter(self._listener_failed)
        self._timeline: deque[Event] = deque(maxlen=TIMELINE_LENGTH)
        self._chatter: deque[Event] = deque(maxlen=TIMELINE_LENGTH)
        self._started_s = time.monotonic()
        self._connected_s: float | None = None
        self._ended_s: float | None = None
        self._over: Completion[Ended] = Completion("the call")
        self._reconnect_timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._connecting: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        words = (
            f"<Call {'to' if self.direction == 'outgoing' else 'from'} {self.title}: {self.state}"
        )
        if self.end_reason:
            words += f" ({self.end_reason})"
        return f"{words}, {self.duration_seconds:.1f} s>"

    def _ipython_display_(self) -> None:
        from .widgets.call_widget import widget_for

        widget_for(self)._ipython_display_()

    # What it is

    @property
    def title(self) -> str:  # type: ignore[override]
        """The far end's handle, or its id."""
        return self.recipient.handle or self.recipient.id

    @property
    def state(self) -> CallState:
        """Where the call stands."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether the call has ended, or is ending."""
        return self._ending is not None

    @property
    def broadcast_id(self) -> str:
        """The server's id of this call; empty before it has one."""
        return self._wire.broadcast_id if self._wire else ""

    @property
    def timeline(self) -> tuple[Event, ...]:
        """What happened, oldest first: the last 500 events.

        Of a group call, besides, the last 500 of who talks and how people change: those must not
        drive out the others.
        """
        return tuple(heapq.merge(self._timeline, self._chatter, key=lambda event: event.time_s))

    @property
    def playbacks(self) -> tuple[Playback, ...]:
        """What was given to send and is not done, oldest first."""
        return tuple(self._playbacks)

    @property
    def duration_seconds(self) -> float:
        """Seconds since media was connected; 0 before, fixed after the end."""
        if self._connected_s is None:
            return 0.0
        return (self._ended_s or time.monotonic()) - self._connected_s

    # Events

    @overload
    def on(self, name: str, fn: Callable[[Any], Any]) -> ListenerHandle: ...
    @overload
    def on(self, name: str) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]: ...

    def on(self, name: str, fn: Callable[[Any], Any] | None = None) -> Any:
        """Call ``fn(event)`` on each event ``name``; without ``fn``, a decorator.

        Names: ``connected, track, mediastatus, ended, error, statechange, stage, localstatus``;
        in a group also ``participantjoined, participantleft, participantchanged, talking``.
        The classes are in :mod:`xnb.events`. It runs on the engine's loop.

        Returns:
            A handle whose ``close()`` takes the listener away.

        Raises:
            SettingsError: There is no such event.
        """
        if fn is None:

            def decorate(fn: Callable[[Any], Any]) -> Callable[[Any], Any]:
                self._emitter.on(name, fn)
                return fn

            return decorate
        return self._emitter.on(name, fn)

    @crosses
    async def until(self, name: str, timeout_s: float | None = 60.0) -> Event:
        """Wait for an event or a state; at once when it has been already.

        Args:
            name: An event's name (``connected``, ``track``, …) or a state (``ringing``, …).
            timeout_s: ``None`` waits as long as the call lasts.

        Raises:
            CallError: The call ended first; :class:`Declined`, :class:`Busy`, :class:`Missed` or
                :class:`ConnectError` where that was the cause.
            ConnectError: It did not happen in time; names the state the call is in.
        """
        if name in CallState.__members__.values() and name not in ("connected", "ended"):
            kind, wanted = "statechange", CallState(name)
        else:
            kind, wanted = name, None

        def fits(event: Event) -> bool:
            return event.name == kind and (wanted is None or getattr(event, "new", None) is wanted)

        happened = asyncio.get_running_loop().create_future()

        def listener(event: Event) -> None:
            if not happened.done() and (fits(event) or isinstance(event, Ended)):
                happened.set_result(event)

        handles = [self.on(kind, listener), self.on("ended", listener)]
        try:
            for event in reversed(self.timeline):
                if fits(event):
                    return event
            if self._over.is_done:
                event = await self._over
            else:
                event = await asyncio.wait_for(happened, timeout_s)
        except TimeoutError:
            raise ConnectError(
                f"'{name}' did not happen within {timeout_s:g} s; the call is {self.state}.",
                stage=self.state.value,
                remedy="Wait longer with timeout_s=, or look at call.timeline.",
            ) from None
        finally:
            for handle in handles:
                handle.close()
        if isinstance(event, Ended) and kind != "ended":
            raise self._cause_of_end(event)
        return event

    wait = blocking(until, "Blocking twin of :meth:`until`.")

    def _cause_of_end(self, event: Ended) -> XnbError:
        if event.error:
            return event.error
        return {
            EndReason.DECLINED: Declined(f"{self.title} declined the call."),
            EndReason.MISSED: Missed(
                f"{self.title} did not answer.", remedy="Try again, or ring longer with ring_s."
            ),
        }.get(event.reason, CallError(f"The call with {self.title} ended ({event.reason})."))

    def _emit(self, event: Event) -> None:
        chatters = isinstance(event, (Talking, ParticipantChanged))
        (self._chatter if chatters else self._timeline).append(event)
        self._emitter.emit(event)

    def _listener_failed(self, error: BaseException) -> None:
        self.runner.loop.call_exception_handler(
            {"message": "A listener of a call failed", "exception": error}
        )

    def _go(self, state: CallState, detail: str = "") -> None:
        if state is self._state or self._state is CallState.ENDED:
            return
        old, self._state = self._state, state
        self._emit(StateChange(old=old, new=state, detail=detail))

    def _stage(self, stage: str, text: str) -> None:
        self._emit(Stage(stage=stage, text=text))

    def _spawn(self, coro: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.ensure_future(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Life (driven by the client and the wire)

    async def _start(self, wire: Wire) -> None:
        """Place or answer the call; raises, and ends the call, when that fails."""
        if self._ending:
            await self._ending
            return
        self._wire = wire
        self._go(CallState.SIGNALING, "Talking to the server")
        connecting = self._connecting = asyncio.ensure_future(wire.connect())
        try:
            await connecting
        except asyncio.CancelledError:
            hung_up = self._ending is not None
            await self._end(EndReason.CANCELED)
            if not hung_up:
                raise
        except Exception as error:
            failure = error if isinstance(error, XnbError) else _unexpected(error)
            await self._end(_reason_of(failure), failure)
            if failure is error:
                raise
            raise failure from error
        if self._over.is_done:
            ended = await self._over
            if ended.reason is not EndReason.CANCELED:
                raise self._cause_of_end(ended)

    async def _fail(self, error: XnbError) -> None:
        """End a call that could not even begin."""
        await self._end(_reason_of(error), error)

    def _adopt(self, peer: Peer) -> None:
        """Take over the media connection that the wire made."""
        self.peer = peer
        peer.on_state = self._peer_state
        peer.on_track = self._peer_track
        peer.audio_in.on_first = lambda: self._stage("first_audio", "First sound arrived")
        peer.video_in.on_first = lambda: self._stage("first_frame", "First picture arrived")
        start_s = time.monotonic()
        self.audio._attach(peer, start_s)
        self.video._attach(peer, start_s)
        self._open_media(peer)

    def _peer_state(self, state: PeerState, text: str) -> None:
        self._stage(state.value, text)
        if state is PeerState.CHECKING:
            self._go(CallState.CONNECTING, text)
        elif state is PeerState.CONNECTED:
            self._media_connected()
        elif state is PeerState.DISCONNECTED:
            self._go(CallState.RECONNECTING, text)
            self._reconnect_timer = self.runner.loop.call_later(
                self.options.timeouts.reconnect_s, self._give_up
            )
        elif state is PeerState.CLOSED and not self._ending:
            self._spawn(self._end(EndReason.REMOTE_HANGUP))

    def _media_connected(self) -> None:
        if self._reconnect_timer:
            self._reconnect_timer.cancel()
            self._reconnect_timer = None
        if self._connected_s is None:
            self._connected_s = time.monotonic()
            self._go(CallState.CONNECTED, "Connected")
            self._emit(Connected(setup_s=self._connected_s - self._started_s))
            self._tell_media_status()
        else:
            self._go(CallState.CONNECTED, "The far end is back")

    def _give_up(self) -> None:
        limit_s = self.options.timeouts.dead_peer_s + self.options.timeouts.reconnect_s
        error = ConnectError(
            f"{self.title} could not be reached for {limit_s:g} s.",
            stage="connected",
            remedy="Check the network on both sides and call again.",
        )
        self._spawn(self._end(EndReason.NETWORK, error))

    def _peer_track(self, kind: str) -> None:
        track = self.audio if kind == "audio" else self.video
        self._emit(Track(kind=track.kind, track=track))

    def _remote_status(self, camera_off: bool, microphone_off: bool) -> None:
        self._emit(
            MediaStatus(is_camera_deactivated=camera_off, is_microphone_deactivated=microphone_off)
        )

    def _nonfatal(self, error: XnbError) -> None:
        self._emit(ErrorEvent(error=error))

    @crosses
    async def hangup(self) -> None:
        """End the call: leave the broadcast, close the media, complete the recordings.

        May be called again and at any stage; before the far end answered it cancels the call.
        """
        answered = self._connected_s is not None
        await self._end(EndReason.HANGUP if answered else EndReason.CANCELED)

    hangup_now = blocking(hangup)

    async def _end(self, reason: EndReason, error: XnbError | None = None) -> None:
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._tear_down(reason, error))
        await asyncio.shield(self._ending)

    async def _tear_down(self, reason: EndReason, error: XnbError | None) -> None:
        self.end_reason, self.error = reason, error
        self._ended_s = time.monotonic()
        if self._connecting and not self._connecting.done():
            self._connecting.cancel()
        if self._reconnect_timer:
            self._reconnect_timer.cancel()
        stopping = self._stop_media()
        leaving = self._wire.leave(reason) if self._wire else asyncio.sleep(0)
        closing = self.peer.close() if self.peer else asyncio.sleep(0)
        try:
            await asyncio.wait_for(
                asyncio.gather(leaving, closing, return_exceptions=True),
                self.options.timeouts.hangup_s + 5,
            )
        except TimeoutError:
            self._nonfatal(CallError("Saying good-bye took too long; the call is over anyway."))
        for done in stopping:
            try:
                await asyncio.wait_for(done, 10)
            except RecordingError as failure:
                self._nonfatal(failure)
            except TimeoutError:
                self._nonfatal(RecordingError("A recording is still being completed."))
        self._close_sources()
        self.audio._close()
        self.video._close()
        for task in tuple(self._tasks):
            task.cancel()
        self._go(CallState.ENDED, error.message if error else reason.replace("_", " "))
        ended = Ended(reason=reason, duration_seconds=self.duration_seconds, error=error)
        self._over.set(ended)
        self._emit(ended)

    def _tell_media_status(self) -> None:
        if self._wire and self._connected_s is not None and not self._ending:
            self._spawn(self._send_media_status(self._wire))

    async def _send_media_status(self, wire: Wire) -> None:
        try:
            await wire.send_media_status(not self.is_camera_on, self.is_muted)
        except XnbError as error:
            self._nonfatal(error)


def _unexpected(error: BaseException) -> XnbError:
    failure = CallError(f"The call broke off: {type(error).__name__}.")
    failure.__cause__ = error
    return failure


def _reason_of(error: XnbError) -> EndReason:
    for kind, reason in (
        (Missed, EndReason.MISSED),
        (Declined, EndReason.DECLINED),
        (ConnectError, EndReason.NETWORK),
    ):
        if isinstance(error, kind):
            return reason
    return EndReason.ERROR
