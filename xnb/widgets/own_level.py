"""How loud the sound is that we send, for the card's second meter."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import av

from ..events import ListenerHandle
from ..media.levels import peak

INTERVAL_S = 1 / 8


class OwnLevel:
    """Tells the loudest sample of the last eighth of a second, while somebody looks.

    Runs on the engine's loop.

    Args:
        send: Takes a level, 0.0 to 1.0 (full scale).
    """

    def __init__(self, send: Callable[[float], Any]) -> None:
        self._send = send
        self._outgoing: Any = None
        self._visible = False
        self._loudest = 0.0
        self._last_s = 0.0
        self._handle: ListenerHandle | None = None

    def watch(self, outgoing: Any) -> None:
        """Listen to ``outgoing`` (an engine ``Outgoing`` of sound), or to nothing, from now on."""
        if outgoing is self._outgoing:
            return
        self._leave()
        self._outgoing = outgoing
        self._follow()

    @property
    def visible(self) -> bool:
        """Whether a page shows it; nothing is taken from the call while none does."""
        return self._visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self._visible = value
        self._follow()

    def _follow(self) -> None:
        if not (self._visible and self._outgoing is not None):
            self._leave()
        elif self._handle is None:
            self._handle = self._outgoing.on_frame(self._frame)

    def _leave(self) -> None:
        if self._handle:
            self._handle.close()
            self._handle = None

    def _frame(self, frame: Any) -> None:
        if not isinstance(frame, av.AudioFrame):
            return
        self._loudest = max(self._loudest, peak(frame.to_ndarray()))
        now = time.monotonic()
        if now - self._last_s >= INTERVAL_S:
            self._last_s = now
            self._send(round(self._loudest, 4))
            self._loudest = 0.0

    def close(self) -> None:
        """Stop. May be called again; :meth:`watch` starts anew."""
        self.watch(None)
