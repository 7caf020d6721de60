"""Cameras and microphones of the pages that show a call, from the asking to the giving back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import MediaError
from ..media.browser import PageMedia
from .leg_media import PageLeg

MAX_TEXT_CHARS = 300


class PageDevices:
    """Brings what pages capture into a call, and asks pages for what a call wants from them.

    All of it runs on the engine loop.

    Args:
        send: Sends a message to the pages.
        find_leg: Gives a page's leg, ``None`` when it has none.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], Any], find_leg: Callable[[str], PageLeg | None]
    ) -> None:
        self._send = send
        self._find_leg = find_leg

    def ask(self, call: Any, page: str) -> None:
        """Ask ``page`` for what the call wants from a page and no page was asked for yet."""
        for media in _wanted(call):
            if media.page:
                continue
            self._watch(call, media, page)
            self._send(
                {
                    "type": "capture",
                    "page": page,
                    "camera": media.camera and bool(call.video_enabled),
                    "microphone": media.microphone,
                }
            )

    def heard(self, call: Any, page: str, content: dict[str, Any]) -> None:
        """A page says what it captures now, or why it cannot."""
        media = next((one for one in _wanted(call) if one.page == page), None)
        refused = content.get("refused")
        if isinstance(refused, dict):
            if media:
                media.page = ""
                media.refuse(_failure(refused))
            return
        leg = self._find_leg(page)
        camera = bool(content.get("camera")) and bool(call.video_enabled)
        microphone = bool(content.get("microphone"))
        if leg is None or not (camera or microphone):
            self.gone(call, page)
            return
        if media is None:
            media = self._begin(call, page, camera=camera, microphone=microphone)
        media.flow(
            audio=leg.peer.audio_in if microphone else None,
            video=leg.peer.video_in if camera else None,
        )

    def gone(self, call: Any, page: str) -> None:
        """The page gives nothing any more: the call sends what it sent before."""
        for media in _wanted(call):
            if media.page == page:
                media.page = ""
                media.flow()

    def _begin(self, call: Any, page: str, *, camera: bool, microphone: bool) -> PageMedia:
        """The button was clicked: from now on it is this page, and no other one."""
        for other in _wanted(call):
            other.flow()
        media = PageMedia(camera=camera, microphone=microphone)
        self._watch(call, media, page)
        if camera:
            call.send_video(media)
        else:
            call.send_audio(media)
        return media

    def _watch(self, call: Any, media: PageMedia, page: str) -> None:
        media.page = page

        def release() -> None:
            if media.page == page:  # else it was the page itself that ended it
                call.runner.post(self._send, {"type": "release", "page": page})

        media.on_done(release)


def _wanted(call: Any) -> list[PageMedia]:
    """What the call takes from pages, or would like to."""
    sources = [playback.source for playback in call.playbacks]
    return [source for source in sources if isinstance(source, PageMedia) and not source.done]


def _failure(refused: dict[str, Any]) -> MediaError:
    cause = str(refused.get("cause") or "The page gave no camera and no microphone.")
    remedy = str(refused.get("remedy") or "")
    return MediaError(cause[:MAX_TEXT_CHARS], remedy=remedy[:MAX_TEXT_CHARS])
