"""Who talks: from the loudness that senders write beside their sound (RFC 6464)."""

from __future__ import annotations


class TalkDetector:
    """Judges packets of sound in groups, as Janus does.

    A group whose mean loudness is above the threshold begins talking, one below it ends it.

    Args:
        packets: In a group; 50 are a second.
        average_dbov: The threshold, in dBov below full scale: 0 is loudest, 127 silence.

    Attributes:
        is_talking: As of the last group.
        level_dbov: Mean of the last group, ``None`` before there was one.

    Example:
        >>> detector = TalkDetector(packets=2, average_dbov=25)
        >>> detector.add(10), detector.add(20), detector.is_talking
        (False, True, True)
    """

    def __init__(self, packets: int, average_dbov: int) -> None:
        self.packets = packets
        self.average_dbov = average_dbov
        self.is_talking = False
        self.level_dbov: float | None = None
        self._count = 0
        self._sum = 0

    def add(self, level_dbov: int) -> bool:
        """Take the loudness of one packet; whether :attr:`is_talking` changed with it."""
        self._count += 1
        self._sum += level_dbov
        if self._count < self.packets:
            return False
        self.level_dbov = self._sum / self._count
        self._count = self._sum = 0
        before, self.is_talking = self.is_talking, self.level_dbov < self.average_dbov
        return before is not self.is_talking

    def silence(self) -> bool:
        """Nothing comes any more; whether :attr:`is_talking` changed with it."""
        self._count = self._sum = 0
        before, self.is_talking = self.is_talking, False
        if before:
            self.level_dbov = 127.0
        return before
