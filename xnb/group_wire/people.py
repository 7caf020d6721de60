"""Who is in a group's room, and the connections over which they come."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from ..engine.peer import PeerState
from ..errors import SfuError, XnbError
from ..participants import Participant
from ..signaling.audiospace import AudioSpace, SpaceStatus
from ..signaling.bootstrap import Bootstrap
from ..signaling.janus import Feed, FeedId, JanusError, Joined
from ..signaling.messages import User
from .subscription import Room, Subscription, layers_of, sound_of, with_streams

if TYPE_CHECKING:
    from ..group_call import GroupCall

TICK_S = 0.5
"""How often is looked at what comes from everybody: muted, camera, path, layer."""
PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Pauses before somebody whose connection broke is received again."""
NO_FEED = 428

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class People:
    """The others in the room: who they are, what they send, and receiving it.

    Args:
        call: Told of who comes, goes and changes.
        bootstrap: Looks people up.
        space: Tells of the call's members.
        spawn: Runs something in the background, until the call ends.

    Attributes:
        broadcast_id: The call, once it has an id.
        me: Our own id in the room.
        my_name: What we are called there.
    """

    def __init__(
        self, call: GroupCall, bootstrap: Bootstrap, space: AudioSpace, spawn: Spawn
    ) -> None:
        self.broadcast_id = ""
        self.me: FeedId = ""
        self.my_name = ""
        self._call = call
        self._bootstrap = bootstrap
        self._space = space
        self._spawn = spawn
        self._room: Room | None = None
        self._by_feed: dict[FeedId, Participant] = {}
        self._feeds: dict[FeedId, Feed] = {}
        self._handles: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._receiving: dict[str, asyncio.Task[None]] = {}

    @property
    def room(self) -> Room | None:
        """Where we are, while we are in it."""
        return self._room

    def learn(self, people: Sequence[User]) -> None:
        """Remember what these are called."""
        self._handles.update({one.id: one.handle for one in people if one.id and one.handle})

    def greet(self, room: Room, joined: Joined) -> None:
        """Receive everybody who is in the room; who is not there any more after a while is lost."""
        self._room, self.me = room, joined.id
        self._by_feed.clear()
        self._feeds.clear()
        here = {self._aliases.get(one, one) for one in map(_user_of, joined.publishers)}
        for person_id, display in joined.attendees:
            self.joining(person_id, display)
            here.add(display or str(person_id))
        for person in self._call.participants:
            person._feed = None
        self.publishers(joined.publishers)
        for person in self._call.participants:
            if person.id not in here:
                self._spawn(self._miss(person))

    async def _miss(self, person: Participant) -> None:
        """Somebody was there before we lost the room: they may be on their way back, too."""
        await asyncio.sleep(self._call.options.timeouts.reconnect_s)
        if person._feed is None and person not in self._by_feed.values():
            self._call._gone(person, "lost")

    # People

    def _person(self, user_id: str) -> Participant:
        user_id = self._aliases.get(user_id, user_id)
        known = self._call._people.get(user_id)
        if known is None:
            known = self._call._new_person(user_id, self._handles.get(user_id, ""))
            known._on_layer = self.want_layers
            self._spawn(self._introduce(known))
        return known

    async def _introduce(self, person: Participant) -> None:
        """Find out who it is, then tell."""
        if person.id not in self._handles:
            with contextlib.suppress(XnbError):
                self.take_status(await self._space.status(self.broadcast_id))
        if person.id not in self._handles:
            with contextlib.suppress(XnbError):
                self._handles[person.id] = (await self._bootstrap.resolve(person.id)).handle
        if person.id in self._aliases:
            self._call._is_really(person, self._aliases[person.id])
        person.name = self._handles.get(person.id) or person.name
        self._call._came(person)

    def take_status(self, status: SpaceStatus) -> None:
        """Learn the handles, and who the host is, from the server's status."""
        self._handles.update({one.user_id: one.handle for one in status.members if one.handle})
        self._aliases.update({one.periscope_id: one.user_id for one in status.members})
        if status.host_handle:
            self._handles[status.host_id] = status.host_handle
        self._call._host_is(status.host_id)

    def joining(self, feed_id: FeedId, display: str) -> None:
        """Somebody came without sending yet."""
        user_id = display or str(feed_id)
        if feed_id != self.me and not self._is_me(user_id):
            self._by_feed[feed_id] = self._person(user_id)

    def _is_me(self, user_id: str) -> bool:
        return user_id == self.my_name

    def publishers(self, feeds: tuple[Feed, ...]) -> None:
        """These people send, or send something else than before."""
        for feed in feeds:
            user_id = _user_of(feed)
            if feed.id == self.me or self._is_me(user_id):
                continue
            person = self._by_feed[feed.id] = self._person(user_id)
            self._feeds.pop(feed.id, None)
            self._feeds[feed.id] = feed  # the newest last
            if self._feed_of(person) is not feed:
                continue
            before, person._feed = person._feed, feed
            person.is_muted_by_host = _is_moderated(feed)
            if feed.is_talking is not None:
                self._call._talks(person, feed.is_talking)
            if before is None or _sent(before) != _sent(feed) or person._subscription is None:
                self._receive(person)
            self._call._changed(person)

    def unpublished(self, feed_id: FeedId) -> None:
        """Somebody stopped sending and stays."""
        person = self._by_feed.get(feed_id)
        if person and self._forget_feed(person, feed_id):
            self._receive(person)
            self._call._talks(person, False)

    def leaving(self, feed_id: FeedId, reason: str) -> None:
        """Somebody left; ``reason`` is empty or ``"kicked"``."""
        person = self._by_feed.pop(feed_id, None)
        if person is None:
            return
        if self._forget_feed(person, feed_id):
            self._receive(person)
        if person._feed is None and person not in self._by_feed.values():
            self._call._gone(person, "kicked" if reason == "kicked" else "left")

    def _forget_feed(self, person: Participant, feed_id: FeedId) -> bool:
        """It is not sent any more; whether they are received by another one now, or not at all."""
        self._feeds.pop(feed_id, None)
        if person._feed is None or person._feed.id != feed_id:
            return False
        person._feed = self._feed_of(person)
        if person._feed:
            person.is_muted_by_host = _is_moderated(person._feed)
        return True

    def _feed_of(self, person: Participant) -> Feed | None:
        """What counts of somebody who is in the room more than once.

        The one with their own id, which nobody else can have as long as they are there; only the
        name is free to choose on some servers. They do without it when they come back before the
        room let go of their old connection: then the newest one counts, as soon as the old one
        is gone or sends no more.
        """
        theirs = [feed for one, feed in self._feeds.items() if self._by_feed.get(one) is person]
        own = [feed for feed in theirs if str(feed.id) == _user_of(feed)]
        return next(reversed(own or theirs), None)

    def feed_ids(self, person: Participant) -> tuple[FeedId, ...]:
        """Somebody's ids in the room: usually one."""
        return tuple(one for one, who in self._by_feed.items() if who is person)

    def talking(self, feed_id: FeedId, talks: bool, level_dbov: float) -> None:
        """Somebody began or stopped to talk."""
        person = self._by_feed.get(feed_id)
        if person and person._feed and person._feed.id == feed_id:
            person._room_level_dbov = level_dbov
            self._call._talks(person, talks)

    def moderated(self, feed_id: FeedId, mid: str, muted: bool) -> None:
        """The host muted a stream of somebody, or took that back."""
        person = self._by_feed.get(feed_id)
        if person and person._feed and (feed_id, mid) == (person._feed.id, sound_of(person._feed)):
            person.is_muted_by_host = muted
            self._look_at(person)

    # Receiving

    def _receive(self, person: Participant) -> None:
        """Begin, end or renew the connection to somebody, after what is under way for them."""
        before = self._receiving.get(person.id)
        if before:
            before.cancel()
        self._receiving[person.id] = self._spawn(self._hold(person, before))

    async def _hold(self, person: Participant, before: asyncio.Task[None] | None) -> None:
        """Receive somebody until they stop sending; again whenever the connection breaks."""
        if before:
            await asyncio.gather(before, return_exceptions=True)
        broken = asyncio.Event()
        attempt = 0
        while True:
            await self._let_go(person)
            room = self._room
            if person._feed is None or room is None or person.id not in self._call._people:
                return
            broken.clear()
            begun_s = time.monotonic()
            try:
                await self._hold_once(person, room, broken)
            except XnbError as error:
                if isinstance(error, JanusError) and error.code == NO_FEED and person._feed:
                    self._forget_feed(person, person._feed.id)
            if time.monotonic() - begun_s > PAUSES_S[-1]:
                attempt = 0
            await asyncio.sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
            attempt += 1

    async def _hold_once(self, person: Participant, room: Room, broken: asyncio.Event) -> None:
        """Receive somebody until the connection breaks."""
        assert person._feed is not None
        feed = person._feed = await with_streams(room, person._feed)
        layers = layers_of(feed) if self._call.options.video else {}
        if not layers and sound_of(feed) is None:
            await broken.wait()  # nothing to receive: until they send something else
        layer = person._layer_for(layers)
        subscription = Subscription(room, feed, layers, layer, person.name, broken.set)
        person._subscribed(subscription, self._call._started_s)
        self._call._received(person)
        await subscription.open()
        await subscription.peer.wait_connected()
        self._call._changed(person)
        await broken.wait()

    async def _let_go(self, person: Participant, *, detach: bool = True) -> None:
        subscription, person._subscription = person._subscription, None
        if subscription:
            self._call._received(person)
            await subscription.close(detach=detach)

    async def tick(self) -> None:
        """Look at what comes from everybody, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            for person in self._call.participants:
                self._look_at(person)
                subscription = person._subscription
                if subscription and subscription.peer.state is PeerState.CONNECTED:
                    reading = subscription.reading()
                    if reading:
                        person._chooser.read(reading, now_s)
            self.want_layers()

    def _look_at(self, person: Participant) -> None:
        if person._changed(time.monotonic()):
            self._call._changed(person)

    def want_layers(self) -> None:
        """Ask for the layers that tiles and paths call for now."""
        for person in self._call.participants:
            subscription = person._subscription
            if subscription is None or subscription.peer.state is not PeerState.CONNECTED:
                continue
            wanted = person._layer_for(subscription.available)
            if wanted != subscription.layer and not subscription.is_switching:
                self._spawn(self._change_layer(person, subscription))

    async def _change_layer(self, person: Participant, subscription: Subscription) -> None:
        try:
            await subscription.set_layer(person._layer_for(subscription.available))
        except SfuError as error:
            self._call._nonfatal(error)
        self._call._changed(person)

    async def stop(self) -> None:
        """Receive nobody any more; the participants stay, without media. May be called again."""
        self._room = None
        tasks = tuple(self._receiving.values())
        self._receiving.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(
            *(self._let_go(person, detach=False) for person in tuple(self._call._people.values())),
            return_exceptions=True,
        )

    def missing(self, sending: set[FeedId]) -> set[FeedId]:
        """Those of ``sending`` whom we do not know."""
        return sending - {self.me} - set(self._by_feed)

    def only(self, here: set[FeedId]) -> None:
        """Whoever is not in ``here`` has left."""
        for feed_id in set(self._by_feed) - here:
            self.leaving(feed_id, "")


def _user_of(feed: Feed) -> str:
    return feed.user_id or feed.display or str(feed.id)


def _is_moderated(feed: Feed) -> bool:
    """Whether the host stopped somebody's sound."""
    sound = sound_of(feed)
    return any(one.is_moderated for one in feed.streams if one.mid == sound)


def _sent(feed: Feed) -> tuple[Any, ...]:
    """What counts of what somebody sends: other than this, nothing needs a new connection."""
    return (feed.id, *((s.kind, s.mid, s.description, s.is_disabled) for s in feed.streams))
