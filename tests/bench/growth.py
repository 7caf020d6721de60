"""A 30-minute two-way call (--minutes): whether memory, tasks, threads or latency grow."""

from __future__ import annotations

import statistics
import sys
from typing import Any

from .calls import Scene, job
from .harness import BadRun, Driver, Options, Record, Target, figure, main, python, workplace

SAMPLE_S = 5.0
BASE_MINUTE = 2.0
PICTURES = 30
KINDS = (
    ("rss_bytes", "memory", "MB", 1e-6, Target(1.05)),
    ("tasks", "asyncio tasks", "", 1.0, Target(1.0, slack=1.0)),
    ("threads", "threads", "", 1.0, Target(1.0)),
    ("files", "open files", "", 1.0, Target(1.0)),
    ("video_s", "video latency", "ms", 1000.0, Target(1.1, slack=2.0)),
    ("audio_s", "audio latency", "ms", 1000.0, Target(1.1, slack=2.0)),
)


def measure(options: Options) -> list[Record]:
    """The last readings against those around minute 2, or around a third of a shorter call."""
    samples: list[dict[str, Any]] = []
    seconds = options.minutes * 60
    with workplace() as folder:
        scene = Scene(folder, pictures=PICTURES)
        work = job(
            scene, seconds=seconds, warm_s=5, video=scene.video, sample_s=SAMPLE_S, **scene.clicks()
        )
        Driver(python("growth"), work, limit_s=seconds + 120, on_sample=samples.append)
    if any(one["unreadable"] for one in samples):
        raise BadRun("damaged pictures in the long call")
    base_s = min(BASE_MINUTE * 60, seconds / 3)
    base = [one for one in samples if abs(one["at_s"] - base_s) <= min(30, base_s / 2)]
    # As many at the end, and none twice.
    end = [one for one in samples if one not in base][-len(base) :]
    return [
        figure(
            f"growth over {options.minutes:g} min: {words}",
            unit,
            [statistics.median(one[key] * scale for one in end)],
            [statistics.median(one[key] * scale for one in base)],
            target,
            f"peer: the same call at {base_s / 60:.1f} min",
        )
        for key, words, unit, scale, target in KINDS
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
