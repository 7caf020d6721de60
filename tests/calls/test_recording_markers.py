"""A recording knows what happened in its call meanwhile, and when."""

from __future__ import annotations

import asyncio

import pytest


async def test_muting_and_the_end_are_marked(clients, tmp_path):
    call = await clients().call("testcard", video=True)
    await call.until("connected")
    recording = call.record(tmp_path / "card.webm")
    async for _ in call.video.frames():
        break
    await asyncio.sleep(1.0)
    call.mute()
    muted_s = recording.elapsed_s
    await asyncio.sleep(0.7)
    call.unmute()
    await asyncio.sleep(0.5)
    await call.hangup()
    recorded = call.recordings[0]
    markers = [(time_s, text) for time_s, text in recorded.markers if text != "connected"]
    assert [text for _, text in markers] == ["you muted", "you unmuted", "you hung up"]
    times_s = [time_s for time_s, _ in markers]
    # The recording begins with the first frame that is kept, a moment after it was asked for.
    assert times_s[0] == pytest.approx(muted_s, abs=0.5)
    assert times_s[1] - times_s[0] == pytest.approx(0.7, abs=0.15)
    assert times_s[2] == pytest.approx(recorded.duration_s, abs=0.3)
