"""The only file that reaches into aiortc and aioice.

Every function here touches a private name; ``tests/engine/test_adapter.py`` has a canary for
each, so that a new aiortc that moves one fails there first, with the name.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.metadata
import time
from collections.abc import Callable
from socket import SO_RCVBUF, SOL_SOCKET
from typing import TYPE_CHECKING, Any

import aioice.ice
from aioice import stun
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, rtcrtpreceiver
from aiortc.codecs import CODECS
from aiortc.rtcdtlstransport import State as DtlsState
from aiortc.rtcrtpparameters import RTCRtcpFeedback

from .consent import watch_consent
from .estimator_on_demand import EstimatorOnDemand
from .host_addresses import host_addresses
from .srtp import SrtpSession

if TYPE_CHECKING:
    from aiortc import RTCDtlsTransport, RTCIceTransport, RTCRtpTransceiver
    from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
    from aiortc.rtcrtpreceiver import StreamStatistics

CHECKED_AIORTC = "1.16"
CHECK_PACE_S = 0.005
"""Pause between ICE checks; RFC 8445 section 14.2 allows 5 ms and up."""
MOST_DATAGRAM_BYTES = 4096
"""Longer ones are cut off, and fail their check then; no peer sends more than an Ethernet frame."""
MOST_AT_ONCE = 16
"""Datagrams that one socket gives in one turn of the event loop."""
PART_OF_MANY_BYTES = 1000
"""After one that is longer there is likely another: the packets of a picture, but its last."""
RECEIVE_BUFFER_BYTES = 1 << 20
"""Some 4 s of video at 2 Mbps."""
GATHER_TIMEOUT_S = 3
"""How long a silent STUN or TURN server may hold up an offer."""


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

    async def gather() -> None:
        if connection._local_candidates_start:
            return
        connection._local_candidates_start = True
        addresses: list[str] = []
        if connection._transport_policy is not aioice.ice.TransportPolicy.RELAY:
            addresses = host_addresses()
            if loopback or (loopback is None and not addresses):
                addresses.append("127.0.0.1")
        connection._local_candidates += await connection.get_component_candidates(
            1, addresses, timeout=GATHER_TIMEOUT_S
        )
        connection._local_candidates_end = True

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

    connection.gather_candidates = gather  # type: ignore[method-assign]
    connection._check_periodic = paced_check  # type: ignore[method-assign]
    connection.query_consent = functools.partial(  # type: ignore[method-assign]
        watch_consent, functools.partial(_has_consent, connection), dead_peer_s, on_consent
    )


def keep_fingerprints(pc: RTCPeerConnection) -> None:
    """Work out the fingerprints of this connection's certificate once, not for every m-line.

    The certificate stays what aiortc makes it: a new key for each connection, shared with no
    other, as in browsers unless a page gives one. So the fingerprints in the descriptions of two
    calls do not show that they are the same user's, and nothing needs to be rotated.
    """
    private: Any = pc
    certificate = private._RTCPeerConnection__certificates[0]
    fingerprints = certificate.getFingerprints()
    certificate.getFingerprints = fingerprints.copy


# For everybody in this process; nobody can tell the two apart but by their cost.
rtcrtpreceiver.RemoteBitrateEstimator = EstimatorOnDemand  # type: ignore[attr-defined]


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


def codec_in_use(transceiver: RTCRtpTransceiver) -> str | None:
    """The negotiated codec's name in lower case, e.g. ``"vp8"``, ``"h264"``, ``"opus"``."""
    for codec in transceiver._codecs:
        if not codec.name.lower().endswith("rtx"):
            return str(codec.name).lower()
    return None


def offer_audio_nack() -> None:
    """Let Opus be negotiated with NACK (RFC 4585 section 6.2.1), which aiortc leaves out."""
    for codec in CODECS["audio"]:
        known = {(feedback.type, feedback.parameter) for feedback in codec.rtcpFeedback}
        if codec.name == "opus" and ("nack", None) not in known:
            codec.rtcpFeedback.append(RTCRtcpFeedback(type="nack"))


def take_over_sender(
    sender: RTCRtpSender, on_parameters: Callable[[RTCRtpSendParameters], None]
) -> tuple[int, int]:
    """Keep aiortc's sender from sending; call ``on_parameters`` when and how one may send.

    Returns:
        The SSRC of the stream and the one for its retransmissions, as in our descriptions.
    """

    async def send(parameters: RTCRtpSendParameters) -> None:
        on_parameters(parameters)

    sender.send = send  # type: ignore[method-assign]
    return sender._ssrc, sender._rtx_ssrc


def take_over_receiver(
    receiver: RTCRtpReceiver, on_parameters: Callable[[RTCRtpReceiveParameters], None]
) -> None:
    """Keep aiortc's receiver and its decoder thread from starting; tell when packets may come."""

    async def receive(parameters: RTCRtpReceiveParameters) -> None:
        on_parameters(parameters)

    receiver.receive = receive  # type: ignore[method-assign]


def show_report(sender: RTCRtpSender, packet: Any, sent: tuple[int, int, int, float]) -> None:
    """Keep ``pc.getStats()`` true: a far end's report about what we send.

    Args:
        sender: Whose report it is.
        packet: The receiver report or sender report.
        sent: Packets and bytes sent; middle of the NTP time of our last sender report, and when
            that was sent, in ``time.time()`` seconds.
    """
    private: Any = sender
    (
        private._RTCRtpSender__packet_count,
        private._RTCRtpSender__octet_count,
        private._RTCRtpSender__lsr,
        private._RTCRtpSender__lsr_time,
    ) = sent
    with contextlib.suppress(StopIteration):
        # It has nothing to wait for when it is a report, so it ends with its first step.
        sender._handle_rtcp_packet(packet).send(None)


def show_received(receiver: RTCRtpReceiver, ssrc: int, statistics: StreamStatistics) -> None:
    """Keep ``pc.getStats()`` true: what arrives in one stream."""
    receiver._RTCRtpReceiver__remote_streams[ssrc] = statistics  # type: ignore[attr-defined]


class MediaPath:
    """A DTLS transport as a pipe for RTP and RTCP, in both directions without a task switch.

    aiortc puts each datagram in a queue that a task reads; here it is decrypted and handed over
    where it is read from the socket.

    Attributes:
        is_up: Whether packets pass; see :func:`set_network`.
        undecryptable: Packets that were none of ours, or came twice.
        unsent: Packets that were too long, or for which the system had no room or no route.
    """

    def __init__(self, dtls: RTCDtlsTransport) -> None:
        self.is_up = True
        self.undecryptable = 0
        self.unsent = 0
        self._dtls: Any = dtls
        self._connection = ice_connection(dtls.transport)
        self._to_dtls = self._connection.data_received
        self._on_rtp: Callable[[bytes, float], None] = _drop
        self._on_rtcp: Callable[[bytes], None] = _drop
        self._received: SrtpSession | None = None
        self._sent: SrtpSession | None = None
        self._pair: Any = None
        self._sendto: Callable[[Any, Any], object] = _drop
        self._address: Any = None

    def open(
        self, on_rtp: Callable[[bytes, float], None], on_rtcp: Callable[[bytes], None]
    ) -> None:
        """Give decrypted packets to these from now on.

        Args:
            on_rtp: Called with a packet and its arrival on the monotonic clock.
            on_rtcp: Called with a compound packet.
        """
        self._on_rtp, self._on_rtcp = on_rtp, on_rtcp
        protocol: Any
        for protocol in self._connection._protocols:
            socket = protocol.transport.get_extra_info("socket")
            if socket is not None:
                # Room for what comes while the event loop is busy; the system may give less.
                socket.setsockopt(SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                # asyncio would ask for 256 KiB for each datagram and give back most of it: what
                # is kept meanwhile splits the heap, which then grows all through a long call.
                protocol.transport.max_size = MOST_DATAGRAM_BYTES
                self._read_directly(protocol)
        self._connection.data_received = self._receive  # type: ignore[method-assign]

    def _read_directly(self, protocol: Any) -> None:
        """Take packets from the socket itself, those of one picture at a time.

        Otherwise each costs a turn of the event loop and an attempt to read it as STUN. Where
        the event loop has no such readers, all goes on as before.
        """
        transport = protocol.transport
        socket: Any = getattr(transport, "_sock", None)
        loop: Any = getattr(transport, "_loop", None)
        if socket is None or not hasattr(loop, "_add_reader"):
            return
        read, receive = socket.recvfrom, self._receive

        def read_ready() -> None:
            for _ in range(MOST_AT_ONCE):
                try:
                    data, address = read(MOST_DATAGRAM_BYTES)
                except (BlockingIOError, InterruptedError):
                    return
                except OSError as error:
                    protocol.error_received(error)
                    return
                if len(data) > 1 and 127 < data[0] < 192:  # RFC 7983 section 7
                    receive(data, 1)
                else:
                    protocol.datagram_received(data, address)
                if len(data) < PART_OF_MANY_BYTES or transport.is_closing():
                    return

        if not transport.is_closing():
            loop._add_reader(socket.fileno(), read_ready)

    def _receive(self, data: bytes, component: int) -> None:
        session = self._received
        if session is None:
            if self._dtls._rx_srtp is None:
                self._to_dtls(data, component)
                return
            session = self._received = SrtpSession(self._dtls._rx_srtp)
        if len(data) < 2 or not 127 < data[0] < 192:
            self._to_dtls(data, component)
            return
        if not self.is_up:
            return
        is_rtcp = 192 <= data[1] <= 223  # RFC 5761 section 4
        plain = session.unprotect_rtcp(data) if is_rtcp else session.unprotect(data)
        if plain is None:
            self.undecryptable += 1
        elif is_rtcp:
            self._on_rtcp(plain)
        else:
            self._on_rtp(plain, time.monotonic())

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send; dropped while there are no keys."""
        session = self._sent or self._session()
        if session and self._dtls._state is DtlsState.CONNECTED:
            self._send(session.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send; dropped while there are no keys."""
        session = self._sent or self._session()
        if session and self._dtls._state is DtlsState.CONNECTED:
            self._send(session.protect_rtcp(packet))

    def _session(self) -> SrtpSession | None:
        if self._dtls._tx_srtp is not None:
            self._sent = SrtpSession(self._dtls._tx_srtp)
        return self._sent

    def _send(self, data: memoryview | None) -> None:
        pair = self._connection._nominated.get(1)
        if pair is not self._pair:
            self._follow(pair)
        if pair is None or not self.is_up:
            return
        try:
            if data is not None:
                self._sendto(data, self._address)
                return
        except OSError:
            pass  # also when its buffer is full: to wait for room would be to queue
        self.unsent += 1

    def _follow(self, pair: Any) -> None:
        """Another pair of addresses was chosen."""
        self._pair = pair
        if pair is not None:
            transport = pair.protocol.transport
            socket = getattr(transport, "_sock", None)
            # Through a relay there is no socket; its transport wants bytes.
            self._sendto = (
                socket.sendto if socket else lambda data, to: transport.sendto(bytes(data), to)
            )
            self._address = pair.remote_addr

    def close(self) -> None:
        """Hand nothing on any more."""
        self._on_rtp = self._on_rtcp = _drop
        self._connection.data_received = self._to_dtls  # type: ignore[method-assign]


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
