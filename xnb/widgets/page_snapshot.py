"""Asks the page that shows a call for the picture it shows last, as a JPEG."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

LIMIT_S = 0.7
"""How long a summary waits for a page."""


class PageSnapshot:
    """One question at a time, over the media comm: pictures are never traits.

    The page is sent ``{"type": "snapshot", "id": n}`` and answers with the same and one buffer.

    Args:
        model: The hidden media model.
        take: Is given the bytes of an answer, on the engine's loop; says whether they are of use.
    """

    def __init__(self, model: Any, take: Callable[[bytes], bool]) -> None:
        self._model = model
        self._take = take
        self._number = 0
        self._call: Any = None
        self._answered: asyncio.Event | None = None
        model.on_msg(self._received)

    @property
    def is_open(self) -> bool:
        """Whether a page has been asked and has not answered."""
        return self._answered is not None and not self._answered.is_set()

    def ask(self, call: Any) -> None:
        """Ask all pages; the first useful answer counts. Runs on the engine's loop."""
        self._call = call
        self._number += 1
        self._answered = asyncio.Event()
        self._model.send({"type": "snapshot", "id": self._number})

    async def wait(self) -> None:
        """Wait until a page has answered, but not longer than 0.7 s."""
        if self._answered is None:
            return
        try:
            await asyncio.wait_for(self._answered.wait(), LIMIT_S)
        except TimeoutError:
            self._answered = None

    def _received(self, _widget: Any, content: Any, buffers: Any) -> None:
        """A message of a page, on any thread: only handed over."""
        if isinstance(content, dict) and content.get("type") == "snapshot" and self._call:
            self._call.runner.post(self._heard, content.get("id"), list(buffers or ()))

    def _heard(self, number: Any, buffers: list[Any]) -> None:
        if self.is_open and number == self._number and buffers and self._take(bytes(buffers[0])):
            assert self._answered is not None
            self._answered.set()
