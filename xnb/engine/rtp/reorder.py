"""Puts arriving packets of sound in order without ever letting a lost one hold up the rest."""

from __future__ import annotations

from .packets import RtpPacket

RESTART_PACKETS = 500
"""A sequence number this far off is a new stream, not an old packet."""


class Reorder:
    """One stream's packets, in sequence order (RFC 3550 section 5.1).

    In order, a packet goes straight through. At a hole the packets behind it wait until it is
    filled or ``depth_packets`` of them are there; then the hole is given up. Time stamps show it
    to whoever records.

    Args:
        depth_packets: How many packets may wait behind a hole.

    Attributes:
        lost: Packets given up.
        late: Packets that came after they had been given up, or twice.
    """

    def __init__(self, depth_packets: int = 3) -> None:
        self.depth_packets = depth_packets
        self.lost = 0
        self.late = 0
        self._next: int | None = None
        self._waiting: dict[int, RtpPacket] = {}

    def add(self, packet: RtpPacket) -> list[RtpPacket]:
        """Take one packet; return those whose turn it is, in order."""
        number = packet.sequence_number
        if self._next is None:
            self._next = number
        if number == self._next and not self._waiting:
            self._next = (number + 1) & 0xFFFF
            return [packet]
        ahead = (number - self._next) & 0xFFFF
        if ahead >= 0x8000:
            if 0x10000 - ahead < RESTART_PACKETS:
                self.late += 1
                return []
            return self._restart(packet)
        if ahead >= RESTART_PACKETS:
            return self._restart(packet)
        if number in self._waiting:
            self.late += 1
            return []
        self._waiting[number] = packet
        ready = self._in_order()
        while len(self._waiting) >= self.depth_packets:
            self._give_up_hole()
            ready += self._in_order()
        return ready

    def _restart(self, packet: RtpPacket) -> list[RtpPacket]:
        left = [self._waiting[number] for number in self._sorted()]
        self._waiting.clear()
        self._next = (packet.sequence_number + 1) & 0xFFFF
        return [*left, packet]

    def _in_order(self) -> list[RtpPacket]:
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
