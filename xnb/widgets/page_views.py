"""Which pages show a card, and which of them somebody looks at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

GONE_S = 50.0
"""Pages speak up every 20 s while they are open; one this silent is gone without a word.

The good-bye of a tab that is closed or reloaded mostly does not get out. A page in the background
may be held back for a minute; it is taken up again when somebody looks at it.
"""


class PageViews:
    """The pages that show one card.

    Args:
        on_seen: Called with whether somebody sees the card, when pages spoke or went.
        on_gone: Called with the name of a page that went without a word.
        clock: Seconds, monotonic; for tests.
    """

    def __init__(
        self,
        on_seen: Callable[[bool], Any],
        on_gone: Callable[[str], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_seen = on_seen
        self._on_gone = on_gone
        self._clock = clock
        self._pages: dict[str, tuple[bool, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_seen(self) -> bool:
        """Whether somebody looks at one of the pages."""
        return any(visible for visible, _ in self._pages.values())

    @property
    def pages(self) -> tuple[str, ...]:
        """The names of all pages that show it."""
        return tuple(self._pages)

    def told(self, content: dict[str, Any]) -> None:
        """A page's message: its name, whether it shows the card, and whether that is seen."""
        page = str(content.get("page", ""))[:64]
        if content.get("open"):
            self._pages[page] = bool(content.get("visible")), self._clock()
        else:
            self._pages.pop(page, None)
        self._changed()

    def look(self) -> None:
        """Let go of pages that have been silent for too long."""
        limit_s = self._clock() - GONE_S
        gone = [page for page, (_, spoke_s) in self._pages.items() if spoke_s < limit_s]
        for page in gone:
            del self._pages[page]
            self._on_gone(page)
        self._changed()

    def _changed(self) -> None:
        self._on_seen(self.is_seen)
        self.close()
        if not self._pages:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # before there is a call, pages speak on a thread without a loop
        self._timer = loop.call_later(GONE_S / 2, self.look)

    def close(self) -> None:
        """Stop looking for pages that went. May be called again."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
