"""Sound and picture stay together: over ten minutes, through loss, jitter and drifting clocks."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest
from encoded_frames import SMALL, card, encode_pictures, sound
from media_files import TONE_HZ, dominant_frequency, tone_samples
from recorded import assert_good_file, onsets, record

from xnb.media.conceal import Concealer
from xnb.media.encoded import EncodedFrame
from xnb.media.opus_packets import PRE_SKIP_SAMPLES, duration_samples, head, is_celt
from xnb.media.parts import SoundLine
from xnb.media.recorder import Recorder
from xnb.recording import Recording

FLASH = range(30, 33)
TEN_MINUTES_S = 600


def flash_and_beep(seconds, codec="vp8", *, drift=0.0):
    """Two seconds over and over, with a white picture and a beep one second in.

    Args:
        seconds: Even.
        codec: Of the pictures.
        drift: By what share the clock of the sound's samples is fast.
    """
    frames = [card(SMALL).draw(number) for number in range(60)]
    white = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 255, np.uint8), format="rgb24")
    for number in FLASH:
        frames[number] = white.reformat(format="yuv420p")
    encoded = list(encode_pictures(codec, frames, SMALL))
    samples = np.zeros(96000)
    samples[48000:52800] = tone_samples(0.1)
    heard = [(frame.timestamp, frame.data) for _, frame in sound(samples, timestamp=0)]
    for turn in range(seconds // 2):
        for number, (data, is_keyframe) in enumerate(encoded):
            at = turn * 60 + number
            yield at / 30, EncodedFrame("video", codec, data, at * 3000, is_keyframe)
        for ticks, data in heard:
            at = turn * 96000 + ticks
            ticks_shown = 5_000_000 + round(at * (1 + drift) / 120) * 120
            yield at / 48000, EncodedFrame("audio", "opus", data, ticks_shown, True)


def offsets(path, seconds):
    """By how many seconds the beep comes after the flash, around each of ``seconds``."""
    recording = Recording(path)
    heard = onsets(recording.audio()[:, 0], seconds)
    found = []
    for second, heard_s in zip(seconds, heard, strict=True):
        near = recording._frames_from(second - 0.6)
        bright = next(f.time_s for f in near if f.time_s > second - 0.5 and f.image.mean() > 200)
        found.append(heard_s - bright)
    return found


@pytest.mark.parametrize("name", ["call.mp4", "call.webm", "call.mkv"])
async def test_together_at_the_start_and_after_ten_minutes(name, tmp_path):
    path = tmp_path / name
    recorded = await record(path, list(flash_and_beep(TEN_MINUTES_S)))
    assert recorded.frames == 30 * TEN_MINUTES_S
    assert recorded.dropped == 0
    assert_good_file(path, TEN_MINUTES_S)
    found = offsets(path, [1, 3, 299, 595, 597])
    assert np.abs(found).max() < 0.005, found


async def test_together_when_the_clock_of_the_sound_runs_fast(tmp_path):
    """By 100 ppm, 60 ms in ten minutes; the times follow the pictures' clock."""
    for drift in (1e-4, -1e-4):
        path = tmp_path / f"drift{drift}.mkv"
        await record(path, list(flash_and_beep(TEN_MINUTES_S, drift=drift)))
        found = offsets(path, [1, 101, 199, 299, 399, 499, 595, 597])
        assert np.abs(found).max() < 0.02, found


@pytest.mark.parametrize("name", ["call.mp4", "call.webm", "call.mkv"])
async def test_loss_leaves_gaps_and_shifts_nothing(name, tmp_path):
    random = np.random.default_rng(7)
    kept = [
        one
        for one in flash_and_beep(20)
        if one[1].kind == "video" or 0.9 < one[0] % 2 < 1.2 or random.random() > 0.2
    ]
    kept = [one for one in kept if one[1].kind == "video" or not 6.3 < one[0] < 8.6]
    path = tmp_path / name
    await record(path, kept)
    assert_good_file(path, 20)
    found = offsets(path, [1, 3, 5, 9, 11, 19])
    assert np.abs(found).max() < 0.005, found
    samples = Recording(path).audio()
    assert len(samples) / 48000 == pytest.approx(20, abs=0.05)
    assert np.abs(samples[int(6.5 * 48000) : int(8.5 * 48000)]).max() < 0.001


@pytest.mark.parametrize("name", ["gap.wav", "gap.ogg", "gap.m4a"])
async def test_a_gap_in_sound_alone_is_as_long_as_it_was(name, tmp_path):
    path = tmp_path / name
    later = sound(tone_samples(1), start_s=2.0, timestamp=9_999_999)
    await record(path, sound(tone_samples(1)), later)
    samples = assert_good_file(path, 3).audio()
    assert np.abs(samples[int(1.15 * 48000) : int(1.95 * 48000)]).max() < 0.002
    assert dominant_frequency(samples[4800:43200]) == pytest.approx(TONE_HZ, abs=1)
    assert dominant_frequency(samples[int(2.2 * 48000) :]) == pytest.approx(TONE_HZ, abs=1)
    assert onsets(samples[:, 0], [2.0], 0.02)[0] == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("name", ["a.wav", "a.ogg", "a.webm", "a.mp4"])
async def test_short_losses_are_concealed(name, tmp_path):
    """One packet of ten is missing, and the tone never stops, whoever decodes it."""
    heard = sound(tone_samples(4))
    kept = [one for number, one in enumerate(heard) if number % 10 != 5]
    await record(tmp_path / name, kept)
    samples = assert_good_file(tmp_path / name, 4).audio()[9600:182400, 0]
    level = np.sqrt((samples.reshape(-1, 960) ** 2).mean(axis=1))
    assert level.min() > 0.17
    assert dominant_frequency(samples) == pytest.approx(TONE_HZ, abs=0.5)


async def test_sound_that_comes_twice_or_out_of_order_is_kept_once(tmp_path):
    heard = sound(tone_samples(2))
    mixed = [*heard[:50], *heard[30:60]]
    for start in range(60, 100, 4):
        mixed += [heard[start + at] for at in (2, 0, 3, 1)]
    path = tmp_path / "a.wav"
    recorder = Recorder(path, audio=True, video=False)
    for time_s, frame in mixed:
        recorder.push("remote", frame, time_s)
    await recorder.finish()
    samples = assert_good_file(path, 2).audio()[9600:86400, 0]
    assert dominant_frequency(samples) == pytest.approx(TONE_HZ, abs=0.5)
    level = np.sqrt((samples.reshape(-1, 960) ** 2).mean(axis=1))
    assert level.min() > 0.2


async def test_jittering_times_do_not_cut_the_sound(tmp_path):
    random = np.random.default_rng(3)
    heard = [(max(0, t + random.uniform(-0.015, 0.015)), f) for t, f in sound(tone_samples(10))]
    await record(tmp_path / "a.wav", heard)
    samples = assert_good_file(tmp_path / "a.wav", 10).audio()[9600:460800, 0]
    level = np.sqrt((samples.reshape(-1, 960) ** 2).mean(axis=1))
    assert level.min() > 0.19
    assert dominant_frequency(samples) == pytest.approx(TONE_HZ, abs=0.2)


def test_a_late_first_packet_is_worked_off():
    """Twenty seconds on, the sound is where its times say."""
    line = SoundLine()
    placed = [line.place(n * 960, n / 50 + (0 if n else 0.04)) for n in range(1000)]
    assert placed[0] == 0.04
    assert placed[-1] - 999 / 50 == pytest.approx(0, abs=0.012)
    steps = np.diff(placed)
    assert (np.abs(steps - 0.02) > 1e-9).sum() <= 4


def test_a_stream_that_begins_anew_elsewhere_is_where_its_times_say():
    line = SoundLine()
    assert line.place(1000, 5.0) == 5.0
    assert line.place(1960, 5.02) == pytest.approx(5.02)
    assert line.place(4_000_000, 5.04) == 5.04
    assert line.place(4_000_960, 5.06) == pytest.approx(5.06)
    assert line.place(4_000_960 + 48000 * 60, 65.06) == pytest.approx(65.06)


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        ("00", 480), ("08", 960), ("10", 1920), ("18", 2880), ("60", 480), ("68", 960),
        ("e0", 120), ("e8", 240), ("f0", 480), ("f8", 960), ("f9", 1920), ("fa0100", 1920),
        ("fb03", 2880), ("fb06", 5760), ("fb07", 0), ("fb", 0), ("1b02", 5760), ("", 0),
    ],
)  # fmt: skip
def test_the_first_byte_tells_the_length(packet, samples):
    """RFC 6716 section 3.1, table 2, and section 3.2."""
    assert duration_samples(bytes.fromhex(packet)) == samples


@pytest.mark.parametrize("decoder", ["opus", "libopus"])
@pytest.mark.parametrize("bitrate_bps", [16_000, 64_000])
@pytest.mark.parametrize("samples", [120, 600, 959, 960, 2880, 3000, 48000])
def test_what_fills_a_gap_lasts_as_long_and_is_silence_at_last(decoder, bitrate_bps, samples):
    context = av.CodecContext.create(decoder, "r")
    context.sample_rate, context.layout = 48000, "stereo"
    concealer = Concealer()
    for data in voice_packets(bitrate_bps):
        concealer.heard(data)
        context.decode(av.Packet(data))
    made = list(concealer.fill(samples))
    assert sum(length for _, length in made) == samples // 120 * 120
    assert [duration_samples(data) for data, _ in made] == [length for _, length in made]
    decoded = [frame.to_ndarray() for data, _ in made for frame in context.decode(av.Packet(data))]
    lengths = [array.size // 2 for array in decoded]
    assert lengths == [length for _, length in made]
    if samples == 48000:
        assert np.abs(decoded[-1]).max() == 0


def voice_packets(bitrate_bps):
    """A second of a buzz as WebRTC ends encode voice: SILK at 16 kbit/s, CELT at 64 kbit/s."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "mono", "s16"
    context.bit_rate, context.options = bitrate_bps, {"application": "voip"}
    at = np.arange(48000) / 48000
    buzz = sum(np.sin(2 * np.pi * 140 * k * at + k) / k for k in range(1, 20)) * 4000
    packets = []
    for start in range(0, 48000, 960):
        piece = np.rint(buzz[start : start + 960]).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48000, start
        packets += [bytes(packet) for packet in context.encode(frame)]
    assert is_celt(packets[-1]) == (bitrate_bps > 30_000)
    return packets


@pytest.mark.parametrize("milliseconds", ["2.5", "5", "10", "20", "40", "60"])
async def test_packets_of_every_length(milliseconds, tmp_path):
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.options = {"frame_duration": milliseconds}
    context.open()
    pcm = np.rint(np.repeat(tone_samples(2), 2) * 32767).astype(np.int16)
    heard = []
    for start in itertools.count(0, context.frame_size):
        piece = pcm[start * 2 : (start + context.frame_size) * 2]
        if len(piece) < context.frame_size * 2:
            break
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48000, start
        for packet in context.encode(frame):
            at = packet.pts + PRE_SKIP_SAMPLES
            heard.append((at / 48000, EncodedFrame("audio", "opus", bytes(packet), at, True)))
    for suffix in (".ogg", ".wav", ".webm", ".mp4"):
        path = tmp_path / f"a{suffix}"
        await record(path, heard)
        recording = assert_good_file(path, len(heard) * context.frame_size / 48000)
        assert dominant_frequency(recording.audio()[9600:]) == pytest.approx(TONE_HZ, abs=1)


def test_the_header_is_one_of_ffmpegs():
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48000, "stereo", "s16"
    context.open()
    assert context.extradata == head()
