"""A real Janus, started privately with safe settings, and stopped cleanly.

It listens on the loopback interface only, for as long as this process lives: it is killed with
it. Its configuration holds secrets, is readable by nobody else, and is deleted as soon as Janus
has read it. Options are those of ``/etc/janus/*.jcfg`` as Debian documents them.
"""

from __future__ import annotations

import asyncio
import contextlib
import glob
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from ...errors import SettingsError, SfuError
from . import janus_config
from .endpoint import Endpoint

_START_S = 10.0
_PROBE_S = 1.0
_PROBE_PAUSE_S = 0.02
_TERM_S = 3.0
_KILL_S = 2.0
_TRIES = 3
_LOG_LINES = 200
_LOG_LINE_CHARS = 500
# Janus names the token that it refuses.
_SIGNED_TOKEN = re.compile(r"\d+,janus\b[^\s']*")
_PORT_TAKEN = "another program took its TCP port"
_CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS}
_NO_PORT = ("Couldn't start webserver", "Error creating vhost")
# Becomes Janus itself. 1 is PR_SET_PDEATHSIG (prctl(2)); a parent that died before is noticed.
_LAUNCH = """
import os, signal, sys
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (ImportError, OSError, AttributeError):
    pass
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class JanusSettings:
    """How a private Janus is started. Times in seconds.

    Args:
        program: Its name or path.
        interface: Name or address of the interface for media; ``None`` takes the one that the
            default route uses. Loopback does not work: Janus does not gather it.
        rtp_ports: First and last UDP port for media, both even or odd; below the ports that the
            kernel gives out by itself (32768 on Linux).
        session_timeout_s: A silent session ends after so long. As long as Janus' own default:
            stock clients such as janus.js say that they are there every 25 to 30 s only.
        reclaim_s: How long a dropped session can be claimed.
        has_api_secret: Whether our secret lets in. Without secret and tokens everybody on this
            machine may use it.
        has_tokens: Whether signed tokens let in.
        has_string_ids: Whether rooms have text as ids; else numbers.

    Raises:
        SettingsError: The ports make no range.
    """

    program: str = "janus"
    interface: str | None = None
    rtp_ports: tuple[int, int] = (20000, 29999)
    session_timeout_s: int = 60
    reclaim_s: int = 30
    has_api_secret: bool = True
    has_tokens: bool = True
    has_string_ids: bool = True

    def __post_init__(self) -> None:
        first, last = self.rtp_ports
        if not 1024 <= first < last <= 65535:
            raise SettingsError(
                f"{first} to {last} is no range of UDP ports.",
                remedy="Use two ports from 1024 to 65535, for instance 20000 and 29999.",
            )


class JanusProcess:
    """One private Janus.

    Args:
        settings: How it is started.

    Attributes:
        endpoint: Where it listens and its secrets, once started.
        http_url: The same over HTTP.
        start_s: How long the last start took.

    Example::

        janus = JanusProcess()
        await janus.start()
        ...
        await janus.stop()
    """

    def __init__(self, settings: JanusSettings | None = None) -> None:
        self.settings = settings or JanusSettings()
        self.endpoint: Endpoint | None = None
        self.http_url = ""
        self.start_s = 0.0
        self._process: asyncio.subprocess.Process | None = None
        self._folder: Path | None = None
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._hidden: tuple[str, ...] = ()
        self._reader: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"JanusProcess({f'running, pid={self.pid}' if self.is_running else 'not running'})"

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """Its process id, if it lives."""
        return self._process.pid if self._process is not None and self.is_running else None

    @property
    def log(self) -> tuple[str, ...]:
        """The last lines it wrote, without its secrets."""
        return tuple(self._log)

    async def start(self) -> Endpoint:
        """Start it and wait until it answers; where it is.

        Raises:
            SfuError: Janus is not installed, there is no interface that it can use, or it did
                not answer; the message names which and shows its last words.
        """
        if self.is_running and self.endpoint is not None:
            return self.endpoint
        program = shutil.which(self.settings.program)
        if program is None:
            raise SfuError(
                f"Janus cannot be started: there is no program '{self.settings.program}'.",
                remedy="Run: apt-get install janus. Without --janus rooms run on the embedded SFU.",
            )
        libraries = _libraries(program)
        interface = self.settings.interface or usable_address()
        for _ in range(_TRIES - 1):
            try:
                return await self._start_once(program, libraries, interface)
            except _TryAgainError:
                pass
        try:
            return await self._start_once(program, libraries, interface)
        except _TryAgainError as error:
            raise self._not_started(error.why) from None

    async def stop(self) -> None:
        """Stop it: asked first, killed after 3 s. May be called again."""
        process, self._process = self._process, None
        self.endpoint = None
        if process is not None and process.returncode is None:
            for number, limit_s in ((signal.SIGTERM, _TERM_S), (signal.SIGKILL, _KILL_S)):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(limit_s):
                        await process.wait()
                        break
        reader, self._reader = self._reader, None
        if reader is not None:
            # Its last words are here once it has ended, unless somebody else holds the pipe.
            await asyncio.wait({reader}, timeout=_PROBE_S)
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        self._remove_folder()

    async def wait(self) -> int | None:
        """Wait until it ends by itself or is stopped; its exit status."""
        process = self._process
        return None if process is None else await process.wait()

    async def _start_once(self, program: str, libraries: Path, interface: str) -> Endpoint:
        began_s = time.monotonic()
        http_port, ws_port = _free_ports(2)
        config = janus_config.JanusConfig(
            libraries=libraries,
            interface=interface,
            http_port=http_port,
            ws_port=ws_port,
            rtp_ports=self.settings.rtp_ports,
            session_timeout_s=self.settings.session_timeout_s,
            reclaim_s=self.settings.reclaim_s,
            api_secret=secrets.token_urlsafe(24) if self.settings.has_api_secret else None,
            admin_key=secrets.token_urlsafe(24),
            token_secret=secrets.token_urlsafe(24) if self.settings.has_tokens else None,
            has_string_ids=self.settings.has_string_ids,
            name=f"xnb-{secrets.token_hex(6)}",
        )
        self._hidden = tuple(
            filter(None, (config.api_secret, config.admin_key, config.token_secret))
        )
        self._log.clear()
        self._folder = Path(tempfile.mkdtemp(prefix="xnb-janus-"))  # mode 0700
        try:
            janus_config.write(config, self._folder)
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid())),
                *(program, f"--config={self._folder / 'janus.jcfg'}"),
                f"--configs-folder={self._folder}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                cwd=os.sep,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                umask=0o077,
                # Its own group: Ctrl-C is for us, who then stop it.
                start_new_session=True,
            )
            self._reader = asyncio.create_task(self._read(self._process), name="janus log")
            await self._until_ready(config)
        except BaseException:
            await self.stop()
            raise
        self._remove_folder()  # it has been read
        self.start_s = time.monotonic() - began_s
        self.http_url = f"http://127.0.0.1:{http_port}/janus"
        self.endpoint = Endpoint(
            f"ws://127.0.0.1:{ws_port}",
            api_secret=config.api_secret,
            admin_key=config.admin_key,
            token_secret=config.token_secret,
        )
        return self.endpoint

    async def _until_ready(self, config: janus_config.JanusConfig) -> None:
        process = self._process
        assert process is not None
        url = f"http://127.0.0.1:{config.http_port}/janus/info"
        timeout = aiohttp.ClientTimeout(total=_PROBE_S)
        try:
            async with asyncio.timeout(_START_S), aiohttp.ClientSession(timeout=timeout) as http:
                while process.returncode is None:
                    if await _is_ready(http, url, config):
                        return
                    if self._has_no_port():
                        raise _TryAgainError(_PORT_TAKEN)
                    await asyncio.sleep(_PROBE_PAUSE_S)
        except TimeoutError:
            raise self._not_started(f"it did not answer within {_START_S:g} s") from None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PROBE_S):
                if self._reader is not None:
                    await asyncio.shield(self._reader)
        why = f"it ended at once (exit status {process.returncode})"
        if self._has_no_port():
            raise _TryAgainError(_PORT_TAKEN)
        if process.returncode in _CRASHES:
            raise _TryAgainError(why)
        raise self._not_started(why)

    def _has_no_port(self) -> bool:
        return any(words in line for line in self._log for words in _NO_PORT)

    def _not_started(self, why: str) -> SfuError:
        bad = [line for line in self._log if "[ERR]" in line or "[FATAL]" in line][-3:]
        said = " | ".join(bad or list(self._log)[-3:])
        return SfuError(
            f"Janus could not be started: {why}." + (f" Its last words: {said}" if said else ""),
            remedy="Run 'xnb doctor', or leave --janus out: rooms then run on the embedded SFU.",
        )

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        rest = b""
        while part := await process.stdout.read(4096):
            *lines, rest = (rest + part).split(b"\n")
            rest = rest[-_LOG_LINE_CHARS:]
            for line in lines:
                self._note(line.decode(errors="replace"))
        self._note(rest.decode(errors="replace"))

    def _note(self, line: str) -> None:
        for secret in self._hidden:
            line = line.replace(secret, "…")
        line = _SIGNED_TOKEN.sub("…", line)
        text = "".join(c for c in line if c.isprintable()).strip()[:_LOG_LINE_CHARS]
        if text:
            self._log.append(text)

    def _remove_folder(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class _TryAgainError(Exception):
    """Somebody took a port meanwhile, or Janus crashed, as it does now and then at its start."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def _is_ready(
    http: aiohttp.ClientSession, url: str, config: janus_config.JanusConfig
) -> bool:
    try:
        async with http.get(url) as reply:
            info: dict[str, Any] = await reply.json(content_type=None)
        # Another program may have taken the port: it does not know the name.
        wanted = {f"janus.plugin.{name}" for name in janus_config.PLUGINS}
        if info.get("server-name") != config.name or not wanted <= set(info.get("plugins", {})):
            return False
        async with http.ws_connect(
            f"ws://127.0.0.1:{config.ws_port}", protocols=("janus-protocol",)
        ) as connection:
            await connection.send_json({"janus": "info", "transaction": "ready"})
            told = await connection.receive_json()
        return bool(told.get("server-name") == config.name)
    except (aiohttp.ClientError, OSError, TypeError, ValueError, TimeoutError):
        return False


def usable_address() -> str:
    """An address of this machine that Janus can use for media: the default route's, if any.

    Raises:
        SfuError: There is only loopback.
    """
    from aioice.ice import get_host_addresses

    # Janus gathers IPv4 only, unless told otherwise.
    addresses = [a for a in get_host_addresses(use_ipv4=True, use_ipv6=False) if _is_usable(a)]
    if not addresses:
        raise SfuError(
            "Janus needs a network interface besides loopback for media, and there is none.",
            remedy="Bring one up, for instance: ip link add d0 type dummy && ip addr add "
            "10.9.9.1/24 dev d0 && ip link set d0 up. Or leave --janus out.",
        )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # RFC 5737; UDP: nothing is sent
        address = str(probe.getsockname()[0])
        if address in addresses:
            return address
    return str(addresses[0])


def _is_usable(address: str) -> bool:
    return not address.startswith(("127.", "169.254."))


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            taken = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            taken.bind(("127.0.0.1", 0))
            ports.append(int(taken.getsockname()[1]))
        return ports


def _libraries(program: str) -> Path:
    """The folder with Janus' plugins.

    Raises:
        SfuError: It is not where Debian or a build from source puts it.
    """
    prefix = Path(program).resolve().parent.parent
    patterns = [
        f"{prefix}/lib/*/janus",
        f"{prefix}/lib/janus",
        "/usr/lib/*/janus",
        "/usr/lib/janus",
    ]
    for pattern in patterns:
        for folder in sorted(glob.glob(pattern)):
            if Path(folder, "plugins", "libjanus_videoroom.so").exists():
                return Path(folder)
    raise SfuError(
        "Janus cannot be started: its videoroom plugin is not installed.",
        remedy="Run: apt-get install --reinstall janus",
    )
