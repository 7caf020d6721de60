"""``binder/`` by the rules of repo2docker, as far as no image is needed (`make binder-check`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BINDER = ROOT / "binder"


def run(script: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(
        [BINDER / script, *arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def lines(name: str) -> list[str]:
    """The lines of a file of ``binder/`` that count."""
    text = (BINDER / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_start_runs_what_it_is_given_in_place_of_itself() -> None:
    done = run("start", "python", "-c", "import os, sys; print(sys.argv[1:], os.getpid())", "a b")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['a b'] ")
    assert run("start", "python", "-c", "raise SystemExit(3)").returncode == 3


def test_what_is_installed_is_this_checkout_with_its_notebook_tools() -> None:
    # A line that begins with a dot makes repo2docker install after the files are there.
    assert lines("requirements.txt") == [".[lab]"]
    (python,) = lines("runtime.txt")
    wanted = tuple(int(part) for part in python.removeprefix("python-").split("."))
    assert wanted >= (3, 11)
    assert lines("apt.txt") == ["ffmpeg"]


def test_the_documents_lead_to_notebooks_that_exist() -> None:
    text = (BINDER / "README.md").read_text(encoding="utf-8")
    linked = [part.split("`")[0] for part in text.split("urlpath=lab/tree/")[1:]]
    assert linked
    for name in linked:
        assert (ROOT / name.strip(")>\n ")).is_file(), name


@pytest.mark.slow
def test_post_build_places_a_call_and_fails_with_it(tmp_path: Path) -> None:
    before = set(ROOT.iterdir())
    done = run("postBuild")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Recorded" in done.stdout + done.stderr
    assert set(ROOT.iterdir()) == before
    # Where no package xnb can be found, the build stops.
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    (tmp_path / "python").symlink_to("/usr/bin/python3")
    failed = subprocess.run(
        [BINDER / "postBuild"], cwd=tmp_path, env=env, capture_output=True, timeout=30, check=False
    )
    assert failed.returncode != 0
