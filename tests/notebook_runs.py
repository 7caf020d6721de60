"""Every notebook of ``notebooks/`` run once per test session, for all tests that look at it."""

from __future__ import annotations

import copy
import importlib.util
import os
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def has_browser() -> bool:
    """Whether the tests in ``browser/`` run here."""
    parts = all(importlib.util.find_spec(name) for name in ("jupyterlab", "playwright"))
    return parts and any(shutil.which(name) for name in BROWSERS)


IN_LAB = ("04", "05", "21", "30")
"""They are run by ``browser/test_saved_notebooks.py``, which looks at the same things, and without
a browser only where there is none."""
HERE = [path for path in NOTEBOOKS if not (has_browser() and path.name.startswith(IN_LAB))]
CELL_LIMIT_S = 60
STARTUP = Path(__file__).resolve().parent / "notebook_startup.py"
"""What each of these kernels runs first, if there is such a file; XNB_RUN_FOLDER says where."""


@dataclass(frozen=True)
class NotebookRun:
    """A notebook after its run from top to bottom, without a browser.

    Attributes:
        name: Its file's name.
        folder: Where it ran: its recordings and other files, and what STARTUP wrote.
        seconds: How long it took, with the start and the end of its kernel.
        left: Command lines of its processes that were still there two seconds after its end.
    """

    name: str
    folder: Path
    seconds: float
    left: tuple[str, ...]
    _notebook: nbformat.NotebookNode

    def notebook(self, *, widget_state: bool = True) -> nbformat.NotebookNode:
        """A copy with all outputs, and with the state of the widgets or without."""
        found = copy.deepcopy(self._notebook)
        if not widget_state:
            found.metadata.pop("widgets", None)
        return found


def run(path: Path, folder: Path) -> NotebookRun:
    """Run a notebook in an empty folder, with settings of its own.

    Args:
        path: The notebook.
        folder: An empty folder; it runs in ``work`` below it.

    Raises:
        CellExecutionError: A cell raised; it holds the traceback.
        CellTimeoutError: A cell took longer than a minute.
    """
    work = folder / "work"
    startup = folder / "ipython" / "profile_default" / "startup"
    for made in (work, startup):
        made.mkdir(parents=True)
    if STARTUP.is_file():
        (startup / STARTUP.name).write_bytes(STARTUP.read_bytes())
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_LIMIT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
    )
    environment = {
        **os.environ,
        "IPYTHONDIR": str(folder / "ipython"),
        "XNB_RUN_FOLDER": str(folder),
    }
    start_s = time.monotonic()
    client.execute(env=environment)
    seconds = time.monotonic() - start_s
    return NotebookRun(path.name, folder, seconds, _left_behind(folder), notebook)


def _left_behind(folder: Path, limit_s: float = 2.0) -> tuple[str, ...]:
    """Processes that were started by the kernel of ``folder``; their environment names it."""
    mark = f"XNB_RUN_FOLDER={folder}\0".encode()
    deadline_s = time.monotonic() + limit_s
    while True:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes() + b"\0":
                    words = (process / "cmdline").read_bytes().split(b"\0")
                    found.append(b" ".join(words).decode(errors="replace"))
            except OSError:
                continue
        found = [words for words in found if words]
        if not found or time.monotonic() > deadline_s:
            return tuple(found)
        time.sleep(0.1)


# What a notebook must have printed, beside running through: that media really went in and out.
# Where the machine is busy, what is lost or late is made up for, so no figure is exact.
PRINTS = {
    "01-first-call.ipynb": (r"connected after \d", r"\(480, 640, 3\) uint8", "hangup after"),
    "02-media-in-and-out.ipynb": (
        r"sent  523.25 Hz, heard   5[0-4]\d Hz",
        r"sent 1046.50 Hz, heard  10[1-7]\d Hz",
        r"30 pictures, the ball moved over [1-6]\d\d pixels",
        "without encoding it anew: audio",
        r"in  [ 1-9]\d\d kbit/s, out .* 640x360 vp8",
        r"tone +[1-9]\d* chunks at  -[12]\d\.\d dB\nmuted +[0-2] chunks",
        r"\nunmuted +[1-9]\d* chunks at  -[12]\d\.\d dB",
        "hangup after",
    ),
    "04-incoming.ipynb": (
        "<video call from callback: ringing>",
        "incoming call from callback, 640x480 pixels",
        r"Alice sends 440 Hz and hears 6[3-9]\d Hz\nBob sends 660 Hz and hears 4[1-7]\d Hz",
        r"Bob sees 320x240 pixels, red [0-5], blue [3-9]\d|Bob sees 320x240 .* blue [12]\d\d",
        "at Alice: hangup - at Bob: remote_hangup",
        "Declined: bob declined the call",
    ),
    "20-group-call.ipynb": (
        r"testcard-3 +came at \d\d:",
        # Colours as encoded, so within a few steps; tones within what two clocks differ by.
        r"testcard-2: red +(?:[3-6]\d|2[5-9]), green 1[4-7]\d, blue +[4-8]\d, 55[0-8] Hz",
        r"testcard-3: red +[3-7]\d, green +(?:[6-9]\d|10\d), blue (?:19|2[0-3])\d, 6[56]\d Hz",
        r"tones in the mix: 440 554 659\n",
        "Alice sees: (?=.*me)(?=.*testcard-2)(?=.*testcard-3)",
        "NotInvited: ",
        r"high: (?:[2-9]\d\d) lines\nlow: 1[0-8]\d lines",
        r"[3-6]\.\d s of film",
        r"testcard-2 \(muted\)",
        "here: hangup - at Alice: remote_hangup",
    ),
    "21-sfu-inside.ipynb": (
        r"in   testcard +audio +(?:4\d|5[0-5])\.\d packets/s",
        r"out  testcard +audio +(?:[89]\d|1[01]\d)\.\d packets/s",
        r"out  you +audio +(?:4\d|5[0-5])\.\d packets/s",
        r"testcard-2 +video in +\d+\.\d, out +\d+\.\d before, +[1-9]\d*\.\d now",
        r"lost on the way in: \d+, sent again on the way out: \d+",
        r"out with 4 people +\d{3}, with 5 +\d{3,4} packets/s",
        "hangup after",
    ),
}


def must_have_printed(name: str, cells: Iterable[Any]) -> None:
    """Assert that what a notebook's cells printed tells of media going in and out."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    streams = [output["text"] for output in outputs if output["output_type"] == "stream"]
    text = "".join(one if isinstance(one, str) else "".join(one) for one in streams)
    for pattern in PRINTS.get(name, ()):
        assert re.search(pattern, text), text
