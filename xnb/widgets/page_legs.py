"""What one peer receives, on its way to every page that shows it: one leg for each page."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from ..errors import XnbError
from .comm_leg import CommLeg
from .frame_leg import FrameLeg
from .jpeg_leg import JpegLeg
from .leg import Leg
from .leg_media import PageLeg

_log = logging.getLogger(__name__)

MAX_PAGES = 4
MAX_OFFER_CHARS = 64 * 1024
BEAT_S = 0.4
"""How often a page is told what left for it and what came; see js/legs/watch.js."""


class Model(Protocol):
    """What legs need of the hidden media model, ``BrowserLeg``."""

    def tell(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send a message to the pages."""

    def start(self, coro: Coroutine[Any, Any, Any]) -> None:
        """Run it on the engine loop; it is waited for at the end."""

    def leg_opened(self, feed: str) -> None:
        """Media flows to one more page."""

    def leg_gone(self, feed: str, page: str) -> None:
        """Media flows to this page no more."""


class PageLegs:
    """The legs of one peer, found anew whenever the call has another connection.

    Runs on the engine's loop.

    Args:
        model: Carries the messages.
        feed: Names the peer in messages: ``""`` for the call's own, else what the card calls a
            person of a group.
        find_peer: Gives the peer, ``None`` while there is none.
        on_peer: Called with each new peer.

    Attributes:
        legs: By page, oldest first.
        dropped: Packets and frames that legs which are gone did not pass on.
    """

    def __init__(
        self,
        model: Model,
        feed: str,
        find_peer: Callable[[], Any],
        on_peer: Callable[[Any], Any] | None = None,
    ) -> None:
        self.feed = feed
        self.legs: dict[str, Leg] = {}
        self.dropped = 0
        self._model = model
        self._find_peer = find_peer
        self._on_peer = on_peer
        self._peer: Any = None
        self._is_awaited = False
        self._visible: set[str] = set()
        self._beat: asyncio.TimerHandle | None = None

    def follow_peer(self) -> None:
        """Notice that there is another peer now; pages are told to come again."""
        peer = self._find_peer()
        if peer is None:
            return
        if peer is not self._peer:
            self._take_peer(peer)
        if self._is_awaited:
            self._is_awaited = False
            self._say({"type": "ready"})

    def _take_peer(self, peer: Any) -> None:
        had_peer = self._peer is not None
        self._peer = peer
        if self._on_peer:
            self._on_peer(peer)
        if had_peer:
            for leg in tuple(self.legs.values()):
                self._lost(leg, "The call has a new connection.", again=True)

    def reached(self, seen: set[str]) -> str:
        """The newest page that media flows to, rather one of ``seen``; empty without any."""
        reached = [page for page, leg in self.legs.items() if leg.connected]
        return next(reversed([page for page in reached if page in seen] or reached), "")

    # What a page says

    def heard(self, page: str, content: dict[str, Any], buffers: Any = ()) -> None:
        """A page's message about media."""
        kind = content.get("type")
        leg = self.legs.get(page)
        if kind in ("frames", "ack"):
            if isinstance(leg, FrameLeg):
                leg.heard(content, buffers)
        elif kind == "offer":
            self._model.start(self._answer(page, str(content.get("sdp", ""))))
        elif kind == "open":
            self._model.start(self._open(page, str(content.get("path", ""))))
        elif kind == "keyframe" and self._peer:
            if isinstance(leg, CommLeg):
                leg.request_keyframe()
            else:
                self._peer.request_keyframe()
        elif kind == "visible":
            (self._visible.add if content.get("visible") else self._visible.discard)(page)
            if leg:
                leg.set_visible(page in self._visible)

    async def _answer(self, page: str, offer: str) -> None:
        if len(offer) > MAX_OFFER_CHARS or not self._has_media(page, PageLeg.path):
            return
        leg = PageLeg(page, self._peer, self._lost, rests=bool(self.feed))
        leg.set_visible(page in self._visible)
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
        limits = leg.video_settings
        self._say(
            {
                "type": "answer",
                "page": page,
                "sdp": answer,
                "max_fps": limits.max_fps,
                "max_height_px": limits.max_height_px,
            }
        )
        await leg.run()
        self._model.leg_opened(self.feed)
        self._begin_beats()

    async def _open(self, page: str, path: str) -> None:
        """The page wants its media over the comm."""
        kind = {"comm": CommLeg, "jpeg": JpegLeg}.get(path)
        if kind is None or not self._has_media(page, path):
            return
        leg = kind(page, self._peer, self._say, self._lost)
        await self._replace(leg)
        if self.legs.get(page) is leg:
            leg.open()
            leg.set_visible(page in self._visible)
            self._model.leg_opened(self.feed)

    def _has_media(self, page: str, path: str) -> bool:
        """Whether there is a peer; if not, the page is told to wait for ``ready``."""
        self.follow_peer()
        if self._find_peer() is not None:
            return True
        self._is_awaited = True
        why = "Nothing comes from them yet." if self.feed else "The call has no media yet."
        self._say({"type": "wait", "page": page, "path": path, "why": why})
        return False

    async def _replace(self, leg: Leg) -> None:
        """``leg`` is the page's only one now; the oldest of too many pages is let go."""
        old = self.legs.pop(leg.page, None)
        crowd = list(self.legs.values())[: max(0, len(self.legs) - MAX_PAGES + 1)]
        self.legs[leg.page] = leg
        for other in crowd:
            self._lost(other, f"More than {MAX_PAGES} pages show this call.", final=True)
        if old:
            self._model.leg_gone(self.feed, old.page)
            self.dropped += old.dropped
            await old.close()

    # What a page is told

    def _say(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self._model.tell({**content, "feed": self.feed} if self.feed else content, buffers)

    def _begin_beats(self) -> None:
        """Tell pages with a connection of their own, every 0.4 s, what left and what came."""
        if self._beat is None:
            self._beat = asyncio.get_running_loop().call_later(BEAT_S, self._tell_beat)

    def _tell_beat(self) -> None:
        self._beat = None
        for page, leg in self.legs.items():
            if isinstance(leg, PageLeg) and leg.connected:
                counts = {"packets": leg.packets, "received": leg.received}
                self._say({"type": "sent", "page": page, **counts})
                self._begin_beats()

    def _lost(self, leg: Leg, why: str, again: bool = False, *, final: bool = False) -> None:
        if self.legs.get(leg.page) is leg:
            del self.legs[leg.page]
            self._model.leg_gone(self.feed, leg.page)
        self.dropped += leg.dropped
        self.say_lost(leg.page, leg.path, why, again=again, final=final)
        self._model.start(leg.close())

    def say_lost(
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
        self._say({**content, "again": again, "final": final})

    def forget(self, page: str) -> None:
        """This page is gone, said or noticed. May be called again."""
        self._visible.discard(page)
        leg = self.legs.pop(page, None)
        if leg:
            self._model.leg_gone(self.feed, page)
            self.dropped += leg.dropped
            self._model.start(leg.close())

    async def shut(self) -> None:
        """Close all legs. May be called again."""
        if self._beat:
            self._beat.cancel()
            self._beat = None
        self._peer = None
        self._is_awaited = False
        legs = list(self.legs.values())
        self.legs.clear()
        for leg in legs:
            self.dropped += leg.dropped
        await asyncio.gather(*(leg.close() for leg in legs), return_exceptions=True)
