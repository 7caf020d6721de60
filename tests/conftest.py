"""What every test shares: the marker ``slow``, and no proxy or server setting from outside."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from notebook_runs import NotebookRun

# Set by a developer's shell, these would send the tests to another server.
for _name in ("XNB_SERVER", "XNB_SERVER_TOKEN"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than about ten seconds")
    config.addinivalue_line("markers", "alone: looks at delays; runs with the machine to itself")
    config.addinivalue_line("markers", "xdist_group(name): tests of one process, with -n")


@pytest.hookimpl(tryfirst=True)  # before -n reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With ``-n 2 --dist loadgroup``: one browser at a time, and each notebook is run once."""
    for item in items:
        group = str(item.path)
        if "browser" in item.path.parts:
            group = "browser"
        elif "notebook_run" in getattr(item, "fixturenames", ()):
            group = "notebooks"
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The top folder of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def notebook_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], NotebookRun]:
    """Runs a notebook when it is first asked for, and gives the same run to every test."""
    from notebook_runs import run

    runs: dict[Path, NotebookRun] = {}

    def once(path: Path) -> NotebookRun:
        if path not in runs:
            runs[path] = run(path, tmp_path_factory.mktemp(path.stem))
        return runs[path]

    return once
