"""The connection over which one participant of a group comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..engine.peer import Peer, PeerState
from ..errors import XnbError
from ..group_layers import Layer, Reading
from ..settings import IceSettings, Timeouts
from ..signaling.janus import Feed, FeedStream, JanusSession, Offered, Subscriber, Wanted

SILENT_S = 5.0
"""A connection that was found dead is made anew when it is not back after so long."""
READING_S = 0.9
"""A reading of the path is of at least so long a time."""


@dataclass(frozen=True, slots=True, repr=False)
class Room:
    """Where to subscribe, and how the connections are made."""

    session: JanusSession
    room: str | int
    pin: str | None
    user_id: str
    private_id: int | None
    ice: IceSettings
    timeouts: Timeouts


def layers_of(feed: Feed) -> dict[str, str]:
    """The mids of somebody's pictures by layer: ``"high"``, ``"low"``.

    Where the room does not tell what the streams are called, the first one is the high layer and
    the second one the low one, as this package publishes them.
    """
    found: dict[str, str] = {}
    for stream in feed.streams:
        if stream.kind != "video" or stream.is_disabled:
            continue
        name = "low" if stream.description == "low" else "high"
        if name in found and not stream.description:
            name = "low"
        found.setdefault(name, stream.mid)
    return found


def sound_of(feed: Feed) -> str | None:
    """The mid of somebody's sound, if they send any."""
    found = (one.mid for one in feed.streams if one.kind == "audio" and not one.is_disabled)
    return next(found, None)


async def with_streams(room: Room, feed: Feed) -> Feed:
    """The feed with what it sends; found out by subscribing, where the room did not tell.

    Raises:
        JanusError: The room refused, or is gone.
    """
    if feed.streams:
        return feed
    probe = Subscriber(room.session, room.room, pin=room.pin, user_id=room.user_id or None)
    try:
        offered = await probe.subscribe(
            [Wanted(feed.id)], private_id=room.private_id, autoupdate=False
        )
    finally:
        await probe.close()
    streams = tuple(
        FeedStream(one.kind, one.feed_mid or one.mid, place, one.codec)
        for place, one in enumerate(offered.streams)
    )
    return replace(feed, streams=streams)


class Subscription:
    """The connection over which one participant's sound and picture come.

    Args:
        room: Where.
        feed: Whose.
        layers: The mids of their pictures by layer; empty for sound alone.
        layer: Which picture to begin with.
        name: For log lines.
        on_broken: Called once when it is of no use any more, also on the server's side.

    Attributes:
        peer: The media connection.
        layer: What comes now.
    """

    def __init__(
        self,
        room: Room,
        feed: Feed,
        layers: Mapping[str, str],
        layer: Layer,
        name: str,
        on_broken: Callable[[], None],
    ) -> None:
        self.layer = layer
        self.peer = Peer(ice=room.ice, timeouts=room.timeouts, name=name)
        self.peer.on_state = self._state
        self._room = room
        self._feed_id = feed.id
        self._layers = dict(layers)
        self._sound = sound_of(feed)
        self._broken: Callable[[], None] | None = on_broken
        self._subscriber = Subscriber(
            room.session, room.room, pin=room.pin, user_id=room.user_id or None
        )
        self._subscriber.on_offer = self._offered
        self._subscriber.on_hangup = lambda _reason: self._break()
        self._subscriber.on_left = self._break
        self._lock = asyncio.Lock()
        self._mid: str | None = None
        self._feed_mid: str | None = None
        self._paused = False
        self._giving_up: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._counted = (0, 0, 0, time.monotonic())
        self._stalls = 0

    def __repr__(self) -> str:
        return f"<Subscription {self.peer.name}: {self.layer}, {self.peer.state}>"

    @property
    def available(self) -> set[str]:
        """The layers there are."""
        return set(self._layers)

    @property
    def is_switching(self) -> bool:
        """Whether another layer, or a negotiation, is under way."""
        return self._lock.locked()

    async def open(self) -> None:
        """Subscribe and answer; returns when the answer was sent.

        Raises:
            JanusError: The room refused, or is gone.
            ConnectError: No usable address on this machine.
        """
        first = self._layers.get(self.layer) or next(iter(self._layers.values()), None)
        mids = [mid for mid in (self._sound, first) if mid is not None]
        # One feed is all there is: nothing has to be offered anew when somebody else leaves.
        offered = await self._subscriber.subscribe(
            [Wanted(self._feed_id, mid) for mid in mids],
            private_id=self._room.private_id,
            autoupdate=False,
        )
        for stream in offered.streams:
            if stream.kind == "video" and self._mid is None:
                self._mid, self._feed_mid = stream.mid, stream.feed_mid or first
        async with self._lock:
            await self._answer(offered)
        if self.layer == "off":
            await self._switch("off")

    async def _answer(self, offered: Offered) -> None:
        await self.peer.apply_offer(offered.sdp)
        await self._subscriber.start(await self.peer.make_answer())

    def _offered(self, offered: Offered) -> None:
        self._spawn(self._renegotiate(offered))

    async def _renegotiate(self, offered: Offered) -> None:
        async with self._lock:
            await self._answer(offered)

    async def set_layer(self, layer: Layer) -> None:
        """Have another picture, or none; nothing is negotiated for that.

        Raises:
            JanusError: The room refused, or is gone.
        """
        if layer != self.layer:
            await self._switch(layer)

    async def _switch(self, layer: Layer) -> None:
        async with self._lock:
            if self._mid is None:
                return
            if layer == "off":
                await self._subscriber.configure(self._mid, send=False)
                self._paused = True
            else:
                wanted = self._layers.get(layer)
                if wanted is not None and wanted != self._feed_mid:
                    await self._subscriber.switch(self._mid, self._feed_id, wanted)
                    self._feed_mid = wanted
                if self._paused:
                    await self._subscriber.configure(self._mid, send=True)
                    self._paused = False
            self.layer = layer
            if layer != "off":
                self.peer.request_keyframe()

    def reading(self) -> Reading | None:
        """What the path did since the last reading; ``None`` less than 0.9 s after it."""
        expected, received, octets, read_s = self._counted
        now_s = time.monotonic()
        if now_s - read_s < READING_S:
            return None
        counted = [one.statistics for one in self.peer.streams.wire.inbound if one.statistics]
        now_expected = sum(one.packets_expected for one in counted if one.max_seq is not None)
        now_received = sum(one.packets_received for one in counted)
        now_octets = self.peer.streams.wire.bytes_received
        self._counted = (now_expected, now_received, now_octets, now_s)
        came = now_expected - expected
        lost = came - (now_received - received)
        stream = self.peer.video_in.stream
        estimate_bps = stream.estimate_bps if stream and self.layer != "off" else None
        stalls, self._stalls = self._stalls, self.peer.streams.wire.stalls
        if self._stalls > stalls:
            estimate_bps = None  # this machine was busy: what came late says nothing of the path
        return Reading(
            loss=min(1.0, max(0.0, lost / came)) if came > 0 else 0.0,
            estimate_bps=estimate_bps,
            received_bps=(now_octets - octets) * 8 / (now_s - read_s),
        )

    def _state(self, state: PeerState, _text: str) -> None:
        if self._giving_up:
            self._giving_up.cancel()
            self._giving_up = None
        if state is PeerState.DISCONNECTED:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(SILENT_S, self._break)
        elif state in (PeerState.FAILED, PeerState.CLOSED):
            self._break()

    def _break(self) -> None:
        broken, self._broken = self._broken, None
        if broken:
            broken()

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _task: work.close())  # cancelled before it began

    async def _guard(self, work: Any) -> None:
        try:
            await work
        except XnbError:
            self._break()

    async def close(self, *, detach: bool = True) -> None:
        """Unsubscribe and close the connection. May be called again, from any state.

        Args:
            detach: ``False`` when the whole session is about to end, with everything in it.
        """
        self._broken = None
        if self._giving_up:
            self._giving_up.cancel()
        for task in self._tasks:
            task.cancel()
        closing = [self.peer.close()]
        if detach and self._room.session.state == "open":
            closing.append(self._subscriber.close())
        with contextlib.suppress(XnbError):
            await asyncio.gather(*closing)
        await asyncio.gather(*self._tasks, return_exceptions=True)
