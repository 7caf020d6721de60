"""``python -m xnb.server.janus``: whether a private Janus starts here; what ``xnb doctor`` runs."""

from __future__ import annotations

import asyncio
import sys

from ...errors import XnbError
from .process import JanusProcess


async def _try() -> float:
    janus = JanusProcess()
    try:
        await janus.start()
        return janus.start_s
    finally:
        await janus.stop()


def main() -> int:
    """Start a private Janus, stop it, and say how long it took. Returns the exit status."""
    try:
        start_s = asyncio.run(_try())
    except XnbError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"starts privately and answers after {start_s:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
