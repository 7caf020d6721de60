"""The only file that reaches into aiortc and aioice.

Every function here touches a private name; ``tests/engine/test_adapter.py`` has a canary for
each, so that a new aiortc that moves one fails there first, with the name.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.metadata
import queue
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aioice.ice
from aioice import stun
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.codecs import get_encoder, is_rtx
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtcpSrPacket

from .audio_buffer import AudioBuffer

if TYPE_CHECKING:
    from aiortc import RTCDtlsTransport, RTCIceTransport, RTCRtpTransceiver

CHECKED_AIORTC = "1.16"
CHECK_PACE_S = 0.005
"""Pause between ICE checks; RFC 8445 section 14.2 allows 5 ms and up."""
GATHER_TIMEOUT_S = 3
"""How long a silent STUN or TURN server may hold up an offer."""
MIN_BITRATE_BPS = 50_000
"""Below this no encoder gives a picture worth sending."""
MAX_UNDECODED = 90
"""Encoded frames that may wait for a decoder; 3 s of video."""


def check_version() -> None:
    """Warn nobody, fail early: the adapter is written against one minor version of aiortc.

    Raises:
        RuntimeError: Another aiortc is installed.
    """
    found = importlib.metadata.version("aiortc")
    if not found.startswith(CHECKED_AIORTC + "."):
        raise RuntimeError(
            f"xnb needs aiortc {CHECKED_AIORTC}.x and found {found}. "
            f"Install it with: pip install 'aiortc=={CHECKED_AIORTC}.*'"
        )


def ice_transport(pc: RTCPeerConnection) -> RTCIceTransport | None:
    """The one ICE transport of a MAX_BUNDLE connection, or ``None`` before it has media."""
    dtls = dtls_transport(pc)
    return dtls.transport if dtls else None


def dtls_transport(pc: RTCPeerConnection) -> RTCDtlsTransport | None:
    """The one DTLS transport of a MAX_BUNDLE connection."""
    for transceiver in pc.getTransceivers():
        return transceiver.sender.transport
    return None


def ice_connection(transport: RTCIceTransport) -> aioice.ice.Connection:
    """Aioice's connection below an ICE transport."""
    return transport._connection


def tune_connection(
    connection: aioice.ice.Connection,
    *,
    loopback: bool | None,
    dead_peer_s: float,
    on_consent: Callable[[bool], None],
) -> None:
    """Repair what FINDINGS calls the setup pause, the loopback gap and the slow consent.

    Args:
        connection: Must not have gathered yet.
        loopback: Gather 127.0.0.1 as well; ``None`` means only when there is nothing else.
        dead_peer_s: Seconds without a consent answer (RFC 7675) before ``on_consent(False)``.
        on_consent: Called with ``False`` when consent is lost and ``True`` when it is back. The
            connection is never closed from here.
    """
    gather = connection.get_component_candidates

    async def gather_more(component: int, addresses: list[str], timeout: int = 5) -> Any:
        relay_only = connection._transport_policy is aioice.ice.TransportPolicy.RELAY
        if not relay_only and (loopback or (loopback is None and not addresses)):
            addresses = [*addresses, "127.0.0.1"]
        return await gather(component, addresses, timeout=GATHER_TIMEOUT_S)

    check = connection._check_periodic
    timer: asyncio.TimerHandle | None = None

    def next_check() -> None:
        nonlocal timer
        timer = None
        with contextlib.suppress(Exception):
            if check() and not connection._closing:
                timer = asyncio.get_running_loop().call_later(CHECK_PACE_S, next_check)

    def paced_check() -> bool:
        """Start the checks on a timer and let ``connect()`` wait for their outcome at once.

        With nothing to check yet ``connect()`` must go on asking: it takes an empty list for a
        failure, but a far end without candidates (a page that hides its addresses) sends the
        first check itself.
        """
        if timer is None:
            next_check()
        return timer is not None and not connection._check_list

    connection.get_component_candidates = gather_more  # type: ignore[method-assign]
    connection._check_periodic = paced_check  # type: ignore[method-assign]
    connection.query_consent = functools.partial(  # type: ignore[method-assign]
        _watch_consent, connection, dead_peer_s, on_consent
    )


async def _watch_consent(
    connection: aioice.ice.Connection, dead_peer_s: float, on_consent: Callable[[bool], None]
) -> None:
    interval_s = min(2.5, max(0.2, dead_peer_s / 8))
    last_answer = time.monotonic()
    lost = False
    while True:
        pause_s = interval_s * (0.8 + 0.4 * random.random())  # noqa: S311
        before = time.monotonic()
        await asyncio.sleep(pause_s)
        overslept_s = time.monotonic() - before - pause_s
        if overslept_s > interval_s:
            # This loop was blocked: silence that nobody could have heard proves nothing.
            last_answer += overslept_s
        if await _has_consent(connection):
            last_answer = time.monotonic()
            if lost:
                lost = False
                on_consent(True)
        elif not lost and time.monotonic() - last_answer >= dead_peer_s:
            lost = True
            on_consent(False)


async def _has_consent(connection: aioice.ice.Connection) -> bool:
    if connection.remote_password is None:
        return False
    for pair in tuple(connection._nominated.values()):
        request = connection.build_request(pair, nominate=False)
        try:
            await pair.protocol.request(
                request,
                pair.remote_addr,
                integrity_key=connection.remote_password.encode(),
                retransmissions=0,
            )
        except (stun.TransactionError, OSError):
            continue
        return True
    return False


def selected_pair(pc: RTCPeerConnection) -> tuple[str, str, str] | None:
    """Local type, remote type and transport of the pair in use: ``("host", "relay", "udp")``."""
    transport = ice_transport(pc)
    if transport is None:
        return None
    for pair in ice_connection(transport)._nominated.values():
        return (
            pair.local_candidate.type,
            pair.remote_candidate.type,
            pair.local_candidate.transport,
        )
    return None


def set_network(pc: RTCPeerConnection, up: bool) -> None:
    """Cut this connection off, or join it again: packets are dropped in both directions."""
    transport = ice_transport(pc)
    if transport is None:
        return
    protocol: Any
    for protocol in ice_connection(transport)._protocols:
        if up:
            for name in ("datagram_received", "send_data", "send_stun"):
                protocol.__dict__.pop(name, None)
        else:
            protocol.datagram_received = _drop
            protocol.send_stun = _drop
            protocol.send_data = _drop_async


def _drop(*_args: Any) -> None:
    return None


async def _drop_async(*_args: Any) -> None:
    return None


def hook_keyframe_requests(sender: RTCRtpSender, callback: Callable[[], None]) -> None:
    """Call ``callback`` when the far end asks this sender for a keyframe (PLI or FIR)."""
    original = sender._send_keyframe

    def request() -> None:
        original()
        callback()

    sender._send_keyframe = request  # type: ignore[method-assign]


def force_keyframe(sender: RTCRtpSender) -> None:
    """Make the next encoded picture a keyframe."""
    sender._send_keyframe()


async def send_pli(receiver: RTCRtpReceiver) -> None:
    """Ask the far end for a keyframe (RFC 4585 section 6.3.1)."""
    for ssrc in tuple(receiver._RTCRtpReceiver__remote_streams):  # type: ignore[attr-defined]
        await receiver._send_rtcp_pli(ssrc)


def sent_packets(sender: RTCRtpSender) -> int:
    """RTP packets this sender has sent."""
    count: int = sender._RTCRtpSender__packet_count  # type: ignore[attr-defined]
    return count


def codec_in_use(transceiver: RTCRtpTransceiver) -> str | None:
    """The negotiated codec's name in lower case, e.g. ``"vp8"``, ``"h264"``, ``"opus"``."""
    for codec in transceiver._codecs:
        if not codec.name.lower().endswith("rtx"):
            return str(codec.name).lower()
    return None


def limit_bitrate(transceiver: RTCRtpTransceiver, start_bps: int, max_bps: int) -> None:
    """Make the sender's video encoder start at ``start_bps`` and never aim above ``max_bps``.

    The far end's bandwidth reports move it in between, as before. aiortc's own limits (1.5 Mbps
    for VP8, 3 Mbps for H.264) do not hold any more. Does nothing once the encoder runs.
    """
    sender: Any = transceiver.sender
    codec = next((c for c in transceiver._codecs if not is_rtx(c)), None)
    if codec is None or sender._RTCRtpSender__encoder is not None:
        return
    encoder: Any = get_encoder(codec)
    kind = type(encoder)
    name = f"_{kind.__name__}__target_bitrate"

    def get(self: Any) -> int:
        return int(getattr(self, name))

    def put(self: Any, bitrate_bps: int) -> None:
        setattr(self, name, max(MIN_BITRATE_BPS, min(int(bitrate_bps), max_bps)))

    encoder.__class__ = type(kind.__name__, (kind,), {"target_bitrate": property(get, put)})
    encoder.target_bitrate = start_bps
    sender._RTCRtpSender__encoder = encoder


def target_bitrate_bps(transceiver: RTCRtpTransceiver) -> int | None:
    """What the sender's video encoder aims at, or ``None`` without one."""
    sender: Any = transceiver.sender
    return getattr(sender._RTCRtpSender__encoder, "target_bitrate", None)


EncodedFrame = Callable[[str, bytes, int], None]
"""Codec name in lower case, one whole depayloaded frame, its RTP timestamp counted from 0."""


class ReceiverTap:
    """Stands between a receiver's jitter buffer and its decoder.

    Whole encoded frames go to ``on_encoded``; they reach the decoder only while ``decoding`` is
    set, from a keyframe on, and never more than :data:`MAX_UNDECODED` of them wait.
    """

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        on_encoded: EncodedFrame,
        is_keyframe: Callable[[str, bytes], bool],
        on_sender_report: Callable[[float, float], None],
        clock_rate: int,
    ) -> None:
        self.decoding = False
        self.dropped = 0
        self._need_key = True
        self._resyncing = False
        private: Any = receiver
        self._receiver = private
        self.audio: AudioBuffer[Any] | None = None
        self._queue: queue.Queue[Any] = private._RTCRtpReceiver__decoder_queue
        self._put = self._queue.put
        self._on_encoded = on_encoded
        self._is_keyframe = is_keyframe
        self._mapper = private._RTCRtpReceiver__timestamp_mapper
        self._on_sender_report = on_sender_report
        self._clock_rate = clock_rate
        self._rtcp: Callable[[Any], Awaitable[None]] = private._handle_rtcp_packet
        self._queue.put = self._tap
        private._handle_rtcp_packet = self._tap_rtcp

    def release_on_marker(self) -> None:
        """Give a picture out with its last packet (marker bit, RFC 3550 section 5.1).

        aiortc's video buffer waits for the first packet of the next one: a whole frame's time.
        """
        buffer = self._receiver._RTCRtpReceiver__jitter_buffer
        take_in = buffer.add
        buffer._remove_frame = lambda _sequence_number: _marked_frame(buffer)

        def add(packet: Any) -> tuple[bool, Any]:
            pli, frame = take_in(packet)
            codec = self._receiver._RTCRtpReceiver__codecs[packet.payload_type]
            # A packet that fills a hole completes all pictures that waited behind it.
            while frame is not None and (following := _marked_frame(buffer)) is not None:
                frame.timestamp = self._mapper.map(frame.timestamp)
                self._tap((codec, frame))
                frame = following
            return pli, frame

        buffer.add = add

    def use_audio_buffer(self) -> None:
        """Put audio in order with our own buffer.

        aiortc's waits for four gapless packets, so one lost packet costs five and 200 ms of
        delay for good.
        """
        self.audio = AudioBuffer()
        self._receiver._RTCRtpReceiver__jitter_buffer = self

    def add(self, packet: Any) -> tuple[bool, None]:
        """Stand in for aiortc's jitter buffer: frames are handed on from here."""
        assert self.audio is not None
        codec = self._receiver._RTCRtpReceiver__codecs[packet.payload_type]
        frame = JitterFrame(packet._data, packet.timestamp)
        for coded, ready in self.audio.add(packet.sequence_number, (codec, frame)):
            if ready.data:
                ready.timestamp = self._mapper.map(ready.timestamp)
                self._tap((coded, ready))
        return False, None

    def _tap(self, item: Any, *args: Any, **kwargs: Any) -> None:
        if item is None:
            self._put(None)
            return
        codec, frame = item
        name = codec.name.lower()
        if self._resyncing:
            if not self._is_keyframe(name, frame.data):
                return
            self._resyncing = False
        self._on_encoded(name, frame.data, frame.timestamp)
        if not self.decoding:
            self._need_key = True
            return
        if self._queue.qsize() >= MAX_UNDECODED:
            self.dropped += 1
            self._need_key = True
            return
        if self._need_key:
            if not self._is_keyframe(name, frame.data):
                return
            self._need_key = False
        self._put(item)

    @property
    def packets(self) -> int:
        """RTP packets that arrived."""
        streams = self._receiver._RTCRtpReceiver__remote_streams
        return sum(stream.packets_received for stream in streams.values())

    def resync(self) -> None:
        """Forget a hole that will not be filled; go on with the next keyframe.

        aiortc's video buffer waits for a missing packet until 512 more have come.
        """
        buffer = self._receiver._RTCRtpReceiver__jitter_buffer
        buffer.remove(buffer.capacity)
        buffer._origin = None
        self._resyncing = True

    async def _tap_rtcp(self, packet: Any) -> None:
        origin = self._mapper._origin
        if isinstance(packet, RtcpSrPacket) and origin is not None:
            info = packet.sender_info
            ticks = (info.rtp_timestamp - origin) & 0xFFFFFFFF
            if ticks >= 1 << 31:
                ticks -= 1 << 32
            self._on_sender_report(info.ntp_timestamp / 2**32, ticks / self._clock_rate)
        await self._rtcp(packet)


def _marked_frame(buffer: Any) -> JitterFrame | None:
    packets: list[Any] = []
    if buffer._origin is None:
        return None
    for count in range(buffer.capacity):
        packet = buffer._packets[(buffer._origin + count) % buffer.capacity]
        if packet is None:
            return None
        if packets and packet.timestamp != packets[0].timestamp:
            buffer.remove(count)
            break
        packets.append(packet)
        if packet.marker:
            buffer.remove(count + 1)
            break
    else:
        return None
    return JitterFrame(b"".join(one._data for one in packets), packets[0].timestamp)


def rollback(pc: RTCPeerConnection) -> None:
    """Take back a local offer that was not answered (JSEP, RFC 9429 section 4.1.10.2)."""
    if pc.signalingState != "have-local-offer":
        return
    private: Any = pc
    if private._RTCPeerConnection__currentLocalDescription is None:
        transceiver: Any
        for transceiver in pc.getTransceivers():
            transceiver._set_mid(None)
            transceiver._set_mline_index(None)
    private._RTCPeerConnection__pendingLocalDescription = None
    private._RTCPeerConnection__setSignalingState("stable")


def receive_queue_size(connection: aioice.ice.Connection) -> int:
    """Datagrams that arrived and were not handled yet."""
    return connection._queue.qsize()
