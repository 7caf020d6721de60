"""The embedded server's process: starts anywhere, never outlives us, explains itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from xnb.errors import SettingsError, Unreachable
from xnb.launch import EmbeddedServer, ServerAddress, embedded_server, server_from_environment

CHILD = """
import json, os, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
token = json.loads(sys.stdin.readline())["token"]
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.headers.get("authorization") == "Bearer " + token
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(os.environ.get("MARK", "").encode())
    def log_message(self, *args):
        pass
server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_address[1], "pid": os.getpid()}), flush=True)
sys.stdin.read()
"""
Make = Callable[..., EmbeddedServer]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[EmbeddedServer] = []

    def server(script: str = CHILD, **options: float) -> EmbeddedServer:
        made.append(EmbeddedServer([sys.executable, "-c", script], **options))
        return made[-1]

    yield server
    for each in made:
        each.close()


def gone(pid: int, within_s: float = 3.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def ask(address: ServerAddress) -> str:
    request = urllib.request.Request(
        address.url, headers={"authorization": f"Bearer {address.token}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=5) as reply:
        return str(reply.read().decode())


def test_begin_does_not_wait_for_it(make: Make) -> None:
    slow = make("import time\ntime.sleep(0.7)\n" + CHILD)
    before_s = time.monotonic()
    slow.begin()
    slow.begin()
    took_s = time.monotonic() - before_s
    pid = slow.pid
    assert pid is not None
    address = slow.start()
    assert took_s < 0.5 < time.monotonic() - before_s
    assert slow.pid == pid, "the one that was begun, and only one"
    assert ask(address) == ""
    slow.begin()
    assert slow.start() == address


def test_begin_while_another_thread_waits_for_it(make: Make) -> None:
    slow = make("import time\ntime.sleep(0.7)\n" + CHILD)
    found: list[ServerAddress] = []
    waiting = threading.Thread(target=lambda: found.append(slow.start()))
    waiting.start()
    while not slow.running:
        time.sleep(0.01)
    before_s = time.monotonic()
    slow.begin()
    assert time.monotonic() - before_s < 0.3
    waiting.join(10)
    assert slow.start() == found[0]


def test_what_went_wrong_after_begin_is_told_by_start(make: Make) -> None:
    broken = make("raise SystemExit('no room')")
    broken.begin()
    with pytest.raises(Unreachable, match=r"ended at once .*no room"):
        broken.start()
    EmbeddedServer([str(Path("/nowhere/python"))]).begin()


def test_a_server_that_was_only_begun_is_closed(make: Make) -> None:
    threads = threading.active_count()
    files = len(os.listdir("/proc/self/fd"))
    server = make()
    server.begin()
    pid = server.pid
    assert pid is not None
    server.close()
    assert gone(pid)
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


def test_start_use_and_close(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", "kept")
    threads = threading.active_count()
    files = len(os.listdir("/proc/self/fd"))
    server = make()
    assert not server.running
    address = server.start()
    assert ask(address) == "kept"
    assert server.start() == address
    assert (server.url, server.token) == (address.url, address.token)
    assert len(address.token) >= 32
    pid = server.pid
    assert pid is not None
    assert address.token not in Path(f"/proc/{pid}/cmdline").read_text()
    assert address.token not in Path(f"/proc/{pid}/environ").read_text()
    for shown in (repr(server), repr(address), str(address)):
        assert address.token not in shown
        assert address.url not in shown
    server.close()
    server.close()
    assert gone(pid)
    assert not server.running
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_server_that_died_is_started_again(make: Make) -> None:
    server = make()
    first = server.start()
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 3
    while server.running:
        time.sleep(0.01)
        assert time.monotonic() < deadline
    second = server.start()
    assert second != first
    assert ask(second) == ""


def test_many_threads_start_one_server(make: Make) -> None:
    server = make()
    found: list[ServerAddress] = []
    threads = [threading.Thread(target=lambda: found.append(server.start())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 6
    assert len({address.token for address in found}) == 1


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("import sys; sys.exit(3)", "ended at once (exit status 3)"),
        ("import os; os.kill(os.getpid(), 9)", "ended at once (killed by SIGKILL)"),
        ("raise RuntimeError('port is taken')", "RuntimeError: port is taken"),
        ("import sys; sys.stdin.readline(); print('hello')", "something else"),
        ("import sys; sys.stdin.readline(); print('{\"port\": 0}')", "something else"),
        ("import sys; sys.stdin.readline(); print('[1]')", "something else"),
    ],
)
def test_a_child_that_fails_is_explained(make: Make, script: str, words: str) -> None:
    server = make(script)
    with pytest.raises(Unreachable, match="embedded server could not be started") as caught:
        server.start()
    assert words in str(caught.value)
    assert "xnb doctor" in str(caught.value)
    assert not server.running


def test_a_child_that_says_nothing_is_given_up(make: Make) -> None:
    server = make("import time; time.sleep(60)", start_limit_s=0.5)
    started = time.monotonic()
    with pytest.raises(Unreachable, match="did not say in time"):
        server.start()
    assert time.monotonic() - started < 3


def test_no_such_program() -> None:
    with pytest.raises(Unreachable, match="No such file"):
        EmbeddedServer(["/nonexistent/python"]).start()


def test_its_last_words_are_bounded_and_hold_no_token(make: Make) -> None:
    server = make(
        "import sys, json\n"
        "token = json.loads(sys.stdin.readline())['token']\n"
        "for n in range(5000): print('noise', n, 'x ' * 3000, file=sys.stderr)\n"
        "print('bad thing with', token, 'at 10.1.2.3:99', file=sys.stderr)\n"
    )
    with pytest.raises(Unreachable) as caught:
        server.start()
    assert "bad thing with … at …" in str(caught.value)
    assert len(str(caught.value)) < 2500


def test_a_stubborn_child_is_killed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xnb.launch._STOP_LIMIT_S", 0.3)
    server = make(
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('{\"port\": 1234}', flush=True)\ntime.sleep(60)"
    )
    server.start()
    pid = server.pid
    assert pid is not None
    server.close()
    assert gone(pid)


def test_output_of_a_chatty_child_never_blocks_it(make: Make) -> None:
    chatty = CHILD.replace(
        "sys.stdin.read()",
        "[print('y ' * 4000) for _ in range(300)]\n"
        "[print('z ' * 4000, file=sys.stderr) for _ in range(300)]\nsys.stdin.read()",
    )
    server = make(chatty)
    assert ask(server.start()) == ""
    deadline = time.monotonic() + 5
    while "z z" not in server.log and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "z z" in server.log


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(code: str) -> subprocess.Popen[str]:
        (tmp_path / "xnb.py").write_text("raise SystemExit('the wrong xnb')")
        (tmp_path / "signal.py").write_text("raise SystemExit('the wrong signal')")
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", textwrap.dedent(code)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.communicate(timeout=10)


REAL = """
import os, sys, time
from xnb.launch import embedded_server
server = embedded_server()
server.start()
print(server.pid, flush=True)
"""


def test_the_real_server_from_any_folder_ends_with_a_normal_exit(
    parent: Callable[[str], subprocess.Popen[str]],
) -> None:
    process = parent(REAL)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert gone(int(out))


def test_the_real_server_ends_when_its_parent_is_killed(
    parent: Callable[[str], subprocess.Popen[str]],
) -> None:
    process = parent(REAL + "time.sleep(60)")
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert not gone(pid, 0.1)
    process.kill()
    assert gone(pid)


def test_an_interrupt_of_the_parent_does_not_reach_it(
    parent: Callable[[str], subprocess.Popen[str]],
) -> None:
    process = parent(REAL + "print(os.getpgid(server.pid) != os.getpgid(0))")
    out, err = process.communicate(timeout=30)
    assert out.split()[1] == "True", err


def test_a_forked_copy_neither_uses_nor_stops_it(make: Make) -> None:
    server = make()
    address = server.start()
    pid = os.fork()
    if pid == 0:
        running = server.running
        server.close()
        os._exit(1 if running else 0)
    assert os.waitpid(pid, 0)[1] == 0
    assert server.running
    assert ask(address) == ""


def test_the_process_shares_one() -> None:
    assert embedded_server() is embedded_server()
    script = "from xnb.launch import embedded_server as server; print(server().running)"
    fresh = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert fresh.stdout.strip() == "False"


def test_a_server_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XNB_SERVER", raising=False)
    monkeypatch.delenv("XNB_SERVER_TOKEN", raising=False)
    assert server_from_environment() is None
    monkeypatch.setenv("XNB_SERVER", "http://127.0.0.1:5 ")
    with pytest.raises(SettingsError, match="XNB_SERVER_TOKEN is not set"):
        server_from_environment()
    monkeypatch.setenv("XNB_SERVER_TOKEN", "t")
    assert server_from_environment() == ServerAddress("http://127.0.0.1:5", "t")
    monkeypatch.delenv("XNB_SERVER")
    with pytest.raises(SettingsError, match="XNB_SERVER is not set"):
        server_from_environment()
