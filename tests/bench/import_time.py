"""Prints how long ``import xnb`` takes in a fresh interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys

LIMIT_S = 0.3
RUNS = 7
_PROBE = """
import sys, time
before, modules = time.perf_counter(), len(sys.modules)
import xnb
print(time.perf_counter() - before, len(sys.modules) - modules)
"""


def main() -> int:
    """Measure, print, and return 1 when the limit is broken."""
    times_s, count = [], 0
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, timeout=60
        )
        seconds, modules = done.stdout.split()
        times_s.append(float(seconds))
        count = int(modules)
    median_s = statistics.median(times_s)
    print(
        f"import xnb: median {median_s * 1000:.0f} ms, best {min(times_s) * 1000:.0f} ms of {RUNS} "
        f"runs, {count} modules (limit {LIMIT_S * 1000:.0f} ms)"
    )
    return int(median_s > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
