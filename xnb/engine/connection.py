"""What every peer connection is made of: ICE settings, descriptions, states, waits that end."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
import re
import time
from collections.abc import Callable

from aiortc import (
    RTCConfiguration,
    RTCIceParameters,
    RTCIceServer,
    RTCIceTransport,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCIceTransportPolicy
from aiortc.sdp import candidate_from_sdp

from ..errors import ConnectError, SignalingError
from ..settings import IceSettings, Timeouts
from . import adapter
from .candidates import with_shared_candidates
from .sdp_lines import without_rejections
from .streams import Streams

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
MAX_REMOTE_CANDIDATES = 64
"""Of one far end, in descriptions and by themselves; further ones are ignored. Each is paired with
all of ours and checked, which also sends packets to whatever address it names."""
_MAX_CANDIDATE_CHARS = 1024

_check_version_once = functools.cache(adapter.check_version)


class PeerState(enum.StrEnum):
    """How far a peer connection got."""

    NEW = "new"
    GATHERING = "gathering"
    SIGNALING = "signaling"
    CHECKING = "checking"
    DTLS = "dtls"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    CLOSED = "closed"


_STUCK = {
    PeerState.NEW: "No description has been exchanged.",
    PeerState.GATHERING: "Collecting local addresses did not finish.",
    PeerState.SIGNALING: "The far end's description did not arrive.",
    PeerState.CHECKING: "No path to the far end was found: no pair of addresses answered.",
    PeerState.DTLS: "A path was found, but the encryption handshake (DTLS) did not finish.",
}
_REMEDY = {
    PeerState.CHECKING: "Check that UDP is allowed between the two machines, or use a TURN server.",
    PeerState.DTLS: "Try again; if it persists, something on the path drops large UDP packets.",
}


class Connection:
    """One connection to one far end; what it carries is for who inherits from it.

    The real ``RTCPeerConnection`` is :attr:`pc`. One transport carries everything (BUNDLE, RFC
    9143). Must be made and used on an event loop.

    Args:
        ice: Servers and policy; no public STUN server is ever used by itself.
        timeouts: ``connect_s`` and ``dead_peer_s`` are used here.
        name: For log lines.

    Attributes:
        streams: Its packets and reports; :class:`~xnb.engine.streams.Streams`.
        on_state: Called with each new state and a sentence about it.
    """

    def __init__(
        self,
        *,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
        name: str = "",
    ) -> None:
        _check_version_once()
        adapter.offer_audio_nack()
        self.ice = ice or IceSettings()
        self.timeouts = timeouts or Timeouts()
        self.name = name
        self.state = PeerState.NEW
        self.on_state: Callable[[PeerState, str], None] | None = None
        self.pc = RTCPeerConnection(
            RTCConfiguration(
                iceServers=[
                    RTCIceServer(list(s.urls), s.username, s.credential) for s in self.ice.servers
                ],
                iceTransportPolicy=(
                    RTCIceTransportPolicy.RELAY
                    if self.ice.relay_only
                    else RTCIceTransportPolicy.ALL
                ),
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            )
        )
        self.streams = Streams(self.pc)
        adapter.keep_fingerprints(self.pc)
        self._tuned = False
        self._stage = PeerState.NEW
        self._failure: ConnectError | None = None
        self._settled = asyncio.Event()
        self._described_at: float | None = None
        self._gathering: asyncio.Future[None] | None = None
        self._remote_candidates: set[str] = set()
        self._closing: asyncio.Task[None] | None = None
        self.pc.on("iceconnectionstatechange", self._on_transport_state)
        self.pc.on("connectionstatechange", self._on_transport_state)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or 'unnamed'} {self.state}>"

    # Negotiation (JSEP, RFC 9429)

    async def _offer(self) -> str:
        """Gather candidates and give an SDP offer that holds them."""
        self._go(PeerState.GATHERING, "Collecting local addresses")
        await self._gather(await self.pc.createOffer())
        self._require_candidates()
        self._go(PeerState.SIGNALING, "Waiting for the far end's answer")
        return str(self.pc.localDescription.sdp)

    async def _gather(self, description: RTCSessionDescription) -> None:
        """Take our description, which opens sockets: to the end, also for who is cancelled."""
        gathering = self._gathering = asyncio.ensure_future(
            self.pc.setLocalDescription(description)
        )
        gathering.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(gathering)

    async def make_answer(self) -> str:
        """Gather candidates and give the SDP answer to the offer that was applied."""
        self._go(PeerState.GATHERING, "Collecting local addresses")
        await self._gather(await self.pc.createAnswer())
        self._require_candidates()
        self._described_at = time.monotonic()
        self._go(PeerState.CHECKING, "Looking for a path to the far end")
        return str(self.pc.localDescription.sdp)

    async def apply_answer(self, sdp: str) -> None:
        """Take the far end's answer to our offer. Lines that it rejects stay silent.

        Raises:
            SignalingError: It is not SDP, or does not fit the offer.
        """
        self._described_at = time.monotonic()
        self._go(PeerState.CHECKING, "Looking for a path to the far end")
        if re.search(r"^m=\w+ 0 ", sdp, re.MULTILINE) and self.pc.localDescription:
            sdp = without_rejections(sdp, self.pc.localDescription.sdp)
        await self._set_remote(sdp, "answer")

    async def rollback(self) -> None:
        """Take our unanswered offer back, so that the far end's can be applied."""
        adapter.rollback(self.pc)

    async def add_candidate(self, candidate: str, mid: str | None, index: int | None) -> None:
        """Add a candidate of the far end (trickle ICE, RFC 8838).

        Unusable ones (garbled, or hidden behind a ``.local`` name) are ignored, and those that
        are too many.
        """
        line = candidate.removeprefix("a=").removeprefix("candidate:").strip()
        if not line or ".local " in line:
            return
        try:
            parsed = candidate_from_sdp(line)
        except (ValueError, IndexError, AssertionError):
            _log.debug("Ignored a garbled candidate.")
            return
        parsed.sdpMid = mid
        parsed.sdpMLineIndex = index if index is not None or mid is not None else 0
        if self._may_take(line):
            await self.pc.addIceCandidate(parsed)

    def _may_take(self, candidate: str) -> bool:
        """Note a candidate of the far end; whether it was noted before, or there is room for it."""
        has_room = len(self._remote_candidates) < MAX_REMOTE_CANDIDATES
        if has_room and len(candidate) <= _MAX_CANDIDATE_CHARS:
            self._remote_candidates.add(candidate)
        return candidate in self._remote_candidates

    def _tune(self) -> None:
        """Repair the transport's habits, as soon as there is one."""
        transport = adapter.ice_transport(self.pc)
        if transport and not self._tuned:
            self._tuned = True
            _start_unless_closed(transport)
            adapter.tune_connection(
                adapter.ice_connection(transport),
                loopback=self.ice.loopback,
                dead_peer_s=self.timeouts.dead_peer_s,
                on_consent=self._on_consent,
            )

    async def _set_remote(self, sdp: str, kind: str) -> None:
        lines = [
            line
            for line in sdp.splitlines()
            if not line.startswith("a=candidate:")
            or (".local " not in line and self._may_take(line[len("a=candidate:") :].strip()))
        ]
        text = "\r\n".join(with_shared_candidates(lines)) + "\r\n"
        try:
            await self.pc.setRemoteDescription(RTCSessionDescription(text, kind))
        except Exception as error:
            # The text of the original may quote the SDP, so it is not passed on.
            raise SignalingError(
                f"The far end's {kind} cannot be used ({type(error).__name__}).",
                remedy="The two sides may have no codec in common; try video_codec=None.",
            ) from None

    def _require_candidates(self) -> None:
        transport = adapter.ice_transport(self.pc)
        if transport and not transport.iceGatherer.getLocalCandidates():
            cause = (
                "The TURN server gave no relay address."
                if self.ice.relay_only
                else "This machine has no usable network address."
            )
            raise ConnectError(
                cause,
                stage=PeerState.GATHERING,
                remedy=(
                    "Check the TURN server's address, user name and password."
                    if self.ice.relay_only
                    else "Bring an interface up, or set IceSettings(loopback=True)."
                ),
            )

    def local_candidates(self) -> list[tuple[str, str, int]]:
        """Our candidates as in the local description: line, mid and index of its m-line."""
        found: list[tuple[str, str, int]] = []
        if self.pc.localDescription is None:
            return found
        index, mid = -1, ""
        lines: list[str] = []
        for line in self.pc.localDescription.sdp.splitlines():
            if line.startswith("m="):
                index, mid, lines = index + 1, "", []
            elif line.startswith("a=candidate:"):
                lines.append(line.removeprefix("a="))
            elif line.startswith("a=mid:"):
                mid = line.removeprefix("a=mid:")
            if mid and lines:
                found += [(one, mid, index) for one in lines]
                lines = []
        return found

    # States

    async def wait_connected(self) -> None:
        """Wait until media can flow.

        Raises:
            ConnectError: It failed, or took longer than ``timeouts.connect_s`` since both
                descriptions were known; names the stage.
        """
        timeout_s = self.timeouts.connect_s
        if self._described_at is not None:
            timeout_s -= time.monotonic() - self._described_at
        try:
            await asyncio.wait_for(self._settled.wait(), max(0.0, timeout_s))
        except TimeoutError:
            self._fail(f"within {self.timeouts.connect_s:g} s")
        if self._failure:
            raise self._failure
        if self.state is PeerState.CLOSED:
            raise ConnectError(
                "The connection was closed before media could flow.", stage=self._stage
            )

    def _fail(self, when: str = "") -> None:
        stage = self._stage
        text = _STUCK.get(stage, "The connection broke.")
        self._failure = ConnectError(
            f"Media could not be connected{' ' + when if when else ''}: {text}",
            stage=stage.value,
            remedy=_REMEDY.get(stage, ""),
        )
        self._go(PeerState.FAILED, text)

    def _on_transport_state(self) -> None:
        ice, all_of_it = self.pc.iceConnectionState, self.pc.connectionState
        if self.state in (PeerState.CLOSED, PeerState.FAILED):
            return
        if all_of_it == "connected":
            self._go(PeerState.CONNECTED, "Connected")
        elif all_of_it == "failed" or ice == "failed":
            self._fail()
        elif all_of_it == "closed":
            words = "Closed" if self._closing else "The far end closed the connection"
            self._go(PeerState.CLOSED, words)
        elif ice == "completed" and self.state is PeerState.CHECKING:
            self._go(PeerState.DTLS, "Path found, exchanging keys")

    def _on_consent(self, alive: bool) -> None:
        if self.state in (PeerState.CONNECTED, PeerState.DISCONNECTED):
            if alive:
                self._go(PeerState.CONNECTED, "The far end is back")
            else:
                self._go(PeerState.DISCONNECTED, "The far end does not answer")

    def _go(self, state: PeerState, text: str) -> None:
        if state is self.state:
            return
        if self.state in (PeerState.CONNECTED, PeerState.DISCONNECTED) and state in _STUCK:
            return  # a renegotiation on a connection that stands
        self.state = state
        if state in _STUCK:
            self._stage = state
        if state in (PeerState.CONNECTED, PeerState.FAILED, PeerState.CLOSED):
            self._settled.set()
        if self.on_state:
            self.on_state(state, text)

    def set_network(self, up: bool) -> None:
        """Cut this peer off the network or join it again, for tests and teaching."""
        adapter.set_network(self.pc, up)
        self.streams.set_network(up)

    async def close(self) -> None:
        """Close everything. May be called again and from any state."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._stop_sending()
        self.streams.close()
        if self._gathering and not self._gathering.done():
            # Sockets that are only just being opened would be left open.
            await asyncio.wait({self._gathering}, timeout=CLOSE_TIMEOUT_S)
        # What was described last begins to connect now; once all is closed it could only fail.
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(self.pc.close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            _log.warning("A peer connection did not close within %g s.", CLOSE_TIMEOUT_S)
        self._stop_receiving()
        self._go(PeerState.CLOSED, "Closed")
        self._settled.set()

    async def _stop_sending(self) -> None:
        """Stop what is sent; called once, before the good-bye."""

    def _stop_receiving(self) -> None:
        """Stop what is received; called once, when nothing comes any more."""


def _start_unless_closed(transport: RTCIceTransport) -> None:
    """Keep aiortc from failing, unheard, in a task of its own when we close early.

    It starts the transport once for each m-line of the bundle, the later ones also when all was
    closed during the first.
    """
    start = transport.start

    async def start_once(parameters: RTCIceParameters) -> None:
        if transport.state != "closed":
            await start(parameters)

    transport.start = start_once  # type: ignore[assignment, method-assign]
