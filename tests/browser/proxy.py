"""A browser that reaches nothing but a notebook server's port, through an HTTP proxy.

As behind a hub or on Binder: nginx in front of JupyterLab, a base URL, no UDP and no other host.
The browser lives in a network namespace that has a loopback interface and nothing else; nginx
listens there and hands over through a Unix socket, which no namespace holds back.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .kernel import Kernel
from .lab import Lab

BASE_URL = "/user/demo/"
PLAIN_ADDRESS = "10.77.0.1"
PORT = 8080
START_LIMIT_S = 10.0
_PROXY = """
daemon off;
user root;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
    server {{
        {listen}
        location / {{
            proxy_pass {target};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_buffering off;
            proxy_read_timeout 600s;
        }}
    }}
}}
"""


def missing() -> str:
    """Why there can be no such place on this machine, ``""`` when there can."""
    for program, package in (("ip", "iproute2"), ("nginx", "nginx-light")):
        if _program(program) is None:
            return f"{program} is missing (apt-get install {package})"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"xnb-try-{secrets.token_hex(3)}"
    done = subprocess.run(
        [_program("ip") or "ip", "netns", "add", name], capture_output=True, timeout=10, check=False
    )
    if done.returncode != 0:
        return "this machine allows no network namespaces"
    _ip("netns", "delete", name)
    return ""


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _ip(*arguments: str) -> None:
    command = [_program("ip") or "ip", *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=10)


@dataclass(frozen=True)
class Seen:
    """A server as the browser sees it: what ``LabPage`` uses of a ``Lab``, at another address."""

    lab: Lab
    url: str

    @property
    def token(self) -> str:
        """The server's token."""
        return self.lab.token

    def kernel_of(self, notebook: str) -> Kernel:
        """The kernel of an open notebook, reached from outside of the namespace."""
        return self.lab.kernel_of(notebook)


class Proxy:
    """nginx before a server on this machine, for a browser in a namespace of its own.

    Args:
        folder: For configuration and logs; its path must be shorter than 90 characters.
        port: Of the server, on 127.0.0.1.

    Attributes:
        name: Of the namespace.

    Example:
        >>> with Proxy(tmp_path, lab.port) as proxy:
        ...     executable = proxy.command("/usr/bin/chromium")
        ...     url = proxy.localhost + "/user/demo/lab"
    """

    localhost = f"http://localhost:{PORT}"
    """A secure context: it has WebCodecs, AudioWorklet and getUserMedia."""
    plain = f"http://{PLAIN_ADDRESS}:{PORT}"
    """The same server at an address that is no secure context."""

    def __init__(self, folder: Path, port: int) -> None:
        self.name = f"xnb-{secrets.token_hex(4)}"
        self._folder = folder
        self._port = port
        self._socket = folder / "proxy.sock"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Proxy:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _start(self) -> None:
        _ip("netns", "add", self.name)
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "address", "add", f"{PLAIN_ADDRESS}/32", "dev", "lo")
        outside = f"listen unix:{self._socket};"
        self._nginx("outside", outside, f"http://127.0.0.1:{self._port}")
        inside = f"listen 127.0.0.1:{PORT}; listen {PLAIN_ADDRESS}:{PORT};"
        self._nginx("inside", inside, f"http://unix:{self._socket}:", *self._within)
        deadline_s = time.monotonic() + START_LIMIT_S
        while not (self._folder / "inside.pid").exists() or not self._answers():
            if time.monotonic() > deadline_s or any(one.poll() for one in self._processes):
                logs = [path.read_text()[-1000:] for path in self._folder.glob("*side.log")]
                raise AssertionError(f"nginx did not start within {START_LIMIT_S:g} s: {logs}")
            time.sleep(0.05)

    @property
    def _within(self) -> list[str]:
        return [_program("ip") or "ip", "netns", "exec", self.name]

    def _nginx(self, name: str, listen: str, target: str, *before: str) -> None:
        text = _PROXY.format(folder=self._folder, name=name, listen=listen, target=target)
        file = self._folder / f"{name}.conf"
        file.write_text(text)
        log = str(self._folder / f"{name}.log")
        command = [*before, _program("nginx") or "nginx", "-e", log, "-c", str(file)]
        self._processes.append(
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(2)
            try:
                one.connect(str(self._socket))
            except OSError:
                return False
        return True

    def command(self, program: str) -> str:
        """A program that runs ``program`` in the namespace, with the arguments it gets."""
        file = self._folder / f"{Path(program).name}-in-{self.name}"
        file.write_text(f'#!/bin/sh\nexec {" ".join(self._within)} {program} "$@"\n')
        file.chmod(0o755)
        return str(file)

    def close(self) -> None:
        """Stop nginx and remove the namespace. May be called again."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        known = subprocess.run(
            [_program("ip") or "ip", "netns", "list"], capture_output=True, timeout=10, check=False
        ).stdout.decode()
        if self.name in known.split():
            _ip("netns", "delete", self.name)
