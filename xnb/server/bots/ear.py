"""What one person of a room sends, as packets that can be sent on."""

from __future__ import annotations

from ...engine.peer import Peer
from ...settings import Timeouts
from ...signaling.janus import Feed, FeedStream, JanusSession, Subscriber, Wanted
from .seat import Door

_TIMEOUTS = Timeouts(connect_s=20.0)
_LOW = "low"


class Ear:
    """A subscription to one feed: its sound and its larger picture.

    Args:
        janus: An open session.
        door: The room.
        feed: Whose.
        name: For log lines.

    Attributes:
        peer: Which receives; nothing is decoded while nobody asks.
    """

    def __init__(self, janus: JanusSession, door: Door, feed: Feed, name: str) -> None:
        self.peer = Peer(timeouts=_TIMEOUTS, name=f"{name}'s ear")
        self._feed = feed
        self._janus = janus
        self._subscriber = Subscriber(janus, door.room, pin=door.pin, user_id=door.user_id)

    async def open(self, private_id: int | None) -> None:
        """Subscribe, and return when media can flow.

        Args:
            private_id: What joining as a publisher gave.

        Raises:
            SfuError: The SFU refused, or does not answer.
            ConnectError: Media could not be connected.
        """
        wanted = [Wanted(self._feed.id, stream.mid) for stream in _main_streams(self._feed)]
        offered = await self._subscriber.subscribe(wanted, private_id=private_id)
        await self.peer.apply_offer(offered.sdp)
        await self._subscriber.start(await self.peer.make_answer())
        await self.peer.wait_connected()

    async def close(self) -> None:
        """Unsubscribe. May be called again."""
        if self._janus.state == "open":
            await self._subscriber.leave()
        await self.peer.close()


def _main_streams(feed: Feed) -> list[FeedStream]:
    """The first sound and the first picture that is not the small one."""
    found: dict[str, FeedStream] = {}
    for stream in feed.streams:
        if stream.description != _LOW and not stream.is_disabled:
            found.setdefault(stream.kind, stream)
    return [stream for kind, stream in found.items() if kind in ("audio", "video")]
