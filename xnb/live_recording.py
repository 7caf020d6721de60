"""A recording while it is being made: what ``call.record_incoming`` and ``call.record`` return."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import RecordingError
from .events import Ended, Event
from .loop import Completion, Runner, on_engine
from .media.recorder import RecordedFile, Recorder, Sides

if TYPE_CHECKING:
    from .engine.peer import Peer
    from .events import ListenerHandle
    from .media.encoded import EncodedFrame
    from .media.parts import Side
    from .recording import Recording


class FileRecording:
    """One file being recorded, from the encoded media of a call: nothing is decoded for it.

    Args:
        runner: Where the call lives.
        path: Where to write.
        audio: Record sound.
        video: Record pictures.
        call: Whose media it is; its title and timeline become the recording's.
        on_stopped: Called on the engine loop when :attr:`finished` has finished.
        sides: As for :meth:`xnb.Call.record`.

    Attributes:
        path: Where it is written.
        finished: Finishes with the :class:`~xnb.recording.Recording` once it is complete; raises
            :class:`~xnb.errors.RecordingError` when nothing arrived or it could not be written.
        progress: How much of what has to be encoded after the end is done, 0 to 1; ``None`` while
            nothing has.
    """

    def __init__(
        self,
        runner: Runner,
        path: Path,
        *,
        audio: bool,
        video: bool,
        call: Any,
        on_stopped: Callable[[FileRecording], Any],
        sides: Sides = "remote",
    ) -> None:
        self.runner = runner
        self.path = path
        self.finished: Completion[Recording] = Completion(f"recording {path.name}")
        self.result: Recording | None = None
        self.progress: float | None = None
        self._audio = audio
        self._video = video
        self._call = call
        self._on_stopped = on_stopped
        self._sides: tuple[Side, ...] = ("remote", "local") if sides == "both" else (sides,)
        self._peer: Peer | None = None
        self._handles: dict[tuple[Side, str], ListenerHandle] = {}
        self._stopping: asyncio.Task[None] | None = None
        self._start_s = time.monotonic()
        self._recorder = Recorder(
            self._written_to(),
            audio=audio,
            video=video,
            sides=self._recorded_sides(sides),
            keyframe_needed=self._ask_for_keyframe,
        )

    def __repr__(self) -> str:
        return (
            f"<recording to {self.path.name}: {'finished' if self.finished.is_done else 'running'}>"
        )

    def _written_to(self) -> Path:
        """Which file the recorder makes."""
        return self.path

    def _recorded_sides(self, sides: Sides) -> Sides | None:
        """What the recorder is to take."""
        return sides

    async def _completed(self) -> RecordedFile:
        """Complete what was asked for."""
        return await self._recorder.finish()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._start_s

    def _attach(self, peer: Peer) -> None:
        if self._stopping or self._peer:
            return
        self._peer = peer
        for side in self._sides:
            if self._audio:
                self._listen(side, "audio")
            if self._video:
                self._listen(side, "video")

    def _listen(self, side: Side, kind: str) -> None:
        direction = "in" if side == "remote" else "out"
        stream: Any = getattr(self._peer, f"{kind}_{direction}")

        def take(frame: EncodedFrame, time_s: float) -> None:
            self._recorder.push(side, frame, time_s)

        self._handles[side, kind] = stream.on_encoded(take)

    def _ask_for_keyframe(self, side: Side) -> None:
        if self._peer and side == "remote":
            self._peer.video_in.request_keyframe()
        elif self._peer:
            # Who begins to listen to what is sent gets a keyframe first.
            self._handles.pop((side, "video")).close()
            self._listen(side, "video")

    @on_engine
    def stop(self) -> Completion[Recording]:
        """Stop and complete the file. May be called again; gives :attr:`finished`."""
        if self._stopping is None:
            for handle in self._handles.values():
                handle.close()
            self._handles.clear()
            self._peer = None
            self._stopping = asyncio.ensure_future(self._finish(self._happened()))
            if not self._call.is_over:
                self._call._tell_local()
        return self.finished

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is taken; the file may not be complete yet."""
        return self._stopping is not None

    def _happened(self) -> tuple[Event, ...]:
        """The call's timeline up to now; with its end, which is told only when all is closed."""
        events = tuple(self._call.timeline)
        if reason := getattr(self._call, "end_reason", None):
            events += (Ended(reason=reason, duration_seconds=self._call.duration_seconds),)
        return events

    async def _finish(self, timeline: tuple[Event, ...]) -> None:
        from .recording import Recording

        try:
            recorded = await self._completed()
        except RecordingError as error:
            self.finished.fail(error)
        except Exception as error:
            failure = RecordingError(
                f"{self.path.name} could not be completed: {type(error).__name__}: {error}",
                remedy="Check the free space and the rights of its folder.",
            )
            failure.__cause__ = error
            self.finished.fail(failure)
        else:
            self.result = Recording(
                self.path, timeline, title=self._call.title, begun_s=recorded.begun_s
            )
            self.finished.set(self.result)
        self._on_stopped(self)


class CallRecording:
    """What comes back from the far end, being recorded into one or two files.

    Attributes:
        audio: The recording of the sound, or ``None``. With :meth:`Call.record` it is the same
            object as ``video``.
        video: The recording of the picture, or ``None``.
    """

    def __init__(self, audio: FileRecording | None, video: FileRecording | None) -> None:
        self.audio = audio
        self.video = video
        self.parts = tuple(dict.fromkeys(part for part in (audio, video) if part))

    def __repr__(self) -> str:
        names = " and ".join(part.path.name for part in self.parts)
        return f"<recording to {names}: {'finished' if self.is_finished else 'running'}>"

    @property
    def is_finished(self) -> bool:
        """Whether every file is complete."""
        return all(part.finished.is_done for part in self.parts)

    @property
    def is_stopping(self) -> bool:
        """Whether every part was stopped; the files may not be complete yet."""
        return all(part.is_stopping for part in self.parts)

    @property
    def progress(self) -> float | None:
        """How much of what has to be encoded after the end is done, 0 to 1.

        ``None`` while it records, and for files that hold what came as it came.
        """
        shares = [part.progress for part in self.parts if part.progress is not None]
        return min(shares) if shares else None

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began."""
        return max(part.elapsed_s for part in self.parts)

    def stop(self) -> Stopped:
        """Stop all parts.

        Await the result for the finished :class:`Recording` objects, or ``.wait(timeout_s=…)``
        for them without a loop; both may also be left alone.
        """
        for part in self.parts:
            part.stop()
        return Stopped(self.parts)


class Stopped:
    """The finished recordings of a :class:`CallRecording`, in order audio, video."""

    def __init__(self, parts: tuple[FileRecording, ...]) -> None:
        self._parts = parts

    def __await__(self) -> Generator[Any, None, list[Recording]]:
        return self._all().__await__()

    async def _all(self) -> list[Recording]:
        return [await part.finished for part in self._parts]

    def wait(self, timeout_s: float | None = None) -> list[Recording]:
        """Block until all files are complete; for thread mode and plain Python."""
        return [part.finished.wait(timeout_s) for part in self._parts]
