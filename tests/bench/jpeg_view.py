"""The rival of our live display: each picture as a JPEG over the comm, drawn on a canvas.

As good as that way gets: pictures are made off the loop, at most two are on their way to the
page, and one that finds two is left out.
"""

from __future__ import annotations

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import Any

import anywidget
import av

IN_FLIGHT = 2
QUALITY = 70
_MODULE = """
function render({ model, el }) {
    const canvas = document.createElement("canvas");
    canvas.className = "bench-jpeg";
    canvas.width = 640;
    canvas.height = 480;
    canvas.dataset.frames = "0";
    el.append(canvas);
    const context = canvas.getContext("2d");
    model.on("msg:custom", async ({ n }, [data]) => {
        const picture = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
        context.drawImage(picture, 0, 0);
        picture.close();
        canvas.dataset.frames = String(Number(canvas.dataset.frames) + 1);
        model.send({ shown: n });
    });
    model.send({ shown: 0 });
}
export default { render };
"""


class JpegView(anywidget.AnyWidget):
    """Shows what a call receives.

    Args:
        call: A connected call on the kernel's own loop.
        encoder: ``"pillow"``, or ``"ffmpeg"`` for FFmpeg's MJPEG encoder.
    """

    _esm = _MODULE

    def __init__(self, call: Any, encoder: str) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._worker = ThreadPoolExecutor(1, "bench-jpeg")
        self._encode = _with_pillow if encoder == "pillow" else _FFmpeg()
        self._sent = self._shown = self._making = 0
        self._begun = False
        self.on_msg(self._told)
        call.peer.video_in.on_frame(self._take)

    def _told(self, _widget: Any, content: dict[str, int], _buffers: Any) -> None:
        self._begun = True
        self._shown = max(self._shown, content["shown"])

    def _take(self, frame: av.VideoFrame, _time_s: float) -> None:
        if self._begun and self._sent + self._making - self._shown < IN_FLIGHT:
            self._making += 1
            self._task = asyncio.ensure_future(self._show(frame))

    async def _show(self, frame: av.VideoFrame) -> None:
        data = await self._loop.run_in_executor(self._worker, self._encode, frame)
        self._making -= 1
        self._sent += 1
        self.send({"n": self._sent}, [data])


def _with_pillow(frame: av.VideoFrame) -> bytes:
    file = io.BytesIO()
    frame.to_image().save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


class _FFmpeg:
    def __init__(self) -> None:
        self._codec: Any = None
        self._number = 0

    def __call__(self, frame: av.VideoFrame) -> bytes:
        if self._codec is None:
            codec: Any = av.CodecContext.create("mjpeg", "w")
            codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, "yuvj420p"
            codec.time_base = Fraction(1, 30)
            codec.options = {"qmin": "5", "qmax": "5"}  # files as large as Pillow's
            self._codec = codec
        picture = frame.reformat(format="yuvj420p")
        self._number += 1
        picture.pts, picture.time_base = self._number, Fraction(1, 30)
        return bytes(self._codec.encode(picture)[0])
