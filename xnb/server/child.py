"""The server as the child of a kernel: token in by stdin, port out by stdout, gone with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Callable

from .app import serving
from .auth import MIN_TOKEN_CHARS
from .options import ServerOptions

_STDIN, _STDOUT = 0, 1
_TOKEN_TIMEOUT_S = 10.0
_MAX_LINE_BYTES = 64 * 1024
# The parent is gone: whatever still closes then, the process is over this much later.
_EXIT_LIMIT_S = 0.9
_PARENT_CHECK_S = 0.25


def main(options: ServerOptions, host: str = "127.0.0.1", port: int = 0) -> int:
    """Serve until stdin closes, which it also does when the parent is killed.

    The first line of stdin is ``{"token": "..."}``. When the server listens, one line
    ``{"port": N, "pid": N}`` is written to stdout, and nothing else ever.

    Args:
        options: Limits and behaviour.
        host: Address to listen on.
        port: TCP port, 0 for a free one.

    Returns:
        Exit status: 0 after a clean end, 2 when no usable token came.

    Raises:
        OSError: The port cannot be listened on.
    """
    # Interrupting a cell sends SIGINT to the whole process group of the kernel.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    token = _read_token()
    if token is None:
        sys.stderr.write('xnb serve --child: expected {"token": "..."} on stdin.\n')
        return 2
    asyncio.run(_serve(token, parent, options, host, port))
    return 0


async def _serve(token: str, parent: int, options: ServerOptions, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    if os.name == "posix":
        loop.add_signal_handler(signal.SIGTERM, stop.set)

    def parent_gone() -> None:
        _exit_soon()
        loop.call_soon_threadsafe(stop.set)

    orphaned = asyncio.create_task(_until_orphaned(parent, parent_gone))

    async with serving(token, options, host=host, port=port) as url:
        line = json.dumps({"port": int(url.rpartition(":")[2]), "pid": os.getpid()}) + "\n"
        os.write(_STDOUT, line.encode())
        threading.Thread(
            target=_until_closed, args=(parent_gone,), name="xnb stdin watch", daemon=True
        ).start()
        await stop.wait()
    orphaned.cancel()


async def _until_orphaned(parent: int, then: Callable[[], None]) -> None:
    # A worker that the kernel forked holds a copy of our stdin and keeps it open after the
    # kernel was killed.
    while os.name == "posix":
        await asyncio.sleep(_PARENT_CHECK_S)
        if os.getppid() != parent:
            then()
            return


def _until_closed(then: Callable[[], None]) -> None:
    # os.read and not sys.stdin: a thread blocked in a buffered reader holds a lock that the
    # interpreter wants when it shuts down.
    while True:
        try:
            if not os.read(_STDIN, 4096):
                break
        except OSError:
            break
    then()


def _exit_soon() -> None:
    timer = threading.Timer(_EXIT_LIMIT_S, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _read_token() -> str | None:
    """The token from the first line of stdin, or ``None``."""
    found: list[bytes] = []

    def read() -> None:
        line = b""
        while b"\n" not in line and len(line) < _MAX_LINE_BYTES:
            part = os.read(_STDIN, 1)
            if not part:
                return
            line += part
        found.append(line)

    reader = threading.Thread(target=read, name="xnb stdin token", daemon=True)
    reader.start()
    reader.join(_TOKEN_TIMEOUT_S)
    try:
        token = json.loads(found[0])["token"]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return token if isinstance(token, str) and len(token) >= MIN_TOKEN_CHARS else None
