"""Opus through libopus: content, in-band FEC, concealment, channels, packets of all lengths."""

from __future__ import annotations

import ctypes
import random

import av
import numpy as np
import pytest
from media_files import dominant_frequency

from xnb.engine.coders import opus
from xnb.engine.coders.opus import OpusDecoder, OpusEncoder, duration_samples, has_fec
from xnb.errors import MediaError
from xnb.media.frames import to_av_audio

FRAME = 960


def tone(hz: float, seconds: float = 1.0, level: float = 9000.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(int(seconds * 48000)) / 48000)).astype(
        np.int16
    )


def voice(seconds: float) -> np.ndarray:
    """A buzz of 120 Hz with overtones: what the voice coder takes for a voice."""
    t = np.arange(int(seconds * 48000)) / 48000
    phase = np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * t)) / 48000
    buzz = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 20))
    mono = (3500 * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * t))).astype(np.int16)
    return both(mono, mono)


def both(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left, right], axis=1)


def pieces(sound: np.ndarray, size: int = FRAME) -> list[np.ndarray]:
    return [sound[at : at + size] for at in range(0, len(sound) - size + 1, size)]


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a[:, 0].astype(float), b[:, 0].astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + 1))


def decoded(packets: list[bytes]) -> np.ndarray:
    decoder = OpusDecoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_comes_back_where_it_was(channels):
    sound = both(tone(600), tone(600))
    encoder = OpusEncoder(channels=channels)
    out = decoded([encoder.encode(piece) for piece in pieces(sound)])
    assert out.shape == sound.shape
    assert out.dtype == np.int16
    assert dominant_frequency(out[4800:]) == pytest.approx(600, abs=1)
    assert 0.8 < np.std(out[4800:, 0]) / np.std(sound[:, 0]) < 1.2
    late = encoder.lookahead_samples
    assert 100 < late < 1000
    likely = {
        shift: likeness(out[4800 + shift : 40000 + shift], sound[4800:40000])
        for shift in range(late - 30, late + 30)
    }
    assert max(likely.values()) > 0.99
    assert abs(max(likely, key=lambda shift: likely[shift]) - late) < 24


def test_a_frame_and_an_array_give_the_same_packets():
    sound = voice(0.2)
    from_arrays, from_frames = OpusEncoder(), OpusEncoder()
    for piece in pieces(sound):
        assert from_arrays.encode(piece) == from_frames.encode(to_av_audio(piece, 48000))


def test_bitrates_are_kept_and_can_be_set():
    noise = np.random.default_rng(1).normal(0, 3000, (48000 * 2, 2)).astype(np.int16)
    mono = both(noise[:, 0], noise[:, 0])

    def rate_bps(encoder: OpusEncoder, sound: np.ndarray) -> float:
        return sum(len(encoder.encode(piece)) for piece in pieces(sound)) * 8 / 2

    assert 60_000 < rate_bps(OpusEncoder(), mono) < 70_000
    assert 88_000 < rate_bps(OpusEncoder(), noise) < 104_000
    encoder = OpusEncoder(16_000)
    assert rate_bps(encoder, mono) < 24_000
    encoder.set_bitrate(96_000)
    assert rate_bps(encoder, mono) > 70_000


def test_stereo_only_while_the_channels_differ_and_without_a_click():
    same = both(tone(500, 3.0), tone(500, 3.0))
    different = both(tone(500, 3.0), tone(500, 3.0))
    different[24000:48000, 1] //= 4
    encoder = OpusEncoder()
    packets = [encoder.encode(piece) for piece in pieces(different)]
    stereo = [bool(packet[0] & 4) for packet in packets]
    assert not any(stereo[:25])
    assert all(stereo[26:50])
    assert encoder.coded_channels == 1
    assert not stereo[-1]
    assert not any(OpusEncoder().encode(piece)[0] & 4 for piece in pieces(same))
    out = decoded(packets)
    steps = np.abs(np.diff(out[4800:, 0].astype(int)))
    assert steps.max() < 1.5 * 9000 * 2 * np.pi * 500 / 48000
    inside = out[30000:46000]
    assert np.std(inside[:, 0]) > 2.5 * np.std(inside[:, 1])


def test_fec_brings_back_a_lost_frame_better_than_guessing():
    sound = voice(4.0)
    encoder = OpusEncoder()
    plain = [encoder.encode(piece) for piece in pieces(sound)]
    assert not any(map(has_fec, plain))
    encoder = OpusEncoder()
    encoder.set_expected_loss(10)
    packets = [encoder.encode(piece) for piece in pieces(sound)]
    assert sum(map(has_fec, packets)) > 0.6 * len(packets)
    whole = decoded(packets)
    recovered, guessed = [], []
    for lost in range(20, 180, 10):
        if not has_fec(packets[lost + 1]):
            continue
        span = slice(lost * FRAME, (lost + 1) * FRAME)
        for use_fec, results in ((True, recovered), (False, guessed)):
            decoder = OpusDecoder()
            for packet in packets[:lost]:
                decoder.decode(packet)
            after = packets[lost + 1]
            got = decoder.decode_fec(after) if use_fec else decoder.conceal(FRAME)
            assert got.shape == (FRAME, 2)
            results.append(likeness(got, whole[span]))
    assert len(recovered) > 8
    assert np.mean(recovered) > 0.9
    assert np.mean(recovered) > np.mean(guessed) + 0.02


def test_repetitions_begin_and_end_with_the_loss_without_a_click():
    sound = both(tone(500, 30.0), tone(500, 30.0))
    sound[24000:, :] = (sound[24000:, :] * 0.5 + voice(29.5) * 0.5).astype(np.int16)
    encoder = OpusEncoder()
    packets = []
    for number, piece in enumerate(pieces(sound)):
        if number in (100, 900):
            encoder.set_expected_loss(8 if number == 100 else 0)
        packets.append(encoder.encode(piece))
    assert not any(map(has_fec, packets[:100]))
    assert sum(map(has_fec, packets[110:1390])) > 0.5 * 1280
    assert not any(map(has_fec, packets[1405:]))
    assert packets[-1][0] & 0x80
    out = decoded(packets)
    worst = np.abs(np.diff(sound[:, 0].astype(int))).max()
    for around in (100, 1400):
        span = out[(around - 10) * FRAME : (around + 20) * FRAME, 0]
        assert np.abs(np.diff(span.astype(int))).max() < 1.5 * worst


def test_concealment_goes_on_and_fades():
    sound = voice(1.0)
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for piece in pieces(sound):
        before = decoder.decode(encoder.encode(piece))
    first = decoder.conceal(FRAME)
    for _ in range(15):
        last = decoder.conceal(FRAME)
    assert np.std(first) > 0.2 * np.std(before)
    assert np.std(last) < 0.2 * np.std(sound)


@pytest.mark.parametrize("size", [120, 240, 480, 960, 1920, 2880])
def test_packets_of_every_length(size):
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for piece in pieces(both(tone(600), tone(600)), size):
        packet = encoder.encode(piece)
        assert duration_samples(packet) == size
        out = decoder.decode(packet)
        assert len(out) == size
    assert np.std(out) > 3000


def _packet_of_120_ms() -> bytes:
    """Code 3 with six frames of constant size (RFC 6716 section 3.2.5)."""
    encoder = OpusEncoder(24_000, channels=1)
    piece = tone(600)[:FRAME, None]
    packet = next(p for p in iter(lambda: encoder.encode(piece), b"") if p)
    return bytes([packet[0] | 3, 6]) + packet[1:] * 6


def test_120_ms_packets():
    packet = _packet_of_120_ms()
    assert duration_samples(packet) == 5760
    assert len(OpusDecoder().decode(packet)) == 5760


def test_has_fec_and_duration_agree_with_the_library_on_anything():
    library = opus._library()
    if not hasattr(library, "opus_packet_has_lbrr"):
        pytest.skip("this libopus is older than 1.5: has no opus_packet_has_lbrr to compare with")
    library.opus_packet_has_lbrr.argtypes = [ctypes.c_char_p, ctypes.c_int32]
    library.opus_packet_get_nb_samples.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
    encoder = OpusEncoder()
    encoder.set_expected_loss(10)
    rng = random.Random(3)
    good = [encoder.encode(piece) for piece in pieces(voice(2.0))]
    good += [OpusEncoder().encode(voice(0.06)[:2880]), _packet_of_120_ms()]
    for packet in good:
        assert has_fec(packet) == (library.opus_packet_has_lbrr(packet, len(packet)) == 1)
    compared = 0
    for _ in range(20_000):
        packet = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 12)))
        samples = library.opus_packet_get_nb_samples(packet, len(packet), 48000)
        assert duration_samples(packet) == max(0, samples)
        expected = library.opus_packet_has_lbrr(packet, len(packet))
        if expected >= 0:
            compared += 1
            assert has_fec(packet) == (expected == 1), packet
    assert compared > 5000
    assert duration_samples(b"") == 0
    assert not has_fec(b"")


def test_garbage_is_an_error_and_the_decoder_goes_on():
    decoder, encoder = OpusDecoder(), OpusEncoder()
    for bad in (b"", b"\xff", b"\xff\xff\xff"):
        with pytest.raises(MediaError, match="Opus"):
            decoder.decode(bad)
    sound = both(tone(600), tone(600))
    out = np.concatenate([decoder.decode(encoder.encode(piece)) for piece in pieces(sound)])
    assert dominant_frequency(out) == pytest.approx(600, abs=2)


def test_wrong_samples_say_what_is_wanted():
    encoder = OpusEncoder()
    for bad in (
        np.zeros((961, 2), np.int16),
        np.zeros((960, 2), np.float32),
        np.zeros(960, np.int16),
    ):
        with pytest.raises(MediaError, match="960"):
            encoder.encode(bad)
    frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
    frame.sample_rate = 44100
    with pytest.raises(MediaError, match="48000"):
        encoder.encode(frame)
    with pytest.raises(MediaError, match="invalid"):
        OpusEncoder(bitrate_bps=-5)


def test_reset_starts_another_stream():
    encoder, fresh = OpusEncoder(), OpusEncoder()
    for piece in pieces(voice(0.5)):
        encoder.encode(piece)
    encoder.reset()
    quiet = both(tone(700), tone(700))
    assert [encoder.encode(p) for p in pieces(quiet)] == [fresh.encode(p) for p in pieces(quiet)]


def test_a_missing_library_says_what_to_install(monkeypatch):
    monkeypatch.setattr(opus, "_candidates", lambda: iter(["/nowhere/libopus.so.0"]))
    opus._library.cache_clear()
    try:
        with pytest.raises(MediaError, match="pip install"):
            OpusEncoder()
    finally:
        opus._library.cache_clear()
