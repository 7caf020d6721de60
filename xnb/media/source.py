"""What is sent: a source with an audio track, a video track or both, paced by one clock."""

from __future__ import annotations

import abc
import logging
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import av

from ..errors import MediaError
from .clock import Clock, MonotonicClock
from .pace import Pace

_log = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 48000
FRAME_SAMPLES = 960
AUDIO_TIME_BASE = Fraction(1, SAMPLE_RATE_HZ)
VIDEO_TIME_BASE = Fraction(1, 90000)

# A reader that is later than this was blocked; sending what it missed would be a burst.
LATE_LIMIT_S = 0.2
# While skipping, stop at the first frame that is at most this late: about one frame.
CAUGHT_UP_S = 0.04
# Longest uninterrupted sleep, so that pause, seek and close are noticed from any thread.
_SLICE_S = 0.05
# A track that never catches up (its decoder is too slow) still shows something this often.
_CATCH_UP_S = 1.0
# A track that was not read for this long does not keep its source from being done.
_UNREAD_S = 1.0

Kind = Literal["audio", "video"]
MediaUnit: TypeAlias = "av.AudioFrame | av.VideoFrame | av.Packet[Any]"


class EndOfMedia(Exception):
    """The track has nothing more to give."""


class SourceTrack(abc.ABC):
    """One audio or video track that can be read in real time, by one reader."""

    kind: Kind
    may_rest: ClassVar[bool] = False
    """Whether nobody need read while nothing is sent: later it goes on where time has got to."""

    @property
    def origin(self) -> object:
        """What its times count from: tracks with the same origin are in step."""
        return self

    encoded_as: str | None = None
    """The codec this track could give as packets: ``"vp8"``, ``"h264"`` or ``"opus"``."""

    @abc.abstractmethod
    async def read(self) -> MediaUnit:
        """Wait until the next frame is due and return it.

        Cancelling it loses nothing: the next call returns the same frame.

        Returns:
            Audio: s16, 48 kHz, stereo, 960 samples (20 ms), contiguous. Video: yuv420p, even
            size. ``pts * time_base`` is the time since the source began, in seconds; it rises
            also over pauses, seeks and loops.

            After :meth:`allow_packets` also packets of that codec with ``is_keyframe``: one
            picture (H.264 as Annex B), or one Opus packet of at most 60 ms with its
            ``duration``. After a frame only a keyframe packet comes; after a packet a frame
            may come at any time.

        Raises:
            EndOfMedia: The track has ended or was closed.
        """

    def allow_packets(self, codec: str | None) -> None:  # noqa: B027 - most tracks only have frames
        """Say what packets the reader takes; ``None`` (as at first) means frames only.

        Args:
            codec: ``"vp8"``, ``"h264"`` or ``"opus"``. Another one than :attr:`encoded_as`
                means frames only.
        """

    def request_keyframe(self) -> None:  # noqa: B027
        """The far end cannot go on without a keyframe: give one soon, or frames."""

    def set_bandwidth(self, bps: int) -> None:  # noqa: B027
        """Say what the path takes now, in bits per second."""

    def limit_pictures(self, max_height_px: int, max_fps: float) -> None:  # noqa: B027
        """Give no packets of pictures that are higher, or come faster, than this.

        Such a track has no :attr:`encoded_as`.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Stop for good; a waiting reader gets :class:`EndOfMedia`. May be called again."""


class Timed(NamedTuple):
    """A frame with its time in the medium.

    ``epoch`` counts the seeks before it, ``run`` the places within an epoch at which the worker
    was told to begin anew.
    """

    media_s: float
    frame: MediaUnit
    epoch: int = 0
    run: int = 0


class PacedTrack(SourceTrack):
    """A track whose frames carry a time in the medium and are given out on that time.

    Subclasses say how to get the next frame (:meth:`_pull`) and how to leave out a stretch that
    is already over (:meth:`_skip_to`). ``skipped`` counts the frames left out because the
    reader came too late; ``is_passing`` tells whether what came last was a packet.
    """

    frame_s = 0.02
    _time_bases: ClassVar[dict[str, Fraction]] = {
        "audio": AUDIO_TIME_BASE,
        "video": VIDEO_TIME_BASE,
    }

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.skipped = 0
        self.ended = False
        self.reading = False
        self.last_read_s: float | None = None
        self._source: Source | None = None
        self._held: Timed | None = None
        self._catching_since_s: float | None = None
        self._first_skipped_s: float | None = None
        self._last_pts = -1
        self._end_media_s = 0.0
        self._exhausted_epoch: int | None = None
        self.is_passing = False

    @abc.abstractmethod
    async def _pull(self) -> Timed:
        """The next frame, as soon as it can be had. Raises EndOfMedia. Safe to cancel."""

    def _skip_to(self, media_s: float) -> None:
        """Frames before ``media_s`` are not wanted any more. A hint."""

    def _count_skipped(self, stretch_s: float) -> None:
        """The reader was late and a stretch of the medium was left out."""
        self.skipped += round(stretch_s / self.frame_s)

    @property
    def origin(self) -> object:
        """The source, whose tracks share one time."""
        return self if self._source is None else self._source

    @property
    def source(self) -> Source:
        """The source this track belongs to."""
        if self._source is None:
            raise MediaError("This track has no source.", remedy="Read the tracks of a Source.")
        return self._source

    async def read(self) -> MediaUnit:
        """See :meth:`SourceTrack.read`."""
        source = self.source
        source.start()
        self.reading = True
        try:
            return await self._read(source.pace)
        finally:
            self.reading = False
            self.last_read_s = source.pace.clock.now()

    def _fits(self, held: Timed, pace: Pace) -> bool:
        """Whether a frame in hand is still to be given out."""
        return held.epoch == pace.epoch

    def _giving(self, held: Timed) -> None:
        """``held`` is given out now."""

    def _length_s(self, frame: MediaUnit) -> float:
        if isinstance(frame, av.Packet) and frame.duration and frame.time_base:
            return float(frame.duration * frame.time_base)
        return self.frame_s

    async def _read(self, pace: Pace) -> MediaUnit:
        while True:
            if self.ended:
                raise EndOfMedia
            if self._held is None:
                try:
                    self._held = await self._pull()
                except EndOfMedia:
                    await self._wait_for_end(pace)
                    continue
                except MediaError as error:
                    self.source.error = error
                    self._end()
                    raise
            held = self._held
            if not self._fits(held, pace):
                self._held = None
                if held.epoch != pace.epoch:
                    self._catching_since_s = self._first_skipped_s = None
                continue
            due_s = pace.due(held.media_s)
            now_s = pace.clock.now()
            if due_s is None or due_s > now_s:
                wake_s = now_s + _SLICE_S
                await pace.clock.sleep_until(wake_s if due_s is None else min(due_s, wake_s))
                continue
            self._held = None
            self._end_media_s = held.media_s + self._length_s(held.frame)
            if self._is_stale(held, now_s - due_s, now_s):
                if self._first_skipped_s is None:
                    self._first_skipped_s = held.media_s
                self._skip_to(held.media_s + now_s - due_s)
                continue
            self._catching_since_s = None
            if self._first_skipped_s is not None:
                self._count_skipped(held.media_s - self._first_skipped_s)
                self._first_skipped_s = None
            self.is_passing = isinstance(held.frame, av.Packet)
            self._giving(held)
            return self._stamped(held.frame, pace.stamp(held.media_s))

    def _late_limit_s(self, held: Timed) -> float:
        """How late a frame may be before it is left out."""
        return LATE_LIMIT_S

    def _is_stale(self, held: Timed, late_s: float, now_s: float) -> bool:
        if self._catching_since_s is None:
            if late_s <= self._late_limit_s(held):
                return False
            self._catching_since_s = now_s
        return late_s > CAUGHT_UP_S and now_s - self._catching_since_s < _CATCH_UP_S

    async def _wait_for_end(self, pace: Pace) -> None:
        """Wait out the last frame and the source's other track; a seek brings both back."""
        epoch = self._exhausted_epoch = pace.epoch
        while not self.ended and pace.epoch == epoch:
            due_s = pace.due(self._end_media_s)
            now_s = pace.clock.now()
            if due_s is not None and due_s <= now_s and self.source._all_exhausted():
                self._end()
                return
            await pace.clock.sleep_until(now_s + _SLICE_S / 5)

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left to give, unless someone seeks."""
        return self.ended or self._exhausted_epoch == self.source.pace.epoch

    def close(self) -> None:
        """See :meth:`SourceTrack.close`."""
        self._end()

    def _end(self) -> None:
        self._held = None
        if not self.ended:
            self.ended = True
            if self._source is not None:
                self._source._track_ended()

    def _stamped(self, frame: MediaUnit, time_s: float) -> MediaUnit:
        time_base = self._time_bases[self.kind]
        pts = max(round(time_s / time_base), self._last_pts + 1)
        self._last_pts = pts
        if isinstance(frame, av.Packet):
            frame.duration = round(self._length_s(frame) / time_base)
            frame.dts = pts
        frame.pts = pts
        frame.time_base = time_base
        return frame


class Source:
    """One thing being sent: a file, a test card, what a generator draws.

    A source is read once, by one call. Closing it ends its tracks.

    Args:
        name: What people see, for example ``"clip.mp4"``.
        audio: The audio track, if it has one.
        video: The video track, if it has one.
        duration_s: Length in seconds, ``None`` when unknown or endless.
    """

    is_on_trial: ClassVar[bool] = False
    """Whether what was sent before is kept, to come back when this one ends."""

    def __init__(
        self,
        name: str,
        *,
        audio: PacedTrack | None = None,
        video: PacedTrack | None = None,
        duration_s: float | None = None,
    ) -> None:
        self.name = name
        self.audio = audio
        self.video = video
        self.duration_s = duration_s
        self.error: MediaError | None = None
        self._pace: Pace | None = None
        self._lock = threading.RLock()
        self._started_s = 0.0
        self._done = False
        self._callbacks: list[Callable[[], None]] = []
        for track in self._tracks:
            track._source = self

    def __repr__(self) -> str:
        kinds = " + ".join(track.kind for track in self._tracks) or "nothing"
        length = "" if self.duration_s is None else f", {self.duration_s:.1f} s"
        return f"<{type(self).__name__} {self.name}: {kinds}{length}>"

    @property
    def _tracks(self) -> tuple[PacedTrack, ...]:
        return tuple(track for track in (self.audio, self.video) if track is not None)

    @property
    def kinds(self) -> set[str]:
        """What it has to send now: ``"audio"``, ``"video"``."""
        return {track.kind for track in self._tracks}

    @property
    def pace(self) -> Pace:
        """What paces the tracks; made by :meth:`start`."""
        if self._pace is None:
            self.start()
        assert self._pace is not None
        return self._pace

    @property
    def epoch(self) -> int:
        """How often somebody sought."""
        return 0 if self._pace is None else self._pace.epoch

    def start(self, clock: Clock | None = None) -> None:
        """Get ready to be read. Does nothing when started already.

        Args:
            clock: What to pace by; the machine's monotonic clock if not given.
        """
        with self._lock:
            if self._pace is None:
                self._pace = Pace(clock or MonotonicClock())
                self._started_s = self._pace.clock.now()
                self._begin()

    def _begin(self) -> None:
        """Subclasses start their workers here."""

    @property
    def position_s(self) -> float:
        """Where sending is in the medium, in seconds from its beginning."""
        position_s = 0.0 if self._pace is None else self._pace.position_s()
        return position_s if self.duration_s is None else min(position_s, self.duration_s)

    @property
    def paused(self) -> bool:
        """Whether sending was paused."""
        return self._pace is not None and self._pace.paused

    def pause(self) -> None:
        """Stop giving out frames until :meth:`resume`."""
        self.pace.pause()

    def resume(self) -> None:
        """Go on after :meth:`pause`, from the same place."""
        self.pace.resume()

    def seek(self, time_s: float) -> None:
        """Go to ``time_s`` seconds from the beginning.

        Raises:
            MediaError: This source has no places to go to, or not this one.
        """
        raise MediaError(
            f"{self.name} cannot seek to {time_s:g} s.", remedy="Only files have places to go to."
        )

    @property
    def skipped(self) -> int:
        """Frames left out because the reader was blocked for too long."""
        return sum(track.skipped for track in self._tracks)

    @property
    def passing(self) -> tuple[str, ...]:
        """The kinds whose last unit was a packet, sent as it is in the medium."""
        return tuple(track.kind for track in self._tracks if track.is_passing)

    @property
    def done(self) -> bool:
        """Whether everything was given out, or the source was closed."""
        return self._done

    def on_done(self, fn: Callable[[], None]) -> None:
        """Call ``fn`` once when the source is done, on whatever thread that happens.

        Called at once when it is done already.
        """
        with self._lock:
            if not self._done:
                self._callbacks.append(fn)
                return
        fn()

    def close(self) -> None:
        """Stop sending and let go of files and threads. May be called again."""
        for track in self._tracks:
            track.close()
        self._finish()

    def _track_ended(self) -> None:
        if all(track.ended or self._is_abandoned(track) for track in self._tracks):
            self._finish()

    def _all_exhausted(self) -> bool:
        return all(track.is_exhausted or self._is_abandoned(track) for track in self._tracks)

    def _is_abandoned(self, track: PacedTrack) -> bool:
        since_s = self._started_s if track.last_read_s is None else track.last_read_s
        return not track.reading and self.pace.clock.now() - since_s > _UNREAD_S

    def _finish(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
            callbacks, self._callbacks = self._callbacks, []
        self._released()
        for fn in callbacks:
            try:
                fn()
            except Exception:
                _log.exception("A callback of %s failed.", self.name)

    def _released(self) -> None:
        """Subclasses let go of workers here. Called once, on any thread."""
