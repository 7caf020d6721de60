"""What every test shares: the marker ``slow``, and no proxy or server setting from outside."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from notebook_runs import NotebookRun

NOTEBOOK_TESTS = ("test_notebooks.py", "test_saved_secrets.py")

# Set by a developer's shell, these would send the tests to another server.
for _name in tuple(os.environ):
    if _name.startswith(("XNB_SERVER", "XNB_JANUS")):
        del os.environ[_name]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than about ten seconds")
    config.addinivalue_line("markers", "alone: looks at delays; runs with the machine to itself")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n 2``: a file stays in one process, as do browsers, each notebook runs once."""
    from xdist.scheduler import LoadScopeScheduling

    class Rooms(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file.endswith("test_saved_notebooks.py"):
                return "saved notebooks"  # long, and not hurt by another browser beside it
            if "/browser/" in file:
                return "browser"
            return "notebooks" if file.endswith(NOTEBOOK_TESTS) else file

    return Rooms(config, log)


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
