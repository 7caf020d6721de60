"""One peer connection: tracks, states, ICE settings, and waits that end."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
import time
from collections.abc import Callable
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCIceTransportPolicy
from aiortc.sdp import candidate_from_sdp

from ..errors import ConnectError, SignalingError
from ..settings import IceSettings, Timeouts, VideoCodec, VideoSettings
from . import adapter
from .candidates import with_shared_candidates
from .codecs import audio_preferences, offered_video_codec, video_preferences
from .plain_track import PlainTrack
from .receive import Incoming
from .remote_clock import RemoteClock
from .rtp.bandwidth import SendRate
from .send import Outgoing
from .send_clock import SendClock
from .stats import PeerStats, StatsReader
from .streams import Streams

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0

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


class Peer:
    """One connection to one far end, with an audio and a video track each way.

    The real ``RTCPeerConnection`` is :attr:`pc`. One transport carries everything (BUNDLE, RFC
    9143). Must be made and used on an event loop.

    Args:
        ice: Servers and policy; no public STUN server is ever used by itself.
        timeouts: ``connect_s`` and ``dead_peer_s`` are used here.
        video_settings: Limits of the video that is sent.
        video_codec: Negotiate this codec only; ``None`` allows all.
        prefer_codec: Negotiate this codec when the far end has it, else another.
        name: For log lines.

    Attributes:
        audio_out: What is sent; :class:`~xnb.engine.send.Outgoing`.
        video_out: What is sent.
        audio_in: What is received; :class:`~xnb.engine.receive.Incoming`.
        video_in: What is received.
        streams: Its packets and reports; :class:`~xnb.engine.streams.Streams`.

    Example:
        >>> peer = Peer(video_codec="h264")
        >>> offer = await peer.make_offer(video=True)
    """

    def __init__(
        self,
        *,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
        video_settings: VideoSettings | None = None,
        video_codec: VideoCodec | None = None,
        prefer_codec: VideoCodec | None = None,
        name: str = "",
    ) -> None:
        _check_version_once()
        adapter.offer_audio_nack()
        self.ice = ice or IceSettings()
        self.timeouts = timeouts or Timeouts()
        self.video_settings = video_settings or VideoSettings()
        self.video_codec = video_codec
        self.prefer_codec = prefer_codec
        self.name = name
        self.state = PeerState.NEW
        self.on_state: Callable[[PeerState, str], None] | None = None
        self.on_track: Callable[[str], None] | None = None
        sending = SendClock()
        self.audio_out = Outgoing("audio", clock=sending)
        self.video_out = Outgoing("video", self.video_settings, sending)
        clock = RemoteClock()
        self.audio_in = Incoming("audio", clock)
        self.video_in = Incoming("video", clock)
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
        self._tracks: list[PlainTrack] = []
        adapter.keep_fingerprints(self.pc)
        self._tuned = False
        self._stage = PeerState.NEW
        self._failure: ConnectError | None = None
        self._settled = asyncio.Event()
        self._described_at: float | None = None
        self._stats = StatsReader(self)
        self._closing: asyncio.Task[None] | None = None
        self.pc.on("track", self._on_track)
        self.pc.on("iceconnectionstatechange", self._on_transport_state)
        self.pc.on("connectionstatechange", self._on_transport_state)

    def __repr__(self) -> str:
        return f"<Peer {self.name or 'unnamed'} {self.state}>"

    # Negotiation (JSEP, RFC 9429)

    async def make_offer(self, *, audio: bool = True, video: bool = False) -> str:
        """Gather candidates and give an SDP offer that holds them.

        Args:
            audio: Send and receive audio.
            video: Send and receive video.
        """
        if not self.pc.getTransceivers():
            self._open(audio, video, "sendrecv")
        self._go(PeerState.GATHERING, "Collecting local addresses")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self._require_candidates()
        self._go(PeerState.SIGNALING, "Waiting for the far end's answer")
        return str(self.pc.localDescription.sdp)

    async def apply_offer(self, sdp: str, *, video: bool = True) -> None:
        """Take a far end's offer.

        Args:
            sdp: The offer. Host names that hide addresses (``.local``) are left out.
            video: Whether to accept video when it is offered.

        Raises:
            SignalingError: It is not SDP, or has nothing in common with what we can do.
        """
        if not self.pc.getTransceivers():
            self.prefer_codec = self.prefer_codec or offered_video_codec(sdp)
            self._open("m=audio" in sdp, "m=video" in sdp, "sendrecv", accept_video=video)
        await self._set_remote(sdp, "offer")

    async def make_answer(self) -> str:
        """Gather candidates and give the SDP answer to the offer that was applied."""
        self._go(PeerState.GATHERING, "Collecting local addresses")
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        self._require_candidates()
        self._described_at = time.monotonic()
        self._go(PeerState.CHECKING, "Looking for a path to the far end")
        return str(self.pc.localDescription.sdp)

    async def apply_answer(self, sdp: str) -> None:
        """Take the far end's answer to our offer.

        Raises:
            SignalingError: It is not SDP, or does not fit the offer.
        """
        self._described_at = time.monotonic()
        self._go(PeerState.CHECKING, "Looking for a path to the far end")
        await self._set_remote(sdp, "answer")

    async def rollback(self) -> None:
        """Take our unanswered offer back, so that the far end's can be applied."""
        adapter.rollback(self.pc)

    async def add_candidate(self, candidate: str, mid: str | None, index: int | None) -> None:
        """Add a candidate of the far end (trickle ICE, RFC 8838).

        Unusable ones (garbled, or hidden behind a ``.local`` name) are ignored.
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
        await self.pc.addIceCandidate(parsed)

    def _open(self, audio: bool, video: bool, direction: str, *, accept_video: bool = True) -> None:
        if audio:
            transceiver = self.pc.addTransceiver("audio", direction=direction)
            transceiver.setCodecPreferences(audio_preferences())
            self.streams.join(transceiver, self.audio_out, self.audio_in)
        if video:
            transceiver = self.pc.addTransceiver(
                "video", direction=direction if accept_video else "inactive"
            )
            transceiver.setCodecPreferences(video_preferences(self.video_codec, self.prefer_codec))
            limits = self.video_settings
            rate = SendRate(limits.start_bitrate_bps, limits.max_bitrate_bps)
            self.streams.join(transceiver, self.video_out, self.video_in, rate)
        transport = adapter.ice_transport(self.pc)
        if transport and not self._tuned:
            self._tuned = True
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
            if not (line.startswith("a=candidate:") and ".local " in line)
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

    # Media

    @property
    def video_bitrate_bps(self) -> int | None:
        """What the video encoder aims at now; ``None`` while it does not run."""
        return self.video_out.bitrate_bps

    def _on_track(self, track: Any) -> None:
        incoming = self.audio_in if track.kind == "audio" else self.video_in
        self._tracks.append(PlainTrack(track, incoming))
        if self.on_track:
            self.on_track(track.kind)

    def request_keyframe(self) -> None:
        """Ask the far end for a keyframe."""
        self.video_in.request_keyframe()

    @property
    def video_codec_in_use(self) -> VideoCodec | None:
        """The negotiated video codec, or ``None`` before negotiation and without video."""
        for transceiver in self.pc.getTransceivers():
            if transceiver.kind == "video" and self.pc.remoteDescription:
                codec = adapter.codec_in_use(transceiver)
                return codec if codec in ("vp8", "h264") else None  # type: ignore[return-value]
        return None

    def set_network(self, up: bool) -> None:
        """Cut this peer off the network or join it again, for tests and teaching."""
        adapter.set_network(self.pc, up)
        self.streams.set_network(up)

    async def stats(self) -> PeerStats:
        """What is known of the connection now; see :class:`~xnb.engine.stats.PeerStats`."""
        return await self._stats.read()

    async def close(self) -> None:
        """Close everything. May be called again and from any state."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self.audio_out.stop()
        await self.video_out.stop()
        self.streams.close()
        try:
            await asyncio.wait_for(self.pc.close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            _log.warning("A peer connection did not close within %g s.", CLOSE_TIMEOUT_S)
        for track in self._tracks:
            track.close()
        self.audio_in.close()
        self.video_in.close()
        self._go(PeerState.CLOSED, "Closed")
        self._settled.set()
