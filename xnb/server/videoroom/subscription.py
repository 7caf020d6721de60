"""One stream of a publisher in one m-line of a subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...engine.room_lines import SentLine
from ..janus.plugin import Json

if TYPE_CHECKING:
    from .feed import FeedStream
    from .subscriber import Subscriber


class Subscription:
    """What a subscriber gets in one m-line.

    Args:
        subscriber: Whose it is.
        line: The m-line.
        index: Its place in the offers to the subscriber.

    Attributes:
        stream: What is shown in it; ``None`` while it is not used.
        is_sending: Whether the subscriber wants it (``configure`` with ``send``).
        crossrefid: The subscriber's own name for it.
    """

    def __init__(self, subscriber: Subscriber, line: SentLine, index: int) -> None:
        self.subscriber = subscriber
        self.line = line
        self.index = index
        self.stream: FeedStream | None = None
        self.is_sending = True
        self.crossrefid: str | None = None
        self._paused = False

    def show(self, stream: FeedStream | None) -> None:
        """Forward this from now on; pictures take over from what was there with a keyframe."""
        if self.stream:
            self.stream.subscriptions.discard(self)
        self.stream = stream
        if stream is None:
            self.line.play(None)
            return
        stream.subscriptions.add(self)
        self.follow()
        self.line.play(stream.incoming, stream.wishes)

    def move(self, line: SentLine) -> None:
        """Go on in an m-line of another connection."""
        self.line.close()
        self.line = line
        if self.stream:
            self.follow()
            line.play(self.stream.incoming, self.stream.wishes)

    def pause(self, paused: bool) -> None:
        """Pause, or go on, with the whole subscriber."""
        self._paused = paused
        self.follow()

    def follow(self) -> None:
        """Send or rest, as all who have a say want it."""
        silenced = self.stream is not None and self.stream.is_silenced
        self.line.pause(self._paused or not self.is_sending or silenced)

    def shown(self) -> Json:
        """What the subscriber is told of it."""
        told: Json = {
            "type": self.line.kind,
            "active": self.stream is not None,
            "mindex": self.index,
            "mid": self.line.mid,
            "ready": self.line.is_ready,
            "send": self.is_sending,
        }
        if self.crossrefid is not None:
            told["crossrefid"] = self.crossrefid
        if self.stream:
            publisher = self.stream.publisher
            told["feed_id"] = publisher.id
            if publisher.display is not None:
                told["feed_display"] = publisher.display
            if publisher.metadata is not None:
                told["feed_metadata"] = publisher.metadata
            told["feed_mid"] = self.stream.mid
            if self.stream.description is not None:
                told["feed_description"] = self.stream.description
            told["codec"] = self.line.codec
        return told

    def count(self) -> Json:
        """Packets and bytes that left in it."""
        count = self.line.count()
        return {
            "mid": self.line.mid,
            "type": self.line.kind,
            "feed": self.stream.publisher.id if self.stream else None,
            "feed_mid": self.stream.mid if self.stream else None,
            "packets": count.packets,
            "bytes": count.octets,
            "retransmitted": count.lost,
            "loss": self.line.stream.loss,
            "limit_bps": self.line.stream.remb_bps,
        }
