"""``xnb serve``: the server in the foreground, or as the child process of a kernel."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import SettingsError, XnbError
from . import child
from .app import serving
from .auth import MIN_TOKEN_CHARS, new_token
from .options import JanusOptions, ServerOptions, SfuOptions, TurnOptions

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAX_SECRET_BYTES = 4096
_JANUS_SCHEMES = ("ws", "wss", "http", "https")
_JANUS_SECRETS = {
    "api-secret": "api_secret, which clients never get",
    "admin-key": "videoroom's admin_key",
    "token-secret": "token_auth_secret, for the tokens that clients get",
}


def main(args: Sequence[str] | None = None) -> int:
    """Run ``xnb serve`` until Ctrl-C, SIGTERM or, as a child, until stdin closes.

    Args:
        args: Arguments after ``serve``; those of the process when ``None``.

    Returns:
        Exit status: 0 stopped on request, 1 could not listen, 2 unusable settings.
    """
    given = _parser().parse_args(args)
    try:
        options = _options(given)
        if given.child:
            return child.main(options, given.host, given.port)
        with _token(given.token_file) as (token, path):
            asyncio.run(_serve(token, path, options, given.host, given.port))
    except OSError as error:
        _say(f"xnb serve: cannot listen on {given.host} port {given.port}: {error.strerror}.")
        _say("Choose another --port, or 0 for a free one.")
        return 1
    except XnbError as error:
        # What a child says on stdout is where it listens, and nothing else.
        if given.child:
            sys.stderr.write(f"xnb serve: {error}\n")
        else:
            _say(f"xnb serve: {error}")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xnb serve", description="Run the signaling server and its bots."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="TCP port; 0 for a free one")
    parser.add_argument(
        "--token-file",
        type=Path,
        help="file with the token clients need; made (for you alone to read) when it is missing",
    )
    parser.add_argument(
        "--turn", action="append", default=[], metavar="URL", help="TURN server for the clients"
    )
    parser.add_argument(
        "--turn-secret-file", type=Path, help="file with the secret shared with the TURN server"
    )
    parser.add_argument(
        "--gate", action="append", default=[], metavar="HANDLE", help="refuse calls by HANDLE (403)"
    )
    parser.add_argument(
        "--ring-limit",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long a call rings before it is missed",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="URL",
        help="origin of a web page that may use the Janus API, such as https://calls.example",
    )
    parser.add_argument(
        "--janus",
        action="append",
        default=[],
        metavar="auto|URL",
        help="run group calls on a real Janus: 'auto' starts one privately, a ws(s) or http(s) URL "
        "uses one that runs; several share the rooms (default: $XNB_JANUS, else the embedded SFU)",
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        metavar="FOLDER",
        help="where rooms of the embedded SFU may record what each person sends (default: nowhere)",
    )
    for name, what in _JANUS_SECRETS.items():
        parser.add_argument(
            f"--janus-{name}-file", type=Path, metavar="FILE", help=f"file with its {what}"
        )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser


def _options(given: argparse.Namespace) -> ServerOptions:
    if not 0 <= given.port <= 65535:
        raise SettingsError(f"There is no port {given.port}.", remedy="Use 0 to 65535.")
    if not 0.5 <= given.ring_limit <= 3600:
        raise SettingsError("--ring-limit is out of range.", remedy="Use 0.5 to 3600 seconds.")
    turn = None
    if given.turn:
        if given.turn_secret_file is None:
            raise SettingsError(
                "--turn needs the TURN server's secret.", remedy="Add --turn-secret-file FILE."
            )
        for url in given.turn:
            if not url.startswith(("turn:", "turns:")):
                raise SettingsError(
                    "--turn takes a TURN URL.", remedy="Write turn:HOST:PORT or turns:HOST:PORT."
                )
        turn = TurnOptions(tuple(given.turn), _read_secret(given.turn_secret_file))
    return ServerOptions(
        sfu=SfuOptions(recordings=_recordings(given.recordings)),
        janus=_janus(given),
        allowed_origins=frozenset(_origin(url) for url in given.allow_origin),
        gated=frozenset(handle.removeprefix("@").lower() for handle in given.gate),
        ring_s=given.ring_limit,
        turn=turn,
    )


def _recordings(folder: Path | None) -> Path | None:
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {folder} cannot be made ({error.strerror}).",
            remedy="Give --recordings a folder that is yours.",
        ) from None
    if not os.access(folder, os.W_OK):
        raise SettingsError(
            f"Nothing can be written into {folder}.", remedy="Give --recordings a folder of yours."
        )
    return folder.resolve()


def _janus(given: argparse.Namespace) -> JanusOptions | None:
    """The real Janus servers that the arguments, or else the environment, name."""
    urls = given.janus or os.environ.get("XNB_JANUS", "").replace(",", " ").split()
    if not urls:
        return None
    for url in urls:
        parts = urlsplit(url)
        if url != "auto" and (parts.scheme not in _JANUS_SCHEMES or not parts.netloc):
            raise SettingsError(
                "--janus takes 'auto' or the URL of a Janus.",
                remedy="Write wss://HOST:PORT, ws://HOST:PORT or https://HOST:PORT/janus.",
            )
    if len(set(urls)) < len([url for url in urls if url != "auto"]) + ("auto" in urls):
        raise SettingsError("The same Janus is named twice.", remedy="Name each --janus URL once.")
    found: dict[str, str | None] = {}
    for name in _JANUS_SECRETS:
        key = name.replace("-", "_")
        in_environment = os.environ.get(f"XNB_JANUS_{key.upper()}_FILE")
        path = getattr(given, f"janus_{key}_file") or (in_environment and Path(in_environment))
        found[key] = _read_secret(path) if path else None
    return JanusOptions(tuple(urls), found["api_secret"], found["admin_key"], found["token_secret"])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise SettingsError(
            "--allow-origin takes the origin of a page.", remedy="Write https://HOST or :PORT too."
        )
    return f"{parts.scheme}://{parts.netloc}".lower()


def _read_secret(path: Path) -> str:
    try:
        with path.open("rb") as file:
            secret = file.read(_MAX_SECRET_BYTES).decode().strip()
            mode = os.fstat(file.fileno()).st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The file {path} cannot be read ({type(error).__name__}).",
            remedy="Give the path of a text file that holds the secret and nothing else.",
        ) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise SettingsError(
            f"Other users of this machine can read {path}.", remedy=f"Run: chmod 600 {path}"
        )
    if not secret:
        raise SettingsError(f"The file {path} is empty.", remedy="Put the secret in it.")
    return secret


@contextlib.contextmanager
def _token(path: Path | None) -> Iterator[tuple[str, Path]]:
    """Give the token and the file it is in; a file of our own choosing goes away at the end."""
    if path is not None and path.exists():
        token = _read_secret(path)
        if len(token) < MIN_TOKEN_CHARS:
            raise SettingsError(
                f"The token in {path} is too short to be secret.",
                remedy=f"Use at least {MIN_TOKEN_CHARS} characters, or delete the file to get one.",
            )
        yield token, path
        return
    token = new_token()
    folder = None if path is not None else Path(tempfile.mkdtemp(prefix="xnb-"))
    target = path if path is not None else Path(folder or "") / "token"
    try:
        _write_private(target, token)
        yield token, target
    finally:
        if folder is not None:
            target.unlink(missing_ok=True)
            folder.rmdir()


def _write_private(path: Path, text: str) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(
            f"The token file {path} cannot be written ({error.strerror}).",
            remedy="Choose a --token-file in a folder that exists and is yours.",
        ) from None
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")


async def _serve(token: str, path: Path, options: ServerOptions, host: str, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with serving(token, options, host=host, port=port) as url:
        _say(f"Serving at {url}")
        if host not in _LOOPBACK:
            _say("Anyone who can reach this address sees the signaling: it is not encrypted.")
        _say(f"The token is in {path}")
        _say("Set these two where the notebooks run:")
        _say(f"  export XNB_SERVER={url}")
        _say(f'  export XNB_SERVER_TOKEN="$(cat {shlex.quote(str(path))})"')
        _say("Ctrl-C stops it.")
        await stop.wait()
        _say("Stopping.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
