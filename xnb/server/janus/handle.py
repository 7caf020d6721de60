"""An attached handle: the thread of messages between one client and one plugin."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .api_error import ApiError, Code
from .plugin import Answer, Plugin, PluginError, PluginHandle
from .session import Json, Session

_log = logging.getLogger(__name__)
MAX_WAITING = 64
_ROOM_S = 10.0
_MESSAGE_S = 30.0
_DETACH_S = 5.0

Reply = Callable[[Json], None]


@dataclass(frozen=True, repr=False)
class Request:
    """A message on its way to a plugin, and how to answer it."""

    body: Json
    jsep: Json | None
    transaction: str
    reply: Reply
    is_synchronous: bool


_Job = Request | Callable[[], Awaitable[None]]


class Handle:
    """A plugin's ``HandleLink`` on one side, the client's handle on the other.

    Messages, candidates and hang-ups reach the plugin one after the other, in the order in which
    the client sent them. At most 64 of them wait; who sends more waits itself, and after 10 s is
    told that the plugin is too busy (462).

    Args:
        session: Whose handle it is.
        plugin: What it is attached to.
        handle_id: Its number.
        opaque_id: What the client calls it.
        on_closed: Called once it is no longer one of the session's.
        is_owner: As in :class:`~xnb.server.janus.plugin.HandleLink`.
    """

    def __init__(
        self,
        session: Session,
        plugin: Plugin,
        handle_id: int,
        opaque_id: str | None,
        on_closed: Callable[[Awaitable[None]], None],
        *,
        is_owner: bool,
    ) -> None:
        self.id = handle_id
        self.is_owner = is_owner
        self.session_id = session.id
        self.opaque_id = opaque_id
        self.plugin = plugin
        self.streams: frozenset[str] | None = None
        self.is_offered = False
        self._session = session
        self._on_closed = on_closed
        self._inbox: asyncio.Queue[_Job] = asyncio.Queue(maxsize=MAX_WAITING)
        self._current: Request | None = None
        self._is_closed = False
        self._inner: PluginHandle = plugin.attach(self)
        self._worker = asyncio.create_task(self._work(), name=f"janus handle {handle_id}")

    def __repr__(self) -> str:
        return f"Handle({self.id}, {self.plugin.package})"

    # What the plugin calls.

    def event(self, data: Json, jsep: Json | None = None) -> None:
        """Send a plugin event without transaction."""
        self._event(data, jsep, None)

    def webrtcup(self) -> None:
        """Tell the client that the peer connection is up."""
        self._notice("webrtcup")

    def media(self, kind: str, mid: str, receiving: bool) -> None:
        """Tell the client that its media of one m-line began or stopped to arrive."""
        self._notice("media", mid=mid, type=kind, receiving=receiving)

    def hangup(self, reason: str) -> None:
        """Tell the client that the peer connection is gone."""
        self._forget_description()
        self._notice("hangup", reason=reason)

    def close(self) -> None:
        """Detach from the plugin's side, after the message at hand. May be called again."""
        if not self._is_closed:
            self._on_closed(self._close_in_turn())

    # What the core calls.

    @property
    def inner(self) -> PluginHandle:
        """The handle in the plugin."""
        return self._inner

    async def submit(self, job: _Job) -> None:
        """Queue a request, or anything to be done in turn.

        Raises:
            ApiError: 462, there was no room for it in time.
        """
        try:
            async with asyncio.timeout(_ROOM_S):
                await self._inbox.put(job)
        except TimeoutError:
            raise ApiError(
                Code.PLUGIN_MESSAGE, f"The plugin is too busy: {MAX_WAITING} messages wait for it"
            ) from None

    async def hang_up(self) -> None:
        """The client hangs up."""
        self._forget_description()
        await self._inner.hangup()

    async def detach(self, then: Callable[[], None] | None = None) -> None:
        """Let go of the plugin and tell the client. May be called again.

        Args:
            then: Called when the plugin has let go, before the client is told: in Janus the reply
                comes before the event, too.

        Raises:
            ApiError: 463, the plugin failed to let go.
        """
        if self._is_closed:
            if then:
                then()
            return
        self._is_closed = True
        self._session.handles.pop(self.id, None)
        if self._worker is not asyncio.current_task():
            self._worker.cancel()
        unanswered = [self._current] if self._current else []
        while not self._inbox.empty():
            job = self._inbox.get_nowait()
            if isinstance(job, Request):
                unanswered.append(job)
        for request in unanswered:
            if request.is_synchronous:
                gone = ApiError(Code.HANDLE_NOT_FOUND, f"No such handle {self.id} any more")
                request.reply(self._error(gone, request.transaction))
        try:
            async with asyncio.timeout(_DETACH_S):
                await self._inner.detach()
        except Exception as error:
            _tell("detach", error)
            raise ApiError(Code.PLUGIN_DETACH, "The plugin failed to detach") from None
        else:
            if then:
                then()
        finally:
            self._session.event(
                {"janus": "detached", "session_id": self.session_id, "sender": self.id}
            )

    async def _close_in_turn(self) -> None:
        try:
            await self.submit(self.detach)
        except ApiError:
            await self.detach()

    async def _work(self) -> None:
        while not self._is_closed:
            job = await self._inbox.get()
            if not isinstance(job, Request):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_MESSAGE_S):
                        await self._guarded(job)
                continue
            self._current = job
            await self._message(job)
            self._current = None

    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except PluginError as error:
            _log.info("handle %d: %s", self.id, error.reason)
        except Exception as error:
            _tell("a candidate or a hang-up", error)

    async def _message(self, request: Request) -> None:
        try:
            async with asyncio.timeout(_MESSAGE_S):
                answer = await self._inner.message(request.body, request.jsep)
        except PluginError as error:
            kind = self.plugin.package.rpartition(".")[2]
            answer = Answer({kind: "event", "error_code": error.code, "error": error.reason})
        except TimeoutError:
            late = ApiError(
                Code.PLUGIN_MESSAGE, f"The plugin did not answer within {_MESSAGE_S:g} s"
            )
            self._fail(request, late)
            return
        except Exception as error:
            _tell("a message", error)
            self._fail(request, ApiError(Code.UNKNOWN, "The plugin made a mistake"))
            return
        if request.is_synchronous:
            request.reply(self._plugin_message("success", answer, request.transaction))
        else:
            self._event(answer.data, answer.jsep, request.transaction)

    def _fail(self, request: Request, error: ApiError) -> None:
        message = self._error(error, request.transaction)
        if request.is_synchronous:
            request.reply(message)
        else:
            self._session.event(message)

    def _event(self, data: Json, jsep: Json | None, transaction: str | None) -> None:
        if not self._is_closed:
            answer = Answer(data, jsep)
            self._session.event(self._plugin_message("event", answer, transaction))

    def _plugin_message(self, kind: str, answer: Answer, transaction: str | None) -> Json:
        message: Json = {"janus": kind, "session_id": self.session_id}
        if transaction is not None:
            message["transaction"] = transaction
        message["sender"] = self.id
        message["plugindata"] = {"plugin": self.plugin.package, "data": answer.data}
        if answer.jsep is not None:
            message["jsep"] = answer.jsep
            if answer.jsep.get("type") == "offer":
                self.is_offered = True
        return message

    def _error(self, error: ApiError, transaction: str) -> Json:
        return {
            "janus": "error",
            "session_id": self.session_id,
            "transaction": transaction,
            "sender": self.id,
            "error": {"code": int(error.code), "reason": error.reason},
        }

    def _notice(self, kind: str, **more: Any) -> None:
        if not self._is_closed:
            self._session.event(
                {"janus": kind, "session_id": self.session_id, "sender": self.id, **more}
            )

    def _forget_description(self) -> None:
        self.is_offered = False
        self.streams = None


def _tell(what: str, error: Exception) -> None:
    # Only places, not messages or values: those may hold pins or SDP.
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("a plugin raised %s at %s\n%s", type(error).__name__, what, places)
