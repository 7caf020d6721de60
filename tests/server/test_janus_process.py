"""A private Janus: started safely, stopped cleanly, gone with us."""

from __future__ import annotations

import asyncio
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

import psutil
import pytest

from xnb.errors import SettingsError, SfuError
from xnb.server.janus.process import JanusProcess, JanusSettings, usable_address
from xnb.server.janus.tokens import Tokens

from .janus_rig import rigged
from .test_process import ENV, ROOT, line_of, start, until_gone

VIDEOROOM = "janus.plugin.videoroom"


def needs_janus():
    if shutil.which("janus") is None:
        pytest.skip("janus is not installed (apt-get install janus)")
    try:
        usable_address()
    except SfuError as error:
        pytest.skip(f"{error.message} {error.remedy}")


@pytest.fixture
async def janus():
    needs_janus()
    process = JanusProcess()
    yield process
    await process.stop()


async def test_it_starts_quickly_leaves_no_secret_behind_and_stops(janus):
    before = set(glob.glob(f"{tempfile.gettempdir()}/xnb-janus-*"))
    endpoint = await janus.start()
    assert janus.start_s < 5
    assert janus.is_running
    assert await janus.start() == endpoint  # again: the same one
    secrets = [endpoint.api_secret, endpoint.admin_key, endpoint.token_secret]
    assert all(secrets)
    pid = janus.pid
    shown = psutil.Process(pid)
    assert shown.name() == "janus"
    for secret in secrets:
        assert secret not in " ".join(shown.cmdline())
        assert secret not in str(shown.environ())
        assert secret not in repr(janus) + repr(endpoint) + "".join(janus.log)
    # Its configuration is gone, and it listens on loopback only.
    assert set(glob.glob(f"{tempfile.gettempdir()}/xnb-janus-*")) <= before
    listening = [c for c in shown.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2
    assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
    began = time.monotonic()
    await janus.stop()
    assert time.monotonic() - began < 3
    assert not psutil.pid_exists(pid)
    await janus.stop()
    assert not janus.is_running


async def test_our_tokens_and_secrets_let_in_and_nothing_else_does(janus):
    endpoint = await janus.start()
    token = Tokens(endpoint.token_secret).sign([VIDEOROOM], ttl_s=60)
    late = Tokens(endpoint.token_secret).sign([VIDEOROOM], ttl_s=-60)
    async with rigged() as rig:
        ws = await rig.ws(endpoint.url)
        for bad in ({}, {"token": late}, {"token": "x"}, {"apisecret": endpoint.admin_key}):
            assert (await ws.ask("create", **bad))["error"]["code"] == 403
        session = (await ws.ask("create", token=token))["data"]["id"]
        at = {"session_id": session, "token": token}
        refused = await ws.ask("attach", plugin="janus.plugin.echotest", **at)
        assert refused["error"]["code"] == 405
        handle = (await ws.ask("attach", plugin=VIDEOROOM, **at))["data"]["id"]
        make = {"request": "create", "room": "text", "videocodec": "vp8,h264"}
        ask = {"handle_id": handle, **at}
        # A client cannot make rooms: that takes the admin key.
        for code, key in ((429, {}), (433, {"admin_key": "wrong"})):
            made = await ws.ask("message", body=make | key, **ask)
            assert made["plugindata"]["data"]["error_code"] == code
        make |= {"admin_key": endpoint.admin_key}
        made = await ws.ask("message", body=make, **ask)
        assert made["plugindata"]["data"]["room"] == "text"
        info = await ws.ask("info")
        assert info["session-timeout"] == 60
        assert info["reclaim-session-timeout"] == 30
        assert info["plugins"].keys() == {VIDEOROOM, "janus.plugin.echotest"}
    await janus.stop()
    said = "".join(janus.log)
    assert "janus.plugin.echotest" in said  # it tells of the refused token, which is not shown
    assert token not in said
    assert token.partition(":")[2] not in said


async def test_a_janus_that_hangs_is_killed(janus, monkeypatch):
    monkeypatch.setattr("xnb.server.janus.process._TERM_S", 0.4)
    await janus.start()
    pid = janus.pid
    os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    await janus.stop()
    assert 0.3 < time.monotonic() - began < 3
    assert not psutil.pid_exists(pid)


async def test_a_crash_at_the_start_is_tried_again(janus, tmp_path):
    flaky = tmp_path / "janus"
    flaky.write_text(f'#!/bin/sh\n[ -e {tmp_path}/second ] && exec janus "$@"\n')
    with flaky.open("a") as file:
        file.write(f"touch {tmp_path}/second\nkill -SEGV $$\n")
    flaky.chmod(0o700)
    janus.settings = JanusSettings(program=str(flaky))
    await janus.start()
    assert (tmp_path / "second").exists()
    assert janus.is_running


@pytest.mark.parametrize("which", [0, 1], ids=["http", "websocket"])
async def test_a_port_that_somebody_took_meanwhile_is_left_to_them(janus, monkeypatch, which):
    from xnb.server.janus import process

    find, tries = process._free_ports, []

    def find_a_taken_one(count):
        tries.append(find(count))
        return [taken, tries[0][1]][:: 1 - 2 * which] if len(tries) == 1 else tries[-1]

    monkeypatch.setattr(process, "_free_ports", find_a_taken_one)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        endpoint = await janus.start()
    assert len(tries) == 2
    assert str(taken) not in endpoint.url + janus.http_url


async def test_it_ends_when_we_are_killed():
    needs_janus()
    script = textwrap.dedent(
        """
        import asyncio
        from xnb.server.janus.process import JanusProcess
        async def main():
            janus = JanusProcess()
            await janus.start()
            print(janus.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=ENV, text=True
    )
    try:
        pid = int(line_of(parent))
        assert psutil.Process(pid).name() == "janus"
    finally:
        parent.kill()
        parent.wait(timeout=5)
        parent.stdout.close()
    assert until_gone(pid, 2)


async def test_a_janus_that_is_missing_or_broken_is_named(tmp_path):
    with pytest.raises(SfuError, match="apt-get install janus"):
        await JanusProcess(JanusSettings(program="janus-of-nobody")).start()
    with pytest.raises(SettingsError, match="range"):
        JanusSettings(rtp_ports=(9, 8))
    needs_janus()
    broken = tmp_path / "janus"
    broken.write_text("#!/bin/sh\necho '[ERR] out of luck'; exit 3\n")
    broken.chmod(0o700)
    process = JanusProcess(JanusSettings(program=str(broken)))
    with pytest.raises(SfuError, match=r"exit status 3.*out of luck"):
        await process.start()
    assert not process.is_running
    assert process.endpoint is None


def test_without_an_interface_it_says_what_to_do():
    needs_janus()
    alone = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("needs root and 'unshare' (Debian: util-linux) for a network of its own")
    done = subprocess.run(
        [*alone, sys.executable, "-m", "xnb", "serve", "--janus", "auto"],
        env=ENV,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "besides loopback" in done.stdout
    assert "ip link add" in done.stdout
    assert done.stderr == ""


def test_serve_runs_it_and_stops_it(tmp_path):
    needs_janus()
    path = tmp_path / "token"
    process = start("--janus", "auto", "--token-file", str(path))
    try:
        url = line_of(process).split()[-1]
        (child,) = psutil.Process(process.pid).children()
        assert child.name() == "janus"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=10)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate(timeout=5)
    assert url.startswith("http://127.0.0.1:")
    assert process.returncode == 0
    assert "Stopping" in out
    assert errors == ""
    assert until_gone(child.pid, 2)


def test_the_server_of_a_kernel_runs_it_too_when_the_environment_says_so():
    needs_janus()
    process = subprocess.Popen(
        [sys.executable, "-m", "xnb", "serve", "--child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV | {"XNB_JANUS": "auto"},
        text=True,
    )
    try:
        process.stdin.write(json.dumps({"token": "x" * 32}) + "\n")
        process.stdin.flush()
        assert json.loads(line_of(process))["pid"] == process.pid
        (child,) = psutil.Process(process.pid).children()
        assert child.name() == "janus"
    finally:
        process.kill()
        process.communicate(timeout=5)
    assert until_gone(child.pid, 2)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--janus", "ftp://x"], "--janus takes"),
        (["--janus", "ws://h:1", "--janus", "ws://h:1"], "twice"),
        (["--janus", "ws://h:1", "--janus-api-secret-file", "/nowhere"], "/nowhere"),
        (["--allow-origin", "calls.example"], "--allow-origin"),
        (["--allow-origin", "https://calls.example/page"], "--allow-origin"),
    ],
)
def test_unusable_settings_are_named(args, says, capsys):
    from xnb.server.run import main

    assert main(args) == 2
    assert says in capsys.readouterr().out


async def test_doctor_tries_it():
    needs_janus()
    from xnb.doctor import check_janus

    finding = await asyncio.to_thread(check_janus)
    assert finding.status == "ok"
    assert "answers after" in finding.detail
