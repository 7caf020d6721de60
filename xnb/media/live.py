"""Media that comes when it comes: cameras, microphones, streams. Read once, decoded, passed on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import av

from ..errors import MediaError
from .decode import AudioDecoder, VideoDecoder
from .handoff import Handoff
from .source import FRAME_SAMPLES, SAMPLE_RATE_HZ, Kind, PacedTrack, Source, Timed

_log = logging.getLogger(__name__)

_RETRY_FIRST_S = 0.5
_RETRY_LONGEST_S = 3.0
# Further ahead of its place than this, it waits (what can wait) or moves (what cannot).
_MAX_LEAD_S = 0.5
_QUEUE_S = 1.0
_QUEUE_BYTES = 64 << 20
_LEAST_PICTURES = 4
_SLICE_S = 0.05


class LiveTrack(PacedTrack):
    """One track of a :class:`LiveSource`. ``dropped`` counts frames that nobody took in time."""

    def __init__(self, kind: Kind, frame_s: float, capacity: int) -> None:
        super().__init__(kind)
        self.frame_s = frame_s
        self.dropped = 0
        self.queue: Handoff[Timed] = Handoff(capacity, lambda: None)

    async def _pull(self) -> Timed:
        return await self.queue.get()

    def put(self, media_s: float, frame: Any, epoch: int) -> None:
        """Hand a frame to the reader. On the worker's thread."""
        dropped = self.queue.put_newest(Timed(media_s, frame, epoch))
        if self.reading:
            self.dropped += dropped


class LiveSource(Source):
    """Reads an open container on a thread of its own, and shows it a fixed time later.

    Where the other end's clock runs away from ours, or nothing came for a while, the line between
    its time and ours is drawn anew, for sound and picture at once; ``jumps`` counts that.

    Args:
        name: What people see. Never an address.
        container: Opened for reading.
        reopen: Opens it again, after it broke off.
        audio: Take its sound, if it has any.
        video: Take its picture, if it has one.
        delay_s: How long after its arrival something is shown; evens out how it arrives.
        is_pulled: Whether the other end waits when nothing is read, as with TCP; else what is
            not read in time is lost.
        reconnect_s: How long to try again after it broke off; 0: not at all.

    Raises:
        MediaError: It has nothing of what is wanted.
    """

    def __init__(
        self,
        name: str,
        container: Any,
        reopen: Callable[[], Any],
        *,
        audio: bool = True,
        video: bool = True,
        delay_s: float = 0.2,
        is_pulled: bool = False,
        reconnect_s: float = 0.0,
    ) -> None:
        self._container = container
        self._reopen = reopen
        self._delay_s = delay_s
        self._is_pulled = is_pulled
        self._reconnect_s = reconnect_s
        self._wanted = [kind for kind, on in (("audio", audio), ("video", video)) if on]
        self._closing = threading.Event()
        self._offset_s: float | None = None
        self._decoders: dict[int, tuple[AudioDecoder | VideoDecoder, LiveTrack]] = {}
        self.jumps = 0
        self.reconnected = 0
        tracks = self._look(name)
        super().__init__(name, audio=tracks.get("audio"), video=tracks.get("video"))

    def _look(self, name: str) -> dict[str, LiveTrack]:
        tracks: dict[str, LiveTrack] = {}
        for kind, stream, decoder in self._streams():
            capacity = round(_QUEUE_S * SAMPLE_RATE_HZ / FRAME_SAMPLES)
            if isinstance(decoder, VideoDecoder):
                pictures = min(_QUEUE_S / decoder.frame_s, _QUEUE_BYTES / decoder.frame_bytes)
                capacity = max(_LEAST_PICTURES, round(pictures))
            tracks[kind] = LiveTrack(kind, decoder.frame_s, capacity)
            self._decoders[stream.index] = decoder, tracks[kind]
        if not tracks:
            wanted = " or ".join({"audio": "sound", "video": "a picture"}[k] for k in self._wanted)
            self._container.close()
            raise MediaError(f"The {name} has no track to send: wanted {wanted}.")
        return tracks

    def _streams(self) -> list[tuple[Kind, Any, AudioDecoder | VideoDecoder]]:
        found: list[tuple[Kind, Any, AudioDecoder | VideoDecoder]] = []
        streams = self._container.streams
        if "audio" in self._wanted and streams.audio:
            sound = streams.audio[0]
            found.append(("audio", sound, AudioDecoder(self._container, sound.index, 0.0, {})))
        if "video" in self._wanted and streams.video:
            picture = streams.video[0]
            found.append(("video", picture, VideoDecoder(self._container, picture.index, 0.0, {})))
        return found

    @property
    def dropped(self) -> int:
        """Frames that came and were not taken in time."""
        return sum(track.dropped for _, track in self._decoders.values())

    def _begin(self) -> None:
        # Set up before anything is on its way, so that the worker finds the pace.
        threading.Thread(target=self._work, name="xnb-live", daemon=True).start()

    def _released(self) -> None:
        self._closing.set()
        for track in self._tracks:
            if isinstance(track, LiveTrack):
                track.queue.finish()
        if self._pace is None:
            self._container.close()

    # The worker's side

    def _work(self) -> None:
        failure: MediaError | None = None
        try:
            failure = self._read_all()
        except MediaError as error:
            failure = error
        except Exception as error:
            # Its text may quote an address.
            _log.warning("%s broke off: %s.", self.name, type(error).__name__)
            failure = MediaError(f"The {self.name} broke off: {type(error).__name__}.")
        finally:
            self._container.close()
        for track in self._tracks:
            if isinstance(track, LiveTrack):
                track.queue.finish(failure)

    def _read_all(self) -> MediaError | None:
        """Read to the end, and on after interruptions; why it ended, ``None`` if properly."""
        while True:
            why = self._read()
            if self._closing.is_set():
                return None
            failure = MediaError(
                f"The {self.name} broke off (stage: reading): {why}.",
                remedy="Check the other end and the way to it, then send it again.",
            )
            if not self._open_again():
                return failure if why else None

    def _read(self) -> str:
        """Read until it ends; why, ``""`` if properly."""
        packets = self._container.demux(*[self._container.streams[i] for i in self._decoders])
        try:
            for packet in packets:
                if self._closing.is_set():
                    return ""
                decoder, track = self._decoders[packet.stream.index]
                frames = decoder.feed(packet)
                if frames is None:
                    return "it cannot be decoded"
                for stamp_s, frame in frames:
                    self._place(track, stamp_s, frame)
        except av.EOFError:
            return ""
        except av.error.ExitError:
            return "nothing came any more"
        except (av.FFmpegError, OSError) as error:
            return error.strerror or type(error).__name__
        return ""

    def _place(self, track: LiveTrack, stamp_s: float, frame: Any) -> None:
        pace = self.pace
        while True:
            now_s = pace.position_s()
            if self._offset_s is None:
                self._offset_s = now_s + self._delay_s - stamp_s
            media_s = stamp_s + self._offset_s
            lead_s = media_s - now_s
            if self._is_pulled and (lead_s > _MAX_LEAD_S + self._delay_s or track.queue.is_full):
                if self._closing.wait(_SLICE_S):
                    return
                continue
            if not 0 <= lead_s <= _MAX_LEAD_S + self._delay_s:
                self.jumps += 1
                self._offset_s = now_s + self._delay_s - stamp_s
                media_s = now_s + self._delay_s
            track.put(media_s, frame, pace.epoch)
            return

    def _open_again(self) -> bool:
        """Open it again, trying for :attr:`_reconnect_s`; whether it is open."""
        deadline_s = time.monotonic() + self._reconnect_s
        pause_s = _RETRY_FIRST_S
        self._container.close()
        while time.monotonic() < deadline_s and not self._closing.wait(pause_s):
            pause_s = min(2 * pause_s, _RETRY_LONGEST_S)
            try:
                self._container = self._reopen()
            except MediaError as error:
                _log.info("%s", error.message)
                continue
            tracks = {track.kind: track for _, track in self._decoders.values()}
            self._decoders = {
                stream.index: (decoder, tracks[kind])
                for kind, stream, decoder in self._streams()
                if kind in tracks
            }
            if self._decoders:
                self.reconnected += 1
                self._offset_s = None
                return True
            self._container.close()
        return False
