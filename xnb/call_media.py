"""What goes in and out of a call: controls, sending, recording."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import MediaError, RecordingError, SettingsError
from .events import ErrorEvent, Event, LocalStatus
from .live_recording import CallRecording, FileRecording
from .loop import Completion, Runner, blocking, crosses, on_engine
from .media import synthetic
from .media.accept import Sendable, accept
from .media.browser import PageTrack
from .media.clock import MonotonicClock
from .media.files import FileSource
from .media.late import LateSource, open_near
from .media.recorder import Sides
from .media.source import PacedTrack, Source, SourceTrack
from .playback import Playback, accept_given, codec_of, limit, replace
from .settings import CallOptions, VideoCodec

if TYPE_CHECKING:
    from .engine.peer import Peer
    from .engine.stats import PeerStats
    from .recording import Recording

MAX_RECORDINGS = 8
"""Recordings of one call that may run at once."""


class CallMedia:
    """Controls, sending and recording; see :class:`~xnb.calls.Call` for the rest.

    Attributes:
        is_muted: Whether this side's microphone is off.
        is_camera_on: Whether this side sends pictures.
        recordings: Every finished :class:`~xnb.recording.Recording` of this call.
    """

    runner: Runner
    peer: Peer | None
    options: CallOptions
    title: str
    _recording_kind = FileRecording

    def __init__(self, options: CallOptions, source: Sendable | None) -> None:
        self.options = options
        self.is_muted = False
        self.is_camera_on = options.video
        self.recordings: list[Recording] = []
        self._recordings: list[CallRecording] = []
        self._playbacks: list[Playback] = []
        self._base_source = accept_given(source, options)
        self._spare: Source | None = None
        self._silence = synthetic.silence()
        self._file_codec: VideoCodec | None = None

    def _emit(self, event: Event) -> None:
        raise NotImplementedError  # pragma: no cover - Call has it

    def _tell_media_status(self) -> None:
        raise NotImplementedError  # pragma: no cover - Call has it

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        raise NotImplementedError  # pragma: no cover - Call has it

    @property
    def video_enabled(self) -> bool:
        """Whether the call has video."""
        return self.options.video

    @property
    def sending(self) -> str:
        """Name of what is being sent, e.g. ``"clip.mp4"``."""
        if sent := [playback for playback in self._playbacks if playback._open_kinds]:
            return sent[-1].name
        shown = self._spare or self._base_source
        return shown.name if shown else ""

    @property
    def recording(self) -> CallRecording | None:
        """The recording that takes what comes now, the newest one if there are several."""
        running = [one for one in self._recordings if not one.is_stopping]
        return running[-1] if running else None

    # Controls

    @on_engine
    def mute(self) -> None:
        """Stop sending sound and tell the far side."""
        self.is_muted = True
        self._local_changed()

    @on_engine
    def unmute(self) -> None:
        """Send sound again and tell the far side."""
        self.is_muted = False
        self._local_changed()

    @on_engine
    def camera_off(self) -> None:
        """Stop sending pictures and tell the far side."""
        self.is_camera_on = False
        self._local_changed()

    @on_engine
    def camera_on(self) -> None:
        """Send pictures again and tell the far side.

        Raises:
            SettingsError: The call has no video.
        """
        if not self.options.video:
            raise SettingsError(
                "This call has no video.", remedy="Place it with video=True to have a camera."
            )
        self.is_camera_on = True
        self._local_changed()

    def _local_changed(self) -> None:
        if self.peer:
            self.peer.audio_out.muted = self.is_muted
            self.peer.video_out.muted = not self.is_camera_on
        self._tell_local()
        self._tell_media_status()

    def _tell_local(self) -> None:
        self._emit(
            LocalStatus(
                muted=self.is_muted,
                camera_on=self.is_camera_on,
                recording=self.recording is not None,
                sending=self.sending,
            )
        )

    @crosses
    async def stats(self) -> PeerStats:
        """What is known of the media connection now.

        Raises:
            MediaError: There is no media connection yet.
        """
        if self.peer is None:
            raise MediaError("There is no media connection yet.", remedy="Wait for 'connected'.")
        return await self.peer.stats()

    stats_now = blocking(stats)

    # Sending

    @crosses
    async def send_audio_file(self, path: str | Path, *, loop: bool = False) -> Playback:
        """Send the sound of a file in real time; the picture that is sent stays as it is.

        Args:
            path: Any file FFmpeg can read.
            loop: Start again at the end, until stopped.

        Raises:
            MediaError: It is missing, unreadable or has no sound; nothing was sent.
        """
        return self._send(await self._open_file(path, video=False, loop=loop))

    send_audio_file_now = blocking(send_audio_file)

    @crosses
    async def send_video_file(self, path: str | Path, *, loop: bool = False) -> Playback:
        """Send a video file in real time, with its sound in sync if it has any.

        Args:
            path: Any file FFmpeg can read.
            loop: Start again at the end, until stopped.

        Raises:
            MediaError: It is missing, unreadable or has no picture, or the call has no video;
                nothing was sent.
        """
        self._need_video()
        source = await self._open_file(path, video=True, loop=loop)
        return self._send(source)

    send_video_file_now = blocking(send_video_file)

    async def _look_at_preferred(self) -> None:
        """Look at the files to send and to prefer, before anything is placed."""
        await open_near(self._base_source)
        path = self.options.prefer
        if path is None:
            return
        source = await asyncio.to_thread(FileSource.open, path)
        self._file_codec = codec_of(source, self.options.video_settings)
        source.close()

    def _preferred_codec(self) -> VideoCodec | None:
        """The codec to ask for first, so that what will be sent need not be encoded anew."""
        if self.options.prefer is not None:
            return self._file_codec
        sources = [playback.source for playback in reversed(self._playbacks)]
        sources += [self._base_source] if self._base_source else []
        shown = next((source for source in sources if source.video), None)
        return codec_of(shown, self.options.video_settings) if shown else None

    async def _open_file(self, path: str | Path, *, video: bool, loop: bool) -> FileSource:
        source = await asyncio.to_thread(FileSource.open, path, audio=True, video=video, loop=loop)
        if video and source.video is None:
            source.close()
            raise MediaError(
                f"{source.name} has no picture.", remedy="Send it with send_audio_file."
            )
        if self.peer:
            for track, out in (
                (source.audio, self.peer.audio_out),
                (source.video, self.peer.video_out),
            ):
                if track:
                    limit(track, self.options.video_settings)
                    track.allow_packets(out.codec)
        await asyncio.to_thread(source.warm_up)
        return source

    @on_engine
    def send_video(self, pictures: Sendable, *, fps: float = 30) -> Playback:
        """Send pictures: a source such as ``xnb.testcard()``, or anything that gives some.

        Args:
            pictures: What :mod:`xnb.media.accept` lists: a generator of arrays, a function, a
                still picture, a figure, a file, an address, a source.
            fps: Pictures per second of what Python makes, 1 to 120. Late ones are dropped.

        Raises:
            MediaError: The call has no video, or this cannot be sent.
        """
        self._need_video()
        return self._send(accept(pictures, "video", fps=fps))

    @on_engine
    def send_audio(self, sound: Sendable, *, sample_rate_hz: int = 48_000) -> Playback:
        """Send sound made by Python, or a source such as ``xnb.tone(440)``.

        Args:
            sound: Samples ``(n,)`` or ``(n, channels)``, int16 or float in -1 to 1; or a
                generator of such pieces of any length; or a source, a file, an address.
            sample_rate_hz: Of the samples, 8,000 to 192,000.
        """
        return self._send(accept(sound, "audio", sample_rate_hz=sample_rate_hz))

    def _need_video(self) -> None:
        if not self.options.video:
            raise MediaError(
                "This call has no video.", remedy="Place it with video=True to send pictures."
            )

    def _send(self, source: Source) -> Playback:
        if self.is_over:
            source.close()
            raise MediaError("The call is over.", remedy="Place a new one to send something.")
        playback = Playback(self.runner, source, self._playback_stopped)
        playback._open_kinds = source.kinds
        replace(tuple(self._playbacks), playback)
        self._playbacks.append(playback)
        if isinstance(source, LateSource):
            source.on_change = lambda: self._late_changed(playback, source)
        if self.peer:
            source.start(MonotonicClock())
            self._route()
        self._tell_local()
        return playback

    def _playback_stopped(self, playback: Playback) -> None:
        if playback in self._playbacks:
            self._playbacks.remove(playback)
            self._route()
            if not self.is_over:
                self._tell_local()

    def _late_changed(self, playback: Playback, late: LateSource) -> None:
        if not self.runner.is_current:
            self.runner.post(self._late_changed, playback, late)
            return
        playback._open_kinds = late.kinds
        if not playback._open_kinds:
            playback._finish(late.failure)
        elif not self.is_over:
            replace(tuple(self._playbacks), playback)
            self._route()
            self._tell_local()
        if late.failure:
            self._emit(ErrorEvent(error=late.failure))

    def _route(self) -> None:
        """Give each outgoing track the newest source that has its kind."""
        if self.peer is None:
            return
        for out in (self.peer.audio_out, self.peer.video_out):
            track = self._track_of(out.kind)
            if isinstance(track, PageTrack):
                track.pass_on(out)
            elif out.source is not track or out.link:
                if track:
                    limit(track, self.options.video_settings)
                out.play(track)

    def _track_of(self, kind: str) -> SourceTrack | None:
        for playback in reversed(self._playbacks):
            if kind in playback._open_kinds:
                return getattr(playback.source, kind)  # type: ignore[no-any-return]
        base: PacedTrack | None = getattr(self._base_source, kind, None)
        if base is not None and not base.ended:
            return base
        spare: SourceTrack | None = getattr(self._spare, kind, None)
        return self._silence.audio if kind == "audio" else spare

    def _open_media(self, peer: Peer) -> None:
        """The media connection is there: play what was asked for and start waiting recordings."""
        peer.audio_out.on_end = lambda track, error: self._track_ended("audio", track, error)
        peer.video_out.on_end = lambda track, error: self._track_ended("video", track, error)
        peer.audio_out.muted = self.is_muted
        peer.video_out.muted = not self.is_camera_on
        given = self._base_source
        if isinstance(given, LateSource) and not given.kinds:
            self._send(given)
            self._base_source = None
        if self._base_source is None:
            self._base_source = (
                synthetic.testcard(audio=None) if self.options.video else self._silence
            )
        sent = [playback.source for playback in self._playbacks]
        for source in (self._silence, self._base_source, *sent):
            source.start(MonotonicClock())
        self._route()
        for recording in self._recordings:
            for part in recording.parts:
                part._attach(peer)

    def _track_ended(self, kind: str, track: SourceTrack, error: BaseException | None) -> None:
        if getattr(self._base_source, kind, None) is track and not self.is_over:
            self._spare = self._spare or synthetic.testcard(audio=None)
            if isinstance(error, MediaError):
                self._emit(ErrorEvent(error=error))
        for playback in tuple(self._playbacks):
            if getattr(playback.source, kind) is track:
                playback._track_ended(kind, error)
        self._route()

    def _stop_media(self) -> list[Completion[Recording]]:
        for playback in tuple(self._playbacks):
            playback._finish(None)
        return [part.stop() for recording in self._recordings for part in recording.parts]

    def _close_sources(self) -> None:
        for source in (self._silence, self._base_source, self._spare):
            if source:
                source.close()

    # Recording

    @on_engine
    def record_incoming(
        self, *, audio_path: str | Path | None = None, video_path: str | Path | None = None
    ) -> CallRecording:
        """Record what comes back: sound into one file, pictures into another.

        May be called before media flows. Stops by itself when the call ends.

        Args:
            audio_path: ``.wav``, ``.ogg`` or any container for sound alone.
            video_path: ``.mp4``, ``.webm`` or ``.mkv`` for the picture alone.

        Raises:
            RecordingError: No path given, an unknown suffix, or a folder that cannot be written.
        """
        if audio_path is None and video_path is None:
            raise RecordingError(
                "Nothing to record to.", remedy="Give audio_path=, video_path= or both."
            )
        audio = self._record_file(audio_path, audio=True, video=False) if audio_path else None
        video = self._record_file(video_path, audio=False, video=True) if video_path else None
        return self._recording_started(CallRecording(audio, video))

    @on_engine
    def record(self, path: str | Path, *, sides: Sides = "remote") -> CallRecording:
        """Record sound and picture in sync into one file.

        They are written as they come, without being decoded. Should the process be killed, what
        was recorded until then lies beside ``path``, in a file whose name ends in ``.part.mkv``:
        it can be played, and :func:`xnb.recover` completes it.

        Args:
            path: ``.webm``, ``.mp4`` or ``.mkv``; ``.wav``, ``.ogg`` or ``.m4a`` for sound alone.
            sides: ``"remote"`` is what comes back, ``"local"`` what this side sends. ``"both"``
                gives four titled tracks in ``.mkv``; elsewhere both pictures beside each other,
                the far end's left, and the sound in stereo, the far end's left.

        Raises:
            RecordingError: An unknown suffix or side, or a folder that cannot be written.
        """
        if sides not in ("remote", "local", "both"):
            raise RecordingError(
                f"There is no side {sides!r}.", remedy="Use 'remote', 'local' or 'both'."
            )
        only_sound = Path(path).suffix.lower() in (".wav", ".ogg", ".opus", ".m4a")
        video = self.options.video and not only_sound
        one = self._record_file(path, audio=True, video=video, sides=sides)
        return self._recording_started(CallRecording(one, one if video else None))

    def _record_file(
        self, path: str | Path, *, audio: bool, video: bool, sides: Sides = "remote"
    ) -> FileRecording:
        if self.is_over:
            raise RecordingError("The call is over.", remedy="Record during a call.")
        if video and not self.options.video:
            raise RecordingError(
                "This call has no video.", remedy="Give only audio_path=, or call with video=True."
            )
        if len(self._recordings) >= MAX_RECORDINGS:
            raise RecordingError(
                f"{MAX_RECORDINGS} recordings run already.", remedy="Stop one of them first."
            )
        return self._recording_kind(
            self.runner,
            Path(path),
            audio=audio,
            video=video,
            call=self,
            on_stopped=self._recording_stopped,
            sides=sides,
        )

    def _recording_started(self, recording: CallRecording) -> CallRecording:
        self._recordings.append(recording)
        if self.peer:
            for part in recording.parts:
                part._attach(self.peer)
        self._tell_local()
        return recording

    def _recording_stopped(self, part: FileRecording) -> None:
        if part.result is not None:
            self.recordings.append(part.result)
        for recording in tuple(self._recordings):
            if recording.is_finished:
                self._recordings.remove(recording)
                if not self.is_over:
                    self._tell_local()
