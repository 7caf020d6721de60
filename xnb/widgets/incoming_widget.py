"""The card that waits for calls, rings, and shows the call that was accepted."""

from __future__ import annotations

import contextlib
import logging
import uuid
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import traitlets
from ipywidgets import widget_serialization

from ..errors import XnbError
from . import words
from .call_widget import widget_for
from .comms import STATIC, FreeRouting
from .door_summary import door_summary
from .live_widget import LiveWidget
from .outputs import show
from .transport import check_transport

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ..client import Client
    from ..events import ListenerHandle

_log = logging.getLogger(__name__)

MAX_CALLERS = 8
"""Calls that may wait at once; a further one is declined."""

_GONE = {
    "canceled": "{} hung up before you answered.",
    "missed": "You missed a call from {}.",
    "answered_elsewhere": "You answered {} somewhere else.",
    "declined": "You declined the call from {}.",
    "answered": "You answered {} in Python.",
}


class IncomingWidget(FreeRouting, anywidget.AnyWidget):
    """Rings for a client's incoming calls; ``widget.call`` is the one accepted last.

    Args:
        client: Whose calls to wait for. Listening begins at once and ends with :meth:`close`.
        keep_picture: Whether summaries of its calls show the far end's last picture.
        transport: Which way media of its calls take to the page; see :class:`LiveWidget`.

    Raises:
        SettingsError: There is no such transport.
    """

    _esm: ClassVar[Path] = STATIC / "incoming.js"
    _css: ClassVar[Path] = STATIC / "xnb.css"

    handle = traitlets.Unicode("").tag(sync=True)
    state = traitlets.Unicode("waiting").tag(sync=True)
    state_text = traitlets.Unicode("").tag(sync=True)
    callers: traitlets.List[Any] = traitlets.List().tag(sync=True)
    notice = traitlets.Unicode("").tag(sync=True)
    active = traitlets.Any(None, allow_none=True).tag(sync=True, **widget_serialization)

    def __init__(
        self, client: Client, *, keep_picture: bool = True, transport: str = "auto"
    ) -> None:
        self._transport = check_transport(transport)
        self.client = client
        self.call: Any = None
        self.error: BaseException | None = None
        self._keep_picture = keep_picture
        self._count = 0
        self._display_id = uuid.uuid4().hex
        self._displayed = False
        self._waiting: dict[str, Any] = {}
        self._answering: set[str] = set()
        self._futures: set[Future[Any]] = set()
        super().__init__(handle=client.handle)
        self.on_msg(self._received)
        self._trouble: ListenerHandle | None = client.on_error(self._in_trouble)
        self._subscription: Any = client.listen_for_calls(self._rings)

    def __repr__(self) -> str:
        return f"<{self._text()}>"

    def _text(self) -> str:
        if self.callers:
            names = ", ".join(caller["who"] for caller in self.callers)
            return f"{names} calling {self.handle}"
        if self.state == "closed":
            return f"Not waiting for calls as {self.handle} any more"
        return f"Waiting for calls as {self.handle}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), **self._summary()}, metadata

    def _summary(self) -> dict[str, str]:
        """What a saved notebook shows: who waited, and the call that was accepted last."""
        call = self.widget._summary() if self.widget is not None else {}
        return door_summary(self.handle, self._text(), closed=self.state == "closed", call=call)

    def _ipython_display_(self) -> None:
        """Show the card in an output that is written again when a call or the waiting is over."""
        self._displayed = True
        self._publish(update=False)

    def _publish(self, *, update: bool = True) -> None:
        if self._displayed:
            closed = self.state == "closed"
            data = self._summary() if closed else self._repr_mimebundle_()[0]
            show(data, self._display_id, update=update)

    # On the engine loop

    def _rings(self, incoming: Any) -> None:
        if len(self._waiting) >= MAX_CALLERS:
            self._start(incoming.decline(), "")
            return
        # The server's id of a call is nothing that a saved notebook should keep.
        self._count += 1
        number = str(self._count)
        self._waiting[number] = incoming
        self.notice = ""
        self._show()
        incoming.on_gone(lambda why: self._gone(number, incoming, why))

    def _gone(self, number: str, incoming: Any, why: str) -> None:
        by_click = why == "answered" and number in self._answering
        if not by_click:
            self._forget(number)
            self.notice = _GONE.get(why, "{} is gone.").format(_name(incoming))

    def _forget(self, number: str) -> None:
        self._waiting.pop(number, None)
        self._answering.discard(number)
        self._show()

    def _show(self) -> None:
        self.callers = [
            {
                "id": number,
                "who": _name(incoming),
                "video": not incoming.audio_only,
                "busy": number in self._answering,
            }
            for number, incoming in self._waiting.items()
        ]

    def _in_trouble(self, event: Any) -> None:
        self.error = event.error
        said = words.failure_words(event.error)
        self.notice = f"{said['cause']} {said['remedy']}".strip()

    # What the page asks for

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Hand over a page's message, which comes on any thread."""
        if isinstance(content, dict):
            self.client.runner.post(self._command, content)

    def _command(self, content: dict[str, Any]) -> None:
        if content.get("type") == "join":
            video = bool(content.get("video"))
            self._start(self._join(str(content.get("broadcast", ""))[:200], video), "")
            return
        number = str(content.get("id", ""))
        incoming = self._waiting.get(number)
        if incoming is None or number in self._answering:
            self._show()
            return
        self._answering.add(number)
        self._show()
        if content.get("type") == "accept":
            video = bool(content.get("video")) and not incoming.audio_only
            self._start(self._accept(number, incoming, video), number)
        elif content.get("type") == "decline":
            self._start(incoming.decline(), number)

    async def _accept(self, number: str, incoming: Any, video: bool) -> None:
        call = await incoming.accept(video=video)
        with self.hold_sync():
            self._forget(number)
            self._show_call(call)

    async def _join(self, broadcast_id: str, video: bool) -> None:
        """Join a group call, whose card shows every step and why it fails, if it does."""
        call, joining = self.client.prepare_join(broadcast_id, video=video)
        self._show_call(call)
        with contextlib.suppress(XnbError):
            await joining

    def _show_call(self, call: Any) -> None:
        self.call = call
        with self.hold_sync():
            self.notice = ""
            self.active = card = widget_for(call, transport=self._transport)
            card.keep_picture = self._keep_picture
            card.on_summary = self._publish

    @property
    def widget(self) -> LiveWidget | None:
        """The card of the call that was accepted last."""
        active: LiveWidget | None = self.active
        return active

    def _start(self, coro: Coroutine[Any, Any, Any], number: str) -> None:
        future = self.client.runner.submit(coro)
        self._futures.add(future)

        def done(finished: Future[Any]) -> None:
            self._futures.discard(finished)
            if not finished.cancelled() and (error := finished.exception()):
                self._failed(number, error)

        future.add_done_callback(done)

    def _failed(self, number: str, error: BaseException) -> None:
        self.error = error
        said = words.failure_words(error)
        self._forget(number)
        self.notice = f"{said['cause']} {said['remedy']}".strip()

    def close(self) -> None:
        """Stop waiting for calls and take the card off all pages. May be called again."""
        trouble, self._trouble = self._trouble, None
        if trouble:
            trouble.close()
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
            self.state = "closed"
            self._publish()
        super().close()


def _name(incoming: Any) -> str:
    return str(incoming.caller.handle or incoming.host_id)
