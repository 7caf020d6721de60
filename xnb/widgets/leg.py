"""What the ways of a call's media to one page have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal

Path = Literal["webrtc", "comm", "jpeg"]


class Leg:
    """One way to one page, until it is lost or closed.

    Args:
        page: The page's own random name.
        on_lost: Called once, with the leg, the reason in words, and whether the same way may be
            tried again, when the page is gone or cannot be reached like this.

    Attributes:
        audio_in: What the page's microphone gives: an engine ``Incoming``, or what a link takes
            for one.
        video_in: The same of its camera.
    """

    path: ClassVar[Path]
    audio_in: Any
    video_in: Any

    def __init__(self, page: str, on_lost: Callable[[Any, str, bool], Any]) -> None:
        self.page = page
        self._on_lost: Callable[[Any, str, bool], Any] | None = on_lost

    @property
    def connected(self) -> bool:
        """Whether media flows to the page."""
        raise NotImplementedError  # pragma: no cover - every leg has its own

    @property
    def dropped(self) -> int:
        """Packets or frames that were not passed on to the page."""
        raise NotImplementedError  # pragma: no cover

    def set_visible(self, visible: bool) -> None:
        """Somebody sees the call in this page, or nobody does any more."""

    def _lose(self, why: str, *, again: bool = False) -> None:
        on_lost, self._on_lost = self._on_lost, None
        if on_lost:
            on_lost(self, why, again)

    async def close(self) -> None:
        """Stop feeding. May be called again."""
        self._on_lost = None
