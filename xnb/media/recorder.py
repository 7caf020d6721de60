"""Writing what is heard and seen to a file, as it comes."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av

from ..errors import RecordingError
from .assemble import assemble
from .parts import AudioPart, Part, VideoPart

_log = logging.getLogger(__name__)

VideoCodecName = Literal["h264", "vp8"]

_VIDEO_LIMIT = 60
_VIDEO_BYTES_LIMIT = 128 << 20
_AUDIO_LIMIT = 1500
_EXIT_TIMEOUT_S = 15.0


class _Format(NamedTuple):
    container: str
    audio: str
    video: tuple[VideoCodecName, ...]


_FORMATS = {
    ".wav": _Format("wav", "pcm_s16le", ()),
    ".ogg": _Format("ogg", "libopus", ()),
    ".opus": _Format("ogg", "libopus", ()),
    ".m4a": _Format("ipod", "aac", ()),
    ".mp4": _Format("mp4", "aac", ("h264",)),
    ".mkv": _Format("matroska", "aac", ("h264", "vp8")),
    ".webm": _Format("webm", "libopus", ("vp8",)),
}
# Written as they come; the others are joined from Matroska parts at the end.
_DIRECT = {"wav", "ogg"}
_ENCODERS = {"h264": "libx264", "vp8": "libvpx"}

_open_recorders: weakref.WeakValueDictionary[Path, Recorder] = weakref.WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A finished recording.

    Args:
        path: The file.
        duration_s: Its length in seconds, read back from the file.
        audio: Whether it has sound.
        video: Whether it has a picture.
        frames: Pictures written.
        dropped: Pictures left out because the encoder was slower than the call, or came out of
            order.
        size: Width and height in pixels, ``None`` without a picture.
        size_bytes: Size of the file.
    """

    path: Path
    duration_s: float
    audio: bool
    video: bool
    frames: int
    dropped: int
    size: tuple[int, int] | None
    size_bytes: int


class Recorder:
    """Records sound, pictures or both into one file.

    Frames are encoded on a thread of its own. When the encoder is too slow the oldest picture
    that waits is dropped and counted; sound never is, short of half a minute behind. Until it is
    finished the media are in files beside ``path`` that end in ``.part.mkv``; they can be played
    even when the process was killed.

    Args:
        path: ``.wav``, ``.ogg``, ``.opus`` or ``.m4a`` for sound; ``.mp4``, ``.mkv`` (H.264 and
            AAC) or ``.webm`` (VP8 and Opus) for both. An existing file is replaced at the end.
        audio: Record sound.
        video: Record pictures.
        video_codec: ``"h264"`` or ``"vp8"`` where the container leaves a choice (``.mkv``).
        fps_hint: About how many pictures a second will come, 1 to 120.

    Raises:
        RecordingError: The folder does not exist or cannot be written to, the suffix is unknown,
            or it cannot hold what is asked for.

    Example:
        >>> recorder = Recorder("call.mp4", audio=True, video=True)
        >>> recorder.push_video(frame, time_s=0.0)
        >>> recorded = await recorder.finish()
    """

    def __init__(
        self,
        path: str | Path,
        *,
        audio: bool,
        video: bool,
        video_codec: VideoCodecName | None = None,
        fps_hint: float = 30,
    ) -> None:
        self.path = Path(path).expanduser()
        self.dropped = 0
        self.error: Exception | None = None
        self._format = _checked_format(self.path, audio, video, video_codec)
        self._video_codec = video_codec or (self._format.video or ("h264",))[0]
        self._fps = min(120.0, max(1.0, fps_hint))
        self._wants = {"audio": audio, "video": video}
        self._ready = threading.Condition()
        self._audio_frames: deque[tuple[float, av.AudioFrame]] = deque()
        self._video_frames: deque[tuple[float, av.VideoFrame]] = deque()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._result: Future[RecordedFile] = Future()
        self._zero_s = 0.0
        self._audio: AudioPart | None = None
        self._video: VideoPart | None = None
        if self.path.absolute() in _open_recorders:
            raise RecordingError(
                f"{self.path.name} is being recorded already.",
                remedy="Stop that recording first, or choose another name.",
            )
        _open_recorders[self.path.absolute()] = self

    def __repr__(self) -> str:
        kinds = " + ".join(kind for kind, wanted in self._wants.items() if wanted)
        state = "finished" if self._result.done() else "stopping" if self._stopping else "open"
        return f"<Recorder {self.path.name}: {kinds}, {state}>"

    def push_audio(self, frame: av.AudioFrame, time_s: float) -> None:
        """Add sound. Thread-safe, never waits.

        Args:
            frame: Any sample format and rate; it is not changed, and must not be afterwards.
            time_s: When its first sample is heard, in seconds on a clock that is the same for
                sound and pictures.
        """
        if not self._wants["audio"]:
            return
        with self._ready:
            if len(self._audio_frames) >= _AUDIO_LIMIT:
                self._audio_frames.popleft()
            self._push(self._audio_frames, time_s, frame)

    def push_video(self, frame: av.VideoFrame, time_s: float) -> None:
        """Add a picture. Thread-safe, never waits. Arguments as in :meth:`push_audio`."""
        if not self._wants["video"]:
            return
        with self._ready:
            size = max(1, frame.width * frame.height * 3 // 2)
            limit = min(_VIDEO_LIMIT, max(2, _VIDEO_BYTES_LIMIT // size))
            if len(self._video_frames) >= limit:
                self._video_frames.popleft()
                self.dropped += 1
            self._push(self._video_frames, time_s, frame)

    def _push(self, frames: deque[Any], time_s: float, frame: Any) -> None:
        if self._stopping or self.error:
            return
        frames.append((time_s, frame))
        if self._thread is None:
            self._zero_s = time_s
            name = f"xnb-record-{self.path.name}"
            # A daemon, so that leaving the interpreter reaches _finish_all, which stops it.
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        self._ready.notify()

    def stop(self) -> Future[RecordedFile]:
        """Take nothing more and complete the file. May be called again, from any thread.

        Returns:
            A future with the finished file. It fails with
            :class:`~xnb.errors.RecordingError` when nothing arrived (no file is left then) or
            the file could not be written.
        """
        with self._ready:
            first, self._stopping = not self._stopping, True
            self._ready.notify()
        if first and self._thread is None:
            self._conclude()
        return self._result

    async def finish(self) -> RecordedFile:
        """Like :meth:`stop`, and wait for the file.

        Raises:
            RecordingError: As with :meth:`stop`.
        """
        return await asyncio.shield(asyncio.wrap_future(self.stop()))

    def _work(self) -> None:
        while (item := self._next()) is not None:
            if self.error:
                continue
            time_s, frame = item
            try:
                if isinstance(frame, av.AudioFrame):
                    self._audio_part().write(frame, time_s)
                else:
                    self._video_part().write(frame, time_s)
            except Exception as error:
                _log.exception("Recording %s failed.", self.path.name)
                self.error = error
        self._conclude()

    def _next(self) -> tuple[float, av.AudioFrame | av.VideoFrame] | None:
        with self._ready:
            while not (self._audio_frames or self._video_frames):
                if self._stopping:
                    return None
                self._ready.wait(1.0)
            if not self._video_frames:
                return self._audio_frames.popleft()
            if not self._audio_frames or self._video_frames[0][0] < self._audio_frames[0][0]:
                return self._video_frames.popleft()
            return self._audio_frames.popleft()

    def _audio_part(self) -> AudioPart:
        if self._audio is None:
            container = self._format.container
            direct = container in _DIRECT
            suffix = f"part{self.path.suffix}" if direct else "audio.part.mkv"
            self._audio = AudioPart(
                self.path.with_name(f"{self.path.stem}.{suffix}"),
                container if direct else "matroska",
                self._format.audio,
                self._zero_s,
            )
        return self._audio

    def _video_part(self) -> VideoPart:
        if self._video is None:
            self._video = VideoPart(
                self.path.with_name(f"{self.path.stem}.video.part.mkv"),
                "matroska",
                _ENCODERS[self._video_codec],
                self._zero_s,
                fps=self._fps,
            )
        return self._video

    def _conclude(self) -> None:
        try:
            self._result.set_result(self._completed())
        except RecordingError as error:
            self._result.set_exception(error)
        except Exception as error:
            names = " and ".join(part.path.name for part in self._parts)
            failure = RecordingError(
                f"{self.path.name} could not be completed: {type(error).__name__}: {error}.",
                remedy=f"Check the free space of its folder. What was saved is in {names}.",
            )
            failure.__cause__ = error
            self._result.set_exception(failure)
        finally:
            _open_recorders.pop(self.path.absolute(), None)

    @property
    def _parts(self) -> list[Part]:
        return [part for part in (self._audio, self._video) if part]

    def _completed(self) -> RecordedFile:
        failed = self.error
        if self._audio and self._video:
            self._video.stand_until(max(self._audio.end_s, self._video.end_s))
        for part in self._parts:
            try:
                part.finish()
            except (av.FFmpegError, ValueError) as error:
                part.abort()
                failed = failed or error
        audio = self._audio if self._audio and self._audio.first_pts is not None else None
        video = self._video if self._video and self._video.first_pts is not None else None
        if not audio and not video:
            self._remove_parts()
            if failed:
                raise failed
            raise RecordingError(
                f"Nothing arrived to be recorded, so there is no {self.path.name}.",
                remedy="Record while the far end sends sound or a picture.",
            )
        if self._format.container in _DIRECT and audio:
            os.replace(audio.path, self.path)
        else:
            unfinished = self.path.with_name(f"{self.path.stem}.whole.part{self.path.suffix}")
            assemble(unfinished, self._format.container, audio, video)
            os.replace(unfinished, self.path)
        recorded = self._verified(video)
        self._remove_parts()
        if failed:
            raise RecordingError(
                f"{self.path.name} ends early, after {recorded.duration_s:.1f} s: "
                f"{type(failed).__name__}: {failed}.",
                remedy="Check the free space of its folder. The file itself can be played.",
            ) from failed
        return recorded

    def _verified(self, video: VideoPart | None) -> RecordedFile:
        with av.open(str(self.path)) as container:
            duration_s = (container.duration or 0) / av.time_base
            has_audio, has_video = bool(container.streams.audio), bool(container.streams.video)
        return RecordedFile(
            path=self.path,
            duration_s=duration_s,
            audio=has_audio,
            video=has_video,
            frames=video.frames - video.dropped if video else 0,
            dropped=self.dropped + (video.dropped if video else 0),
            size=(video.width, video.height) if video else None,
            size_bytes=self.path.stat().st_size,
        )

    def _remove_parts(self) -> None:
        for part in self._parts:
            part.abort()
            with contextlib.suppress(OSError):
                part.path.unlink(missing_ok=True)


def _checked_format(
    path: Path, audio: bool, video: bool, video_codec: VideoCodecName | None
) -> _Format:
    known = _FORMATS.get(path.suffix.lower())
    if known is None:
        raise RecordingError(
            f"The suffix of {path.name} is not known.", remedy=f"Use {', '.join(_FORMATS)}."
        )
    if not audio and not video:
        raise RecordingError("Nothing is to be recorded.", remedy="Ask for audio, video or both.")
    if video and not known.video:
        raise RecordingError(
            f"A {path.suffix} file holds sound only.", remedy="Use .mp4, .webm or .mkv."
        )
    if video and video_codec and video_codec not in known.video:
        raise RecordingError(
            f"A {path.suffix} file cannot hold {video_codec}.",
            remedy="Use .mp4 for h264, .webm for vp8, .mkv for either.",
        )
    folder = path.parent
    if not folder.is_dir():
        raise RecordingError(
            f"The folder {folder.name or folder} does not exist.", remedy="Make it first."
        )
    if path.is_dir():
        raise RecordingError(f"{path.name} is a folder.", remedy="Give a file name.")
    if not os.access(folder, os.W_OK):
        raise RecordingError(
            f"The folder {folder.name or folder} cannot be written to.",
            remedy="Choose another folder or change its rights.",
        )
    return known


@atexit.register
def _finish_all() -> None:
    recorders = list(_open_recorders.values())
    for recorder in recorders:
        recorder.stop()
    for recorder in recorders:
        with contextlib.suppress(Exception):
            recorder.stop().result(_EXIT_TIMEOUT_S)
