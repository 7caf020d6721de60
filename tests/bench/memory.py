"""Memory of a two-way 640x480 call, both ends in a process, with a short clip as the source."""

from __future__ import annotations

import sys

from .calls import Scene, checked, job
from .harness import Options, Record, Target, figure, in_turn, main, need_peer, workplace

PICTURES = 15
"""Of the loop that is sent: 7 MB on either side."""


def measure(options: Options) -> list[Record]:
    """The most that the process ever had."""
    need_peer()
    with workplace() as folder:
        scene = Scene(folder, pictures=PICTURES)
        work = job(
            scene,
            seconds=options.seconds(20),
            warm_s=5,
            video=scene.video,
            **scene.speech(),
        )
        side = checked(scene, work)
        ours, peer = in_turn(options.runs, side("ours"), side("peer"))
    return [
        figure(
            "memory of a 480p call, both ends",
            "MB",
            [one["peak_bytes"] / 1e6 for one in ours],
            [one["peak_bytes"] / 1e6 for one in peer],
            Target(1.0),
            "peak resident memory of the process",
        )
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
