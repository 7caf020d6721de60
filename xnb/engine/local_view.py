"""What one side sends, as frames, for whoever wants to look at it on this side."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from av import AudioFrame, VideoFrame

from ..events import ListenerHandle
from ..media.encoded import EncodedFrame
from .coders.video_decoder import VideoDecoder

_log = logging.getLogger(__name__)


class LocalView:
    """Gives the frames of a source to listeners.

    Pictures that pass through encoded are decoded for them, only while there is a listener.
    """

    def __init__(self) -> None:
        self._listeners: list[Callable[[Any], Any]] = []
        self._decoder: VideoDecoder | None = None

    def listen(self, callback: Callable[[Any], Any]) -> ListenerHandle:
        """Call ``callback(frame)`` with each frame until closed."""
        self._listeners.append(callback)

        def remove() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)
            if not self._listeners:
                self._close_decoder()

        return ListenerHandle(remove)

    def show(self, frame: AudioFrame | VideoFrame) -> None:
        """A frame is about to be encoded."""
        if isinstance(frame, VideoFrame):
            self._close_decoder()
        self._tell(frame)

    def show_encoded(self, frame: EncodedFrame) -> None:
        """A frame is sent as it is."""
        if not self._listeners or frame.kind != "video":
            return
        if self._decoder is None or self._decoder.codec != frame.codec:
            self._close_decoder()
            self._decoder = VideoDecoder(
                frame.codec,
                lambda picture, _timestamp: self._tell(picture),
                lambda: None,
                asyncio.get_running_loop(),
            )
        self._decoder.push(frame)

    def _tell(self, frame: AudioFrame | VideoFrame) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(frame)
            except Exception:
                _log.exception("A reader of what is sent failed.")

    def _close_decoder(self) -> None:
        if self._decoder:
            self._decoder.close()
            self._decoder = None

    def close(self) -> None:
        """Stop for good. May be called again."""
        self._listeners.clear()
        self._close_decoder()
