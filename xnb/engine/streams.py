"""Where aiortc's m-lines become our streams: aiortc keeps the negotiation and the keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from aiortc import RTCPeerConnection

from . import adapter
from .receive import Incoming
from .rtp.bandwidth import SendRate
from .rtp.inbound import InboundStream
from .rtp.outbound import Codec, OutboundStream
from .rtp.wire import Wire
from .send import Outgoing

if TYPE_CHECKING:
    from aiortc import RTCRtpSender, RTCRtpTransceiver
    from aiortc.rtcrtpparameters import (
        RTCRtpCodecParameters,
        RTCRtpParameters,
        RTCRtpReceiveParameters,
        RTCRtpSendParameters,
    )


class Streams:
    """The RTP streams of one peer connection, in both directions.

    Args:
        pc: The connection; MAX_BUNDLE, so it has one transport.

    Attributes:
        wire: All packets and reports of the connection.
    """

    def __init__(self, pc: RTCPeerConnection) -> None:
        self.wire = Wire()
        self.wire.on_report = self._show_report
        self._pc = pc
        self._path: adapter.MediaPath | None = None
        self._senders: dict[OutboundStream, RTCRtpSender] = {}

    def join(
        self,
        transceiver: RTCRtpTransceiver,
        out: Outgoing,
        incoming: Incoming,
        rate: SendRate | None = None,
    ) -> None:
        """Send ``out`` and receive ``incoming`` in one m-line, once it is negotiated.

        Args:
            transceiver: The m-line.
            out: What is sent there.
            incoming: What comes there.
            rate: What to aim at, for video.
        """
        stream = self.send(transceiver, rate, on_open=out.start)
        out.attach(stream)
        self.receive(transceiver, incoming, local_ssrc=stream.ssrc)

    def send(
        self,
        transceiver: RTCRtpTransceiver,
        rate: SendRate | None = None,
        *,
        on_open: Callable[[], None] | None = None,
    ) -> OutboundStream:
        """The stream that goes out in one m-line, open once it is negotiated.

        Args:
            transceiver: The m-line.
            rate: What to aim at, for video that is encoded here.
            on_open: Called whenever the stream may send, also after a renegotiation.
        """

        def may_send(found: RTCRtpSendParameters) -> None:
            self._may_send(stream, found)
            if on_open:
                on_open()

        ssrc, rtx_ssrc = adapter.take_over_sender(transceiver.sender, may_send)
        kind: Literal["audio", "video"] = "audio" if transceiver.kind == "audio" else "video"
        stream = OutboundStream(kind, ssrc, rtx_ssrc, rate)
        self._senders[stream] = transceiver.sender
        self.wire.outbound.append(stream)
        return stream

    def receive(
        self,
        transceiver: RTCRtpTransceiver,
        incoming: Incoming,
        *,
        local_ssrc: int | None = None,
    ) -> None:
        """Receive ``incoming`` in one m-line, once it is negotiated.

        Args:
            transceiver: The m-line.
            incoming: What comes there.
            local_ssrc: What our feedback is signed with; that of the m-line's unused sender by
                default.
        """
        receiver = transceiver.receiver
        if local_ssrc is None:
            local_ssrc, _ = adapter.take_over_sender(transceiver.sender, lambda _found: None)
        inbound = InboundStream(incoming.kind, self.wire, local_ssrc)
        inbound.on_source = lambda ssrc, numbers: adapter.show_received(receiver, ssrc, numbers)
        self.wire.inbound.append(inbound)
        incoming.attach(inbound, lambda: self.wire.rtt_s)
        adapter.take_over_receiver(receiver, lambda found: self._may_receive(inbound, found))

    def _open(self, parameters: RTCRtpParameters) -> None:
        self.wire.ids.learn({one.uri: one.id for one in parameters.headerExtensions})
        dtls = adapter.dtls_transport(self._pc)
        if self._path is None and dtls is not None:
            self._path = adapter.MediaPath(dtls)
            self.wire.open(self._path)

    def _may_send(self, stream: OutboundStream, parameters: RTCRtpSendParameters) -> None:
        self._open(parameters)
        main = next(one for one in parameters.codecs if one.name.lower() != "rtx")
        rtx = [one for one in parameters.codecs if one.parameters.get("apt") == main.payloadType]
        codec = Codec(main.name.lower(), _number(main), _number(rtx[0]) if rtx else None)
        stream.open(self.wire, codec, parameters.muxId, parameters.rtcp.cname or "", self.wire.ids)

    def _may_receive(self, stream: InboundStream, parameters: RTCRtpReceiveParameters) -> None:
        self._open(parameters)
        mains = [one for one in parameters.codecs if one.name.lower() != "rtx"]
        encoding = next(iter(parameters.encodings), None)
        originals = {_number(one): one.parameters.get("apt") for one in parameters.codecs}
        stream.configure(
            parameters.muxId,
            {_number(one): (one.name.lower(), one.clockRate) for one in mains},
            {again: apt for again, apt in originals.items() if isinstance(apt, int)},
            ssrc=encoding.ssrc if encoding else None,
            rtx_ssrc=encoding.rtx.ssrc if encoding and encoding.rtx else None,
            nack=any(
                feedback.type == "nack" and not feedback.parameter
                for feedback in mains[0].rtcpFeedback
            ),
        )

    def _show_report(self, stream: OutboundStream, packet: Any) -> None:
        middle, sent_s = self.wire.last_report()
        wall_s = time.time() - (time.monotonic() - sent_s)
        adapter.show_report(
            self._senders[stream], packet, (stream.packets, stream.octets, middle, wall_s)
        )

    def set_network(self, up: bool) -> None:
        """Let packets leave, or drop them."""
        if self._path:
            self._path.is_up = up

    def close(self) -> None:
        """Say good-bye and stop. May be called again."""
        self.wire.close()


def _number(codec: RTCRtpCodecParameters) -> int:
    assert codec.payloadType is not None
    return codec.payloadType
