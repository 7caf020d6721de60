"""The far end's audio and video on one local clock."""

from __future__ import annotations

import time
from collections import deque

REPORTS = 16
"""Sender reports that are compared; they come about once a second."""
OBSERVED_S = 1.0
"""How long the earliest arrival is looked for, unless somebody asks before."""
MOVE = 0.5
"""How much a track is moved at most, in seconds for each second of it."""
STRANGE_S = 10.0
"""Reports that move the picture further than this cannot be right."""


class RemoteClock:
    """Puts the far end's audio and video on one local clock.

    Each track starts on its arrival times, the earliest of its first second. Once both have sent
    a sender report (RFC 3550 section 6.4.1) their distance on the far end's NTP clock is known,
    and the video is moved to match the audio. A report is late by what its sender took to
    encode, never early, so the earliest of the last few counts. The move is gradual, so that
    times of one track always rise.

    Tracks have names: ``"audio"`` is the one that the others are moved to, all others are
    pictures or more sound of the same far end.
    """

    def __init__(self) -> None:
        self._targets: dict[str, float] = {}
        # What is added to media time now, and the latest media time that was asked for.
        self._applied: dict[str, tuple[float, float]] = {}
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
        self._targets.pop(kind, None)
        self._applied.pop(kind, None)
        self._reports.pop(kind, None)
        self._observed.pop(kind, None)

    def _target(self, kind: str) -> float | None:
        target_s = self._targets.get(kind)
        if target_s is None:
            seen = self._observed.get(kind)
            if seen is None:
                return None
            target_s = self._targets[kind] = seen[1]
        return target_s

    def time_s(self, kind: str, media_s: float) -> float:
        """Local monotonic time in seconds of media time ``media_s`` of one track."""
        target_s = self._target(kind)
        if target_s is None:
            return media_s
        applied_s, latest_s = self._applied.get(kind, (target_s, media_s))
        if media_s > latest_s:
            most_s = MOVE * (media_s - latest_s)
            applied_s += min(most_s, max(-most_s, target_s - applied_s))
            latest_s = media_s
        self._applied[kind] = applied_s, latest_s
        return media_s + applied_s

    def media_s(self, kind: str, time_s: float) -> float:
        """Media time at the local monotonic time ``time_s``; the inverse of :meth:`time_s`."""
        applied = self._applied.get(kind)
        return time_s - (applied[0] if applied else self._target(kind) or 0.0)

    def report(self, kind: str, ntp_s: float, media_s: float) -> None:
        """Take in a sender report: media time ``media_s`` was sent at ``ntp_s``."""
        self._reports.setdefault(kind, deque(maxlen=REPORTS)).append(ntp_s - media_s)
        audio_s = self._target("audio")
        if audio_s is None or "audio" not in self._reports:
            return
        for name, reports in self._reports.items():
            target_s = self._target(name)
            if name == "audio" or target_s is None:
                continue
            skew_s = min(reports) - min(self._reports["audio"])
            if abs(skew_s + audio_s - target_s) < STRANGE_S:
                self._targets[name] = audio_s + skew_s
