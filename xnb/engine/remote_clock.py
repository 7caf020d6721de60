"""The far end's audio and video on one local clock."""

from __future__ import annotations

import time
from collections import deque

REPORTS = 16
"""Sender reports that are compared; they come about once a second."""
OBSERVED_S = 1.0
"""How long the earliest arrival is looked for, unless somebody asks before."""
STRANGE_S = 10.0
"""Reports that move the picture further than this cannot be right."""


class RemoteClock:
    """Puts the far end's audio and video on one local clock.

    Each track starts on its arrival times, the earliest of its first second. Once both have sent
    a sender report (RFC 3550 section 6.4.1) their distance on the far end's NTP clock is known,
    and the video is moved to match the audio. A report is late by what its sender took to
    encode, never early, so the earliest of the last few counts.
    """

    def __init__(self) -> None:
        self._offsets: dict[str, float] = {}
        self._reports: dict[str, deque[float]] = {}
        self._observed: dict[str, tuple[float, float]] = {}

    def arrived(self, kind: str, media_s: float, now_s: float | None = None) -> None:
        """Something of media time ``media_s`` has arrived, just now or at ``now_s``."""
        now_s = time.monotonic() if now_s is None else now_s
        seen = self._observed.get(kind)
        if seen is None:
            self._observed[kind] = now_s, now_s - media_s
        elif now_s - seen[0] <= OBSERVED_S and now_s - media_s < seen[1]:
            self._observed[kind] = seen[0], now_s - media_s

    def restart(self, kind: str) -> None:
        """Another sender: its clock has nothing to do with the one before."""
        self._offsets.pop(kind, None)
        self._reports.pop(kind, None)
        self._observed.pop(kind, None)

    def _offset(self, kind: str) -> float:
        offset = self._offsets.get(kind)
        if offset is None:
            seen = self._observed.get(kind)
            if seen is None:
                return 0.0
            offset = self._offsets[kind] = seen[1]
        return offset

    def time_s(self, kind: str, media_s: float) -> float:
        """Local monotonic time in seconds of media time ``media_s`` of one track."""
        return media_s + self._offset(kind)

    def media_s(self, kind: str, time_s: float) -> float:
        """Media time at the local monotonic time ``time_s``; the inverse of :meth:`time_s`."""
        return time_s - self._offset(kind)

    def report(self, kind: str, ntp_s: float, media_s: float) -> None:
        """Take in a sender report: media time ``media_s`` was sent at ``ntp_s``."""
        self._reports.setdefault(kind, deque(maxlen=REPORTS)).append(ntp_s - media_s)
        if len(self._reports) == 2:
            skew_s = min(self._reports["video"]) - min(self._reports["audio"])
            if abs(skew_s + self._offset("audio") - self._offset("video")) < STRANGE_S:
                self._offsets["video"] = self._offset("audio") + skew_s
