"""How long ``import xnb`` takes in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

from .harness import Options, Record, Target, figure, main

LIMIT_MS = 300
TRIES = 7
_PROBE = """
import sys, time
before, modules = time.perf_counter(), len(sys.modules)
import xnb
print(time.perf_counter() - before, len(sys.modules) - modules)
"""


def measure(options: Options) -> list[Record]:
    """The median of some tries."""
    times_ms, count = [], 0
    for _ in range(TRIES):
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True, timeout=60
        )
        seconds, modules = done.stdout.split()
        times_ms.append(float(seconds) * 1000)
        count = int(modules)
    target = Target(LIMIT_MS, of="ours")
    return [figure("import xnb", "ms", times_ms, None, target, f"{count} modules")]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
