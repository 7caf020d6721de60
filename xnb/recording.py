"""A finished recording as a value: play it, look at it, take it as NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from .errors import RecordingError
from .events import Event
from .media.cut import Progress, cut
from .media.finish import FORMATS
from .media.frames import VideoFrame
from .media.leftovers import part_of
from .media.sound import decoded, envelope_of, sound_chunks

if TYPE_CHECKING:
    from .plots.figure import InlineFigure
    from .plots.spectrogram import Spectrum

_RATE_HZ = 48000
_BINS_A_SECOND = 100


class _Facts(NamedTuple):
    duration_s: float
    has_audio: bool
    width: int | None
    height: int | None


class Recording:
    """A file with sound, a picture or both. Shows a player with its waveform in a notebook.

    Args:
        path: The file.
        timeline: Events of the call it is from, oldest first.
        title: Whose it is, for people: the far end's name; the file's name if not given.
        begun_s: When it began, on the clock of the events; when the first of them was, if not
            given.

    Raises:
        RecordingError: There is no such file.

    Example:
        >>> recording = Recording("call.mp4")
        >>> recording.audio().shape
        (240000, 2)
    """

    def __init__(
        self,
        path: str | Path,
        timeline: tuple[Event, ...] = (),
        title: str = "",
        *,
        begun_s: float | None = None,
    ) -> None:
        self.path = Path(path)
        self.timeline = tuple(timeline)
        self.title = title or self.path.name
        self._who = title
        first_s = self.timeline[0].time_s if self.timeline else 0.0
        self._begun_s = first_s if begun_s is None else begun_s
        self._envelope: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._reading = Lock()
        if not self.path.is_file():
            remedy = "Check the path and the folder."
            if part_of(self.path).exists():
                remedy = f"It was cut off: xnb.recover({str(self.path)!r}) completes it."
            raise RecordingError(f"There is no recording {self.path.name}.", remedy=remedy)

    def __repr__(self) -> str:
        return f"Recording({self.path.name!r}, {self.words})"

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._facts.duration_s

    @property
    def has_audio(self) -> bool:
        """Whether there is sound in it."""
        return self._facts.has_audio

    @property
    def has_video(self) -> bool:
        """Whether there is a picture in it."""
        return self._facts.width is not None

    @property
    def width(self) -> int | None:
        """Width of the picture in pixels, ``None`` without one."""
        return self._facts.width

    @property
    def height(self) -> int | None:
        """Height of the picture in pixels, ``None`` without one."""
        return self._facts.height

    @cached_property
    def _facts(self) -> _Facts:
        with self._open() as container:
            video = container.streams.video[0] if container.streams.video else None
            return _Facts(
                (container.duration or 0) / av.time_base,
                bool(container.streams.audio),
                video.width if video else None,
                video.height if video else None,
            )

    @property
    def markers(self) -> list[tuple[float, str]]:
        """What happened in the call meanwhile: seconds from the beginning, and words.

        Example:
            >>> recording.markers
            [(2.1, 'echo muted'), (5.0, 'you hung up')]
        """
        from .plots.markers import markers_of

        return markers_of(self.timeline, self._begun_s, self.duration_s, self._who)

    def audio(self, sample_rate_hz: int = 48000) -> NDArray[np.float32]:
        """All of its sound.

        Args:
            sample_rate_hz: What to resample to.

        Returns:
            (n, channels) float32 in -1..1; sample 0 is at the beginning of the recording.

        Raises:
            RecordingError: It has no sound.
        """
        pieces = list(self._chunks(sample_rate_hz))
        return np.concatenate(pieces) if pieces else np.zeros((0, 1), np.float32)

    def frames(self) -> Iterator[VideoFrame]:
        """Its pictures one after the other, ``time_s`` counted from the beginning.

        Raises:
            RecordingError: It has no picture.
        """
        return self._frames_from(0.0)

    def frame_at(self, time_s: float) -> VideoFrame:
        """The picture that is shown at ``time_s`` seconds from the beginning.

        Raises:
            RecordingError: It has no picture, or is not that long.
        """
        if not 0 <= time_s <= self.duration_s:
            raise RecordingError(
                f"{self.path.name} has no picture at {time_s:g} s: it is {self.duration_s:.1f} s "
                "long.",
                remedy="Ask for a time inside it.",
            )
        shown: VideoFrame | None = None
        for frame in self._frames_from(time_s):
            if shown is not None and frame.time_s > time_s + 1e-3:
                break
            shown = frame
        if shown is None:
            raise RecordingError(f"{self.path.name} holds no picture that can be decoded.")
        return shown

    def waveform(self) -> InlineFigure:
        """Its waveform as a matplotlib figure.

        Raises:
            RecordingError: It has no sound.
        """
        from .plots.waveform import draw_envelope

        low, high = self.envelope
        return draw_envelope(low, high, len(low) / _BINS_A_SECOND)

    def spectrogram(self) -> InlineFigure:
        """Its spectrogram as a matplotlib figure.

        Raises:
            RecordingError: It has no sound.
        """
        from .plots.spectrogram import draw_spectrum

        return draw_spectrum(self.spectrum(), self.duration_s)

    def spectrum(self, progress: Progress | None = None) -> Spectrum:
        """What its spectrogram shows: times in s, frequencies in Hz, levels in dB.

        Args:
            progress: Called with the share done, 0 to 1, on this thread.

        Raises:
            RecordingError: It has no sound.
        """
        from .plots.spectrogram import spectrum_of

        count = round(self.duration_s * _RATE_HZ)
        return spectrum_of(self._chunks(_RATE_HZ, progress), count, _RATE_HZ)

    def trim(
        self,
        start_s: float,
        end_s: float,
        path: str | Path | None = None,
        *,
        progress: Progress | None = None,
    ) -> Recording:
        """Save a part of it as a new file, cut exactly where you say.

        The sound begins at the very sample, the picture with the one that stands there. Both are
        encoded anew, because a call's recording has hardly a keyframe to cut at; that takes about
        a tenth of the part's length for 640x480. It blocks: write
        ``await asyncio.to_thread(recording.trim, 2, 5)`` while a call goes on.

        Args:
            start_s: Where the part begins, in seconds from the beginning.
            end_s: Where it ends.
            path: Where to save it; an existing file is replaced. Beside this one, with
                ``-trimmed`` in its name, if not given.
            progress: Called with the share done, 0 to 1, on this thread.

        Returns:
            The part, with the markers that fall into it.

        Raises:
            RecordingError: There is no such part, ``path`` is this very file or has an unknown
                suffix, or it cannot be written.

        Example:
            >>> recording.trim(2, 5.5)
            Recording('call-trimmed.webm', 3.5 s, sound and picture 640x480)
        """
        end_s = min(end_s, self.duration_s) if end_s < self.duration_s + 0.1 else end_s
        if not 0 <= start_s < end_s <= self.duration_s:
            raise RecordingError(
                f"{self.path.name} has no part from {start_s:g} to {end_s:g} s: it is "
                f"{self.duration_s:.1f} s long.",
                remedy="Give a start before an end, both inside it.",
            )
        target = _trimmed_path(self.path, self.has_video) if path is None else Path(path)
        target = target.expanduser()
        if target.exists() and target.samefile(self.path):
            raise RecordingError(
                f"{target.name} is the recording itself.", remedy="Choose another name."
            )
        try:
            cut(self.path, target, start_s, end_s, progress)
        except (av.FFmpegError, OSError) as error:
            raise RecordingError(
                f"{target.name} could not be written: {getattr(error, 'strerror', error)}.",
                remedy="Check the free space and the rights of its folder.",
            ) from error
        return Recording(target, self.timeline, self._who, begun_s=self._begun_s + start_s)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from .plots.player import player_html

        return {"text/plain": repr(self), "text/html": player_html(self)}

    def _ipython_display_(self) -> None:
        """Show a player; plain text where there are no widgets."""
        from .widgets.recording_widget import show_recording

        show_recording(self)

    @property
    def envelope(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Lowest and highest sample of each 10 ms, read once; blocks, about 2 s for half an hour.

        Raises:
            RecordingError: It has no sound.
        """
        return self._read_envelope(None)

    def _read_envelope(
        self, progress: Progress | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with self._reading:
            if self._envelope is None:
                chunks = self._chunks(_RATE_HZ, progress)
                self._envelope = envelope_of(chunks, _RATE_HZ // _BINS_A_SECOND)
            return self._envelope

    def _open(self) -> Any:
        try:
            return av.open(str(self.path))
        except (av.FFmpegError, OSError) as error:
            raise RecordingError(
                f"{self.path.name} cannot be read: {getattr(error, 'strerror', error)}.",
                remedy="Check that it is complete and was not moved.",
            ) from None

    def _stream(self, container: Any, kind: str) -> Any:
        streams = getattr(container.streams, kind)
        if not streams:
            missing, other = ("sound", "picture") if kind == "audio" else ("picture", "sound")
            raise RecordingError(
                f"{self.path.name} has no {missing}.", remedy=f"It has a {other} only."
            )
        return streams[0]

    def _chunks(
        self, sample_rate_hz: int, progress: Progress | None = None
    ) -> Iterator[NDArray[np.float32]]:
        with self._open() as container:
            stream = self._stream(container, "audio")
            read = 0
            for chunk in sound_chunks(container, stream, sample_rate_hz):
                yield chunk
                read += len(chunk)
                if progress:
                    progress(min(1.0, read / sample_rate_hz / max(self.duration_s, 1e-3)))

    def _frames_from(self, time_s: float) -> Iterator[VideoFrame]:
        with self._open() as container:
            stream = self._stream(container, "video")
            zero_s = max(0.0, (container.start_time or 0) / av.time_base)
            if time_s > 0:
                container.seek(int((time_s + zero_s) / stream.time_base), stream=stream)
            for frame in decoded(container, stream):
                yield VideoFrame(frame, (frame.time or 0.0) - zero_s)

    @property
    def words(self) -> str:
        """Length and content: ``3.5 s, sound and picture 640x480``."""
        kinds = ["sound"] if self.has_audio else []
        if self.has_video:
            kinds.append(f"picture {self.width}x{self.height}")
        minutes, seconds = divmod(round(self.duration_s), 60)
        long = f"{minutes} min {seconds:02d} s" if minutes > 1 else f"{self.duration_s:.1f} s"
        return f"{long}, {' and '.join(kinds) or 'nothing'}"


def recover(path: str | Path) -> Recording:
    """Complete a recording that was cut off because its process was killed.

    Args:
        path: The file it was to become, e.g. ``call.mp4``, or what is left of it beside that,
            ``call.mp4.part.mkv``. Of a group call a film is made of what is left.

    Returns:
        The completed recording. What was left is deleted.

    Raises:
        RecordingError: There is nothing left to complete, it holds nothing, it is still being
            recorded, or the file exists already.

    Example:
        >>> xnb.recover("call.mp4")
        Recording('call.mp4', 93.4 s, sound and picture 640x480)
    """
    from .media.recovery import recover as complete

    return Recording(complete(path))


def _trimmed_path(path: Path, has_video: bool) -> Path:
    """A name beside ``path`` that is free."""
    suffix = path.suffix.lower()
    known = FORMATS.get(suffix)
    if known is None or (has_video and not known.video):
        suffix = ".webm" if has_video else ".wav"
    stem = f"{path.stem}-trimmed"
    target, number = path.with_name(f"{stem}{suffix}"), 2
    while target.exists():
        target, number = path.with_name(f"{stem}-{number}{suffix}"), number + 1
    return target
