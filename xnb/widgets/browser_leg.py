"""The media comm of a call's card: one hidden widget model that carries signaling of page legs.

Control (buttons) and media have separate comms. Nothing here is a synced trait: descriptions
and thumbnails travel as custom messages, which no notebook saves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import ipywidgets

from ..errors import XnbError
from .comms import FreeRouting
from .leg_media import PageLeg
from .page_devices import PageDevices
from .preview import Preview

_log = logging.getLogger(__name__)

MAX_PAGES = 4
MAX_OFFER_CHARS = 64 * 1024


class BrowserLeg(FreeRouting, ipywidgets.Widget):  # type: ignore[misc]
    """Brings a call's media to the pages that show it, one leg for each page."""

    def __init__(self) -> None:
        super().__init__()
        self._call: Any = None
        self._peer: Any = None
        self._legs: dict[str, PageLeg] = {}
        self._visible: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
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
                self._lost(leg, "The call has a new connection.")

    def _received(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        """A message of a page, on any thread."""
        if self._call is not None and isinstance(content, dict):
            self._call.runner.post(self._handle, content)

    def _handle(self, content: dict[str, Any]) -> None:
        page = str(content.get("page", ""))[:64]
        kind = content.get("type")
        if kind == "offer":
            self._start(self._answer(page, str(content.get("sdp", ""))))
        elif kind == "keyframe" and self._peer:
            self._peer.request_keyframe()
        elif kind == "shown":
            self._preview.acknowledge(int(content.get("n", 0)))
        elif kind == "visible":
            (self._visible.add if content.get("visible") else self._visible.discard)(page)
            self._preview.visible = bool(self._visible)
        elif kind == "captured":
            self._devices.heard(self._call, page, content)
        elif kind == "bye":
            self._forget(page)

    async def _answer(self, page: str, offer: str) -> None:
        self._follow_peer()
        if self._peer is None:
            self.send({"type": "lost", "page": page, "why": "The call has no media yet."})
            return
        if len(offer) > MAX_OFFER_CHARS:
            return
        old = self._legs.pop(page, None)
        crowd = list(self._legs.values())[: max(0, len(self._legs) - MAX_PAGES + 1)]
        leg = self._legs[page] = PageLeg(page, self._peer, self._lost)
        for other in crowd:
            self._lost(other, f"More than {MAX_PAGES} pages show this call.", final=True)
        if old:
            await old.close()
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

    def _lost(self, leg: PageLeg, why: str, *, final: bool = False) -> None:
        if self._legs.get(leg.page) is leg:
            del self._legs[leg.page]
            self._devices.gone(self._call, leg.page)
        self.dropped += leg.dropped
        self.send({"type": "lost", "page": leg.page, "why": why, "final": final})
        self._start(leg.close())

    def _forget(self, page: str) -> None:
        self._visible.discard(page)
        self._preview.visible = bool(self._visible)
        leg = self._legs.pop(page, None)
        if leg:
            self._devices.gone(self._call, page)
            self.dropped += leg.dropped
            self._start(leg.close())

    def _find(self, page: str) -> PageLeg | None:
        return self._legs.get(page)

    def _tell(self, content: dict[str, Any]) -> None:
        self.send(content)

    def _send_thumbnail(self, number: int, width: int, height: int, data: bytes) -> None:
        self.send({"type": "preview", "n": number, "width": width, "height": height}, [data])

    def _start(self, coro: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def shut(self) -> None:
        """Close all legs and stop the thumbnails. Runs on the engine loop; may be called again."""
        self._preview.close()
        self._peer = None
        legs, self._legs = list(self._legs.values()), {}
        for leg in legs:
            self.dropped += leg.dropped
        await asyncio.gather(*(leg.close() for leg in legs), return_exceptions=True)
        waiting = [task for task in self._tasks if task is not asyncio.current_task()]
        if waiting:
            await asyncio.wait(waiting, timeout=5)
