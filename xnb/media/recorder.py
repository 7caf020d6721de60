"""Writing what is heard and seen to a file as it comes, without decoding it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import RecordingError
from .encoded import EncodedFrame
from .finish import finish, format_of, length_s
from .matroska import ROOM_BYTES
from .parts import PartWriter, Side

_log = logging.getLogger(__name__)

Sides = Literal["remote", "local", "both"]

# So long frames wait for the thread that writes them; waking it for each would cost more.
_INTERVAL_S = 0.25
_WAITING_BYTES_LIMIT = 64 << 20
_WAITING_LIMIT = 20_000
_KEYFRAME_REQUEST_S = 0.5
_EXIT_TIMEOUT_S = 60.0
_GROUP_ROOM_BYTES = 16_384

_open_recorders: weakref.WeakValueDictionary[Path, Recorder] = weakref.WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A finished recording.

    Args:
        path: The file.
        duration_s: Its length in seconds, read back from the file.
        begun_s: When its time 0 was, on the clock of :meth:`Recorder.push`.
        audio: Whether it has sound.
        video: Whether it has a picture.
        frames: Pictures that came, of all sides together.
        dropped: Pictures and packets of sound left out, because the disk was too slow or they
            came too late. Pictures before the first keyframe do not count.
        size: Width and height in pixels of the first picture, ``None`` without one.
        size_bytes: Size of the file.
    """

    path: Path
    duration_s: float
    begun_s: float
    audio: bool
    video: bool
    frames: int
    dropped: int
    size: tuple[int, int] | None
    size_bytes: int


class Recorder:
    """Records encoded sound, pictures or both into one file.

    Frames are written as they come into a Matroska file beside ``path``, whose name is that of
    ``path`` and ``.part.mkv``. It can be played at any moment and after the process was killed,
    up to the last second; :func:`xnb.recover` completes it. At the end it is made into what
    ``path`` asks for, see :func:`xnb.media.finish.finish`, and deleted.

    Time 0 is the first frame that is kept. Sound that was lost leaves a gap of its length. The
    last picture stands until the end.

    Args:
        path: ``.wav``, ``.ogg``, ``.opus`` or ``.m4a`` for sound; ``.mp4``, ``.mkv`` or
            ``.webm`` for both. An existing file is replaced at the end.
        audio: Record sound.
        video: Record pictures, of VP8 or H.264.
        sides: What comes from the far end, what this side sends, or both. ``None`` takes anybody,
            by the name given to :meth:`push`: for a group, in ``.mkv``, which has a track each.
        keyframe_needed: Called from :meth:`push` with the side while that side's pictures
            cannot be written for want of a keyframe, at most twice a second.

    Raises:
        RecordingError: The folder does not exist or cannot be written to, the suffix is unknown,
            or it cannot hold what is asked for.

    Example:
        >>> recorder = Recorder("call.mp4", audio=True, video=True)
        >>> peer.video_in.on_encoded(lambda frame, time_s: recorder.push("remote", frame, time_s))
        >>> recorded = await recorder.finish()
    """

    def __init__(
        self,
        path: str | Path,
        *,
        audio: bool,
        video: bool,
        sides: Sides | None = "remote",
        keyframe_needed: Callable[[Side], Any] | None = None,
    ) -> None:
        self.path = Path(path).expanduser()
        self.error: Exception | None = None
        _check(self.path, audio, video)
        self._wants = {"audio": audio, "video": video}
        self._sides: tuple[Side, ...] | None = None
        if sides is not None:
            self._sides = ("remote", "local") if sides == "both" else (sides,)
        self._keyframe_needed = keyframe_needed
        self._asked_s: dict[Side, float] = {}
        self._running_pictures: set[tuple[Side, str]] = set()
        self._lock = threading.Lock()
        self._frames: deque[tuple[Side, EncodedFrame, float]] = deque()
        self._waiting_bytes = 0
        self._overflowed = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._result: Future[RecordedFile] = Future()
        self._part = PartWriter(self.path, ROOM_BYTES if sides else _GROUP_ROOM_BYTES)
        if self.path.absolute() in _open_recorders:
            raise RecordingError(
                f"{self.path.name} is being recorded already.",
                remedy="Stop that recording first, or choose another name.",
            )
        _open_recorders[self.path.absolute()] = self

    def __repr__(self) -> str:
        kinds = " + ".join(kind for kind, wanted in self._wants.items() if wanted)
        stopping = self._stopping.is_set()
        state = "finished" if self._result.done() else "stopping" if stopping else "open"
        return f"<Recorder {self.path.name}: {kinds}, {state}>"

    @property
    def dropped(self) -> int:
        """See :attr:`RecordedFile.dropped`."""
        return self._overflowed + self._part.dropped

    def push(self, side: Side, frame: EncodedFrame, time_s: float) -> None:
        """Add a frame. Thread-safe, never waits for the disk.

        What is not asked for is ignored. When the disk is so slow that 64 MiB wait, frames are
        left out and counted, pictures until the next keyframe.

        Args:
            side: Whose it is.
            frame: Pictures of one side come in the order of decoding.
            time_s: When it is heard or seen, in seconds on a clock that is the same for sound
                and pictures.
        """
        if not self._wants[frame.kind] or not (self._sides is None or side in self._sides):
            return
        ask = False
        with self._lock:
            if self._stopping.is_set() or self.error:
                return
            if frame.kind == "video":
                ask = not self._begins_or_goes_on(side, frame)
            if not ask:
                self._append(side, frame, time_s)
        if ask:
            self._ask_for_keyframe(side)

    def _begins_or_goes_on(self, side: Side, frame: EncodedFrame) -> bool:
        stream = (side, frame.codec)
        if frame.is_keyframe:
            self._running_pictures.add(stream)
        return stream in self._running_pictures

    def _append(self, side: Side, frame: EncodedFrame, time_s: float) -> None:
        full = self._waiting_bytes > _WAITING_BYTES_LIMIT or len(self._frames) > _WAITING_LIMIT
        if full:
            self._overflowed += 1
            self._running_pictures.discard((side, frame.codec))
            return
        self._frames.append((side, frame, time_s))
        self._waiting_bytes += len(frame.data)
        if self._thread is None:
            name = f"xnb-record-{self.path.name}"
            # A daemon, so that leaving the interpreter reaches _finish_all, which stops it.
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()

    def _ask_for_keyframe(self, side: Side) -> None:
        now_s = time.monotonic()
        if now_s - self._asked_s.get(side, -_KEYFRAME_REQUEST_S) >= _KEYFRAME_REQUEST_S:
            self._asked_s[side] = now_s
            if self._keyframe_needed:
                self._keyframe_needed(side)

    def stop(self) -> Future[RecordedFile]:
        """Take nothing more and complete the file. May be called again, from any thread.

        Returns:
            A future with the finished file. It fails with
            :class:`~xnb.errors.RecordingError` when nothing arrived (no file is left then) or
            the file could not be written.
        """
        with self._lock:
            first = not self._stopping.is_set()
            self._stopping.set()
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
        stopped = False
        while not stopped:
            stopped = self._stopping.wait(_INTERVAL_S)
            with self._lock:
                frames, self._frames = self._frames, deque()
                self._waiting_bytes = 0
            if self.error:
                continue
            try:
                for side, frame, time_s in frames:
                    if not self._part.add(side, frame, time_s):
                        with self._lock:
                            self._running_pictures.discard((side, frame.codec))
                self._part.flush(everything=stopped)
            except Exception as error:
                _log.exception("Recording %s failed.", self.path.name)
                self.error = error
        self._conclude()

    def _conclude(self) -> None:
        recorded: RecordedFile | None = None
        failure: Exception | None = None
        try:
            recorded = self._completed()
        except RecordingError as error:
            failure = error
        except Exception as error:
            failure = RecordingError(
                f"{self.path.name} could not be completed: {type(error).__name__}: {error}.",
                remedy="Check the free space of its folder. What was saved is in "
                f"{self._part.path.name}; xnb.recover() completes it.",
            )
            failure.__cause__ = error
        # Whoever waits may go on with the file, the part and the name at once.
        self._part.close()
        _open_recorders.pop(self.path.absolute(), None)
        if recorded:
            self._result.set_result(recorded)
        else:
            self._result.set_exception(failure)

    def _completed(self) -> RecordedFile:
        failed = self.error
        finished = None
        if not self._part.is_empty:
            finished = finish(self._part.path, self.path)
        if finished is None:
            self._part.remove()
            if failed:
                raise failed
            raise RecordingError(
                f"Nothing arrived to be recorded, so there is no {self.path.name}.",
                remedy="Record while there is sound or a picture.",
            )
        duration_s = length_s(self.path)
        self._part.remove()
        if failed:
            raise RecordingError(
                f"{self.path.name} ends early, after {duration_s:.1f} s: "
                f"{type(failed).__name__}: {failed}.",
                remedy="Check the free space of its folder. The file itself can be played.",
            ) from failed
        return RecordedFile(
            path=self.path,
            duration_s=duration_s,
            begun_s=self._part.begun_s,
            audio=finished.audio,
            video=finished.video,
            frames=self._part.frames,
            dropped=self.dropped,
            size=finished.size,
            size_bytes=self.path.stat().st_size,
        )


def _check(path: Path, audio: bool, video: bool) -> None:
    known = format_of(path)
    if not audio and not video:
        raise RecordingError("Nothing is to be recorded.", remedy="Ask for audio, video or both.")
    if video and not known.video:
        raise RecordingError(
            f"A {path.suffix} file holds sound only.", remedy="Use .mp4, .webm or .mkv."
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


@atexit.register
def _finish_all() -> None:
    recorders = list(_open_recorders.values())
    for recorder in recorders:
        recorder.stop()
    for recorder in recorders:
        with contextlib.suppress(Exception):
            recorder.stop().result(_EXIT_TIMEOUT_S)
