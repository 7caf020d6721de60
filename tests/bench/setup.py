"""Setup: from the offer until both sides are connected, on one machine."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from .harness import (
    BadRun,
    Driver,
    Options,
    Record,
    Target,
    figure,
    in_turn,
    main,
    need_peer,
    node,
    python,
)

COUNT = 40


def measure(options: Options) -> list[Record]:
    """The median of each run, and the median of the runs."""
    need_peer()
    job = {"count": 10 if options.quick else COUNT}

    def run(command: list[str]) -> dict[str, Any]:
        result = Driver(command, job, limit_s=120).result
        if not result["sound"]:
            raise BadRun("no sound came through the last connection")
        return result

    ours, peer = in_turn(options.runs, lambda: run(python("setup")), lambda: run(node("setup.js")))
    return [
        figure(
            "setup, offer to both connected",
            "ms",
            [statistics.median(one["times_s"]) * 1000 for one in ours],
            [statistics.median(one["times_s"]) * 1000 for one in peer],
            Target(1.0),
        )
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
