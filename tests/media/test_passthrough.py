"""A file's packets are sent as they are, and frames bridge what packets cannot."""

from __future__ import annotations

import asyncio
import bisect
import random
from fractions import Fraction

import av
import numpy as np
import pytest
from media_files import TONE_HZ, dominant_frequency, make, read_counter, tone_samples

from xnb.media.decode import VideoDecoder
from xnb.media.files import FileSource
from xnb.media.passthrough import Choice
from xnb.media.source import EndOfMedia
from xnb.media.testcard import CardPainter

FPS = 30


def film(
    folder,
    name,
    *,
    seconds=4.0,
    gop=60,
    codec="libx264",
    options=None,
    size=(320, 240),
    sound="libopus",
    sound_options=None,
    layout="stereo",
    aspect=None,
):
    """A file with the frame counter and a tone, with keyframes every ``gop`` pictures."""
    path = folder / name
    if path.exists():
        return path
    fast = (
        {"preset": "ultrafast"}
        if codec == "libx264"
        else {"deadline": "realtime", "cpu-used": "8", "b": "2M"}
    )
    with av.open(str(path), "w") as output:
        jobs = []
        if codec:
            fixed = {"keyint_min": str(gop), "sc_threshold": "0"} if codec == "libx264" else {}
            stream = output.add_stream(codec, rate=FPS, options=fast | fixed | (options or {}))
            stream.width, stream.height = size
            stream.codec_context.gop_size = gop
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            card = CardPainter(*size, FPS)
            for number in range(round(seconds * FPS)):
                frame = card.draw(number)
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                jobs.append((number / FPS, stream, frame))
        if sound:
            stream = output.add_stream(
                sound, rate=48000, layout=layout, options=sound_options or {}
            )
            samples = np.rint(tone_samples(seconds) * 32767).astype(np.int16)
            channels = stream.codec_context.layout.nb_channels
            for start in range(0, len(samples), 960):
                piece = np.repeat(samples[start : start + 960], channels).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=layout)
                frame.sample_rate = 48000
                frame.pts, frame.time_base = start, Fraction(1, 48000)
                jobs.append((start / 48000, stream, frame))
        for _, stream, frame in sorted(jobs, key=lambda job: job[0]):
            output.mux(stream.encode(frame))
        for stream in output.streams:
            output.mux(stream.encode(None))
    return path


class FarEnd:
    """Decodes what a track gives like a far end: our frames come to it as keyframes."""

    def __init__(self, kind, codec):
        self.kind, self.codec = kind, codec
        self.units, self.at_s = [], []
        self.pictures, self.pieces = [], []
        self.ended_at_s = None
        self._decoder = None

    def take(self, unit, at_s):
        previous = self.units[-1] if self.units else None
        self.units.append(unit)
        self.at_s.append(at_s)
        assert unit.pts > (previous.pts if previous else -1)
        if not isinstance(unit, av.Packet):
            self._decoder = None
            self.show(unit)
            return
        if self._decoder is None:
            assert unit.is_keyframe, "a packet that nobody can decode after a frame"
            self._decoder = av.CodecContext.create(self.codec, "r")
        if self.kind == "video":
            assert unit.dts == unit.pts
        for frame in self._decoder.decode(av.Packet(bytes(unit))):
            self.show(frame)

    def show(self, frame):
        if self.kind == "video":
            self.pictures.append(read_counter(frame))
        else:
            samples = frame.to_ndarray()
            if frame.format.is_planar:
                samples = samples.T / (1 if samples.dtype.kind == "f" else 32768)
            else:
                samples = samples.reshape(-1, 2) / 32768
            self.pieces.append(samples)

    @property
    def samples(self):
        return np.concatenate(self.pieces)

    @property
    def passed(self):
        return [isinstance(unit, av.Packet) for unit in self.units]

    @property
    def times_s(self):
        return [float(unit.pts * unit.time_base) for unit in self.units]


@pytest.fixture
async def far(player):
    """Send a file to a far end that takes packets; time passes slowly enough to bridge."""

    class Call(player):
        def __init__(self, path, *, codec="auto", loop=False, audio=True):
            super().__init__(FileSource.open(path, loop=loop, audio=audio))
            video, audio = self.source.video, self.source.audio
            self.video = FarEnd("video", video.encoded_as if video else None)
            self.audio = FarEnd("audio", "opus")
            made.append(self)
            if video:
                video.allow_packets(video.encoded_as if codec == "auto" else codec)
            if audio:
                audio.allow_packets("opus")

        async def run(self, seconds=1e9, *, step_s=0.0):
            until_s = self.clock.now() + seconds
            if step_s:
                while self.clock.now() < until_s and not all(t.done() for t in self.tasks):
                    await super().run(min(1 / 60, until_s - self.clock.now()))
                    await asyncio.sleep(step_s)
            return await super().run(until_s - self.clock.now())

        async def _read(self, track, end):
            try:
                while True:
                    end.take(await track.read(), self.clock.now() - 100.0)
            except EndOfMedia:
                end.ended_at_s = self.clock.now() - 100.0

    made = []
    yield Call
    for call in made:
        await call.stop()


def tone_of(end):
    return dominant_frequency(end.samples[9600:-9600])


# What passes


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("clip.webm", "vp8", "opus"),
        ("odd.webm", "vp8", "opus"),
        ("clip.mp4", "h264", None),
        ("clip.mkv", "h264", None),
        ("vfr.mp4", "h264", None),
        ("late_audio.mkv", "h264", "opus"),
        ("rotated.mp4", None, None),
        ("tone.ogg", None, "opus"),
        ("tone.wav", None, None),
        ("cover.mp3", None, None),
    ],
)
def test_what_a_file_can_be_sent_as(name, video, audio, folder):
    source = FileSource.open(make(name, folder))
    assert (source.video and source.video.encoded_as) == video
    assert (source.audio and source.audio.encoded_as) == audio
    source.close()


@pytest.mark.parametrize(
    ("name", "options", "passes"),
    [
        ("baseline", {"options": {"profile": "baseline"}}, "h264"),
        ("main", {"options": {"preset": "veryfast", "profile": "main", "bf": "0"}}, "h264"),
        ("high", {"options": {"preset": "veryfast", "profile": "high", "bf": "0"}}, "h264"),
        ("bframes", {"options": {"preset": "veryfast", "bf": "2"}}, None),
        ("wide", {"aspect": Fraction(4, 3)}, None),
        ("mpeg4", {"codec": "mpeg4"}, None),
    ],
)
def test_pictures_that_far_ends_would_not_understand_are_decoded(name, options, passes, folder):
    source = FileSource.open(film(folder, f"{name}.mp4", sound=None, seconds=1, **options))
    assert source.video.encoded_as == passes
    source.close()


@pytest.mark.parametrize(
    ("name", "options", "passes"),
    [
        ("mono", {"layout": "mono"}, "opus"),
        ("long60", {"sound_options": {"frame_duration": "60"}}, "opus"),
        ("long120", {"sound_options": {"frame_duration": "120"}}, None),
        ("surround", {"layout": "5.1"}, None),
    ],
)
async def test_which_opus_passes(name, options, passes, folder, far):
    path = film(folder, f"{name}.ogg", codec=None, seconds=2.0, **options)
    call = await far(path).start().run()
    assert call.source.audio.encoded_as == passes
    assert all(call.audio.passed) is bool(passes)
    assert tone_of(call.audio) == pytest.approx(TONE_HZ, abs=1)
    assert len(call.audio.samples) / 48000 == pytest.approx(2.0, abs=0.13)
    lengths = [float(unit.duration * unit.time_base) for unit in call.audio.units if passes]
    assert np.allclose(np.diff(call.audio.times_s)[:-1], lengths[:-2] or 0.02, atol=1e-9)


async def test_opus_with_a_gain_is_decoded(folder):
    data = bytearray(film(folder, "plain.mkv", codec=None, seconds=1).read_bytes())
    data[data.index(b"OpusHead") + 16] = 1
    checked = folder / "gain.mkv"
    checked.write_bytes(data)
    source = FileSource.open(checked)
    assert source.audio.encoded_as is None
    source.close()


# Whole files


@pytest.mark.parametrize("name", ["clip.webm", "clip.mp4", "clip.mkv", "vfr.mp4", "late_audio.mkv"])
async def test_a_file_passes_whole_on_time_and_undecoded(name, folder, far):
    call = far(make(name, folder)).start()
    opened_s = call.source.video.decoder.end_s
    await call.run()
    video, audio = call.video, call.audio
    assert all(video.passed)
    assert call.source.video.decoder.end_s == opened_s
    assert video.pictures == list(range(len(video.pictures)))
    assert len(video.pictures) >= 45
    assert all(audio.passed) is (call.source.audio.encoded_as == "opus")
    assert tone_of(audio) == pytest.approx(TONE_HZ, abs=1)
    assert np.allclose(np.diff(audio.times_s), 0.02, atol=1e-9)
    assert call.source.skipped == 0
    for end in (video, audio):
        late = np.array(end.at_s) - np.array(end.times_s)
        assert late.min() >= -1e-4
        assert late.max() < 0.011
        assert end.ended_at_s == pytest.approx(3.0, abs=0.08)


async def test_packets_have_the_times_that_frames_have(folder, far, player):
    path = make("late_audio.mkv", folder)
    decoded = await player(FileSource.open(path)).start().run()
    call = await far(path).start().run()
    assert call.video.times_s == pytest.approx(decoded.video.times_s, abs=0.002)
    assert call.audio.times_s[0] == pytest.approx(decoded.audio.times_s[0], abs=0.011)
    assert len(call.audio.units) == pytest.approx(len(decoded.audio.frames), abs=2)


async def test_h264_has_start_codes_and_parameter_sets_on_keyframes(folder, far):
    call = await far(make("clip.mp4", folder)).start().run()
    keyframes = [bytes(unit) for unit in call.video.units if unit.is_keyframe]
    assert len(keyframes) == 6
    for data in keyframes:
        kinds = [part[0] & 31 for part in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]
        assert kinds.index(7) < kinds.index(8) < kinds.index(5)
    assert all(bytes(unit).startswith((b"\0\0\1", b"\0\0\0\1")) for unit in call.video.units)


@pytest.mark.parametrize("codec", [None, "vp8"])
async def test_another_codec_gets_frames(codec, folder, far):
    call = await far(make("clip.mp4", folder), codec=codec).start().run()
    assert not any(call.video.passed)
    assert call.video.pictures == list(range(90))


async def test_a_file_with_b_frames_is_sent_decoded_in_order(folder, far):
    path = film(folder, "b.mp4", options={"preset": "veryfast", "bf": "2"}, sound="aac")
    call = await far(path, codec="h264").start().run()
    assert not any(call.video.passed)
    assert call.video.pictures == list(range(120))


async def test_a_damaged_file_is_sent_as_far_as_it_goes(folder, far):
    call = far(make("truncated.webm", folder)).start()
    await call.run()
    assert call.source.done
    assert call.source.error is None
    assert call.video.pictures == list(range(len(call.video.pictures)))
    assert 20 < len(call.video.pictures) < 80


# Loop, pause, seek


@pytest.mark.parametrize("name", ["clip.webm", "clip.mp4"])
async def test_a_loop_passes_without_a_seam(name, folder, far):
    call = await far(make(name, folder), loop=True).start().run(7.5)
    assert all(call.video.passed)
    assert call.video.pictures == (list(range(90)) * 3)[: len(call.video.pictures)]
    assert len(call.video.pictures) > 220
    steps = np.diff(call.audio.times_s)
    assert steps.min() >= 0.02 - 1e-9
    assert steps.max() <= 0.04 + 1e-9
    assert np.count_nonzero(steps > 0.021) <= 2
    # Sound and picture close their loops at the same place.
    starts = [t for t, n in zip(call.video.times_s, call.video.pictures, strict=True) if n == 0]
    assert np.diff(starts) == pytest.approx(call.source.length_s, abs=0.01)
    assert abs(call.audio.times_s[-1] - call.video.times_s[-1]) < 0.05
    assert tone_of(call.audio) == pytest.approx(TONE_HZ, abs=1)


async def test_a_sound_alone_loops(folder, far):
    call = await far(make("tone.ogg", folder), loop=True).start().run(7.5)
    assert all(call.audio.passed)
    assert np.allclose(np.diff(call.audio.times_s), 0.02, atol=1e-9)
    assert tone_of(call.audio) == pytest.approx(TONE_HZ, abs=1)


async def test_pause_and_resume(folder, far):
    call = await far(make("clip.webm", folder)).start().run(1.0)
    call.source.pause()
    before = len(call.video.units), len(call.audio.units)
    await call.run(2.0)
    assert (len(call.video.units), len(call.audio.units)) == before
    call.source.resume()
    await call.run()
    assert call.video.pictures == list(range(90))
    assert all(call.video.passed)
    gaps = np.sort(np.diff(call.audio.times_s))
    assert gaps[-1] == pytest.approx(2.02, abs=0.06)
    assert gaps[-2] == pytest.approx(0.02, abs=1e-9)


@pytest.mark.parametrize("name", ["gop.mkv", "gop.mp4", "gop.webm"])
@pytest.mark.parametrize("target", [60, 75, 15])
async def test_seek_begins_exactly_and_passes_from_the_next_keyframe(name, target, folder, far):
    codec = "libvpx" if name.endswith("webm") else "libx264"
    sound = "aac" if name.endswith("mp4") else "libopus"
    call = await far(film(folder, name, codec=codec, sound=sound)).start().run(1.5)
    seen, heard = len(call.video.units), len(call.audio.units)
    call.source.seek(target / FPS)
    await call.run()
    after = call.video.pictures[seen:]
    assert after == list(range(target, 120))
    keyframe = -(-target // 60) * 60
    assert call.video.passed[seen:] == [target + n >= keyframe for n in range(len(after))]
    assert len(call.audio.units) - heard == pytest.approx((120 - target) / FPS * 50, abs=3)
    at_s = call.video.times_s[seen]
    assert call.audio.times_s[heard] == pytest.approx(at_s, abs=0.012)
    assert tone_of(call.audio) == pytest.approx(TONE_HZ, abs=1)


# The far end's wishes


async def test_frames_until_the_reader_takes_packets_and_after(folder, far):
    call = await far(make("clip.webm", folder), codec=None).start().run(0.7)
    track = call.source.video
    assert not any(call.video.passed)
    track.allow_packets("vp8")
    await call.run(1.0)
    first = call.video.passed.index(True)
    assert first % 15 == 0
    assert 20 < first <= 45
    assert all(call.video.passed[first:])
    track.allow_packets(None)
    taken = len(call.video.units)
    await call.run()
    assert not any(call.video.passed[taken:])
    assert call.video.pictures == list(range(90))


async def test_sound_changes_between_packets_and_frames_anywhere(folder, far):
    call = await far(make("tone.ogg", folder)).start().run(1.0)
    call.source.audio.allow_packets(None)
    taken = len(call.audio.units)
    await call.run(1.0)
    call.source.audio.allow_packets("opus")
    again = len(call.audio.units)
    await call.run()
    passed = call.audio.passed
    assert all(passed[:taken])
    assert not any(passed[taken:again])
    assert all(passed[again:])
    assert np.allclose(np.diff(call.audio.times_s), 0.02, atol=1e-9)
    assert len(passed) == pytest.approx(150, abs=2)


@pytest.mark.parametrize("name", ["gop.mkv", "gop.webm"])
async def test_a_keyframe_that_is_far_is_bridged_with_frames(name, folder, far):
    codec = "libvpx" if name.endswith("webm") else "libx264"
    call = await far(film(folder, name, codec=codec)).start().run(0.8)
    call.source.video.request_keyframe()
    await call.run(step_s=0.004)
    passed = call.video.passed
    bridge = passed.index(False)
    assert 24 <= bridge <= 36, "the bridge came late"
    back = passed.index(True, bridge)
    assert call.video.pictures[back] == 60
    assert all(passed[back:])
    # The picture that stood may be given once more, as the keyframe; nothing is left out.
    pictures = call.video.pictures
    assert sorted(set(pictures)) == list(range(120))
    assert np.diff(pictures).min() >= 0
    assert len(pictures) <= 121
    assert call.source.skipped == 0
    assert all(call.audio.passed)
    assert np.allclose(np.diff(call.audio.times_s), 0.02, atol=1e-9)


async def test_a_keyframe_that_is_near_is_waited_for(folder, far):
    call = await far(make("clip.webm", folder)).start().run(1.1)
    call.source.video.request_keyframe()
    await call.run(step_s=0.002)
    assert all(call.video.passed)
    assert call.video.pictures == list(range(90))


async def test_bridging_goes_over_the_seam_of_a_loop(folder, far):
    path = film(folder, "onekey.mkv", seconds=2.0, gop=300)
    call = await far(path, loop=True).start().run(3.0)
    call.source.video.request_keyframe()
    await call.run(2.5, step_s=0.004)
    passed = call.video.passed
    bridge = passed.index(False)
    back = passed.index(True, bridge)
    assert 90 <= bridge <= 105
    assert call.video.pictures[back] == 0
    shown = [
        n for n, m in zip(call.video.pictures, call.video.pictures[1:], strict=False) if n != m
    ]
    assert shown == (list(range(60)) * 3)[: len(shown)]


async def test_a_storm_of_requests_is_answered_with_frames_until_it_is_over(folder, far):
    path = film(folder, "storm.mkv", seconds=20.0, gop=30, size=(160, 120))
    call = far(path).start()
    for _ in range(8):
        await call.run(0.5, step_s=0.002)
        call.source.video.request_keyframe()
    await call.run(2.0, step_s=0.002)
    stormy = len(call.video.units)
    assert not any(call.video.passed[stormy - 60 :])
    await call.run(step_s=0.002)
    back = call.video.passed.index(True, stormy)
    assert call.video.times_s[back] == pytest.approx(4.0 + 6.0, abs=1.1)
    assert all(call.video.passed[back:])
    assert sorted(set(call.video.pictures)) == list(range(600))


async def test_a_narrow_path_gets_frames_and_a_wide_one_packets_again(folder, far):
    path = film(folder, "wide.webm", seconds=14.0, gop=60, codec="libvpx", sound=None)
    call = await far(path).start().run(2.0)
    needs_bps = call.source.video.choice.mean_bps
    assert 50_000 < needs_bps < 3_000_000
    call.source.video.set_bandwidth(int(needs_bps / 2))
    await call.run(6.0, step_s=0.002)
    assert call.video.passed.index(False) == pytest.approx(4.0 * FPS, abs=8)
    assert not any(call.video.passed[-90:])
    call.source.video.set_bandwidth(int(needs_bps * 3))
    await call.run(step_s=0.002)
    back = call.video.passed.index(True, 240)
    assert call.video.pictures[back] in (300, 360)
    assert all(call.video.passed[back:])
    assert sorted(set(call.video.pictures)) == list(range(420))


async def test_pictures_beyond_the_limits_are_decoded(folder, far):
    for height_px, fps, passes in ((480, 30, True), (360, 30, False), (480, 15, False)):
        call = far(make("clip.webm", folder))
        call.source.video.limit_pictures(height_px, fps)
        await call.start().run(0.5)
        assert set(call.video.passed) == {passes}


@pytest.mark.parametrize("blocked_s", [0.6, 1.4])
async def test_a_blocked_reader_goes_on_with_something_decodable(blocked_s, folder, far):
    call = await far(film(folder, "gop.mkv")).start().run(1.0)
    seen = len(call.video.units)
    call.clock.jump(blocked_s)
    await call.run(step_s=0.002)
    after = call.video.pictures[seen:]
    if blocked_s < 1:
        assert all(call.video.passed)
        assert call.video.pictures == list(range(120))
    else:
        assert after[0] == pytest.approx((1.0 + blocked_s) * FPS, abs=4)
        assert after == list(range(after[0], 120))
        assert call.source.video.skipped == pytest.approx(blocked_s * FPS, abs=6)
        assert len(call.video.units) < 120 - 0.5 * FPS
    assert call.video.ended_at_s == pytest.approx(4.0, abs=0.1)


async def test_opened_ahead_it_still_begins_with_packets(folder, far):
    """What was decoded ahead, before the reader said what it takes, is not sent."""
    call = far(make("clip.webm", folder), codec=None)
    call.source.start(call.clock)
    await asyncio.to_thread(call.source.warm_up)
    call.source.video.allow_packets("vp8")
    await call.start().run()
    assert all(call.video.passed)
    assert call.video.pictures == list(range(90))


async def test_what_passes_is_hardly_decoded(folder, far, monkeypatch):
    path = film(folder, "large.mkv", size=(1280, 720), seconds=3.0, options={"crf": "20"})
    decoded = []
    ready = VideoDecoder._ready
    monkeypatch.setattr(
        VideoDecoder, "_ready", lambda self, frame: (decoded.append(1), ready(self, frame))[1]
    )
    counts = {}
    for codec in ("auto", None):
        decoded.clear()
        call = far(path, codec=codec)
        call.video.show = lambda frame: None
        call.video.take = lambda unit, at_s, end=call.video: end.units.append(unit)
        await call.start().run()
        assert len(call.video.units) == 90
        counts[codec] = len(decoded)
    assert counts[None] == 90
    assert counts["auto"] < 10  # a look at the beginning, when it is opened


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
async def test_whatever_happens_each_picture_is_the_right_one(codec, seed, folder, far):
    """Every picture the far end decodes is that of its place in the film."""
    rng = random.Random(seed)
    path = film(folder, f"mixed-{codec}.mkv", seconds=6.0, gop=45, codec=codec)
    call = far(path, loop=True)
    track, places_s = call.source.video, []
    giving = track._giving
    track._giving = lambda held: (places_s.append(held.media_s), giving(held))
    call.start()
    needs_bps = 300_000
    for _ in range(40):
        await call.run(rng.uniform(0.05, 1.0), step_s=0.001)
        event = rng.choice(["key", "key", "seek", "jump", "narrow", "codec", "pause", "sound"])
        if event == "key":
            track.request_keyframe()
        elif event == "seek":
            call.source.seek(rng.uniform(0, 5.9))
        elif event == "jump":
            call.clock.jump(rng.uniform(0.1, 2.5))
        elif event == "narrow":
            track.set_bandwidth(rng.choice([1000, needs_bps * 10]))
        elif event == "codec":
            track.allow_packets(rng.choice([None, track.encoded_as]))
        elif event == "sound":
            call.source.audio.allow_packets(rng.choice([None, "opus"]))
        else:
            call.source.pause()
            await call.run(0.3)
            call.source.resume()
    shown = call.video.pictures
    assert len(shown) == len(places_s)
    length_s = call.source.length_s
    starts_s = [round(number / FPS, 3) for number in range(180)]
    expected = [bisect.bisect_right(starts_s, p % length_s + 1e-6) - 1 for p in places_s]
    assert shown == expected
    assert {True, False} == set(call.video.passed)
    assert tone_of(call.audio) == pytest.approx(TONE_HZ, abs=2)


# The rules alone


def allowed():
    choice = Choice()
    choice.allowed = True
    choice.rate_bps = choice.mean_bps = 1_000_000
    return choice


def test_a_dip_is_sat_out_and_a_relapse_stays_longer():
    choice = allowed()
    stays = []
    narrow_since = None
    for tick in range(1200):
        now_s = tick / 10
        # Narrow again and again: 3 s of little, then plenty until packets flow again.
        if narrow_since is None and choice.wants_packets(now_s):
            choice.set_bandwidth(500_000)
        elif narrow_since is None:
            narrow_since = now_s
            choice.set_bandwidth(5_000_000)
        elif choice.wants_packets(now_s):
            stays.append(now_s - narrow_since)
            narrow_since = None
    assert stays[0] == pytest.approx(4, abs=0.3)
    assert stays[1] == pytest.approx(8, abs=0.3)
    assert stays[2] == pytest.approx(16, abs=0.3)
    dip = allowed()
    for tick in range(100):
        dip.set_bandwidth(500_000 if tick % 20 < 15 else 2_000_000)
        assert dip.wants_packets(tick / 10)


def test_one_request_repeated_is_no_storm():
    choice = allowed()
    for tick in range(25):
        choice.request_keyframe(tick / 100, soon=False)
    assert choice.keyframe_due
    assert choice.wants_packets(0.3)
    for second in (1, 2, 3):
        choice.request_keyframe(second, soon=True)
    assert not choice.wants_packets(3.1)
    assert not choice.wants_packets(8.9)
    assert choice.wants_packets(9.1)


def test_a_keyframe_just_given_answers_the_request():
    choice = allowed()
    choice.keyframe_given(5.0)
    choice.request_keyframe(5.1, soon=False)
    assert not choice.keyframe_due
    choice.request_keyframe(5.5, soon=False)
    assert choice.keyframe_due
    choice.keyframe_given(5.6)
    assert not choice.keyframe_due
