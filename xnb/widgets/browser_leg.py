"""The media comm of a call's card: one hidden widget model for all that is not control.

Control (buttons) and media have separate comms. Nothing here is a synced trait: descriptions,
thumbnails and, for pages that WebRTC does not reach, the media themselves travel as custom
messages, which no notebook saves. Messages about a person of a group have a ``feed`` that names
whose media it is; those about the call's own peer have none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import ipywidgets

from .comms import FreeRouting
from .leg import Leg
from .page_devices import PageDevices
from .page_legs import PageLegs
from .preview import Preview

MAX_NAME_CHARS = 64


class BrowserLeg(FreeRouting, ipywidgets.Widget):  # type: ignore[misc]
    """Brings a call's media to the pages that show it: for each page one leg for each feed.

    The feed ``""`` is the call's own peer. Pages send their camera and microphone over its legs,
    and in a 1:1 call what the far end sends comes over them. In a group each other person is a
    feed of its own (:meth:`set_feed`).
    """

    def __init__(self) -> None:
        super().__init__()
        self._call: Any = None
        self._visible: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._preview = Preview(self._send_thumbnail)
        self._own = PageLegs(
            self,
            "",
            lambda: getattr(self._call, "peer", None),
            on_peer=lambda peer: self._preview.watch(peer.video_out),
        )
        self._legs = self._own.legs
        self._feeds = {"": self._own}
        self._dropped = 0
        self._devices = PageDevices(self.tell, self._find)
        self.on_msg(self._received)

    @property
    def pages(self) -> tuple[str, ...]:
        """The pages that have a leg of the call's own peer, oldest first."""
        return tuple(self._legs)

    @property
    def feeds(self) -> tuple[str, ...]:
        """The names of all feeds."""
        return tuple(self._feeds)

    @property
    def connected_pages(self) -> int:
        """How many pages media of the call's own peer flows to."""
        return self.connected_to("")

    def connected_to(self, feed: str) -> int:
        """How many pages the media of a feed flow to; 0 when there is no such feed."""
        found = self._feeds.get(feed)
        return sum(leg.connected for leg in found.legs.values()) if found else 0

    @property
    def dropped(self) -> int:
        """Packets and frames that legs which are gone did not pass on."""
        return self._dropped + sum(feed.dropped for feed in self._feeds.values())

    def bind(self, call: Any) -> None:
        """Serve pages from ``call`` from now on, on its engine loop."""
        self._call = call
        self.follow_call()

    def follow_call(self) -> None:
        """Notice what changed: another peer, or something wanted from a page.

        Runs on the engine loop.
        """
        for feed in tuple(self._feeds.values()):
            feed.follow_peer()
        self._ask_for_devices()

    def set_feed(self, name: str, find_peer: Callable[[], Any]) -> None:
        """Bring what another peer receives to the pages, too. Nothing new if it is known.

        Runs on the engine loop.

        Args:
            name: What pages call it, not empty.
            find_peer: Gives the peer, ``None`` while there is none.
        """
        if name not in self._feeds:
            self._feeds[name] = PageLegs(self, name, find_peer)

    def drop_feed(self, name: str) -> None:
        """Bring it no more. May be called again. Runs on the engine loop."""
        feed = self._feeds.pop(name, None) if name else None
        if feed:
            self._dropped += feed.dropped
            self.start(feed.shut())

    def _ask_for_devices(self) -> None:
        if page := self._own.reached(self._visible):
            self._devices.ask(self._call, page)

    def _received(self, _widget: Any, content: dict[str, Any], buffers: Any) -> None:
        """A message of a page, on any thread."""
        if self._call is not None and isinstance(content, dict):
            self._call.runner.post(self._handle, content, buffers)

    def _handle(self, content: dict[str, Any], buffers: Any = ()) -> None:
        page = str(content.get("page", ""))[:MAX_NAME_CHARS]
        name = str(content.get("feed", ""))[:MAX_NAME_CHARS]
        kind = content.get("type")
        feed = self._feeds.get(name)
        if kind == "shown":
            self._preview.acknowledge(int(content.get("n", 0)))
        elif kind == "captured":
            self._devices.heard(self._call, page, content)
        elif kind == "bye":
            if not name:
                self.forget(page)
            elif feed:
                feed.forget(page)
        elif feed:
            if kind == "visible" and not name:
                (self._visible.add if content.get("visible") else self._visible.discard)(page)
                self._preview.visible = bool(self._visible)
            feed.heard(page, content, buffers)
        elif kind in ("offer", "open"):
            gone = PageLegs(self, name, lambda: None)
            path = str(content.get("path") or "webrtc")
            gone.say_lost(page, path, "This person has left.", final=True)

    def forget(self, page: str) -> None:
        """This page is gone, said or noticed. Runs on the engine loop; may be called again."""
        self._visible.discard(page)
        self._preview.visible = bool(self._visible)
        for feed in self._feeds.values():
            feed.forget(page)

    # For the legs

    def tell(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a message to the pages."""
        self.send(content, buffers)

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Run it on the engine loop; :meth:`shut` waits for it."""
        task = asyncio.ensure_future(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def leg_opened(self, feed: str) -> None:
        """Media of a feed flow to one more page."""
        if not feed:
            self._ask_for_devices()

    def leg_gone(self, feed: str, page: str) -> None:
        """Media of a feed flow to this page no more; what the page gave went with its own leg."""
        if not feed:
            self._devices.gone(self._call, page)

    def _find(self, page: str) -> Leg | None:
        return self._legs.get(page)

    def _send_thumbnail(self, number: int, width: int, height: int, data: bytes) -> None:
        self.send({"type": "preview", "n": number, "width": width, "height": height}, [data])

    async def shut(self) -> None:
        """Close all legs and stop the thumbnails. Runs on the engine loop; may be called again."""
        self._preview.close()
        await asyncio.gather(*(feed.shut() for feed in self._feeds.values()))
        waiting = [task for task in self._tasks if task is not asyncio.current_task()]
        if waiting:
            await asyncio.wait(waiting, timeout=5)
