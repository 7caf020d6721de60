"""What this process and the embedded server hold: to see that nothing is left after calls."""

from __future__ import annotations

import asyncio
import gc
import threading

import psutil

from xnb.launch import embedded_server


def counts() -> dict[str, int]:
    me = psutil.Process()
    server = psutil.Process(embedded_server().pid)
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "files and sockets": me.num_fds(),
        "children": len(me.children(recursive=True)),
        "files and sockets of the server": server.num_fds(),
        "threads of the server": server.num_threads(),
    }


async def settled(baseline: dict[str, int]) -> dict[str, int]:
    """Counts, given a moment for sockets that close in the background."""
    for _ in range(100):
        now = counts()
        if all(now[name] <= limit for name, limit in baseline.items()):
            return now
        await asyncio.sleep(0.1)
        gc.collect()
    return counts()
