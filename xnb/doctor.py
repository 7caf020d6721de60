"""``xnb doctor``: what works here, what is missing, and the remedy. Never hangs."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["ok", "missing", "broken"]

CHECK_LIMIT_S = 45.0
_PROGRAM_LIMIT_S = 10.0
_CALL_S = 2.0
_CALL_LIMIT_S = 40.0
_TONE_HZ = 440
_MIN_PYTHON = (3, 11)
_MODULE_OF = {"pillow": "PIL"}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        status: ``ok``, ``missing`` (not installed) or ``broken`` (there, but does not work).
        detail: What was found.
        remedy: What to do about it; empty when ok.
    """

    status: Status
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; ``needed`` when a call cannot do without."""

    name: str
    run: Callable[[], Finding]
    needed: bool = False


def check_python() -> Finding:
    """The interpreter's version."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < _MIN_PYTHON:
        return Finding("broken", version, "Use Python 3.11 or newer.")
    return Finding("ok", version)


def check_packages() -> Finding:
    """Everything the wheel asks for can be imported."""
    try:
        wanted = importlib.metadata.requires("xnb") or []
    except importlib.metadata.PackageNotFoundError:
        return Finding("missing", "xnb is not installed here", "Run: pip install .")
    names = [
        re.split(r"[^A-Za-z0-9_.-]", one, maxsplit=1)[0] for one in wanted if "extra" not in one
    ]
    for name in names:
        try:
            importlib.import_module(_MODULE_OF.get(name, name))
        except ModuleNotFoundError:
            return Finding("missing", name, f"Run: pip install {name}")
        except Exception as error:
            words = f"{name}: {type(error).__name__}: {error}"
            return Finding("broken", words, f"Run: pip install --force-reinstall {name}")
    return Finding("ok", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))


def check_bundles() -> Finding:
    """The front end's bundles came with the package."""
    static = Path(__file__).parent / "widgets" / "static"
    bundles = sorted(path.name for path in static.glob("*.js") if path.stat().st_size > 0)
    if not bundles:
        return Finding("missing", "no front-end bundles", "Install xnb again, or run: make front")
    return Finding("ok", ", ".join(bundles))


def check_server() -> Finding:
    """The embedded server starts and stops."""
    from .launch import EmbeddedServer

    server = EmbeddedServer()
    try:
        server.start()
        return Finding("ok", "starts and answers on 127.0.0.1")
    finally:
        server.close()


def check_call() -> Finding:
    """A tone of two seconds is called to the echo bot and recorded, over real sockets."""
    with tempfile.TemporaryDirectory(prefix="xnb-doctor-") as folder:
        sent, back = Path(folder, "sent.wav"), Path(folder, "back.wav")
        _write_tone(sent, _CALL_S + 1)
        command = [sys.executable, "-m", "xnb", "call", "echo", "--audio-only"]
        command += ["--send", str(sent), "--record", str(back), "--seconds", str(_CALL_S)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=_CALL_LIMIT_S,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Finding(
                "broken",
                f"the call to echo did not end within {_CALL_LIMIT_S:g} s",
                "Look at: xnb call echo --seconds 2",
            )
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["no output"]
            return Finding("broken", last[0], "Look at: xnb call echo --seconds 2")
        frequency_hz, seconds = _tone_of(back)
    if seconds < _CALL_S / 2 or abs(frequency_hz - _TONE_HZ) > 10:
        return Finding(
            "broken",
            f"what came back is {seconds:.1f} s with {frequency_hz:.0f} Hz, not {_TONE_HZ} Hz",
            "Check that a firewall leaves UDP on this machine alone.",
        )
    return Finding("ok", f"{seconds:.1f} s of a {_TONE_HZ} Hz tone came back from the echo bot")


def _write_tone(path: Path, seconds: float) -> None:
    import numpy as np

    rate_hz = 48_000
    times_s = np.arange(int(seconds * rate_hz)) / rate_hz
    samples = (8000 * np.sin(2 * np.pi * _TONE_HZ * times_s)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())


def _tone_of(path: Path) -> tuple[float, float]:
    """The strongest frequency (Hz) and the length (s) of a wav file."""
    import numpy as np

    with wave.open(str(path), "rb") as file:
        rate_hz, channels, count = file.getframerate(), file.getnchannels(), file.getnframes()
        samples = np.frombuffer(file.readframes(count), dtype="<i2").reshape(-1, channels)[:, 0]
    if not samples.size:
        return 0.0, 0.0
    spectrum = np.abs(np.fft.rfft(samples.astype(np.float64)))
    return float(np.argmax(spectrum) * rate_hz / samples.size), samples.size / rate_hz


def check_janus() -> Finding:
    """A private Janus starts, answers and stops; only ``xnb serve --janus auto`` needs it."""
    if shutil.which("janus") is None:
        return Finding("missing", "janus is not on the path", "Run: apt-get install janus")
    # What a server runs is no library of ours, so it is tried in a process of its own.
    done = subprocess.run(
        [sys.executable, "-m", "xnb.server.janus"],
        capture_output=True,
        text=True,
        timeout=_CALL_LIMIT_S,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    last = (
        (done.stdout if done.returncode == 0 else done.stderr).strip() or "no output"
    ).splitlines()
    return Finding("ok" if done.returncode == 0 else "broken", last[-1], "")


def check_jupyterlab() -> Finding:
    """JupyterLab and a Python kernel are installed."""
    for name in ("jupyterlab", "ipykernel"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return Finding("missing", name, "Run: pip install 'xnb[lab]'")
    return Finding("ok", importlib.metadata.version("jupyterlab"))


def check_browser() -> Finding:
    """Some browser is on the path."""
    for name in _BROWSERS:
        if shutil.which(name):
            return _program(name, "--version", "")
    return Finding(
        "missing",
        "none found on this machine",
        "Open the printed address in a browser elsewhere, or: apt-get install chromium",
    )


def _program(name: str, flag: str, remedy: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding("missing", f"{name} is not on the path", remedy)
    try:
        done = subprocess.run(
            [path, flag],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROGRAM_LIMIT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding("broken", f"{name} {flag} did not end", remedy or f"Install {name} again.")
    except OSError as error:
        return Finding("broken", f"{name} does not start: {error.strerror}", remedy)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode != 0:
        last = lines[-1] if lines else f"exit status {done.returncode}"
        return Finding("broken", last, remedy or f"Install {name} again.")
    return Finding("ok", next((line for line in lines if re.search(r"\d", line)), path))


CHECKS: tuple[Check, ...] = (
    Check("Python", check_python, needed=True),
    Check("packages", check_packages, needed=True),
    Check("front end", check_bundles, needed=True),
    Check("server", check_server, needed=True),
    Check("loopback media", check_call, needed=True),
    Check("JupyterLab", check_jupyterlab),
    Check("browser", check_browser),
    Check("ffmpeg", lambda: _program("ffmpeg", "-version", "Run: apt-get install ffmpeg")),
    Check("Janus", check_janus),
    Check("coturn", lambda: _program("turnserver", "--version", "Run: apt-get install coturn")),
)


def run_check(check: Check, limit_s: float = CHECK_LIMIT_S) -> Finding:
    """Run one check on a thread of its own; whatever it does, there is a finding in time."""
    findings: list[Finding] = []

    def run() -> None:
        try:
            findings.append(check.run())
        except Exception as error:
            findings.append(Finding("broken", str(error) or type(error).__name__, ""))

    thread = threading.Thread(target=run, name=f"doctor {check.name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if not findings:
        return Finding("broken", f"no answer within {limit_s:g} s", "Run xnb doctor again.")
    return findings[0]


def main(checks: tuple[Check, ...] = CHECKS) -> int:
    """Print one line for each check.

    Returns:
        1 when something a call needs is missing or broken, else 0.
    """
    width = max(len(check.name) for check in checks)
    bad = 0
    for check in checks:
        finding = run_check(check)
        line = f"{finding.status:<8} {check.name:<{width}}  {finding.detail}"
        if finding.status != "ok":
            kind = "needed" if check.needed else "optional"
            line += f" ({kind})" + (f". {finding.remedy}" if finding.remedy else "")
            bad += check.needed
        print(line, flush=True)
    return int(bad > 0)
