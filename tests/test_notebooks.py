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
from notebook_runs import NOTEBOOKS

import xnb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parent.parent
LIMIT_S = 120.0
# What a notebook must have printed, beside running through: that media really went in and out.
# Where the machine is busy, what is lost or late is made up for, so no figure is exact.
PRINTS = {
    "01-first-call.ipynb": (r"connected after \d", r"\(480, 640, 3\) uint8", "hangup after"),
    "02-media-in-and-out.ipynb": (
        r"sent  523.25 Hz, heard   5[0-4]\d Hz",
        r"sent 1046.50 Hz, heard  10[1-7]\d Hz",
        r"30 pictures, the ball moved over [1-6]\d\d pixels",
        "without encoding it anew: audio",
        r"in  [ 1-9]\d\d kbit/s, out .* 640x360 vp8",
        r"tone +[1-9]\d* chunks at  -[12]\d\.\d dB\nmuted +[0-2] chunks",
        r"\nunmuted +[1-9]\d* chunks at  -[12]\d\.\d dB",
        "hangup after",
    ),
    "04-incoming.ipynb": (
        "<video call from callback: ringing>",
        "incoming call from callback, 640x480 pixels",
        r"Alice sends 440 Hz and hears 6[3-9]\d Hz\nBob sends 660 Hz and hears 4[1-7]\d Hz",
        r"Bob sees 320x240 pixels, red [0-5], blue [3-9]\d|Bob sees 320x240 .* blue [12]\d\d",
        "at Alice: hangup - at Bob: remote_hangup",
        "Declined: bob declined the call",
    ),
    "20-group-call.ipynb": (
        r"testcard-3 +came at \d\d:",
        # Colours as encoded, so within a few steps; tones within what two clocks differ by.
        r"testcard-2: red +(?:[3-6]\d|2[5-9]), green 1[4-7]\d, blue +[4-8]\d, 55[0-8] Hz",
        r"testcard-3: red +[3-7]\d, green +(?:[6-9]\d|10\d), blue (?:19|2[0-3])\d, 6[56]\d Hz",
        r"tones in the mix: 440 554 659\n",
        "Alice sees: (?=.*me)(?=.*testcard-2)(?=.*testcard-3)",
        "NotInvited: ",
        r"high: (?:[2-9]\d\d) lines\nlow: 1[0-8]\d lines",
        r"[3-6]\.\d s of film",
        r"testcard-2 \(muted\)",
        "here: hangup - at Alice: remote_hangup",
    ),
    "21-sfu-inside.ipynb": (
        r"in   testcard +audio +(?:4\d|5[0-5])\.\d packets/s",
        r"out  testcard +audio +(?:[89]\d|1[01]\d)\.\d packets/s",
        r"out  you +audio +(?:4\d|5[0-5])\.\d packets/s",
        r"testcard-2 +video in +\d+\.\d, out +\d+\.\d before, +[1-9]\d*\.\d now",
        r"lost on the way in: \d+, sent again on the way out: \d+",
        r"out with 4 people +\d{3}, with 5 +\d{3,4} packets/s",
        "hangup after",
    ),
}


def printed(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs_and_media_flow(path: Path, notebook_run: Callable[[Path], Any]) -> None:
    run = notebook_run(path)
    assert run.seconds < LIMIT_S
    assert not run.left, "a process went on after the kernel"
    notebook = run.notebook()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output
    text = printed(notebook)
    for pattern in PRINTS.get(path.name, ()):
        assert re.search(pattern, text), text


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
