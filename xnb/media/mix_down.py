"""One file to watch from a recording with tracks of several people: a grid, and one sound."""

from __future__ import annotations

import heapq
import math
import os
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..errors import RecordingError
from . import transcode
from .finish import format_of
from .frames import plane_array
from .part_reader import StreamFacts, decoded_pictures, survey

Progress = Callable[[float], Any]

MOST_PX = (1280, 720)
"""The grid is at most so wide and high."""
FPS = 25
_STEP_S = 1 / FPS
_BLACK = (16, 128, 128)
_ENCODERS = {"h264": "libx264", "vp8": "libvpx"}
_REPORT_S = 0.25


def mix_down(
    source: Path,
    target: Path,
    progress: Progress | None = None,
    *,
    audio: bool = True,
    video: bool = True,
) -> None:
    """Make one film of everybody: their pictures in a grid, their sound mixed. Blocks.

    Everybody has the same place for the whole length; it is black before their first picture and
    after their last one. Sums of sound that are too loud are clipped.

    Args:
        source: A recording whose tracks are titled with whose they are, such as ``bob sound``.
        target: ``.mp4``, ``.webm`` or ``.mkv``; ``.wav``, ``.ogg`` or ``.m4a`` for sound alone.
            An existing file is replaced.
        progress: Called with the share done, 0 to 1, on this thread. What it raises ends the
            work, and no file is left.
        audio: Put the sound into it.
        video: Put the pictures into it.

    Raises:
        RecordingError: ``source`` cannot be read, ``target`` has an unknown suffix, or there is
            nothing that it can hold.
        av.FFmpegError: FFmpeg could not do it.
        OSError: A file cannot be read or written.

    Example:
        >>> mix_down(Path("call.mkv"), Path("call.mp4"), progress=print)
    """
    known = format_of(target)
    streams = survey(source)
    sounds = [one for one in streams if one.kind == "audio" and audio]
    pictures = [one for one in streams if one.kind == "video" and video and known.video]
    if not sounds and not pictures:
        raise RecordingError(
            f"There is nothing in {source.name} that {target.suffix} can hold.",
            remedy="Use .mp4, .webm or .mkv for pictures, and a recording that has some.",
        )
    end_s = max(one.end_s for one in (*sounds, *pictures))
    unfinished = target.with_name(f"{target.name}.whole.part{target.suffix}")
    options = {"movflags": "faststart"} if known.container in {"mp4", "ipod"} else {}
    try:
        with av.open(str(unfinished), "w", format=known.container, options=options) as output:
            tracks = []
            if pictures:
                grid = Grid(source, pictures)
                encoder = _ENCODERS[known.video[0]]
                shown = transcode.encode_pictures(
                    output, encoder, grid.size, grid.pictures(), end_s
                )
                tracks.append(shown)
            if sounds:
                blocks = _mixed([transcode.decoded_sound(source, one.number) for one in sounds])
                tracks.append(transcode.encode_sound(output, known.audio, blocks))
            _write(output, tracks, end_s, progress)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    if progress:
        progress(1.0)


def _write(
    output: Any, tracks: list[Iterator[tuple[float, Any]]], end_s: float, progress: Progress | None
) -> None:
    told_s = 0.0
    for time_s, packet in heapq.merge(*tracks, key=lambda one: one[0]):
        output.mux(packet)
        if progress and time_s - told_s >= _REPORT_S:
            told_s = time_s
            progress(min(0.99, time_s / end_s))


def _mixed(sounds: list[Iterator[transcode.Samples]]) -> Iterator[transcode.Samples]:
    nothing: transcode.Samples = np.empty((0, 2), np.int16)
    for blocks in zip_longest(*sounds, fillvalue=nothing):
        total = np.zeros((max(len(one) for one in blocks), 2), np.int32)
        for block in blocks:
            total[: len(block)] += block
        yield np.clip(total, -32768, 32767).astype(np.int16)


class Grid:
    """Everybody's pictures beside and below each other, in the order of their tracks.

    Args:
        path: The recording.
        streams: Its pictures; those of one person share a place.

    Attributes:
        size: Width and height of the whole in pixels.
        cell: Of one place.
        people: Whose places they are, row by row.
    """

    def __init__(self, path: Path, streams: list[StreamFacts]) -> None:
        self._path = path
        self._streams: dict[str, list[StreamFacts]] = {}
        for one in streams:
            self._streams.setdefault(one.side, []).append(one)
        self.people = tuple(self._streams)
        self._columns = math.ceil(math.sqrt(len(self.people)))
        rows = math.ceil(len(self.people) / self._columns)
        largest = [max(one.largest[axis] for one in streams) for axis in (0, 1)]
        self.cell = (
            max(2, min(largest[0], MOST_PX[0] // self._columns) & ~1),
            max(2, min(largest[1], MOST_PX[1] // rows) & ~1),
        )
        self.size = (self.cell[0] * self._columns, self.cell[1] * rows)

    def pictures(self) -> transcode.Pictures:
        """The whole at each 40 ms at which something has changed, with its time in seconds."""
        canvas = _black(self.size)
        streams = [self._of(place) for place in range(len(self.people))]
        due_s: float | None = None
        for time_s, place, frame in heapq.merge(*streams, key=lambda one: one[0]):
            if due_s is not None and time_s >= due_s:
                yield due_s - _STEP_S, _copy(canvas)
                due_s = None
            if due_s is None:
                due_s = (math.floor(time_s / _STEP_S) + 1) * _STEP_S
            self._put(canvas, place, frame)
        if due_s is not None:
            yield due_s - _STEP_S, canvas

    def _of(self, place: int) -> Iterator[tuple[float, int, av.VideoFrame | None]]:
        streams = self._streams[self.people[place]]
        for time_s, frame in decoded_pictures(self._path, [one.number for one in streams]):
            yield time_s, place, frame
        yield max(one.end_s for one in streams), place, None

    def _put(self, canvas: av.VideoFrame, place: int, frame: av.VideoFrame | None) -> None:
        pane = _black(self.cell) if frame is None else transcode.fitted(frame, self.cell)
        row, column = divmod(place, self._columns)
        for index in range(3):
            half = 2 if index else 1
            left, top = column * self.cell[0] // half, row * self.cell[1] // half
            part = plane_array(pane, index)
            plane = plane_array(canvas, index)
            plane[top : top + part.shape[0], left : left + part.shape[1]] = part


def _black(size: tuple[int, int]) -> av.VideoFrame:
    frame = av.VideoFrame(*size, "yuv420p")
    for index, value in enumerate(_BLACK):
        plane_array(frame, index)[:] = value
    return frame


def _copy(frame: av.VideoFrame) -> av.VideoFrame:
    copy = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for index in range(3):
        plane_array(copy, index)[:] = plane_array(frame, index)
    return copy
