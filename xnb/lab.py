"""``xnb lab``: JupyterLab on the first-call notebook, with the others beside it."""

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
NOT_COPIED = ("30",)
"""Numbers of notebooks that are for another place: the demo on Binder."""


def shipped_notebooks() -> list[Path]:
    """The notebooks that came with the package, of the checkout or of the wheel, sorted by name.

    Raises:
        SettingsError: They are in neither place.
    """
    package = Path(__file__).resolve().parent
    for folder in (package.parent / "notebooks", package / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return sorted(
                path for path in folder.glob("*.ipynb") if path.name[:2] not in NOT_COPIED
            )
    raise SettingsError(
        f"{NOTEBOOK} did not come with this installation.", remedy="Install xnb again."
    )


def copy_if_missing(folder: Path) -> Path:
    """Put copies of the notebooks into ``folder`` unless it has the first-call notebook.

    What is there already stays as it is, and a notebook that was deleted later does not come
    back.

    Returns:
        The path of the first-call notebook.
    """
    first = folder / NOTEBOOK
    if not first.exists():
        for notebook in shipped_notebooks():
            _copy(notebook, folder)
    return first


def named(notebook: Path) -> Path:
    """The notebook that was asked for; a copy when it is one of ours and not there yet.

    Raises:
        SettingsError: There is no such notebook.
    """
    if not notebook.is_file() and notebook.parent.is_dir():
        ours = {shipped.name: shipped for shipped in shipped_notebooks()}
        if notebook.name in ours:
            _copy(ours[notebook.name], notebook.parent)
    if not notebook.is_file():
        raise SettingsError(f"There is no notebook {notebook}.", remedy="Check its path.")
    return notebook


def _copy(notebook: Path, folder: Path) -> None:
    target = folder / notebook.name
    if not target.exists():
        shutil.copyfile(notebook, target)


def open_lab(notebook: Path | None, *, port: int, browser: bool) -> int:
    """Run JupyterLab in the foreground until it is stopped.

    Args:
        notebook: What to open; it is copied when it is one that came with xnb and is not there.
            ``None`` for the first call in the current folder.
        port: TCP port on 127.0.0.1; JupyterLab takes the next free one when it is in use.
        browser: Open a browser. The address, with its token, is printed either way.

    Returns:
        The exit status of JupyterLab; 0 after Ctrl-C.

    Raises:
        SettingsError: JupyterLab is not installed, or there is no such notebook.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise SettingsError("JupyterLab is not installed.", remedy="Run: pip install 'xnb[lab]'")
    notebook = copy_if_missing(Path.cwd()) if notebook is None else named(notebook)
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
