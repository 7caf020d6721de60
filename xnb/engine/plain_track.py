"""The tracks of the plain ``RTCPeerConnection``: they give frames to whoever reads them."""

from __future__ import annotations

import asyncio
from typing import Any

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from ..events import ListenerHandle
from .receive import Incoming

MAX_WAITING = {"audio": 50, "video": 10}
"""Frames that may wait for a slow reader; the oldest is dropped after that."""


class PlainTrack:
    """Lets ``pc.getReceivers()[0].track.recv()`` give what a peer receives.

    For code written for aiortc: its own receiver does not run here. The first ``recv()`` starts
    the decoder; ``track.stop()`` and the end of the call stop it.

    Args:
        track: As aiortc made it.
        incoming: What the peer receives of its kind.
    """

    def __init__(self, track: MediaStreamTrack, incoming: Incoming) -> None:
        self._track = track
        self._incoming = incoming
        self._frames: asyncio.Queue[Any] = asyncio.Queue(MAX_WAITING[track.kind])
        self._handle: ListenerHandle | None = None
        track.recv = self._recv  # type: ignore[method-assign]
        track.on("ended", self.close)

    async def _recv(self) -> Any:
        if self._track.readyState != "live":
            raise MediaStreamError
        if self._handle is None:
            self._handle = self._incoming.on_frame(self._take)
        frame = await self._frames.get()
        if frame is None:
            raise MediaStreamError
        return frame

    def _take(self, frame: Any, _time_s: float) -> None:
        self._put(frame)

    def _put(self, item: Any) -> None:
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(item)

    def close(self) -> None:
        """Stop reading; a waiting reader gets ``MediaStreamError``. May be called again."""
        if self._handle:
            self._handle.close()
            self._handle = None
        self._put(None)
