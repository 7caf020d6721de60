"""What a recording's player asks for, answered: pieces of the file, its looks, parts of it."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from ..errors import RecordingError
from ..media.frames import convert
from ..media.playable import Form, make_form
from ..plots.spectrogram import as_bytes, by_ear, colours
from ..plots.waveform import narrowed

if TYPE_CHECKING:
    from ..recording import Recording

PIECE_BYTES = 256 << 10
"""The most a page may ask for at once. Jupyter's server holds back a kernel that sends more than
3 MB between two requests, so six such pieces may be on their way."""
LIMIT_BYTES = 512 << 20
"""A larger file is not brought into a page, whose memory it would fill."""
POSTER_WIDTH_PX = 640
MAX_COLUMNS = 4096
SPECTRUM_ROWS = 144
_TELL_S = 0.3

Reply = tuple[dict[str, Any], list[bytes]]
Tell = Callable[[float], Any]
Name = tuple[str, str]


class Canceled(Exception):
    """The page does not want it any more."""


class Answers:
    """Answers the requests of pages. Every method blocks, and may be called on any thread.

    Args:
        recording: What it is about.
        forms: In which forms it may be asked for.
        trimmed: Called with each part that was saved.
    """

    def __init__(
        self, recording: Recording, forms: list[Form], trimmed: Callable[[Recording], Any]
    ) -> None:
        self.forms = forms
        self._recording = recording
        self._trimmed = trimmed
        self._copies: dict[int, Path] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._making = Lock()
        self._running: dict[Name, Event] = {}

    def to(self, content: dict[str, Any], name: Name, tell: Tell) -> Reply:
        """The answer to one request.

        Args:
            content: The request: its ``type`` and what belongs to it.
            name: What :meth:`cancel` calls it.
            tell: Called with the share done, 0 to 1, of what takes long.

        Raises:
            RecordingError: It cannot be done; says why.
            KeyError: No such request, or a part of it is missing.
            TypeError: A value of a wrong type.
            ValueError: The same.
        """
        answer = {
            "read": self._read,
            "form": self._form,
            "wave": self._wave,
            "spectrum": self._spectrum,
            "poster": self._poster,
            "trim": self._trim,
        }[content["type"]]
        stop = self._running[name] = Event()

        def tell_or_stop(share: float) -> None:
            if stop.is_set():
                raise Canceled
            tell(share)

        try:
            return answer(content, tell_or_stop)
        except Canceled:
            return {"type": "canceled"}, []
        finally:
            self._running.pop(name, None)

    def cancel(self, name: Name) -> None:
        """Stop working on a request, if it is still being worked on."""
        if running := self._running.get(name):
            running.set()

    def close(self) -> None:
        """Stop all work and delete the copies. May be called again."""
        for running in tuple(self._running.values()):
            running.set()
        with self._making:
            self._copies.clear()
            if self._folder:
                self._folder.cleanup()
                self._folder = None

    # The file

    def _form(self, content: dict[str, Any], tell: Tell) -> Reply:
        index = int(content["form"])
        path = self._file(index, tell)
        size_bytes = _size_bytes(path)
        if size_bytes > LIMIT_BYTES:
            raise RecordingError(
                f"With {size_bytes / 1e6:,.0f} MB it is too large for a page, which holds at most "
                f"{LIMIT_BYTES / 1e6:,.0f} MB.",
                remedy=f"Open {self._recording.path} with another program, or save a part of it.",
            )
        return {"type": "form", "size_bytes": size_bytes, "piece_bytes": PIECE_BYTES}, []

    def _read(self, content: dict[str, Any], _tell: Tell) -> Reply:
        offset, length = int(content["offset"]), int(content["length"])
        if offset < 0 or not 0 < length <= PIECE_BYTES:
            raise ValueError("no such piece")
        path = self._known_file(int(content["form"]))
        try:
            with path.open("rb") as file:
                file.seek(offset)
                data = file.read(length)
        except OSError as error:
            raise _unreadable(path, error) from None
        return {"type": "bytes", "offset": offset}, [data]

    def _known_file(self, index: int) -> Path:
        return self._recording.path if self.forms[index].how == "file" else self._copies[index]

    def _file(self, index: int, tell: Tell) -> Path:
        form = self.forms[index]
        if form.how == "file":
            return self._recording.path
        with self._making:
            if index not in self._copies:
                self._folder = self._folder or tempfile.TemporaryDirectory(prefix="xnb-")
                copy = Path(self._folder.name) / f"{index}{form.suffix}"
                try:
                    make_form(self._recording.path, form, copy, _seldom(tell))
                except (av.FFmpegError, ValueError, OSError) as error:
                    raise RecordingError(
                        f"No copy of {self._recording.path.name} could be made that this browser "
                        f"plays: {getattr(error, 'strerror', error)}."
                    ) from error
                self._copies[index] = copy
            return self._copies[index]

    # What it looks like

    def _wave(self, content: dict[str, Any], tell: Tell) -> Reply:
        columns = min(MAX_COLUMNS, max(1, int(content["columns"])))
        low, high = self._recording._read_envelope(_seldom(tell))
        begin = round(float(content["from_s"]) / self._recording.duration_s * len(low))
        end = round(float(content["to_s"]) / self._recording.duration_s * len(low))
        begin = min(max(0, begin), len(low) - 1)
        end = min(max(begin + 1, end), len(low))
        low, high = narrowed(low[begin:end], high[begin:end], columns)
        return (
            {"type": "wave", "columns": len(low)},
            [np.rint(np.clip(one, -1, 1) * 127).astype(np.int8).tobytes() for one in (low, high)],
        )

    def _spectrum(self, _content: dict[str, Any], tell: Tell) -> Reply:
        spectrum = self._recording.spectrum(_seldom(tell))
        image = as_bytes(by_ear(spectrum, SPECTRUM_ROWS)[::-1])
        return (
            {
                "type": "spectrum",
                "rows": image.shape[0],
                "columns": image.shape[1],
                "highest_hz": float(spectrum.frequencies_hz[-1]),
            },
            [image.tobytes(), colours().tobytes()],
        )

    def _poster(self, _content: dict[str, Any], _tell: Tell) -> Reply:
        frame = next(self._recording.frames()).av
        width = min(POSTER_WIDTH_PX, frame.width)
        height = max(2, round(frame.height * width / frame.width))
        pixels = convert(frame, width=width, height=height, pixel_format="rgb24").to_ndarray()
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "JPEG", quality=80)
        return {"type": "poster"}, [data.getvalue()]

    # Parts of it

    def _trim(self, content: dict[str, Any], tell: Tell) -> Reply:
        part = self._recording.trim(
            float(content["start_s"]), float(content["end_s"]), progress=_seldom(tell)
        )
        self._trimmed(part)
        return {"type": "trimmed", "path": str(part.path), "words": part.words}, []


def _seldom(tell: Tell) -> Tell:
    """The same, at most three times a second."""
    told_s = time.monotonic()

    def tell_now_and_then(share: float) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s >= _TELL_S:
            told_s = now_s
            tell(share)

    return tell_now_and_then


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(
        f"{path.name} cannot be read: {error.strerror}.", remedy="Check that it was not moved."
    )
