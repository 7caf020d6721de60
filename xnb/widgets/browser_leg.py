"""The media comm of a call's card: one hidden widget model for all that is not control.

Control (buttons) and media have separate comms. Nothing here is a synced trait: descriptions,
thumbnails and, for pages that WebRTC does not reach, the media themselves travel as custom
messages, which no notebook saves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import ipywidgets

from ..errors import XnbError
from .comm_leg import CommLeg
from .comms import FreeRouting
from .frame_leg import FrameLeg
from .jpeg_leg import JpegLeg
from .leg import Leg
from .leg_media import PageLeg
from .page_devices import PageDevices
from .preview import Preview

_log = logging.getLogger(__name__)

MAX_PAGES = 4
MAX_OFFER_CHARS = 64 * 1024
BEAT_S = 0.4
"""How often a page is told what left for it and what came; see js/legs/watch.js."""


class BrowserLeg(FreeRouting, ipywidgets.Widget):  # type: ignore[misc]
    """Brings a call's media to the pages that show it, one leg for each page."""

    def __init__(self) -> None:
        super().__init__()
        self._call: Any = None
        self._peer: Any = None
        self._legs: dict[str, Leg] = {}
        self._visible: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._beat: asyncio.TimerHandle | None = None
        self._preview = Preview(self._send_thumbnail)
        self._devices = PageDevices(self._tell, self._find)
        self.dropped = 0
        self.on_msg(self._received)

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages that have a leg, oldest first."""
        return tuple(self._legs)

    @property
    def connected_pages(self) -> int:
        """How many pages media flows to."""
        return sum(leg.connected for leg in self._legs.values())

    def bind(self, call: Any) -> None:
        """Serve pages from ``call`` from now on, on its engine loop."""
        self._call = call
        self.follow_call()

    def follow_call(self) -> None:
        """Notice what changed: another peer, or something wanted from a page.

        Runs on the engine loop.
        """
        self._follow_peer()
        self._ask_for_devices()

    def _ask_for_devices(self) -> None:
        reached = [page for page, leg in self._legs.items() if leg.connected]
        seen = [page for page in reached if page in self._visible]
        if reached:
            self._devices.ask(self._call, (seen or reached)[-1])

    def _follow_peer(self) -> None:
        peer = getattr(self._call, "peer", None)
        if peer is None or peer is self._peer:
            return
        had_peer = self._peer is not None
        self._peer = peer
        self._preview.watch(peer.video_out)
        if had_peer:
            for leg in tuple(self._legs.values()):
                self._lost(leg, "The call has a new connection.", again=True)

    def _received(self, _widget: Any, content: dict[str, Any], buffers: Any) -> None:
        """A message of a page, on any thread."""
        if self._call is not None and isinstance(content, dict):
            self._call.runner.post(self._handle, content, buffers)

    def _handle(self, content: dict[str, Any], buffers: Any = ()) -> None:
        page = str(content.get("page", ""))[:64]
        kind = content.get("type")
        leg = self._legs.get(page)
        if kind in ("frames", "ack"):
            if isinstance(leg, FrameLeg):
                leg.heard(content, buffers)
        elif kind == "offer":
            self._start(self._answer(page, str(content.get("sdp", ""))))
        elif kind == "open":
            self._start(self._open(page, str(content.get("path", ""))))
        elif kind == "keyframe" and self._peer:
            if isinstance(leg, CommLeg):
                leg.request_keyframe()
            else:
                self._peer.request_keyframe()
        elif kind == "shown":
            self._preview.acknowledge(int(content.get("n", 0)))
        elif kind == "visible":
            (self._visible.add if content.get("visible") else self._visible.discard)(page)
            self._preview.visible = bool(self._visible)
            if leg:
                leg.set_visible(page in self._visible)
        elif kind == "captured":
            self._devices.heard(self._call, page, content)
        elif kind == "bye":
            self.forget(page)

    async def _answer(self, page: str, offer: str) -> None:
        if len(offer) > MAX_OFFER_CHARS or not self._has_media(page, PageLeg.path):
            return
        leg = PageLeg(page, self._peer, self._lost)
        await self._replace(leg)
        try:
            answer = await leg.answer(offer)
        except XnbError as error:
            self._lost(leg, error.message)
            return
        except Exception as error:
            # Its text may quote the description.
            _log.warning("A page could not be answered: %s.", type(error).__name__)
            self._lost(leg, "The page's offer could not be answered.")
            return
        limits = self._peer.video_settings
        self.send(
            {
                "type": "answer",
                "page": page,
                "sdp": answer,
                "max_fps": limits.max_fps,
                "max_height_px": limits.max_height_px,
            }
        )
        await leg.run()
        self._ask_for_devices()
        self._begin_beats()

    async def _open(self, page: str, path: str) -> None:
        """The page wants its media over this comm."""
        kind = {"comm": CommLeg, "jpeg": JpegLeg}.get(path)
        if kind is None or not self._has_media(page, path):
            return
        leg = kind(page, self._peer, self._send_media, self._lost)
        await self._replace(leg)
        if self._legs.get(page) is leg:
            leg.open()
            leg.set_visible(page in self._visible)
            self._ask_for_devices()

    def _has_media(self, page: str, path: str) -> bool:
        self._follow_peer()
        if self._peer is None:
            why = "The call has no media yet."
            self._say_lost(page, path, why, again=True)
        return self._peer is not None

    async def _replace(self, leg: Leg) -> None:
        """``leg`` is the page's only one now; the oldest of too many pages is let go."""
        old = self._legs.pop(leg.page, None)
        crowd = list(self._legs.values())[: max(0, len(self._legs) - MAX_PAGES + 1)]
        self._legs[leg.page] = leg
        for other in crowd:
            self._lost(other, f"More than {MAX_PAGES} pages show this call.", final=True)
        if old:
            self._devices.gone(self._call, old.page)
            self.dropped += old.dropped
            await old.close()

    def _begin_beats(self) -> None:
        """Tell pages with a connection of their own, every 0.4 s, what left and what came."""
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._tell_beat)

    def _tell_beat(self) -> None:
        self._beat = None
        for page, leg in self._legs.items():
            if isinstance(leg, PageLeg) and leg.connected:
                counts = {"packets": leg.packets, "received": leg.received}
                self.send({"type": "sent", "page": page, **counts})
                self._begin_beats()

    def _lost(self, leg: Leg, why: str, again: bool = False, *, final: bool = False) -> None:
        if self._legs.get(leg.page) is leg:
            del self._legs[leg.page]
            self._devices.gone(self._call, leg.page)
        self.dropped += leg.dropped
        self._say_lost(leg.page, leg.path, why, again=again, final=final)
        self._start(leg.close())

    def _say_lost(
        self, page: str, path: str, why: str, *, again: bool = False, final: bool = False
    ) -> None:
        """Tell a page that this way is lost to it.

        Args:
            page: Whose.
            path: Which way; one that the page has left already concerns it no more.
            why: In words.
            again: The way itself is good: try it again rather than another one.
            final: Do not come again.
        """
        content = {"type": "lost", "page": page, "path": path, "why": why}
        self.send({**content, "again": again, "final": final})

    def forget(self, page: str) -> None:
        """This page is gone, said or noticed. Runs on the engine loop; may be called again."""
        self._visible.discard(page)
        self._preview.visible = bool(self._visible)
        leg = self._legs.pop(page, None)
        if leg:
            self._devices.gone(self._call, page)
            self.dropped += leg.dropped
            self._start(leg.close())

    def _find(self, page: str) -> Leg | None:
        return self._legs.get(page)

    def _tell(self, content: dict[str, Any]) -> None:
        self.send(content)

    def _send_media(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        self.send(content, buffers)

    def _send_thumbnail(self, number: int, width: int, height: int, data: bytes) -> None:
        self.send({"type": "preview", "n": number, "width": width, "height": height}, [data])

    def _start(self, coro: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def shut(self) -> None:
        """Close all legs and stop the thumbnails. Runs on the engine loop; may be called again."""
        self._preview.close()
        if self._beat:
            self._beat.cancel()
            self._beat = None
        self._peer = None
        legs, self._legs = list(self._legs.values()), {}
        for leg in legs:
            self.dropped += leg.dropped
        await asyncio.gather(*(leg.close() for leg in legs), return_exceptions=True)
        waiting = [task for task in self._tasks if task is not asyncio.current_task()]
        if waiting:
            await asyncio.wait(waiting, timeout=5)
