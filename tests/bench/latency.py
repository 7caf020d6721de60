"""Latency of pictures and sound in a two-way call on a clean link, both ends in a process."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from .calls import Scene, checked, job, pooled
from .harness import Options, Record, Target, figure, in_turn, main, need_peer, workplace


def measure(options: Options) -> list[Record]:
    """Medians over all pictures, and over all clicks."""
    need_peer()
    with workplace() as folder:
        scene = Scene(folder)
        work = job(
            scene,
            seconds=options.seconds(20),
            warm_s=4 if options.quick else 8,
            video=scene.video,
            **scene.clicks(),
        )
        side = checked(scene, work)
        ours, peer = in_turn(options.runs, side("ours"), side("peer"))

    def medians_ms(results: list[dict[str, Any]], kind: str) -> list[float]:
        return [statistics.median(pooled(one, kind, "latencies_s")) * 1000 for one in results]

    return [
        figure(
            "video latency, median",
            "ms",
            medians_ms(ours, "video"),
            medians_ms(peer, "video"),
            Target(0.3),
            "from a picture's hand-over to the sender to its hand-over decoded",
        ),
        figure(
            "audio latency, median, clean link",
            "ms",
            medians_ms(ours, "audio"),
            medians_ms(peer, "audio"),
            Target(0.7),
            "from the sample's time at a microphone to its time at a loudspeaker",
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
