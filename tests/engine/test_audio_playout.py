"""The playout buffer and its decoder on a made-up network, with a clock moved by hand."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import av
import numpy as np
import pytest
from media_files import dominant_frequency

from xnb.engine.audio_playout import AudioPlayout
from xnb.engine.coders.opus import OpusEncoder
from xnb.engine.rtp.nack import NackTracker
from xnb.engine.rtp.packets import RtpPacket

FRAME = 960
FRAME_S = 0.02
TONE_HZ = 440.0


class World:
    """A clock and a loop: calls happen in order of time, as fast as they can."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.timers = 0
        self._ticket = itertools.count()
        self._queue: list[tuple[float, int, Callable[[], None] | None]] = []
        self._dead: set[int] = set()

    def now(self) -> float:
        return self.now_s

    def at(self, time_s: float, callback: Callable[[], None]) -> int:
        ticket = next(self._ticket)
        heapq.heappush(self._queue, (time_s, ticket, callback))
        return ticket

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self.timers += 1
        ticket = self.at(self.now_s + delay, callback)
        dead = self._dead

        class Handle:
            def cancel(self) -> None:
                dead.add(ticket)

        return Handle()

    def run(self, until_s: float) -> None:
        while self._queue and self._queue[0][0] <= until_s:
            time_s, ticket, callback = heapq.heappop(self._queue)
            self.now_s = max(self.now_s, time_s)
            if ticket not in self._dead and callback:
                callback()
        self.now_s = max(self.now_s, until_s)

    def sleep(self, seconds: float) -> None:
        """The loop is blocked: nothing happens, and is late afterwards."""
        self.now_s += seconds


class Heard:
    """What comes out, with when and where."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.frames: list[tuple[float, int, np.ndarray]] = []

    def __call__(self, frame: av.AudioFrame, timestamp: int) -> None:
        assert frame.sample_rate == 48000
        assert frame.layout.name == "stereo"
        assert frame.pts == timestamp
        array = frame.to_ndarray().reshape(-1, 2).copy()
        assert len(array) == frame.samples
        self.frames.append((self.world.now_s, timestamp, array))

    @property
    def sound(self) -> np.ndarray:
        return np.concatenate([array for _, _, array in self.frames])

    @property
    def gaps(self) -> list[int]:
        """Samples missing (or doubled) between one frame and the next."""
        return [
            after - before - len(array)
            for (_, before, array), (_, after, _) in itertools.pairwise(self.frames)
            if after != before + len(array)
        ]

    def lateness_s(self) -> list[float]:
        """How much later than the smoothest listener needs, each frame came."""
        return [time_s - timestamp / 48000 for time_s, timestamp, _ in self.frames]


def tone(frames: int, hz: float = TONE_HZ) -> np.ndarray:
    t = np.arange(frames * FRAME) / 48000
    samples = (9000 * np.sin(2 * np.pi * hz * t)).astype(np.int16)
    return np.stack([samples, samples], axis=1)


def packets(sound: np.ndarray, *, fec: bool = False, first: int = 65000) -> list[RtpPacket]:
    encoder = OpusEncoder()
    if fec:
        encoder.set_expected_loss(10)
    return [
        RtpPacket(
            payload_type=111,
            sequence_number=(first + n) & 0xFFFF,
            timestamp=(0xFFFF0000 + n * FRAME) & 0xFFFFFFFF,
            ssrc=77,
            payload=encoder.encode(sound[n * FRAME : (n + 1) * FRAME]),
        )
        for n in range(len(sound) // FRAME)
    ]


_speech: dict[bool, list[RtpPacket]] = {}


def speech_packets(frames: int, *, fec: bool) -> list[RtpPacket]:
    """A buzz with syllables: as a voice, it has a pitch, gets louder and softer."""
    if fec not in _speech:
        t = np.arange(4500 * FRAME) / 48000
        pitch = np.cumsum(120 + 20 * np.sin(2 * np.pi * 0.7 * t)) / 48000
        buzz = sum(np.sin(2 * np.pi * k * pitch) / k for k in range(1, 20))
        samples = (3500 * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 3 * t))).astype(np.int16)
        _speech[fec] = packets(np.stack([samples, samples], axis=1), fec=fec)
    return _speech[fec][:frames]


def playing(rtt_s: float | None = None) -> tuple[World, Heard, AudioPlayout]:
    world = World()
    heard = Heard(world)
    playout = AudioPlayout(heard, rtt_s=lambda: rtt_s, loop=world, now=world.now)
    return world, heard, playout


def send(
    world: World,
    playout: AudioPlayout,
    sent: list[RtpPacket],
    *,
    loss: float = 0.0,
    jitter_s: Callable[[random.Random], float] = lambda rng: 0.0,
    rtt_s: float | None = None,
    nack: bool = False,
    burst: int = 1,
    duplicates: float = 0.0,
    seed: int = 1,
    start_s: float | None = None,
) -> float:
    """Send a packet each 20 ms through a network; returns when the last was sent.

    With ``nack``, holes are asked for over the same lossy network, both ways.
    """
    rng = random.Random(seed)
    nacks = NackTracker("audio")
    start_s = world.now_s if start_s is None else start_s
    base_s = (rtt_s or 0.02) / 2
    by_number = {packet.sequence_number: packet for packet in sent}
    losing = 0

    def arrive(packet: RtpPacket) -> None:
        playout.add(packet)
        if nack:
            nacks.received(packet.sequence_number, world.now_s)
            ask()

    def ask() -> None:
        for number in nacks.due(world.now_s, rtt_s):
            if rng.random() < loss or number not in by_number:
                continue
            if rng.random() < loss:
                continue
            original = by_number[number]
            again = RtpPacket(
                payload_type=111,
                sequence_number=number,
                timestamp=original.timestamp,
                ssrc=77,
                payload=original.payload,
            )
            again.is_retransmission = True
            world.at(world.now_s + (rtt_s or 0) + jitter_s(rng), lambda p=again: arrive(p))
        due_s = nacks.next_due_s(rtt_s)
        if due_s is not None:
            world.at(max(due_s, world.now_s + 0.001), ask)

    for n, packet in enumerate(sent):
        if not losing and rng.random() < loss / burst:
            losing = burst
        if losing:
            losing -= 1
            continue
        for _ in range(1 + (rng.random() < duplicates)):
            world.at(start_s + n * FRAME_S + base_s + jitter_s(rng), lambda p=packet: arrive(p))
    return start_s + len(sent) * FRAME_S


def through(world: World, playout: AudioPlayout, sent: list[RtpPacket], **network: Any) -> None:
    world.run(send(world, playout, sent, **network) + 1)


def test_a_clean_link_needs_no_timer_and_no_delay():
    world, heard, playout = playing()
    sent = packets(tone(500))
    through(world, playout, sent)
    assert world.timers == 0
    assert len(heard.frames) == 500
    assert heard.gaps == []
    begin_s = heard.frames[0][0]
    assert all(
        time_s == pytest.approx(begin_s + n * FRAME_S, abs=1e-6)
        for n, (time_s, _, _) in enumerate(heard.frames)
    )
    assert playout.delay_s < 0.001
    assert playout.target_delay_s == pytest.approx(0.02)
    assert (playout.received, playout.late, playout.concealed, playout.stretched) == (500, 0, 0, 0)
    assert dominant_frequency(heard.sound[FRAME:]) == pytest.approx(TONE_HZ, abs=0.5)


def test_small_jitter_changes_nothing():
    world, heard, playout = playing()
    through(world, playout, packets(tone(1000)), jitter_s=lambda rng: rng.random() * 0.008)
    assert playout.stretched == 0
    assert len(heard.sound) == 1000 * FRAME
    assert playout.delay_s < 0.008
    assert world.timers < 10


@pytest.mark.parametrize(
    ("loss", "fec", "nack", "most"),
    [
        (0.02, True, True, 0.006),
        (0.05, True, True, 0.012),
        (0.10, True, True, 0.015),
        (0.20, True, True, 0.025),
        (0.02, False, True, 0.008),
        (0.05, False, True, 0.02),
        (0.10, False, True, 0.025),
        (0.20, False, True, 0.05),
        (0.02, True, False, 0.009),
        (0.05, True, False, 0.024),
        (0.10, True, False, 0.045),
        (0.20, True, False, 0.09),
    ],
)
def test_less_than_half_of_what_is_lost_stays_lost(loss, fec, nack, most):
    """libwebrtc conceals about the share that is lost: half of that is the bar."""
    assert most < loss / 2
    frames = 3000
    rtt_s = 0.05
    for seed in (3, 8):
        world, heard, playout = playing(rtt_s)
        through(
            world,
            playout,
            speech_packets(frames, fec=fec),
            loss=loss,
            nack=nack,
            rtt_s=rtt_s,
            jitter_s=lambda rng: rng.random() * 0.004,
            seed=seed,
        )
        assert playout.concealed <= most * frames
        assert heard.gaps == []
        assert playout.target_delay_s <= 0.2
        assert playout.delay_s < (0.2 if nack else 0.05)
        assert playout.received + playout.recovered + playout.concealed >= frames - 2
        if fec:
            assert playout.recovered > 0


@pytest.mark.parametrize("burst", [2, 4])
def test_bursts_of_loss(burst):
    world, heard, playout = playing(0.05)
    sent = speech_packets(3000, fec=True)
    through(world, playout, sent, loss=0.05, burst=burst, nack=True, rtt_s=0.05)
    assert playout.concealed < 0.02 * 3000
    assert heard.gaps == []


def test_a_hole_never_blocks_what_follows():
    world, heard, playout = playing(0.05)
    sent = packets(tone(200))
    del sent[100:103]
    start_s = world.now_s
    for n, packet in enumerate(sent):
        number = n if n < 100 else n + 3
        world.at(start_s + number * FRAME_S, lambda p=packet: playout.add(p))
    world.run(start_s + 10)
    assert playout.received == 197
    assert heard.gaps == []
    waits = [b[0] - a[0] for a, b in itertools.pairwise(heard.frames)]
    assert max(waits) < 0.09
    assert playout.concealed == 3
    assert dominant_frequency(heard.sound) == pytest.approx(TONE_HZ, abs=1)


def test_without_fec_or_nack_no_delay_is_wasted():
    world, _, playout = playing()
    through(world, playout, speech_packets(2000, fec=False), loss=0.1)
    assert playout.target_delay_s == pytest.approx(0.02)
    assert 0.07 * 2000 < playout.concealed < 0.13 * 2000


def test_repetitions_that_never_come_are_not_waited_for():
    world, _, playout = playing(0.05)
    through(world, playout, speech_packets(2000, fec=True), loss=0.1, nack=False, rtt_s=0.05)
    assert playout.target_delay_s == pytest.approx(0.04)


def test_a_long_round_trip_is_not_waited_for():
    world, _, playout = playing(0.25)
    through(world, playout, speech_packets(2000, fec=True), loss=0.1, nack=True, rtt_s=0.25)
    assert playout.target_delay_s < 0.06


def test_the_delay_follows_jitter_up_and_down_with_the_tone_unbroken():
    world, heard, playout = playing()
    sent = packets(tone(4000))
    bad = lambda rng: rng.random() * 0.08  # noqa: E731
    through_until = send(world, playout, sent[:1500], jitter_s=bad)
    world.run(through_until)
    grown_s = playout.target_delay_s
    assert 0.06 < grown_s <= 0.09
    assert playout.delay_s > 0.03
    world.run(send(world, playout, sent[1500:], start_s=through_until) + 1)
    assert playout.target_delay_s < 0.03
    assert playout.delay_s < 0.012
    assert 0 < playout.stretched < 200
    assert heard.gaps == []
    # The last part, on a clean link again, is the tone and nothing else; stretched pieces too.
    sound = heard.sound
    seconds = [sound[at : at + 48000] for at in range(48000, 76 * 48000, 48000)]
    assert all(dominant_frequency(second) == pytest.approx(TONE_HZ, abs=2) for second in seconds)
    played = sound[: 1500 * FRAME, 0].astype(int)
    clean_step = 9000 * 2 * np.pi * TONE_HZ / 48000
    share = np.mean(np.abs(np.diff(played)) > 1.5 * clean_step)
    assert share < 1e-3
    # As much as there was: what was added has been cut again.
    assert len(sound) == pytest.approx(4000 * FRAME, abs=0.03 * 48000 + 6 * FRAME)


def test_reordering_loses_nothing():
    world, heard, playout = playing()
    swap = lambda rng: 0.03 if rng.random() < 0.1 else 0.0  # noqa: E731
    through(world, playout, packets(tone(1500)), jitter_s=swap, duplicates=0.1)
    assert playout.received > 1480
    assert playout.late > 50
    assert heard.gaps == []
    assert dominant_frequency(heard.sound) == pytest.approx(TONE_HZ, abs=0.5)


def test_a_talker_that_stops_comes_back_without_a_burst():
    world, heard, playout = playing(0.05)
    sent = packets(tone(400))
    middle_s = send(world, playout, sent[:200], loss=0.05, rtt_s=0.05)
    world.run(middle_s)
    shift = 60 * 48000
    for packet in sent[200:]:
        packet.timestamp = (packet.timestamp + shift) & 0xFFFFFFFF
    before = len(heard.frames)
    world.run(middle_s + 59)
    # A little concealment fades out; then there is rest: no frames, no timers.
    assert len(heard.frames) - before < 14
    timers = world.timers
    world.run(middle_s + 60)
    assert world.timers == timers
    first = len(heard.frames)
    world.run(send(world, playout, sent[200:]) + 1)
    times = [time_s for time_s, _, _ in heard.frames[first:]]
    assert all(b - a > 0.004 for a, b in itertools.pairwise(times))
    assert len(heard.gaps) == 1
    assert heard.gaps[0] == pytest.approx(shift, abs=0.2 * 48000)
    # Time handed out follows the sender's again.
    assert abs(playout.shift_samples) < 0.2 * 48000


def test_a_sender_whose_timestamps_stood_still_comes_back_too():
    world, heard, playout = playing()
    sent = packets(tone(300))
    world.run(send(world, playout, sent[:150]))
    world.run(world.now_s + 120)
    world.run(send(world, playout, sent[150:]) + 1)
    assert heard.gaps == []
    assert playout.received == 300
    assert playout.concealed == 0
    assert playout.delay_s < 0.005
    assert playout.target_delay_s == pytest.approx(0.02)


def test_sparse_packets_of_silence_are_no_loss():
    """DTX: a packet of comfort noise each 400 ms, numbered without a hole."""
    world, heard, playout = playing()
    talk = packets(tone(100))
    world.run(send(world, playout, talk))
    for n in range(10):
        quiet = RtpPacket(
            payload_type=111,
            sequence_number=(65100 + n) & 0xFFFF,
            timestamp=(0xFFFF0000 + (100 + 20 * n) * FRAME) & 0xFFFFFFFF,
            ssrc=77,
            payload=b"\x78",
        )
        world.at(world.now_s + n * 0.4, lambda p=quiet: playout.add(p))
    world.run(world.now_s + 4)
    assert playout.concealed == 0
    assert heard.gaps == []
    assert len(heard.sound) == pytest.approx(300 * FRAME, abs=30 * FRAME)
    assert heard.sound[-FRAME:].std() < 0.2 * heard.sound[: 90 * FRAME].std()


def test_a_blocked_loop_does_not_pour_out_stale_sound():
    world, heard, playout = playing()
    sent = packets(tone(1000))
    end_s = send(world, playout, sent)
    world.run(world.now_s + 5)
    before = len(heard.frames)
    world.sleep(5.0)
    world.run(world.now_s)
    # 250 packets were read at once.
    assert len(heard.frames) - before < 20
    assert playout.skipped > 200
    awake_s = world.now_s
    world.run(end_s + 1)
    assert playout.received + playout.skipped == 1000
    soon = [time_s for time_s, _, _ in heard.frames[before:] if time_s < awake_s + 2]
    assert len(soon) < 2 / FRAME_S + 25
    assert heard.gaps == []
    assert playout.delay_s < 0.03
    assert dominant_frequency(heard.sound[-96000:]) == pytest.approx(TONE_HZ, abs=1)


def test_a_short_sleep_of_the_loop_loses_nothing():
    world, heard, playout = playing(0.05)
    sent = packets(tone(1500))
    end_s = send(world, playout, sent)
    for _ in range(10):
        world.run(world.now_s + 2)
        world.sleep(0.12)
    world.run(end_s + 1)
    assert playout.received == 1500
    assert playout.skipped == 0
    assert heard.gaps == []
    assert playout.concealed <= 12


@pytest.mark.parametrize("same_ssrc", [True, False])
def test_a_stream_that_begins_anew(same_ssrc):
    world, heard, playout = playing()
    old, new = packets(tone(100)), packets(tone(200, 880.0), first=20000)
    for packet in new:
        packet.timestamp = (packet.timestamp + 0x12345678) & 0xFFFFFFFF
        packet.ssrc = 77 if same_ssrc else 78
    world.run(send(world, playout, old))
    world.run(send(world, playout, new) + 1)
    assert playout.received == 300
    assert dominant_frequency(heard.sound[-150 * FRAME :]) == pytest.approx(880, abs=1)
    assert dominant_frequency(heard.sound[: 100 * FRAME]) == pytest.approx(TONE_HZ, abs=1)
    assert playout.delay_s < 0.005
    if not same_ssrc:
        assert heard.gaps == []


def test_clocks_that_drift_are_followed():
    """A sender 500 ppm fast or slow, for five minutes: the delay stays, the pitch too."""
    for ppm in (-500, 500):
        world, heard, playout = playing()
        sent = packets(tone(500))
        payloads = [packet.payload for packet in sent]
        start_s = world.now_s
        for n in range(15000):
            packet = RtpPacket(
                payload_type=111,
                sequence_number=n & 0xFFFF,
                timestamp=(n * FRAME) & 0xFFFFFFFF,
                ssrc=5,
                payload=payloads[100 + n % 300],
            )
            world.at(start_s + n * FRAME_S * (1 + ppm / 1e6), partial(playout.add, packet))
            if n % 500 == 499:
                world.run(start_s + n * FRAME_S * (1 + ppm / 1e6))
        world.run(world.now_s + 1)
        assert playout.received == 15000
        assert playout.delay_s < 0.03
        assert heard.gaps == []


def test_garbage_does_not_stop_it():
    world, heard, playout = playing()
    sent = packets(tone(200))
    for n in (50, 51, 90):
        sent[n].payload = b"\xff\xff\xff\xff" if n != 90 else b""
    through(world, playout, sent)
    assert heard.gaps == []
    assert len(heard.sound) >= 199 * FRAME
    assert dominant_frequency(heard.sound[-50 * FRAME :]) == pytest.approx(TONE_HZ, abs=1)


def test_close_is_silence_at_once_and_may_come_from_a_listener():
    world = World()
    count = 0

    def deliver(frame: av.AudioFrame, timestamp: int) -> None:
        nonlocal count
        count += 1
        if count == 5:
            playout.close()

    playout = AudioPlayout(deliver, loop=world, now=world.now)
    through(world, playout, packets(tone(50)), jitter_s=lambda rng: rng.random() * 0.1)
    assert count == 5
    playout.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_network_does_the_sound_is_continuous_and_bounded(seed):
    rng = random.Random(seed)
    world, heard, playout = playing(rng.choice([None, 0.02, 0.08]))
    sent = list(speech_packets(1500, fec=rng.random() < 0.5))
    spread = rng.choice([0.0, 0.01, 0.05, 0.15])
    through(
        world,
        playout,
        sent,
        loss=rng.choice([0, 0.05, 0.3]),
        burst=rng.choice([1, 3, 8]),
        nack=rng.random() < 0.5,
        rtt_s=0.05,
        jitter_s=lambda r: r.expovariate(1 / spread) if spread else 0.0,
        duplicates=0.05,
        seed=seed,
    )
    assert all(gap > 0 for gap in heard.gaps)
    assert sum(heard.gaps) < 60 * FRAME
    total = playout.received + playout.recovered + playout.concealed + playout.skipped
    assert 1490 <= total <= 1500 + 0.25 * 1500
    length = len(heard.sound) + sum(heard.gaps)
    assert length == pytest.approx(1500 * FRAME, abs=0.4 * 48000)
    assert all(len(array) <= FRAME + 600 for _, _, array in heard.frames)
