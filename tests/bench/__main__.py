"""Runs every benchmark, prints all tables and writes bench-results.json.

A benchmark that breaks, or cannot run here, leaves a record that says so.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback

from .harness import RESULTS, Missing, Options, Record, arguments, print_table, write

BENCHMARKS = (
    "import_time",
    "setup",
    "call_cpu",
    "audio_cpu",
    "latency",
    "memory",
    "file_call",
    "live_display",
    "comm_display",
    "group_display",
    "first_picture",
    "open_saved",
    "bundles",
    "many_calls",
    "loss",
    "sfu",
    "long_room",
    "growth",
)


def main() -> int:
    """Returns 1 when a target was missed or something could not be measured."""
    options, path = arguments(__doc__ or "")
    records: list[Record] = []
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): only ratios of runs in turn mean much.")
    for name in BENCHMARKS:
        records += _run(name, options)
        write(records, path or RESULTS)
    print("All of it:")
    print_table(records)
    print(f"written to {path or RESULTS}")
    return int(not all(one.met for one in records))


def _run(name: str, options: Options) -> list[Record]:
    module = importlib.import_module(f"tests.bench.{name}")
    print(f"== {(module.__doc__ or name).splitlines()[0]}", flush=True)
    try:
        found: list[Record] = module.measure(options)
    except Missing as error:
        print(f"not measured: {error}\n")
        return [_failed(name, f"not measured: {error}")]
    except Exception as error:
        traceback.print_exc()
        return [_failed(name, f"{type(error).__name__}: {error}")]
    print_table(found)
    return found


def _failed(name: str, why: str) -> Record:
    return Record(name, None, None, "", None, "measured", False, 0, why)


if __name__ == "__main__":
    sys.exit(main())
