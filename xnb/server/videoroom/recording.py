"""Recording a feed: what its publisher sends goes into a file as it comes."""

from __future__ import annotations

import itertools
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import RecordingError
from ...media.encoded import EncodedFrame
from ...media.recorder import Recorder
from ..janus.plugin import PluginError
from .requests import INVALID_ELEMENT

if TYPE_CHECKING:
    from ...events import ListenerHandle
    from .feed import FeedStream
    from .publisher import Publisher

_log = logging.getLogger(__name__)

SUFFIX = ".mkv"
"""Matroska holds all codecs of a room as they come, and can be played while it is written."""
LOW = "low"
"""A picture with this description is a small copy of another, and not recorded."""


def folder_of(root: Path | None, rec_dir: str | None) -> Path:
    """Where a room records.

    Args:
        root: The server's folder of recordings, ``None`` when it has none.
        rec_dir: As in the room's settings: a folder below it.

    Raises:
        PluginError: Recording is not switched on, or ``rec_dir`` leads elsewhere (430).
    """
    if root is None:
        raise PluginError(INVALID_ELEMENT, "Recording is not enabled on this server")
    root = root.resolve()
    folder = (root / (rec_dir or "")).resolve()
    if not folder.is_relative_to(root):
        raise PluginError(
            INVALID_ELEMENT, "Invalid element (rec_dir has to be in the server's folder)"
        )
    return folder


def name_of(text: str) -> str:
    """A text as a part of a file's name: letters, digits, ``-``, ``_`` and ``.``."""
    return re.sub(r"[^\w.-]+", "_", text, flags=re.ASCII).strip("._")[:80] or "feed"


def _free(folder: Path, name: str) -> Path:
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    for one in names:
        path = folder / (one + SUFFIX)
        if not path.exists() and not Path(f"{path}.part.mkv").exists():
            return path
    raise AssertionError("the names never end")


class FeedRecording:
    """The recording of one publisher: its first sound and its first picture that is not low.

    Args:
        path: The file.
        streams: What is recorded.

    Raises:
        RecordingError: The folder cannot be written to.
    """

    def __init__(self, path: Path, streams: list[FeedStream]) -> None:
        self.path = path
        kinds = {stream.kind for stream in streams}
        self._pictures = [stream for stream in streams if stream.kind == "video"]
        self._recorder = Recorder(
            path,
            audio="audio" in kinds,
            video="video" in kinds,
            keyframe_needed=lambda _side: self._request_keyframe(),
        )
        self._handles: list[ListenerHandle] = [
            stream.incoming.on_encoded(self._writer(stream)) for stream in streams
        ]

    def __repr__(self) -> str:
        return "<FeedRecording>"

    @classmethod
    def begin(
        cls, root: Path | None, publisher: Publisher, filename: str | None
    ) -> FeedRecording | None:
        """Record a publisher from now on; ``None`` when nothing of it can be recorded.

        Raises:
            PluginError: It cannot be written there (430).
        """
        settings = publisher.room.settings
        first: dict[str, FeedStream] = {}
        for stream in publisher.streams:
            if not stream.is_disabled and stream.description != LOW:
                first.setdefault(stream.kind, stream)
        if not first:
            return None
        folder = folder_of(root, settings.rec_dir)
        made = f"videoroom-{publisher.room.id}-user-{publisher.id}-{time.time_ns() // 1000}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return cls(_free(folder, name_of(filename or made)), list(first.values()))
        except (RecordingError, OSError) as error:
            _log.warning("A feed cannot be recorded: %s", type(error).__name__)
            raise PluginError(INVALID_ELEMENT, "The recording cannot be written there") from None

    def _writer(self, stream: FeedStream) -> Callable[[EncodedFrame, float], None]:
        def write(frame: EncodedFrame, time_s: float) -> None:
            if not stream.is_silenced:
                self._recorder.push("remote", frame, time_s)

        return write

    def _request_keyframe(self) -> None:
        for stream in self._pictures:
            stream.incoming.request_keyframe()

    async def close(self) -> None:
        """Complete the file. Nothing is left when nothing came. May be called again."""
        for handle in self._handles:
            handle.close()
        try:
            await self._recorder.finish()
        except RecordingError as error:
            _log.info("A feed was not recorded: %s", error.message)
