"""What a call's card does to leave a summary in its output when the call is over."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from .outputs import show
from .summary_keeper import SummaryKeeper, summary_line


class Summarized:
    """Mix-in for the call's widget, in front of the widget's class.

    A saved notebook has no live card; the summary is what it shows. The widget calls
    :meth:`_keep_summary` when it is made and :meth:`_end_with_summary` when the call is over.

    Attributes:
        on_summary: Called when the summary is there, on the engine's loop.
    """

    leg: Any
    call: Any
    ended: Any
    failure: Any
    recordings: Any
    _keeper: SummaryKeeper

    def _keep_summary(self, is_seen: Callable[[], bool], find_peer: Callable[[], Any]) -> None:
        self.on_summary: Callable[[], Any] | None = None
        self._display_id = uuid.uuid4().hex
        self._displayed = False
        self._keeper = SummaryKeeper(self.leg, is_seen, find_peer)

    @property
    def keep_picture(self) -> bool:
        """Whether the summary that replaces the card after the call has the last picture.

        Set to ``False`` after the call, it is taken out of the output again.
        """
        return self._keeper.keep_picture

    @keep_picture.setter
    def keep_picture(self, value: bool) -> None:
        self._keeper.keep_picture = value
        if self.ended or self.failure:
            self._show_summary()

    @property
    def keep_recordings(self) -> bool:
        """Whether that summary holds recordings of at most 1 MB themselves, not only players."""
        return self._keeper.keep_recordings

    @keep_recordings.setter
    def keep_recordings(self, value: bool) -> None:
        self._keeper.keep_recordings = value

    def __repr__(self) -> str:
        return f"<{summary_line(self._values(), self.recordings)}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        return {**(data or {}), **self._summary()}, metadata

    def _ipython_display_(self) -> None:
        """Show the card in an output that a summary takes over when the call has ended."""
        over = self.ended or self.failure
        show(self._summary() if over else self._repr_mimebundle_()[0], self._display_id)
        self._displayed = True

    def _values(self) -> dict[str, Any]:
        names = ("title", "state", "state_text", "incoming", "duration_s", "failure", "ended")
        return {name: getattr(self, name) for name in names}

    def _summary(self) -> dict[str, str]:
        return self._keeper.summary(self._values(), self.recordings)

    def _show_summary(self) -> None:
        if self._displayed:
            show(self._summary(), self._display_id, update=True)
        if self.on_summary:
            self.on_summary()

    def _end_with_summary(self, start: Callable[[Any], Any]) -> None:
        """Let go of the pages and show the summary; ``start`` runs a coroutine on the loop."""
        if self._keeper.waits_for_page:
            start(self._end_with_page())
            return
        start(self.leg.shut())
        self._show_summary()

    async def _end_with_page(self) -> None:
        try:
            await self._keeper.wait_for_page()
            # Drawing takes some 30 ms, in which other calls on this loop would stand still.
            await asyncio.to_thread(self._summary)
        finally:
            try:
                self._show_summary()
            finally:
                await self.leg.shut()
