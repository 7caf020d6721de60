"""When each packet of sound is played: an adaptive playout buffer, without clock or decoder.

Two time lines meet here. Media time is the RTP timestamp. Output time counts the samples handed
out and runs with the machine's clock: what is handed out at output time ``t`` is due at
``epoch + t``, and may leave up to :data:`EARLY_S` before. Longer or shorter sound, and sound
invented for a network that is slow, move media time against output time; that is how the delay
grows and shrinks.

On a clean link each packet is due 20 ms after it comes at the earliest and so leaves at once,
without a timer.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Literal, NamedTuple

from .audio_delay import DelayTarget
from .coders.opus import duration_samples, has_fec
from .rtp.packets import RtpPacket, Unwrapper

RATE_HZ = 48_000
FRAME_SAMPLES = 960
EARLY_S = 0.03
"""Sound may leave this much before it is due: small jitter needs no timer."""
STALE_S = 0.4
"""More waiting sound than the delay asks for and this much is skipped."""
RESTART_PACKETS = 500
"""A sequence number this far off is a new stream, not an old packet."""
PAUSE_S = 0.5
"""A stream that was silent for so long begins afresh."""

_BACKWARDS_SAMPLES = RATE_HZ // 5
_MAX_PACKETS = 600
_REMEMBERED = 32
_FEC_HOLD_PACKETS = 100
_MAX_INVENTED = 6 * FRAME_SAMPLES
_MAX_COMFORT = 25 * FRAME_SAMPLES
_COMFORT_BYTES = 2
"""A packet this small says that nobody speaks (RFC 6716 section 2.1.9)."""
_GROW_S, _SHRINK_S = 0.004, 0.008
_GROW_SHARE, _SHRINK_SHARE = 0.1, 0.3
"""How far the delay may be off, in seconds or of itself, before the sound is stretched."""
_HURRY_S = 0.12
_MAX_CHANGE = 600
_CALM_S = 0.5
_STALL_S = 0.03
"""A timer this late says that the loop slept, not that the network is slow."""


class Step(NamedTuple):
    """What to hand out next.

    Attributes:
        kind: ``"play"`` decodes ``data``; ``"recover"`` decodes what ``data`` repeats of the
            frame before it; ``"conceal"`` guesses.
        data: A packet's payload; empty to conceal.
        samples: How long it sounds.
        change: Samples to add (above 0) or to cut (below 0), as far as it goes.
        hurry: Whether the length should change at once, even where that is heard.
        seam: Sound was skipped before this: cross-fade into it.
        fresh: Another stream begins: the decoder forgets.
    """

    kind: Literal["play", "recover", "conceal"]
    data: bytes
    samples: int
    change: int = 0
    hurry: bool = False
    seam: bool = False
    fresh: bool = False


class _Held(NamedTuple):
    sequence: int
    timestamp: int
    samples: int
    data: bytes


class PlayoutBuffer:
    """One stream's packets between the network and the decoder.

    Call :meth:`insert` with each packet, then :meth:`next` until it gives None, each time with
    :meth:`delivered` after; :meth:`wake_s` says when to ask again if no packet comes before.

    Attributes:
        received: Packets played.
        late: Packets that came after their moment, or twice.
        skipped: Packets thrown away because too much waited.
        recovered_samples, concealed_samples: Handed out for packets that did not come in time.
        output: Output time of the next sample.
        delay_s: How long the newest packet played had waited, smoothed.
    """

    def __init__(self) -> None:
        self.received = self.late = self.skipped = 0
        self.recovered_samples = self.concealed_samples = 0
        self.output = 0
        self.delay_s = 0.0
        self.delay = DelayTarget()
        self._waiting: dict[int, _Held] = {}
        self._last_arrival_s = -math.inf
        self._calm_from_s = 0.0
        self._ssrc: int | None = None
        self._begin()

    def _begin(self) -> None:
        self._unwrap_sequence, self._unwrap_timestamp = Unwrapper(16), Unwrapper(32)
        self._waiting.clear()
        self._sequence: int | None = None
        self._media = 0
        self._epoch_s = 0.0
        self._invented = 0
        self._idle = True
        self._comfort = False
        self._seam = False
        self._fresh = True
        self._newest = -1
        self._given_up: deque[int] = deque(maxlen=_REMEMBERED)
        self._since_fec = _FEC_HOLD_PACKETS
        self.delay.rebase()

    @property
    def media(self) -> int:
        """RTP timestamp, unwrapped, of the next sample."""
        return self._media

    @property
    def waiting(self) -> int:
        """Packets held."""
        return len(self._waiting)

    @property
    def lead_s(self) -> float:
        """How long after its earliest possible arrival the next sample is due."""
        return self._epoch_s + self.output / RATE_HZ - self.delay.base_s - self._media / RATE_HZ

    # Packets in

    def insert(self, packet: RtpPacket, now_s: float, rtt_s: float | None = None) -> None:
        """Take a packet, in any order.

        Args:
            packet: With an Opus payload.
            now_s: When it was read.
            rtt_s: The round trip, when known.
        """
        samples = duration_samples(packet.payload)
        if not samples:
            return
        if self._is_other_stream(packet):
            self._begin()
            self._ssrc = packet.ssrc
        sequence = self._unwrap_sequence(packet.sequence_number)
        timestamp = self._unwrap_timestamp(packet.timestamp)
        if self._sequence is None:
            self._sequence, self._media, self._newest = sequence, timestamp, sequence - 1
            if not self.output:
                self.output = timestamp
        elif sequence - self._newest > RESTART_PACKETS:
            self._waiting.clear()
            self._idle = self._fresh = True
            self.delay.rebase()
        elif now_s - self._last_arrival_s > PAUSE_S:
            self.delay.rebase()
            self._idle |= not self._waiting
        self._last_arrival_s = now_s
        held = _Held(sequence, timestamp, samples, packet.payload)
        if sequence in self._waiting or (
            sequence < self._sequence and sequence not in self._given_up
        ):
            self.late += 1
            return
        self._measure(held, now_s, rtt_s, repeated=packet.is_retransmission)
        if sequence < self._sequence:
            self._given_up.remove(sequence)
            self.late += 1
            return
        self._waiting[sequence] = held
        if self._idle:
            self._anchor(now_s)
        elif len(self._waiting) > 1:
            self._skip_stale()

    def _is_other_stream(self, packet: RtpPacket) -> bool:
        if packet.ssrc != self._ssrc or self._sequence is None:
            return True
        behind = (self._newest - packet.sequence_number) & 0xFFFF
        if behind < 0x8000:
            return behind > RESTART_PACKETS
        back = (self._media - packet.timestamp) & 0xFFFFFFFF
        return _BACKWARDS_SAMPLES < back < 0x80000000

    def _measure(self, held: _Held, now_s: float, rtt_s: float | None, *, repeated: bool) -> None:
        delay = self.delay
        lateness_s = delay.arrived(now_s - held.timestamp / RATE_HZ, now_s)
        delay.packet_s = held.samples / RATE_HZ
        if held.sequence > self._newest:
            self._newest = held.sequence
            self._since_fec = 0 if has_fec(held.data) else self._since_fec + 1
            delay.has_fec = self._since_fec < _FEC_HOLD_PACKETS
        if repeated:
            delay.repeated(lateness_s, rtt_s, counted=held.sequence in self._given_up)
        else:
            if held.sequence in self._given_up:
                delay.found()
            delay.measured(lateness_s, rtt_s)

    def _anchor(self, now_s: float) -> None:
        """Begin to play at the oldest packet, as late as the target asks for."""
        first = self._waiting[min(self._waiting)]
        assert self._sequence is not None
        hole = max(0, first.timestamp - self._media)
        # Output time follows the sender's over a pause, and never goes back.
        self.output += max(0, hole - self._invented)
        self.concealed_samples += min(hole, (first.sequence - self._sequence) * first.samples)
        self._sequence, self._media = first.sequence, first.timestamp
        self._invented = 0
        self._idle = False
        due_s = max(now_s, self.delay.base_s + first.timestamp / RATE_HZ + self.delay.target_s)
        self._epoch_s = due_s - self.output / RATE_HZ
        self._calm_from_s = now_s

    def _skip_stale(self) -> None:
        """Keep no more sound waiting than the delay needs."""
        newest = max(self._waiting)
        end = self._waiting[newest].timestamp + self._waiting[newest].samples
        keep = round(self.delay.target_s * RATE_HZ)
        limit = keep + round(STALE_S * RATE_HZ)
        if end - self._media <= limit and len(self._waiting) <= _MAX_PACKETS:
            return
        for sequence in sorted(self._waiting):
            held = self._waiting[sequence]
            if sequence == newest or end - held.timestamp <= keep:
                break
            del self._waiting[sequence]
            self.skipped += 1
        first = self._waiting[min(self._waiting)]
        self._sequence, self._media = first.sequence, first.timestamp
        self._invented = 0
        self._seam = True

    # Sound out

    def next(self, now_s: float, rtt_s: float | None = None) -> Step | None:
        """What to hand out now, or None when it is not time or nothing is there."""
        if self._idle or self._sequence is None:
            return None
        held = self._waiting.get(self._sequence)
        due_s = self._epoch_s + self.output / RATE_HZ
        if now_s < (due_s if held is None else due_s - EARLY_S):
            return None
        if held is not None:
            if held.timestamp > self._media + self._invented:
                return self._silence_ended(held, now_s)
            return self._play(held, now_s, due_s)
        return self._fill(now_s, rtt_s) if self._waiting else self._invent(now_s, due_s)

    def _silence_ended(self, held: _Held, now_s: float) -> Step | None:
        """The sender left out sound on purpose: no packet is missing."""
        left = (held.timestamp - self._media - self._invented) // 120 * 120
        if self._comfort and 0 < left <= 2 * FRAME_SAMPLES:
            self._invented += left
            return Step("conceal", b"", left)
        self._anchor(now_s)
        due_s = self._epoch_s + self.output / RATE_HZ
        return None if now_s < due_s - EARLY_S else self._play(held, now_s, due_s)

    def _play(self, held: _Held, now_s: float, due_s: float) -> Step:
        self.received += 1
        del self._waiting[held.sequence]
        if now_s > due_s:
            # Too late without anything handed out meanwhile: the listener waited.
            self._epoch_s += now_s - due_s
            self._calm_from_s = now_s + _CALM_S
        if self._invented:
            if held.timestamp == self._media:
                self._count_invented()
            self._calm_from_s = now_s + _CALM_S
        self._media = held.timestamp
        self._invented = 0
        change, hurry = self._change(now_s)
        waited_s = max(0.0, now_s - self.delay.base_s - held.timestamp / RATE_HZ)
        self.delay_s += (waited_s - self.delay_s) / 16
        step = Step("play", held.data, held.samples, change, hurry, self._seam, self._fresh)
        self._comfort = len(held.data) <= _COMFORT_BYTES
        self._advance(held.samples)
        return step

    def _change(self, now_s: float) -> tuple[int, bool]:
        """Samples to add or cut so that the delay comes nearer to its target."""
        target_s = self.delay.target_s
        off_s = target_s - self.lead_s
        lowest, highest = max(_GROW_S, _GROW_SHARE * target_s), _SHRINK_SHARE * target_s
        if -max(_SHRINK_S, highest) < off_s < lowest:
            return 0, False
        hurry = abs(off_s) > _HURRY_S
        if off_s < 0 and now_s < self._calm_from_s:
            return 0, False
        samples = min(_MAX_CHANGE, round(abs(off_s) * RATE_HZ))
        return (samples if off_s > 0 else -samples), hurry

    def _fill(self, now_s: float, rtt_s: float | None) -> Step | None:
        """The next frame is due and missing, and later ones are there."""
        assert self._sequence is not None
        following = self._waiting[min(self._waiting)]
        hole = following.timestamp - self._media - self._invented
        missing = following.sequence - self._sequence
        if hole <= 0 or hole > missing * 6 * FRAME_SAMPLES:
            # Filled with what was invented already; or a pause with a loss in it.
            self.concealed_samples += min(self._invented, missing * following.samples)
            self._give_up(missing, rtt_s)
            return self.next(now_s, rtt_s)
        self._count_invented()
        self._media += self._invented
        self._invented = 0
        if missing == 1 or hole <= following.samples:
            samples = min(hole, 6 * FRAME_SAMPLES) // 120 * 120 or 120
            self._give_up(missing, rtt_s)
            repeated = has_fec(following.data)
            if repeated:
                own = min(samples, following.samples)
                self.recovered_samples += own
                self.concealed_samples += samples - own
            else:
                self.concealed_samples += samples
            self._media = following.timestamp
            return Step("recover" if repeated else "conceal", following.data, samples)
        samples = max(120, hole // missing // 120 * 120)
        self._give_up(1, rtt_s)
        self.concealed_samples += samples
        self._media += samples
        return Step("conceal", b"", samples)

    def _give_up(self, count: int, rtt_s: float | None) -> None:
        assert self._sequence is not None
        for _ in range(count):
            self._given_up.append(self._sequence)
            self._sequence += 1
            self.delay.lost(rtt_s)

    def _count_invented(self) -> None:
        """What was invented stood for sound after all, not for a talker who stopped."""
        if not self._comfort:
            self.concealed_samples += self._invented

    def _invent(self, now_s: float, due_s: float) -> Step | None:
        """Nothing came for a while: bridge it, and fall silent when it lasts."""
        if now_s - due_s > _STALL_S:
            self._epoch_s += now_s - due_s + _STALL_S
            return None
        if self._invented >= (_MAX_COMFORT if self._comfort else _MAX_INVENTED):
            self._idle = True
            return None
        self._invented += FRAME_SAMPLES
        return Step("conceal", b"", FRAME_SAMPLES)

    def _advance(self, samples: int) -> None:
        assert self._sequence is not None
        self._sequence += 1
        self._media += samples
        self._seam = self._fresh = False

    def delivered(self, samples: int) -> None:
        """So many samples were handed out for the last step."""
        self.output += samples

    def wake_s(self) -> float | None:
        """When :meth:`next` has something even if no packet comes; None for not before one."""
        if self._idle or self._sequence is None:
            return None
        due_s = self._epoch_s + self.output / RATE_HZ
        if self._sequence in self._waiting:
            return due_s - EARLY_S
        if self._waiting or self._comfort or self.delay.target_s > EARLY_S:
            return due_s
        return None
