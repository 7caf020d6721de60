"""What is encoded: valid, decodable, at its rate, and good."""

from __future__ import annotations

import av
import numpy as np
import pytest
from engine.coders.pictures import PERIOD, clip, psnr_db, stamped

from xnb.engine.codecs import is_keyframe, vp8_size
from xnb.engine.coders.video_encoder import VideoEncoder
from xnb.engine.rtp.packetize import nal_units
from xnb.errors import MediaError
from xnb.settings import VideoSettings

SETTINGS = VideoSettings(start_bitrate_bps=300_000, max_bitrate_bps=1_500_000)


@pytest.fixture(params=["vp8", "h264"])
def codec(request):
    return request.param


@pytest.fixture(scope="module")
def pictures():
    return clip()


class Run:
    """Encodes and decodes the pictures of a loop one after another."""

    def __init__(self, codec, pictures, settings=SETTINGS, fps=30.0, **options):
        self.encoder = VideoEncoder(codec, settings, **options)
        self.decoder = av.CodecContext.create(codec, "r")
        self.pictures, self.fps, self.index = pictures, fps, 0
        self.sizes: list[int] = []
        self.keys: list[int] = []
        self.psnrs_db: list[float] = []

    def go(self, seconds: float, *, key_at: int | None = None) -> Run:
        for at in range(round(seconds * self.fps)):
            truth = self.pictures[int(self.index * 30 / self.fps) % len(self.pictures)]
            data, is_key = self.encoder.encode(
                stamped(truth, self.index, self.fps), keyframe=at == key_at
            )
            assert is_key == is_keyframe(self.encoder.codec, data)
            if is_key:
                self.keys.append(self.index)
            self.sizes.append(len(data))
            (picture,) = self.decoder.decode(av.Packet(data))
            self.psnrs_db.append(psnr_db(picture, truth))
            self.index += 1
        return self

    def kbps(self, last_s: float) -> float:
        count = round(last_s * self.fps)
        return sum(self.sizes[-count:]) * 8 * self.fps / count / 1000


def test_each_frame_comes_out_at_once_and_looks_like_what_went_in(codec, pictures):
    run = Run(codec, pictures).go(4)
    assert run.keys == [0]
    assert run.encoder.keyframes == 1
    assert run.encoder.rebuilds == 0
    assert 150 < run.kbps(3) < 330
    assert np.mean(run.psnrs_db[30:]) > 36


def test_keyframe_when_asked_can_be_decoded_alone(codec, pictures):
    run = Run(codec, pictures)
    run.go(1, key_at=20)
    assert run.keys == [0, 20]
    data, is_key = run.encoder.encode(stamped(pictures[5], 30), keyframe=True)
    assert is_key
    assert run.encoder.keyframes == 3
    (picture,) = av.CodecContext.create(codec, "r").decode(av.Packet(data))
    assert psnr_db(picture, pictures[5]) > 28
    assert run.encoder.rebuilds == 0


def test_new_rates_are_met_within_a_second_without_a_keyframe(codec, pictures):
    run = Run(codec, pictures).go(2)
    for target_bps in (150_000, 250_000, 120_000, 300_000):
        run.encoder.set_target(target_bps)
        run.go(3)
        assert run.encoder.target_bps == target_bps
        assert run.kbps(2) == pytest.approx(target_bps / 1000, rel=0.25)
    assert run.keys == [0]
    assert run.encoder.rebuilds == 0


@pytest.mark.parametrize("fps", [10, 15, 60])
def test_rate_is_met_at_other_frame_rates(codec, pictures, fps):
    run = Run(codec, pictures, VideoSettings(start_bitrate_bps=100_000), fps=fps).go(6)
    assert run.kbps(3) == pytest.approx(100, rel=0.25)
    assert run.keys == [0]


def test_rise_far_above_the_first_rate(codec, pictures):
    """Pure noise can use any rate, so what is reached is what was asked for."""
    rng = np.random.default_rng(3)
    noisy = []
    for index in range(30):
        array = np.kron(rng.integers(60, 190, (120, 160), np.uint8), np.ones((2, 2), np.uint8))
        frame = av.VideoFrame.from_ndarray(array, format="gray").reformat(format="yuv420p")
        noisy.append(stamped(frame, index))
    settings = VideoSettings(start_bitrate_bps=200_000, max_bitrate_bps=4_000_000)
    run = Run(codec, noisy, settings).go(1)
    run.encoder.set_target(2_500_000)
    run.go(9)
    assert run.kbps(2) == pytest.approx(2500, rel=0.25)
    assert run.encoder.rebuilds <= 1


def test_quality_is_that_of_aiortc_at_its_rate_or_better(codec, pictures):
    """aiortc's encoder at its default settings, both at 500 kbps."""
    from aiortc.codecs import CODECS, get_encoder

    parameters = next(c for c in CODECS["video"] if c.mimeType.lower() == f"video/{codec}")
    theirs = get_encoder(parameters)
    theirs.target_bitrate = 500_000
    from aiortc.codecs import depayload

    decoder, psnrs_db, size = av.CodecContext.create(codec, "r"), [], 0
    for index in range(120):
        truth = pictures[index % PERIOD]
        payloads, _ = theirs.encode(stamped(truth, index))
        data = b"".join(depayload(parameters, payload) for payload in payloads)
        psnrs_db += [psnr_db(p, truth) for p in decoder.decode(av.Packet(data))]
        size += len(data)
    ours = Run(codec, pictures, VideoSettings(start_bitrate_bps=500_000)).go(4)
    assert sum(ours.sizes) <= 1.1 * max(size, 250_000)
    assert np.mean(ours.psnrs_db[30:]) > min(np.mean(psnrs_db[30:]), 42) - 0.5


def test_quiet_picture_costs_next_to_nothing(codec, pictures):
    still = pictures[0]
    run = Run(codec, [still], VideoSettings(start_bitrate_bps=1_000_000)).go(3)
    assert run.kbps(1) < 40
    assert run.psnrs_db[-1] > 40


def test_new_size_begins_with_a_keyframe_of_that_size(codec, pictures):
    encoder = VideoEncoder(codec, SETTINGS)
    encoder.encode(pictures[0])
    for rebuilds, (width, height) in enumerate([(640, 480), (162, 122), (17, 35)], start=1):
        frame = stamped(pictures[1].reformat(width, height), rebuilds)
        data, is_key = encoder.encode(frame)
        assert is_key
        assert encoder.rebuilds == rebuilds
        (picture,) = av.CodecContext.create(codec, "r").decode(av.Packet(data))
        assert (picture.width, picture.height) == (width & ~1, height & ~1)
        if codec == "vp8":
            assert vp8_size(data) == (width & ~1, height & ~1)


def test_h264_is_constrained_baseline_with_headers_on_each_keyframe(pictures):
    encoder = VideoEncoder("h264", SETTINGS)
    for index in range(6):
        data, is_key = encoder.encode(stamped(pictures[index], index), keyframe=index == 4)
        units = list(nal_units(data))
        kinds = [unit[0] & 0x1F for unit in units]
        assert is_key == (index in (0, 4)) == (7 in kinds) == (8 in kinds) == (5 in kinds)
        for unit in units:
            if unit[0] & 0x1F == 7:
                assert unit[1] == 66
                assert unit[2] & 0x40, "constraint_set1: constrained"
                assert unit[3] == 31


@pytest.mark.parametrize(
    ("size", "fps", "level"), [((1280, 720), 30, 31), ((1280, 720), 60, 32), ((1920, 1080), 30, 40)]
)
def test_h264_level_fits_the_size(pictures, size, fps, level):
    settings = VideoSettings(max_fps=fps)
    data, _ = VideoEncoder("h264", settings).encode(stamped(pictures[0].reformat(*size), 0))
    (sps,) = [unit for unit in nal_units(data) if unit[0] & 0x1F == 7]
    assert sps[3] == level


def test_the_frame_itself_is_left_alone(codec, pictures):
    frame = stamped(pictures[7].reformat(format="yuv420p"), 3)
    frame.pict_type = av.video.frame.PictureType.I
    before = (frame.pts, frame.time_base, frame.pict_type, frame.planes[0].line_size)
    pixels = frame.to_ndarray()
    encoder = VideoEncoder(codec, SETTINGS)
    keys = [encoder.encode(frame, keyframe=index == 2)[1] for index in range(4)]
    assert keys == [True, False, True, False], "what the source's picture was does not matter"
    assert (frame.pts, frame.time_base, frame.pict_type, frame.planes[0].line_size) == before
    assert np.array_equal(frame.to_ndarray(), pixels)


def test_times_that_stand_still_jump_or_are_missing(codec, pictures):
    run = Run(codec, pictures)
    for pts in (0, 3000, 3000, 0, 90_000_000, 90_000_001, 5, None, None, 10**12):
        frame = stamped(pictures[0], 0)
        frame.pts = pts
        data, _ = run.encoder.encode(frame)
        assert len(run.decoder.decode(av.Packet(data))) == 1
    assert run.encoder.rebuilds == 0


def test_other_pixel_formats(codec):
    red = np.zeros((240, 320, 3), np.uint8)
    red[..., 0] = 200
    encoder = VideoEncoder(codec, SETTINGS)
    data, _ = encoder.encode(av.VideoFrame.from_ndarray(red))
    (picture,) = av.CodecContext.create(codec, "r").decode(av.Packet(data))
    assert np.allclose(picture.to_ndarray(format="rgb24").mean(axis=(0, 1)), (200, 0, 0), atol=8)


def test_a_machine_that_cannot_keep_up_gets_a_quicker_encoder(codec, pictures):
    """The clock says that each frame took 30 of its 33 ms, then 3."""
    clock_s = [0.0]
    took_s = [0.030]

    def now():
        clock_s[0] += took_s[0]
        return clock_s[0]

    run = Run(codec, pictures, now=now).go(3)
    assert run.encoder.rebuilds == 0, "not for a moment"
    run.go(1)
    assert run.encoder.rebuilds == 1
    took_s[0] = 0.003
    run.go(8)
    assert run.encoder.rebuilds == 1
    assert len(run.keys) == 2
    took_s[0] = 0.030
    run.go(25)
    quicker = {"vp8": 3, "h264": 2}[codec]
    assert run.encoder.rebuilds == quicker, "until there is nothing quicker"


def test_target_stays_within_limits(codec, pictures):
    encoder = VideoEncoder(codec, SETTINGS)
    for bps, in_force in ((1, 50_000), (10**9, 1_500_000)):
        encoder.set_target(bps)
        encoder.encode(pictures[0])
        assert encoder.target_bps == in_force


def test_goes_on_after_close(codec, pictures):
    encoder = VideoEncoder(codec, SETTINGS)
    encoder.encode(pictures[0])
    encoder.close()
    encoder.close()
    assert encoder.encode(pictures[1])[1]


def test_errors_say_what_to_do(codec):
    with pytest.raises(MediaError, match="vp8 or h264"):
        VideoEncoder("vp9", SETTINGS)
    with pytest.raises(MediaError, match="at least 2"):
        VideoEncoder(codec, SETTINGS).encode(av.VideoFrame(1, 40, "yuv420p"))
