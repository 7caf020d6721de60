"""Whether the far end still wants what we send (consent freshness, RFC 7675)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable


async def watch_consent(
    has_consent: Callable[[], Awaitable[bool]],
    dead_peer_s: float,
    on_consent: Callable[[bool], None],
) -> None:
    """Ask again and again, until cancelled.

    Args:
        has_consent: Asks once.
        dead_peer_s: Seconds without an answer before ``on_consent(False)``.
        on_consent: Called with ``False`` when consent is lost and ``True`` when it is back.
    """
    interval_s = min(2.5, max(0.2, dead_peer_s / 8))
    last_answer = time.monotonic()
    lost = False
    while True:
        pause_s = interval_s * (0.8 + 0.4 * random.random())  # noqa: S311
        before = time.monotonic()
        await asyncio.sleep(pause_s)
        overslept_s = time.monotonic() - before - pause_s
        if overslept_s > interval_s:
            # This loop was blocked: silence that nobody could have heard proves nothing.
            last_answer += overslept_s
        if await has_consent():
            last_answer = time.monotonic()
            if lost:
                lost = False
                on_consent(True)
        elif not lost and time.monotonic() - last_answer >= dead_peer_s:
            lost = True
            on_consent(False)
