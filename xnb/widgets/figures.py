"""The figures of a call while it goes on: read every second, only while a page shows them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

from ..errors import XnbError
from .own_level import OwnLevel

INTERVAL_S = 1.0
_LIMIT_S = 2.0

# What the page draws over time; the rest stays here.
_DRAWN = ("bitrate_bps", "sent_bitrate_bps", "fps", "rtt_ms", "loss_percent", "playout_delay_ms")


class Figures:
    """Reads ``call.stats()`` every second and the level of what is sent eight times a second.

    Runs on the engine's loop. The page keeps what it draws over time: it goes there as custom
    messages, ``{"type": "figures", …}`` and ``{"type": "level", "peak": …}``, never as traits.

    Args:
        send: Sends a message to the pages.
        show: Is given each reading as a dict; an empty one when there was none.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], Any], show: Callable[[dict[str, Any]], Any]
    ) -> None:
        self._send = send
        self._show = show
        self._call: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._level = OwnLevel(lambda peak: send({"type": "level", "peak": peak}))

    def start(self, call: Any) -> None:
        """Begin with ``call``."""
        self.stop()
        self._call = call
        self._reading = asyncio.ensure_future(self._read(call))
        self.follow()

    def follow(self) -> None:
        """Notice that the call may have another peer now."""
        if self._call is not None:
            peer = getattr(self._call, "peer", None)
            self._level.watch(getattr(peer, "audio_out", None))

    @property
    def visible(self) -> bool:
        """Whether a page shows them."""
        return self._level.visible

    @visible.setter
    def visible(self, value: bool) -> None:
        self._level.visible = value

    async def _read(self, call: Any) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            if not self.visible or str(call.state) not in ("connected", "reconnecting"):
                continue
            try:
                stats = dataclasses.asdict(await asyncio.wait_for(call.stats(), _LIMIT_S))
            except (TimeoutError, XnbError):
                stats = {}
            self._show(stats)
            if stats:
                self._send({"type": "figures", **{name: stats[name] for name in _DRAWN}})

    def stop(self) -> None:
        """Read nothing any more. May be called again."""
        self._call = None
        self._level.close()
        if self._reading:
            self._reading.cancel()
            self._reading = None
