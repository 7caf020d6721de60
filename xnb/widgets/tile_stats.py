"""The figures of one person of a group, read while a page has them open."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from typing import Any

from ..errors import XnbError
from . import words

_log = logging.getLogger(__name__)

INTERVAL_S = 1.0
_LIMIT_S = 2.0


class TileStats:
    """Reads a participant's ``stats()`` every second for pages that want to see them.

    They go as custom messages, ``{"type": "person", "page": …, "key": …, "figures": […]}``.
    Runs on the engine's loop.

    Args:
        send: Sends a message to the pages.
        find: Gives the participant with a key, ``None`` when they have left.
    """

    def __init__(
        self, send: Callable[[dict[str, Any]], Any], find: Callable[[str], Any | None]
    ) -> None:
        self._send = send
        self._find = find
        self._watched: dict[str, str] = {}
        self._reading: asyncio.Task[None] | None = None

    def watch(self, page: str, key: str) -> None:
        """A page shows the figures of this person from now on; of nobody with an empty key."""
        if not key:
            self.forget(page)
            return
        self._watched[page] = key
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read())

    def forget(self, page: str) -> None:
        """The page shows none any more. May be called again."""
        self._watched.pop(page, None)
        if not self._watched:
            self.close()

    async def _read(self) -> None:
        while True:
            for page, key in tuple(self._watched.items()):
                person = self._find(key)
                if person is not None:
                    figures = await self._figures(person)
                    self._send({"type": "person", "page": page, "key": key, "figures": figures})
            await asyncio.sleep(INTERVAL_S)

    async def _figures(self, person: Any) -> list[str]:
        try:
            stats = await asyncio.wait_for(person.stats(), _LIMIT_S)
            return person_words(dataclasses.asdict(stats), layer=str(person.layer or ""))
        except (TimeoutError, XnbError):
            return []
        except Exception as error:
            # The figures of the next second may be right. The text may hold addresses.
            _log.warning("A person's figures could not be read: %s.", type(error).__name__)
            return []

    def close(self) -> None:
        """Read nothing any more. May be called again."""
        self._watched.clear()
        if self._reading:
            self._reading.cancel()
            self._reading = None


def person_words(stats: dict[str, Any], *, layer: str) -> list[str]:
    """What there is to say of a person's connection, in lines; what is unknown is left out.

    Args:
        stats: Their ``stats()`` as a dict.
        layer: ``"high"``, ``"low"`` or ``"off"``.
    """
    said = words.stats_words(stats)
    picture = " ".join(part for part in (said["codec"], said["size"], said["fps"]) if part)
    received_bps = stats.get("bitrate_bps")
    rate = f"{words.rate_words(received_bps)} received" if received_bps else ""
    lines = [picture, f"layer: {layer}" if layer else "", rate, said["rtt"], said["loss"]]
    return [line for line in (*lines, said["path"]) if line]
