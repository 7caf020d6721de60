"""What the page that shows a call captures: passed on, never decoded here."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from ..errors import MediaError
from .late import LateSource
from .source import PacedTrack, Timed


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
            remedy="Wrap it with xnb.filtered(source, function), or record it with "
            "call.record(path, sides='local').",
        )


class PageMedia(LateSource):
    """What a page captures, as a source of a call.

    It has no tracks until the call's card is shown in a page, that page was allowed to use its
    devices, and its connection carries them. It ends when the page stops or goes away.

    Args:
        camera: Ask for a camera, in calls with video.
        microphone: Ask for a microphone.
        screen: Ask for a screen instead of a camera, in calls with video.
        widget: An ipywebrtc widget whose stream is taken instead of any device.

    Attributes:
        page: The page that was asked, ``""`` before one was.
        request: The number of that question.
        widget: As given.
    """

    def __init__(
        self,
        *,
        camera: bool = True,
        microphone: bool = True,
        screen: bool = False,
        widget: Any = None,
    ) -> None:
        self.camera = camera and not screen and widget is None
        self.microphone = microphone and widget is None
        self.screen = screen and widget is None
        self.widget = widget
        picture = "widget" if widget is not None else "screen" if self.screen else "camera"
        super().__init__(_name(picture if widget or camera or screen else "", self.microphone))
        self.page = ""
        self.request = 0

    is_on_trial = True

    @property
    def wants_picture(self) -> bool:
        """Whether it hopes for a picture."""
        return self.camera or self.screen or self.widget is not None

    @property
    def wants_sound(self) -> bool:
        """Whether it hopes for sound."""
        return self.microphone or self.widget is not None

    @property
    def flows(self) -> bool:
        """Whether the page sends something for it now."""
        return self.audio is not None or self.video is not None

    def flow(self, *, audio: Any = None, video: Any = None, picture: str = "camera") -> None:
        """The page sends from now on; nothing changes when it did already.

        Args:
            audio: The ``Incoming`` of its sound, ``None`` without any.
            video: The ``Incoming`` of its picture, ``None`` without any.
            picture: What the picture is of: ``"camera"``, ``"screen"`` or ``"widget"``.
        """
        name = _name(picture if video is not None else "", audio is not None)
        is_same = _incoming(self.audio) is audio and _incoming(self.video) is video
        if self.flows and is_same and self.name == self._named(name):
            return
        self.audio = self._sound_track(audio)
        self.video = self._picture_track(video)
        for track in self._tracks:
            track._source = self
        if self.flows:
            self.name = self._named(name)
        self._changed()

    def _sound_track(self, incoming: Any) -> PacedTrack | None:
        if incoming is None or _incoming(self.audio) is incoming:
            return self.audio if incoming is not None else None
        return PageTrack("audio", incoming)

    def _picture_track(self, incoming: Any) -> PacedTrack | None:
        if incoming is None or _incoming(self.video) is incoming:
            return self.video if incoming is not None else None
        return PageTrack("video", incoming)

    def _named(self, name: str) -> str:
        return name


def _incoming(track: PacedTrack | None) -> Any:
    return getattr(track, "incoming", None)


def page_media(*, camera: bool = True, microphone: bool = True, screen: bool = False) -> PageMedia:
    """The camera or screen and the microphone of the page in which the call's card is shown.

    The page asks for permission, and its packets go to the far end as they are: nothing is
    decoded or encoded in the kernel. Until then, and when the page stops or goes away, the call
    sends what it sent before. Stop with ``stop()`` of the Playback, or with the button in the card.

    Browsers give devices to pages from https or localhost only, and a screen only within a few
    seconds of a click or key press in the page, which running the cell by hand is.

    Args:
        camera: Ask for a camera; calls without video never do.
        microphone: Ask for a microphone.
        screen: Ask for a screen, window or tab instead of the camera; the person chooses it.

    Raises:
        MediaError: Nothing is wanted.

    Example:
        >>> widget = xnb.call("echo", video=True, source=xnb.page_media())
        >>> playback = call.send_video(xnb.page_media(microphone=False))
        >>> playback = call.send_video(xnb.page_media(screen=True))
    """
    if not (camera or microphone or screen):
        raise MediaError(
            "Neither camera nor microphone is asked for.", remedy="Leave one of them True."
        )
    return PageMedia(camera=camera, microphone=microphone, screen=screen)


def is_stream_widget(thing: Any) -> bool:
    """Whether it is one of ipywebrtc's ``MediaStream`` widgets. Imports nothing."""
    return any(
        base.__name__ == "MediaStream" and base.__module__.startswith("ipywebrtc.")
        for base in type(thing).__mro__
    )


def _name(picture: str, microphone: bool) -> str:
    if picture == "widget":
        return "ipywebrtc widget"
    if picture and microphone:
        return f"{picture} and microphone"
    return picture or "microphone"
