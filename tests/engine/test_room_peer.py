"""A room's end of a connection: any number of m-lines over real sockets, content checked."""

from __future__ import annotations

import asyncio

import pytest
from room_clients import CODECS, COLOURS, Ears, Eyes, tone_hz, until

from xnb.engine.codecs import starts_keyframe
from xnb.engine.forward import SharedWishes
from xnb.engine.peer import Peer, PeerState
from xnb.engine.room_peer import RoomPeer
from xnb.errors import SignalingError
from xnb.media import synthetic
from xnb.settings import Timeouts


class Hall:
    """Senders and viewers, and the room's ends of their connections."""

    def __init__(self) -> None:
        self.peers = []

    def room_peer(self, **settings) -> RoomPeer:
        self.peers.append(RoomPeer(**settings))
        return self.peers[-1]

    async def sender(self, number=0, codecs=CODECS, video=True, **settings):
        """A far sender of a colour and a tone, and the room's end."""
        far, near = Peer(**settings), self.room_peer()
        self.peers.append(far)
        source = synthetic.testcard(
            320, 240, fps=20, tone_hz=tone_hz(number), colour=COLOURS[number]
        )
        far.audio_out.play(source.audio)
        far.video_out.play(source.video)
        await far.apply_answer(await near.answer(await far.make_offer(video=video), codecs))
        await asyncio.gather(far.wait_connected(), near.wait_connected())
        return far, near

    async def viewer(self, *lines):
        """The room's end and a far viewer of these received lines."""
        near, far = self.room_peer(), self.room_peer()
        sent = []
        for line in lines:
            sent.append(near.add_line(line.kind, line.codec))
            sent[-1].play(line.incoming)
        await negotiate(near, far)
        await asyncio.gather(far.wait_connected(), near.wait_connected())
        return near, far, sent

    async def close(self) -> None:
        await asyncio.gather(*(one.close() for one in self.peers))


async def negotiate(near: RoomPeer, far: RoomPeer) -> None:
    await near.take_answer(await far.answer(await near.offer(), CODECS))


@pytest.fixture
async def hall():
    made = Hall()
    yield made
    await made.close()


async def test_what_one_sends_reaches_two_others(hall):
    _, near = await hall.sender(2)
    assert [(one.kind, one.mid, one.index, one.codec) for one in near.received] == [
        ("audio", "0", 0, "opus"),
        ("video", "1", 1, "vp8"),
    ]
    assert all(one.is_active for one in near.received)
    for _ in range(2):
        _, far, sent = await hall.viewer(*near.received)
        ears, eyes = (Ears(far.received[0].incoming), Eyes(far.received[1].incoming))
        await eyes.sees(2)
        await ears.hears(2)
        assert [one.mid for one in sent] == ["0", "1"]
        assert all(one.is_flowing and one.is_ready for one in sent)
        assert sent[0].count().packets > 3
    assert near.received[1].incoming.decoder is None


async def test_the_rooms_order_of_codecs_counts(hall):
    _, near = await hall.sender(codecs={"audio": ["opus"], "video": ["h264", "vp8"]})
    assert near.received[1].codec == "h264"
    _, far, _ = await hall.viewer(near.received[1])
    eyes = Eyes(far.received[0].incoming)
    await eyes.sees(0)
    assert far.received[0].incoming.codec == "h264"


async def test_a_kind_that_is_not_allowed_is_rejected_and_the_rest_works(hall):
    far, near = await hall.sender(3, codecs={"audio": ["opus"], "video": []})
    assert [one.kind for one in near.received] == ["audio"]
    assert "m=video 0 " in (await near.answer(await far.make_offer(), {"audio": ["opus"]}))
    _, viewer, _ = await hall.viewer(*near.received)
    await Ears(viewer.received[0].incoming).hears(3)


async def test_an_offer_without_anything_that_is_allowed_is_refused(hall):
    far, near = Peer(video_codec="vp8"), hall.room_peer()
    hall.peers.append(far)
    offer = await far.make_offer(audio=False, video=True)
    with pytest.raises(SignalingError, match="Offer sound as Opus"):
        await near.answer(offer, {"audio": ["opus"], "video": ["h264"]})
    with pytest.raises(SignalingError):
        await near.answer("no description", CODECS)


async def test_lines_are_added_later_and_used_again(hall):
    _, red = await hall.sender(0)
    _, green = await hall.sender(1)
    near, far, sent = await hall.viewer(red.received[1])
    eyes = Eyes(far.received[0].incoming)
    await eyes.sees(0)
    more = near.add_line("video", "vp8")
    more.play(green.received[1].incoming)
    assert not more.is_ready
    await negotiate(near, far)
    second = Eyes(far.received[1].incoming)
    await second.sees(1)
    near.drop_line(sent[0])
    await negotiate(near, far)
    assert [one.is_active for one in far.received] == [False, True]
    again = near.add_line("video", "vp8")
    assert again is sent[0]
    again.play(green.received[1].incoming)
    await negotiate(near, far)
    await eyes.sees(1)
    assert len(far.received) == 2


async def test_a_switch_begins_with_a_keyframe_and_leaves_no_gap(hall):
    _, red = await hall.sender(0)
    _, green = await hall.sender(1)
    _, far, sent = await hall.viewer(red.received[1])
    incoming = far.received[0].incoming
    eyes = Eyes(incoming)
    await eyes.sees(0)
    numbers, ssrcs = [], set()
    incoming.on_packet(
        lambda packet, _: (numbers.append(packet.sequence_number), ssrcs.add(packet.ssrc))
    )
    sent[0].play(green.received[1].incoming)
    await eyes.sees(1)
    assert len(ssrcs) == 1
    steps = {(b - a) & 0xFFFF for a, b in zip(numbers, numbers[1:], strict=False)}
    assert steps == {1}
    assert incoming.resyncs == 0


async def test_pause_stops_and_resume_begins_with_a_keyframe(hall):
    _, near = await hall.sender(4)
    _, far, sent = await hall.viewer(near.received[1])
    incoming = far.received[0].incoming
    eyes = Eyes(incoming)
    await eyes.sees(4)
    sent[0].pause(True)
    await asyncio.sleep(0.2)
    payloads = []
    incoming.on_packet(lambda packet, _: payloads.append(packet.payload))
    await asyncio.sleep(0.4)
    assert not payloads
    sent[0].pause(False)
    await eyes.sees(4)
    assert starts_keyframe("vp8", payloads[0])


async def test_what_is_lost_on_the_way_to_a_viewer_is_sent_again_by_the_room(hall):
    _, near = await hall.sender(5)
    room, far, sent = await hall.viewer(near.received[1])
    incoming = far.received[0].incoming
    eyes = Eyes(incoming)
    await eyes.sees(5)
    path = room.streams._path
    send, dropped = path.send_rtp, []

    def lossy(packet: bytes) -> None:
        is_first = packet[1] & 127 == sent[0].stream.codec.payload_type
        if len(dropped) < 8 and is_first and packet[3] % 5 == 0:
            dropped.append(packet)
        else:
            send(packet)

    path.send_rtp = lossy
    asked = near.received[1].incoming.stream.nack
    await until(lambda: len(dropped) == 8, "losses")
    await until(lambda: sent[0].count().lost >= 8, "retransmissions")
    await eyes.sees(5)
    assert incoming.resyncs == 0
    assert asked.recovered == 0  # nobody bothered the sender


async def test_a_viewer_behind_a_bad_path_does_not_slow_the_others():
    class Source:
        kind = "video"

        def __init__(self):
            self.limits, self.keyframes = [], 0

        def limit_bitrate(self, _owner, bitrate_bps):
            self.limits.append(bitrate_bps)

        def request_keyframe(self):
            self.keyframes += 1

    source = Source()
    wishes = SharedWishes(source)
    wishes.limit("good", 2_000_000)
    wishes.limit("bad", 80_000)
    assert source.limits[-1] == 2_000_000
    wishes.limit("unlimited", None)
    assert source.limits[-1] is None
    wishes.forget("unlimited")
    wishes.forget("good")
    assert source.limits[-1] == 80_000
    wishes.forget("bad")
    wishes.forget("bad")
    assert source.limits[-1] is None
    for _ in range(20):
        wishes.keyframe("bad")
    assert source.keyframes == 1
    wishes.keyframe("good")
    assert source.keyframes == 2


async def test_being_up_and_being_gone_are_told_once(hall):
    far, near = Peer(), hall.room_peer()
    hall.peers.append(far)
    told = []
    near.on_up = lambda: told.append("up")
    near.on_gone = told.append
    await far.apply_answer(await near.answer(await far.make_offer(), CODECS))
    await until(lambda: told == ["up"], "up")
    assert near.is_up
    await far.close()
    await until(lambda: told == ["up", "DTLS alert"], "the end of the connection")
    await near.close()
    await near.close()
    assert told == ["up", "DTLS alert"]


async def test_a_client_that_never_comes_is_given_up(hall):
    near, far = hall.room_peer(timeouts=Timeouts(connect_s=0.3)), Peer()
    hall.peers.append(far)
    told = []
    near.on_gone = told.append
    await near.answer(await far.make_offer(), CODECS)
    await until(lambda: told, "giving up", timeout_s=3)
    assert told == ["ICE failed"]


async def test_a_client_that_falls_silent_is_given_up_and_one_that_comes_back_is_not(hall):
    near = hall.room_peer(timeouts=Timeouts(dead_peer_s=0.5), gone_s=1.5)
    far = Peer()
    hall.peers.append(far)
    told = []
    near.on_gone = told.append
    await far.apply_answer(await near.answer(await far.make_offer(), CODECS))
    await asyncio.gather(far.wait_connected(), near.wait_connected())
    far.set_network(False)
    await until(lambda: near.state is PeerState.DISCONNECTED, "silence")
    far.set_network(True)
    await until(lambda: near.state is PeerState.CONNECTED, "coming back")
    await asyncio.sleep(1.6)
    assert not told
    far.set_network(False)
    await until(lambda: told == ["ICE failed"], "the end")


async def test_candidates_may_name_any_line(hall):
    far, near = Peer(), hall.room_peer()
    hall.peers.append(far)
    offer = await far.make_offer(video=True)
    bare = "\r\n".join(
        one for one in offer.splitlines() if not one.startswith(("a=candidate", "a=end-of"))
    )
    answer = await near.answer(bare + "\r\n", CODECS)
    silent = [one for one in answer.splitlines() if not one.startswith(("a=candidate", "a=end-of"))]
    await far.apply_answer("\r\n".join(silent) + "\r\n")
    for line, _, _ in far.local_candidates():
        await near.add_candidate(line, "1", 7)
    await near.add_candidate("candidate:1 1 udp 1 abc.local 5 typ host", "0", 0)
    await near.add_candidate("rubbish", None, None)
    await asyncio.gather(far.wait_connected(), near.wait_connected())


async def test_what_comes_goes_back_into_the_same_lines(hall):
    far, near = Peer(), hall.room_peer()
    hall.peers.append(far)
    source = synthetic.testcard(320, 240, fps=20, tone_hz=tone_hz(1), colour=COLOURS[1])
    far.audio_out.play(source.audio)
    far.video_out.play(source.video)
    await far.apply_answer(
        await near.answer(await far.make_offer(video=True), CODECS, send_back=True)
    )
    for line in near.received:
        line.back.play(line.incoming)
    ears, eyes = Ears(far.audio_in), Eyes(far.video_in)
    await eyes.sees(1)
    await ears.hears(1)


async def test_closing_half_open_ends_clean(hall):
    near = hall.room_peer()
    near.add_line("audio", "opus")
    await near.offer()
    assert near.is_offering
    await near.close()
    await near.close()
    with pytest.raises(SignalingError):
        await near.take_answer("v=0\r\n")


async def test_a_connection_that_is_closed_while_it_negotiates_says_so(hall):
    far, near = Peer(), hall.room_peer()
    hall.peers.append(far)
    offer = await far.make_offer()
    await near.close()
    with pytest.raises(SignalingError):
        await near.answer(offer, CODECS)
    other = hall.room_peer()
    other.add_line("audio", "opus")
    await other.close()
    with pytest.raises(SignalingError, match="closed meanwhile"):
        await other.offer()
    with pytest.raises(SignalingError, match="closed meanwhile"):
        other.add_line("audio", "opus")
