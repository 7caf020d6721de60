"""A canary for every private name the adapter touches: a new aiortc fails here first."""

from __future__ import annotations

import inspect

import aioice.ice
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, rtcrtpsender
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCConfiguration

from xnb.engine import adapter


@pytest.fixture
async def pc():
    connection = RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )
    connection.addTransceiver("audio")
    connection.addTransceiver("video")
    yield connection
    await connection.close()


async def test_the_installed_aiortc_is_the_one_the_adapter_was_checked_against():
    adapter.check_version()


async def test_another_aiortc_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(adapter.importlib.metadata, "version", lambda _name: "2.0.0")
    with pytest.raises(RuntimeError, match=r"needs aiortc 1\.16\.x and found 2\.0\.0.*pip install"):
        adapter.check_version()


async def test_one_transport_carries_all_media(pc):
    transport = adapter.ice_transport(pc)
    assert transport is not None
    assert {t.sender.transport.transport for t in pc.getTransceivers()} == {transport}
    assert isinstance(adapter.ice_connection(transport), aioice.ice.Connection)


@pytest.mark.parametrize(
    "name",
    [
        "_check_periodic",
        "_transport_policy",
        "_closing",
        "_nominated",
        "_protocols",
        "_queue",
        "get_component_candidates",
        "query_consent",
        "build_request",
    ],
)
async def test_connection_has(pc, name):
    connection = adapter.ice_connection(adapter.ice_transport(pc))
    assert hasattr(connection, name)


async def test_connect_calls_what_is_replaced():
    source = inspect.getsource(aioice.ice.Connection)
    assert "self._check_periodic()" in source
    assert "self.query_consent()" in source
    assert "self.get_component_candidates(" in source
    assert "asyncio.sleep(0.02)" in inspect.getsource(aioice.ice.Connection.connect)


@pytest.mark.parametrize("name", ["datagram_received", "send_data", "send_stun"])
async def test_protocol_has(name):
    assert callable(getattr(aioice.ice.StunProtocol, name))


@pytest.mark.parametrize(
    "name",
    [
        "_RTCRtpReceiver__decoder_queue",
        "_RTCRtpReceiver__timestamp_mapper",
        "_RTCRtpReceiver__remote_streams",
        "_RTCRtpReceiver__jitter_buffer",
        "_handle_rtcp_packet",
        "_send_rtcp_pli",
    ],
)
async def test_receiver_has(pc, name):
    assert hasattr(pc.getReceivers()[1], name)


async def test_jitter_buffer_is_used_by_its_instance(pc):
    source = inspect.getsource(RTCRtpReceiver._handle_rtp_packet)
    assert "self.__jitter_buffer.add(packet)" in source
    assert "packet._data = " in source
    buffer = pc.getReceivers()[1]._RTCRtpReceiver__jitter_buffer
    assert len(buffer._packets) == buffer.capacity
    assert buffer._origin is None
    assert "self._remove_frame(packet.sequence_number)" in inspect.getsource(type(buffer).add)
    assert hasattr(pc.getReceivers()[0], "_RTCRtpReceiver__codecs")


async def test_mapper_has_an_origin(pc):
    mapper = pc.getReceivers()[0]._RTCRtpReceiver__timestamp_mapper
    assert mapper._origin is None


async def test_decoder_queue_is_used_by_its_instance():
    source = inspect.getsource(RTCRtpReceiver._handle_rtp_packet)
    assert "self.__decoder_queue.put((codec, encoded_frame))" in source


async def test_sender_has(pc):
    sender = pc.getSenders()[1]
    assert callable(sender._send_keyframe)
    assert adapter.sent_packets(sender) == 0
    assert "self._send_keyframe()" in inspect.getsource(RTCRtpSender._handle_rtcp_packet)


async def test_keyframe_hook_calls_both(pc):
    sender = pc.getSenders()[1]
    asked = []
    adapter.hook_keyframe_requests(sender, lambda: asked.append(1))
    sender._send_keyframe()
    assert asked == [1]
    assert sender._RTCRtpSender__force_keyframe is True


async def test_transceiver_codecs_are_named(pc):
    await pc.setLocalDescription(await pc.createOffer())
    assert adapter.codec_in_use(pc.getTransceivers()[0]) == "opus"
    assert adapter.codec_in_use(pc.getTransceivers()[1]) == "vp8"
    assert rtcrtpsender.RTCRtpSender is RTCRtpSender


@pytest.mark.parametrize("name", ["VP8", "H264"])
async def test_bitrate_limits_replace_those_of_the_codec(pc, name):
    await pc.setLocalDescription(await pc.createOffer())
    transceiver = pc.getTransceivers()[1]
    transceiver._codecs = [codec for codec in transceiver._codecs if codec.name == name]
    adapter.limit_bitrate(transceiver, 700_000, 900_000)
    assert adapter.target_bitrate_bps(transceiver) == 700_000
    encoder = transceiver.sender._RTCRtpSender__encoder
    encoder.target_bitrate = 5_000_000
    assert adapter.target_bitrate_bps(transceiver) == 900_000
    encoder.target_bitrate = 60_000
    assert adapter.target_bitrate_bps(transceiver) == 60_000


async def test_rollback_makes_room_for_another_offer(pc):
    await pc.setLocalDescription(await pc.createOffer())
    adapter.rollback(pc)
    assert pc.signalingState == "stable"
    assert [t.mid for t in pc.getTransceivers()] == [None, None]
    assert pc.localDescription is None
    other = RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )
    other.addTransceiver("audio")
    other.addTransceiver("video")
    await other.setLocalDescription(await other.createOffer())
    await pc.setRemoteDescription(other.localDescription)
    await pc.setLocalDescription(await pc.createAnswer())
    assert pc.signalingState == "stable"
    await other.close()
