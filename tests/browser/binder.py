"""What a Binder service does with this repository, done here without Docker.

    make binder-check          # or: .venv/bin/python -m tests.browser.binder

A copy of the repository, a clean virtual environment made from ``binder/``, ``postBuild``, then
``start`` with JupyterLab at a base URL. A browser that reaches nothing but an HTTP proxy before it
opens the first-call notebook by its URL and runs it; the memory of all processes is added up.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.async_api import Page, async_playwright

from .lab import LabPage
from .proxy import BASE_URL, Proxy, missing

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOK = "notebooks/01-first-call.ipynb"
MEMORY_LIMIT_MB = 700
PICTURES = 25
INSTALL_LIMIT_S = 900.0
POST_BUILD_LIMIT_S = 120.0
START_LIMIT_S = 60.0
PICTURE_LIMIT_S = 60.0


class CheckFailed(Exception):
    """A step went wrong; the text says which and how."""


@contextmanager
def step(words: str) -> Iterator[None]:
    """Print what is done, and how long it took."""
    print(f"{words} ...", flush=True)
    start_s = time.monotonic()
    yield
    print(f"    {time.monotonic() - start_s:.1f} s", flush=True)


def run(command: list[str], *, cwd: Path, env: dict[str, str], limit_s: float) -> str:
    """Run a program to its end.

    Returns:
        What it said on stdout.

    Raises:
        CheckFailed: It failed or took too long; the text holds its last words.
    """
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise CheckFailed(f"{command[0]} took more than {limit_s:g} s") from None
    if done.returncode:
        raise CheckFailed(f"{' '.join(command)}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def clone(target: Path) -> None:
    """Copy what git knows of, or would, as a clone has it."""
    listed = run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        env=dict(os.environ),
        limit_s=30,
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def check_debian_packages(repository: Path) -> None:
    """What ``apt.txt`` names is installed here; Binder would install it.

    Raises:
        CheckFailed: Something is not.
    """
    text = (repository / "binder" / "apt.txt").read_text(encoding="utf-8")
    wanted = [line.strip() for line in text.splitlines() if line.strip() and line[0] != "#"]
    absent = [one for one in wanted if shutil.which(one) is None]
    if absent:
        raise CheckFailed(f"not installed here: apt-get install {' '.join(absent)}")


def make_environment(repository: Path, folder: Path) -> dict[str, str]:
    """A clean virtual environment with what ``requirements.txt`` asks for.

    Returns:
        Environment variables in which its programs are the first.
    """
    venv = folder / "venv"
    wanted = (repository / "binder" / "runtime.txt").read_text(encoding="utf-8").strip()
    here = f"python-{sys.version_info.major}.{sys.version_info.minor}"
    if wanted != here:
        raise CheckFailed(f"runtime.txt wants {wanted}; this is {here}")
    home = folder / "home"
    home.mkdir()
    env = {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    # Where packages come from on this machine stays as it is.
    env |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    run([sys.executable, "-m", "venv", str(venv)], cwd=folder, env=env, limit_s=120)
    install = [str(venv / "bin" / "pip"), "install", "--quiet", "-r", "binder/requirements.txt"]
    run(install, cwd=repository, env=env, limit_s=INSTALL_LIMIT_S)
    return env


class Image:
    """The server of the built environment, started as Binder starts it."""

    def __init__(self, repository: Path, folder: Path, env: dict[str, str]) -> None:
        self.token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._root = f"http://127.0.0.1:{self.port}{BASE_URL}".rstrip("/")
        self._log = folder / "server.log"
        command = [str(repository / "binder" / "start"), "jupyter", "lab", "--no-browser"]
        command += ["--ip=127.0.0.1", f"--port={self.port}", f"--ServerApp.base_url={BASE_URL}"]
        command += ["--ServerApp.trust_xheaders=True", "--ServerApp.port_retries=0"]
        # For this check only: the page's application can be asked what it shows.
        command += ["--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
        if os.geteuid() == 0:
            command.append("--allow-root")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=repository,
                env={**env, "JUPYTER_TOKEN": self.token},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_up(self) -> None:
        """Block until it answers."""
        deadline_s = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline_s and self.process.poll() is None:
            try:
                with self._open("/api/status"):
                    return
            except OSError:
                time.sleep(0.2)
        raise CheckFailed(f"JupyterLab did not start:\n{self._log.read_text()[-3000:]}")

    def _open(self, path: str) -> object:
        headers = {"Authorization": f"token {self.token}"}
        return urllib.request.urlopen(
            urllib.request.Request(self._root + path, headers=headers), timeout=5
        )

    def memory_mb(self) -> dict[str, float]:
        """Memory of each of its processes in MB, shared pages divided among their users (PSS)."""
        top = psutil.Process(self.process.pid)
        found: dict[str, float] = {}
        for one in (top, *top.children(recursive=True)):
            words = " ".join(one.cmdline())
            kind = "JupyterLab"
            if "ipykernel" in words:
                kind = "kernel"
            elif "serve --child" in words:
                kind = "embedded server"
            found[kind] = found.get(kind, 0.0) + one.memory_full_info().pss / 1e6
        return found

    def close(self) -> None:
        """Stop it, with its kernels."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass(frozen=True)
class Opened:
    """What :class:`~.lab.LabPage` uses of a server to open a page."""

    url: str
    token: str


async def visit(image: Image, proxy: Proxy) -> float:
    """Open the notebook by its URL in a browser behind the proxy, and run it to the end.

    Returns:
        Memory of the demo during a call, in MB.
    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise CheckFailed("no Chromium on the path: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=proxy.command(chromium),
            args=["--autoplay-policy=no-user-gesture-required", "--mute-audio"],
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            page = await browser.new_page(viewport={"width": 1200, "height": 1000})
            return await _use(image, proxy, page)
        finally:
            await browser.close()


async def _use(image: Image, proxy: Proxy, page: Page) -> float:
    address = f"{proxy.localhost}{BASE_URL}"
    with step(f"opening {BASE_URL}lab/tree/{NOTEBOOK}"):
        await page.goto(f"{address}lab/tree/{NOTEBOOK}?token={image.token}")
        notebook = LabPage(Opened(address.rstrip("/"), image.token), page, NOTEBOOK)  # type: ignore[arg-type]
        await notebook.ready()
    with step("running the cells until the first picture"):
        await notebook.run(last="widget.call")
        card = notebook.card()
        await card.wait_state("connected")
        await card.wait_frames(PICTURES, timeout_s=PICTURE_LIMIT_S)
    path = await card.root.get_attribute("data-transport")
    first, before = await card.picture(), await _frames(card.root)
    await asyncio.sleep(3)
    second, after = await card.picture(), await _frames(card.root)
    moved = statistics.fmean(abs(a - b) for a, b in zip(first, second, strict=True))
    print(f"    path {path}, {(after - before) / 3:.1f} pictures a second")
    if statistics.pstdev(first) < 20 or moved < 0.2:
        raise CheckFailed(f"the picture is not a moving test card (changes by {moved:.2f})")
    if path == "webrtc":
        raise CheckFailed("WebRTC got through: this proxy proves nothing")
    memory = image.memory_mb()
    with step("running the rest of the notebook"):
        text = str([cell["outputs"] for cell in await notebook.run(limit_s=90)])
        for words in ("hangup after", "<Playback of clip.mp4: done>"):
            if words not in text:
                raise CheckFailed(f"the notebook's outputs lack {words!r}")
    later = image.memory_mb()
    for name, part in (("in the call", memory), ("after the notebook", later)):
        parts = ", ".join(f"{kind} {mb:.0f}" for kind, mb in part.items())
        print(f"memory {name}: {sum(part.values()):.0f} MB ({parts})")
    return max(sum(memory.values()), sum(later.values()))


async def _frames(root: object) -> int:
    return int(await root.get_attribute("data-frames") or 0)  # type: ignore[attr-defined]


def main() -> int:
    """Do all steps; 0 when the demo works within its memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, help="keep everything here, which must be empty")
    args = parser.parse_args()
    if why := missing():
        print(f"binder-check cannot run here: {why}", file=sys.stderr)
        return 2
    start_s = time.monotonic()
    # A short path: Unix sockets allow no more than about 100 characters.
    folder = args.folder or Path(tempfile.mkdtemp(prefix="xnb-binder-"))
    folder.mkdir(exist_ok=True)
    try:
        memory_mb = _check(folder)
    except (CheckFailed, AssertionError) as error:
        print(f"binder-check failed: {error}", file=sys.stderr)
        return 1
    finally:
        if args.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    if memory_mb > MEMORY_LIMIT_MB:
        print(f"binder-check failed: more than {MEMORY_LIMIT_MB} MB", file=sys.stderr)
        return 1
    print(f"binder-check: all is well after {time.monotonic() - start_s:.0f} s")
    return 0


def _check(folder: Path) -> float:
    repository = folder / "repository"
    repository.mkdir()
    with step("copying the repository"):
        clone(repository)
        check_debian_packages(repository)
    with step("a clean environment from binder/requirements.txt"):
        env = make_environment(repository, folder)
    with step("binder/postBuild"):
        run(
            [str(repository / "binder" / "postBuild")],
            cwd=repository,
            env=env,
            limit_s=POST_BUILD_LIMIT_S,
        )
    image = Image(repository, folder, env)
    try:
        with step("binder/start jupyter lab"):
            image.wait_until_up()
        with Proxy(folder, image.port) as proxy:
            return asyncio.run(visit(image, proxy))
    finally:
        image.close()


if __name__ == "__main__":
    sys.exit(main())
