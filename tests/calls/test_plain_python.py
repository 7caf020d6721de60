"""Without await: thread mode, plain scripts, and two processes that call each other."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import xnb
from xnb.launch import embedded_server


def run(script: str, timeout_s: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **environment},
        check=False,
    )


def test_blocking_twins_in_a_plain_script(tmp_path):
    result = run(
        f"""
        import numpy as np, threading, xnb
        with xnb.Client("script") as client:
            call = client.call_now("testcard", video=True)
            call.wait("connected", timeout_s=10)
            recording = call.record({str(tmp_path / "a.webm")!r})
            for frame in call.video.frames():
                print("picture", frame.image.shape)
                break
            for number, chunk in enumerate(call.audio.chunks()):
                if number == 25:
                    print("sound", chunk.samples.shape)
                    break
            playback = call.send_audio(np.zeros(16000 // 2), sample_rate_hz=16000)
            playback.done.wait(timeout_s=5)
            [finished] = recording.stop().wait(timeout_s=20)
            print("recorded", finished.has_audio, finished.has_video)
            call.hangup_now()
            print(call.state, call.end_reason)
        print([t.name for t in threading.enumerate() if t.name == "xnb-engine"])
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "picture (480, 640, 3)",
        "sound (960, 2)",
        "recorded True True",
        "ended hangup",
        "[]",
    ]


def test_a_script_that_just_ends_finishes_its_recording_and_its_server(tmp_path):
    path = tmp_path / "left.mp4"
    result = run(
        f"""
        import time, xnb
        from xnb.launch import embedded_server
        client = xnb.Client("careless")
        call = client.call_now("testcard", video=True)
        call.wait("connected", timeout_s=10)
        call.record({str(path)!r})
        time.sleep(2.0)
        print(embedded_server().pid)
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    recording = xnb.Recording(path)
    assert recording.has_audio
    assert recording.has_video
    assert 1.0 < recording.duration_s < 2.6
    with pytest.raises(ProcessLookupError):
        os.kill(int(result.stdout), 0)


def test_two_processes_call_each_other():
    server = embedded_server().start()
    environment = {"XNB_SERVER": server.url, "XNB_SERVER_TOKEN": server.token}
    callee = """
        import numpy as np, xnb
        with xnb.Client("callee-process") as client:
            client.connect_now()
            for incoming in client.incoming():
                call = incoming.accept_now(source=xnb.tone(880))
                call.wait("ended", timeout_s=30)
                print(incoming.caller.handle, call.end_reason)
                break
    """
    caller = """
        import time, numpy as np, xnb
        with xnb.Client("caller-process") as client:
            for attempt in range(100):
                try:
                    call = client.call_now("callee-process")
                    break
                except xnb.UnknownUser:
                    time.sleep(0.1)
            call.wait("connected", timeout_s=15)
            pieces = []
            for chunk in call.audio.chunks():
                pieces.append(chunk.samples[:, 0])
                if len(pieces) == 70:
                    break
            x = np.concatenate(pieces[20:])
            print(round(np.abs(np.fft.rfft(x)).argmax() * 48000 / len(x)))
            call.hangup_now()
    """
    results = {}
    threads = [
        threading.Thread(target=lambda n=n, s=s: results.update({n: run(s, **environment)}))
        for n, s in (("callee", callee), ("caller", caller))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results["caller"].returncode == 0, results["caller"].stderr
    assert results["callee"].returncode == 0, results["callee"].stderr
    assert abs(int(results["caller"].stdout) - 880) <= 2
    assert results["callee"].stdout.split() == ["caller-process", "remote_hangup"]


async def test_blocking_on_the_engine_loop_says_what_to_do(clients):
    client = clients()
    with pytest.raises(xnb.LoopError, match=r"await call\(\.\.\.\).*loop='thread'"):
        client.call_now("echo")
    call = await client.call("echo")
    with pytest.raises(xnb.LoopError, match="await until"):
        call.wait("connected")
    playback = call.send_audio(np.zeros(48000))
    with pytest.raises(xnb.LoopError, match="Use await"):
        playback.done.wait()


async def test_allow_nested_wait_in_a_process_of_its_own():
    result = run(
        """
        import asyncio, xnb
        async def main():
            xnb.allow_nested_wait()
            client = xnb.Client("nested")
            call = client.call_now("echo")
            call.wait("connected", timeout_s=10)
            print(call.state)
            call.hangup_now()
            await client.close()
        asyncio.run(main())
        """
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "connected"


async def test_thread_mode_survives_a_blocked_caller(clients):
    import asyncio
    import time

    client = clients(loop="thread")
    call = await client.call("testcard")
    await call.until("connected")
    stream = call.audio.chunks(buffer=200)
    await asyncio.sleep(0.2)
    time.sleep(2.0)
    times = []
    async for chunk in stream:
        times.append(chunk.time_s)
        if len(times) == 90:
            break
    assert max(np.diff(times)) < 0.1
    assert call.state == "connected"


async def test_the_far_end_is_told_when_a_program_just_ends(clients):
    import asyncio

    bob = clients()
    await bob.connect()
    ringing = bob.incoming()
    server = embedded_server().start()
    script = f"""
        import time, xnb
        call = xnb.Client("leaver").call_now({bob.handle!r})
        call.wait("connected", timeout_s=10)
        time.sleep(1)
        """
    environment = {"XNB_SERVER": server.url, "XNB_SERVER_TOKEN": server.token}
    ending = asyncio.ensure_future(asyncio.to_thread(run, script, **environment))
    answered = await (await asyncio.wait_for(anext(ringing), 15)).accept()
    ended = await answered.until("ended", timeout_s=20)
    assert ended.reason == "remote_hangup"
    result = await ending
    assert (result.returncode, result.stderr) == (0, "")
