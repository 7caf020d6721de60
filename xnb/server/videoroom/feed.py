"""One published m-line: what a room knows of it, and who is subscribed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...engine.forward import SharedWishes
from ...engine.receive import Incoming
from ...engine.room_lines import Kind, ReceivedLine
from ..janus.plugin import Json
from .talking import TalkDetector

if TYPE_CHECKING:
    from .publisher import Publisher
    from .subscription import Subscription


class FeedStream:
    """One stream of a publisher.

    Args:
        publisher: Whose it is.
        line: Where it comes in.

    Attributes:
        description: What the publisher says of it.
        is_moderated: Whether a moderator silenced it.
        is_sending: Whether its publisher lets it be relayed (``configure`` with ``send``).
        talk: Who talks is told from it; ``None`` for pictures and in rooms that do not ask.
        subscriptions: Those that show it.
        wishes: What their far ends ask for.
        is_arriving: Whether packets came in the last second.
    """

    def __init__(self, publisher: Publisher, line: ReceivedLine) -> None:
        self.publisher = publisher
        self.line = line
        self.description: str | None = None
        self.is_moderated = False
        self.is_sending = True
        self.talk: TalkDetector | None = None
        self.subscriptions: set[Subscription] = set()
        self.wishes = SharedWishes(line.incoming)
        self.is_arriving = False
        self._seen = 0

    def __repr__(self) -> str:
        return f"<FeedStream {self.publisher.id!r} {self.mid} {self.kind}>"

    @property
    def kind(self) -> Kind:
        """``"audio"`` or ``"video"``."""
        return self.line.kind

    @property
    def mid(self) -> str:
        """Its name in the publisher's connection."""
        return self.line.mid

    @property
    def codec(self) -> str:
        """In lower case."""
        return self.line.codec

    @property
    def incoming(self) -> Incoming:
        """Its packets."""
        return self.line.incoming

    @property
    def is_disabled(self) -> bool:
        """Whether the publisher's last offer sends nothing in it."""
        return not self.line.is_active

    @property
    def is_silenced(self) -> bool:
        """Whether its packets go nowhere for now."""
        return self.is_moderated or not self.is_sending

    def silence(self, *, moderated: bool | None = None, sending: bool | None = None) -> None:
        """Let its packets go on, or not."""
        self.is_moderated = self.is_moderated if moderated is None else moderated
        self.is_sending = self.is_sending if sending is None else sending
        for subscription in self.subscriptions:
            subscription.follow()

    def move(self, line: ReceivedLine) -> None:
        """Its publisher has a new connection: go on with what comes there."""
        self.line.close()
        self.line = line
        self.wishes = SharedWishes(line.incoming)
        self._seen = 0
        for subscription in self.subscriptions:
            subscription.line.play(line.incoming, self.wishes)

    def arrival_changed(self) -> bool:
        """Look whether packets came since the last look; whether that is different from before."""
        received = self.line.count().packets
        before, self.is_arriving = self.is_arriving, received != self._seen
        self._seen = received
        return before is not self.is_arriving

    def shown(self) -> Json:
        """What other participants are told of it."""
        told: Json = {"type": self.kind, "mindex": self.line.index, "mid": self.mid}
        if self.is_disabled:
            told["disabled"] = True
            return told
        told["codec"] = self.codec
        if self.description is not None:
            told["description"] = self.description
        if self.is_moderated:
            told["moderated"] = True
        if self.talk:
            told["talking"] = self.talk.is_talking
        return told

    def count(self) -> Json:
        """Packets and bytes that came in it."""
        count = self.line.count()
        return {
            "mid": self.mid,
            "type": self.kind,
            "codec": self.codec,
            "description": self.description,
            "packets": count.packets,
            "bytes": count.octets,
            "lost": count.lost,
            "subscriptions": len(self.subscriptions),
        }
