"""The player of one recording: picture, waveform, spectrogram, markers, download, trim."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import anywidget
import av
import traitlets

from ..errors import RecordingError, XnbError
from ..media.playable import Form, forms_of
from ..plots.player import player_html
from .comms import STATIC, FreeRouting
from .outputs import show
from .recording_answers import Answers, Reply

if TYPE_CHECKING:
    from ..recording import Recording

_log = logging.getLogger(__name__)

MAX_WAITING = 32
"""Requests of pages that may wait at once; a page itself keeps to six."""

# Reading goes on while a copy is made or a part is cut out. Neither disturbs an event loop.
_readers = ThreadPoolExecutor(2, "xnb-recording-read")
_workers = ThreadPoolExecutor(2, "xnb-recording-work")


class RecordingWidget(FreeRouting, anywidget.AnyWidget):
    """Plays a recording in the page; ``widget.trimmed`` are the parts that were saved there.

    The synced traits hold what the recording is, in words and numbers. The media itself, its
    waveform and its spectrogram go to the page when it asks for them, piece by piece in custom
    messages, which no notebook saves. They are read on threads of their own, also while a cell
    runs.

    Args:
        recording: What to play.
        markers: Seconds and words to show on the waveform; those of the recording if not given.

    Raises:
        RecordingError: The file cannot be read.

    Example:
        >>> xnb.widgets.RecordingWidget(recording, markers=[(2.5, "listen here")])
    """

    _esm: ClassVar[Path] = STATIC / "recording.js"
    _css: ClassVar[Path] = STATIC / "recording.css"

    title = traitlets.Unicode("").tag(sync=True)
    name = traitlets.Unicode("").tag(sync=True)
    words = traitlets.Unicode("").tag(sync=True)
    duration_s = traitlets.Float(0.0).tag(sync=True)
    has_audio = traitlets.Bool(False).tag(sync=True)
    has_video = traitlets.Bool(False).tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(0).tag(sync=True)
    size_bytes = traitlets.Float(0.0).tag(sync=True)
    mimes: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    markers: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(
        self, recording: Recording, markers: Sequence[tuple[float, str]] | None = None
    ) -> None:
        self.recording = recording
        self.trimmed: list[Recording] = []
        self.error: BaseException | None = None
        self._waiting = 0
        self._lock = Lock()
        self._answers = Answers(recording, _forms_of(recording), self.trimmed.append)
        shown = recording.markers if markers is None else markers
        super().__init__(
            title=recording.title,
            name=recording.path.name,
            words=recording.words,
            duration_s=recording.duration_s,
            has_audio=recording.has_audio,
            has_video=recording.has_video,
            width=recording.width or 0,
            height=recording.height or 0,
            size_bytes=float(recording.path.stat().st_size),
            mimes=[form.mime for form in self._answers.forms],
            markers=[(float(time_s), str(text)) for time_s, text in shown],
        )
        self.on_msg(self._received)

    def __repr__(self) -> str:
        return repr(self.recording)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        still = {"text/plain": repr(self), "text/html": player_html(self.recording)}
        return {**(data or {}), **still}, metadata

    # What the page asks for

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A request of a page, on any thread: handed to a thread that may wait for the disk."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "cancel":
            self._answers.cancel(_name_of(content))
            return
        with self._lock:
            full = self._waiting >= MAX_WAITING
            self._waiting += not full
        if full:
            self._answer(content, {"type": "failed", "text": "Too many requests at once."}, [])
        elif content.get("type") == "read":
            _readers.submit(self._serve, content)
        else:
            _workers.submit(self._serve, content)

    def _serve(self, content: dict[str, Any]) -> None:
        def tell(share: float) -> None:
            self._answer(content, {"type": "progress", "share": round(share, 3)}, [])

        try:
            reply, buffers = self._reply(content, tell)
            self._answer(content, reply, buffers)
        except Exception:
            _log.exception("A page's request could not be answered.")
        finally:
            with self._lock:
                self._waiting -= 1

    def _reply(self, content: dict[str, Any], tell: Any) -> Reply:
        try:
            return self._answers.to(content, _name_of(content), tell)
        except XnbError as error:
            self.error = error
            return {"type": "failed", "text": str(error)}, []
        except (KeyError, TypeError, ValueError):
            return {"type": "failed", "text": "The page asked for something unknown."}, []
        except Exception as error:
            self.error = error
            _log.exception("A page's request failed.")
            text = f"An unforeseen {type(error).__name__} came up; widget.error holds it."
            return {"type": "failed", "text": text}, []

    def _answer(self, content: dict[str, Any], reply: dict[str, Any], buffers: list[bytes]) -> None:
        if self.comm is not None:
            whose = {"page": str(content.get("page", ""))[:64], "id": content.get("id")}
            self.send({**reply, **whose}, buffers)

    def close(self) -> None:
        """Take the player off all pages. The recording stays. May be called again."""
        if hasattr(self, "_answers"):  # not when the file could not be read
            self._answers.close()
        super().close()


def _forms_of(recording: Recording) -> list[Form]:
    try:
        return forms_of(recording.path)
    except (av.FFmpegError, OSError) as error:
        raise RecordingError(
            f"{recording.path.name} cannot be read: {getattr(error, 'strerror', error)}.",
            remedy="Check that it is complete and was not moved.",
        ) from None


def _name_of(content: dict[str, Any]) -> tuple[str, str]:
    """Which request it is, of which page."""
    return str(content.get("page", ""))[:64], str(content.get("id", ""))[:16]


_widgets: WeakKeyDictionary[Recording, RecordingWidget] = WeakKeyDictionary()


def show_recording(recording: Recording) -> None:
    """Display a recording: its one player in a notebook, a line of text elsewhere.

    Raises:
        RecordingError: The file cannot be read any more.
    """
    text = {"text/plain": repr(recording)}
    if not _in_notebook():
        show(text, "")
        return
    widget = _widgets.get(recording)
    if widget is None or widget.comm is None:
        widget = _widgets[recording] = RecordingWidget(recording)
    show(widget._repr_mimebundle_()[0], "")


def _in_notebook() -> bool:
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]

    return hasattr(get_ipython(), "kernel")  # type: ignore[no-untyped-call,unused-ignore]
