"""Joining the parts of a recording into one file, without encoding anything again."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from .parts import MILLISECONDS, RATE_HZ, AudioPart, VideoPart


def assemble(
    target: Path, file_format: str, audio: AudioPart | None, video: VideoPart | None
) -> None:
    """Write ``target`` from finished parts, sound and pictures interleaved by time.

    The sound's time stamps are made exact again: Matroska rounds them to milliseconds.
    """
    options = {"movflags": "faststart"} if file_format in {"mp4", "ipod"} else {}
    inputs = [av.open(str(part.path)) for part in (audio, video) if part]
    try:
        with av.open(str(target), "w", format=file_format, options=options) as output:
            tracks = []
            remaining = iter(inputs)
            if audio:
                tracks.append(_audio_packets(next(remaining).streams[0], output, audio))
            if video:
                tracks.append(_video_packets(next(remaining).streams[0], output, video))
            for _, _, packet in heapq.merge(*tracks, key=lambda item: item[:2]):
                output.mux(packet)
    finally:
        for container in inputs:
            container.close()


def _audio_packets(stream: Any, output: Any, part: AudioPart) -> Iterator[tuple[float, int, Any]]:
    copy = output.add_stream_from_template(stream, opaque=True)
    return _exact_audio(stream, copy, part)


def _exact_audio(stream: Any, copy: Any, part: AudioPart) -> Iterator[tuple[float, int, Any]]:
    pts = part.first_pts or 0
    end_pts = round(part.end_s * RATE_HZ)
    for packet in stream.container.demux(stream):
        if packet.size == 0 or pts >= end_pts:
            continue
        packet.time_base = Fraction(1, RATE_HZ)
        packet.pts = packet.dts = pts
        packet.duration = min(part.frame_size, end_pts - pts)
        packet.stream = copy
        yield pts / RATE_HZ, 0, packet
        pts += part.frame_size


def _video_packets(stream: Any, output: Any, part: VideoPart) -> Iterator[tuple[float, int, Any]]:
    copy = output.add_stream_from_template(stream, opaque=True)
    return _timed_video(stream, copy, part)


def _timed_video(stream: Any, copy: Any, part: VideoPart) -> Iterator[tuple[float, int, Any]]:
    held = None
    for packet in stream.container.demux(stream):
        if packet.size == 0:
            continue
        if held is not None:
            held.duration = packet.pts - held.pts
            yield _with_stream(held, copy)
        held = packet
    if held is not None:
        held.duration = max(1, round(part.frame_ms * MILLISECONDS / held.time_base))
        yield _with_stream(held, copy)


def _with_stream(packet: Any, copy: Any) -> tuple[float, int, Any]:
    time_s = float(packet.pts * packet.time_base)
    packet.stream = copy
    return time_s, 1, packet
