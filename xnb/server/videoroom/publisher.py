"""A participant of a room, who may publish."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ...engine.room_peer import RoomPeer
from ...errors import XnbError
from ..janus.plugin import Answer, HandleLink, Json, PluginError
from .feed import FeedStream
from .feed_watch import FeedWatch
from .participant import Participant
from .recording import FeedRecording, folder_of
from .requests import (
    ALREADY_PUBLISHED,
    INVALID_ELEMENT,
    INVALID_REQUEST,
    INVALID_SDP,
    INVALID_SDP_TYPE,
    NO_SUCH_FEED,
    NO_SUCH_ROOM,
    NOT_PUBLISHED,
    PUBLISHERS_FULL,
    UNAUTHORIZED,
    Id,
    check_secret,
    descriptions,
    flag,
    items,
    number,
    text,
)
from .settings import bitrate

if TYPE_CHECKING:
    from .plugin import VideoRoom
    from .room import Room
    from .subscriber import Subscriber
    from .subscription import Subscription


class Publisher(Participant):
    """One participant: the role of a handle that joined as ``publisher``.

    Args:
        plugin: Whose handle it is.
        room: Where it is.
        link: Its client.
        id: Its own in the room.
        body: The request that it joined with.
        names: What it may be called; empty: anything.

    Attributes:
        peer: Its publishing connection, up or about to be.
        is_active: Whether others may subscribe to it.
        streams: What it publishes.
        bitrate_bps: Most that it is to send as video, 0 without a limit.
        is_kicked: Whether a moderator put it out.
    """

    def __init__(
        self,
        plugin: VideoRoom,
        room: Room,
        link: HandleLink,
        id: Id,  # noqa: A002
        body: Json,
        names: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(room, link, id, body, names)
        self.peer: RoomPeer | None = None
        self.is_active = False
        self.is_kicked = False
        self.streams: list[FeedStream] = []
        self.bitrate_bps = room.settings.bitrate_bps
        self.recording: FeedRecording | None = None
        self._plugin = plugin
        self._record = room.settings.record
        self._filename: str | None = None
        self._watch = FeedWatch(self)

    def __repr__(self) -> str:
        return f"<Publisher {len(self.streams)} streams>"

    # Requests

    async def message(self, request: str, body: Json, jsep: Json | None) -> Answer:
        """Answer a request of this participant.

        Raises:
            PluginError: It is refused.
        """
        if request in ("publish", "configure"):
            return await self.configure(request, body, jsep)
        if self.room.participants.get(self.id) is not self:
            raise PluginError(NO_SUCH_ROOM, "No such room")
        if request == "unpublish":
            if self.peer is None:
                raise PluginError(NOT_PUBLISHED, "Can't unpublish, not published")
            await self.unpublish()
            self.link.hangup("Close PC")
            return Answer(self.event(unpublished="ok"))
        if request == "leave":
            await self.leave()
            return Answer(self.event(leaving="ok"))
        raise PluginError(INVALID_REQUEST, f"Unknown request '{request}'")

    async def configure(self, request: str, body: Json, jsep: Json | None) -> Answer:
        """``publish`` and ``configure``; with an offer also the beginning of publishing."""
        if self.is_kicked:
            raise PluginError(UNAUTHORIZED, "Unauthorized, you have been kicked")
        if self.room.participants.get(self.id) is not self:
            raise PluginError(NO_SUCH_ROOM, "No such room")
        if request == "publish" and self.peer is not None:
            raise PluginError(ALREADY_PUBLISHED, "Can't publish, already published")
        described = descriptions(body)
        self._set(body)
        answer = None
        if jsep is not None:
            answer = await self._negotiate(body, jsep, described)
        elif self._describe(described) and self.is_active:
            self._announce()
        self._configure_streams(body)
        self.limit()
        await self._follow_recording(body)
        return Answer(self.event(configured="ok", **(self._published() if answer else {})), answer)

    def _set(self, body: Json) -> None:
        """Take what a request changes besides media: all of it, or nothing if it is refused."""
        recorded, filename = flag(body, "record"), text(body, "filename")
        limit = number(body, "bitrate")
        packets = number(body, "audio_active_packets")
        average = number(body, "audio_level_average")
        if not self._may_record(body):
            recorded = filename = None  # Janus passes over them, too
        if recorded:
            folder_of(self._plugin.options.recordings, self.room.settings.rec_dir)
        self.rename(body, self.is_active)
        self._record = self._record if recorded is None else recorded
        self._filename = filename or self._filename
        if limit is not None:
            most = self.room.settings.bitrate_bps
            limit = bitrate(limit)
            if self.room.settings.bitrate_cap and most and (limit == 0 or limit > most):
                limit = most
            self.bitrate_bps = limit
        self._watch.active_packets = packets or self._watch.active_packets
        self._watch.level_average = average or self._watch.level_average

    def _may_record(self, body: Json) -> bool:
        """Whether the request may switch recording: not without the secret where it is locked."""
        settings = self.room.settings
        if not settings.lock_record:
            return True
        with contextlib.suppress(PluginError):
            check_secret(settings.secret, body, "secret")
            return True
        return False

    async def _negotiate(self, body: Json, jsep: Json, described: dict[str, str]) -> Json:
        if jsep.get("type") != "offer":
            raise PluginError(INVALID_SDP_TYPE, f"Unknown SDP type '{jsep.get('type')}'")
        most = self.room.settings.publishers
        others = [one for one in self.room.publishing if one is not self]
        if len(others) >= most:
            raise PluginError(
                PUBLISHERS_FULL, f"Maximum number of publishers ({most}) already reached"
            )
        codecs = self.room.settings.codecs_for(body)
        old, sdp = self.peer, str(jsep.get("sdp", ""))
        peer = None
        try:
            peer = self._peer_for(sdp)
            answer = await peer.answer(sdp, codecs)
        except (Exception, asyncio.CancelledError) as error:
            if peer and not (peer is old and self.is_active):
                # Also for who is cancelled: nobody else knows of a second connection.
                self.peer = None if peer is self.peer else self.peer
                closing = self._plugin.soon(peer.close())
                if isinstance(error, XnbError):
                    await asyncio.shield(closing)
            if isinstance(error, XnbError):
                words = f"Error parsing offer: {error.message}"
                raise PluginError(INVALID_SDP, words) from None
            raise
        if self.peer is not (old or peer):  # put out meanwhile
            await peer.close()
            raise PluginError(NO_SUCH_ROOM, "No such room")
        if old and peer is not old:
            self._move(old, peer)
        self._follow_lines(peer)
        self._describe(described)
        if self.is_active:
            self._announce()
        return {"type": "answer", "sdp": answer}

    def _peer_for(self, sdp: str) -> RoomPeer:
        """The connection that an offer is for: a new one if it is the first, or restarts ICE."""
        if self.peer and not self.peer.is_restart(sdp):
            return self.peer
        peer = RoomPeer(ice=self._plugin.options.ice, name="publisher")
        peer.on_up = self.link.webrtcup if self.is_active else self._up
        peer.on_gone = self._gone
        self.peer = self.peer or peer
        return peer

    def _move(self, old: RoomPeer, peer: RoomPeer) -> None:
        """Go on with a new connection; subscribers notice nothing but a keyframe."""
        self.peer, old.on_gone = peer, None
        lines = {line.mid: line for line in peer.received}
        for stream in self.streams:
            if stream.mid in lines:
                stream.move(lines[stream.mid])
                self._watch.listen(stream)
            else:
                stream.line.is_active = False
        recording, self.recording = self.recording, None
        if recording:
            self._plugin.soon(recording.close())
        self._plugin.soon(old.close())

    def _follow_lines(self, peer: RoomPeer) -> None:
        known = {stream.line for stream in self.streams}
        for line in peer.received:
            if line not in known:
                stream = FeedStream(self, line)
                self.streams.append(stream)
                self._watch.listen(stream)

    def _describe(self, described: dict[str, str]) -> bool:
        """Put descriptions to the streams that there are; whether one changed."""
        changed = False
        for stream in self.streams:
            description = described.get(stream.mid, stream.description)
            changed = changed or description != stream.description
            stream.description = description
        return changed

    def _configure_streams(self, body: Json) -> None:
        for stream in self.streams:
            self._watch.follow(stream)
        if flag(body, "keyframe"):
            self.request_keyframe()
        for kind in ("audio", "video"):  # as before Janus 1.0
            sending = flag(body, kind)
            if sending is not None:
                for stream in [one for one in self.streams if one.kind == kind][:1]:
                    stream.silence(sending=sending)
        for one in items(body, "streams") or ():
            mid = text(one, "mid")
            if mid is None:
                raise PluginError(
                    INVALID_ELEMENT, "Invalid value (mid can't be null in a streams array)"
                )
            stream = self.stream(mid, "published")
            stream.silence(sending=flag(one, "send"))
            if flag(one, "keyframe"):
                stream.incoming.request_keyframe()

    def stream(self, mid: str, words: str = "") -> FeedStream:
        """A stream of this participant.

        Raises:
            PluginError: It has none with that mid (428).
        """
        for stream in self.streams:
            if stream.mid == mid:
                return stream
        said = f"No such mid '{mid}' {words}" if words else f"No such stream {mid}"
        raise PluginError(NO_SUCH_FEED, said)

    def _published(self) -> Json:
        told: Json = {}
        for kind in ("audio", "video"):
            codec = next((one.codec for one in self.streams if one.kind == kind), None)
            if codec:
                told[f"{kind}_codec"] = codec
        return told | {"streams": [one.shown() for one in self.streams]}

    # Media

    def limit(self) -> None:
        """Tell the client how much video it may send (REMB)."""
        for stream in self.streams:
            if stream.kind == "video":
                stream.incoming.limit_bitrate(self, self.bitrate_bps or None)

    def request_keyframe(self) -> None:
        """Ask for a keyframe of all pictures."""
        for stream in self.streams:
            stream.incoming.request_keyframe()

    def _up(self) -> None:
        self.link.webrtcup()
        self.is_active = True
        self._watch.start()
        self._announce()
        self.limit()
        self._plugin.soon(self._follow_recording({}))

    def _announce(self) -> None:
        self.room.tell(self.event(publishers=[self.shown()]), but=self)

    async def _follow_recording(self, body: Json) -> None:
        """Begin or end recording, as it is wanted now."""
        wanted = self._record and self.is_active and bool(self.streams)
        if not wanted and self.recording:
            recording, self.recording = self.recording, None
            await recording.close()
        elif wanted and self.recording is None:
            self.recording = FeedRecording.begin(
                self._plugin.options.recordings, self, text(body, "filename") or self._filename
            )

    async def record(self, wanted: bool) -> None:
        """``enable_recording`` of the room."""
        self._record = wanted
        await self._follow_recording({})

    # The end

    def _gone(self, reason: str) -> None:
        self.link.hangup(reason)
        self._plugin.soon(self.unpublish())

    async def unpublish(self) -> None:
        """Close the publishing connection; all who showed it are told. May be called again."""
        # To its end, also when the client detaches meanwhile and whoever waits is cancelled.
        await asyncio.shield(self._stop_publishing())

    def _stop_publishing(self) -> asyncio.Task[None]:
        """The same at once, as far as that is possible; the task does the rest."""
        peer, self.peer = self.peer, None
        was_active, self.is_active = self.is_active, False
        streams, self.streams = self.streams, []
        self._watch.stop()
        lost: dict[Subscriber, list[Subscription]] = {}
        for stream in streams:
            for subscription in tuple(stream.subscriptions):
                subscription.show(None)
                lost.setdefault(subscription.subscriber, []).append(subscription)
        for subscriber, subscriptions in lost.items():
            subscriber.lost(subscriptions)
        if was_active:
            self.room.tell(self.told_of_leaving("unpublished"), but=self)
        recording, self.recording = self.recording, None
        return self._plugin.soon(self._let_go(peer, recording))

    async def _let_go(self, peer: RoomPeer | None, recording: FeedRecording | None) -> None:
        if recording:
            await recording.close()
        if peer:
            await peer.close()

    async def leave(self) -> None:
        """Leave the room, and tell everybody. May be called again."""
        await asyncio.shield(self._leave("leaving"))

    def _leave(self, how: str) -> asyncio.Task[None]:
        """The same at once, as far as that is possible; the task does the rest.

        Its subscriptions end, too, where the room knows them to be its: with ``require_pvtid``.
        Otherwise anybody may name anybody's private id.
        """
        room = self.room
        was_in = room.participants.get(self.id) is self
        if was_in:
            del room.participants[self.id]
            if room.settings.require_pvtid:
                for one in room.subscribers:
                    if one.private_id == self.private_id:
                        one.link.hangup("Close PC")
                        self._plugin.soon(one.close())
        closing = self._stop_publishing()
        if was_in:
            room.tell(self.told_of_leaving(how), but=self)
        return closing

    async def kick(self) -> None:
        """A moderator puts it out; everybody is told."""
        await asyncio.shield(self.put_out())

    def put_out(self) -> asyncio.Task[None]:
        """The same at once, as far as that is possible; the task does the rest."""
        self.is_kicked = True
        self.link.event(self.event(leaving="ok", reason="kicked"))
        was_up = self.peer is not None
        closing = self._leave("kicked")
        if was_up:
            self.link.hangup("Close PC")
        return closing

    def moderate(self, mid: str, muted: bool) -> None:
        """A moderator silences one of its streams, or lets it speak again; everybody is told.

        Raises:
            PluginError: It has no such stream (428).
        """
        stream = self.stream(mid)
        stream.silence(moderated=muted)
        if muted:
            self._watch.silence(stream)
        moderation = "muted" if muted else "unmuted"
        self.room.tell(self.event(id=self.id, mid=mid, moderation=moderation))

    # What is shown

    def listed(self) -> Json:
        """What ``listparticipants`` says of it."""
        return self.introduced() | {"publisher": self.is_active} | self._talking()

    def _talking(self) -> Json:
        talks = [stream.talk for stream in self.streams if stream.talk]
        return {"talking": any(talk.is_talking for talk in talks)} if talks else {}

    def shown(self) -> Json:
        """What other participants are told of it."""
        return self.introduced() | self._published() | self._talking()

    def count(self) -> Json:
        """Packets and bytes that came."""
        streams = [one.count() for one in self.streams]
        return {"id": self.id, "display": self.display, "streams": streams}
