"""``xnb doctor``: its lines, its exit status, and that nothing makes it hang."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xnb import doctor
from xnb.doctor import Check, Finding


def test_here_everything_needed_is_ok(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "xnb", "doctor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [re.split(r"\s{2,}", line)[0].split(" ", 1)[0] for line in lines if line]
    status = {check.name: line.split()[0] for check, line in zip(doctor.CHECKS, lines, strict=True)}
    assert set(status.values()) <= {"ok", "missing", "broken"}
    for check, line in zip(doctor.CHECKS, lines, strict=True):
        assert check.name in line
        if check.needed:
            assert status[check.name] == "ok", line
        elif status[check.name] != "ok":
            assert "(optional)" in line
    assert "440 Hz" in done.stdout
    assert not list(tmp_path.iterdir())


def test_only_what_is_needed_decides(capsys: pytest.CaptureFixture[str]) -> None:
    good = Check("good", lambda: Finding("ok", "fine"), needed=True)
    extra = Check("extra", lambda: Finding("missing", "not there", "Run: get extra"))
    bad = Check("bad", lambda: Finding("broken", "torn", "Mend it."), needed=True)
    assert doctor.main((good, extra)) == 0
    assert doctor.main((good, bad)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok       good   fine",
        "missing  extra  not there (optional). Run: get extra",
        "ok       good  fine",
        "broken   bad   torn (needed). Mend it.",
    ]


def test_a_check_that_raises_is_broken() -> None:
    def explode() -> Finding:
        raise RuntimeError("the fuse is gone")

    assert doctor.run_check(Check("fuse", explode)).detail == "the fuse is gone"
    assert doctor.run_check(Check("fuse", explode)).status == "broken"


def test_a_check_that_hangs_ends() -> None:
    start_s = time.monotonic()
    finding = doctor.run_check(Check("slow", lambda: time.sleep(5) or Finding("ok", "")), 0.2)
    assert time.monotonic() - start_s < 2
    assert finding.status == "broken"
    assert "0.2 s" in finding.detail


def test_a_program_can_be_missing_broken_or_ok(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name, text in {
        "well": "echo well 1.2.3",
        "ill": "echo cannot find libill.so >&2; exit 3",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    assert doctor._program("well", "--version", "") == Finding("ok", "well 1.2.3")
    ill = doctor._program("ill", "--version", "Run: cure ill")
    assert (ill.status, ill.detail, ill.remedy) == (
        "broken",
        "cannot find libill.so",
        "Run: cure ill",
    )
    assert doctor._program("nowhere-to-be-found", "-V", "Run: find it").status == "missing"


def test_a_server_that_does_not_start_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from xnb import launch

    monkeypatch.setattr(launch, "_usual_command", lambda: [sys.executable, "-c", "raise OSError"])
    finding = doctor.run_check(Check("server", doctor.check_server))
    assert finding.status == "broken"
    assert "could not be started" in finding.detail
