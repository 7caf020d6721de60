"""The playout buffer and its decoder on a made-up network, with a clock moved by hand."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
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
