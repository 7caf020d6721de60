"""Something being sent into a call: its progress, and the handle to stop it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import MediaError
from .loop import Completion, Runner, on_engine
from .media.accept import Sendable, accept
from .media.source import Source, SourceTrack
from .settings import VIDEO_CODECS, CallOptions, VideoCodec, VideoSettings


def accept_given(given: Sendable | None, options: CallOptions) -> Source | None:
    """The source that a call is placed with, if any; pictures where it could be either."""
    if given is None:
        return None
    return accept(given, "video" if options.video else "audio")


def limit(track: SourceTrack, settings: VideoSettings) -> None:
    """Keep a track from sending a file's packets beyond what a call sends at most."""
    track.limit_pictures(settings.max_height_px, settings.max_fps)


def codec_of(source: Source, settings: VideoSettings) -> VideoCodec | None:
    """The codec in which the picture of ``source`` can be sent as it is, within ``settings``."""
    if source.video is None:
        return None
    limit(source.video, settings)
    return next((name for name in VIDEO_CODECS if name == source.video.encoded_as), None)


class Playback:
    """A file, generator or array on its way into a call.

    Attributes:
        done: Finishes when the last frame was sent or :meth:`stop` was called; raises
            :class:`~xnb.errors.MediaError` when the source broke. ``await playback.done``.
    """

    def __init__(self, runner: Runner, source: Source, on_stop: Callable[[Playback], Any]) -> None:
        self.runner = runner
        self.source = source
        self.done: Completion[None] = Completion(f"sending {source.name}")
        self._open_kinds: set[str] = set()
        self._on_stop = on_stop

    def __repr__(self) -> str:
        state = "done" if self.done.is_done else f"{self.progress:.0%}"
        return f"<Playback of {self.name}: {state}>"

    @property
    def name(self) -> str:
        """What is being sent."""
        return self.source.name

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, or ``None`` when it has no known end."""
        return self.source.duration_s

    @property
    def position_s(self) -> float:
        """Media time sent so far, in seconds."""
        return float(self.source.position_s)

    @property
    def progress(self) -> float:
        """Share sent so far, 0 to 1; 0 while the length is unknown."""
        if self.done.is_done:
            return 1.0
        if not self.duration_s:
            return 0.0
        return min(1.0, self.position_s / self.duration_s)

    @property
    def passed_through(self) -> tuple[str, ...]:
        """What is sent as it is in the file, without being encoded anew, at the moment.

        ``"audio"``, ``"video"``, both or nothing. It takes the far end's codec, a path wide
        enough, and a file without B-frames; frames and packets may take turns.
        """
        return self.source.passing

    @on_engine
    def stop(self) -> None:
        """Stop sending; what was sent before comes back. May be called again."""
        self._finish(None)

    @on_engine
    def pause(self) -> None:
        """Hold the source where it is; nothing is sent until :meth:`resume`."""
        self.source.pause()

    @on_engine
    def resume(self) -> None:
        """Go on after :meth:`pause`."""
        self.source.resume()

    @on_engine
    def seek(self, time_s: float) -> None:
        """Go to ``time_s`` seconds from the start.

        Raises:
            MediaError: The source cannot seek, or has no such time.
        """
        self.source.seek(time_s)

    def _track_ended(self, kind: str, error: BaseException | None) -> None:
        self._open_kinds.discard(kind)
        if error or not self._open_kinds:
            self._finish(error)

    def _finish(self, error: BaseException | None) -> None:
        if self.done.is_done:
            return
        if error is None:
            self.done.set(None)
        elif isinstance(error, MediaError):
            self.done.fail(error)
        else:
            failure = MediaError(f"Sending {self.name} broke: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self.done.fail(failure)
        self.source.close()
        self._on_stop(self)


def replace(playbacks: tuple[Playback, ...], newer: Playback) -> None:
    """Take from those before ``newer`` what it sends now, unless it may break off any time.

    What is replaced in full is finished; what is replaced in part goes on with the rest.
    """
    if newer.source.is_on_trial:
        return
    for other in playbacks:
        if other is newer:
            break
        if other._open_kinds and other._open_kinds <= newer._open_kinds:
            other._finish(None)
        other._open_kinds -= newer._open_kinds
