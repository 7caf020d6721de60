"""What a page gets of a recording when it asks: the file in pieces, its looks, parts of it."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_files import FACTS, dominant_frequency, make, read_counter
from PIL import Image

from xnb.errors import RecordingError
from xnb.recording import Recording
from xnb.widgets import recording_answers, recording_widget
from xnb.widgets.recording_answers import LIMIT_BYTES, PIECE_BYTES
from xnb.widgets.recording_widget import MAX_WAITING, RecordingWidget, show_recording

LIMIT_S = 20.0


class FakePage:
    """Asks a widget as a page does, on a thread of its own, and waits for what comes."""

    def __init__(self, widget: RecordingWidget, name: str = "page") -> None:
        self.widget = widget
        self.name = name
        self.heard: list[tuple[dict[str, Any], list[bytes]]] = []
        self.threads: set[str] = set()
        self._news = threading.Condition()
        self._ids = itertools.count(1)
        widget.send = self._hear

    def _hear(self, content: dict[str, Any], buffers: Any = None) -> None:
        with self._news:
            self.heard.append((content, list(buffers or [])))
            self.threads.add(threading.current_thread().name)
            self._news.notify_all()

    def send(self, kind: str, **content: Any) -> int:
        number = next(self._ids)
        message = {"type": kind, "page": self.name, "id": number, **content}
        thread = threading.Thread(target=self.widget._handle_custom_msg, args=(message, []))
        thread.start()
        thread.join()
        return number

    def answer(self, number: int) -> tuple[dict[str, Any], list[bytes]]:
        def found() -> tuple[dict[str, Any], list[bytes]] | None:
            for content, buffers in self.heard:
                if content["id"] == number and content["type"] != "progress":
                    return content, buffers
            return None

        with self._news:
            assert self._news.wait_for(found, LIMIT_S), f"no answer to request {number}"
        answer = found()
        assert answer is not None
        return answer

    def ask(self, kind: str, **content: Any) -> tuple[dict[str, Any], list[bytes]]:
        return self.answer(self.send(kind, **content))

    def file(self, form: int = 0) -> bytes:
        """The whole file, as the page reads it."""
        opened, _ = self.ask("form", form=form)
        assert opened["type"] == "form", opened
        data = b""
        while len(data) < opened["size_bytes"]:
            left = opened["size_bytes"] - len(data)
            length = min(left, opened["piece_bytes"])
            _, [piece] = self.ask("read", form=form, offset=len(data), length=length)
            assert len(piece) == length
            data += piece
        return data


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


def shown(path: Path, **options: Any) -> tuple[RecordingWidget, FakePage]:
    widget = RecordingWidget(Recording(path, title="echo"), **options)
    return widget, FakePage(widget)


def test_the_traits_are_words_and_numbers(folder: Path) -> None:
    path = make("clip.webm", folder)
    widget, _ = shown(path, markers=[(1, "here"), (2.5, "there")])
    state = {
        name: value
        for name, value in widget.get_state().items()
        if not name.startswith("_") and name not in ("layout", "tooltip", "tabbable")
    }
    assert state == {
        "title": "echo",
        "name": "clip.webm",
        "words": "3.0 s, sound and picture 640x480",
        "duration_s": widget.recording.duration_s,
        "has_audio": True,
        "has_video": True,
        "width": 640,
        "height": 480,
        "size_bytes": path.stat().st_size,
        "mimes": ['video/webm; codecs="vp8, opus"', 'video/webm; codecs="vp8, opus"'],
        "markers": [(1.0, "here"), (2.5, "there")],
    }
    bundle, _ = widget._repr_mimebundle_()
    assert str(folder) not in json.dumps([state, bundle])
    assert "widget-view" in "".join(bundle)
    assert bundle["text/plain"] == repr(widget.recording)
    assert len(bundle["text/html"]) < 60_000


def test_the_file_arrives_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("clip.webm", folder)
    monkeypatch.setattr(recording_answers, "PIECE_BYTES", 50_000)
    widget, page = shown(path)
    assert page.file() == path.read_bytes()
    pieces = [len(data) for _, buffers in page.heard for data in buffers]
    assert len(pieces) == -(-path.stat().st_size // 50_000)
    assert max(pieces) == 50_000
    assert all(name.startswith("xnb-recording") for name in page.threads)
    assert all(content["page"] == "page" for content, _ in page.heard)
    widget.close()


@pytest.mark.parametrize(
    "content",
    [
        {"offset": -1, "length": 10},
        {"offset": 0, "length": PIECE_BYTES + 1},
        {"offset": 0, "length": 0},
        {"offset": 0},
        {"offset": 0, "length": 10, "form": 7},
        {"offset": 0, "length": 10, "form": 1},
        {"offset": "x", "length": []},
    ],
)
def test_pieces_that_are_not_there_are_refused(content: dict[str, Any], folder: Path) -> None:
    _, page = shown(make("clip.webm", folder))
    answer, buffers = page.ask("read", **{"form": 0, **content})
    assert (answer["type"], buffers) == ("failed", [])
    assert page.ask("nonsense")[0]["type"] == "failed"


def test_a_copy_for_browsers_that_cannot_play_it(folder: Path, tmp_path: Path) -> None:
    widget, page = shown(make("clip.mkv", folder))
    assert [mime.split(";")[0] for mime in widget.mimes] == [
        "video/x-matroska",
        "video/mp4",
        "video/webm",
    ]
    for form, suffix in ((1, ".mp4"), (2, ".webm")):
        copy = tmp_path / f"copy{suffix}"
        copy.write_bytes(page.file(form))
        recording = Recording(copy)
        assert recording.duration_s == pytest.approx(3, abs=0.1)
        assert read_counter(recording.frame_at(1.0).image) == 25
        assert dominant_frequency(recording.audio()[4800:96000]) == pytest.approx(600, abs=1)
    copies = [Path(path) for path in widget._answers._copies.values()]
    assert all(path.exists() for path in copies)
    widget.close()
    widget.close()
    assert not any(path.exists() for path in copies)


def test_a_file_too_large_for_a_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make("clip.webm", folder)
    monkeypatch.setattr(recording_answers, "LIMIT_BYTES", 1000)
    widget, page = shown(path)
    answer, _ = page.ask("form", form=0)
    assert answer["type"] == "failed"
    assert "too large for a page" in answer["text"]
    assert str(path) in answer["text"], "where it is"
    assert widget.error is not None
    assert LIMIT_BYTES == 512 << 20


def test_a_file_that_is_gone(folder: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(make("clip.webm", folder), tmp_path))
    _, page = shown(path)
    path.unlink()
    with pytest.raises(RecordingError, match="cannot be read"):
        shown_again = Recording(make("clip.webm", folder))
        shown_again.path = path
        RecordingWidget(shown_again)
    for answer, _ in (page.ask("form", form=0), page.ask("read", form=0, offset=0, length=9)):
        assert answer["type"] == "failed"
        assert "clip.webm cannot be read" in answer["text"]


def test_the_waveform_in_any_width(folder: Path) -> None:
    _, page = shown(make("beeps.mp4", folder))

    def high(from_s: float, to_s: float, columns: int) -> Any:
        answer, buffers = page.ask("wave", from_s=from_s, to_s=to_s, columns=columns)
        low, high = (np.frombuffer(data, np.int8) for data in buffers)
        assert len(low) == len(high) == answer["columns"] <= columns
        assert (low <= high).all()
        return high

    # 0.1 s of sound at 1, 2 and 3 s.
    loud = np.flatnonzero(high(0, 4, 40) > 12)
    assert loud.tolist() in ([10, 20, 30], [10, 11, 20, 21, 30, 31])
    near = high(0.9, 1.3, 4000)
    assert len(near) == pytest.approx(40, abs=1), "no finer than what is known"
    assert np.flatnonzero(near > 12)[[0, -1]] / 100 == pytest.approx([0.1, 0.2], abs=0.015)
    assert high(0, 4, 1).max() == pytest.approx(0.3 * 127, abs=4)
    assert len(high(9, 12, 10)) == 1


def test_the_spectrogram_is_an_image(folder: Path) -> None:
    _, page = shown(make("tone.wav", folder))
    answer, [levels, colours] = page.ask("spectrum")
    image = np.frombuffer(levels, np.uint8).reshape(answer["rows"], answer["columns"])
    assert len(colours) == 768
    assert answer["highest_hz"] == 24_000
    row = answer["rows"] - 1 - image.astype(float).mean(axis=1).argmax()
    mel = np.log10(1 + 600 / 700) / np.log10(1 + 24_000 / 700)
    assert row / answer["rows"] == pytest.approx(mel, abs=0.02)
    assert len(levels) < 200_000


def test_the_poster_is_the_first_picture(folder: Path) -> None:
    _, page = shown(make("clip.mp4", folder))
    _, [data] = page.ask("poster")
    image = np.asarray(Image.open(io.BytesIO(data)))
    assert image.shape == (480, 640, 3)
    assert read_counter(image) == 0
    silent, _ = shown(make("silent.mp4", folder))
    answer, _ = FakePage(silent).ask("wave", from_s=0, to_s=1, columns=10)
    assert (answer["type"], "no sound" in answer["text"]) == ("failed", True)


def test_a_part_is_saved_beside_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_answers, "_TELL_S", 0.0)
    path = Path(shutil.copy(make("clip.webm", folder), tmp_path))
    widget, page = shown(path)
    answer, _ = page.ask("trim", start_s=1.0, end_s=2.0)
    assert answer["type"] == "trimmed", answer
    assert answer["path"] == str(tmp_path / "clip-trimmed.webm")
    assert [one.path for one in widget.trimmed] == [tmp_path / "clip-trimmed.webm"]
    assert read_counter(widget.trimmed[0].frame_at(0).image) == 30
    shares = [content["share"] for content, _ in page.heard if content["type"] == "progress"]
    assert shares
    assert shares == sorted(shares)
    answer, _ = page.ask("trim", start_s=2.0, end_s=1.0)
    assert "has no part" in answer["text"]


def test_saving_can_be_canceled(folder: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(make("clip.webm", folder), tmp_path))
    widget, page = shown(path)
    begun = threading.Event()
    trim = widget.recording.trim

    def slow(start_s: float, end_s: float, *, progress: Any) -> Any:
        def tell(share: float) -> None:
            begun.set()
            time.sleep(0.05)
            progress(share)

        return trim(start_s, end_s, progress=tell)

    widget.recording.trim = slow  # type: ignore[method-assign, assignment]
    number = page.send("trim", start_s=0.0, end_s=3.0)
    assert begun.wait(LIMIT_S)
    widget._handle_custom_msg({"type": "cancel", "page": "page", "id": number}, [])
    assert page.answer(number)[0]["type"] == "canceled"
    assert [one.name for one in tmp_path.iterdir()] == ["clip.webm"]
    assert widget.trimmed == []


def test_requests_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widget, page = shown(make("tone.wav", folder))
    gate = threading.Event()
    monkeypatch.setattr(
        widget._answers, "to", lambda *_: (gate.wait(LIMIT_S), ({"type": "x"}, []))[1]
    )
    for number in range(MAX_WAITING + 1):
        content = {"type": "read", "page": "page", "id": number}
        widget._handle_custom_msg(content, [])
    content, _ = page.answer(MAX_WAITING)
    assert content["text"] == "Too many requests at once."
    assert len(page.heard) == 1
    gate.set()
    for number in range(MAX_WAITING):
        page.answer(number)
    deadline_s = time.monotonic() + LIMIT_S
    while widget._waiting and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert widget._waiting == 0


def test_a_recording_shows_one_player(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[dict[str, Any]] = []
    monkeypatch.setattr(recording_widget, "show", lambda data, _id: published.append(data))
    recording = Recording(make("tone.wav", folder))
    show_recording(recording)
    assert published == [{"text/plain": repr(recording)}], "no notebook, so one line of text"
    monkeypatch.setattr(recording_widget, "_in_notebook", lambda: True)
    recording._ipython_display_()
    recording._ipython_display_()
    first, second = published[1:]
    assert set(first) >= {"text/plain", "text/html"}
    view = "application/vnd.jupyter.widget-view+json"
    assert first[view]["model_id"] == second[view]["model_id"]
    assert FACTS["tone.wav"].duration_s == 3.0
