"""Notebooks and the README's examples run as they stand, without a browser, and keep no secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from media_files import make
from nbclient import NotebookClient

import xnb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LIMIT_S = 60.0
WIDGETS = "application/vnd.jupyter.widget-state+json"
SECRETS = {
    "SDP": re.compile(r"a=(ice-pwd|ice-ufrag|fingerprint|candidate):"),
    "a candidate": re.compile(r"candidate:\d+ \d"),
    "a token": re.compile(r"eyJ[A-Za-z0-9_-]{20,}|[Bb]earer [A-Za-z0-9_-]{10,}"),
    "an address": re.compile(r"127\.0\.0\.1:\d{4,5}"),
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs_and_keeps_no_secret(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    start_s = time.monotonic()
    client.execute()
    assert time.monotonic() - start_s < LIMIT_S
    for widget in notebook.metadata["widgets"][WIDGETS]["state"].values():
        # The front end's own code speaks of SDP too.
        widget["state"].pop("_esm", None)
    saved = nbformat.writes(notebook)
    # Pictures and players are long base64 text, in which any short pattern may turn up.
    readable = re.sub(r"[A-Za-z0-9+/=\\n]{500,}", "", saved)
    assert "Call with" in readable
    for name, pattern in SECRETS.items():
        assert not pattern.search(readable), name
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output


def readme_examples() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_readme_example_for_a_notebook(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(text) for text in readme_examples() if "Client" not in text]
    assert len(cells) == 2
    made = tmp_path / "made"
    made.mkdir()
    shutil.copyfile(make("clip.mp4", made), tmp_path / "clip.mp4")
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    echoed = xnb.Recording(tmp_path / "echoed.mp4")
    assert abs(echoed.duration_s - 3) < 1
    assert echoed.has_audio
    assert echoed.has_video


def test_readme_example_for_a_script(tmp_path: Path) -> None:
    (text,) = [text for text in readme_examples() if "Client" in text]
    script = tmp_path / "script.py"
    script.write_text(text + "print(picture.shape, picture.std() > 20, call.end_reason)\n")
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "(480, 640, 3) True hangup\n"
