"""Recordings of a group call: a track for everybody on one clock, and one film of all of them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from .errors import RecordingError
from .live_recording import FileRecording
from .loop import Completion
from .media.encoded import EncodedFrame
from .media.finish import format_of, length_s
from .media.leftovers import tracks_of
from .media.mix_down import mix_down as mix_down_file
from .media.recorder import RecordedFile, Sides
from .recording import Recording

if TYPE_CHECKING:
    from .engine.peer import Peer
    from .participants import Participant

Progress = Callable[[float], Any]


class GroupFileRecording(FileRecording):
    """One file with everybody in it, being recorded from the encoded media of a group call.

    In ``.mkv`` everybody has a titled track of sound and one of pictures, all on one clock; who
    comes later begins later in it. Any other file is mixed down from such a one when the
    recording stops.

    Args:
        *args: As for :class:`~xnb.live_recording.FileRecording`.
        **kwargs: Likewise.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._people: dict[str, Participant] = {}
        self._names: dict[str, str] = {}

    def _written_to(self) -> Path:
        is_tracks = format_of(self.path).container == "matroska"
        return self.path if is_tracks else tracks_of(self.path)

    def _recorded_sides(self, sides: Sides) -> Sides | None:
        return None

    def _attach(self, peer: Peer) -> None:
        """Take what this side sends, over this connection from now on."""
        if self._stopping or "local" not in self._sides:
            return
        self._peer = peer
        self._take_from(self._call.my_name, peer.audio_out, peer.video_out)

    def _follow(self, person: Participant) -> None:
        """Take what somebody sends, over the connection they have now."""
        if self._stopping or "remote" not in self._sides:
            return
        peer = person.peer
        # Their tracks keep their name, whatever they are called later.
        name = self._names.setdefault(person.id, person.name)
        if peer is None:
            self._close_handles(name)
            return
        self._people[name] = person
        self._take_from(name, peer.audio_in, peer.video_in)

    def _take_from(self, name: str, sound: Any, pictures: Any) -> None:
        self._close_handles(name)

        def take(frame: EncodedFrame, time_s: float) -> None:
            self._recorder.push(name, frame, time_s)

        for kind, wanted, stream in (
            ("audio", self._audio, sound),
            ("video", self._video, pictures),
        ):
            if wanted:
                self._handles[name, kind] = stream.on_encoded(take)

    def _close_handles(self, name: str) -> None:
        for kind in ("audio", "video"):
            handle = self._handles.pop((name, kind), None)
            if handle:
                handle.close()

    def _ask_for_keyframe(self, side: str) -> None:
        person = self._people.get(side)
        if person and person.peer:
            person.peer.request_keyframe()
        elif self._peer and side == self._call.my_name:
            self._peer.video_out.request_keyframe()

    async def _completed(self) -> RecordedFile:
        self._people.clear()
        recorded = await self._recorder.finish()
        if self._written_to() == self.path:
            return recorded
        tracks = recorded.path
        self.progress = 0.0
        try:
            await asyncio.to_thread(
                _mixed, tracks, self.path, self._advance, audio=self._audio, video=self._video
            )
        except RecordingError as error:
            raise RecordingError(
                error.message, remedy=f"{error.remedy} {tracks.name} has everybody."
            ) from error
        tracks.unlink(missing_ok=True)
        return replace(
            recorded,
            path=self.path,
            duration_s=length_s(self.path),
            size_bytes=self.path.stat().st_size,
        )

    def _advance(self, share: float) -> None:
        self.progress = share


class MixDown(Completion[Recording]):
    """A mixed-down file that is being made: ``await`` it, :meth:`wait` for it, or cancel it.

    Cancelling who awaits it cancels the work as well.

    Attributes:
        progress: The share done, 0 to 1.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"mixing down {name}")
        self.progress = 0.0
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Stop, and leave no file. May be called again, from any thread."""
        self._cancelled.set()

    def __await__(self) -> Generator[Any, None, Recording]:
        try:
            return (yield from super().__await__())
        except asyncio.CancelledError:
            self.cancel()
            raise

    def _advance(self, share: float) -> None:
        if self._cancelled.is_set():
            raise _Cancelled
        self.progress = share


class _Cancelled(Exception):
    """Ends the work from inside."""


def mix_down(
    recording: Recording | str | Path,
    out_path: str | Path,
    progress: Progress | None = None,
) -> MixDown:
    """Make one film of a group's recording: everybody's pictures in a grid, their sound mixed.

    It works in a thread, at several times the speed of the recording for a few people. In a
    notebook a progress bar shows how far it is, unless ``progress`` is given.

    Args:
        recording: What ``call.record("group.mkv")`` gave, or its path.
        out_path: ``.mp4``, ``.webm`` or ``.mkv``; ``.wav``, ``.ogg`` or ``.m4a`` for the sound
            alone. An existing file is replaced.
        progress: Called with the share done, 0 to 1, on the thread that works.

    Returns:
        What finishes with the new :class:`~xnb.recording.Recording`: ``await`` it, or
        ``.wait()`` for it; ``.cancel()`` stops it. It fails with
        :class:`~xnb.errors.RecordingError` when the file cannot be made, or was cancelled.

    Raises:
        RecordingError: There is no such recording, or it would be replaced by its own mix.

    Example:
        >>> film = await xnb.mix_down(recording, "group.mp4")
    """
    given = recording if isinstance(recording, Recording) else Recording(recording)
    target = Path(out_path).expanduser()
    if target.exists() and target.samefile(given.path):
        raise RecordingError(
            f"{target.name} is the recording itself.", remedy="Choose another name."
        )
    made = MixDown(given.path.name)
    show = progress if progress is not None else _bar(given.path.name)

    def advance(share: float) -> None:
        made._advance(share)
        if show:
            show(share)

    def work() -> None:
        try:
            _mixed(given.path, target, advance)
            made.set(Recording(target, given.timeline, given._who, begun_s=given._begun_s))
        except _Cancelled:
            made.fail(
                RecordingError(f"Mixing down {given.path.name} was cancelled; there is no file.")
            )
        except RecordingError as error:
            made.fail(error)
        except Exception as error:
            failure = RecordingError(f"{target.name} could not be made: {type(error).__name__}.")
            failure.__cause__ = error
            made.fail(failure)

    threading.Thread(target=work, name=f"xnb-mix-{target.name}", daemon=True).start()
    return made


def _mixed(
    source: Path,
    target: Path,
    progress: Progress | None,
    *,
    audio: bool = True,
    video: bool = True,
) -> None:
    try:
        mix_down_file(source, target, progress, audio=audio, video=video)
    except (av.FFmpegError, OSError) as error:
        raise RecordingError(
            f"{target.name} could not be written: {getattr(error, 'strerror', error)}.",
            remedy="Check the free space and the rights of its folder.",
        ) from error


def _bar(name: str) -> Progress | None:
    """A progress bar in a notebook's output; ``None`` where there is no kernel."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]
    from IPython.display import display

    if getattr(get_ipython(), "kernel", None) is None:  # type: ignore[no-untyped-call,unused-ignore]
        return None
    from ipywidgets import FloatProgress

    bar = FloatProgress(value=0.0, min=0.0, max=1.0, description=name[:40])
    display(bar)  # type: ignore[no-untyped-call,unused-ignore]
    loop: asyncio.AbstractEventLoop | None = None
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()

    def show(share: float) -> None:
        # A widget belongs to the kernel's loop, not to the thread that works.
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(setattr, bar, "value", share)
        else:
            bar.value = share

    return show
