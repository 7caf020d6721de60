"""One track of a file: between the worker that feeds it and the reader on its loop."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import NamedTuple

import av

from .decode import AudioDecoder, Decoded, VideoDecoder
from .handoff import Handoff
from .pace import Pace
from .packets import PacketReader
from .passthrough import SOON_S, Choice, Feeder
from .source import Kind, MediaUnit, PacedTrack, Timed

_READ_AHEAD_S = 0.5
_READ_AHEAD_BYTES = 64 << 20
# Decoding this much for nothing is quicker than seeking; packets this late may come in a burst.
_SKIP_BY_DECODING_S = 1.0
# How much fuller a track counts that was fed in vain, so that the other one has its turn.
_IN_VAIN = 0.5
_FPS_GRACE = 1.1


class Jump(NamedTuple):
    """A place the worker goes on from, and what it marks its units with."""

    media_s: float
    epoch: int
    run: int


class FileTrack(PacedTrack):
    """A track of a :class:`~xnb.media.files.FileSource`.

    Args:
        kind: ``"audio"`` or ``"video"``.
        decoder: Decodes it.
        primed: What the decoder gave already.
        codec: The codec whose packets could be sent as they are, if they could.
        open_packets: Opens a reader of these packets.

    Attributes:
        at_s: Time in the medium up to which everything was given out.
        came_to_nothing: The worker's last work on it gave nothing yet.
    """

    def __init__(
        self,
        kind: Kind,
        decoder: AudioDecoder | VideoDecoder,
        primed: Decoded,
        codec: str | None,
        open_packets: Callable[[], PacketReader] | None,
    ) -> None:
        super().__init__(kind)
        self.decoder = decoder
        self.encoded_as = self._codec = codec
        self.choice = Choice()
        self.feeder = Feeder(decoder, open_packets, self.choice, primed)
        self.frame_s = decoder.frame_s
        self.wake = threading.Event()
        self.at_s = 0.0
        self.came_to_nothing = False
        self.place = Jump(0.0, 0, 0)
        self._lock = threading.Lock()
        self._run = 0
        self._wanted_jump: Jump | None = None
        self._gave_any = False
        self._given_s = -math.inf
        frames = _READ_AHEAD_S / self.frame_s
        if isinstance(decoder, VideoDecoder):
            frames = min(frames, _READ_AHEAD_BYTES / decoder.frame_bytes)
        self.queue: Handoff[Timed] = Handoff(max(4, math.ceil(frames)), self._taken)

    # What the reader may take

    def allow_packets(self, codec: str | None) -> None:
        """See :meth:`SourceTrack.allow_packets`. On the reader's loop."""
        allowed = codec is not None and codec == self._codec
        if allowed == self.choice.allowed:
            return
        self.choice.allowed = allowed
        if not self._gave_any or self.kind == "audio" or not allowed:
            # Sound changes over anywhere, and packets that are not taken must not come.
            self.go_to(self.at_s, self.source.epoch)
        self.wake.set()

    def request_keyframe(self) -> None:
        """See :meth:`SourceTrack.request_keyframe`. On the reader's loop."""
        if self.kind == "audio" or not self._gave_any:
            return
        now_s = self.source.pace.clock.now()
        if self.is_passing:
            soon = self._is_near_keyframe(self._held) or self.queue.holds(self._is_near_keyframe)
            self.choice.request_keyframe(now_s, soon=soon)
        else:
            self.choice.count_request(now_s)
        self.wake.set()

    def _is_near_keyframe(self, timed: Timed | None) -> bool:
        if timed is None or not isinstance(timed.frame, av.Packet):
            return False
        return timed.frame.is_keyframe and timed.media_s - self.at_s <= SOON_S

    def set_bandwidth(self, bps: int) -> None:
        """See :meth:`SourceTrack.set_bandwidth`."""
        if self.kind == "video":
            self.choice.set_bandwidth(bps)
            self.wake.set()

    def limit_pictures(self, max_height_px: int, max_fps: float) -> None:
        """See :meth:`SourceTrack.limit_pictures`."""
        if isinstance(self.decoder, VideoDecoder):
            fast = 1 / self.frame_s > max_fps * _FPS_GRACE
            self.choice.fits = self.decoder.height_px <= max_height_px and not fast
            self.encoded_as = self._codec if self.choice.fits else None

    # The reader's side

    def _taken(self) -> None:
        self.wake.set()

    async def _pull(self) -> Timed:
        return await self.queue.get()

    def _fits(self, held: Timed, pace: Pace) -> bool:
        if not super()._fits(held, pace) or held.run != self._run:
            return False
        if isinstance(held.frame, av.Packet):
            return self.choice.allowed
        # A frame for what went out as a packet just before the change.
        return self.kind == "audio" or held.media_s > self._given_s

    def _giving(self, held: Timed) -> None:
        self._gave_any = True
        self._given_s = held.media_s
        self.at_s = self._end_media_s
        frame = held.frame
        if self.kind == "video" and isinstance(frame, av.Packet) and frame.is_keyframe:
            self.choice.keyframe_given(self.source.pace.clock.now())

    def _late_limit_s(self, held: Timed) -> float:
        if self.kind == "video" and isinstance(held.frame, av.Packet):
            return _SKIP_BY_DECODING_S  # leaving out packets would break the ones after them
        return super()._late_limit_s(held)

    def _skip_to(self, media_s: float) -> None:
        if media_s - self._end_media_s > _SKIP_BY_DECODING_S:
            self.go_to(media_s, self.source.epoch)

    def go_to(self, media_s: float, epoch: int) -> None:
        """Let the worker go on from ``media_s``. On the reader's loop."""
        with self._lock:
            self._run += 1
            self._wanted_jump = Jump(media_s, epoch, self._run)
        self.at_s = self._end_media_s = media_s
        self._given_s = -math.inf
        self._gave_any = False
        self.queue.restart()
        self.wake.set()

    # The worker's side

    def take_jump(self) -> Jump | None:
        """The place to go on from, if there is a new one."""
        with self._lock:
            jump, self._wanted_jump = self._wanted_jump, None
            return jump

    def put(self, media_s: float, unit: MediaUnit) -> None:
        """Hand a unit to the reader."""
        self.queue.put(Timed(media_s, unit, self.place.epoch, self.place.run))

    def new_run(self) -> None:
        """Take back what was put and not given out yet."""
        with self._lock:
            if self._wanted_jump is None:
                self._run += 1
                self.place = self.place._replace(run=self._run)
        self.queue.restart()

    def need(self) -> float:
        """The smaller, the more urgent it is to feed this track."""
        fill = len(self.queue) / self.queue.capacity
        return fill + _IN_VAIN if self.came_to_nothing else fill
