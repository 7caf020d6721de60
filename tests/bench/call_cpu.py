"""CPU of a two-way call, 640x480 at 30 pictures a second, VP8 and Opus, both ends in a process."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from .calls import Scene, checked, job, pooled
from .harness import Options, Record, Target, figure, in_turn, main, need_peer, workplace


def measure(options: Options) -> list[Record]:
    """CPU and, in a stretch behind it, the quality of the pictures."""
    need_peer()
    with workplace() as folder:
        scene = Scene(folder)
        work = job(
            scene,
            seconds=options.seconds(20),
            warm_s=5 if options.quick else 12,
            after_s=4,
            capture="after",
            video=scene.video,
            **scene.speech(),
        )
        side = checked(scene, work)
        ours, peer = in_turn(options.runs, side("ours"), side("peer"))

    def each(results: list[dict[str, Any]], name: str) -> list[float]:
        return [one[name] for one in results]

    def psnr(results: list[dict[str, Any]]) -> list[float]:
        return [statistics.median(pooled(one, "video", "psnrs_db")) for one in results]

    rates = [
        f"{statistics.median(each(results, 'video_bps')) / 1e6:.2f}" for results in (ours, peer)
    ]
    return [
        figure(
            "CPU, two-way video call",
            "CPU s/min",
            each(ours, "cpu_s_a_minute"),
            each(peer, "cpu_s_a_minute"),
            Target(0.75),
        ),
        figure(
            "quality of its pictures (PSNR)",
            "dB",
            psnr(ours),
            psnr(peer),
            Target(1.0, at_least=True),
            f"at {rates[0]} and {rates[1]} Mbps a direction",
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
