"""What the pages that show a call capture for it, from the asking to the giving back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import MediaError
from ..media.browser import PageMedia
from .leg import Leg

MAX_TEXT_CHARS = 300


class PageDevices:
    """Brings what pages capture into a call, and asks pages for what a call wants from them.

    All of it runs on the engine loop.

    Args:
        send: Sends a message to the pages.
        find_leg: Gives a page's leg, ``None`` when it has none.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], Any], find_leg: Callable[[str], Leg | None]
    ) -> None:
        self._send = send
        self._find_leg = find_leg
        self._requests = 0

    def ask(self, call: Any, page: str) -> None:
        """Ask ``page`` for what the call wants from a page and no page was asked for yet."""
        for media in _wanted(call):
            if media.page:
                continue
            wish = _wish(media, video=bool(call.video_enabled))
            if not any(wish.values()):
                media.refuse(
                    MediaError(
                        "This call has no video.",
                        remedy="Place it with video=True to have a camera or screen.",
                    )
                )
                continue
            self._watch(call, media, page)
            self._requests += 1
            media.request = self._requests
            self._send({"type": "capture", "page": page, "request": media.request, "wish": wish})

    def heard(self, call: Any, page: str, content: dict[str, Any]) -> None:
        """A page says what it captures now, or why it cannot."""
        if "refused" in content:
            self._refused(call, page, content)
            return
        leg = self._find_leg(page)
        camera = bool(content.get("camera")) and bool(call.video_enabled)
        microphone = bool(content.get("microphone"))
        if leg is None or not (camera or microphone):
            self.gone(call, page)
            return
        picture = next((one for one in ("screen", "widget") if content.get(one)), "camera")
        known = _of_page(call, page) or [
            self._begin(call, page, camera=camera, microphone=microphone)
        ]
        seen = _taker(known, picture) if camera else None
        heard = _taker(known, "widget" if picture == "widget" else "sound") if microphone else None
        for media in known:
            # One that was asked for a moment ago and has nothing yet goes on waiting.
            if media in (seen, heard) or media.flows:
                media.flow(
                    audio=leg.audio_in if media is heard else None,
                    video=leg.video_in if media is seen else None,
                    picture=picture,
                )

    def _refused(self, call: Any, page: str, content: dict[str, Any]) -> None:
        known = _of_page(call, page)
        request = content.get("request")
        asked = [media for media in known if media.request == request] or known[-1:]
        for media in asked:
            media.page = ""
            media.refuse(_failure(content.get("refused")))

    def gone(self, call: Any, page: str) -> None:
        """The page gives nothing any more: the call sends what it sent before."""
        for media in _of_page(call, page):
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
                call.runner.post(self._release, call, page)

        media.on_done(release)

    def _release(self, call: Any, page: str) -> None:
        """Something is wanted no more; what others still take from that page goes on."""
        kept: set[str] = set()
        for media in _of_page(call, page):
            if media.audio is not None or (media.wants_sound and not media.flows):
                kept.add("audio")
            if media.video is not None or (media.wants_picture and not media.flows):
                kept.add("video")
        kinds = [kind for kind in ("audio", "video") if kind not in kept]
        if kinds:
            self._send({"type": "release", "page": page, "kinds": kinds})


def _wanted(call: Any) -> list[PageMedia]:
    """What the call takes from pages, or would like to."""
    sources = [playback.source for playback in call.playbacks]
    return [source for source in sources if isinstance(source, PageMedia) and not source.done]


def _of_page(call: Any, page: str) -> list[PageMedia]:
    """What the call takes from this page or asked it for, oldest first."""
    return [media for media in _wanted(call) if media.page == page]


def _taker(known: list[PageMedia], what: str) -> PageMedia:
    """For whom it is: the newest that asked for it, else the newest there is."""
    for media in reversed(known):
        asked = {
            "camera": media.camera,
            "screen": media.screen,
            "widget": media.widget is not None,
            "sound": media.microphone,
        }
        if asked[what]:
            return media
    flowing = [media for media in known if media.flows]
    return (flowing or known)[-1]


def _wish(media: PageMedia, *, video: bool) -> dict[str, Any]:
    if media.widget is not None:
        return {"model": f"IPY_MODEL_{media.widget.model_id}"}
    return {
        "camera": media.camera and video,
        "microphone": media.microphone,
        "screen": media.screen and video,
    }


def _failure(refused: Any) -> MediaError:
    said = refused if isinstance(refused, dict) else {}
    cause = str(said.get("cause") or "The page gave no camera and no microphone.")
    remedy = str(said.get("remedy") or "")
    return MediaError(cause[:MAX_TEXT_CHARS], remedy=remedy[:MAX_TEXT_CHARS])
