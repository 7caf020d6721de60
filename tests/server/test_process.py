"""The server as a process: child of a kernel, and ``xnb serve`` in the foreground."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from .conftest import QUERY, TOKEN

ROOT = Path(__file__).parents[2]
SERVE = [sys.executable, "-c", "import sys; from xnb.server.run import main; sys.exit(main())"]
ENV = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def start(*args, **more):
    return subprocess.Popen(
        [*SERVE, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
        text=True,
        **more,
    )


def line_of(process, within_s=10.0):
    """One line of stdout; unbuffered, so that select() tells the truth."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], within_s)
        assert ready, f"nothing more was printed in time after {line!r}"
        byte = os.read(process.stdout.fileno(), 1)
        assert byte, f"it ended after {line!r}"
        line += byte
    return line.decode()


def start_child(*args):
    process = start("--child", *args)
    process.stdin.write(json.dumps({"token": TOKEN}) + "\n")
    process.stdin.flush()
    return process, json.loads(line_of(process))


def get(url, headers=()):
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=5) as r:
        return json.loads(r.read())


def until_gone(pid, within_s):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def processes():
    started = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=5)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()


def test_child_serves_with_the_token_from_stdin_and_ends_with_it(processes):
    process, told = start_child("--gate", "ann")
    processes.append(process)
    assert told["pid"] == process.pid
    base = f"http://127.0.0.1:{told['port']}"
    assert get(base + "/health")["ok"] is True
    reply = get(base + QUERY, {"authorization": f"Bearer {TOKEN}", "x-xnb-user": "ann"})
    assert reply["data"]["authenticate_periscope"].count(".") == 2
    # The token is nowhere where other users of the machine could see it.
    shown = psutil.Process(process.pid)
    assert TOKEN not in " ".join(shown.cmdline())
    assert TOKEN not in str(shown.environ())
    # Interrupting a cell interrupts the process group; the server is not meant.
    process.send_signal(signal.SIGINT)
    assert get(base + "/health")["ok"] is True
    began = time.monotonic()
    process.stdin.close()
    assert process.wait(timeout=5) == 0
    assert time.monotonic() - began < 1.0
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""


@pytest.mark.parametrize("worker", [False, True], ids=["alone", "with a forked worker"])
def test_child_ends_when_its_parent_is_killed(processes, worker):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                f"""
                import os, subprocess, sys, time
                child = subprocess.Popen(
                    {[*SERVE, "--child"]!r}, stdin=subprocess.PIPE, stdout=sys.stdout
                )
                child.stdin.write(b'{{"token": "{TOKEN}"}}\\n')
                child.stdin.flush()
                if {worker} and os.fork() == 0:
                    time.sleep(5)  # holds the pipe, and outlives its parent
                    os._exit(0)
                time.sleep(60)
                """
            ),
        ],
        stdout=subprocess.PIPE,
        env=ENV,
        text=True,
    )
    processes.append(parent)
    child = json.loads(line_of(parent))["pid"]
    assert child != parent.pid
    parent.kill()
    assert until_gone(child, 1.5)


def test_child_ends_in_time_with_calls_and_polls_open(processes):
    process, told = start_child()
    processes.append(process)
    script = textwrap.dedent(
        f"""
        import asyncio, sys, time
        import aiohttp
        from tests.server.conftest import Raw
        from tests.server.test_bots import Phone
        async def main():
            async with aiohttp.ClientSession() as http:
                ann = Phone(await Raw("http://127.0.0.1:{told["port"]}", http, "ann").login())
                await ann.call("testcard", video=True)
                await ann.offer(video=True)
                print("connected", flush=True)
                await asyncio.sleep(60)
        asyncio.run(main())
        """
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=ENV, cwd=ROOT, text=True
    )
    processes.append(caller)
    assert line_of(caller, 20) == "connected\n"
    began = time.monotonic()
    process.stdin.close()
    assert process.wait(timeout=5) == 0
    assert time.monotonic() - began < 1.3
    caller.kill()


@pytest.mark.parametrize(
    "line", ["", "nonsense\n", '{"token": 5}\n', '{"token": "short"}\n', "[]\n"]
)
def test_child_without_a_token_says_so(processes, line):
    process = start("--child")
    processes.append(process)
    _, errors = process.communicate(line, timeout=15)
    assert process.returncode == 2
    assert "token" in errors
    assert "Traceback" not in errors


def told_by(process):
    """What the foreground server prints, as (url, token path, lines)."""
    lines = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(line_of(process))
    url = lines[0].split()[-1]
    exports = [text for text in lines if text.strip().startswith("export ")]
    script = "".join(exports) + 'printf "%s\\n%s" "$XNB_SERVER" "$XNB_SERVER_TOKEN"'
    server, token = subprocess.check_output(["sh", "-c", script], text=True).split("\n")
    path = Path(lines[1].removeprefix("The token is in ").strip())
    assert server == url
    assert token == path.read_text().strip()
    return url, path, lines


def test_foreground_tells_where_the_token_is_and_stops_on_ctrl_c(processes):
    process = start()
    processes.append(process)
    url, path, lines = told_by(process)
    token = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(token) >= 32
    assert token not in "".join(lines)
    reply = get(url + QUERY, {"authorization": f"Bearer {token}", "x-xnb-user": "ann"})
    assert reply["data"]["authenticate_periscope"]
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=5)
    assert process.returncode == 0
    assert "Stopping" in out
    assert errors == ""
    assert not path.exists()
    assert not path.parent.exists()


def test_foreground_with_a_token_file_and_a_port(processes, tmp_path):
    path = tmp_path / "token"
    first = start("--token-file", str(path))
    processes.append(first)
    url, told, _ = told_by(first)
    assert told == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    port = url.rpartition(":")[2]

    second = start("--token-file", str(path), "--port", port)
    processes.append(second)
    out, _ = second.communicate(timeout=15)
    assert second.returncode == 1
    assert f"port {port}" in out
    assert "--port" in out

    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=5)
    assert path.read_text().strip() == token  # a file the user named is kept
    third = start("--token-file", str(path), "--port", port)
    processes.append(third)
    assert told_by(third)[0] == url


@pytest.mark.parametrize(
    ("args", "text", "mode", "says"),
    [
        (["--token-file"], "x" * 40, 0o644, "chmod 600"),
        (["--token-file"], "hushhush", 0o600, "too short"),
        (["--token-file"], "", 0o600, "empty"),
        (["--turn", "turn:127.0.0.1"], None, 0, "--turn-secret-file"),
        (["--turn", "http://127.0.0.1", "--turn-secret-file"], "x" * 40, 0o600, "turn:HOST"),
        (["--port", "99999"], None, 0, "port"),
        (["--ring-limit", "0"], None, 0, "ring-limit"),
        (["--token-file", "/nowhere/at/all"], None, 0, "folder"),
        (["--recordings", "/proc/none"], None, 0, "--recordings"),
    ],
)
def test_unusable_settings_are_named(args, text, mode, says, tmp_path, capsys):
    from xnb.server.run import main

    if text is not None:
        path = tmp_path / "secret"
        path.write_text(text)
        path.chmod(mode)
        args = [*args, str(path)]
    assert main(args) == 2
    out = capsys.readouterr().out
    assert says in out
    assert text is None or not text or text not in out


ALONE = """
import asyncio, fcntl, socket, struct
with socket.socket() as s:
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
import aiohttp
from tests.server import test_bots
from tests.server.conftest import TOKEN, Raw
from xnb.server.app import serving
from xnb.settings import IceSettings
test_bots.ICE = IceSettings()
async def main():
    async with aiohttp.ClientSession() as http, serving(TOKEN) as base:
        ann = test_bots.Phone(await Raw(base, http, "ann").login())
        await ann.call("testcard")
        await ann.offer()
        await ann.until(lambda: ann.heard_s() > 1.0)
        await ann.hang_up()
        print(round(ann.loudest_hz(0.8)))
asyncio.run(main())
"""


def test_a_bot_can_be_called_when_only_the_loopback_interface_is_up():
    alone = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("needs root and 'unshare' (Debian: util-linux) for a network of its own")
    done = subprocess.run(
        [*alone, sys.executable, "-c", ALONE],
        env=ENV,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.stdout.strip() in ("439", "440", "441"), done.stderr[-2000:]
