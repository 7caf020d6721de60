"""A finished recording as a value: play it, look at it, take it as NumPy arrays."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from .errors import RecordingError
from .events import Event
from .media.frames import VideoFrame, from_av_audio
from .media.leftovers import part_of

if TYPE_CHECKING:
    from .plots.figure import InlineFigure

_INLINE_LIMIT_BYTES = 8 << 20
_MIME = {
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}
_BINS_A_SECOND = 100
_SILENT = 1e-4


class _Facts(NamedTuple):
    duration_s: float
    has_audio: bool
    width: int | None
    height: int | None


class Recording:
    """A file with sound, a picture or both. Shows a player with its waveform in a notebook.

    Args:
        path: The file.
        timeline: Events of the call while it was recorded.
        title: What it is, for people; the file's name if not given.

    Raises:
        RecordingError: There is no such file.

    Example:
        >>> recording = Recording("call.mp4")
        >>> recording.audio().shape
        (240000, 2)
    """

    def __init__(self, path: str | Path, timeline: tuple[Event, ...] = (), title: str = "") -> None:
        self.path = Path(path)
        self.timeline = tuple(timeline)
        self.title = title or self.path.name
        if not self.path.is_file():
            remedy = "Check the path and the folder."
            if part_of(self.path).exists():
                remedy = f"It was cut off: xnb.recover({str(self.path)!r}) completes it."
            raise RecordingError(f"There is no recording {self.path.name}.", remedy=remedy)

    def __repr__(self) -> str:
        return f"Recording({self.path.name!r}, {self._words})"

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

        low, high = self._envelope
        return draw_envelope(low, high, len(low) / _BINS_A_SECOND)

    def spectrogram(self) -> InlineFigure:
        """Its spectrogram as a matplotlib figure.

        Raises:
            RecordingError: It has no sound.
        """
        from .plots.spectrogram import spectrogram

        return spectrogram(self.audio(), 48000)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}

    @cached_property
    def _envelope(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Lowest and highest sample of each 10 ms, made without holding all samples at once."""
        rate_hz = 48000
        size = rate_hz // _BINS_A_SECOND
        lows, highs = [], []
        rest = np.zeros(0, np.float32)
        for chunk in self._chunks(rate_hz):
            samples = np.concatenate((rest, chunk.mean(axis=1)))
            whole = len(samples) // size * size
            bins = samples[:whole].reshape(-1, size)
            lows.append(bins.min(axis=1))
            highs.append(bins.max(axis=1))
            rest = samples[whole:]
        if not lows:
            return np.zeros(1, np.float32), np.zeros(1, np.float32)
        return np.concatenate(lows), np.concatenate(highs)

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

    def _chunks(self, sample_rate_hz: int) -> Iterator[NDArray[np.float32]]:
        with self._open() as container:
            stream = self._stream(container, "audio")
            zero_s = (container.start_time or 0) / av.time_base
            layout = "mono" if stream.codec_context.channels == 1 else "stereo"
            resampler = av.AudioResampler("fltp", layout, sample_rate_hz)
            first = True
            for frame in _with_end(_decoded(container, stream)):
                if first and frame is not None and frame.time is not None:
                    silent = round((frame.time - max(0.0, zero_s)) * sample_rate_hz)
                    if silent > 0:
                        yield np.zeros((silent, 1 if layout == "mono" else 2), np.float32)
                    first = False
                for out in resampler.resample(frame):
                    yield from_av_audio(out)

    def _frames_from(self, time_s: float) -> Iterator[VideoFrame]:
        with self._open() as container:
            stream = self._stream(container, "video")
            zero_s = max(0.0, (container.start_time or 0) / av.time_base)
            if time_s > 0:
                container.seek(int((time_s + zero_s) / stream.time_base), stream=stream)
            for frame in _decoded(container, stream):
                yield VideoFrame(frame, (frame.time or 0.0) - zero_s)

    @property
    def _words(self) -> str:
        kinds = ["sound"] if self.has_audio else []
        if self.has_video:
            kinds.append(f"picture {self.width}x{self.height}")
        return f"{self.duration_s:.1f} s, {' and '.join(kinds) or 'nothing'}"

    def _html(self) -> str:
        tag = "video" if self.has_video else "audio"
        label = html.escape(f"Recording {self.title}, {self._words}", quote=True)
        note = ""
        address = self._relative_address()
        if self.path.stat().st_size < _INLINE_LIMIT_BYTES:
            data = base64.b64encode(self.path.read_bytes()).decode()
            source = f"data:{self._mime};base64,{data}"
        elif address:
            source = address
            note = f' Played from <a href="{address}">{html.escape(self.path.name)}</a>.'
        else:
            source = ""
            note = " Too large to be shown here; open the file."
        width = f' width="{min(640, self.width)}"' if self.width else ""
        player = (
            f'<{tag} controls preload="metadata" src="{source}"{width} aria-label="{label}" '
            'style="max-width:100%;display:block"></' + tag + ">"
            if source
            else ""
        )
        return (
            f'<figure role="group" aria-label="{label}" style="margin:0;max-width:640px;'
            'color:var(--jp-ui-font-color1,inherit);color-scheme:light dark">'
            f"{player}{self._waveform_image()}"
            '<figcaption style="font-size:0.9em">'
            f"{html.escape(self.title)}: {self._words}.{note}</figcaption></figure>"
        )

    @property
    def _mime(self) -> str:
        mime = _MIME.get(self.path.suffix.lower(), "application/octet-stream")
        return mime if self.has_video else mime.replace("video/", "audio/")

    def _waveform_image(self) -> str:
        if not self.has_audio:
            return ""
        image = base64.b64encode(self.waveform().png(dpi=150)).decode()
        low, high = self._envelope
        loudest = float(max(high.max(), -low.min()))
        level = "silence" if loudest < _SILENT else f"loudest {20 * np.log10(loudest):.0f} dBFS"
        alt = html.escape(f"Waveform of {self.title}, {self.duration_s:.1f} s, {level}", quote=True)
        return (
            f'<img src="data:image/png;base64,{image}" alt="{alt}" '
            'style="width:100%;background:transparent">'
        )

    def _relative_address(self) -> str | None:
        """The file as seen from the notebook's folder; ``None`` when it lies outside of it."""
        from urllib.parse import quote

        relative = os.path.relpath(self.path)
        if relative.startswith("..") or os.path.isabs(relative):
            return None
        return quote(Path(relative).as_posix())


def recover(path: str | Path) -> Recording:
    """Complete a recording that was cut off because its process was killed.

    Args:
        path: The file it was to become, e.g. ``call.mp4``, or what is left of it beside that,
            ``call.mp4.part.mkv``.

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


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames of a stream; packets that cannot be decoded are left out."""
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _with_end(frames: Iterator[Any]) -> Iterator[Any]:
    yield from frames
    yield None
