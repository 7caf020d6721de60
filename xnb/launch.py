"""Starts the embedded server as a child process and makes sure it ends with this one.

The child is told its token on stdin and ends when stdin does, so it also ends when this process
is killed. Its stderr is kept, bounded and redacted, to explain a failed start.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import secrets
import signal
import site
import subprocess
import sys
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .errors import SettingsError, Unreachable
from .signaling.trace import redact

START_LIMIT_S = 5.0
_STOP_LIMIT_S = 3.0
_LOG_LINES = 100
_LOG_LINE_BYTES = 2000
_HELLO_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is and the token it wants."""

    url: str = field(repr=False)
    token: str = field(repr=False)


def server_from_environment() -> ServerAddress | None:
    """The server named by ``XNB_SERVER`` and ``XNB_SERVER_TOKEN``, or ``None``.

    Raises:
        SettingsError: Only one of the two is set.
    """
    url = os.environ.get("XNB_SERVER", "").strip()
    token = os.environ.get("XNB_SERVER_TOKEN", "").strip()
    if not url and not token:
        return None
    if not url or not token:
        missing = "XNB_SERVER_TOKEN" if url else "XNB_SERVER"
        raise SettingsError(
            f"{missing} is not set, but the other of XNB_SERVER and XNB_SERVER_TOKEN is.",
            remedy="Set both as 'xnb serve' prints them, or neither.",
        )
    return ServerAddress(url, token)


class EmbeddedServer:
    """One embedded server. Clients of a process share :func:`embedded_server`.

    Args:
        command: What to run instead of ``python -m xnb serve --child``.
        start_limit_s: How long :meth:`start` waits, in seconds.
    """

    def __init__(
        self, command: Sequence[str] | None = None, *, start_limit_s: float = START_LIMIT_S
    ) -> None:
        self._command = list(command) if command else None
        self._start_limit_s = start_limit_s
        self._lock = threading.RLock()
        self._child: _Child | None = None

    def __repr__(self) -> str:
        child = self._child
        if child is None or not child.alive:
            return "EmbeddedServer(not running)"
        return f"EmbeddedServer(running, pid={child.process.pid})"

    def start(self) -> ServerAddress:
        """Start the server unless it runs, and say where it is. From any thread; blocks.

        A server that has died is started again, at another port.

        Raises:
            Unreachable: It did not start; the message names the stage and shows its last words.
        """
        with self._lock:
            child = self._running()
            try:
                url = child.greeting(self._start_limit_s)
            except BaseException:
                self._child = None
                atexit.unregister(self.close)
                raise
            return ServerAddress(url, child.token)

    def begin(self) -> None:
        """Let the server start meanwhile, if it does not run; :meth:`start` waits for it.

        Takes a few milliseconds. What goes wrong is told by :meth:`start`, which tries again.
        """
        if not self._lock.acquire(blocking=False):
            return  # somebody is waiting for it to start
        try:
            with contextlib.suppress(Unreachable):
                self._running()
        finally:
            self._lock.release()

    def _running(self) -> _Child:
        """The child that lives; a new one, which has not said hello yet, when there is none."""
        child = self._child
        if child is None or not child.alive:
            self.close()
            child = self._child = _Child(self._command or _usual_command())
            atexit.register(self.close)
        return child

    @property
    def running(self) -> bool:
        """Whether the child lives."""
        child = self._child
        return child is not None and child.alive

    @property
    def url(self) -> str:
        """Base URL of the server, which is started if need be."""
        return self.start().url

    @property
    def token(self) -> str:
        """Token of the server, which is started if need be."""
        return self.start().token

    @property
    def pid(self) -> int | None:
        """Process id of the child, if it lives."""
        child = self._child
        return child.process.pid if child is not None and child.alive else None

    @property
    def log(self) -> str:
        """The child's last words on stderr, redacted."""
        child = self._child
        return child.words() if child is not None else ""

    def close(self) -> None:
        """Stop the child. May be called again; :meth:`start` starts a new one."""
        with self._lock:
            child, self._child = self._child, None
            atexit.unregister(self.close)
            if child is not None:
                child.stop()


class _Child:
    """A child process, which will say hello.

    Raises:
        Unreachable: It could not be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.token = secrets.token_urlsafe(32)
        self._url = ""
        self._owner_pid = os.getpid()
        self._stderr: deque[str] = deque(maxlen=_LOG_LINES)
        self._hello: queue.Queue[bytes] = queue.Queue(maxsize=1)
        self._threads: list[threading.Thread] = []
        failure = ""
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=os.path.abspath(os.sep),
                env=_environment(),
                # Its own group: an interrupt of the kernel must not reach the server.
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as error:
            failure = error.strerror or type(error).__name__
        if failure:
            raise _not_started(f"the process could not be started ({failure})")
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._read(self.process.stdout, self._on_stdout)
        self._read(self.process.stderr, self._on_stderr)
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps({"token": self.token}).encode() + b"\n")
            self.process.stdin.flush()

    def greeting(self, limit_s: float) -> str:
        """Wait until it says hello; where it listens. A child that does not is ended.

        Raises:
            Unreachable: It did not say hello within ``limit_s``.
        """
        if not self._url:
            try:
                self._url = self._wait_for_hello(time.monotonic() + limit_s)
            except BaseException:
                with contextlib.suppress(OSError):
                    self.process.kill()
                self.stop()
                raise
        return self._url

    def _wait_for_hello(self, deadline_s: float) -> str:
        process = self.process
        try:
            line = self._hello.get(timeout=max(0.0, deadline_s - time.monotonic()))
        except queue.Empty:
            line = None
        if line is None:
            raise _not_started("it did not say in time where it listens", self.words())
        if not line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
            self._join()
            raise _not_started(f"it ended at once ({_exit_words(process)})", self.words())
        try:
            port = int(json.loads(line)["port"])
        except (ValueError, KeyError, TypeError):
            port = 0
        if not 0 < port < 65536:
            raise _not_started("it said something else than where it listens", self.words())
        return f"http://127.0.0.1:{port}"

    @property
    def alive(self) -> bool:
        # After a fork the child belongs to the parent; a copy must not use or stop it.
        return self._owner_pid == os.getpid() and self.process.poll() is None

    def words(self) -> str:
        return "\n".join(redact(line, [self.token]) for line in tuple(self._stderr))

    def _read(self, pipe: IO[bytes], use: Callable[[bytes], None]) -> None:
        thread = threading.Thread(
            target=_drain, args=(pipe, use), name="xnb-server-output", daemon=True
        )
        thread.start()
        self._threads.append(thread)

    def _on_stdout(self, line: bytes) -> None:
        # Only the first line matters; what follows is read so that the child never blocks.
        with contextlib.suppress(queue.Full):
            self._hello.put_nowait(line)

    def _on_stderr(self, line: bytes) -> None:
        if text := line.decode(errors="replace").rstrip():
            self._stderr.append(text)

    def stop(self) -> None:
        if self._owner_pid != os.getpid():
            return
        process = self.process
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        for ask in (None, process.terminate, process.kill):
            if ask is not None:
                ask()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=_STOP_LIMIT_S)
                break
        self._join()
        for pipe in (process.stdout, process.stderr):
            if pipe and not any(thread.is_alive() for thread in self._threads):
                pipe.close()

    def _join(self) -> None:
        for thread in self._threads:
            thread.join(timeout=1)


def _drain(pipe: IO[bytes], use: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError, ValueError):
        while line := pipe.readline(_HELLO_BYTES):
            use(line[:_LOG_LINE_BYTES])
    use(b"")


def _not_started(why: str, words: str = "") -> Unreachable:
    said = f" Its last words: {words[-1500:]}" if words else ""
    return Unreachable(
        f"The embedded server could not be started: {why}.{said}",
        remedy="Run 'xnb doctor', or 'xnb serve' in a terminal to see the cause.",
    )


def _exit_words(process: subprocess.Popen[bytes]) -> str:
    code = process.returncode
    if code is None:
        return "it closed its output"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"


def _usual_command() -> list[str]:
    if not sys.executable:
        raise _not_started("this Python does not know its own executable")
    # -P: a file named like one of our modules in the current folder must not be imported.
    return [sys.executable, "-P", "-m", "xnb", "serve", "--child"]


def _environment() -> dict[str, str]:
    """Our environment, with PYTHONPATH such that the child imports this very package."""
    environment = dict(os.environ)
    entries = environment.get("PYTHONPATH", "").split(os.pathsep)
    # The child runs in another folder, so relative entries would mean something else there.
    paths = [os.path.abspath(entry) for entry in entries if entry]
    home = str(Path(__file__).resolve().parent.parent)
    if home not in _site_folders() and home not in paths:
        paths.append(home)
    if paths:
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    return environment


def _site_folders() -> set[str]:
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    folders.update(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    return {os.path.realpath(folder) for folder in folders if folder}


_shared = EmbeddedServer()


def embedded_server() -> EmbeddedServer:
    """The embedded server that the clients of this process share; not started by this."""
    return _shared


def begin_server() -> None:
    """Let the embedded server start meanwhile, unless the environment names another one."""
    with contextlib.suppress(SettingsError):
        if server_from_environment() is None:
            _shared.begin()
