"""The forwarder over real sockets: content, switching, feedback, sync; nothing is decoded."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pytest
from bad_network import BadNetwork

from xnb.engine.codecs import starts_keyframe
from xnb.engine.peer import Peer
from xnb.media import synthetic
from xnb.media.frames import VideoFrame
from xnb.media.testcard import read_counter
from xnb.settings import VideoSettings


async def join(a: Peer, b: Peer) -> None:
    await b.apply_offer(await a.make_offer(video=True))
    await a.apply_answer(await b.make_answer())
    await asyncio.gather(a.wait_connected(), b.wait_connected())


class Hub:
    """A sender and some receivers, each on a connection of its own to a hub between them."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []

    def peer(self, **settings) -> Peer:
        self.peers.append(Peer(**settings))
        return self.peers[-1]

    async def sender(self, source=None, **settings) -> tuple[Peer, Peer]:
        """A far sender, and the hub's end of its connection."""
        far, near = self.peer(**settings), self.peer()
        if source:
            far.audio_out.play(source.audio)
            far.video_out.play(source.video)
        await join(far, near)
        return far, near

    async def receiver(self, source: Peer | None = None) -> tuple[Peer, Peer]:
        """A far receiver of what ``source`` receives, and the hub's end of its connection."""
        far, near = self.peer(), self.peer()
        if source:
            near.audio_out.forward(source.audio_in)
            near.video_out.forward(source.video_in)
        await join(near, far)
        return far, near

    async def close(self) -> None:
        await asyncio.gather(*(one.close() for one in self.peers))


@pytest.fixture
async def hub():
    made = Hub()
    yield made
    await made.close()


class Viewer:
    """Reads the counters of the pictures a peer gets."""

    def __init__(self, peer: Peer) -> None:
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.arrivals: list[float] = []
        peer.video_in.on_frame(self._take)

    def _take(self, frame, time_s: float) -> None:
        number = read_counter(VideoFrame(frame, time_s).image)
        assert number is not None
        self.numbers.append(number)
        self.times.append(time_s)
        self.arrivals.append(time.monotonic())

    async def until(self, count: int, timeout_s: float = 15) -> None:
        start = time.monotonic()
        while len(self.numbers) < count:
            assert time.monotonic() - start < timeout_s, f"{len(self.numbers)} of {count} pictures"
            await asyncio.sleep(0.02)


async def test_one_source_reaches_many_sinks_whole(hub):
    _, near = await hub.sender(synthetic.testcard(320, 240, audio="tone"))
    first, _ = await hub.receiver(near)
    second, _ = await hub.receiver(near)
    viewers = [Viewer(first), Viewer(second)]
    heard = []
    second.audio_in.on_frame(lambda frame, time_s: heard.append(frame.to_ndarray()[0, ::2]))
    for viewer in viewers:
        await viewer.until(40)
        assert viewer.numbers == sorted(set(viewer.numbers))
        assert viewer.numbers[-1] - viewer.numbers[0] <= len(viewer.numbers) + 1
    samples = np.concatenate(heard[5:]).astype(np.float32)
    loudest_hz = np.abs(np.fft.rfft(samples)).argmax() * 48_000 / len(samples)
    assert loudest_hz == pytest.approx(440, abs=3)
    # The viewers decode; what comes to the hub is not.
    assert near.video_in.decoder is None
    assert near.audio_in.playout is None


async def test_no_decoder_runs_in_a_process_that_only_forwards(hub):
    _, near = await hub.sender(synthetic.testcard(320, 240, audio="tone"))
    far, _ = await hub.receiver(near)
    got = []
    far.video_in.on_encoded(lambda frame, time_s: got.append(frame))
    while len(got) < 20:
        await asyncio.sleep(0.02)
    assert not [one.name for one in threading.enumerate() if "decode" in one.name]


async def test_what_belongs_to_a_connection_is_rewritten(hub):
    source, near = await hub.sender(synthetic.testcard(320, 240, audio="tone"))
    far, out = await hub.receiver(near)
    packets = []
    far.video_in.on_packet(lambda packet, codec: packets.append(packet))
    while len(packets) < 60:
        await asyncio.sleep(0.02)
    assert {one.ssrc for one in packets} == {out.video_out.stream.ssrc}
    assert source.video_out.stream.ssrc not in {one.ssrc for one in packets}
    assert {one.mid for one in packets} == {out.video_out.stream.mid}
    numbers = [one.sequence_number for one in packets]
    assert all((b - a) & 0xFFFF == 1 for a, b in zip(numbers, numbers[1:], strict=False))
    assert starts_keyframe("vp8", packets[0].payload)


async def test_losses_of_a_sink_are_repaired_by_the_hub_alone(hub):
    source, near = await hub.sender(synthetic.testcard(320, 240, audio="tone"))
    far, out = await hub.receiver(near)
    viewer = Viewer(far)
    await viewer.until(10)
    network = BadNetwork(out, loss=0.05)
    before = source.video_out.stream.retransmitted
    start = len(viewer.numbers)
    await viewer.until(start + 150)
    assert len(network.dropped) > 5
    assert out.video_out.stream.retransmitted > 0
    assert source.video_out.stream.retransmitted == before
    numbers = viewer.numbers[start:]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] - numbers[0] <= len(numbers) + 3


async def test_keyframe_requests_go_upstream_but_not_each_of_them(hub):
    source, near = await hub.sender(synthetic.testcard(320, 240))
    viewers = [Viewer((await hub.receiver(near))[0]) for _ in range(3)]
    for viewer in viewers:
        await viewer.until(10)
    await asyncio.sleep(0.7)
    asked = []
    source.video_out.on_keyframe_request = lambda: asked.append(time.monotonic())
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        for peer in hub.peers[2:]:
            peer.video_in.stream.request_keyframe()
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    assert 2 <= len(asked) <= 6


async def test_the_smallest_limit_of_all_sinks_reaches_the_source(hub):
    settings = VideoSettings(max_bitrate_bps=2_000_000, start_bitrate_bps=1_000_000)
    source, near = await hub.sender(synthetic.testcard(640, 480), video_settings=settings)
    first, _ = await hub.receiver(near)
    second, second_hub = await hub.receiver(near)
    viewers = [Viewer(first), Viewer(second)]
    for viewer in viewers:
        await viewer.until(10)
    first.video_in.limit_bitrate("a test", 700_000)
    second.video_in.limit_bitrate("a test", 250_000)
    start = time.monotonic()
    rate = source.video_out.stream.rate
    while rate.target_bps > 260_000:
        await asyncio.sleep(0.05)
        assert time.monotonic() - start < 5
    # The sink with the small limit leaves: the other one's counts.
    second_hub.video_out.play(None)
    second.video_in.limit_bitrate("a test", None)
    while rate.target_bps < 300_000:
        await asyncio.sleep(0.05)
        assert time.monotonic() - start < 20
    assert rate.target_bps <= 720_000


async def test_switching_sources_happens_at_a_keyframe_without_a_gap(hub):
    _, first = await hub.sender(synthetic.testcard(320, 240))
    _, second = await hub.sender(synthetic.testcard(160, 120))
    far, out = await hub.receiver(first)
    packets, sizes = [], []
    far.video_in.on_packet(lambda packet, codec: packets.append(packet))
    far.video_in.on_frame(lambda frame, time_s: sizes.append((frame.width, time_s)))
    while len(sizes) < 15:
        await asyncio.sleep(0.02)
    out.video_out.forward(second.video_in)
    while len([width for width, _ in sizes if width == 160]) < 20:
        await asyncio.sleep(0.02)
    widths = [width for width, _ in sizes]
    assert widths == sorted(widths, reverse=True)
    steps = np.diff([time_s for _, time_s in sizes])
    assert steps.min() > 0
    assert steps.max() < 0.25
    numbers = [one.sequence_number for one in packets]
    assert all((b - a) & 0xFFFF == 1 for a, b in zip(numbers, numbers[1:], strict=False))


async def test_own_pictures_and_forwarded_ones_take_turns(hub):
    _, near = await hub.sender(synthetic.testcard(320, 240))
    far, out = await hub.receiver()
    own = synthetic.testcard(160, 120)
    out.video_out.play(own.video)
    widths: list[int] = []
    far.video_in.on_frame(lambda frame, time_s: widths.append(frame.width))

    async def seen(width: int) -> None:
        start = time.monotonic()
        while widths[-5:] != [width] * 5:
            await asyncio.sleep(0.02)
            assert time.monotonic() - start < 10

    await seen(160)
    out.video_out.forward(near.video_in)
    await seen(320)
    out.video_out.play(own.video)
    await seen(160)
    out.video_out.muted = True
    out.video_out.forward(near.video_in)
    await asyncio.sleep(0.5)
    count = len(widths)
    await asyncio.sleep(0.3)
    assert len(widths) == count
    out.video_out.muted = False
    await seen(320)


async def test_lips_stay_in_sync_over_the_hub(hub):
    """A flash and a beep at one moment arrive with one time stamp, whatever the hub's clocks."""
    source = synthetic.testcard(320, 240, audio="counter")
    _, near = await hub.sender(source)
    BadNetwork(near, delay_s=0)
    far, _ = await hub.receiver(near)
    direct, relayed = [], []
    near.video_in.on_encoded(lambda frame, time_s: direct.append(("video", time_s)))
    near.audio_in.on_encoded(lambda frame, time_s: direct.append(("audio", time_s)))
    far.video_in.on_encoded(lambda frame, time_s: relayed.append(("video", time_s)))
    far.audio_in.on_encoded(lambda frame, time_s: relayed.append(("audio", time_s)))
    await asyncio.sleep(5)
    # Both run on this machine's clock: the same frame has the same time on both sides of the hub.
    for kind in ("audio", "video"):
        one = [time_s for which, time_s in direct if which == kind][-60:]
        other = [time_s for which, time_s in relayed if which == kind][-60:]
        nearest = [min(abs(time_s - there) for there in other) for time_s in one[:30]]
        assert np.median(nearest) < 0.02, kind


async def test_another_codec_is_told_and_nothing_is_sent(hub):
    _, near = await hub.sender(synthetic.testcard(320, 240), video_codec="h264")
    far, out = hub.peer(), hub.peer(video_codec="vp8")
    told: list[str] = []
    out.video_out.forward(near.video_in, on_codec=told.append)
    await join(out, far)
    await asyncio.sleep(0.6)
    assert told == ["h264"]
    assert out.video_out.stream.packets == 0
