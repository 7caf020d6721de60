"""The command line: what it prints, what it leaves behind, and its exit status."""

from __future__ import annotations

import argparse
import io
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest

import xnb
from xnb import cli

TONE_HZ = 440


def xnb_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "xnb", *map(str, arguments)]


def run(folder: Path, *arguments: object, limit_s: float = 60) -> tuple[int, str, str]:
    done = subprocess.run(
        xnb_command(*arguments),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def strongest_hz(samples: np.ndarray) -> float:
    mono = samples[:, 0] if samples.ndim > 1 else samples
    return float(np.argmax(np.abs(np.fft.rfft(mono))) * 48_000 / len(mono))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of an FFmpeg test picture with a 440 Hz tone."""
    import av

    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        audio = file.add_stream("aac", rate=48_000)
        for number in range(75):
            picture = np.zeros((240, 320, 3), np.uint8)
            picture[:, : 4 * number + 4] = (200, 40, 40)
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                file.mux(packet)
        times_s = np.arange(3 * 48_000) / 48_000
        tone = (0.3 * np.sin(2 * np.pi * TONE_HZ * times_s)).astype(np.float32)
        for start in range(0, len(tone), 1024):
            piece = tone[start : start + 1024].reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, start
            for packet in audio.encode(frame):
                file.mux(packet)
        for stream in (video, audio):
            for packet in stream.encode(None):
                file.mux(packet)
    return path


def test_call_sends_a_file_and_records_its_echo(tmp_path: Path, clip: Path) -> None:
    status, out, err = run(tmp_path, "call", "echo", "--send", clip, "--record", "out.webm")
    assert status == 0, out + err
    assert "Connected" in out
    assert "Recorded out.webm" in out
    recording = xnb.Recording(tmp_path / "out.webm")
    assert recording.has_video
    assert 2.5 < recording.duration_s < 5
    middle = recording.audio()[48_000:96_000]
    assert abs(strongest_hz(middle) - TONE_HZ) < 5
    assert float(np.sqrt(np.mean(middle**2))) > 0.05
    picture = recording.frame_at(recording.duration_s - 0.5).image
    left = picture[picture.shape[0] // 2, picture.shape[1] // 8].astype(int)
    assert left[0] > left[1] + 60, "the red of the clip"


def test_seconds_limit_the_call_and_its_recording(tmp_path: Path) -> None:
    status, out, err = run(tmp_path, "call", "testcard", "--seconds", 2, "--record", "in.wav")
    assert status == 0, out + err
    recording = xnb.Recording(tmp_path / "in.wav")
    assert not recording.has_video
    assert abs(recording.duration_s - 2) < 0.7
    assert float(np.abs(recording.audio()).max()) > 0.02
    assert "over after 2." in out


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["call", "busy", "--record", "no.wav"], 3, "busy"),
        (["call", "nobody-has-this"], 4, "nobody-has-this"),
        (["call", "echo", "--server", "http://127.0.0.1:9"], 4, "reached"),
        (["call", "echo", "--send", "missing.mp4"], 5, "missing.mp4"),
        (["call", "echo", "--record", "out.xyz"], 5, "out.xyz"),
        (["call", "echo", "--record", "no-such-folder/out.wav"], 5, "folder"),
        (["call", "echo", "--server", "not a url"], 2, ""),
        (["call", "not a handle!"], 2, ""),
        (["call", "echo", "--seconds", "-1"], 2, "seconds"),
        (["call", "echo", "--video", "--audio-only"], 2, "not allowed"),
        (["call"], 2, "recipient"),
        (["serve", "--port", "99999"], 2, "99999"),
        (["lab", "missing.ipynb"], 2, "missing.ipynb"),
        ([], 2, "COMMAND"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_exit_status_says_what_happened(
    tmp_path: Path, arguments: list[str], status: int, words: str
) -> None:
    found, out, err = run(tmp_path, *arguments)
    assert found == status, out + err
    assert words in out + err
    assert "Traceback" not in out + err
    assert not list(tmp_path.iterdir()), "a call that failed leaves no file"


def test_a_file_without_media_is_refused_before_anybody_is_called(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no media")
    status, out, _err = run(tmp_path, "call", "echo", "--send", "text.mp4")
    assert status == 5
    assert "Calling" not in out


@pytest.mark.parametrize(
    ("how", "in_background"),
    [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)],
)
def test_interrupted_it_completes_the_recording(
    tmp_path: Path, how: signal.Signals, in_background: bool
) -> None:
    """In the background of a script, a shell lets it ignore Ctrl-C; SIGTERM must end it still."""
    as_found = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.SIG_IGN if in_background else signal.SIG_DFL)
    process = subprocess.Popen(
        xnb_command("call", "testcard", "--record", "in.wav"),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    signal.signal(signal.SIGINT, as_found)
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "First sound" in line:
                break
        time.sleep(1.5)
        process.send_signal(how)
        rest, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert "Recorded in.wav" in rest
    assert xnb.Recording(tmp_path / "in.wav").duration_s > 1


def test_on_a_terminal_there_is_a_bar(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        xnb_command("call", "testcard", "--seconds", "1"),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    text, deadline_s = b"", time.monotonic() + 40
    try:
        while time.monotonic() < deadline_s:
            if not select.select([ours], [], [], 0.5)[0]:
                continue
            try:
                piece = os.read(ours, 4096)
            except OSError:  # how Linux says that the other side is closed
                break
            if not piece:
                break
            text += piece
        assert process.wait(10) == 0
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    bars = re.findall(r"\[(#*)\.*\] [\d.]+ of 1 s", text.decode())
    assert len(bars) >= 3
    assert len(bars[-1]) > len(bars[0])


def test_without_a_terminal_there_are_plain_lines() -> None:
    out = io.StringIO()
    progress = cli.Progress(out)
    progress.say("one")
    progress.show(0.5, "half")
    progress.say("two")
    assert out.getvalue() == "one\ntwo\n", "no bar, and no line more often than every few seconds"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (xnb.SettingsError(""), 2),
        (xnb.Declined(""), 3),
        (xnb.Busy(""), 3),
        (xnb.Missed(""), 3),
        (xnb.CallGated(""), 4),
        (xnb.Unauthorized(""), 4),
        (xnb.UnknownUser(""), 4),
        (xnb.Unreachable(""), 4),
        (xnb.MediaError(""), 5),
        (xnb.RecordingError(""), 5),
        (xnb.ConnectError("", stage="checking"), 6),
        (ValueError(""), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_error_has_its_status(error: BaseException, status: int) -> None:
    assert cli.exit_status(error) == status


def test_an_ended_call_is_an_early_end_only_if_more_was_asked_for() -> None:
    class Over:
        error = None
        end_reason = xnb.EndReason.REMOTE_HANGUP

    def status(**given: object) -> int:
        args = argparse.Namespace(**{"seconds": None, "send": None, **given})
        return cli.CallCommand(args, io.StringIO())._ended_by_far_end(Over())  # type: ignore[arg-type]

    assert status() == 0
    assert status(seconds=5.0) == 3
    assert status(send=Path("clip.mp4")) == 3


def copied(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_lab_copies_the_notebooks_once(tmp_path: Path) -> None:
    from xnb import lab

    copy = lab.copy_if_missing(tmp_path)
    folder = Path(__file__).parent.parent / "notebooks"
    # Number 30 is for Binder, where it is opened by its address.
    originals = sorted(path for path in folder.glob("*.ipynb") if path.name[:2] != "30")
    assert [path.name for path in originals][:2] == [lab.NOTEBOOK, "02-media-in-and-out.ipynb"]
    assert copied(tmp_path) == [path.name for path in originals]
    for path in originals:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    copy.write_text("mine")
    (tmp_path / "02-media-in-and-out.ipynb").unlink()
    assert lab.copy_if_missing(tmp_path) == copy
    assert copy.read_text() == "mine"
    assert not (tmp_path / "02-media-in-and-out.ipynb").exists(), "it was deleted"


def test_lab_copies_a_notebook_that_is_asked_for_by_name(tmp_path: Path) -> None:
    from xnb import lab

    wanted = tmp_path / "04-incoming.ipynb"
    assert lab.named(wanted) == wanted
    assert "xnb.listen()" in wanted.read_text()
    wanted.write_text("mine")
    assert lab.named(wanted).read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [wanted.name]
    with pytest.raises(xnb.SettingsError, match=r"no notebook .*missing\.ipynb"):
        lab.named(tmp_path / "missing.ipynb")
    with pytest.raises(xnb.SettingsError, match="no notebook"):
        lab.named(tmp_path / "nowhere" / "04-incoming.ipynb")


def test_lab_prints_an_address_that_shows_the_notebook(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab", reason="install it with: pip install 'xnb[lab]'")
    env = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        xnb_command("lab", "--no-browser", "--port", port),
        cwd=tmp_path,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        address = None
        for line in process.stdout:
            pattern = r"(http://127\.0\.0\.1:\d+)(/lab/tree/01-first-call\.ipynb)\?token=(\w+)"
            if address := re.search(pattern, line):
                break
        assert address is not None, "no address was printed"
        server, _page, token = address.groups()
        url = f"{server}/api/contents/01-first-call.ipynb?content=0&token={token}"
        deadline_s = time.monotonic() + 20
        while True:
            # The address is printed just before the port is opened.
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:
                    assert json.load(answer)["type"] == "notebook"
                break
            except urllib.error.URLError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.1)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=20)


def test_version_and_help() -> None:
    text = subprocess.run(
        xnb_command("--version"), capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert text == f"xnb {xnb.__version__}\n"
