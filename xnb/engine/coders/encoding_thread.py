"""A video encoder on a thread of its own, fed with the newest picture."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from av import VideoFrame

from ...settings import VideoCodec, VideoSettings
from .video_encoder import VideoEncoder

_log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 1.0


class Job(NamedTuple):
    """One picture to encode.

    Attributes:
        frame: The picture; ``pts`` in ticks of 90 kHz.
        codec: ``"vp8"`` or ``"h264"``.
        target_bps: What to aim at.
        owner: Given back with the result.
    """

    frame: VideoFrame
    codec: VideoCodec
    target_bps: int
    owner: object


class EncodingThread:
    """Encodes pictures one at a time, off the event loop.

    While one is being encoded the newest of those that come waits; the others are left out, so
    that a slow machine shows fewer pictures rather than older ones.

    Args:
        settings: Limits of the encoder.
        deliver: Called on the loop with each result: the job, the encoded bytes, whether it is a
            keyframe.

    Attributes:
        skipped: Pictures left out.
        encoder: The encoder in use, once there was a picture.
    """

    def __init__(
        self, settings: VideoSettings, deliver: Callable[[Job, bytes, bool], object]
    ) -> None:
        self.skipped = 0
        self.encoder: VideoEncoder | None = None
        self._settings = settings
        self._deliver = deliver
        self._worker: ThreadPoolExecutor | None = None
        self._running: asyncio.Future[Any] | None = None
        self._waiting: Job | None = None
        self._need_key = False
        self._closed = False

    def encode(self, job: Job) -> None:
        """Encode a picture, or let it wait for the one that is being encoded."""
        if self._closed:
            return
        if self._running is not None:
            self.skipped += self._waiting is not None
            self._waiting = job
            return
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="xnb-encode")
        if self.encoder is None or self.encoder.codec != job.codec:
            self._close_encoder()
            self.encoder = VideoEncoder(job.codec, self._settings)
        self.encoder.set_target(job.target_bps)
        keyframe, self._need_key = self._need_key, False
        loop = asyncio.get_running_loop()
        try:
            running = loop.run_in_executor(self._worker, _encode, self.encoder, job.frame, keyframe)
        except RuntimeError:
            # The interpreter ends: no thread takes work any more, and nobody waits for pictures.
            self._closed = True
            return
        self._running = running
        self._running.add_done_callback(lambda done: self._finished(done, job))

    def want_keyframe(self) -> None:
        """Make the next picture a keyframe."""
        self._need_key = True

    def forget_waiting(self) -> None:
        """The picture that waits is not wanted any more."""
        self._waiting = None

    def _finished(self, done: asyncio.Future[Any], job: Job) -> None:
        self._running = None
        if self._closed or done.cancelled():
            return
        error = done.exception()
        if error is not None:
            _log.warning("Encoding %s failed: %s.", job.codec, type(error).__name__)
            self._need_key = True
            self._close_encoder()
        elif done.result() is not None:
            self._deliver(job, *done.result())
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not self._closed:
            self.encode(waiting)

    async def idle(self) -> None:
        """Wait until nothing is being encoded."""
        while self._running is not None:
            await asyncio.wait((self._running,))
            await asyncio.sleep(0)

    def _close_encoder(self) -> None:
        if self.encoder:
            self.encoder.close()
            self.encoder = None

    async def close(self) -> None:
        """Stop the thread. May be called again."""
        self._closed = True
        self._waiting = None
        if self._running:
            await asyncio.wait((self._running,), timeout=CLOSE_TIMEOUT_S)
        self._close_encoder()
        if self._worker:
            self._worker.shutdown(wait=False)
            self._worker = None


def _encode(encoder: VideoEncoder, frame: VideoFrame, keyframe: bool) -> tuple[bytes, bool] | None:
    return encoder.encode(frame, keyframe=keyframe)
