"""Which packets of a stream are missing, when to ask for them, and when to stop asking.

A hole in the sequence numbers is asked for with a generic NACK (RFC 4585 section 6.2.1); the answer
is the packet again, on a stream of its own (RFC 4588 section 4) or simply repeated. No clock, no
timer and no socket here: the time is passed in.
"""

from __future__ import annotations

import math
from typing import Literal

from .packets import SEQUENCE_MODULUS

_MASK = SEQUENCE_MODULUS - 1
_HALF = SEQUENCE_MODULUS // 2

RESTART_PACKETS = 500
"""A jump further than this, confirmed by the packet after it, is a stream that starts anew
(RFC 3550 appendix A.1)."""
MAX_MISSING = {"audio": 32, "video": 300}
"""More holes than this are not worth filling: 300 video packets are one NACK of at most 1.2 kB."""
MAX_REQUESTS = 12
"""For one packet."""

DEADLINE_S = {"audio": 0.12, "video": 1.0}
"""How long a hole stays interesting after it was noticed. For video there is nothing better to do
meanwhile: the keyframe that would replace the packet needs a round trip as well, is sent over the
same lossy path, and is dozens of packets instead of one."""
VIDEO_DEADLINE_RTTS = 4.0
AUDIO_MAX_RTT_S = 0.1
"""Beyond this the answer comes after the sound was due."""
OUTAGE_S = 0.5
OUTAGE_PACKETS = 30
"""Silence of :data:`OUTAGE_S` and then a hole of this many packets: the path was gone. One keyframe
now is quicker than all those packets one after the other."""

UNKNOWN_RTT_S = 0.1
MIN_SPACING_S = 0.02
SPACING_MARGIN_S = 0.01
PATIENT_REQUESTS = 4
"""From the fifth request on, each wait is longer by a quarter: the path is likely congested."""
MAX_REORDER_S = 0.03


class _Hole:
    """A missing packet.

    Attributes:
        noticed_s: When a later packet came first.
        requests: How often it was asked for.
        asked_s: When it was asked for the first time; only valid after a request.
        next_s: When to ask next; infinite when that cannot help any more.
    """

    __slots__ = ("asked_s", "next_s", "noticed_s", "requests")

    def __init__(self, noticed_s: float, next_s: float) -> None:
        self.noticed_s = noticed_s
        self.requests = 0
        self.asked_s = noticed_s
        self.next_s = next_s


class NackTracker:
    """One stream's missing packets.

    A new hole is asked for at once, unless this path is known to reorder: then as long after as
    packets were lately seen to overtake each other (at most 30 ms). It is asked for again each
    round trip and a little, until it comes, its deadline passes, or somebody says that it does not
    matter any more. Audio is only asked for while the answer can still be played in time (RFC 4588
    section 6.3 advises all three: to allow for reordering, to know the round trip, and not to ask
    for what comes too late).

    Every hole ends up in exactly one of :attr:`recovered`, :attr:`reordered` and :attr:`given_up`.

    Args:
        kind: ``"audio"`` (deadline 120 ms, and only while the round trip is known and at most
            100 ms) or ``"video"`` (1 s, or four round trips where that is longer).

    Attributes:
        requested: Requests made; a packet asked for three times counts three times.
        recovered: Packets that came after they were asked for.
        reordered: Packets that came late by themselves.
        given_up: Packets that nobody waits for any more.
    """

    def __init__(self, kind: Literal["audio", "video"]) -> None:
        self.requested = 0
        self.recovered = 0
        self.reordered = 0
        self.given_up = 0
        self._video = kind == "video"
        self._max_missing = MAX_MISSING[kind]
        self._deadline_s = DEADLINE_S[kind]
        self._rtt_s: float | None = None
        self._expected: int | None = None
        self._outlier: int | None = None
        self._last_s = 0.0
        self._reorder_s = 0.0
        self._holes: dict[int, _Hole] = {}
        self._hopeless = False
        self._resigned_s: float | None = None

    def __repr__(self) -> str:
        return (
            f"<NackTracker {'video' if self._video else 'audio'} missing={self.missing} "
            f"requested={self.requested} recovered={self.recovered} given_up={self.given_up}>"
        )

    @property
    def missing(self) -> int:
        """Packets that are waited for now."""
        return len(self._holes)

    def still_missing(self, sequence_numbers: list[int]) -> list[int]:
        """Those of ``sequence_numbers`` that have not come yet."""
        return [number for number in sequence_numbers if number in self._holes]

    def received(self, sequence_number: int, now_s: float) -> None:
        """Note a packet that came: new, late, twice, or again because it was asked for.

        Args:
            sequence_number: 0 to 65535, wraps; of the original stream, also for a packet that came
                by retransmission.
            now_s: Monotonic time in seconds.
        """
        if sequence_number == self._expected:
            self._expected = (sequence_number + 1) & _MASK
            self._last_s = now_s
            return
        if self._expected is None:
            self._restart(sequence_number, now_s)
            return
        ahead = (sequence_number - self._expected) & _MASK
        if ahead < _HALF:
            if ahead > RESTART_PACKETS:
                self._far_off(sequence_number, now_s)
            else:
                self._notice(ahead, sequence_number, now_s)
        elif sequence_number in self._holes:
            self._fill(self._holes.pop(sequence_number), now_s)
        elif SEQUENCE_MODULUS - ahead > RESTART_PACKETS:
            self._far_off(sequence_number, now_s)

    def due(self, now_s: float, rtt_s: float | None) -> list[int]:
        """Sequence numbers to put into a NACK now, oldest first; each counts as asked for.

        Args:
            now_s: Monotonic time in seconds.
            rtt_s: Round trip in seconds, ``None`` while unknown.
        """
        self._rtt_s = rtt_s
        if not self._holes:
            return []
        self._expire(now_s)
        due = []
        for number, hole in self._holes.items():
            if hole.next_s > now_s:
                continue
            if not self._worth_asking(hole, now_s, rtt_s):
                hole.next_s = math.inf
                continue
            if not hole.requests:
                hole.asked_s = now_s
            hole.requests += 1
            hole.next_s = now_s + _spacing_s(hole.requests, rtt_s)
            due.append(number)
        self.requested += len(due)
        return due

    def next_due_s(self, rtt_s: float | None) -> float | None:
        """When to call :meth:`due` and :meth:`hopeless` next; ``None`` while nothing is missing.

        Args:
            rtt_s: Round trip in seconds, ``None`` while unknown.
        """
        self._rtt_s = rtt_s
        if not self._holes:
            return None
        deadline_s = self._deadline_now_s()
        return min(min(hole.next_s, hole.noticed_s + deadline_s) for hole in self._holes.values())

    def hopeless(self, now_s: float) -> bool:
        """Whether a picture cannot be completed any more: give up and ask for a keyframe.

        True once for what happened, however many packets it cost: a packet that passed its
        deadline, an outage, or too many holes at a time. Holes noticed before that are still asked
        for (they may be parts of a keyframe on its way), but will not be reported again. Never true
        for audio, where a hole is concealed and forgotten.

        Args:
            now_s: Monotonic time in seconds.
        """
        if self._holes:
            self._expire(now_s)
        if not self._hopeless:
            return False
        self._hopeless = False
        self._resigned_s = now_s
        return True

    def forget(self, before: int | None = None) -> None:
        """Stop asking: a complete keyframe made older holes irrelevant.

        Args:
            before: Only holes before this sequence number (the keyframe's first packet); ``None``
                for all.
        """
        if before is None:
            numbers = list(self._holes)
        else:
            numbers = [number for number in self._holes if (number - before) & _MASK >= _HALF]
        for number in numbers:
            del self._holes[number]
        self.given_up += len(numbers)
        self._hopeless = False

    def _restart(self, sequence_number: int, now_s: float) -> None:
        self.forget()
        self._expected = (sequence_number + 1) & _MASK
        self._outlier = None
        self._last_s = now_s

    def _far_off(self, sequence_number: int, now_s: float) -> None:
        """One stray packet is ignored; two in a row are a new beginning."""
        if self._outlier is not None and sequence_number == (self._outlier + 1) & _MASK:
            self._restart(sequence_number, now_s)
            self._hopeless = self._video
        else:
            self._outlier = sequence_number

    def _notice(self, count: int, sequence_number: int, now_s: float) -> None:
        """Packets were skipped: `count` of them, up to the one before `sequence_number`."""
        outage = now_s - self._last_s >= OUTAGE_S and count >= OUTAGE_PACKETS
        if count > self._max_missing or (self._video and outage):
            self._hopeless = self._video
            self.given_up += count
        else:
            next_s = now_s + self._reorder_s
            for number in range(sequence_number - count, sequence_number):
                self._holes[number & _MASK] = _Hole(now_s, next_s)
            if len(self._holes) > self._max_missing:
                self._drop_oldest(len(self._holes) - self._max_missing)
        self._expected = (sequence_number + 1) & _MASK
        self._last_s = now_s

    def _drop_oldest(self, count: int) -> None:
        for number in list(self._holes)[:count]:
            self._lose(self._holes.pop(number))

    def _fill(self, hole: _Hole, now_s: float) -> None:
        """A missing packet came. Sooner than an answer can, it had only been overtaken."""
        early = self._rtt_s is not None and now_s - hole.asked_s < 0.7 * self._rtt_s
        if hole.requests and not early:
            self.recovered += 1
            self._reorder_s *= 0.98
        else:
            self.reordered += 1
            delay_s = 1.25 * (now_s - hole.noticed_s)
            self._reorder_s = min(MAX_REORDER_S, max(0.9 * self._reorder_s, delay_s))

    def _lose(self, hole: _Hole) -> None:
        self.given_up += 1
        if self._video and (self._resigned_s is None or hole.noticed_s > self._resigned_s):
            self._hopeless = True

    def _expire(self, now_s: float) -> None:
        deadline_s = self._deadline_now_s()
        # Holes are kept in the order in which they were noticed.
        while self._holes:
            number = next(iter(self._holes))
            # The same sum as in `next_due_s`: a timer set for it must find it over.
            if now_s < self._holes[number].noticed_s + deadline_s:
                return
            self._lose(self._holes.pop(number))

    def _deadline_now_s(self) -> float:
        if not self._video or self._rtt_s is None:
            return self._deadline_s
        return max(self._deadline_s, VIDEO_DEADLINE_RTTS * self._rtt_s)

    def _worth_asking(self, hole: _Hole, at_s: float, rtt_s: float | None) -> bool:
        if hole.requests >= MAX_REQUESTS:
            return False
        if self._video:
            return True
        if rtt_s is None or rtt_s > AUDIO_MAX_RTT_S:
            return False
        return at_s + rtt_s <= hole.noticed_s + self._deadline_s


def _spacing_s(requests: int, rtt_s: float | None) -> float:
    """How long to wait for an answer after so many requests, in seconds.

    Asking again before a round trip is over would only fetch the packet twice.
    """
    rtt_s = UNKNOWN_RTT_S if rtt_s is None else rtt_s
    spacing_s = max(MIN_SPACING_S, 1.05 * rtt_s + SPACING_MARGIN_S)
    return float(spacing_s * 1.25 ** max(0, requests - PATIENT_REQUESTS))
