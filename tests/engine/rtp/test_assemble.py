"""Frames out of packets that were lost, doubled, late, in disorder or nonsense."""

from __future__ import annotations

import random
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from xnb.engine.rtp.assemble import MAX_WAITING, VideoAssembler
from xnb.engine.rtp.packetize import Packetizer
from xnb.engine.rtp.packets import RtpPacket

TICKS = 3000


def frame_data(codec: str, index: int, size: int, *, key: bool) -> bytes:
    """Bytes shaped like a frame, different for each index and free of start codes."""
    rng = random.Random(index * 7919 + size)
    body = bytes(rng.choices(range(1, 256), k=size))
    if codec == "vp8":
        head = b"\x10\x02\0\x9d\x01\x2a\x40\x01\xf0\0" if key else b"\x11\x02\0"
        return head + body
    if key:
        return b"\0\0\0\1\x67\x42\xc0\x1f\0\0\0\1\x68\xce\0\0\0\1\x65\x88" + body
    return b"\0\0\0\1\x41\x9a" + body


class Stream:
    """A stream's frames and the packets they make."""

    def __init__(self, codec="vp8", *, first=65_000, ticks=2**32 - 40 * TICKS, ssrc=1):
        self.codec, self.sequence, self.ticks, self.ssrc = codec, first, ticks, ssrc
        self.packetizer = Packetizer(codec)
        self.frames: list[tuple[bytes, bool]] = []

    def frame(self, size=3000, *, key=False) -> list[RtpPacket]:
        data = frame_data(self.codec, len(self.frames), size, key=key)
        self.frames.append((data, key))
        return self.packets(self.packetizer.split(data))

    def packets(self, payloads: list[bytes], *, marker=True) -> list[RtpPacket]:
        packets = [self.packet(payload) for payload in payloads]
        packets[-1].marker = marker
        self.ticks += TICKS
        return packets

    def packet(self, payload: bytes) -> RtpPacket:
        packet = RtpPacket(
            payload_type=96,
            sequence_number=self.sequence % 65536,
            timestamp=self.ticks % 2**32,
            ssrc=self.ssrc,
            payload=payload,
        )
        self.sequence += 1
        return packet

    def clip(self, count: int, *, every=30, rng: random.Random) -> list[list[RtpPacket]]:
        return [
            self.frame(rng.randrange(1, 30_000 if i % every == 0 else 8000), key=i % every == 0)
            for i in range(count)
        ]


def feed(assembler: VideoAssembler, packets):
    return [frame for packet in packets for frame in assembler.add(packet)]


def data_of(frames):
    return [(frame.data, frame.is_keyframe) for frame in frames]


@pytest.fixture(params=["vp8", "h264"])
def codec(request):
    return request.param


def test_in_order_each_frame_leaves_with_its_last_packet(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    assert assembler.needs_keyframe
    for index, group in enumerate(stream.clip(100, rng=random.Random(1))):
        assert feed(assembler, group[:-1]) == []
        assert data_of(assembler.add(group[-1])) == stream.frames[index : index + 1]
        assert not assembler.needs_keyframe
        assert assembler.waiting == 0


def test_timestamps_and_sequence_numbers_wrap(codec):
    stream, assembler = Stream(codec, first=65_530), VideoAssembler(codec)
    frames = [f for group in stream.clip(90, rng=random.Random(2)) for f in feed(assembler, group)]
    assert stream.sequence > 65_536
    assert [f.timestamp for f in frames] == [2**32 - 40 * TICKS + i * TICKS for i in range(90)]


@pytest.mark.parametrize("seed", range(8))
def test_reordered_and_doubled_packets_give_every_frame_once(codec, seed):
    rng = random.Random(seed)
    stream, assembler = Stream(codec, first=rng.randrange(65_536)), VideoAssembler(codec)
    packets = [p for group in stream.clip(300, rng=rng) for p in group]
    arrivals = [(at + rng.uniform(0, 12), packet) for at, packet in enumerate(packets)]
    arrivals += [(at + rng.uniform(0, 40), packet) for at, packet in rng.sample(arrivals, 200)]
    arrivals.sort(key=lambda arrival: arrival[0])
    assert data_of(feed(assembler, [packet for _, packet in arrivals])) == stream.frames
    assert assembler.waiting == 0


@pytest.mark.parametrize("seed", range(8))
def test_lost_packets_that_come_again_later_give_every_frame(codec, seed):
    rng = random.Random(seed)
    stream, assembler = Stream(codec), VideoAssembler(codec)
    packets = [p for group in stream.clip(200, every=1000, rng=rng) for p in group]
    times = [i + (rng.randrange(10, 60) if rng.random() < 0.1 else 0) for i in range(len(packets))]
    arrivals = [packets[i] for i in sorted(range(len(packets)), key=lambda i: times[i])]
    assert data_of(feed(assembler, arrivals)) == stream.frames


@pytest.mark.parametrize("loss", [0.002, 0.02, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_losses_for_good_give_only_what_can_be_decoded(codec, loss, seed):
    """Ground truth: a run from a whole keyframe on, up to the next frame with a hole."""
    rng = random.Random(seed)
    stream, assembler = Stream(codec, first=rng.randrange(65_536)), VideoAssembler(codec)
    groups = [stream.frame(rng.randrange(1, 2500), key=i % 10 == 0) for i in range(400)]
    whole, decodable, expected = [], False, []
    out = []
    for index, group in enumerate(groups):
        kept = [p for p in group if rng.random() >= loss]
        whole.append(len(kept) == len(group))
        decodable = whole[-1] and (decodable or stream.frames[index][1])
        if decodable:
            expected.append(stream.frames[index])
        out += feed(assembler, kept)
        if not whole[-1] and rng.random() < 0.5:
            out += assembler.give_up()
    # A skip waits for 64 packets behind the hole, or for give_up: nothing of it is lost.
    missing = [f for f in expected if f not in data_of(out)]
    assert _is_part_of(data_of(out), expected)
    assert len(missing) <= 40, "only what still waits behind the last hole"
    assert_decodable(out)
    assert [f.timestamp for f in out] == sorted({f.timestamp for f in out})
    assert len(out) > 400 * (0.9 if loss < 0.01 else 0.5 if loss < 0.05 else 0.08)


def assert_decodable(frames):
    """Each frame is a keyframe, or the one right after the frame before it."""
    assert frames[0].is_keyframe
    for before, frame in zip(frames, frames[1:], strict=False):
        assert frame.is_keyframe or frame.timestamp == before.timestamp + TICKS


@pytest.mark.parametrize("seed", range(20))
def test_everything_at_once(codec, seed):
    """Loss, retransmission of most, disorder, doubles, probes, giving up at any time."""
    rng = random.Random(seed)
    stream, assembler = Stream(codec, first=rng.randrange(65_536)), VideoAssembler(codec)
    truth, arrivals, at = {}, [], 0.0
    for index in range(400):
        timestamp = stream.ticks
        for packet in stream.frame(rng.randrange(1, 6000), key=rng.random() < 0.1 or index == 0):
            at += 1
            if rng.random() < 0.05:
                if rng.random() < 0.3:
                    continue
                arrivals.append((at + rng.uniform(5, 80), packet))
            arrivals.append((at + rng.uniform(0, 6) * (rng.random() < 0.2), packet))
            if rng.random() < 0.02:
                arrivals[-1] = (at + rng.uniform(5, 200), packet)
        truth[timestamp % 2**32] = stream.frames[-1]
        if rng.random() < 0.05:
            stream.ticks -= TICKS
            arrivals.append((at, stream.packet(b"")))
            stream.ticks += TICKS
    out = []
    for _, packet in sorted(arrivals, key=lambda arrival: arrival[0]):
        out += assembler.add(packet)
        if rng.random() < 0.005:
            out += assembler.give_up()
        assert assembler.waiting <= MAX_WAITING
    assert_decodable(out)
    assert data_of(out) == [truth[frame.timestamp % 2**32] for frame in out]
    assert len(out) > 100


def _is_part_of(some, whole):
    rest = iter(whole)
    return all(one in rest for one in some)


def test_give_up_goes_on_at_a_buffered_keyframe(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    groups = [stream.frame(key=i in (0, 4)) for i in range(6)]
    assert len(feed(assembler, groups[0])) == 1
    assert feed(assembler, groups[1][1:]) == []
    assert feed(assembler, [p for g in groups[2:] for p in g]) == []
    assert not assembler.needs_keyframe
    assert data_of(assembler.give_up()) == stream.frames[4:]
    assert not assembler.needs_keyframe
    assert feed(assembler, groups[1]) == [], "too late"
    assert assembler.waiting == 0


def test_give_up_waits_for_a_keyframe_to_come(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    groups = [stream.frame(key=i in (0, 4)) for i in range(6)]
    feed(assembler, groups[0] + groups[1][1:])
    assert assembler.give_up() == []
    assert assembler.needs_keyframe
    assert feed(assembler, groups[2] + groups[3]) == []
    assert feed(assembler, groups[4][:1]) == []
    assert not assembler.needs_keyframe, "it is on its way"
    assert assembler.give_up() == []
    assert assembler.needs_keyframe, "it did not come"
    assert data_of(feed(assembler, groups[4][1:] + groups[5])) == stream.frames[4:]


def test_old_hole_is_skipped_by_itself_when_a_keyframe_stands_behind_it(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    feed(assembler, stream.frame(key=True))
    feed(assembler, stream.frame()[1:])
    groups = [stream.frame(key=True)] + [stream.frame() for _ in range(30)]
    assert feed(assembler, [p for g in groups[:10] for p in g]) == [], "it may still be filled"
    assert data_of(feed(assembler, [p for g in groups[10:] for p in g])) == stream.frames[2:]


def test_probes_without_payload_block_nothing(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    out = []
    for i in range(20):
        group = stream.frame(key=i == 0)
        stream.ticks -= TICKS
        probes = [stream.packet(b"") for _ in range(3)]
        stream.ticks += TICKS
        out += feed(assembler, group)
        assert len(out) == i + 1, "no waiting for the probes"
        out += feed(assembler, probes)
        assert assembler.waiting == 0
    assert data_of(out) == stream.frames


def test_frames_without_marker_leave_with_the_next_frame(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    groups = [stream.frame(key=i == 0) for i in range(5)]
    for group in groups:
        group[-1].marker = False
    assert data_of(feed(assembler, [p for g in groups for p in g])) == stream.frames[:4]


def test_garbage_loses_its_frame_and_asks_for_a_keyframe(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    bad = {"vp8": b"\x90\x80", "h264": b"\x78\xff\xff\x01"}[codec]
    out = feed(assembler, stream.frame(key=True))
    group = stream.frame()
    group[1].payload = bad
    assert feed(assembler, group) == []
    assert assembler.needs_keyframe
    assert feed(assembler, stream.frame()) == []
    out += feed(assembler, stream.frame(key=True) + stream.frame())
    assert data_of(out) == [stream.frames[i] for i in (0, 3, 4)]


@pytest.mark.parametrize("seed", range(5))
def test_random_payloads_and_numbers_do_no_harm(codec, seed):
    rng = random.Random(seed)
    assembler = VideoAssembler(codec)
    stream = Stream(codec, ssrc=7)
    for _ in range(5000):
        packet = stream.packet(rng.randbytes(rng.choice([0, 1, 2, 3, 5, 40])))
        packet.marker = rng.random() < 0.3
        packet.timestamp = rng.getrandbits(32)
        if rng.random() < 0.2:
            packet.sequence_number = rng.getrandbits(16)
        assembler.add(packet)
        assert assembler.waiting <= MAX_WAITING
    fresh = Stream(codec, first=(stream.sequence + 20_000) % 65_536, ssrc=9)
    out = feed(assembler, [p for _ in range(3) for p in fresh.frame(key=True)])
    assert data_of(out) == fresh.frames


def test_stream_that_restarts_elsewhere(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    out = feed(assembler, stream.frame(key=True) + stream.frame())
    again = Stream(codec, first=20_000, ticks=5000, ssrc=1)
    out += feed(assembler, again.frame(key=True) + again.frame())
    other = Stream(codec, first=20_000, ticks=77, ssrc=2)
    out += feed(assembler, other.frame(5, key=True) + other.frame())
    assert data_of(out) == stream.frames + again.frames + other.frames
    ticks = [f.timestamp for f in out]
    assert ticks == sorted(set(ticks))
    assert [t % 2**32 for t in ticks[2:4]] == [5000, 8000]


def test_one_stray_packet_changes_nothing(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    out = feed(assembler, stream.frame(key=True))
    stray = Stream(codec, first=20_000, ssrc=3).frame(5, key=True)
    out += feed(assembler, stray) + feed(assembler, stray) + feed(assembler, stream.frame())
    assert data_of(out) == stream.frames
    assert not assembler.needs_keyframe


def test_memory_is_bounded_behind_a_hole(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    feed(assembler, stream.frame(key=True) + stream.frame()[1:])
    for _ in range(3000):
        feed(assembler, stream.frame(2000))
        assert assembler.waiting <= MAX_WAITING
    assert assembler.needs_keyframe
    assert data_of(feed(assembler, stream.frame(key=True))) == stream.frames[-1:]


def test_memory_is_bounded_while_no_keyframe_comes(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    most = 0
    for _ in range(3000):
        assert feed(assembler, stream.frame(2000)) == []
        most = max(most, assembler.waiting)
    assert most <= MAX_WAITING // 2 + 3
    assert data_of(feed(assembler, stream.frame(key=True))) == stream.frames[-1:]


def test_keyframe_whose_first_packet_comes_last(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    feed(assembler, stream.frame())
    group = stream.frame(9000, key=True)
    assert feed(assembler, reversed(group[1:])) == []
    assert data_of(assembler.add(group[0])) == stream.frames[-1:]


@pytest.mark.parametrize(
    ("codec", "encoder_type"), [("vp8", Vp8Encoder), ("h264", H264Encoder)], ids=["vp8", "h264"]
)
def test_takes_what_aiortc_packs(codec, encoder_type):
    pattern, encoder = [_picture(index) for index in range(12)], encoder_type()
    stream, assembler = Stream(codec), VideoAssembler(codec)
    whole = []
    for index, picture in enumerate(pattern):
        payloads, _ = encoder.encode(picture, force_keyframe=index == 6)
        whole += feed(assembler, stream.packets(payloads))
    assert [frame.is_keyframe for frame in whole] == [i in (0, 6) for i in range(len(pattern))]
    decoder = av.CodecContext.create(codec, "r")
    pictures = [p for f in whole for p in decoder.decode(av.Packet(f.data))]
    assert len(pictures) == len(pattern)


def _picture(index: int) -> av.VideoFrame:
    """Sharp noise that moves, so that a picture fills many packets."""
    noise = np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8)
    picture = av.VideoFrame.from_ndarray(np.roll(noise, 3 * index, axis=1)).reformat(
        format="yuv420p"
    )
    picture.pts, picture.time_base = index * TICKS, Fraction(1, 90_000)
    return picture


@pytest.mark.parametrize(
    "extension",
    [b"", b"\x80\x05", b"\x80\x85\x06", b"\xc0\x85\x06\x07", b"\x20\x40", b"\xf0\x05\x07\x51"],
    ids=["none", "7-bit id", "15-bit id", "layer index", "temporal", "all"],
)
def test_vp8_descriptors_of_other_senders(extension):
    """RFC 7741 section 4.2: every optional field, and partitions with packets of their own."""
    extended = 0x80 if extension else 0
    stream, assembler = Stream("vp8"), VideoAssembler("vp8")
    data = frame_data("vp8", 0, 500, key=True)
    # Partition 1 begins (S set) with a byte whose lowest bit is 0, as a keyframe's first does.
    partition = b"\x10\x02\0\x9d\x01\x2a\x10\0\x10\0"
    payloads = [bytes([extended | 0x10]) + extension + data]
    payloads.append(bytes([extended | 0x11]) + extension + partition)
    group = stream.packets(payloads)
    assert feed(assembler, group[1:]) == []
    assert assembler.needs_keyframe, "a later partition begins no frame"
    (frame,) = assembler.add(group[0])
    assert frame.data == data + partition


def test_broken_keyframe_behind_a_hole_is_no_place_to_go_on(codec):
    stream, assembler = Stream(codec), VideoAssembler(codec)
    out = feed(assembler, stream.frame(key=True))
    groups = [stream.frame() for _ in range(3)]
    broken = stream.frame(key=True)
    broken[1].payload = {"vp8": b"\x90\x80", "h264": b"\x78\xff\xff\x01"}[codec]
    out += feed(assembler, groups[0][1:] + groups[1] + groups[2] + broken)
    for _ in range(30):
        out += feed(assembler, stream.frame())
    out += assembler.add(groups[0][0])
    assert data_of(out) == stream.frames[:4]
    assert assembler.needs_keyframe
