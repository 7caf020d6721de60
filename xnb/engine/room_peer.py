"""A room's end of a connection: any number of m-lines, in which packets come or are forwarded.

A participant's publishing connection offers to send (:meth:`RoomPeer.answer`); a subscribing one
is offered what others send (:meth:`RoomPeer.add_line`, :meth:`RoomPeer.offer`), later also more of
it or less. Nothing is decoded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, cast

from aiortc import InvalidStateError, RTCRtpCodecCapability, RTCRtpTransceiver

from ..errors import SignalingError
from ..settings import IceSettings, Timeouts, VideoCodec
from .codecs import audio_preferences, video_preferences
from .connection import MAX_REMOTE_CANDIDATES, Connection, PeerState
from .receive import Incoming
from .remote_clock import RemoteClock
from .room_lines import Kind, ReceivedLine, SentLine
from .sdp_lines import OfferedLines, Section, common_codecs, split

ROOM_TIMEOUTS = Timeouts(connect_s=30.0, dead_peer_s=20.0)
GONE_S = 10.0
"""A far end that has been silent for ``dead_peer_s`` may be so for this long more."""
MAX_LINES = 64
"""More m-lines in one connection are refused."""

_CLOSED = "The connection was closed meanwhile."

Gone = Literal["ICE failed", "DTLS failed", "DTLS alert"]


class RoomPeer(Connection):
    """One connection between a room and a participant.

    Args:
        ice: Servers and policy of the room's side.
        timeouts: ``connect_s`` and ``dead_peer_s`` are used here.
        gone_s: Seconds a connection stays after ``dead_peer_s`` of silence.
        name: For log lines.

    Attributes:
        received: M-lines in which the far end sends.
        sent: M-lines into which packets are forwarded.
        on_up: Called once, when media can flow.
        on_gone: Called once, with the reason in Janus' words, when the connection broke by
            itself; it is to be closed then.

    Example:
        >>> publisher, viewer = RoomPeer(), RoomPeer()
        >>> answer = await publisher.answer(offer, {"audio": ["opus"], "video": ["vp8"]})
        >>> line = viewer.add_line("video", "vp8")
        >>> line.play(publisher.received[1].incoming)
        >>> offer = await viewer.offer()
    """

    def __init__(
        self,
        *,
        ice: IceSettings | None = None,
        timeouts: Timeouts = ROOM_TIMEOUTS,
        gone_s: float = GONE_S,
        name: str = "",
    ) -> None:
        super().__init__(ice=ice, timeouts=timeouts, name=name)
        self.received: list[ReceivedLine] = []
        self.sent: list[SentLine] = []
        self.on_up: Callable[[], None] | None = None
        self.on_gone: Callable[[Gone], None] | None = None
        self._gone_s = gone_s
        self._lines = OfferedLines()
        self._clock = RemoteClock()
        self._trickled: set[str] = set()
        self._waiting: asyncio.TimerHandle | None = None
        self._was_up = False
        self._is_gone = False

    def _require_open(self) -> None:
        if self._closing:
            raise SignalingError(_CLOSED)

    # The far end offers

    async def answer(
        self, sdp: str, codecs: Mapping[str, Sequence[str]], *, send_back: bool = False
    ) -> str:
        """Take an offer, the first one or a later one, and give the answer.

        M-lines of another kind, or without a codec that is allowed, are rejected.

        Args:
            sdp: The offer. Host names that hide addresses (``.local``) are left out.
            codecs: Allowed codecs of ``"audio"`` and ``"video"``, the best first.
            send_back: Also send, into the same m-lines; see :attr:`ReceivedLine.back`.

        Raises:
            SignalingError: It cannot be read, or has nothing in common with what is allowed.
            ConnectError: This machine has no address.
        """
        self._require_open()
        _, sections = split(sdp)
        if len(sections) > MAX_LINES:
            raise SignalingError(
                f"{len(sections)} m-lines are offered.", remedy=f"At most {MAX_LINES} are taken."
            )
        chosen: dict[str, str] = {}
        for section, shared in zip(sections, common_codecs(sdp), strict=True):
            codec = next((one for one in codecs.get(section.kind, ()) if one in shared), None)
            if codec and section.mid and not section.is_rejected:
                chosen[section.mid] = codec
        reduced = self._lines.reduced(sdp, list(chosen))
        known = {line.mid: line for line in self.received}
        for index, section in enumerate(sections):
            if section.mid in self._lines.mids and section.mid not in known:
                known[section.mid] = self._receive(section, index, chosen[section.mid], send_back)
        self._tune()
        await self._set_remote(reduced, "offer")
        try:
            answer = self._lines.restored(await self.make_answer())
        except InvalidStateError:
            raise SignalingError(_CLOSED) from None
        for section in sections:
            if section.mid in known:
                known[section.mid].is_active = section.sends
        self._expect_up()
        return answer

    def is_restart(self, sdp: str) -> bool:
        """Whether an offer restarts ICE, which takes a new connection.

        Raises:
            SignalingError: It cannot be read.
        """
        return self._lines.is_restart(sdp)

    def _receive(self, section: Section, index: int, codec: str, send_back: bool) -> ReceivedLine:
        kind = cast(Kind, section.kind)
        transceiver = self.pc.addTransceiver(
            kind, direction="sendrecv" if send_back else "recvonly"
        )
        transceiver.setCodecPreferences(_preferences(kind, codec))
        same = [line for line in self.received if line.kind == kind]
        incoming = Incoming(kind, self._clock, kind if not same else f"{kind} {index}")
        line = ReceivedLine(kind, section.mid, index, incoming)
        line.codec = codec
        if send_back:
            line.back = self._send(transceiver, codec)
            self.streams.receive(transceiver, incoming, local_ssrc=line.back.stream.ssrc)
        else:
            self.streams.receive(transceiver, incoming)
        self.received.append(line)
        return line

    # We offer

    def add_line(self, kind: Kind, codec: str) -> SentLine:
        """A line to send in, from the next offer on: a new one, or one that is not used any more.

        Args:
            kind: ``"audio"`` or ``"video"``.
            codec: Of what will be sent, in lower case.

        Raises:
            SignalingError: There are too many already, or it is closed.
        """
        self._require_open()
        for line in self.sent:
            if line.kind == kind and line.transceiver.direction == "inactive":
                line.codec = codec
                line.transceiver.direction = "sendonly"
                line.transceiver.setCodecPreferences(_preferences(kind, codec))
                return line
        if len(self.sent) >= MAX_LINES:
            raise SignalingError(
                f"There are {MAX_LINES} m-lines already.", remedy="Unsubscribe from some first."
            )
        transceiver = self.pc.addTransceiver(kind, direction="sendonly")
        transceiver.setCodecPreferences(_preferences(kind, codec))
        line = self._send(transceiver, codec)
        self.sent.append(line)
        self._tune()
        return line

    def _send(self, transceiver: RTCRtpTransceiver, codec: str) -> SentLine:
        def opened() -> None:
            line.opened()

        line = SentLine(transceiver, self.streams.send(transceiver, on_open=opened), codec)
        return line

    def drop_line(self, line: SentLine) -> None:
        """Send nothing there any more; the next offer says so, and the line may be used anew."""
        line.close()
        line.transceiver.direction = "inactive"

    async def offer(self) -> str:
        """Gather candidates and give an offer of all lines.

        Raises:
            SignalingError: It was closed meanwhile.
            ConnectError: This machine has no address.
        """
        try:
            return await self._offer()
        except InvalidStateError:
            raise SignalingError(_CLOSED) from None

    async def take_answer(self, sdp: str) -> None:
        """Take the far end's answer to :meth:`offer`. Lines that it rejects stay silent.

        Raises:
            SignalingError: It is not SDP, or does not fit the offer.
        """
        if self.pc.signalingState != "have-local-offer":
            raise SignalingError("An answer came to no offer.", remedy="Ask for an offer first.")
        await self.apply_answer(sdp)
        self._expect_up()

    @property
    def is_offering(self) -> bool:
        """Whether an offer of ours waits for its answer."""
        return bool(self.pc.signalingState == "have-local-offer")

    # Candidates and states

    async def add_candidate(self, candidate: str, mid: str | None, index: int | None) -> None:
        """Add a candidate of the far end (trickle ICE, RFC 8838).

        All of a bundle belong to one transport, so whose line they name does not matter, and each
        is taken once.
        """
        transceivers = self.pc.getTransceivers()
        if not transceivers or transceivers[0].mid is None:
            return  # there is no description that they could belong to
        if candidate in self._trickled or len(self._trickled) >= MAX_REMOTE_CANDIDATES:
            return
        self._trickled.add(candidate)
        await super().add_candidate(candidate, transceivers[0].mid, None)

    def _expect_up(self) -> None:
        if not self._was_up:
            self._wait(self.timeouts.connect_s)

    def _wait(self, timeout_s: float) -> None:
        self._stop_waiting()
        self._waiting = asyncio.get_running_loop().call_later(timeout_s, self._lost)

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting.cancel()
            self._waiting = None

    def _lost(self) -> None:
        self._waiting = None
        self._tell_gone("DTLS failed" if self.state is PeerState.DTLS else "ICE failed")

    def _go(self, state: PeerState, text: str) -> None:
        before = self.state
        super()._go(state, text)
        if self.state is before:
            return
        if self.state is PeerState.CONNECTED:
            self._stop_waiting()
            if not self._was_up:
                self._was_up = True
                if self.on_up:
                    self.on_up()
        elif self.state is PeerState.DISCONNECTED:
            self._wait(self._gone_s)
        elif self.state is PeerState.FAILED:
            self._tell_gone("DTLS failed" if before is PeerState.DTLS else "ICE failed")
        elif self.state is PeerState.CLOSED:
            self._tell_gone("DTLS alert")

    def _tell_gone(self, reason: Gone) -> None:
        self._stop_waiting()
        if not self._is_gone and not self._closing:
            self._is_gone = True
            if self.on_gone:
                self.on_gone(reason)

    @property
    def is_up(self) -> bool:
        """Whether media can flow."""
        return self.state in (PeerState.CONNECTED, PeerState.DISCONNECTED)

    async def _stop_sending(self) -> None:
        self._stop_waiting()
        for line in self.sent:
            line.close()

    def _stop_receiving(self) -> None:
        for line in self.received:
            line.close()


def _preferences(kind: Kind, codec: str) -> list[RTCRtpCodecCapability]:
    return audio_preferences() if kind == "audio" else video_preferences(cast(VideoCodec, codec))
