"""A recording while it is being made: one Matroska file of the frames as they came."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TypeAlias

from ..errors import RecordingError
from . import avc, opus_packets
from .encoded import EncodedFrame
from .leftovers import keep_leftover, lock, part_of
from .matroska import ROOM_BYTES, TICKS_A_SECOND, Block, MatroskaWriter, Track

Side: TypeAlias = str
"""Whose a track is: ``"remote"``, ``"local"``, or in a group somebody's name."""

# Frames are held this long, so that sound and pictures get into the order of their times.
_HELD_S = 0.4
# Sound stays gapless until its time stamps and its times are this far apart,
_JUMP_S = 0.06
# or have been so on average of about fifty packets.
_DRIFT_S = 0.012
_DRIFT_WEIGHT = 0.02
_TICK_S = 1 / TICKS_A_SECOND


class SoundLine:
    """Puts packets of one stream of sound on the recording's clock.

    Their time stamps count samples, so within a stream they are what says where a packet
    belongs; ``time_s`` says where the stream belongs, and wins when the two part.
    """

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._drift_s = 0.0

    def place(self, timestamp: int, time_s: float) -> float:
        """The time of a packet, in seconds on the clock of ``time_s``."""
        media_s = timestamp / opus_packets.RATE_HZ
        if self._offset_s is None or abs(time_s - media_s - self._offset_s) > _JUMP_S:
            self._offset_s, self._drift_s = time_s - media_s, 0.0
            return time_s
        self._drift_s += _DRIFT_WEIGHT * (time_s - media_s - self._offset_s - self._drift_s)
        if abs(self._drift_s) > _DRIFT_S:
            self._offset_s, self._drift_s = self._offset_s + self._drift_s, 0.0
        return media_s + self._offset_s


class PartWriter:
    """Writes encoded frames of one or both sides into one file that is playable at any moment.

    Args:
        path: Of the finished recording; the part lies beside it.
        room_bytes: Kept free for the list of tracks.

    Raises:
        OSError: It cannot be written; :meth:`flush` may raise it too.
        RecordingError: Another process is writing it.
    """

    def __init__(self, path: Path, room_bytes: int = ROOM_BYTES) -> None:
        self.path = part_of(path)
        self.frames = 0
        self.dropped = 0
        self._name = path.name
        self._room_bytes = room_bytes
        self._writer: MatroskaWriter | None = None
        self._zero_s: float | None = None
        self._held: list[tuple[float, int, Track, Side, EncodedFrame]] = []
        self._newest_s = float("-inf")
        self._arrivals = 0
        self._sound: dict[Side, SoundLine] = {}
        self._picture_s: dict[Side, float] = {}
        self._written_s: dict[int, float] = {}
        self._tracks: dict[tuple[Side, str], Track] = {}
        self._numbers: dict[Track, int] = {}
        self._flushed_at = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been written."""
        return not self._numbers

    @property
    def begun_s(self) -> float:
        """When the first frame that was written was, on the clock of :meth:`add`; else 0."""
        return self._zero_s or 0.0

    def add(self, side: Side, frame: EncodedFrame, time_s: float) -> bool:
        """Take in a frame; it is written by a later :meth:`flush`.

        Returns:
            Whether it is of use: H.264 is not before its parameter sets.

        Raises:
            RecordingError: Its codec cannot be recorded.
        """
        track = self._track(side, frame)
        if track is None:
            self.dropped += 1
            return False
        if frame.kind == "audio":
            time_s = self._sound.setdefault(side, SoundLine()).place(frame.timestamp, time_s)
        else:
            self.frames += 1
            # In the order of decoding, which is the order they are shown in: no B-frames here.
            time_s = max(time_s, self._picture_s.get(side, time_s) + _TICK_S)
            self._picture_s[side] = time_s
        self._arrivals += 1
        self._held.append((time_s, self._arrivals, track, side, frame))
        self._newest_s = max(self._newest_s, time_s)
        return True

    def flush(self, *, everything: bool = False) -> None:
        """Write what has been held long enough; all of it when nothing new came since."""
        everything = everything or self._arrivals == self._flushed_at
        self._flushed_at = self._arrivals
        self._held.sort(key=lambda one: one[:2])
        until_s = float("inf") if everything else self._newest_s - _HELD_S
        count = sum(one[0] <= until_s for one in self._held)
        if not count:
            return
        due, self._held = self._held[:count], self._held[count:]
        if self._writer is None:
            self._writer = self._open()
        if self._zero_s is None:
            self._zero_s = due[0][0]
        blocks = []
        for time_s, _, track, _, frame in due:
            if track not in self._numbers:
                self._numbers[track] = self._writer.add_track(track)
            number, at_s = self._numbers[track], time_s - self._zero_s
            if frame.kind == "video":
                at_s = max(at_s, self._written_s.get(number, -_TICK_S) + _TICK_S)
            elif at_s < -_TICK_S or at_s < self._written_s.get(number, 0.0) - _TICK_S:
                self.dropped += 1
                continue
            self._written_s[number] = at_s = max(0.0, at_s)
            data = frame.data
            if frame.codec == "h264":
                data = avc.prefixed(avc.units(data))
            blocks.append(Block(number, at_s, frame.is_keyframe, data))
        blocks.sort(key=lambda block: block.time_s)
        self._writer.write(blocks)

    def close(self) -> None:
        """Close the file as it is. May be called again."""
        if self._writer:
            self._writer.close()

    def remove(self) -> None:
        """Close the file and delete it. May be called again."""
        self.close()
        if self._writer:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _open(self) -> MatroskaWriter:
        keep_leftover(self.path)
        writer = MatroskaWriter(self.path, self._name, self._room_bytes)
        lock(writer.fileno())
        return writer

    def _track(self, side: Side, frame: EncodedFrame) -> Track | None:
        """The track of a frame, made from its first; ``None`` while that is no use."""
        known = self._tracks.get((side, frame.codec))
        if known is None:
            known = _described(side, frame)
            if known is not None:
                self._tracks[side, frame.codec] = known
        return known


def _described(side: Side, frame: EncodedFrame) -> Track | None:
    what = "sound" if frame.kind == "audio" else "picture"
    name = f"{side} {what}"
    if frame.codec == "opus":
        delay = opus_packets.PRE_SKIP_SAMPLES
        return Track("audio", "A_OPUS", name, opus_packets.head(), delay_samples=delay)
    if frame.codec == "vp8":
        size = vp8_size(frame.data)
        return Track("video", "V_VP8", name, size=size) if size else None
    if frame.codec == "h264":
        sets = avc.parameter_sets(avc.units(frame.data))
        size = avc.size_of(frame.data) if sets else None
        if not sets or not size:
            return None
        return Track("video", "V_MPEG4/ISO/AVC", name, sets.record(), size)
    raise RecordingError(
        f"The codec {frame.codec} cannot be recorded.", remedy="Use vp8, h264 and opus."
    )


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels told by a VP8 keyframe (RFC 6386 section 9.1), else ``None``."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    return width, height
