"""Follows a call and makes its summary: what its output shows when the call is over."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import XnbError
from ..events import EVENTS, CallState, Event, ListenerHandle, StateChange
from .page_snapshot import PageSnapshot
from .static_summary import summary_html, summary_markdown, summary_text
from .summary_facts import CallFacts, Picture, facts_of
from .summary_files import files_of, names_of
from .summary_history import StatsHistory, Timeline
from .summary_picture import LastPicture
from .summary_png import summary_png

_log = logging.getLogger(__name__)

SAMPLE_INTERVAL_S = 1.0
OLDEST_S, SEEN_OLDEST_S = 10.0, 30.0
"""How old a keyframe may get before another is asked for; a page that sees the call gives a newer
picture anyway."""
_STATS_LIMIT_S = 2.0


class SummaryKeeper:
    """Remembers of a call, in bounded memory, what its summary tells.

    Args:
        media: The hidden media model, over which a page is asked for its last picture.
        is_seen: Whether a page shows the call now.
        find_peer: Gives the peer whose last picture is kept, ``None`` while there is none.

    Attributes:
        keep_recordings: Whether recordings of at most 1 MB get into the summary, instead of only
            players that play the file from where it lies.
    """

    def __init__(
        self, media: Any, is_seen: Callable[[], bool], find_peer: Callable[[], Any]
    ) -> None:
        self.keep_recordings = False
        self._keep_picture = True
        self._is_seen = is_seen
        self._find_peer = find_peer
        self._picture = LastPicture()
        self._page = PageSnapshot(media, self._picture.offer)
        self._history = StatsHistory()
        self._timeline = Timeline()
        self._handles: list[ListenerHandle] = []
        self._sampling: asyncio.Task[None] | None = None
        self._call: Any = None
        self._facts: CallFacts | None = None
        self._forms: dict[str, str] = {}

    @property
    def keep_picture(self) -> bool:
        """Whether the far end's last picture gets into the summary."""
        return self._keep_picture

    @keep_picture.setter
    def keep_picture(self, value: bool) -> None:
        self._keep_picture = value
        if not value:
            self._picture.forget()
            if self._facts:
                self._facts = dataclasses.replace(self._facts, picture=None)
                self._forms = {}

    def follow(self, call: Any) -> None:
        """Begin to remember. Runs on the engine's loop."""
        self.stop()
        self._call = call
        self._facts = None
        self._forms = {}
        self._timeline = Timeline(call.timeline)
        if call.state is CallState.ENDED:
            return
        self._handles = [call.on(name, self._happened) for name in EVENTS if name != "track"]
        self._sampling = asyncio.ensure_future(self._sample(call))
        self._watch_picture()

    def _happened(self, event: Event) -> None:
        self._timeline.take(event)
        self._watch_picture()
        over = isinstance(event, StateChange) and event.new is CallState.ENDED
        if over and self._keep_picture and self._is_seen() and self._timeline.was_connected:
            # Before the page is told of the end: it still shows the picture.
            self._page.ask(self._call)

    def _watch_picture(self) -> None:
        peer = self._find_peer()
        if peer is None:
            return
        if self._keep_picture:
            self._picture.watch(peer.video_in)
        else:
            self._picture.stop()

    async def _sample(self, call: Any) -> None:
        while True:
            await asyncio.sleep(SAMPLE_INTERVAL_S)
            if call.state is not CallState.CONNECTED:
                continue
            try:
                stats = await asyncio.wait_for(call.stats(), _STATS_LIMIT_S)
            except (TimeoutError, XnbError):
                continue
            self._history.add(time.monotonic(), stats)
            if self._keep_picture:
                self._picture.refresh(SEEN_OLDEST_S if self._is_seen() else OLDEST_S)

    @property
    def waits_for_page(self) -> bool:
        """Whether a page has been asked for its picture and has not answered."""
        return self._page.is_open

    async def wait_for_page(self) -> None:
        """Give a page that was asked for its picture up to 0.7 s."""
        await self._page.wait()

    def stop(self) -> None:
        """Remember nothing new. May be called again."""
        while self._handles:
            self._handles.pop().close()
        if self._sampling:
            self._sampling.cancel()
            self._sampling = None
        self._picture.stop()

    def summary(self, values: dict[str, Any], recordings: Sequence[Any]) -> dict[str, str]:
        """The forms of the call by MIME type: two while it goes on, four when it is over.

        What is shown of the four: the HTML in JupyterLab, Notebook 7, VS Code, nbconvert's HTML
        and its Markdown; the PNG in LaTeX and PDF; Markdown or the line of text elsewhere.

        Args:
            values: See :func:`~xnb.widgets.summary_facts.facts_of`.
            recordings: The finished ones.
        """
        if self._forms:
            return self._forms
        facts = self._facts
        if facts is None:
            facts = self._gather(values, recordings)
            if facts.is_over:
                self._facts = facts
                self._picture.forget()
        forms = {"text/plain": summary_text(facts), "text/html": summary_html(facts)}
        if facts.is_over:
            forms["text/markdown"] = summary_markdown(facts)
            forms["image/png"] = base64.b64encode(summary_png(facts)).decode()
            self._forms = forms
        return forms

    def files_changed(self, recordings: Sequence[Any]) -> None:
        """A recording was completed after the call: it belongs to what is shown from now on."""
        if self._facts:
            files = files_of(recordings, embed=self.keep_recordings)
            self._facts = dataclasses.replace(self._facts, files=files)
            self._forms = {}

    def _gather(self, values: dict[str, Any], recordings: Sequence[Any]) -> CallFacts:
        if not (values.get("ended") or values.get("failure")):
            return facts_of(values, files=names_of(recordings))
        timeline = self._timeline
        return facts_of(
            values,
            began_at_s=timeline.began_at_s,
            spans=timeline.spans,
            recorded=timeline.recorded,
            files=files_of(recordings, embed=self.keep_recordings),
            figures=self._history.figures(timeline.began_s),
            picture=self._last_picture(),
        )

    def _last_picture(self) -> Picture | None:
        if not self._keep_picture:
            return None
        try:
            return self._picture.make()
        except (OSError, ValueError, MemoryError) as error:
            # Whatever is wrong with a picture, the call's end is still told.
            _log.warning("The last picture could not be made: %s.", type(error).__name__)
            return None


def summary_line(values: dict[str, Any], recordings: Sequence[Any]) -> str:
    """A call in one line of text."""
    return summary_text(facts_of(values, files=names_of(recordings)))
