"""The camera and microphone of the page that shows a call: passed on, never decoded here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol

from ..errors import MediaError
from .source import PacedTrack, Source, Timed


class Outlet(Protocol):
    """What a track is passed on to: an engine ``Outgoing``."""

    @property
    def link(self) -> Any:
        """What is being forwarded."""

    def forward(self, incoming: Any) -> None:
        """Send what ``incoming`` receives, packet by packet."""


class PageTrack(PacedTrack):
    """What one page sends of one kind.

    Args:
        kind: ``"audio"`` or ``"video"``.
        incoming: The engine ``Incoming`` of the page's own connection.
    """

    def __init__(self, kind: Literal["audio", "video"], incoming: Any) -> None:
        super().__init__(kind)
        self.incoming = incoming

    def pass_on(self, out: Outlet) -> None:
        """Send it through ``out``; what was sent before goes on until its first keyframe."""
        if out.link is None or out.link.source is not self.incoming:
            out.forward(self.incoming)

    async def _pull(self) -> Timed:
        raise MediaError(
            "What a page sends is passed on in packets; there are no frames to read.",
            remedy="Record it with call.record(path, sides='local') and read that.",
        )


class PageMedia(Source):
    """Camera and microphone of a page, as a source of a call.

    It has no tracks until the call's card is shown in a page, that page was allowed to use its
    devices, and its connection carries them. It ends when the page stops or goes away.

    Args:
        camera: Ask for a camera, in calls with video.
        microphone: Ask for a microphone.

    Attributes:
        page: The page that was asked, ``""`` before one was.
        failure: Why the page gives nothing, once it refused.
        on_change: Called when tracks came or went, or :attr:`failure` was set.
    """

    def __init__(self, *, camera: bool = True, microphone: bool = True) -> None:
        super().__init__(_name(camera, microphone))
        self.camera = camera
        self.microphone = microphone
        self.page = ""
        self.failure: MediaError | None = None
        self.on_change: Callable[[], None] | None = None

    def flow(self, *, audio: Any = None, video: Any = None) -> None:
        """The page sends from now on.

        Args:
            audio: The ``Incoming`` of its sound, ``None`` without a microphone.
            video: The ``Incoming`` of its picture, ``None`` without a camera.
        """
        self.audio = PageTrack("audio", audio) if audio is not None else None
        self.video = PageTrack("video", video) if video is not None else None
        for track in self._tracks:
            track._source = self
        self.name = _name(self.video is not None, self.audio is not None)
        self._changed()

    def refuse(self, failure: MediaError) -> None:
        """The page cannot give what was asked for."""
        self.failure = failure
        self._changed()

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()


def page_media(*, camera: bool = True, microphone: bool = True) -> PageMedia:
    """The camera and microphone of the page in which the call's card is shown.

    The page asks for permission, and its packets go to the far end as they are: nothing is
    decoded or encoded in the kernel. Until then, and when the page stops or goes away, the call
    sends what it sent before. Stop with ``stop()`` of the Playback, or with the button in the card.

    Args:
        camera: Ask for a camera; calls without video never do.
        microphone: Ask for a microphone.

    Raises:
        MediaError: Neither is wanted.

    Example:
        >>> widget = xnb.call("echo", video=True, source=xnb.page_media())
        >>> playback = call.send_video(xnb.page_media(microphone=False))
    """
    if not camera and not microphone:
        raise MediaError(
            "Neither camera nor microphone is asked for.", remedy="Leave one of them True."
        )
    return PageMedia(camera=camera, microphone=microphone)


def _name(camera: bool, microphone: bool) -> str:
    if camera and microphone:
        return "camera and microphone"
    return "camera" if camera else "microphone"
