"""Two peers over real sockets: content, codecs, stages, and ends."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from bad_network import BadNetwork

from xnb.engine import adapter
from xnb.engine.codecs import vp8_size
from xnb.engine.peer import Peer, PeerState
from xnb.errors import ConnectError, SettingsError, SignalingError
from xnb.media import synthetic
from xnb.media.frames import AudioChunk, VideoFrame
from xnb.media.testcard import read_counter
from xnb.settings import IceServer, IceSettings, Timeouts, VideoSettings


async def join(a: Peer, b: Peer, *, video: bool = True) -> None:
    await b.apply_offer(await a.make_offer(video=video))
    await a.apply_answer(await b.make_answer())
    await asyncio.gather(a.wait_connected(), b.wait_connected())


def play(peer: Peer, source) -> None:
    peer.audio_out.play(source.audio)
    peer.video_out.play(source.video)


@pytest.fixture
async def peers():
    made = []

    def make(**settings) -> Peer:
        peer = Peer(**settings)
        made.append(peer)
        return peer

    yield make
    await asyncio.gather(*(peer.close() for peer in made))


def decoding() -> list[str]:
    """Threads that decode now."""
    return [one.name for one in threading.enumerate() if "decode" in one.name]


async def collect(incoming, count: int, timeout_s: float = 10):
    frames: list = []
    done = asyncio.Event()

    def take(frame, time_s):
        frames.append((frame, time_s))
        if len(frames) >= count:
            done.set()

    handle = incoming.on_frame(take)
    await asyncio.wait_for(done.wait(), timeout_s)
    handle.close()
    return frames


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_counter_and_tone_arrive_in_the_codec_that_was_asked_for(peers, codec):
    a, b = peers(video_codec=codec), peers()
    play(a, synthetic.testcard(audio="tone"))
    await join(a, b)
    pictures, sound = await asyncio.gather(collect(b.video_in, 40), collect(b.audio_in, 60))
    numbers = [read_counter(VideoFrame(f, t).image) for f, t in pictures]
    assert None not in numbers
    assert numbers == sorted(set(numbers))
    assert b.video_in.codec == codec == a.video_codec_in_use == b.video_codec_in_use
    samples = np.concatenate([AudioChunk.from_av(f, t).samples[:, 0] for f, t in sound[10:]])
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    loudest_hz = spectrum.argmax() * 48000 / len(samples)
    assert loudest_hz == pytest.approx(440, abs=3)
    times = [t for _, t in pictures]
    assert np.diff(times).mean() == pytest.approx(1 / 30, abs=0.004)


async def test_nothing_is_decoded_until_somebody_reads(peers):
    a, b = peers(), peers()
    play(a, synthetic.testcard(audio="tone"))
    await join(a, b)
    encoded = []
    b.video_in.on_encoded(lambda frame, time_s: encoded.append(frame))
    while len(encoded) < 15:
        await asyncio.sleep(0.02)
    assert b.video_in.latest is None
    assert not decoding()
    assert encoded[0].is_keyframe
    assert vp8_size(encoded[0].data) == (640, 480)
    await collect(b.video_in, 3)
    assert not decoding()
    handle = b.video_in.on_frame(lambda frame, time_s: None)
    await collect(b.video_in, 3)
    assert decoding() == ["xnb-decode-vp8"]
    handle.close()
    await asyncio.sleep(0.3)
    assert b.video_in.latest is None
    assert not decoding()


async def test_the_plain_connections_tracks_give_frames_to_who_reads_them(peers):
    """Code written for aiortc works on ``peer.pc``."""
    a, b = peers(), peers()
    play(a, synthetic.testcard(320, 240, audio="tone"))
    await join(a, b)
    audio, video = (receiver.track for receiver in b.pc.getReceivers())
    pictures = [await asyncio.wait_for(video.recv(), 5) for _ in range(10)]
    numbers = [read_counter(VideoFrame(frame, 0).image) for frame in pictures]
    assert numbers == sorted(set(numbers))
    assert all(later.pts > frame.pts for frame, later in itertools.pairwise(pictures))
    sound = await asyncio.wait_for(audio.recv(), 5)
    assert (sound.sample_rate, sound.samples) == (48_000, 960)
    assert decoding() == ["xnb-decode-vp8"]
    video.stop()
    assert not decoding()
    with pytest.raises(MediaStreamError):
        await video.recv()
    reading = asyncio.ensure_future(drained(audio))
    await b.close()
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(reading, 2)


async def drained(track) -> None:
    while True:
        await track.recv()


async def test_video_limits_are_kept(peers):
    limits = VideoSettings(
        max_fps=10, max_height_px=120, max_bitrate_bps=200_000, start_bitrate_bps=100_000
    )
    a, b = peers(video_settings=limits), peers()
    play(a, synthetic.testcard(audio="tone"))
    await join(a, b)
    pictures = await collect(b.video_in, 15)
    assert {(f.width, f.height) for f, _ in pictures} == {(160, 120)}
    assert np.diff([t for _, t in pictures]).mean() == pytest.approx(0.1, abs=0.02)
    assert a.video_bitrate_bps <= 200_000
    before = b.video_in.bytes
    await asyncio.sleep(2)
    assert (b.video_in.bytes - before) * 8 / 2 < 300_000


async def test_a_source_at_just_the_limit_loses_nothing(peers):
    a, b = peers(video_settings=VideoSettings(max_fps=30)), peers()
    play(a, synthetic.testcard())
    await join(a, b)
    await collect(b.video_in, 5)
    pictures = await collect(b.video_in, 45)
    numbers = [read_counter(VideoFrame(f, t).image) for f, t in pictures]
    assert numbers[-1] - numbers[0] <= 46


async def test_local_candidates_are_those_of_the_description(peers):
    a, b = peers(), peers()
    offer = await a.make_offer(video=True)
    found = a.local_candidates()
    assert found
    assert all(line.startswith("candidate:") for line, _, _ in found)
    assert {(mid, index) for _, mid, index in found} == {("0", 0), ("1", 1)}
    bare = "\r\n".join(x for x in offer.splitlines() if "candidate" not in x) + "\r\n"
    await b.apply_offer(bare)
    await a.apply_answer(await b.make_answer())
    for line, mid, index in found:
        await b.add_candidate(line, mid, index)
    await asyncio.gather(a.wait_connected(), b.wait_connected())


async def test_mute_stops_packets_and_unmute_leaves_a_gap_in_time(peers):
    a, b = peers(), peers()
    a.audio_out.play(synthetic.tone(440).audio)
    await join(a, b, video=False)
    times: list[float] = []
    b.audio_in.on_frame(lambda frame, time_s: times.append(time_s))
    await asyncio.sleep(0.8)
    a.audio_out.muted = True
    await asyncio.sleep(0.1)
    before = a.audio_out.stream.packets
    await asyncio.sleep(0.6)
    assert a.audio_out.stream.packets == before
    a.audio_out.muted = False
    await asyncio.sleep(0.8)
    gap = float(np.diff(times).max())
    assert 0.55 < gap < 0.95


async def test_a_source_can_be_changed_in_mid_call(peers):
    a, b = peers(), peers()
    low, high = synthetic.tone(300), synthetic.tone(900)
    a.audio_out.play(low.audio)
    await join(a, b, video=False)
    await collect(b.audio_in, 20)
    a.audio_out.play(high.audio)
    await asyncio.sleep(0.4)
    sound = await collect(b.audio_in, 40)
    samples = np.concatenate([AudioChunk.from_av(f, t).samples[:, 0] for f, t in sound])
    loudest_hz = np.abs(np.fft.rfft(samples)).argmax() * 48000 / len(samples)
    assert loudest_hz == pytest.approx(900, abs=3)


async def test_setup_has_no_pause(peers):
    waits = []
    for _ in range(3):
        a, b = peers(), peers()
        start = time.monotonic()
        await join(a, b)
        waits.append(time.monotonic() - start)
    # aioice alone sleeps 20 ms after each of at least two rounds of checks on each side.
    assert min(waits) < 0.5


async def test_loopback_only_machine_can_call_itself(peers, monkeypatch):
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [])
    a, b = peers(), peers()
    play(a, synthetic.testcard(audio="tone"))
    await join(a, b)
    gathered = adapter.ice_transport(a.pc).iceGatherer.getLocalCandidates()
    assert [candidate.ip for candidate in gathered] == ["127.0.0.1"]
    await collect(b.video_in, 3)


async def test_no_address_at_all_says_so(peers, monkeypatch):
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [])
    a = peers(ice=IceSettings(loopback=False))
    with pytest.raises(ConnectError, match="no usable network address") as caught:
        await a.make_offer()
    assert caught.value.stage == "gathering"


async def test_silent_turn_server_ends_with_words(peers):
    server = IceServer(("turn:127.0.0.1:9",), "u", "secret-pw")
    ice = IceSettings(servers=(server,), relay_only=True)
    a = peers(ice=ice)
    start = time.monotonic()
    with pytest.raises(ConnectError, match="TURN server gave no relay address") as caught:
        await a.make_offer()
    assert time.monotonic() - start < 6
    assert "secret-pw" not in str(caught.value) + repr(ice)


async def test_unreachable_far_end_names_the_stage_within_the_limit(peers):
    a, b = peers(timeouts=Timeouts(connect_s=1.5)), peers()
    await b.apply_offer(await a.make_offer())
    answer = await b.make_answer()
    await b.close()
    await a.apply_answer(answer)
    start = time.monotonic()
    with pytest.raises(ConnectError, match="No path to the far end") as caught:
        await a.wait_connected()
    assert caught.value.stage == "checking"
    assert time.monotonic() - start < 2.5
    assert a.state is PeerState.FAILED


async def test_dead_peer_is_noticed_and_its_return_too(peers):
    a, b = peers(timeouts=Timeouts(dead_peer_s=1.0)), peers(timeouts=Timeouts(dead_peer_s=60))
    states = []
    await join(a, b, video=False)
    a.on_state = lambda state, text: states.append(state)
    b.set_network(False)
    start = time.monotonic()
    while PeerState.DISCONNECTED not in states:
        await asyncio.sleep(0.05)
        assert time.monotonic() - start < 5
    b.set_network(True)
    while states[-1] is not PeerState.CONNECTED:
        await asyncio.sleep(0.05)
        assert time.monotonic() - start < 8


async def test_far_end_closing_is_noticed_at_once(peers):
    a, b = peers(), peers()
    await join(a, b)
    start = time.monotonic()
    await a.close()
    while b.state is not PeerState.CLOSED:
        await asyncio.sleep(0.01)
        assert time.monotonic() - start < 2


async def test_garbled_descriptions_and_candidates(peers):
    a = peers()
    with pytest.raises(SignalingError, match="cannot be used") as caught:
        await a.apply_offer("v=0\r\nm=audio nonsense 1.2.3.4\r\n")
    assert "1.2.3.4" not in str(caught.value)
    assert caught.value.__cause__ is None
    b, c = peers(), peers()
    await c.apply_offer(await b.make_offer())
    hidden = "candidate:1 1 udp 1 abc.local 9 typ host"
    for line in ("", "candidate:", "nonsense", hidden, "a=candidate:x y z"):
        await c.add_candidate(line, "0", 0)


async def test_no_codec_in_common_is_an_error_with_the_remedy(peers):
    a, b = peers(video_codec="vp8"), peers(video_codec="h264")
    offer = await a.make_offer(video=True)
    with pytest.raises(SignalingError, match="video_codec=None"):
        await b.apply_offer(offer)


async def test_audio_only_answer_to_a_video_offer(peers):
    a, b = peers(), peers()
    play(a, synthetic.testcard(audio="tone"))
    offer = await a.make_offer(video=True)
    await b.apply_offer(offer, video=False)
    await a.apply_answer(await b.make_answer())
    await asyncio.gather(a.wait_connected(), b.wait_connected())
    await collect(b.audio_in, 5)
    assert not b.video_in.active


async def test_closing_is_idempotent_from_any_state_and_leaves_no_task(peers):
    before = len(asyncio.all_tasks())
    for stage in range(4):
        a, b = Peer(), Peer()
        if stage >= 1:
            offer = await a.make_offer(video=True)
        if stage >= 2:
            await b.apply_offer(offer)
        if stage >= 3:
            await a.apply_answer(await b.make_answer())
        await asyncio.gather(a.close(), b.close())
        await asyncio.gather(a.close(), b.close())
    await asyncio.sleep(0.3)
    assert len(asyncio.all_tasks()) <= before


async def test_a_listener_that_fails_disturbs_nobody(peers):
    a, b = peers(), peers()
    a.audio_out.play(synthetic.tone(440).audio)
    await join(a, b, video=False)
    b.audio_in.on_frame(lambda frame, time_s: 1 / 0)
    assert len(await collect(b.audio_in, 10)) >= 10


def test_settings_say_the_range():
    with pytest.raises(SettingsError, match="connect_s is 0, outside its range"):
        Timeouts(connect_s=0)
    with pytest.raises(SettingsError, match="must start with stun"):
        IceServer(("http://x",))


async def test_stopping_while_the_source_is_taken_away_ends(peers):
    """A hang-up does both at once; neither may win silently."""
    a, b = peers(), peers()
    a.video_out.play(synthetic.testcard(fps=1).video)
    await join(a, b)
    await asyncio.sleep(0.05)
    a.video_out.play(None)
    await asyncio.wait_for(a.close(), 2)
    assert a.video_out._task is None


async def test_picture_comes_back_soon_after_an_outage(peers):
    """Packets lost at its edges must not hold the picture until a buffer of 512 is full."""
    settings = {"timeouts": Timeouts(dead_peer_s=30)}
    a, b = peers(**settings), peers(**settings)
    play(a, synthetic.testcard(audio="tone"))
    await join(a, b)
    await collect(b.video_in, 10)
    b.set_network(False)
    await asyncio.sleep(3)
    b.set_network(True)
    start = time.monotonic()
    numbers = [read_counter(VideoFrame(f, t).image) for f, t in await collect(b.video_in, 20)]
    assert time.monotonic() - start < 4
    assert numbers[-1] - numbers[0] < 60


@pytest.mark.parametrize("loss_percent", [5, 10, 20])
async def test_sound_survives_loss(peers, loss_percent):
    a, b = peers(), peers()
    a.audio_out.play(synthetic.tone(440).audio)
    await join(a, b, video=False)
    network = BadNetwork(a, loss_percent / 100, delay_s=0.025)
    BadNetwork(b, loss_percent / 100, delay_s=0.025)
    await asyncio.sleep(2)  # the sender hears of the loss with the first reports
    sound = await collect(b.audio_in, 250)
    assert network.dropped
    # Times are those of capture: they jump a little where the delay was adapted.
    steps = np.diff([time_s for _, time_s in sound])
    assert steps.min() >= 0
    assert steps.max() < 0.15
    samples = np.concatenate([AudioChunk.from_av(f, t).samples[:, 0] for f, t in sound])
    loudest_hz = np.abs(np.fft.rfft(samples)).argmax() * 48000 / len(samples)
    assert loudest_hz == pytest.approx(440, abs=3)
    playout = b.audio_in.playout
    assert playout is None or playout.concealed <= 0.02 * 250


@pytest.mark.parametrize("loss_percent", [5, 10])
async def test_the_picture_survives_loss(peers, loss_percent):
    a, b = peers(), peers()
    play(a, synthetic.testcard(audio="tone"))
    await join(a, b)
    BadNetwork(a, loss_percent / 100, delay_s=0.025)
    BadNetwork(b, loss_percent / 100, delay_s=0.025)
    numbers, gaps, last_s = [], [], [time.monotonic()]

    def take(frame, time_s):
        numbers.append(read_counter(VideoFrame(frame, time_s).image))
        gaps.append(time.monotonic() - last_s[0])
        last_s[0] = time.monotonic()

    b.video_in.on_frame(take)
    await asyncio.sleep(6)
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] > 140
    # Whole pictures only, and hardly any left out: lost packets were sent again.
    assert len(numbers) > 0.95 * (numbers[-1] - numbers[0])
    assert max(gaps[5:]) < 0.6
    assert b.video_in.resyncs == 0


async def test_a_picture_is_there_with_its_last_packet(peers):
    """Not with the first packet of the next one, which would be 100 ms later here."""
    a, b = peers(), peers()
    play(a, synthetic.testcard(fps=10))
    sent: dict[int, float] = {}
    a.video_out.on_frame(
        lambda frame: sent.setdefault(read_counter(VideoFrame(frame, 0).image), time.monotonic())
    )
    await join(a, b)
    delays = []

    def arrived(frame, time_s):
        delays.append(time.monotonic() - sent[read_counter(VideoFrame(frame, 0).image)])

    b.video_in.on_frame(arrived)
    while len(delays) < 15:
        await asyncio.sleep(0.05)
    assert np.median(delays) < 0.08
