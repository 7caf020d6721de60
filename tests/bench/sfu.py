"""The embedded SFU beside Janus: CPU of forwarding, how much one core takes, the first picture."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from functools import partial

from . import rooms
from .harness import Options, Record, Target, counted, figure, main, workplace

SHAPES: dict[str, tuple[int, list[list[int]]]] = {
    "1 to 2": (1, [[0], [0]]),
    "3 to 1": (3, [[0, 1, 2]]),
    "2 to 4": (2, [[0, 1]] * 4),
    "8 to 8": (8, [[one for one in range(8) if one != me] for me in range(8)]),
}
CAPACITY = (60, 80, 100, 120)
"""Streams of sound and picture that are tried, fewest first."""
LATE_MS = 20.0
JOIN_MS = 50.0


def measure(options: Options) -> list[Record]:
    """CPU in four shapes of rooms, run in turn; then the embedded SFU alone, with more and more."""
    records = []
    with workplace() as folder:
        files = rooms.clips(folder, 8)
        for name, (publishers, receives) in SHAPES.items():
            records += _beside(options, name, files[:publishers], receives)
        records.append(_capacity(options, files))
    return records


def _beside(
    options: Options, name: str, files: Sequence[str], receives: Sequence[Sequence[int]]
) -> list[Record]:
    found: dict[str, list[rooms.Measured]] = {server: [] for server in rooms.SERVERS}
    for turn in range(options.runs):
        for server, runs in found.items():
            runs.append(
                counted(partial(rooms.run, server, files, receives, seconds=options.seconds(12)))
            )
            print(f"  {name}, run {turn + 1} of {options.runs}: {server} done", file=sys.stderr)
    ours, janus = found["ours"], found["janus"]
    count = sum(map(len, receives))
    lost = [sum(one.lost for one in runs) for runs in (ours, janus)]
    late_ms = [statistics.median(one.late_p95_ms for one in runs) for runs in (ours, janus)]
    records = [
        figure(
            f"SFU, {name}: CPU",
            "% of a core",
            [100 * one.cpu_share for one in ours],
            [100 * one.cpu_share for one in janus],
            Target(1.5),
            f"peer: Janus; {count} streams of sound and picture; lost {lost[0]} and {lost[1]} "
            f"packets; sound late p95 {late_ms[0]:.0f} and {late_ms[1]:.0f} ms",
        )
    ]
    if name in ("1 to 2", "8 to 8"):
        peer_ms = statistics.median(one.first_picture_ms for one in janus)
        records.append(
            figure(
                f"SFU, {name}: subscribing to first picture",
                "ms",
                [one.first_picture_ms for one in ours],
                [one.first_picture_ms for one in janus],
                Target(peer_ms + JOIN_MS, of="ours"),
                "peer: Janus",
            )
        )
    return records


def _capacity(options: Options, files: Sequence[str]) -> Record:
    """How many streams go through without loss and on time: the median of the runs' lateness."""
    held, notes = 0, []
    for streams in CAPACITY:
        receives = [[one % 8 for one in range(at, at + 4)] for at in range(0, streams, 4)]
        runs = [
            rooms.run("ours", files, receives, seconds=options.seconds(12))
            for _ in range(options.runs)
        ]
        lost = sum(one.lost for one in runs)
        late_ms = statistics.median(one.late_p95_ms for one in runs)
        cpu_share = statistics.median(one.cpu_share for one in runs)
        notes.append(
            f"{streams}: {100 * cpu_share:.0f} % of a core, {lost} lost, p95 {late_ms:.0f} ms"
        )
        print(f"  {notes[-1]}", file=sys.stderr)
        if lost or late_ms > LATE_MS:
            break
        held = streams
    return figure(
        "SFU: audio+video streams on one core",
        "streams",
        [float(held)],
        None,
        Target(60, of="ours", at_least=True),
        "; ".join(notes),
    )


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
