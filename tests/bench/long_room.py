"""Eight people in a room of the embedded SFU for ten minutes: losses, drift, memory."""

from __future__ import annotations

import statistics
import sys

import numpy as np

from . import rooms
from .harness import Options, Record, Target, figure, main, workplace

PEOPLE = 8
MINUTES = 10.0
LOSSES = (0.0, 0.03, 0.10)
"""On the way to the first of them."""
GROWN = 1.05
DRIFT_MS = 10.0
WARM_S = 10.0


def measure(options: Options) -> list[Record]:
    """One long run without loss and one with each share of loss on the way to one of the eight."""
    seconds = 20.0 if options.quick else min(MINUTES, options.minutes) * 60
    everybody = [[one for one in range(PEOPLE) if one != me] for me in range(PEOPLE)]
    records = []
    with workplace() as folder:
        files = rooms.clips(folder, PEOPLE)
        for share in LOSSES:
            # The receivers are counted one by one; the first seven are what the first person gets.
            unlucky = dict.fromkeys(range(PEOPLE - 1), share) if share else {}
            found = rooms.run(
                "ours", files, everybody, warm_s=WARM_S, seconds=seconds, losses=unlucky
            )
            records += _of(found, share, seconds)
    return records


def _of(found: rooms.Measured, share: float, seconds: float) -> list[Record]:
    name = f"room of {PEOPLE}, {seconds / 60:.0f} min"
    name += f", {share:.0%} loss for one" if share else ""
    lucky = found.streams[PEOPLE - 1 :]
    lost = sum(one["sound"][1] + one["pictures"][1] for one in (lucky if share else found.streams))
    records = [
        figure(
            f"{name}: packets lost for {'the others' if share else 'all'}",
            "packets",
            [float(lost)],
            None,
            Target(0, of="ours"),
            f"{100 * found.cpu_share:.0f} % of a core; sound late p95 {found.late_p95_ms:.0f} ms",
        )
    ]
    if share:
        # What retransmission did not bring back.
        mine = found.streams[: PEOPLE - 1]
        shares = [one["pictures"][0] / (30 * seconds) for one in mine]
        records.append(
            figure(
                f"{name}: pictures that arrived whole there",
                "share",
                [statistics.median(shares)],
                None,
                Target(0.97, of="ours", at_least=True),
            )
        )
        return records
    before, after = found.rss_bytes
    records += [
        figure(
            f"{name}: memory of the server",
            "MB",
            [after / 1e6],
            [before / 1e6],
            Target(GROWN),
            "peer: the same at the begin",
        ),
        figure(
            f"{name}: drift of sound, late in the last quarter against the first",
            "ms",
            [max(_drift_ms(one["sound_late_s"]) for one in found.streams)],
            None,
            Target(DRIFT_MS, of="ours"),
        ),
    ]
    return records


def _drift_ms(late_s: list[float]) -> float:
    quarter = max(1, len(late_s) // 4)
    return 1000 * float(np.median(late_s[-quarter:]) - np.median(late_s[:quarter]))


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
