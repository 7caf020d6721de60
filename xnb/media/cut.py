"""Cutting a stretch out of a media file, to the sample and to the picture.

Everything in the stretch is decoded and encoded again: a call's recording has hardly any
keyframes, so that copying pictures could only begin seconds before the place that was asked for.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..errors import RecordingError
from . import transcode
from .decode import AudioDecoder, VideoDecoder
from .finish import format_of
from .source import SAMPLE_RATE_HZ

Progress = Callable[[float], Any]

_ENCODERS = {"vp8": "libvpx", "h264": "libx264"}
# FFmpeg's writer of these takes no VP8.
_ONLY_H264 = {"mp4"}
_REPORT_S = 0.25


def cut(
    source: Path, target: Path, start_s: float, end_s: float, progress: Progress | None = None
) -> None:
    """Write what lies between two moments of ``source`` into ``target``, which is replaced.

    The picture that stands at ``start_s`` comes first, the last one stands until the end. Sound
    becomes 48 kHz stereo. ``.mkv`` keeps every track, other files the first of each kind.

    Args:
        source: Any file FFmpeg can read.
        target: Its suffix says what to write, see :data:`xnb.media.finish.FORMATS`.
        start_s: From the beginning of the file, 0 or more.
        end_s: After ``start_s``; what lies beyond the end of the file is not there.
        progress: Called with the share done, 0 to 1, now and then. What it raises ends the
            work, and no file is left.

    Raises:
        RecordingError: The suffix is unknown, or there is nothing in the stretch that
            ``target`` can hold.
        av.FFmpegError: The file cannot be read or written.
        OSError: The same.
    """
    job = _Cut(source, target, start_s, end_s, progress)
    unfinished = target.with_name(f"{target.name}.whole.part{target.suffix}")
    try:
        with ExitStack() as stack:
            job.write(unfinished, stack)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


class _Cut:
    def __init__(
        self, source: Path, target: Path, start_s: float, end_s: float, progress: Progress | None
    ) -> None:
        self._source = source
        self._target = target
        self._known = format_of(target)
        self._start_s = start_s
        self._length_s = end_s - start_s
        self._progress = progress
        self._reported_s = 0.0

    def write(self, path: Path, stack: ExitStack) -> None:
        container = stack.enter_context(av.open(str(self._source)))
        zero_s = max(0.0, (container.start_time or 0) / av.time_base)
        every = self._known.container == "matroska"
        videos, audios = container.streams.video, container.streams.audio
        pictures: list[Any] = list(videos if every else videos[:1]) if self._known.video else []
        sounds: list[Any] = list(audios if every else audios[:1])
        options = {"movflags": "faststart"} if self._known.container in {"mp4", "ipod"} else {}
        output = stack.enter_context(
            av.open(str(path), "w", format=self._known.container, options=options)
        )
        tracks = [
            *(self._pictures(output, one, zero_s, stack) for one in pictures),
            *(self._sound(output, one, zero_s, stack) for one in sounds),
        ]
        wrote = False
        for time_s, packet in heapq.merge(*(one for one in tracks if one), key=lambda one: one[0]):
            output.mux(packet)
            self._report(time_s)
            wrote = True
        if not wrote:
            raise RecordingError(
                f"There is nothing in that part of {self._source.name} that {self._target.suffix} "
                "can hold.",
                remedy="Choose another part, or another suffix.",
            )

    def _pictures(
        self, output: Any, stream: Any, zero_s: float, stack: ExitStack
    ) -> Iterator[tuple[float, Any]] | None:
        decoder = VideoDecoder(str(self._source), stream.index, zero_s, {})
        stack.callback(decoder.close)
        frames = self._within(decoder)
        first = next(frames, None)
        if first is None:
            return None
        size = (first[1].width, first[1].height)
        fitted = (
            (time_s, transcode.fitted(frame, size)) for time_s, frame in chain([first], frames)
        )
        codec = stream.codec_context.codec.canonical_name
        codec = codec if codec in self._known.video else self._known.video[0]
        codec = "h264" if self._known.container in _ONLY_H264 else codec
        packets = transcode.encode_pictures(output, _ENCODERS[codec], size, fitted, self._length_s)
        self._name(output, stream)
        return packets

    def _sound(
        self, output: Any, stream: Any, zero_s: float, stack: ExitStack
    ) -> Iterator[tuple[float, Any]] | None:
        decoder = AudioDecoder(str(self._source), stream.index, zero_s, {})
        stack.callback(decoder.close)
        blocks = self._blocks(decoder)
        first = next(blocks, None)
        if first is None:
            return None
        aac = stream.codec_context.codec.canonical_name == "aac"
        keeps_aac = aac and self._known.container in {"mp4", "matroska"}
        encoder = "aac" if keeps_aac else self._known.audio
        packets = transcode.encode_sound(output, encoder, chain([first], blocks))
        self._name(output, stream)
        return packets

    def _name(self, output: Any, stream: Any) -> None:
        if title := stream.metadata.get("title"):
            output.streams[-1].metadata["title"] = title

    def _within(self, decoder: AudioDecoder | VideoDecoder) -> Iterator[tuple[float, Any]]:
        """What a decoder gives inside the stretch, timed from its beginning."""
        decoder.seek(self._start_s)
        end_s = self._start_s + self._length_s
        while True:
            decoded = decoder.more()
            ended = decoded is None
            for time_s, frame in decoder.last() if decoded is None else decoded:
                if time_s >= end_s - 1e-4:
                    return
                yield max(0.0, time_s - self._start_s), frame
            if ended:
                return

    def _blocks(self, decoder: AudioDecoder) -> Iterator[transcode.Samples]:
        """Sound from the very beginning of the stretch on, with silence where it begins late."""
        at, end = 0, round(self._length_s * SAMPLE_RATE_HZ)
        for time_s, frame in self._within(decoder):
            begin = round(time_s * SAMPLE_RATE_HZ)
            while at < begin:
                length = min(transcode.BLOCK, begin - at)
                yield np.zeros((length, 2), np.int16)
                at += length
            block = frame.to_ndarray().reshape(-1, 2)[at - begin : end - begin]
            yield block
            at += len(block)

    def _report(self, time_s: float) -> None:
        if self._progress and abs(time_s - self._reported_s) >= _REPORT_S:
            self._reported_s = time_s
            self._progress(min(1.0, max(0.0, time_s / self._length_s)))


def remux(source: Path, target: Path) -> None:
    """Copy the first picture and the first sound of ``source`` as they are into ``target``.

    Raises:
        av.FFmpegError: The container cannot hold their codecs, or a file cannot be used.
        ValueError: The same.
        OSError: The same.
    """
    known = format_of(target)
    options = {"movflags": "faststart"} if known.container == "mp4" else {}
    with (
        av.open(str(source)) as container,
        av.open(str(target), "w", format=known.container, options=options) as output,
    ):
        chosen: list[Any] = [*container.streams.video[:1], *container.streams.audio[:1]]
        copies = {one.index: output.add_stream_from_template(one) for one in chosen}
        for packet in container.demux(chosen):
            if packet.dts is not None and packet.size:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
