"""Typed events of a call, and the emitter that hands them out."""

from __future__ import annotations

import asyncio
import enum
import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from .errors import SettingsError, XnbError

_log = logging.getLogger(__name__)


class CallState(enum.StrEnum):
    """Where a call stands.

    ``new → signaling → ringing → connecting → connected ⇄ reconnecting → ended``
    """

    NEW = "new"
    SIGNALING = "signaling"
    RINGING = "ringing"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


class EndReason(enum.StrEnum):
    """Why a call ended."""

    HANGUP = "hangup"
    REMOTE_HANGUP = "remote_hangup"
    DECLINED = "declined"
    MISSED = "missed"
    CANCELED = "canceled"
    TIMEOUT = "timeout"
    NETWORK = "network"
    ERROR = "error"
    KICKED = "kicked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events.

    ``time_s`` is monotonic, for differences; ``wall_time_s`` is seconds since 1970, for showing.
    """

    name: ClassVar[str] = ""
    time_s: float = field(default_factory=time.monotonic)
    wall_time_s: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange(Event):
    """The call went from ``old`` to ``new``; ``detail`` says in words what happened."""

    name: ClassVar[str] = "statechange"
    old: CallState
    new: CallState
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Event):
    """A step inside a state, in words, for people who wait: gathering, checking, first frame."""

    name: ClassVar[str] = "stage"
    stage: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Event):
    """Media flows in at least one direction; ``setup_s`` is the time since the call began."""

    name: ClassVar[str] = "connected"
    setup_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Track(Event):
    """The far end sends audio or video; ``track`` is ``call.audio`` or ``call.video``."""

    name: ClassVar[str] = "track"
    kind: Literal["audio", "video"]
    track: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaStatus(Event):
    """The far end muted or unmuted its camera or microphone."""

    name: ClassVar[str] = "mediastatus"
    is_camera_deactivated: bool
    is_microphone_deactivated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    """The call is over. ``error`` holds the cause when ``reason`` is ``error`` or ``network``."""

    name: ClassVar[str] = "ended"
    reason: EndReason
    duration_seconds: float
    error: XnbError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent(Event):
    """Something went wrong but the call goes on."""

    name: ClassVar[str] = "error"
    error: XnbError


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalStatus(Event):
    """This side changed: muted, camera, recording or what is being sent."""

    name: ClassVar[str] = "localstatus"
    muted: bool
    camera_on: bool
    recording: bool
    sending: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantJoined(Event):
    """Somebody came into a group call; ``participant`` is one of ``call.participants``."""

    name: ClassVar[str] = "participantjoined"
    participant: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeft(Event):
    """Somebody left a group call. ``why`` is ``"left"``, ``"kicked"`` or ``"lost"``."""

    name: ClassVar[str] = "participantleft"
    participant: Any
    why: str = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantChanged(Event):
    """Somebody in a group call was muted, turned the camera on or off, or got another layer."""

    name: ClassVar[str] = "participantchanged"
    participant: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Talking(Event):
    """Somebody in a group call began or stopped to talk."""

    name: ClassVar[str] = "talking"
    participant: Any
    is_talking: bool


EVENTS: dict[str, type[Event]] = {
    cls.name: cls
    for cls in (
        StateChange,
        Stage,
        Connected,
        Track,
        MediaStatus,
        Ended,
        ErrorEvent,
        LocalStatus,
        ParticipantJoined,
        ParticipantLeft,
        ParticipantChanged,
        Talking,
    )
}

Listener = Callable[[Any], Any]


class ListenerHandle:
    """What ``on`` returns; ``close()`` takes the listener away again."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close: Callable[[], None] | None = close

    def close(self) -> None:
        """Remove the listener. May be called again."""
        if self._close:
            self._close()
            self._close = None


class Emitter:
    """Calls listeners in the order they were added, on the engine loop.

    A listener that raises is reported to ``on_listener_error`` and never disturbs the call or
    the other listeners. Coroutine functions run as tasks.
    """

    def __init__(self, on_listener_error: Callable[[BaseException], None] | None = None) -> None:
        self._listeners: dict[str, list[Listener]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._on_error = on_listener_error

    def on(self, name: str, fn: Listener) -> ListenerHandle:
        """Add a listener for the event ``name``.

        Raises:
            SettingsError: There is no event of that name.
        """
        if name not in EVENTS:
            raise SettingsError(
                f"There is no event {name!r}.", remedy=f"Use one of {', '.join(sorted(EVENTS))}."
            )
        self._listeners.setdefault(name, []).append(fn)
        return ListenerHandle(lambda: self._remove(name, fn))

    def _remove(self, name: str, fn: Listener) -> None:
        listeners = self._listeners.get(name, [])
        if fn in listeners:
            listeners.remove(fn)

    def emit(self, event: Event) -> None:
        """Hand ``event`` to its listeners. Runs on the engine loop."""
        for fn in tuple(self._listeners.get(event.name, ())):
            try:
                result = fn(event)
            except Exception as error:
                self._failed(error)
            else:
                if inspect.iscoroutine(result):
                    task = asyncio.ensure_future(result)
                    self._tasks.add(task)
                    task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if self._on_error:
            self._on_error(error)
        else:
            _log.error("A listener raised %s", type(error).__name__, exc_info=error)
