"""CPU of audio calls, Opus both ways, both ends in a process: one call and eight."""

from __future__ import annotations

import sys

from .calls import Scene, checked, job
from .harness import Options, Record, Target, figure, in_turn, main, need_peer, workplace


def measure(options: Options) -> list[Record]:
    """CPU for each call."""
    need_peer()
    records = []
    with workplace() as folder:
        scene = Scene(folder)
        for calls in (1, 8):
            work = job(
                scene,
                calls=calls,
                seconds=options.seconds(20),
                warm_s=3,
                after_s=4,
                capture="after",
                **scene.speech(),
            )
            side = checked(scene, work)
            ours, peer = in_turn(options.runs, side("ours"), side("peer"))
            records.append(
                figure(
                    f"CPU, audio call, {calls} in a process",
                    "CPU s/min",
                    [one["cpu_s_a_minute"] / calls for one in ours],
                    [one["cpu_s_a_minute"] / calls for one in peer],
                    Target(0.8),
                    "for each call",
                )
            )
    return records


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
