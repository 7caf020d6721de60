"""After 20 calls everything is back to what it was, here and in the server."""

from __future__ import annotations

import asyncio

import pytest
from leftovers import counts, settled


async def one_call(client, tmp_path, number: int) -> None:
    call = await client.call("testcard", video=True)
    await call.until("connected", timeout_s=15)
    recording = call.record(tmp_path / f"{number}.mkv")
    async for _frame in call.video.frames():
        break
    async for _chunk in call.audio.chunks():
        break
    await asyncio.sleep(0.15)
    await call.hangup()
    assert recording.is_finished


@pytest.mark.timeout(180)
async def test_twenty_calls_leave_nothing(clients, tmp_path):
    client = clients()
    for number in range(3):
        await one_call(client, tmp_path, number)
    await asyncio.sleep(1)
    baseline = counts()
    # Idle workers of the default executor and keep-alive connections may still come.
    slack = {"threads": 3, "files and sockets": 2, "files and sockets of the server": 2}
    slack["threads of the server"] = 4
    limits = {name: value + slack.get(name, 0) for name, value in baseline.items()}
    for number in range(20):
        await one_call(client, tmp_path, number)
    now = await settled(limits)
    grown = {name: (baseline[name], now[name]) for name in now if now[name] > limits[name]}
    assert not grown
    assert client.calls == ()
