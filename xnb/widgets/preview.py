"""Thumbnails of what we send, for the corner of the card."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

import av
from PIL import Image

from ..events import ListenerHandle
from ..media.frames import convert

WIDTH_PX = 200
INTERVAL_S = 1 / 8
MAX_IN_FLIGHT = 2
ACK_TIMEOUT_S = 2.0
QUALITY = 70


class Preview:
    """Sends JPEG thumbnails, never more than two that the page has not shown yet.

    Args:
        send: Takes a thumbnail's number, width and height in pixels, and its bytes.
    """

    def __init__(self, send: Callable[[int, int, int, bytes], Any]) -> None:
        self.skipped = 0
        self._visible = False
        self._outgoing: Any = None
        self._send = send
        self._sent = 0
        self._shown = 0
        self._last_s = 0.0
        self._handle: ListenerHandle | None = None

    def watch(self, outgoing: Any) -> None:
        """Take frames from ``outgoing`` (an engine ``Outgoing``) from now on."""
        self.close()
        self._outgoing = outgoing
        self._follow()

    @property
    def visible(self) -> bool:
        """Whether a page shows it; nothing is taken from the call while none does."""
        return self._visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self._visible = value
        self._follow()

    def _follow(self) -> None:
        wanted = self._visible and self._outgoing is not None
        if wanted and self._handle is None:
            self._handle = self._outgoing.on_frame(self._frame)
        elif not wanted and self._handle:
            self._handle.close()
            self._handle = None

    def acknowledge(self, number: int) -> None:
        """The page has shown thumbnail ``number``."""
        self._shown = max(self._shown, min(number, self._sent))

    def _frame(self, frame: Any) -> None:
        now = time.monotonic()
        if not isinstance(frame, av.VideoFrame):
            return
        if now - self._last_s < INTERVAL_S:
            return
        if self._sent - self._shown >= MAX_IN_FLIGHT:
            if now - self._last_s < ACK_TIMEOUT_S:
                self.skipped += 1
                return
            self._shown = self._sent  # the page that should have answered is gone
        self._last_s = now
        self._sent += 1
        data, width, height = thumbnail(frame)
        self._send(self._sent, width, height, data)

    def close(self) -> None:
        """Stop. May be called again; :meth:`watch` starts anew."""
        self._outgoing = None
        self._follow()


def thumbnail(frame: av.VideoFrame) -> tuple[bytes, int, int]:
    """A JPEG of ``frame``, 200 px wide, with its width and height in pixels."""
    width = min(WIDTH_PX, frame.width)
    height = max(2, round(frame.height * width / frame.width))
    pixels = convert(frame, width=width, height=height, pixel_format="rgb24").to_ndarray()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue(), width, height
