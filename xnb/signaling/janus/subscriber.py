"""Somebody who receives what others in a room send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import JanusError
from .feeds import FeedId, Offered, SubscribedStream, Wanted, sdp_of, subscribed_in
from .handle import Event, JanusHandle, Reply, call
from .in_room import InRoom
from .session import JanusSession


class Subscriber(InRoom):
    """A subscription, on a handle and a peer connection of its own.

    The server offers and we answer: :meth:`subscribe` gives the first offer, :meth:`update` and
    ``on_offer`` later ones, and each is answered with :meth:`start`, one after the other.

    Args:
        session: An open session.
        room: The room's id.
        pin: The room's pin.
        user_id: Our X user id, for the ``gateway`` dialect.

    Attributes:
        streams: The m-lines as the server last described them.
        on_offer: Told each offer that the server makes by itself, because somebody left or
            because an :meth:`update` had to wait.
        on_webrtcup: Told that media flow.
        on_hangup: Told why the peer connection is gone on the server.
        on_left: Told that the subscription or the room has ended on the server.

    Example:
        >>> theirs = Subscriber(session, 12)
        >>> offered = await theirs.subscribe([Wanted(feed.id)])
        >>> await peer.apply_offer(offered.sdp)
        >>> await theirs.start(await peer.make_answer())
    """

    def __init__(
        self,
        session: JanusSession,
        room: FeedId,
        *,
        pin: str | None = None,
        user_id: str | None = None,
    ) -> None:
        super().__init__(session, room, user_id)
        self.streams: tuple[SubscribedStream, ...] = ()
        self.on_offer: Callable[[Offered], None] | None = None
        self.on_webrtcup: Callable[[], None] | None = None
        self.on_hangup: Callable[[str], None] | None = None
        self.on_left: Callable[[], None] | None = None
        self._pin = pin
        session.hide(pin)

    async def subscribe(
        self,
        streams: Sequence[Wanted],
        *,
        private_id: int | None = None,
        autoupdate: bool | None = None,
    ) -> Offered:
        """Begin to receive; gives the server's offer.

        Args:
            streams: What to receive.
            private_id: What :meth:`Publisher.join` gave, for rooms that want it.
            autoupdate: Whether the server offers anew by itself when somebody leaves; it does by
                default.

        Raises:
            JanusError: Nobody or nothing of that name sends (428), there is no such room (426),
                the pin is wrong (433), or as for every request.
        """
        self.session.hide(private_id)
        members = {
            "ptype": "subscriber",
            "streams": [_wanted(one) for one in streams],
            "private_id": private_id,
            "autoupdate": autoupdate,
            "pin": self._pin,
        }
        reply = await self._ask("join", members, with_room=True)
        offered = self._offered(reply)
        if offered is None:
            sdp_of(None, "offer", "subscribe")
            raise AssertionError  # pragma: no cover - sdp_of has raised
        return offered

    async def start(self, answer_sdp: str | None = None) -> None:
        """Answer the last offer, or go on after :meth:`pause`.

        Args:
            answer_sdp: Our answer, with all candidates inside; ``None`` to go on.

        Raises:
            JanusError: No answer is expected (469), it cannot be used (465), or as for every
                request.
        """
        jsep = None if answer_sdp is None else self._description("answer", answer_sdp)
        await self._ask("start", jsep=jsep)

    async def pause(self) -> None:
        """Receive nothing until :meth:`start`.

        Raises:
            JanusError: As for every request.
        """
        await self._ask("pause")

    async def configure(self, mid: str, *, send: bool) -> None:
        """Have one m-line of ours paused, or go on.

        Args:
            mid: Which of ours.
            send: Whether the server sends on it.

        Raises:
            JanusError: As for every request.
        """
        await self._ask("configure", {"streams": [{"mid": mid, "send": send}]})

    async def restart_ice(self) -> Offered | None:
        """Ask for an offer with new ICE credentials, after our network changed.

        Returns:
            The offer, or ``None`` when it comes by ``on_offer``.

        Raises:
            JanusError: As for every request.
        """
        return self._offered(await self._ask("configure", {"restart": True}))

    async def switch(self, mid: str, feed: FeedId, feed_mid: str) -> None:
        """Receive another stream on an m-line of ours, without a new description.

        Args:
            mid: Which of ours.
            feed: Whose stream.
            feed_mid: Which of theirs; of the same codec as before.

        Raises:
            JanusError: Nobody or nothing of that name sends (428), or as for every request.
        """
        wanted = {"feed": feed, "mid": feed_mid, "sub_mid": mid}
        await self._ask("switch", {"streams": [wanted]})

    async def update(
        self,
        subscribe: Sequence[Wanted] = (),
        unsubscribe: Sequence[Wanted | str] = (),
    ) -> Offered | None:
        """Receive more, or less.

        Args:
            subscribe: What to add.
            unsubscribe: What to drop: streams of others, or m-lines of ours by mid.

        Returns:
            The offer to answer; ``None`` when nothing changes, or when an earlier offer is still
            to be answered and the next one comes by ``on_offer``.

        Raises:
            JanusError: Nobody or nothing of that name sends (428), or as for every request.
        """
        members = {
            "subscribe": [_wanted(one) for one in subscribe] or None,
            "unsubscribe": [
                {"sub_mid": one} if isinstance(one, str) else _wanted(one) for one in unsubscribe
            ]
            or None,
        }
        return self._offered(await self._ask("update", members))

    def _offered(self, reply: Reply | Event) -> Offered | None:
        if "streams" in reply.data:
            self.streams = subscribed_in(reply.data["streams"])
        if reply.jsep is None:
            return None
        return Offered(sdp_of(reply.jsep, "offer", "subscribe"), self.streams)

    def _listen(self, handle: JanusHandle) -> None:
        super()._listen(handle)
        handle.on_webrtcup = lambda: call(self.on_webrtcup)
        handle.on_hangup = lambda reason: call(self.on_hangup, reason)
        handle.on_detached = lambda: call(self.on_left)

    def _on_event(self, event: Event) -> None:
        if event.data.get("videoroom") == "destroyed" or event.data.get("left") == "ok":
            call(self.on_left)
            return
        try:
            offered = self._offered(event)
        except JanusError:
            return  # an answer that nobody asked for
        if offered is not None:
            call(self.on_offer, offered)


def _wanted(one: Wanted) -> Mapping[str, Any]:
    return {"feed": one.feed} if one.mid is None else {"feed": one.feed, "mid": one.mid}
