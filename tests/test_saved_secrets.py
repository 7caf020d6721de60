"""What every notebook leaves when it is saved: no secret, no description, no address, no media.

Each runs once (``notebook_run``), with ears in its kernel that write down what is secret in just
this run. The one picture that is meant to be there, the still in the summary of a call, is encoded
anew, so not even its bytes are those of the media.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter
from notebook_runs import HERE, NOTEBOOKS, NotebookRun
from PIL import Image
from saved_secrets import Secrets, all_layers, found_in, layers, unsafe_words

from xnb.media.testcard import read_counter

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WIDGETS = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
MOST_STATE_BYTES = 64_000
SUMMARY = {"text/plain", "text/html", "text/markdown", "image/png"}
Runs = Callable[[Path], NotebookRun]


def as_saved(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(nbformat.writes(notebook))
    return found


def without_own_code(saved: dict[str, Any]) -> dict[str, Any]:
    """The front end's code speaks of descriptions too; it is the same in every notebook."""
    for widget in saved["metadata"].get("widgets", {}).get(WIDGETS, {}).get("state", {}).values():
        for name in ("_esm", "_css"):
            widget["state"].pop(name, None)
    return saved


def pieces_of_files(folder: Path) -> set[tuple[str, bytes]]:
    """Bytes out of every media file that the notebook made."""
    found = set()
    for path in folder.rglob("*"):
        if path.suffix in (".webm", ".mp4", ".mkv", ".wav", ".ogg", ".m4a"):
            data = path.read_bytes()
            for at in range(2000, len(data) - 24, 4099):
                piece = data[at : at + 24]
                if len(set(piece)) > 16:
                    found.add((path.name, piece))
    return found


@pytest.mark.parametrize("path", HERE, ids=lambda path: path.name)
def test_a_saved_notebook_holds_nothing_secret(path: Path, notebook_run: Runs) -> None:
    run = notebook_run(path)
    planted = Secrets.read(run.folder / "planted.jsonl")
    assert planted.kinds >= {"server", "server token", "token", "sdp", "turn", "call"}, (
        "otherwise nothing was looked for"
    )
    assert any("packet" in kind for kind in planted.kinds)
    media = planted.media | pieces_of_files(run.folder / "work")

    # As nbclient saves by default, with the state of all widgets; without is a part of it.
    saved = without_own_code(as_saved(run.notebook()))
    found = all_layers(saved)
    assert not found_in(found, planted.texts | media)
    assert not unsafe_words(found)
    plain = as_saved(run.notebook(widget_state=False))
    assert "widgets" not in plain["metadata"]
    assert plain["cells"] == as_saved(run.notebook())["cells"]

    state = saved["metadata"]["widgets"][WIDGETS]["state"]
    for widget in state.values():
        if widget["model_module"] == "@jupyter-widgets/controls":
            continue  # a picture or slider that the notebook itself makes and shows
        assert len(json.dumps(widget["state"])) < MOST_STATE_BYTES, widget["model_name"]
        assert not widget.get("buffers"), widget["model_name"]

    page, _ = HTMLExporter().from_notebook_node(run.notebook())
    exported = [layer for text in page.split("<script")[:1] for layer in layers(text)]
    exported += list(layers(page[page.find("<body") :]))
    assert not found_in(exported, planted.texts | media)


def outputs_of(saved: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        output["data"]
        for cell in saved["cells"]
        for output in cell.get("outputs", [])
        if "data" in output
    ]


def picture_of(data: str, kind: str) -> np.ndarray[Any, Any]:
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(data)), formats=(kind,)).convert("RGB")
    )


def test_finished_calls_leave_a_summary(notebook_run: Runs) -> None:
    run = notebook_run(next(path for path in NOTEBOOKS if path.name.startswith("01")))
    summaries = [data for data in outputs_of(as_saved(run.notebook())) if set(data) == SUMMARY]
    assert len(summaries) == 2
    for data, title in zip(summaries, ("testcard", "echo"), strict=True):
        page, words = "".join(data["text/html"]), "".join(data["text/markdown"])
        for text in (page, words):
            assert "You hung up" in text
            assert title in text
            assert re.search(r"\d+ s with ", text)
            assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC.*, you called", text)
            assert "Recorded to recordings/" in re.sub(r"</?code>", "", text)
        for state in ("signing in", "connecting", "connected"):
            assert re.search(rf"{state} [\d.]+ s", page), state
        assert re.search(r"received</span> <img .*kbit/s|received</span> <img .*Mbit/s", page)
        assert 'preload="metadata" src="recordings/' in page
        (jpeg,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
        assert len(jpeg) < 80_000
        assert read_counter(picture_of(jpeg, "JPEG")) is not None, "a picture of the test card"
        card = picture_of("".join(data["image/png"]), "PNG")
        assert card.shape[1] == 640
        assert card.std() > 20


def test_an_export_to_html_shows_the_summaries(notebook_run: Runs) -> None:
    run = notebook_run(next(path for path in NOTEBOOKS if path.name.startswith("01")))
    for state in (True, False):
        page, _ = HTMLExporter().from_notebook_node(run.notebook(widget_state=state))
        body = re.sub(r"<script.*?</script>", "", page[page.find("<body") :], flags=re.DOTALL)
        assert body.count('class="xnb-card xnb-static"') == 2
        assert body.count("You hung up") == 2
        assert body.count("Last picture of ") == 2


# Notebooks of other shapes, in one kernel

OTHERS = {
    "thread": 'import xnb\nthread = xnb.call("testcard", video=True, loop="thread")\nthread',
    "no picture": 'plain = xnb.call("testcard", video=True, keep_picture=False)\nplain',
    "with its sound": 'kept = xnb.call("testcard", keep_recordings=True)\nkept',
    "declined": 'busy = xnb.call("busy")\nbusy',
    "live": 'live = xnb.call("testcard", video=True)\nlive',
    "waiting": "door = xnb.listen()\ndoor",
    "all of it": """
import asyncio

other = xnb.Client("zoe")
zoe = await other.call("me", video=True)
while not door.callers:
    await asyncio.sleep(0.05)
door._command({"type": "accept", "id": door.callers[0]["id"], "video": True})
for call in (zoe, thread.call, plain.call, kept.call, live.call):
    await call.until("connected", timeout_s=30)
kept.call.record("said.ogg")
await asyncio.sleep(1.2)
for call in (zoe, thread.call, plain.call, kept.call):
    await call.hangup()
for call in (busy.call, door.call):
    await call.until("ended", timeout_s=20)
await asyncio.sleep(0.2)
""",
}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> tuple[NotebookRun, dict[str, Any]]:
    from notebook_runs import run

    folder = tmp_path_factory.mktemp("others")
    cells = [
        nbformat.v4.new_code_cell(source, id=f"c{n}") for n, source in enumerate(OTHERS.values())
    ]
    path = folder / "others.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    done = run(path, folder / "run")
    saved = as_saved(done.notebook())
    shown: dict[str, Any] = {}
    for name, cell in zip(OTHERS, saved["cells"], strict=True):
        for output in cell["outputs"]:
            assert output.get("name") != "stderr", output
            if "data" in output:
                shown[name] = {
                    kind: "".join(text)
                    for kind, text in output["data"].items()
                    if isinstance(text, list | str)
                }
    return done, shown


def test_a_call_on_its_own_thread_leaves_a_summary_too(others: Any) -> None:
    data = others[1]["thread"]
    assert set(data) == SUMMARY
    assert "You hung up" in data["text/html"]
    (jpeg,) = re.findall(r"data:image/jpeg;base64,([^\"]+)", data["text/html"])
    assert read_counter(picture_of(jpeg, "JPEG")) is not None


def test_what_is_kept_can_be_chosen(others: Any) -> None:
    done, shown = others
    assert "image/jpeg" not in shown["no picture"]["text/html"]
    assert read_counter(picture_of(shown["no picture"]["image/png"], "PNG")) is None
    page = shown["with its sound"]["text/html"]
    (sound,) = re.findall(r'<audio [^>]*src="data:audio/ogg;base64,([^"]+)"', page)
    assert base64.b64decode(sound) == (done.folder / "work" / "said.ogg").read_bytes()


def test_calls_that_did_not_come_about_and_live_ones_say_so(others: Any) -> None:
    shown = others[1]
    assert "busy declined" in shown["declined"]["text/html"]
    assert set(shown["declined"]) == SUMMARY
    assert "Run the cell to call again" in shown["live"]["text/html"]
    assert "image/png" not in shown["live"], "nothing of a live call is kept"


def test_the_card_that_waits_for_calls_tells_of_the_last_one(others: Any) -> None:
    data = others[1]["waiting"]
    assert "Waiting for calls as me" in data["text/html"]
    assert "Run the cell to wait again" in data["text/html"]
    assert "zoe hung up" in data["text/html"]
    assert ", zoe called" in data["text/html"]
    assert data["image/png"]


def test_none_of_these_keeps_a_secret(others: Any) -> None:
    done, _ = others
    planted = Secrets.read(done.folder / "planted.jsonl")
    saved = without_own_code(as_saved(done.notebook()))
    found = all_layers(saved)
    assert not found_in(found, planted.texts)
    assert not unsafe_words(found)
    assert not found_in(found, {one for one in planted.media if one[0] != "audio packet"})


def test_the_search_finds_what_is_there() -> None:
    """The test's own eyes: a secret in any wrapping is seen."""
    needle = {("token", b"s3cret-t0ken-of-the-server")}
    plain = "xx s3cret-t0ken-of-the-server yy " * 3
    wrapped = base64.b64encode(plain.encode()).decode()
    twice = base64.b64encode(f'<img src="data:;base64,{wrapped}">'.encode()).decode()
    for text in (plain, wrapped, twice, plain.replace("-", "%2D"), plain.replace("-", "&#45;")):
        assert found_in(all_layers({"a": ["b", {"c": [text, "d"]}]}), needle), text
    assert not found_in(all_layers({"a": "s3cret"}), needle)
    assert unsafe_words([b"v=0 a=ice-pwd:x"])
    assert unsafe_words([b"http://127.0.0.1:43210/x"])
    assert not unsafe_words([b"on 127.0.0.1; it ends"])
