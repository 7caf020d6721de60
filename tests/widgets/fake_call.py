"""A call without a network, for the Python side of the widgets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from xnb.engine.stats import PeerStats
from xnb.events import (
    CallState,
    Connected,
    Emitter,
    Ended,
    EndReason,
    Event,
    ListenerHandle,
    LocalStatus,
    StateChange,
)
from xnb.loop import Runner
from xnb.media.frames import VideoFrame, to_av_video

if TYPE_CHECKING:
    from pathlib import Path

    from xnb.errors import XnbError


class FakeRecording:
    """A recording that completes when stopped."""

    def __init__(self, call: FakeCall, path: Path) -> None:
        self.call = call
        self.path = path
        self.parts = (SimpleNamespace(path=self.path),)
        self.progress: float | None = None
        self.is_finished = False

    async def _stop(self) -> None:
        await asyncio.sleep(0)
        self.is_finished = True
        self.call.recording = None
        self.call.recordings.append(SimpleNamespace(path=self.path))
        self.call.tell_local()

    def stop(self) -> Any:
        return asyncio.ensure_future(self._stop())


class FakeVideo:
    """Gives one red picture after the other."""

    async def snapshot(self) -> VideoFrame:
        red = np.zeros((48, 64, 3), np.uint8)
        red[:, :, 0] = 230
        return VideoFrame(to_av_video(red), 1.0)


class FakeCall:
    """Has what the widget uses of :class:`xnb.calls.Call`, and does what it is told at once."""

    def __init__(self, title: str = "echo", *, video: bool = True) -> None:
        self.runner = Runner(asyncio.get_running_loop())
        self.title = title
        self.direction = "outgoing"
        self.state = CallState.NEW
        self.is_muted = False
        self.is_camera_on = video
        self.video_enabled = video
        self.sending = "test card"
        self.recording: FakeRecording | None = None
        self.recordings: list[Any] = []
        self.playbacks: tuple[Any, ...] = ()
        self.error: XnbError | None = None
        self.duration_seconds = 0.0
        self.peer: Any = None
        self.video = FakeVideo()
        self.timeline: tuple[Event, ...] = ()
        self.asked: list[str] = []
        self.hangup_error: Exception | None = None
        self._emitter = Emitter()

    def on(self, name: str, fn: Any) -> ListenerHandle:
        return self._emitter.on(name, fn)

    @property
    def listeners(self) -> int:
        return sum(len(fns) for fns in self._emitter._listeners.values())

    def emit(self, event: Event) -> None:
        self.timeline = (*self.timeline, event)
        self._emitter.emit(event)

    def go(self, state: CallState, detail: str = "") -> None:
        old, self.state = self.state, state
        self.emit(StateChange(old=old, new=state, detail=detail))

    def connect(self) -> None:
        self.go(CallState.CONNECTED)
        self.emit(Connected(setup_s=0.3))

    def end(self, reason: EndReason, error: XnbError | None = None) -> None:
        self.error = error
        self.go(CallState.ENDED)
        self.emit(Ended(reason=reason, duration_seconds=self.duration_seconds, error=error))

    def tell_local(self) -> None:
        self.emit(
            LocalStatus(
                muted=self.is_muted,
                camera_on=self.is_camera_on,
                recording=self.recording is not None,
                sending=self.sending,
            )
        )

    _tell_local = tell_local

    @property
    def is_over(self) -> bool:
        return self.state is CallState.ENDED

    def _set(self, name: str, value: bool) -> None:
        assert asyncio.get_running_loop() is self.runner.loop, "called off the engine's loop"
        self.asked.append(f"{name}={value}")
        setattr(self, name, value)
        self.tell_local()

    def mute(self) -> None:
        self._set("is_muted", True)

    def unmute(self) -> None:
        self._set("is_muted", False)

    def camera_on(self) -> None:
        self._set("is_camera_on", True)

    def camera_off(self) -> None:
        self._set("is_camera_on", False)

    def record(self, path: Path) -> FakeRecording:
        self.recording = FakeRecording(self, path)
        self.tell_local()
        return self.recording

    async def hangup(self) -> None:
        self.asked.append("hangup")
        if self.hangup_error:
            raise self.hangup_error
        self.end(EndReason.HANGUP)

    async def stats(self) -> PeerStats:
        return PeerStats(
            codec="vp8",
            width=640,
            height=480,
            fps=29.7,
            rtt_ms=3.2,
            loss_percent=0.0,
            bitrate_bps=1_200_000.0,
            sent_bitrate_bps=64_000.0,
            path="host-host udp",
        )
