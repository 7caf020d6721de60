"""When what a source gives was captured: one line for all its tracks, so that lips stay in sync."""

from __future__ import annotations

import time

REANCHOR_S = 1.0
"""A source this far from the clock is put back on it; sources pace themselves."""
MAX_ORIGINS = 8


class SendClock:
    """Puts the times of sources on this machine's monotonic clock. One for both kinds of a peer.

    A source is put on the clock by its first frame, whichever track that belongs to.
    """

    def __init__(self) -> None:
        self._offsets_s: dict[object, float] = {}

    def captured_s(self, origin: object, media_s: float | None) -> float:
        """Monotonic time of ``media_s`` of a source.

        Args:
            origin: Of the track, see :attr:`xnb.media.source.SourceTrack.origin`.
            media_s: ``None`` for a frame without a time: now.
        """
        now_s = time.monotonic()
        if media_s is None:
            return now_s
        offset_s = self._offsets_s.get(origin)
        if offset_s is None or abs(media_s + offset_s - now_s) > REANCHOR_S:
            offset_s = self._offsets_s[origin] = now_s - media_s
            while len(self._offsets_s) > MAX_ORIGINS:
                del self._offsets_s[next(iter(self._offsets_s))]
        return media_s + offset_s

    def forget(self, origin: object) -> None:
        """The source is not sent any more."""
        self._offsets_s.pop(origin, None)
