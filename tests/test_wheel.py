"""The wheel: what is in it, and that it works where nothing else of the checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parent.parent


def run(command: list[str | Path], cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a source distribution, as an installer without the checkout would."""
    out = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--outdir", out, ROOT], cwd=out)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a fresh environment with the wheel in it, far from the checkout."""
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    run([*pip, wheel], cwd=home)
    # The dependencies of the test environment, without its editable xnb: a path in a .pth file is
    # added as it is, and the .pth files in it are not read.
    site = Path(run([python, "-c", "import site; print(site.getsitepackages()[0])"], home).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def test_front_end_notebooks_and_assets_are_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        static = ROOT / "xnb" / "widgets" / "static"
        bundles = [path for path in static.iterdir() if path.suffix in {".js", ".css", ".txt"}]
        assert any(path.suffix == ".js" for path in bundles)
        shipped = [
            *bundles,
            *(path for path in (ROOT / "xnb" / "media" / "assets").iterdir() if path.is_file()),
            ROOT / "xnb" / "py.typed",
        ]
        for path in shipped:
            name = path.relative_to(ROOT).as_posix()
            assert archive.read(name) == path.read_bytes(), name
        notebooks = sorted((ROOT / "notebooks").glob("0*.ipynb"))
        assert [f"xnb/notebooks/{path.name}" for path in notebooks] == sorted(
            name for name in names if name.startswith("xnb/notebooks/")
        )
        for path in notebooks:
            assert archive.read(f"xnb/notebooks/{path.name}") == path.read_bytes(), path.name
        assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]
        assert any(name.endswith("licenses/LICENSE") for name in names)
    assert wheel.stat().st_size < 2_000_000


def test_it_imports_from_there_and_has_its_notebooks(installed: Path, tmp_path: Path) -> None:
    code = (
        "import xnb, xnb.lab; print(xnb.__file__); print(xnb.lab.shipped_notebooks()[0]); "
        "print(xnb.Client, xnb.call)"
    )
    package, notebook, _names = run([installed / "python", "-c", code], tmp_path).splitlines()
    home = str(installed.parent.resolve())
    assert package.startswith(home)
    assert notebook.startswith(home)


def test_its_command_prints_help(installed: Path, tmp_path: Path) -> None:
    text = run([installed / "xnb", "--help"], tmp_path)
    for command in ("call", "serve", "lab", "doctor"):
        assert f"    {command} " in text


def test_its_command_makes_a_call(installed: Path, tmp_path: Path) -> None:
    text = run(
        [installed / "xnb", "call", "testcard", "--seconds", "1.5", "--record", "in.wav"], tmp_path
    )
    assert "Recorded in.wav" in text
    assert (tmp_path / "in.wav").stat().st_size > 100_000
