"""A consistent hash ring: which server a key belongs to, when servers come and go.

Each server has many points on a circle, and a key belongs to the next point after its own hash
(Karger et al., "Consistent Hashing and Random Trees", 1997). So a server that goes moves only
its own keys, and one that comes takes only its share.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable

POINTS = 128


class Ring:
    """The circle.

    Args:
        names: The servers' names; the same names give the same circle in every process.
        points: Points of each.

    Example:
        >>> Ring(["a", "b"]).order("some broadcast")[0] in {"a", "b"}
        True
    """

    def __init__(self, names: Iterable[str], points: int = POINTS) -> None:
        circle = sorted((_hash(f"{name}#{i}"), name) for name in set(names) for i in range(points))
        self._hashes = [each for each, _ in circle]
        self._names = [name for _, name in circle]

    def order(self, key: str) -> list[str]:
        """All servers, the one that ``key`` belongs to first, then those that stand in for it."""
        start = bisect.bisect(self._hashes, _hash(key))
        return list(dict.fromkeys(self._names[start:] + self._names[:start]))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
