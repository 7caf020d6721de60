"""Runs two sides in turn, takes the medians, prints a table and keeps the records."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEER = HERE / "peer"
RESULTS = ROOT / "bench-results.json"
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PEER_NAME = "@roamhq/wrtc"


class Missing(Exception):
    """Something a benchmark needs is not installed; says how to get it."""


class BadRun(Exception):
    """A run whose media was wrong; it does not count."""


@dataclass(frozen=True)
class Target:
    """A limit for a figure.

    Args:
        limit: The number.
        of: ``"ratio"`` of ours to the peer's, or ``"ours"`` itself.
        at_least: Whether larger is better.
        slack: When ours is this close to the peer's, it is no worse; in the figure's unit.
    """

    limit: float
    of: str = "ratio"
    at_least: bool = False
    slack: float = 0.0

    def __str__(self) -> str:
        return f"{self.of} {'>=' if self.at_least else '<='} {self.limit:g}"

    def met(self, ours: float, peer: float | None) -> bool:
        """Whether the figures are within the limit."""
        value, limit = ours, self.limit
        if self.of == "ratio":
            assert peer is not None
            limit *= peer
            if self.limit >= 1:
                limit += -self.slack if self.at_least else self.slack
        return value >= limit if self.at_least else value <= limit


@dataclass
class Record:
    """One figure; what ``bench-results.json`` holds."""

    name: str
    ours: float | None
    peer: float | None
    unit: str
    ratio: float | None
    target: str
    met: bool
    runs: int
    note: str = field(default="")


@dataclass
class Options:
    """What the command line says."""

    runs: int = 3
    quick: bool = False
    minutes: float = 30.0

    def seconds(self, usual_s: float) -> float:
        """How long to measure."""
        return min(usual_s, max(4.0, usual_s / 4)) if self.quick else usual_s


def figure(
    name: str,
    unit: str,
    ours: Sequence[float],
    peer: Sequence[float] | None,
    target: Target | None,
    note: str = "",
) -> Record:
    """The record of one figure from its runs."""
    mine = statistics.median(ours)
    theirs = statistics.median(peer) if peer else None
    ratio = mine / theirs if theirs else None
    return Record(
        name,
        round(mine, 4),
        None if theirs is None else round(theirs, 4),
        unit,
        None if ratio is None else round(ratio, 3),
        str(target) if target else "shown",
        target.met(mine, theirs) if target else True,
        len(ours),
        note,
    )


def in_turn(
    runs: int, ours: Callable[[], dict[str, Any]], peer: Callable[[], dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run ours, peer, ours, peer, ...; a run whose media was wrong is done once more."""
    found: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for turn in range(runs):
        for side, run, results in (("ours", ours, found[0]), (PEER_NAME, peer, found[1])):
            results.append(counted(run))
            print(f"  run {turn + 1} of {runs}: {side} done", file=sys.stderr, flush=True)
    return found


def counted(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of a run with right media; one more try when it was wrong."""
    try:
        return run()
    except BadRun as error:
        print(f"  not counted, done again: {error}", file=sys.stderr, flush=True)
        return run()


def print_table(records: Sequence[Record]) -> None:
    """Print the figures."""
    head = ("figure", "ours", "peer", "unit", "ratio", "target", "met")
    rows = [head] + [
        (
            one.name,
            "-" if one.ours is None else f"{one.ours:.4g}",
            "-" if one.peer is None else f"{one.peer:.4g}",
            one.unit,
            "-" if one.ratio is None else f"{one.ratio:.2f}",
            one.target,
            "-" if one.target == "shown" else ("yes" if one.met else "NO"),
        )
        for one in records
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for index, row in enumerate(rows):
        print(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )
        if index == 0:
            print("  ".join("-" * width for width in widths))
        elif records[index - 1].note:
            print(f"    {records[index - 1].note}")
    print(flush=True)


def arguments(description: str) -> tuple[Options, Path | None]:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=None, help="runs of each side (3; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="short runs: to see that it works")
    parser.add_argument("--minutes", type=float, default=None, help="length of the growth call")
    parser.add_argument("--json", type=Path, default=None, help="write the records here")
    found = parser.parse_args()
    return Options(
        runs=found.runs or (1 if found.quick else 3),
        quick=found.quick,
        minutes=found.minutes or (1.0 if found.quick else 30.0),
    ), found.json


def main(measure: Callable[[Options], list[Record]], description: str) -> int:
    """What each benchmark's command does. Returns 1 when a target is missed."""
    options, path = arguments(description)
    print(description.strip().splitlines()[0], flush=True)
    try:
        records = measure(options)
    except Missing as error:
        print(f"not measured: {error}")
        return 0
    except BadRun as error:
        print(f"not measured, the media was wrong twice: {error}")
        return 1
    print_table(records)
    if path:
        write(records, path)
    return int(not all(one.met for one in records))


def write(records: Sequence[Record], path: Path) -> None:
    """Write the records as JSON."""
    path.write_text(json.dumps([asdict(one) for one in records], indent=1) + "\n")


def need_peer() -> None:
    """Raise Missing unless Node and the package are there."""
    if shutil.which("node") is None:
        raise Missing("node is not installed (apt-get install nodejs npm)")
    if not (PEER / "node_modules" / "@roamhq" / "wrtc").is_dir():
        raise Missing(f"{PEER_NAME} is not installed (make peer, or npm ci in {PEER})")


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for one benchmark's files."""
    with tempfile.TemporaryDirectory(prefix="xnb-bench-") as name:
        yield Path(name)


class Driver:
    """One side of a measurement: a process that says where it is in lines of JSON.

    A line ``{"mark": ...}`` is a moment, ``{"sample": ...}`` a reading on the way, and
    ``{"result": ...}`` the end. What CPU time the process and its children had taken is noted at
    every mark, what memory it had at its highest at the end.

    Args:
        command: The program; ``job`` is added to it as JSON.
        job: What to do.
        limit_s: When to give up.
        on_mark: Called with the name of each mark.
        on_sample: Called with each sample.
    """

    def __init__(
        self,
        command: Sequence[str],
        job: dict[str, Any],
        *,
        limit_s: float,
        on_mark: Callable[[str], None] = lambda _: None,
        on_sample: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self.cpu_s: dict[str, float] = {}
        self.at_s: dict[str, float] = {}
        self.peak_bytes = 0
        self._process = subprocess.Popen(
            [*command, json.dumps(job)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        watchdog = threading.Timer(limit_s, self._process.kill)
        watchdog.start()
        result: dict[str, Any] | None = None
        assert self._process.stdout
        try:
            for line in self._process.stdout:
                said = json.loads(line)
                if "mark" in said:
                    self.cpu_s[said["mark"]] = tree_cpu_s(self._process.pid)
                    self.at_s[said["mark"]] = time.monotonic()
                    self.peak_bytes = max(self.peak_bytes, peak_rss_bytes(self._process.pid))
                    on_mark(said["mark"])
                elif "sample" in said:
                    on_sample(said["sample"])
                else:
                    result = said["result"]
        finally:
            watchdog.cancel()
            if self._process.poll() is None:
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
        if result is None:
            raise RuntimeError(
                f"{' '.join(map(str, command))} gave no result (it ended with "
                f"{self._process.returncode}, or took longer than {limit_s:g} s)."
            )
        self.result = result

    def spent(self, first: str = "begin", last: str = "end") -> float:
        """CPU seconds a minute between two marks."""
        seconds = self.at_s[last] - self.at_s[first]
        return (self.cpu_s[last] - self.cpu_s[first]) / seconds * 60


def node(script: str) -> list[str]:
    """The command of a driver in peer/."""
    return ["node", str(PEER / script)]


def python(module: str) -> list[str]:
    """The command of a driver in ours/."""
    return [sys.executable, "-m", f"tests.bench.ours.{module}"]


def tree_cpu_s(pid: int) -> float:
    """CPU time of a process, of its living children, and of those it has waited for, in s."""
    stats: dict[int, list[str]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                text = (path / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            stats[int(path.name)] = text.rpartition(")")[2].split()
    tree = {pid}
    while more := {one for one, fields in stats.items() if int(fields[1]) in tree} - tree:
        tree |= more
    # User and system time of the process, then of its waited-for children: proc(5).
    ticks = sum(int(ticks) for one in tree & stats.keys() for ticks in stats[one][11:15])
    return ticks / _TICKS_A_SECOND


def cpu_s(pid: int) -> float:
    """CPU time of one process alone, in s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:13]) / _TICKS_A_SECOND


def peak_rss_bytes(pid: int) -> int:
    """The most memory a process has had, in bytes."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    return 0
