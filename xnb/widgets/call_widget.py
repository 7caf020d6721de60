"""The live card of one call."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
import uuid
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import anywidget
import traitlets
from ipywidgets import widget_serialization

from ..errors import CallError, RecordingError, XnbError
from ..events import EVENTS, Event, ListenerHandle
from . import words
from .browser_leg import BrowserLeg
from .call_view import describe, step
from .comms import STATIC, FreeRouting
from .outputs import show
from .static_summary import summary_html, summary_text

if TYPE_CHECKING:
    from ..recording import Recording

_log = logging.getLogger(__name__)

STATS_INTERVAL_S = 1.0
RECORDINGS_FOLDER = Path("recordings")
EVENTS_KEPT = 500


class CallWidget(FreeRouting, anywidget.AnyWidget):
    """Shows a call and steers it: picture, sound, level, buttons, what went wrong.

    Showing it twice makes one call. Its synced traits hold plain words and numbers only; media
    and descriptions go over the comm of a second, hidden model.

    Args:
        call: The call to show, or ``None`` when it does not exist yet: then report progress with
            :meth:`set_stage`, and hand it over with :meth:`attach` or give up with :meth:`fail`.
        title: Who is called, shown until the call is there.
    """

    _esm: ClassVar[Path] = STATIC / "call.js"
    _css: ClassVar[Path] = STATIC / "xnb.css"

    title = traitlets.Unicode("").tag(sync=True)
    state = traitlets.Unicode("new").tag(sync=True)
    state_text = traitlets.Unicode("starting").tag(sync=True)
    stage_text = traitlets.Unicode("").tag(sync=True)
    stages: traitlets.List[Any] = traitlets.List().tag(sync=True)
    incoming = traitlets.Bool(False).tag(sync=True)
    connected_at = traitlets.Float(0.0).tag(sync=True)
    duration_s = traitlets.Float(0.0).tag(sync=True)
    muted = traitlets.Bool(False).tag(sync=True)
    camera_on = traitlets.Bool(False).tag(sync=True)
    has_video = traitlets.Bool(False).tag(sync=True)
    recording = traitlets.Bool(False).tag(sync=True)
    record_elapsed = traitlets.Float(0.0).tag(sync=True)
    sending = traitlets.Unicode("").tag(sync=True)
    codec = traitlets.Unicode("").tag(sync=True)
    size = traitlets.Unicode("").tag(sync=True)
    fps = traitlets.Unicode("").tag(sync=True)
    rtt = traitlets.Unicode("").tag(sync=True)
    loss = traitlets.Unicode("").tag(sync=True)
    path = traitlets.Unicode("").tag(sync=True)
    remote_muted = traitlets.Bool(False).tag(sync=True)
    remote_camera_off = traitlets.Bool(False).tag(sync=True)
    failure = traitlets.Dict().tag(sync=True)
    ended = traitlets.Dict().tag(sync=True)
    recorded: traitlets.List[Any] = traitlets.List().tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    own_thread = traitlets.Bool(False).tag(sync=True)
    leg = traitlets.Any().tag(sync=True, **widget_serialization)

    def __init__(self, call: Any = None, title: str = "") -> None:
        self.call = call
        self.error: BaseException | None = None
        self._before: list[dict[str, Any]] = []
        self._events: list[Event] = []
        self._begun_s = time.monotonic()
        self._handles: list[ListenerHandle] = []
        self._cancel: list[Callable[[], Any]] = []
        self._views: dict[str, bool] = {}
        self._display_id = uuid.uuid4().hex
        self._displayed = False
        self._futures: set[Future[Any]] = set()
        self._poll: asyncio.Task[None] | None = None
        self._record_start_s: float | None = None
        values = describe(call, tuple(call.timeline), ()) if call is not None else {}
        super().__init__(**{"title": title, "leg": BrowserLeg(), **values})
        self.on_msg(self._received)
        if call is not None:
            self._hand_over(call)

    def __repr__(self) -> str:
        return f"<{summary_text(self._values(), self.recorded)}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), **self._summary()}, metadata

    def _summary(self) -> dict[str, str]:
        values = self._values()
        return {
            "text/plain": summary_text(values, self.recorded),
            "text/html": summary_html(values, self.recorded),
        }

    def _ipython_display_(self) -> None:
        """Show the card in an output that a summary takes over when the call has ended.

        A saved notebook has no live card; the summary is what it shows.
        """
        if self.ended or self.failure:
            show(self._summary(), self._display_id)
            return
        show(self._repr_mimebundle_()[0], self._display_id)
        self._displayed = True

    def _values(self) -> dict[str, Any]:
        names = ("title", "state", "state_text", "duration_s", "failure", "ended")
        return {name: getattr(self, name) for name in names}

    @property
    def recordings(self) -> list[Recording]:
        """The finished recordings of the call, oldest first."""
        return list(self.call.recordings) if self.call is not None else []

    # Before there is a call

    def set_stage(self, name: str, text: str) -> None:
        """Show a step on the way to a call that does not exist yet.

        Args:
            name: The step's own name; saying it again changes its text.
            text: For people: "Starting the server".
        """
        at_ms = 1000 * (time.monotonic() - self._begun_s)
        known = {one["name"]: one for one in self._before}
        known[name] = step(name, text, known[name]["at_ms"] if name in known else at_ms)
        self._before = list(known.values())
        last = len(self._before) - 1
        with self.hold_sync():
            self.stages = [{**one, "done": i < last} for i, one in enumerate(self._before)]
            self.stage_text = text

    def on_cancel(self, callback: Callable[[], Any]) -> None:
        """Call ``callback()``, on any thread, when hang up is clicked before there is a call."""
        self._cancel.append(callback)

    def fail(self, error: BaseException) -> None:
        """Show that there will be no call, and why. A call that ended says so by itself."""
        self.error = error
        if self.ended:
            return
        with self.hold_sync():
            self.state = "ended"
            if isinstance(error, CallError):
                self.state_text = "ended"
                self.ended = {"reason": "error", "reason_text": error.message.rstrip(".")}
            else:
                self.state_text = "failed"
                self.failure = words.failure_words(error)

    def attach(self, call: Any) -> None:
        """Show ``call`` from now on. May be called on any thread."""
        self.call = call
        self._hand_over(call)

    def _hand_over(self, call: Any) -> None:
        _widgets[call] = self
        if call.runner.is_current:
            self._bind(call)
        else:
            call.runner.post(self._bind, call)

    # What the call tells us, on the engine loop

    def _bind(self, call: Any) -> None:
        self._release()
        self._events = list(call.timeline)
        self._handles = [call.on(name, self._happened) for name in EVENTS if name != "track"]
        with self.hold_sync():
            self.own_thread = bool(call.runner.is_thread)
            self.failure = {}
        self.leg.bind(call)
        self._refresh()
        if not self.ended:
            self._poll = asyncio.ensure_future(self._poll_stats(call))

    def _happened(self, event: Event) -> None:
        if not any(known is event for known in self._events):
            self._events.append(event)
            del self._events[:-EVENTS_KEPT]
        self.leg.follow_call()
        if event.name == "error":
            self.notice = event.error.message  # type: ignore[attr-defined]
        elif event.name == "localstatus":
            self.notice = ""
        self._refresh()
        if event.name == "ended":
            self._ended()

    def _refresh(self) -> None:
        if self.call is None:
            return
        values = describe(self.call, self._events, self._before)
        values["recorded"] = [str(one.path) for one in self.call.recordings]
        if len(values["recorded"]) > len(self.recorded):
            values["notice"] = f"Recorded to {values['recorded'][-1]}"
        if self.call.error is not None:
            self.error = self.call.error
        if values["recording"] and self._record_start_s is None:
            self._record_start_s = time.monotonic()
        elif not values["recording"]:
            self._record_start_s = None
        with self.hold_sync():
            for name, value in values.items():
                setattr(self, name, value)

    def _ended(self) -> None:
        self._release()
        if self._displayed:
            show(self._summary(), self._display_id, update=True)
        self._start(self.leg.shut())

    def _release(self) -> None:
        while self._handles:
            self._handles.pop().close()
        if self._poll:
            self._poll.cancel()
            self._poll = None

    async def _poll_stats(self, call: Any) -> None:
        while True:
            await asyncio.sleep(STATS_INTERVAL_S)
            if not any(self._views.values()) or self.state not in ("connected", "reconnecting"):
                continue
            try:
                stats = dataclasses.asdict(await asyncio.wait_for(call.stats(), 2.0))
            except (TimeoutError, XnbError):
                stats = {}
            with self.hold_sync():
                for name, text in words.stats_words(stats).items():
                    setattr(self, name, text)
                self.duration_s = float(call.duration_seconds or 0.0)
                if self._record_start_s is not None:
                    self.record_elapsed = time.monotonic() - self._record_start_s

    # What the page asks for

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A message of a page, on any thread: only handed over."""
        if not isinstance(content, dict):
            return
        call = self.call
        if call is not None:
            call.runner.post(self._command, content)
        elif content.get("type") == "view":
            self._view(content)
        elif content.get("name") == "hangup":
            for callback in tuple(self._cancel):
                callback()

    def _view(self, content: dict[str, Any]) -> None:
        page = str(content.get("page", ""))[:64]
        if content.get("open"):
            self._views[page] = bool(content.get("visible"))
        else:
            self._views.pop(page, None)

    def _command(self, content: dict[str, Any]) -> None:
        if content.get("type") == "view":
            self._view(content)
            return
        name, on = content.get("name"), bool(content.get("on"))
        try:
            if name == "mute":
                (self.call.mute if on else self.call.unmute)()
            elif name == "camera":
                (self.call.camera_on if on else self.call.camera_off)()
            elif name == "record":
                self._start(self._record(on), "record")
            elif name == "hangup":
                self._start(self.call.hangup(), "hangup")
        except Exception as error:
            self._refused(str(name), error)

    async def _record(self, on: bool) -> None:
        running = self.call.recording
        if on and running is None:
            self.notice = ""
            codec = getattr(self.call.peer, "video_codec_in_use", None)
            self.call.record(recording_path(self.title, video=self.has_video, codec=codec))
        elif not on and running is not None:
            await running.stop()
        self._refresh()

    def _start(self, coro: Coroutine[Any, Any, Any], name: str = "") -> None:
        future = self.call.runner.submit(coro)
        self._futures.add(future)

        def done(finished: Future[Any]) -> None:
            self._futures.discard(finished)
            if not finished.cancelled() and (error := finished.exception()):
                self._refused(name, error)

        future.add_done_callback(done)

    def _refused(self, name: str, error: BaseException) -> None:
        self.error = error
        said = words.failure_words(error)
        self.notice = f"{said['cause']} {said['remedy']}".strip()
        self.send({"type": "refused", "name": name})
        if not isinstance(error, XnbError):
            _log.error("%s failed.", name or "A widget task", exc_info=error)

    def close(self) -> None:
        """Take the card off all pages. The call goes on. May be called again."""
        call = self.call
        if call is not None and not call.runner.is_closed:
            call.runner.post(self._release)
            call.runner.submit(self.leg.shut())
            _widgets.pop(call, None)
        super().close()


def recording_path(title: str, *, video: bool, codec: str | None = None) -> Path:
    """A file name in ``recordings/`` with the time in it.

    Sound alone is .wav; a picture goes into the container that its codec is at home in, .mp4 for
    H.264, .webm for VP8.

    Raises:
        RecordingError: The folder cannot be made.
    """
    who = "".join(c if c.isalnum() or c in "-_" else "-" for c in title).strip("-") or "call"
    try:
        RECORDINGS_FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise RecordingError(
            f"The folder {RECORDINGS_FOLDER}/ cannot be made here ({error.strerror}).",
            remedy="Use call.record(path) with a folder that can be written.",
        ) from None
    stem = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{who}"
    suffix = (".mp4" if codec == "h264" else ".webm") if video else ".wav"
    path, number = RECORDINGS_FOLDER / f"{stem}{suffix}", 2
    while path.exists():
        path, number = RECORDINGS_FOLDER / f"{stem}-{number}{suffix}", number + 1
    return path


_widgets: WeakKeyDictionary[Any, CallWidget] = WeakKeyDictionary()


def widget_for(call: Any) -> CallWidget:
    """The one widget of ``call``; made when it is first shown."""
    widget = _widgets.get(call)
    if widget is None:
        widget = CallWidget(call)
    return widget
