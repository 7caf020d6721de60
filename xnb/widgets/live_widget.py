"""What the live cards of 1:1 calls and of groups have in common."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anywidget
import traitlets
from ipywidgets import widget_serialization

from ..errors import CallError, MediaError, RecordingError, XnbError
from ..events import EVENTS, Event, ListenerHandle, ParticipantChanged, Talking
from . import words
from .browser_leg import BrowserLeg
from .call_view import describe, step
from .comms import FreeRouting
from .figures import Figures
from .own_files import picture_path, recording_path, save_picture
from .page_views import PageViews
from .summarized import Summarized
from .transport import check_transport

if TYPE_CHECKING:
    from ..media.frames import VideoFrame
    from ..recording import Recording
    from .recording_widget import RecordingWidget

_log = logging.getLogger(__name__)

EVENTS_KEPT = 500
GOOD_NEWS_S = 8.0
SAVING_S = 0.3
"""How often is looked how far a recording is that has to be made after it has stopped."""


class LiveWidget(Summarized, FreeRouting, anywidget.AnyWidget):
    """Follows a call and steers it: state, figures, buttons, media, what went wrong.

    Showing it twice makes one call. Its synced traits hold plain words and numbers only; media
    and descriptions go over the comm of a second, hidden model.

    Args:
        call: The call to show, or ``None`` when it does not exist yet: then report progress with
            :meth:`set_stage`, and hand it over with :meth:`attach` or give up with :meth:`fail`.
        title: Who is called, shown until the call is there.
        transport: Which way media take to the page: ``"webrtc"``, ``"comm"`` (encoded frames over
            the notebook's own connection), ``"jpeg"`` (pictures one by one), or ``"auto"``, the
            best that works.

    Raises:
        SettingsError: There is no such transport.
    """

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
    bitrate = traitlets.Unicode("").tag(sync=True)
    transport = traitlets.Unicode("auto").tag(sync=True)
    remote_muted = traitlets.Bool(False).tag(sync=True)
    remote_camera_off = traitlets.Bool(False).tag(sync=True)
    failure = traitlets.Dict().tag(sync=True)
    ended = traitlets.Dict().tag(sync=True)
    recorded: traitlets.List[Any] = traitlets.List().tag(sync=True)
    saving = traitlets.Unicode("").tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    own_thread = traitlets.Bool(False).tag(sync=True)
    leg = traitlets.Any().tag(sync=True, **widget_serialization)
    player = traitlets.Any(None, allow_none=True).tag(sync=True, **widget_serialization)

    def __init__(self, call: Any = None, title: str = "", *, transport: str = "auto") -> None:
        self.call = call
        self.error: BaseException | None = None
        self._before: list[dict[str, Any]] = []
        self._events: list[Event] = []
        self._begun_s = time.monotonic()
        self._handles: list[ListenerHandle] = []
        self._cancel: list[Callable[[], Any]] = []
        self._futures: set[Future[Any]] = set()
        self._figures = Figures(self.send, self._show_figures)
        self._record_start_s: float | None = None
        self._followed: Any = None
        self._good_news = ""
        values = self._describe(tuple(call.timeline)) if call is not None else {}
        super().__init__(**{"title": title, "transport": transport, "leg": BrowserLeg(), **values})
        self._views = PageViews(self._seen, self._page_gone)
        self._keep_summary(lambda: self._views.is_seen, self._shown_peer)
        self.on_msg(self._received)
        if call is not None:
            self._hand_over(call)

    @traitlets.validate("transport")
    def _check_transport(self, proposal: Any) -> str:
        return check_transport(proposal["value"])

    @property
    def recordings(self) -> list[Recording]:
        """The finished recordings of the call, oldest first."""
        return list(self.call.recordings) if self.call is not None else []

    def recording_widget(self, index: int = -1) -> RecordingWidget:
        """A player of one of the call's recordings.

        Args:
            index: Which of :attr:`recordings`; the last one if not given.

        Raises:
            RecordingError: There is no such recording, or its file is gone.

        Example:
            >>> widget.recording_widget()
        """
        from .recording_widget import RecordingWidget

        try:
            return RecordingWidget(self.recordings[index])
        except IndexError:
            raise RecordingError(
                f"The call has {len(self.recordings)} finished recordings, none at {index}.",
                remedy="Click Record, or call.record(path), and stop it first.",
            ) from None

    async def snapshot(self) -> VideoFrame:
        """The far end's next picture; ``.image`` is ``(height, width, 3)`` uint8 RGB.

        Raises:
            MediaError: There is no call yet, or no picture came within 5 s.

        Example:
            >>> frame = await widget.snapshot()
            >>> frame.image.shape
            (480, 640, 3)
        """
        if self.call is None:
            raise MediaError(
                "There is no call yet, so there is no picture.",
                remedy='Wait for it: await widget.call.until("connected").',
            )
        frame: VideoFrame = await self.call.video.snapshot()
        return frame

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

    def _shown_peer(self) -> Any:
        """The peer whose last picture the summary shows."""
        return getattr(self.call, "peer", None)

    def _hand_over(self, call: Any) -> None:
        widgets[call] = self
        if call.runner.is_current:
            self._bind(call)
        else:
            call.runner.post(self._bind, call)

    # What the call tells us, on the engine loop

    def _bind(self, call: Any) -> None:
        self._release()
        # Who talked when does not show, and would drive out the steps that do.
        chatter = (Talking, ParticipantChanged)
        self._events = [one for one in call.timeline if not isinstance(one, chatter)]
        self._keeper.follow(call)
        self._handles = [call.on(name, self._happened) for name in EVENTS if name != "track"]
        with self.hold_sync():
            self.own_thread = bool(call.runner.is_thread)
            self.failure = {}
        self.leg.bind(call)
        self._refresh()
        if not self.ended:
            self._figures.start(call)

    def _happened(self, event: Event) -> None:
        if not any(known is event for known in self._events):
            self._events.append(event)
            del self._events[:-EVENTS_KEPT]
        self.leg.follow_call()
        self._figures.follow()
        if event.name == "error":
            self.notice = event.error.message  # type: ignore[attr-defined]
        elif event.name == "localstatus":
            self.notice = ""
        self._refresh()
        if event.name == "ended":
            self._ended()

    def _describe(self, events: Sequence[Event]) -> dict[str, Any]:
        """The synced values of the call."""
        return describe(self.call, events, self._before)

    def _refresh(self) -> None:
        if self.call is None:
            return
        values = self._describe(self._events)
        values["recorded"] = [str(one.path) for one in self.call.recordings]
        if len(values["recorded"]) > len(self.recorded):
            self._say(f"Recorded to {values['recorded'][-1]}")
        if self.call.error is not None:
            self.error = self.call.error
        if values["recording"] and self._record_start_s is None:
            self._record_start_s = time.monotonic()
        elif not values["recording"]:
            self._record_start_s = None
        running = self.call.recording
        if running is not None and running is not self._followed:
            self._followed = running
            self._start(self._follow_recording(running), "record")
        with self.hold_sync():
            for name, value in values.items():
                setattr(self, name, value)

    def _ended(self) -> None:
        self._release()
        self._end_with_summary(self._start)

    def _release(self) -> None:
        self._keeper.stop()
        self._views.close()
        while self._handles:
            self._handles.pop().close()
        self._figures.stop()

    def _show_figures(self, stats: dict[str, Any]) -> None:
        with self.hold_sync():
            for name, text in words.stats_words(stats).items():
                setattr(self, name, text)
            self.duration_s = float(self.call.duration_seconds or 0.0)
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
            self._views.told(content)
        elif content.get("name") == "hangup":
            for callback in tuple(self._cancel):
                callback()

    def _seen(self, by_somebody: bool) -> None:
        self._figures.visible = by_somebody

    def _page_gone(self, page: str) -> None:
        self.leg.forget(page)

    def _command(self, content: dict[str, Any]) -> None:
        if content.get("type") == "view":
            self._views.told(content)
            return
        name = str(content.get("name"))
        try:
            self._act(name, bool(content.get("on")), content)
        except Exception as error:
            self._refused(name, error)

    def _act(self, name: str, on: bool, content: dict[str, Any]) -> None:
        """Do what a button asks for."""
        if name == "mute":
            (self.call.mute if on else self.call.unmute)()
        elif name == "camera":
            (self.call.camera_on if on else self.call.camera_off)()
        elif name == "record":
            self._start(self._record(on), "record")
        elif name == "snapshot":
            self._start(self._save_snapshot(), "snapshot")
        elif name == "play":
            self.player = self.recording_widget(int(content.get("index", -1)))
        elif name == "hangup":
            self._start(self.call.hangup(), "hangup")

    async def _record(self, on: bool) -> None:
        running = self.call.recording
        if on and running is None:
            self.notice = ""
            codec = getattr(self.call.peer, "video_codec_in_use", None)
            self.call.record(recording_path(self.title, video=self.has_video, codec=codec))
        elif not on and running is not None:
            await running.stop()
        self._refresh()

    async def _follow_recording(self, running: Any) -> None:
        """Show how far a file is that has to be made when the recording has stopped."""
        name = running.parts[0].path.name
        while not running.is_finished:
            # What another recording says stays while this one has nothing to say.
            if (share := running.progress) is not None:
                self.saving = f"Making {name}: {share:.0%}"
            await asyncio.sleep(SAVING_S)
        self.saving = ""
        self._refresh()
        if self.ended:
            self._keeper.files_changed(self.recordings)
            self._show_summary()

    async def _save_snapshot(self) -> None:
        frame = await self.snapshot()
        path = picture_path(self.title)
        await asyncio.to_thread(save_picture, frame, path)
        self._say(f"Snapshot saved as {path}")

    def _say(self, good_news: str) -> None:
        """Show it for a while; it lies over the picture. Bad news stays."""
        if self.notice and self.notice != self._good_news:
            return
        self.notice = self._good_news = good_news
        asyncio.get_running_loop().call_later(GOOD_NEWS_S, self._unsay, good_news)

    def _unsay(self, text: str) -> None:
        if self.notice == text:
            self.notice = ""

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
            widgets.pop(call, None)
        super().close()


widgets: WeakKeyDictionary[Any, LiveWidget] = WeakKeyDictionary()
"""The one card of each call that has any."""
