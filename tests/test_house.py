"""Set-up, notebooks and documents: what is promised there is there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TARGETS = ("setup", "lab", "test", "test-fast", "bench", "front", "clean", "help")
TARGETS += ("binder-check", "html-manager")


def make(*arguments: str) -> str:
    if shutil.which("make") is None:
        pytest.skip("make is missing (apt-get install make)")
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_help_lists_every_command() -> None:
    text = make("help")
    for target in TARGETS:
        assert re.search(rf"^  make {target} +\S", text, re.MULTILINE), target


def test_setup_is_quick_when_nothing_is_to_do() -> None:
    if not (ROOT / ".venv" / ".setup-stamp").exists():
        pytest.skip("this environment was not made by make setup; run it to check this")
    make("setup", "APT=no")
    start_s = time.monotonic()
    make("setup", "APT=no")
    assert time.monotonic() - start_s < 2


def test_lab_passes_port_and_browser_on() -> None:
    plan = make("-n", "lab", "PORT=9123", "BROWSER=no")
    assert "--port 9123 --no-browser" in plan
    assert "notebooks/01-first-call.ipynb" in plan
    assert "--no-browser" not in make("-n", "lab")


def test_ci_runs_make_test() -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("make test")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_saved_without_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        assert not cell.get("outputs"), "run: jupyter nbconvert --clear-output --inplace"
        assert cell.get("execution_count") is None
    assert "widgets" not in notebook["metadata"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_notebook_explains_its_cells(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = sum(cell["cell_type"] == "markdown" for cell in cells)
    code = sum(cell["cell_type"] == "code" for cell in cells)
    assert code > 0
    assert prose >= 0.7 * code


def test_documents_name_only_what_exists() -> None:
    """Every path in backquotes in the documents is a path of the checkout or of a glob."""
    broken = []
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:xnb|notebooks|tests|binder|\.ci)/[\w./-]*)`", text):
            if not (ROOT / path).exists():
                broken.append(f"{name}: {path}")
        for path in re.findall(r"\]\(((?!https?:)[^)#]+)\)", text):
            if not (ROOT / path).exists():
                broken.append(f"{name}: {path}")
        for target in re.findall(r"`make ([a-z-]+)`", text):
            if target not in TARGETS:
                broken.append(f"{name}: make {target}")
    assert not broken, "\n".join(broken)


def test_readme_says_what_is_experimental() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for words in ("make lab", "make test", "403", "CallGated", "mixes the audio", "experimental"):
        assert words in text
