"""The live card of a group call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import traitlets

from ..events import Event
from .comms import STATIC
from .group_view import Keys, group_end_words, group_title, names_from, people_of
from .live_widget import LiveWidget
from .tile_sizes import TileSizes
from .tile_stats import TileStats

FOLLOW_S = 0.05
"""Changes of people are shown together, so that one who comes with sound and picture is one."""
SETTLED_S = 2.0
"""So long after connecting, who comes is somebody new."""
_PEOPLE = ("participantjoined", "participantleft", "participantchanged", "talking")


class GroupWidget(LiveWidget):
    """Shows a group call and steers it: a tile for each person, controls of the host, buttons.

    Everybody's media come to the page as those of a 1:1 call do, over one leg for each person.
    Pages report how large each tile is, so that small ones get the low layer of the picture.

    Args:
        call: The :class:`~xnb.group_call.GroupCall` to show, or ``None`` when it does not exist
            yet; see :class:`LiveWidget`.
        title: Who is in it, shown until somebody is.
        transport: See :class:`LiveWidget`.

    Raises:
        SettingsError: There is no such transport.

    Example:
        >>> widget = xnb.group(invite=["testcard", "testcard-2"], video=True)
        >>> widget.call.participants
    """

    _esm: ClassVar[Path] = STATIC / "group.js"
    _css: ClassVar[Path] = STATIC / "group.css"

    people: traitlets.List[Any] = traitlets.List().tag(sync=True)
    is_host = traitlets.Bool(False).tag(sync=True)
    muted_by_host = traitlets.Bool(False).tag(sync=True)

    def __init__(self, call: Any = None, title: str = "", *, transport: str = "auto") -> None:
        self._keys = Keys()
        self._came: list[str] = []
        self._sizes = TileSizes()
        self._following: asyncio.TimerHandle | None = None
        self._given_title = title
        self._stats = TileStats(self.send, self._person)
        super().__init__(call, title, transport=transport)

    # What the call tells us

    def _describe(self, events: Sequence[Event]) -> dict[str, Any]:
        values = super()._describe(events)
        call = self.call
        people = people_of(call.participants, self._keys)
        over = "ended" in values
        if over:
            # One wants to know with whom it was.
            values["title"] = self.title or self._given_title or call.title
        elif not people:
            values["title"] = self._given_title or call.title
        values["is_host"] = bool(call.is_host)
        values["muted_by_host"] = bool(call.is_muted_by_host)
        if not over:
            values["people"] = people
        elif said := group_end_words(events, is_host=call.is_host):
            values["ended"] = {**values["ended"], "reason_text": said}
        return values

    def _happened(self, event: Event) -> None:
        if event.name not in _PEOPLE:
            super()._happened(event)
            return
        if self._following is None:
            self._following = asyncio.get_running_loop().call_later(FOLLOW_S, self._follow_people)
        if event.name == "participantjoined":
            # Who was there before us has not come just now.
            if self.call.duration_seconds > SETTLED_S:
                self._came.append(event.participant.name)  # type: ignore[attr-defined]
        elif event.name == "participantleft":
            person, why = event.participant, event.why  # type: ignore[attr-defined]
            left = {"kicked": "was removed", "lost": "lost the connection"}.get(why, "left")
            self._say(f"{person.name} {left}")

    def _follow_people(self) -> None:
        self._following = None
        if came := self._came:
            self._came = []
            self._say(f"{group_title(came)} joined")
        self.leg.follow_call()
        self._refresh()

    def _refresh(self) -> None:
        if self.call is not None and not self.ended:
            # Before the page hears of somebody it can ask for their media.
            self._bring_media()
        super()._refresh()

    def _bring_media(self) -> None:
        """Bring the media of those who are there to the pages."""
        there = {self._keys.of(one): one for one in self.call.participants}
        for key in self.leg.feeds:
            if key and key not in there:
                self.leg.drop_feed(key)
        for key in there:
            # By the key: who comes back may be another object.
            self.leg.set_feed(key, lambda key=key: getattr(self._person(key), "peer", None))
        self._size_pictures()

    def _size_pictures(self) -> None:
        """Tell the call how tall each person's picture is drawn."""
        for person in self.call.participants:
            height_px = self._sizes.height_px(self._keys.of(person))
            if getattr(person, "tile_height_px", None) != height_px:
                person.tile_height_px = height_px

    def _shown_peer(self) -> Any:
        speaker = getattr(self.call, "speaker", None)
        return getattr(speaker, "peer", None)

    def _values(self) -> dict[str, Any]:
        entry = "you started it" if self.is_host else "you joined"
        return {**super()._values(), "entry": entry, "people": list(self._keys.names)}

    def _release(self) -> None:
        super()._release()
        if self._following:
            self._following.cancel()
            self._following = None
        self._stats.close()

    # What the page asks for

    def _person(self, key: str) -> Any | None:
        people = self.call.participants if self.call is not None else ()
        return next((one for one in people if self._keys.of(one) == key), None)

    def _page_gone(self, page: str) -> None:
        super()._page_gone(page)
        self._forget_page(page)

    def _forget_page(self, page: str) -> None:
        self._sizes.forget(page)
        self._stats.forget(page)
        if self.call is not None and not self.ended:
            self._size_pictures()

    def _command(self, content: dict[str, Any]) -> None:
        kind, page = content.get("type"), str(content.get("page", ""))[:64]
        if self.ended and kind in ("tiles", "stats", "id"):
            return
        if kind == "tiles":
            self._sizes.told(page, content.get("heights"))
            self._size_pictures()
        elif kind == "id":
            # On demand and for the host: a saved notebook does not keep the ids of calls.
            if self.call.is_host:
                self.send({"type": "id", "page": page, "id": str(self.call.broadcast_id)})
        elif kind == "stats":
            self._stats.watch(page, str(content.get("key", "")))
        else:
            super()._command(content)
            if kind == "view" and not content.get("open"):
                self._forget_page(page)

    def _act(self, name: str, on: bool, content: dict[str, Any]) -> None:
        if name == "invite":
            if names := names_from(content.get("people")):
                self._start(self._invite(names), "invite")
        elif name in ("remove", "silence"):
            key = str(content.get("key", ""))
            if (person := self._person(key)) is not None:
                silence = self.call.mute_participant
                doing = self.call.kick(person) if name == "remove" else silence(person, muted=on)
                self._start(doing, name)
        else:
            super()._act(name, on, content)

    async def _invite(self, names: list[str]) -> None:
        await self.call.invite(*names)
        self._say(f"Invited {group_title(names)}")
