"""A file FFmpeg can read, sent in real time with its sound and picture in step."""

from __future__ import annotations

import logging
import math
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.stream import Disposition

from ..errors import MediaError
from .decode import AudioDecoder, VideoDecoder
from .file_track import FileTrack, Jump
from .packets import PacketReader, codec_to_pass
from .source import Kind, Source

_log = logging.getLogger(__name__)

_URL_TIMEOUT_S = 10.0
_JOIN_TIMEOUT_S = 2.0
_WARM_FRAMES = 3
# Demuxers that accept any text or bytes: what they make of a file is not media.
_NOT_MEDIA = {"tty", "bin", "xbin", "adf", "idf", "data", "rawvideo", "ass", "srt", "webvtt"}


class FileSource(Source):
    """A media file. Make it with :meth:`open`.

    Everything is read and decoded on one worker thread, about half a second ahead. Where the
    reader takes packets (:meth:`~xnb.media.source.SourceTrack.allow_packets`) and the file's
    can be sent as they are, nothing is decoded; see :mod:`xnb.media.passthrough`.

    Attributes:
        summary: What is in the file, in words.
        length_s: Length of the file in seconds, also when it loops; ``None`` when unknown.
    """

    def __init__(
        self,
        name: str,
        *,
        audio: FileTrack | None,
        video: FileTrack | None,
        length_s: float | None,
        summary: str,
        loop: bool,
    ) -> None:
        super().__init__(name, audio=audio, video=video, duration_s=None if loop else length_s)
        self.summary = summary
        self.length_s = length_s
        self._loop = loop
        # With one track the end that is really reached says where the loop closes.
        self._loop_s = length_s if audio and video else None
        self._files = [track for track in (audio, video) if track]
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        for track in self._files:
            track.wake = self._wake

    @classmethod
    def open(
        cls, path: str | Path, *, audio: bool = True, video: bool = True, loop: bool = False
    ) -> FileSource:
        """Open a file and look into it: reads a little of it, so not for an event loop.

        Args:
            path: A file, or a URL that FFmpeg knows (``https://``, ``rtsp://``).
            audio: Take its sound, if it has any.
            video: Take its picture, if it has one. A cover picture does not count.
            loop: Begin again at the end, for ever.

        Raises:
            MediaError: It does not exist, cannot be read, or has nothing of what is wanted;
                the message says what is in it.

        Example:
            >>> source = FileSource.open("clip.mp4")
            >>> source.summary
            'h264 video 640x480, aac audio 48 kHz'
        """
        is_url = "://" in str(path)
        location = str(path) if is_url else str(Path(path).expanduser())
        name = location.rsplit("/", 1)[-1].split("?")[0] if is_url else Path(location).name
        if not is_url:
            _check_file(Path(location), name)
        options: dict[str, Any] = {"timeout": _URL_TIMEOUT_S} if is_url else {}
        try:
            with av.open(location, "r", **options) as container:
                return cls._from_container(container, location, name, options, audio, video, loop)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise MediaError(
                f"{name} cannot be read as media: {getattr(error, 'strerror', None) or error}.",
                remedy="Give a file that FFmpeg can play, for example .mp4, .webm, .wav or .mp3.",
            ) from None

    @classmethod
    def _from_container(
        cls,
        container: Any,
        location: str,
        name: str,
        options: dict[str, Any],
        audio: bool,
        video: bool,
        loop: bool,
    ) -> FileSource:
        if container.format.name in _NOT_MEDIA:
            raise MediaError(
                f"{name} is not a media file.", remedy="Give a file with sound or a picture."
            )
        sound = next((s for s in container.streams.audio if _decodable(s)), None)
        picture = next((s for s in container.streams.video if _decodable(s)), None)
        summary = _summary(container)
        wanted = " or ".join(k for k, w in (("sound", audio), ("a picture", video)) if w)
        zero_s = (container.start_time or 0) / av.time_base
        tracks: dict[Kind, FileTrack] = {}
        wanted_streams: tuple[tuple[Kind, Any, type[AudioDecoder | VideoDecoder]], ...] = (
            ("audio", sound if audio else None, AudioDecoder),
            ("video", picture if video else None, VideoDecoder),
        )
        for kind, stream, decoder in wanted_streams:
            if stream:
                codec = codec_to_pass(container, stream, kind)
                place = _Place(location, stream.index, zero_s, options)
                _add(tracks, kind, decoder(location, stream.index, zero_s, options), codec, place)
        if not tracks:
            raise MediaError(
                f"{name} has no track to send: wanted {wanted or 'nothing'}, found {summary}.",
                remedy="Give a file with sound or a picture that FFmpeg can decode.",
            )
        return cls(
            name,
            audio=tracks.get("audio"),
            video=tracks.get("video"),
            length_s=_length_s(container, [track.decoder.index for track in tracks.values()]),
            summary=summary,
            loop=loop,
        )

    @property
    def corrupted(self) -> int:
        """Packets that could not be decoded and were left out."""
        return sum(track.decoder.corrupted for track in self._files)

    @property
    def position_s(self) -> float:
        """Where sending is in the file, in seconds from its beginning."""
        position_s = super().position_s
        return position_s % self._loop_s if self._loop and self._loop_s else position_s

    def seek(self, time_s: float) -> None:
        """Go to ``time_s`` seconds from the beginning; what comes next begins there exactly.

        Raises:
            MediaError: The file is over, or is not that long.
        """
        length_s = self.length_s
        if self.done or time_s < 0 or (length_s is not None and time_s > length_s):
            why = "it is over" if self.done else f"it is {length_s or math.inf:.1f} s long"
            raise MediaError(
                f"{self.name} cannot seek to {time_s:g} s: {why}.",
                remedy="Send it again, then seek to a place inside it.",
            )
        epoch = self.pace.restart_at(time_s)
        for track in self._files:
            track.go_to(time_s, epoch)

    def warm_up(self, timeout_s: float = 1.0) -> None:
        """Start decoding and block until every track has a few frames in hand.

        So that whatever was sent before can go on until the very moment this begins. Call it
        off the event loop. Not being ready within ``timeout_s`` is no error.
        """
        self.start()
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s and not all(
            len(track.queue) >= _WARM_FRAMES or track.queue.is_finished for track in self._files
        ):
            time.sleep(0.005)

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name=f"xnb-{self.name}", daemon=True)
        self._thread.start()

    def _released(self) -> None:
        self._closing = True
        self._wake.set()
        for track in self._files:
            track.queue.finish()
        thread = self._thread
        if thread is None:
            self._close_files()
        elif thread is not threading.current_thread():
            thread.join(_JOIN_TIMEOUT_S)

    def _close_files(self) -> None:
        for track in self._files:
            track.feeder.close()

    def _work(self) -> None:
        try:
            while not self._closing:
                self._wake.clear()
                now_s = self.pace.clock.now()
                busy = False
                for track in self._files:
                    jump = track.take_jump()
                    track.feeder.wanted = track.choice.wants_packets(now_s)
                    if jump:
                        self._jump(track, jump)
                    else:
                        busy |= self._change_over(track, now_s)
                hungry = [t for t in self._files if not (t.queue.is_full or t.queue.is_finished)]
                if hungry:
                    self._feed(min(hungry, key=FileTrack.need))
                elif not busy:
                    self._wake.wait(1.0)
        except Exception as error:
            _log.exception("Decoding %s failed.", self.name)
            failure = MediaError(f"{self.name} cannot be decoded: {type(error).__name__}.")
            for track in self._files:
                track.queue.finish(failure)
        finally:
            self._close_files()

    def _base_s(self, media_s: float) -> float:
        """Where the pass over the file began that ``media_s`` is in."""
        return media_s // self._loop_s * self._loop_s if self._loop and self._loop_s else 0.0

    def _jump(self, track: FileTrack, jump: Jump) -> None:
        track.place = jump
        track.choice.keyframe_due = False
        track.feeder.seek(jump.media_s, self._base_s(jump.media_s))
        # What was decoded before the jump was noticed may have come in meanwhile.
        track.queue.restart()

    def _change_over(self, track: FileTrack, now_s: float) -> bool:
        """Work on going from packets to frames, where that is due; whether there was work."""
        feeder, choice = track.feeder, track.choice
        if track.kind == "audio" or not feeder.may_chase(now_s):
            return False
        if track.queue.is_finished or (feeder.wanted and not choice.keyframe_due):
            feeder.stop_chasing()
            return False
        at_s = track.at_s
        frames = feeder.chase(at_s, self._base_s(at_s), now_s)
        if frames is None:
            choice.keyframe_due = False
        elif frames:
            choice.keyframe_due = False
            track.new_run()
            for media_s, frame in frames:
                track.put(media_s, frame)
        return True

    def _feed(self, track: FileTrack) -> None:
        feeder = track.feeder
        units = feeder.more()
        if units is None and self._loop and feeder.end_s > 0:
            self._loop_s = self._loop_s or feeder.end_s
            feeder.begin_again(feeder.base_s + self._loop_s)
            return
        track.came_to_nothing = units is not None and not units
        for media_s, unit in feeder.last() if units is None else units:
            track.put(media_s, unit)
        if units is None:
            track.queue.finish()


def _check_file(path: Path, name: str) -> None:
    if not path.exists():
        raise MediaError(f"There is no file {name}.", remedy="Check the path and the folder.")
    if not path.is_file():
        raise MediaError(f"{name} is a folder, not a file.", remedy="Give one file.")
    if path.stat().st_size == 0:
        raise MediaError(f"{name} is empty.", remedy="Check how the file was made.")


def _decodable(stream: Any) -> bool:
    return stream.codec_context is not None and not _is_cover(stream)


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


class _Place(NamedTuple):
    """Where a stream is found."""

    location: str
    number: int
    zero_s: float
    options: dict[str, Any]

    def open_packets(self, codec: str, frame_s: float) -> PacketReader:
        container = av.open(self.location, "r", **self.options)
        stream = container.streams[self.number]
        return PacketReader(container, stream, codec, zero_s=self.zero_s, frame_s=frame_s)


def _add(
    tracks: dict[Kind, FileTrack],
    kind: Kind,
    decoder: AudioDecoder | VideoDecoder,
    codec: str | None,
    place: _Place,
) -> None:
    primed = decoder.more() or decoder.last()
    if not primed:
        decoder.close()
        return
    if isinstance(decoder, VideoDecoder) and not decoder.upright:
        codec = None
    opener = partial(place.open_packets, codec, decoder.frame_s) if codec else None
    tracks[kind] = FileTrack(kind, decoder, primed, codec, opener)


def _length_s(container: Any, indexes: list[int]) -> float | None:
    zero_s = (container.start_time or 0) / av.time_base
    ends_s = []
    for stream in (container.streams[index] for index in indexes):
        if stream.duration:
            ends_s.append(float((stream.duration + (stream.start_time or 0)) * stream.time_base))
    if len(ends_s) == len(indexes):
        return max(ends_s) - zero_s
    return container.duration / av.time_base if container.duration else None


def _summary(container: Any) -> str:
    words = []
    for stream in container.streams:
        context = stream.codec_context
        codec = context.name if context else "unknown"
        if stream.type == "video" and _is_cover(stream):
            words.append("a cover picture")
        elif stream.type == "video":
            size = f" {context.width}x{context.height}" if context else ""
            words.append(f"{codec} video{size}")
        elif stream.type == "audio":
            rate = f" {context.sample_rate / 1000:g} kHz" if context else ""
            words.append(f"{codec} audio{rate}")
        else:
            words.append(stream.type)
    return ", ".join(words) or "nothing"
