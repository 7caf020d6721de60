"""A private Janus for tests: Debian's package, its own folder and ports, ended with the tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

START_S, STOP_S = 10.0, 5.0


def interface() -> str | None:
    """A network interface that Janus can gather candidates on: up, and not loopback."""
    for folder in sorted(Path("/sys/class/net").iterdir()):
        try:
            is_up = int((folder / "flags").read_text(), 16) & 1
            state = (folder / "operstate").read_text().strip()
        except OSError:
            continue
        if (
            folder.name != "lo"
            and is_up
            and state in ("up", "unknown")
            and _has_address(folder.name)
        ):
            return folder.name
    return None


def _has_address(name: str) -> bool:
    done = subprocess.run(
        ["ip", "-4", "-o", "addr", "show", "dev", name, "scope", "global"],
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    return "inet " in done.stdout


def why_not() -> str:
    """Why Janus cannot be started here; empty when it can."""
    if shutil.which("janus") is None:
        return "janus is not installed (apt-get install janus)"
    if shutil.which("ip") is None or interface() is None:
        return "Janus needs one non-loopback interface with an IPv4 address for ICE"
    return ""


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody has now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class RealJanus:
    """One Janus process.

    Args:
        folder: For its settings and log.
        api_secret: What every request needs.
        admin_key: What making rooms needs, if anything.
        session_timeout_s: Silence after which a session is over.
        reclaim_s: How long a session can be claimed.
        string_ids: Rooms and people have strings as ids.
    """

    def __init__(
        self,
        folder: Path,
        *,
        api_secret: str,
        admin_key: str | None = None,
        session_timeout_s: int = 20,
        reclaim_s: int = 30,
        string_ids: bool = False,
    ) -> None:
        self.folder = folder
        self.http_port, self.ws_port = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        library = next(
            path
            for path in (
                Path(f"/usr/lib/{os.uname().machine}-linux-gnu/janus"),
                Path("/usr/lib/janus"),
            )
            if path.is_dir()
        )
        kept = {"libjanus_videoroom.so", "libjanus_echotest.so"}
        kept |= {"libjanus_http.so", "libjanus_websockets.so"}
        unused = {
            kind: ",".join(
                sorted(one.name for one in (library / kind).glob("*.so") if one.name not in kept)
            )
            for kind in ("plugins", "transports")
        }
        folder.mkdir(parents=True, exist_ok=True)
        self._write(
            "janus.jcfg",
            f"""
            general: {{
                configs_folder = "{folder}"
                plugins_folder = "{library}/plugins"
                transports_folder = "{library}/transports"
                log_to_stdout = false
                log_to_file = "{folder}/janus.log"
                debug_level = 4
                session_timeout = {session_timeout_s}
                reclaim_session_timeout = {reclaim_s}
                api_secret = "{api_secret}"
            }}
            nat: {{ ice_enforce_list = "{interface()}" ignore_mdns = true }}
            media: {{ rtp_port_range = "30000-31999" }}
            plugins: {{ disable = "{unused["plugins"]}" }}
            transports: {{ disable = "{unused["transports"]}" }}
            loggers: {{ disable = "libjanus_jsonlog.so" }}
            events: {{ broadcast = false }}
            """,
        )
        self._write(
            "janus.transport.http.jcfg",
            f"""
            general: {{
                json = "compact" base_path = "/janus"
                http = true port = {self.http_port} ip = "127.0.0.1" https = false
            }}
            admin: {{ admin_http = false admin_https = false }}
            """,
        )
        self._write(
            "janus.transport.websockets.jcfg",
            f"""
            general: {{
                json = "compact"
                ws = true ws_port = {self.ws_port} ws_ip = "127.0.0.1" wss = false
            }}
            admin: {{ admin_ws = false admin_wss = false }}
            """,
        )
        key = "" if admin_key is None else f'admin_key = "{admin_key}"'
        ids = "string_ids = true" if string_ids else ""
        self._write("janus.plugin.videoroom.jcfg", f"general: {{ {key} {ids} }}")

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def start(self) -> None:
        """Run it until it answers."""
        with (self.folder / "stdout").open("wb") as out:
            self._process = subprocess.Popen(
                [
                    "janus",
                    "--config",
                    f"{self.folder}/janus.jcfg",
                    "--configs-folder",
                    str(self.folder),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end_s = time.monotonic() + START_S
        while True:
            assert self._process.poll() is None, self._log("Janus ended at its start")
            try:
                url = f"http://127.0.0.1:{self.http_port}/janus/info"
                with urllib.request.urlopen(url, timeout=1) as reply:
                    assert json.load(reply)["janus"] == "server_info"
                with socket.create_connection(("127.0.0.1", self.ws_port), 0.5):
                    return
            except OSError:
                assert time.monotonic() < end_s, self._log("Janus did not answer")
                time.sleep(0.02)

    def _log(self, words: str) -> str:
        log = self.folder / "janus.log"
        return f"{words}: {log.read_text()[-1000:] if log.exists() else 'no log'}"

    def stop(self, *, kill: bool = False) -> None:
        """End it. May be called again."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill() if kill else process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
