"""One m-line of a connection to a room: what comes in it, and what is forwarded into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .forward import Link, Wishes
from .receive import Incoming
from .rtp.outbound import OutboundStream

if TYPE_CHECKING:
    from aiortc import RTCRtpTransceiver

Kind = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class LineCount:
    """Packets of one m-line so far.

    Attributes:
        packets: That came, or that were sent; without retransmissions when sent.
        octets: Of payload that came, or of whole packets that were sent.
        lost: That never came, or that the far end asked for again.
    """

    packets: int
    octets: int
    lost: int


class ReceivedLine:
    """An m-line in which the far end sends.

    Attributes:
        kind: ``"audio"`` or ``"video"``.
        mid: Its name (RFC 5888).
        index: Its place among all m-lines of the far end's offer, from 0.
        codec: The negotiated one, in lower case.
        incoming: What comes; packets, and frames for who asks.
        is_active: Whether the far end's last offer sends in it.
        back: What is sent into the same m-line, in a connection that sends both ways.
    """

    def __init__(self, kind: Kind, mid: str, index: int, incoming: Incoming) -> None:
        self.kind = kind
        self.mid = mid
        self.index = index
        self.codec = ""
        self.incoming = incoming
        self.is_active = False
        self.back: SentLine | None = None

    def __repr__(self) -> str:
        return f"<ReceivedLine {self.mid} {self.kind} {self.codec}>"

    def count(self) -> LineCount:
        """What came so far."""
        stream = self.incoming.stream
        received = stream.received if stream else 0
        return LineCount(received, self.incoming.bytes, self.incoming.lost)

    def close(self) -> None:
        """Hear nothing any more. May be called again."""
        self.incoming.close()
        if self.back:
            self.back.close()


class SentLine:
    """An m-line into which packets of one source at a time are forwarded.

    Args:
        transceiver: aiortc's m-line.
        stream: Ours.
        codec: What is offered in it, in lower case.

    Attributes:
        source: What is forwarded, or is about to be; ``None`` without one.
    """

    def __init__(self, transceiver: RTCRtpTransceiver, stream: OutboundStream, codec: str) -> None:
        self.transceiver = transceiver
        self.stream = stream
        self.codec = codec
        self.source: Incoming | None = None
        self._wishes: Wishes | None = None
        self._link: Link | None = None
        self._next: Link | None = None
        self._paused = False
        self._is_open = False

    def __repr__(self) -> str:
        return f"<SentLine {self.mid} {self.kind} {self.codec}>"

    @property
    def kind(self) -> Kind:
        """``"audio"`` or ``"video"``."""
        return self.stream.kind

    @property
    def mid(self) -> str | None:
        """Its name, once it has been offered."""
        mid: str | None = self.transceiver.mid
        return mid

    @property
    def is_ready(self) -> bool:
        """Whether it is negotiated and the connection is up."""
        return self._is_open and self.stream.is_open

    @property
    def is_flowing(self) -> bool:
        """Whether packets of the source leave."""
        return self._link is not None and self._link.is_flowing

    def play(self, source: Incoming | None, wishes: Wishes | None = None) -> None:
        """Forward ``source`` from now on, pictures from a keyframe on; ``None`` stops at once.

        What was forwarded before goes on until the keyframe comes. Before the line is negotiated
        nothing is asked of the source.

        Args:
            source: Must be of the same kind and codec.
            wishes: Where keyframe requests and limits of this sink go.
        """
        self.source, self._wishes = source, wishes
        if self._next:
            self._next.close()
            self._next = None
        if source is not None:
            self._begin()
        elif self._link:
            self._link.close()
            self._link = None

    def opened(self) -> None:
        """The line is negotiated, for the first time or again."""
        self._is_open = True
        if self._link is None and self._next is None:
            self._begin()

    def _begin(self) -> None:
        if self.source is None or not self.is_ready:
            return
        self._next = Link(self.source, self.stream, on_start=self._started, asks=self._wishes)
        if self._paused:
            self._next.pause()

    def _started(self) -> None:
        if self._next:
            old, self._link, self._next = self._link, self._next, None
            if old:
                old.close()

    def pause(self, paused: bool) -> None:
        """Send nothing for a while, or go on; pictures from a keyframe on, which is asked for."""
        if paused == self._paused:
            return
        self._paused = paused
        for link in (self._link, self._next):
            if link and paused:
                link.pause()
            elif link:
                link.resume()

    @property
    def dropped(self) -> int:
        """Packets of the present source that were not sent on."""
        link = self._next or self._link
        return link.dropped if link else 0

    def count(self) -> LineCount:
        """What was sent so far."""
        stream = self.stream
        return LineCount(stream.packets, stream.bytes, stream.retransmitted)

    def close(self) -> None:
        """Send nothing any more, until it is negotiated anew. May be called again."""
        self._is_open = False
        self.play(None)
