"""Every notebook of ``notebooks/`` run once per test session, for all tests that look at it."""

from __future__ import annotations

import copy
import os
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
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
