"""Rivals of the comm path: how others show an array in a notebook, again and again.

Both get every picture that the call decodes, as RGB.
"""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import ipywidgets
import numpy as np
from jupyter_rfb import RemoteFrameBuffer
from numpy.typing import NDArray

QUALITY = 80
"""What jupyter_rfb has by itself."""


class ImageView(ipywidgets.Image):  # type: ignore[misc]
    """``ipywidgets.Image`` with a new JPEG for each picture, as its documentation shows it.

    It knows nothing of what the page has shown; a picture that comes while the one before is
    being made is left out.
    """

    def __init__(self, call: Any) -> None:
        super().__init__(format="jpeg", width=640, height=480)
        self.add_class("bench-image")
        self._loop = asyncio.get_running_loop()
        self._worker = ThreadPoolExecutor(1, "bench-image")
        self._making: asyncio.Task[None] | None = None
        call.peer.video_in.on_frame(self._take)

    def _take(self, frame: av.VideoFrame, _time_s: float) -> None:
        if self._making is None or self._making.done():
            self._making = asyncio.ensure_future(self._make(frame))

    async def _make(self, frame: av.VideoFrame) -> None:
        self.value = await self._loop.run_in_executor(self._worker, _jpeg, frame)


def _jpeg(frame: av.VideoFrame) -> bytes:
    file = io.BytesIO()
    frame.to_image().save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


class FrameBuffer(RemoteFrameBuffer):  # type: ignore[misc]
    """jupyter_rfb, which makes a JPEG whenever the page has shown the one before the last."""

    def __init__(self, call: Any) -> None:
        super().__init__()
        self.css_width, self.css_height, self.resizable = "640px", "480px", False
        self._array: NDArray[np.uint8] | None = None
        call.peer.video_in.on_frame(self._take)

    def _take(self, frame: av.VideoFrame, _time_s: float) -> None:
        self._array = frame.to_ndarray(format="rgb24")
        self.request_draw()

    def get_frame(self) -> NDArray[np.uint8] | None:
        """What jupyter_rfb asks for."""
        return self._array
