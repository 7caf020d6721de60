"""Notebooks and the README's examples run as they stand, without a browser.

That they keep no secret is in test_saved_secrets.py, which looks at the same runs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from media_files import make
from nbclient import NotebookClient
from notebook_runs import HERE, NOTEBOOKS, must_have_printed

import xnb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parent.parent
LIMIT_S = 120.0


@pytest.mark.parametrize("path", HERE, ids=lambda path: path.name)
def test_it_runs_and_media_flow(path: Path, notebook_run: Callable[[Path], Any]) -> None:
    run = notebook_run(path)
    assert run.seconds < LIMIT_S
    assert not run.left, "a process went on after the kernel"
    notebook = run.notebook()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output
    must_have_printed(path.name, notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None


def readme_examples() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


GROUP_COMES = """
import asyncio
async with asyncio.timeout(30):
    while sum(person.is_camera_on for person in widget.call.participants) < 2:
        await asyncio.sleep(0.1)
print(*sorted(person.name for person in widget.call.participants))
await widget.call.hangup()
"""


def test_readme_example_for_a_notebook(tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(text) for text in readme_examples() if "Client" not in text]
    assert len(cells) == 3
    assert "xnb.group" in cells[-1].source
    cells.append(nbformat.v4.new_code_cell(GROUP_COMES))
    made = tmp_path / "made"
    made.mkdir()
    shutil.copyfile(make("clip.mp4", made), tmp_path / "clip.mp4")
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    done = client.execute()
    assert done.cells[-1].outputs[0].text == "testcard testcard-2\n"
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
