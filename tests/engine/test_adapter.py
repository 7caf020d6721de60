"""A canary for every private name the adapter touches: a new aiortc fails here first."""

from __future__ import annotations

import asyncio
import inspect
import threading

import aioice.ice
import pytest
from aiortc import (
    RTCPeerConnection,
    RTCRtpSender,
    rate,
    rtcicetransport,
    rtcrtpsender,
)
from aiortc.rtcconfiguration import RTCBundlePolicy, RTCConfiguration
from cryptography.hazmat.primitives import hashes

from xnb.engine import adapter, host_addresses
from xnb.engine.peer import Peer
from xnb.media import synthetic


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
        "_check_list",
        "_closing",
        "_local_candidates",
        "_local_candidates_end",
        "_local_candidates_start",
        "_nominated",
        "_protocols",
        "_queue",
        "gather_candidates",
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
    gather = inspect.getsource(rtcicetransport.RTCIceGatherer.gather)
    assert "self._connection.gather_candidates()" in gather


def tune(connection, loopback=None):
    adapter.tune_connection(
        connection, loopback=loopback, dead_peer_s=10, on_consent=lambda _alive: None
    )


@pytest.fixture
def listed(monkeypatch):
    """What this machine's addresses are, and how often they were listed."""
    now, calls, addresses = [1000.0], [], ["127.0.0.2"]

    def lister(use_ipv4, use_ipv6):
        calls.append((use_ipv4, use_ipv6))
        return list(addresses)

    monkeypatch.setattr(aioice.ice, "get_host_addresses", lister)
    monkeypatch.setattr(host_addresses.time, "monotonic", lambda: now[0])
    return now, calls, addresses


def test_addresses_are_listed_again_after_a_second(listed):
    now, calls, addresses = listed
    first = host_addresses.host_addresses()
    first.append("changed by the caller")
    now[0] += host_addresses.ADDRESSES_VALID_S / 2
    assert host_addresses.host_addresses() == ["127.0.0.2"]
    assert calls == [(True, True)]
    addresses[:] = ["127.0.0.3", "::1"]
    now[0] += host_addresses.ADDRESSES_VALID_S
    assert host_addresses.host_addresses() == ["127.0.0.3", "::1"]
    assert len(calls) == 2


def test_a_machine_without_addresses_is_asked_again_at_once(listed):
    _now, calls, addresses = listed
    addresses.clear()
    assert host_addresses.host_addresses() == []
    addresses.append("127.0.0.4")
    assert host_addresses.host_addresses() == ["127.0.0.4"]
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("addresses", "loopback", "expected"),
    [
        (["127.0.0.2"], None, ["127.0.0.2"]),
        (["127.0.0.2"], True, ["127.0.0.2", "127.0.0.1"]),
        ([], None, ["127.0.0.1"]),
        ([], False, []),
    ],
)
async def test_gathering_gives_what_aioice_would_and_the_loopback_rule(
    monkeypatch, addresses, loopback, expected
):
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_which: list(addresses))
    connection = aioice.ice.Connection(ice_controlling=True)
    tune(connection, loopback)
    await connection.gather_candidates()
    await connection.gather_candidates()
    assert [one.host for one in connection.local_candidates] == expected
    assert connection._local_candidates_end is True
    assert connection._components == {1}
    await connection.close()


async def test_two_connections_in_one_second_list_the_addresses_once(monkeypatch):
    calls = []

    def lister(**which):
        calls.append(which)
        return ["127.0.0.2"]

    monkeypatch.setattr(aioice.ice, "get_host_addresses", lister)
    connections = [aioice.ice.Connection(ice_controlling=True) for _ in range(2)]
    for connection in connections:
        tune(connection)
        await connection.gather_candidates()
        assert [one.host for one in connection.local_candidates] == ["127.0.0.2"]
    assert calls == [{"use_ipv4": True, "use_ipv6": True}]
    for connection in connections:
        await connection.close()


async def test_relay_only_opens_no_host_socket_even_with_loopback():
    connection = aioice.ice.Connection(
        ice_controlling=True, transport_policy=aioice.ice.TransportPolicy.RELAY
    )
    tune(connection, loopback=True)
    await connection.gather_candidates()
    assert connection.local_candidates == []
    assert connection._protocols == []


async def test_each_connection_has_a_certificate_of_its_own_hashed_once(pc):
    other = RTCPeerConnection(
        RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    )
    other.addTransceiver("audio")
    values = []
    for connection in (pc, other):
        dtls = adapter.dtls_transport(connection)
        before = dtls.getLocalParameters().fingerprints
        adapter.keep_fingerprints(connection)
        certificate = connection._RTCPeerConnection__certificates[0]
        assert dtls._RTCDtlsTransport__local_certificate is certificate
        after = dtls.getLocalParameters().fingerprints
        assert [(f.algorithm, f.value) for f in after] == [(f.algorithm, f.value) for f in before]
        assert after[0] is dtls.getLocalParameters().fingerprints[0]
        after.clear()
        assert dtls.getLocalParameters().fingerprints == before
        digest = certificate._cert.fingerprint(hashes.SHA256()).hex(":").upper()
        assert before[0].value == digest
        values.append(digest)
        await connection.setLocalDescription(await connection.createOffer())
        assert f"a=fingerprint:sha-256 {digest}" in connection.localDescription.sdp
    assert values[0] != values[1]
    await other.close()


async def test_a_receivers_estimator_is_made_when_it_is_used_and_says_the_same(pc):
    lazy = pc.getReceivers()[1]._RTCRtpReceiver__remote_bitrate_estimator
    plain = rate.RemoteBitrateEstimator()
    assert isinstance(lazy, rate.RemoteBitrateEstimator)
    assert vars(lazy) == {}
    with pytest.raises(AttributeError):
        _ = lazy.no_such_name
    said = []
    for number in range(600):
        packet = {
            "abs_send_time": (number * 5 << 18) // 1000 & 0xFFFFFF,
            "arrival_time_ms": number * 5 + number // 40,
            "payload_size": 1200,
            "ssrc": 1234,
        }
        expected = plain.add(**packet)
        assert lazy.add(**packet) == expected
        said.append(expected)
    assert any(said)
    assert vars(lazy).keys() == vars(plain).keys()


@pytest.mark.parametrize("name", ["datagram_received", "send_data", "send_stun"])
async def test_protocol_has(name):
    assert callable(getattr(aioice.ice.StunProtocol, name))


@pytest.fixture
async def joined():
    """Two connected peers, and what of theirs is private."""
    a, b = Peer(), Peer()
    a.audio_out.play(synthetic.tone(440).audio)
    await b.apply_offer(await a.make_offer(video=True))
    await a.apply_answer(await b.make_answer())
    await asyncio.gather(a.wait_connected(), b.wait_connected())
    yield a, b
    await asyncio.gather(a.close(), b.close())


async def test_connections_start_senders_and_receivers_by_these_names():
    source = inspect.getsource(RTCPeerConnection)
    assert "await transceiver.sender.send(self.__localRtp(transceiver))" in source
    assert "await transceiver.receiver.receive(" in source


async def test_sender_has(pc):
    sender = pc.getSenders()[1]
    assert sender._ssrc != sender._rtx_ssrc
    for name in ("packet_count", "octet_count", "lsr", "lsr_time"):
        assert hasattr(sender, f"_RTCRtpSender__{name}")


async def test_receiver_has(pc):
    assert pc.getReceivers()[1]._RTCRtpReceiver__remote_streams == {}


async def test_datagrams_come_in_by_this_name(pc):
    connection = adapter.ice_connection(adapter.ice_transport(pc))
    assert callable(connection.data_received)
    assert "self.receiver.data_received(" in inspect.getsource(aioice.ice.StunProtocol)


async def test_transport_has(joined):
    dtls = adapter.dtls_transport(joined[0].pc)
    assert dtls._state is adapter.DtlsState.CONNECTED
    assert callable(dtls._tx_srtp.protect)
    assert callable(dtls._rx_srtp.unprotect_rtcp)
    (pair,) = dtls.transport._connection._nominated.values()
    assert callable(pair.protocol.transport.sendto)
    assert callable(pair.protocol.transport._sock.sendto)
    assert pair.remote_addr


async def test_sockets_are_read_by_these_names(joined):
    for peer in joined:
        connection = adapter.ice_connection(adapter.ice_transport(peer.pc))
        for protocol in connection._protocols:
            transport = protocol.transport
            assert transport._loop is asyncio.get_running_loop()
            key = transport._loop._selector.get_key(transport._sock.fileno())
            reader, _ = key.data
            assert reader._callback.__name__ == "read_ready"


async def test_packets_do_not_pass_through_aioice(joined, monkeypatch):
    """Each would cost an attempt to read it as STUN."""
    seen = []
    parse = aioice.ice.stun.parse_message
    monkeypatch.setattr(
        aioice.ice.stun, "parse_message", lambda data: seen.append(data) or parse(data)
    )
    incoming = joined[1].audio_in
    before = incoming.frames
    for _ in range(100):
        await asyncio.sleep(0.05)
        if incoming.frames > before + 20:
            break
    assert incoming.frames > before + 20
    assert all(data[0] < 4 for data in seen)


async def test_what_the_system_does_not_take_is_dropped_and_counted(joined):
    path = joined[0].streams._path
    path._sendto = _full
    before = path.unsent
    path.send_rtcp(bytes((0x80, 201, 0, 1)) + bytes(4))
    path.send_rtp(bytes((0x80, 96)) + bytes(3000))
    assert path.unsent == before + 2


def _full(*_args):
    raise BlockingIOError


async def test_a_datagram_is_read_into_little_memory(joined):
    source = inspect.getsource(asyncio.selector_events._SelectorDatagramTransport)
    assert "recvfrom(self.max_size)" in source
    for peer in joined:
        connection = adapter.ice_connection(adapter.ice_transport(peer.pc))
        sizes = {protocol.transport.max_size for protocol in connection._protocols}
        assert sizes == {adapter.MOST_DATAGRAM_BYTES}


async def test_no_sender_receiver_or_decoder_of_aiortc_runs(joined):
    for peer in joined:
        for transceiver in peer.pc.getTransceivers():
            assert transceiver.sender._RTCRtpSender__started is False
            assert transceiver.receiver._RTCRtpReceiver__started is False
    assert not [one.name for one in threading.enumerate() if one.name.endswith("-decoder")]


async def test_the_connections_own_statistics_stay_true(joined):
    a, b = joined
    for _ in range(60):
        await asyncio.sleep(0.05)
        stats = (await a.pc.getStats()).values()
        reports = [one for one in stats if one.type == "remote-inbound-rtp"]
        if reports and reports[0].roundTripTime is not None:
            break
    assert 0 <= reports[0].roundTripTime < 0.5
    await asyncio.sleep(0.4)
    sent = [one for one in (await a.pc.getStats()).values() if one.type == "outbound-rtp"]
    got = [one for one in (await b.pc.getStats()).values() if one.type == "inbound-rtp"]
    assert max(one.packetsSent for one in sent) > 3  # as of the last report
    assert got[0].packetsReceived > 10


async def test_reports_have_nothing_to_wait_for():
    """So that they can be handled without a task."""
    source = inspect.getsource(RTCRtpSender._handle_rtcp_packet)
    assert "await" not in source[: source.index("RTCP_RTPFB_NACK")]


async def test_opus_is_offered_with_nack(pc):
    adapter.offer_audio_nack()
    adapter.offer_audio_nack()
    assert (await pc.createOffer()).sdp.count("a=rtcp-fb:96 nack\r\n") == 1


async def test_transceiver_codecs_are_named(pc):
    await pc.setLocalDescription(await pc.createOffer())
    assert adapter.codec_in_use(pc.getTransceivers()[0]) == "opus"
    assert adapter.codec_in_use(pc.getTransceivers()[1]) == "vp8"
    assert rtcrtpsender.RTCRtpSender is RTCRtpSender


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
