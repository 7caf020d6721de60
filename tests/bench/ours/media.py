"""Pictures and sound that go into our peers, and what is noted of those that come out.

Every measure here has its twin in ../peer/media.js; keep the two the same.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.bench.clip import CELL_PX, RATE_HZ, read_counter
from xnb.engine.peer import Peer
from xnb.media.source import EndOfMedia, SourceTrack

FRAME_SAMPLES = 960
"""What a source of xnb gives at a time: 20 ms."""
CLICK_LEVEL = 3000
CLICK_REST_S = 0.15
FREEZE_EXTRA_S = 0.15


class Clip:
    """A loop of I420 pictures from a raw file."""

    def __init__(self, path: str, width: int, height: int, fps: int) -> None:
        self.width, self.height, self.fps = width, height, fps
        self.pictures = np.fromfile(path, np.uint8).reshape(-1, width * height * 3 // 2)

    def frame(self, index: int) -> av.VideoFrame:
        """A fresh frame with picture ``index``."""
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        data = memoryview(self.pictures[index])
        size = self.width * self.height
        parts = (data[:size], data[size : size * 5 // 4], data[size * 5 // 4 :])
        for plane, part in zip(frame.planes, parts, strict=True):
            plane.update(part)
        return frame


class VideoSender(SourceTrack):
    """Gives a clip's pictures on time; late ones are left out."""

    kind = "video"

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.number = -1
        self.skipped = 0
        self.sent_s: dict[int, float] = {}
        self._start_s: float | None = None
        self._closed = False

    async def read(self) -> av.VideoFrame:
        """The next picture, when it is due."""
        now_s = time.perf_counter()
        if self._start_s is None:
            self._start_s = now_s
        number = self.number + 1
        due_s = self._start_s + number / self.clip.fps
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)
        else:
            latest = int((now_s - self._start_s) * self.clip.fps)
            self.skipped += max(0, latest - number)
            number = max(number, latest)
        if self._closed:
            raise EndOfMedia
        self.number = number
        self.sent_s[number] = time.perf_counter()
        self.sent_s.pop(number - 300, None)
        frame = self.clip.frame(number % len(self.clip.pictures))
        frame.pts, frame.time_base = number * 90000 // self.clip.fps, Fraction(1, 90000)
        return frame

    def close(self) -> None:
        """End."""
        self._closed = True


class AudioSender(SourceTrack):
    """Plays mono samples over and over."""

    kind = "audio"

    def __init__(self, loop: NDArray[np.int16], clicks: list[int]) -> None:
        self._stereo = np.ascontiguousarray(np.repeat(loop, 2))
        self._length = len(loop) // FRAME_SAMPLES * FRAME_SAMPLES
        self.clicks = clicks
        self.number = -1
        self.clicked_s: deque[float] = deque(maxlen=4)
        self._start_s: float | None = None
        self._closed = False

    async def read(self) -> av.AudioFrame:
        """The next 20 ms, when they are due."""
        step_s = FRAME_SAMPLES / RATE_HZ
        now_s = time.perf_counter()
        if self._start_s is None:
            self._start_s = now_s
        due_s = self._start_s + (self.number + 1) * step_s
        if due_s > now_s:
            await asyncio.sleep(due_s - now_s)
        if self._closed:
            raise EndOfMedia
        self.number += 1
        first = self.number * FRAME_SAMPLES % self._length
        capture_s = time.perf_counter() - step_s  # when a microphone would have had sample one
        for click in self.clicks:
            if first <= click < first + FRAME_SAMPLES:
                self.clicked_s.append(capture_s + (click - first) / RATE_HZ)
        frame = av.AudioFrame("s16", "stereo", FRAME_SAMPLES)
        frame.planes[0].update(self._stereo[2 * first : 2 * (first + FRAME_SAMPLES)])
        frame.sample_rate = RATE_HZ
        frame.pts, frame.time_base = self.number * FRAME_SAMPLES, Fraction(1, RATE_HZ)
        return frame

    def close(self) -> None:
        """End."""
        self._closed = True


class VideoReceiver:
    """Notes what becomes of the pictures of one sender."""

    def __init__(self, peer: Peer, sender: VideoSender) -> None:
        self.sender = sender
        self.psnr = False
        self.reset()
        peer.video_in.on_frame(self.take)

    def reset(self) -> None:
        """Begin to count."""
        self.last_s: float | None = None
        self.latencies_s: list[float] = []
        self.psnrs_db: list[float] = []
        self.frozen_s = 0.0
        self.pictures = self.unreadable = self.backwards = self.smaller = 0
        self._last_number = -1

    def take(self, frame: av.VideoFrame, _time_s: float) -> None:
        """One decoded picture."""
        at_s = time.perf_counter()
        clip = self.sender.clip
        self.frozen_s += self._frozen(at_s)
        self.last_s = at_s
        self.pictures += 1
        self.smaller += frame.width != clip.width
        plane: Any = frame.planes[0]
        scale = frame.width / clip.width
        start = int(CELL_PX / 2 * scale) * plane.line_size
        index = read_counter(memoryview(plane)[start : start + frame.width], scale)
        if index is None:
            self.unreadable += 1
            return
        number = self.sender.number - (self.sender.number - index) % len(clip.pictures)
        self.backwards += number <= self._last_number
        self._last_number = number
        if number in self.sender.sent_s:
            self.latencies_s.append(at_s - self.sender.sent_s[number])
        if self.psnr and frame.width == clip.width:
            self._compare(plane, index)

    def _frozen(self, at_s: float) -> float:
        gap_s = 0.0 if self.last_s is None else at_s - self.last_s
        return gap_s if gap_s > 1 / self.sender.clip.fps + FREEZE_EXTRA_S else 0.0

    def _compare(self, plane: Any, index: int) -> None:
        clip = self.sender.clip
        wanted = clip.pictures[index][: clip.width * clip.height].reshape(clip.height, clip.width)
        got = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        off = got[CELL_PX : clip.height : 4, : clip.width : 4].astype(np.int32)
        off -= wanted[CELL_PX::4, ::4]
        self.psnrs_db.append(10 * np.log10(65025 / max(float(np.mean(off * off)), 1e-3)))

    def report(self) -> dict[str, Any]:
        """Since :meth:`reset`; a picture that still stands counts as frozen."""
        return {
            "pictures": self.pictures,
            "unreadable": self.unreadable,
            "backwards": self.backwards,
            "smaller": self.smaller,
            "frozen_s": self.frozen_s + self._frozen(time.perf_counter()),
            "latencies_s": self.latencies_s,
            "psnrs_db": self.psnrs_db,
        }


class AudioReceiver:
    """Notes what becomes of the sound of one sender."""

    def __init__(self, peer: Peer, sender: AudioSender, *, lateness: bool = False) -> None:
        self.sender = sender
        self.capturing = False
        self.captured: list[NDArray[np.int16]] = []
        self._lateness = lateness
        self._quiet_until_s = 0.0
        self.reset()
        peer.audio_in.on_frame(self.take)

    def reset(self) -> None:
        """Begin to count."""
        self.samples = 0
        self.latencies_s: list[float] = []
        self.transits_s: list[float] = []

    def take(self, frame: av.AudioFrame, _time_s: float) -> None:
        """One decoded frame."""
        at_s = time.perf_counter()
        self.samples += frame.samples
        if self._lateness and frame.pts is not None and frame.time_base is not None:
            self.transits_s.append(at_s - float(frame.pts * frame.time_base))
        if self.capturing or self.sender.clicks:
            channels = len(frame.layout.channels)
            mono = np.frombuffer(frame.planes[0], np.int16, frame.samples * channels)[::channels]
            if self.capturing:
                self.captured.append(mono.copy())
            if self.sender.clicks:
                self._listen(mono, at_s)

    def _listen(self, mono: NDArray[np.int16], at_s: float) -> None:
        loud = np.flatnonzero(np.abs(mono.astype(np.int32)) > CLICK_LEVEL)
        if not len(loud):
            return
        heard_s = at_s + int(loud[0]) / RATE_HZ
        if heard_s > self._quiet_until_s and self.sender.clicked_s:
            self.latencies_s.append(heard_s - self.sender.clicked_s[-1])
        self._quiet_until_s = at_s + int(loud[-1]) / RATE_HZ + CLICK_REST_S

    def write(self, path: Path) -> None:
        """Save what was captured as raw samples."""
        np.concatenate([*self.captured, np.zeros(0, np.int16)]).tofile(path)
        self.captured = []

    def report(self) -> dict[str, Any]:
        """Since :meth:`reset`."""
        late_s: list[float] = []
        if self.transits_s:
            least_s = min(self.transits_s)
            late_s = [one - least_s for one in self.transits_s]
        return {
            "seconds": self.samples / RATE_HZ,
            "latencies_s": self.latencies_s,
            "late_s": late_s,
        }


def through(sdp: str, port: int) -> str:
    """One candidate only, at the same address but the relay's port."""
    lines = []
    done = False
    for line in sdp.splitlines():
        if not line.startswith("a=candidate:"):
            lines.append(line)
            continue
        part = line.split(" ")
        usable = part[2].lower() == "udp" and ":" not in part[4] and part[7] == "host"
        # Bundled m-lines repeat the candidates (RFC 9143): the relay is in each.
        if usable and not (done and lines[-1].startswith("a=candidate:")):
            done = True
            part[5] = str(port)
            lines.append(" ".join(part[:8]))
    return "\r\n".join(lines) + "\r\n"


async def connect(pair: list[Peer], *, video: bool, relay: list[int] | None) -> None:
    """Negotiate and wait until both are connected."""

    def carried(sdp: str, port_of: int) -> str:
        return through(sdp, relay[port_of]) if relay else sdp

    await pair[1].apply_offer(carried(await pair[0].make_offer(video=video), 1), video=video)
    await pair[0].apply_answer(carried(await pair[1].make_answer(), 0))
    await asyncio.gather(*(peer.wait_connected() for peer in pair))


def say(**what: Any) -> None:
    """Tell the harness."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
