"""A connection that receives from a room."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ...engine.room_peer import RoomPeer
from ...errors import XnbError
from ..janus.plugin import Answer, HandleLink, Json, PluginError
from .feed import FeedStream
from .requests import (
    ALREADY_JOINED,
    INVALID_ELEMENT,
    INVALID_REQUEST,
    INVALID_SDP,
    INVALID_SDP_TYPE,
    MISSING_ELEMENT,
    NO_SUCH_FEED,
    NO_SUCH_ROOM,
    UNAUTHORIZED,
    flag,
    items,
    missing,
    number,
    optional_id,
    required_id,
    text,
)
from .selection import legacy_streams, streams_of, switch_pairs
from .subscription import Subscription

if TYPE_CHECKING:
    from .plugin import VideoRoom
    from .room import Room

CHANGES = ("subscribe", "unsubscribe", "update")


class Subscriber:
    """The role of a handle that joined as ``subscriber``: one connection, any number of streams.

    Args:
        plugin: Whose handle it is.
        room: What it receives from.
        link: Its client.
        body: The request that it joined with.

    Attributes:
        peer: Its connection; ``None`` when that is closed.
        subscriptions: One for each m-line, in their order.
    """

    def __init__(self, plugin: VideoRoom, room: Room, link: HandleLink, body: Json) -> None:
        self.room = room
        self.link = link
        self.private_id = number(body, "private_id")
        self.peer: RoomPeer | None = None
        self.subscriptions: list[Subscription] = []
        self._plugin = plugin
        self._follows = flag(body, "autoupdate") is not False
        self._is_paused = False
        self._offer_again = False
        self._restarted: RoomPeer | None = None
        self._negotiating = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<Subscriber {len(self.subscriptions)} streams>"

    # Requests

    async def join(self, body: Json) -> Answer:
        """``join``: the answer is an offer.

        Raises:
            PluginError: There is no such stream, or it may not be subscribed to.
        """
        settings = self.room.settings
        if settings.require_pvtid and not any(
            one.private_id == self.private_id for one in self.room.participants.values()
        ):
            raise PluginError(UNAUTHORIZED, "Unauthorized (this room requires a valid private_id)")
        legacy = not body.get("streams")
        wanted = (
            legacy_streams(self.room, body)
            if legacy
            else streams_of(self.room, items(body, "streams") or ())
        )
        if not wanted:
            raise PluginError(INVALID_SDP, "Can't offer an SDP with no stream")
        async with self._negotiating:
            peer = self.peer = self._new_peer()
            self.room.subscribers.add(self)
            try:
                self._add(peer, wanted)
                jsep = await self._offer(peer)
            except BaseException:
                await self.close()
                raise
        told: Json = {"videoroom": "attached", "room": self.room.id}
        if legacy:
            told |= {"id": required_id(body, "feed"), "warning": "deprecated_api"}
        return Answer(told | self._streams(), jsep)

    async def message(self, request: str, body: Json, jsep: Json | None) -> Answer:
        """Answer a later request of this subscriber.

        Raises:
            PluginError: It is refused.
        """
        if request in ("join", "joinandconfigure"):
            raise PluginError(ALREADY_JOINED, "Already in as a subscriber on this handle")
        if request == "leave":
            was_open = self.peer is not None
            await self.close()
            if was_open:
                self.link.hangup("Close PC")
            return Answer(self._event(left="ok"))
        if self.room.is_destroyed:
            raise PluginError(NO_SUCH_ROOM, "No such room")
        self._require_open()
        if request == "start":
            return await self._start(jsep)
        if request == "pause":
            self._pause(True)
            return Answer(self._event(paused="ok"))
        if request == "configure":
            self._configure(body)
            jsep = await self._restart() if flag(body, "restart") else None
            return Answer(self._event(configured="ok"), jsep)
        if request == "switch":
            return await self._switch(body)
        if request in CHANGES:
            return await self._update(request, body)
        raise PluginError(INVALID_REQUEST, f"Unknown request '{request}'")

    def _require_open(self) -> RoomPeer:
        """Its connection, which may be closed while something else is waited for.

        Raises:
            PluginError: It has none any more (426).
        """
        if self.peer is None:
            raise PluginError(NO_SUCH_ROOM, "No such room")
        return self.peer

    def _event(self, **more: object) -> Json:
        return {"videoroom": "event", "room": self.room.id, **more}

    def _streams(self) -> Json:
        return {"streams": [one.shown() for one in self.subscriptions]}

    # What is shown

    def _add(self, peer: RoomPeer, wanted: Iterable[tuple[FeedStream, Json]]) -> None:
        for stream, asked in wanted:
            try:
                line = peer.add_line(stream.kind, stream.codec)
            except XnbError as error:
                raise PluginError(INVALID_REQUEST, str(error)) from None
            for subscription in self.subscriptions:
                if subscription.line is line:
                    break
            else:
                subscription = Subscription(self, line, len(self.subscriptions))
                self.subscriptions.append(subscription)
            subscription.crossrefid = text(asked, "crossrefid")
            subscription.is_sending = flag(asked, "send") is not False
            subscription.pause(self._is_paused)
            subscription.show(stream)

    def _remove(self, peer: RoomPeer, asked: Sequence[Json]) -> bool:
        found: list[Subscription] = []
        for one in asked:
            sub_mid, feed_id, mid = text(one, "sub_mid"), optional_id(one, "feed"), text(one, "mid")
            if sub_mid is None and feed_id is None:
                raise missing("feed")
            for subscription in self.subscriptions:
                stream = subscription.stream
                if stream is None:
                    continue
                fits = sub_mid is None or subscription.line.mid == sub_mid
                fits = fits and (feed_id is None or stream.publisher.id == feed_id)
                if fits and (mid is None or stream.mid == mid):
                    found.append(subscription)
        for subscription in found:
            subscription.show(None)
            peer.drop_line(subscription.line)
        return bool(found)

    # Negotiation

    def _new_peer(self) -> RoomPeer:
        peer = RoomPeer(ice=self._plugin.options.ice, name="subscriber")
        peer.on_up = self.link.webrtcup
        peer.on_gone = self._gone
        return peer

    async def _restart(self) -> Json:
        """An offer that restarts ICE: of a new connection with the same m-lines.

        Its certificate is another one, so DTLS begins anew, too (RFC 8842 section 5.1). The old
        connection goes on until the answer comes.
        """
        async with self._negotiating:
            self._require_open()
            unanswered, self._restarted = self._restarted, self._new_peer()
            peer = self._restarted
            lines = [peer.add_line(one.line.kind, one.line.codec) for one in self.subscriptions]
            for subscription, line in zip(self.subscriptions, lines, strict=True):
                if subscription.stream is None:
                    peer.drop_line(line)
            if unanswered:
                await unanswered.close()
            return await self._offer(peer) | {"restart": True}

    def _move(self, peer: RoomPeer) -> None:
        """The new connection takes over, with what was changed since it was offered."""
        old, self.peer = self.peer, peer
        for index, subscription in enumerate(self.subscriptions):
            was = subscription.line
            if index < len(peer.sent):
                line = peer.sent[index]
            else:
                line = peer.add_line(was.kind, was.codec)
                self._offer_again = True
            subscription.move(line)
        if old:
            old.on_gone = None
            self._plugin.soon(old.close())

    async def _offer(self, peer: RoomPeer) -> Json:
        self._offer_again = False
        try:
            return {"type": "offer", "sdp": await peer.offer()}
        except XnbError as error:
            raise PluginError(INVALID_SDP, error.message) from None

    async def _start(self, jsep: Json | None) -> Answer:
        if jsep is not None:
            if jsep.get("type") != "answer":
                raise PluginError(INVALID_SDP_TYPE, f"Unknown SDP type '{jsep.get('type')}'")
            async with self._negotiating:
                peer = self._require_open()
                restarted, self._restarted = self._restarted, None
                try:
                    await (restarted or peer).take_answer(str(jsep.get("sdp", "")))
                    self._require_open()  # it may have been closed meanwhile
                except (Exception, asyncio.CancelledError) as error:
                    if restarted:  # nobody else knows of it now
                        self._plugin.soon(restarted.close())
                    if isinstance(error, XnbError):
                        words = f"Error parsing answer: {error.message}"
                        raise PluginError(INVALID_SDP, words) from None
                    raise
                if restarted:
                    self._move(restarted)
            if self._offer_again:
                self._plugin.soon(self._offer_later())
        self._pause(False)
        return Answer(self._event(started="ok"))

    async def _update(self, request: str, body: Json) -> Answer:
        more, less = items(body, "subscribe"), items(body, "unsubscribe")
        if request != "update":
            asked = items(body, "streams")
            if asked is None:
                raise missing("streams")
            more, less = (asked, None) if request == "subscribe" else (None, asked)
        if more is None and less is None:
            raise PluginError(
                MISSING_ELEMENT,
                "At least one of either 'subscribe' or 'unsubscribe' must be present",
            )
        if more is not None and not more:
            raise PluginError(INVALID_ELEMENT, "Empty subscription list")
        if less is not None and not less:
            raise PluginError(INVALID_ELEMENT, "Empty unsubscription list")
        async with self._negotiating:
            peer = self._require_open()
            wanted = streams_of(self.room, more or ())
            changed = self._remove(peer, less or ())
            self._add(peer, wanted)
            updated: Json = {"videoroom": "updated", "room": self.room.id}
            if not changed and not wanted:
                return Answer(updated)
            if peer.is_offering or self._restarted:
                self._offer_again = True
                return Answer({"videoroom": "updating", "room": self.room.id} | self._streams())
            jsep = await self._offer(peer)
            return Answer(updated | self._streams(), jsep)

    async def _offer_later(self) -> None:
        """Offer what has changed, unless an offer waits for its answer: then after that."""
        async with self._negotiating:
            peer = self.peer
            if peer is None:
                return
            if peer.is_offering or self._restarted:
                self._offer_again = True
                return
            jsep = await self._offer(peer)
            told: Json = {"videoroom": "updated", "room": self.room.id}
            self.link.event(told | self._streams(), jsep)

    def lost(self, subscriptions: Sequence[Subscription]) -> None:
        """A publisher has gone: offer without its streams, if the client wants that."""
        if self.peer and self._follows:
            for subscription in subscriptions:
                self.peer.drop_line(subscription.line)
            self._plugin.soon(self._offer_later())

    # Changes without negotiation

    def _pause(self, paused: bool) -> None:
        self._is_paused = paused
        for subscription in self.subscriptions:
            subscription.pause(paused)

    def _configure(self, body: Json) -> None:
        changes = [(one, flag(one, "send")) for one in items(body, "streams") or ()]
        for one, _ in changes:
            if text(one, "mid") is None:
                raise PluginError(
                    INVALID_ELEMENT, "Invalid value (mid can't be null in a streams array)"
                )
            self._subscription(one["mid"])
        for one, sending in changes:
            if sending is not None:
                self._send(self._subscription(one["mid"]), sending)
        for kind in ("audio", "video"):  # as before Janus 1.0
            sending = flag(body, kind)
            if sending is not None:
                for subscription in [s for s in self.subscriptions if s.line.kind == kind][:1]:
                    self._send(subscription, sending)

    def _send(self, subscription: Subscription, sending: bool) -> None:
        subscription.is_sending = sending
        subscription.follow()

    def _subscription(self, mid: str) -> Subscription:
        for subscription in self.subscriptions:
            if subscription.line.mid == mid:
                return subscription
        raise PluginError(NO_SUCH_FEED, f"No such mid '{mid}' in subscription")

    async def _switch(self, body: Json) -> Answer:
        changes, reopened = 0, False
        async with self._negotiating:
            self._require_open()
            # Not before: a publisher may have gone while an offer was waited for.
            for subscription, stream in switch_pairs(self.room, self.subscriptions, body):
                if subscription.stream is stream:
                    continue
                line = subscription.line
                if line.kind != stream.kind or line.codec != stream.codec:
                    continue  # would not be understood: Janus passes over it, too
                if line.transceiver.direction == "inactive":
                    line.transceiver.direction = "sendonly"
                    reopened = True
                subscription.show(stream)
                changes += 1
        if reopened:
            self._plugin.soon(self._offer_later())
        return Answer(self._event(switched="ok", changes=changes, **self._streams()))

    # The end

    def _gone(self, reason: str) -> None:
        if self._restarted:
            return  # libwebrtc ends DTLS of the old connection before it answers for the new one
        self.link.hangup(reason)
        self._plugin.soon(self.close())

    async def close(self) -> None:
        """Close the connection. May be called again."""
        self.room.subscribers.discard(self)
        peer, self.peer = self.peer, None
        for subscription in self.subscriptions:
            subscription.show(None)
        self.subscriptions = []
        restarted, self._restarted = self._restarted, None
        for one in (peer, restarted):
            if one:
                await one.close()

    def count(self) -> Json:
        """Packets and bytes that left."""
        return {"handle": self.link.id, "streams": [one.count() for one in self.subscriptions]}
