"""Twenty two-way audio calls in one process: whether every frame comes on time."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .calls import Scene, checked, job, pooled
from .harness import Options, Record, Target, counted, figure, main, workplace

CALLS = 20
FRAMES_A_SECOND = 50
RECOGNISABLE = 0.25
"""Too much load is what is measured here, so sound may have holes; it must be the right one."""


def measure(options: Options) -> list[Record]:
    """How late the latest twentieth of the frames comes; the peer is one call of our own."""
    found: dict[int, list[float]] = {1: [], CALLS: []}
    load = []
    with workplace() as folder:
        scene = Scene(folder)
        for _ in range(options.runs):
            for calls in found:
                work = job(
                    scene,
                    calls=calls,
                    seconds=options.seconds(20),
                    warm_s=4,
                    after_s=4,
                    capture="after",
                    lateness=True,
                    **scene.speech(),
                )
                result: dict[str, Any] = counted(checked(scene, work, 0.1, RECOGNISABLE)("ours"))
                late_s = pooled(result, "audio", "late_s")
                # A frame that did not come is as late as the measurement is long.
                missing = 2 * calls * result["wall_s"] * FRAMES_A_SECOND - len(late_s)
                late_s += [result["wall_s"]] * max(0, round(missing))
                found[calls].append(float(np.percentile(late_s, 95)) * 1000)
                if calls == CALLS:
                    load.append(result["cpu_s_a_minute"] / 60)
    return [
        figure(
            f"{CALLS} audio calls, lateness p95",
            "ms",
            found[CALLS],
            found[1],
            Target(20, of="ours"),
            f"behind the promptest frame of each stream; peer: one call; "
            f"{np.median(load):.2f} cores in use",
        )
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
