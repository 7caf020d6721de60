"""``xnb lab``: JupyterLab on the first-call notebook."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from .errors import SettingsError

NOTEBOOK = "01-first-call.ipynb"


def first_call_notebook() -> Path:
    """The notebook that came with the package: of the checkout, or of the installed wheel.

    Raises:
        SettingsError: It is in neither place.
    """
    package = Path(__file__).resolve().parent
    for folder in (package.parent / "notebooks", package / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder / NOTEBOOK
    raise SettingsError(
        f"{NOTEBOOK} did not come with this installation.", remedy="Install xnb again."
    )


def copy_if_missing(folder: Path) -> Path:
    """Put a copy of the first-call notebook into ``folder`` unless it has one; returns its path."""
    target = folder / NOTEBOOK
    if not target.exists():
        shutil.copyfile(first_call_notebook(), target)
    return target


def open_lab(notebook: Path | None, *, port: int, browser: bool) -> int:
    """Run JupyterLab in the foreground until it is stopped.

    Args:
        notebook: What to open; ``None`` for a copy of the first call in the current folder.
        port: TCP port on 127.0.0.1; JupyterLab takes the next free one when it is in use.
        browser: Open a browser. The address, with its token, is printed either way.

    Returns:
        The exit status of JupyterLab; 0 after Ctrl-C.

    Raises:
        SettingsError: JupyterLab is not installed, or there is no such notebook.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise SettingsError("JupyterLab is not installed.", remedy="Run: pip install 'xnb[lab]'")
    if notebook is None:
        notebook = copy_if_missing(Path.cwd())
    elif not notebook.is_file():
        raise SettingsError(f"There is no notebook {notebook}.", remedy="Check its path.")
    # As the default page, and not as an argument, the printed addresses lead to the notebook too.
    page = "/lab/tree/" + quote(notebook.name)
    command = [sys.executable, "-m", "jupyterlab", f"--port={port}"]
    command += [f"--LabApp.default_url={page}", f"--ServerApp.root_dir={notebook.parent.resolve()}"]
    # A question about news would cover the call.
    command += ["--LabApp.news_url=None"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    process = subprocess.Popen(command)
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reached JupyterLab too; it asks, or stops at the second one.
            continue
        return 0 if status in (0, -2) else status
