"""Puts arriving audio packets in order without ever letting a lost one hold up the rest."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")

REORDER_PACKETS = 3
"""A missing packet is waited for until this many later ones are there: 60 ms of Opus."""
RESTART_PACKETS = 500
"""A sequence number this far off is a new stream, not an old packet."""


class AudioBuffer(Generic[T]):
    """One stream's packets, in sequence order (RFC 3550 section 5.1).

    In order, a packet goes straight through. At a hole the packets behind it wait until it is
    filled or :data:`REORDER_PACKETS` of them are there; then the hole is given up. Time stamps
    show it to whoever plays or records.

    Attributes:
        lost: Packets given up.
        late: Packets that came after they had been given up, or twice.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.late = 0
        self._next: int | None = None
        self._waiting: dict[int, T] = {}

    def add(self, sequence_number: int, item: T) -> list[T]:
        """Take one packet; return what can be played now, in order.

        Args:
            sequence_number: 0 to 65535, wraps.
            item: The packet, or what stands for it.
        """
        if self._next is None:
            self._next = sequence_number
        ahead = (sequence_number - self._next) & 0xFFFF
        if ahead >= 0x8000:
            if 0x10000 - ahead < RESTART_PACKETS:
                self.late += 1
                return []
            return self._restart(sequence_number, item)
        if ahead >= RESTART_PACKETS:
            return self._restart(sequence_number, item)
        if sequence_number in self._waiting:
            self.late += 1
            return []
        self._waiting[sequence_number] = item
        ready = self._in_order()
        while len(self._waiting) >= REORDER_PACKETS:
            self._give_up_hole()
            ready += self._in_order()
        return ready

    def _restart(self, sequence_number: int, item: T) -> list[T]:
        left = [self._waiting[number] for number in self._sorted()]
        self._waiting.clear()
        self._next = (sequence_number + 1) & 0xFFFF
        return [*left, item]

    def _in_order(self) -> list[T]:
        assert self._next is not None
        ready = []
        while self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next = (self._next + 1) & 0xFFFF
        return ready

    def _give_up_hole(self) -> None:
        assert self._next is not None
        first = self._sorted()[0]
        self.lost += (first - self._next) & 0xFFFF
        self._next = first

    def _sorted(self) -> list[int]:
        base = self._next or 0
        return sorted(self._waiting, key=lambda number: (number - base) & 0xFFFF)
