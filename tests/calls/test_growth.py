"""A call of half a minute leaves nothing behind; `tests.bench.growth` takes longer."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import numpy as np
import psutil
import pytest

from xnb.engine.peer import Peer
from xnb.media import synthetic
from xnb.media.frames import VideoFrame
from xnb.media.testcard import read_counter

pytestmark = pytest.mark.alone

MB = 1 << 20


def reading(peers: list[Peer]) -> dict[str, float]:
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "objects": len(gc.get_objects()),
        "rss": psutil.Process().memory_info().rss,
        "missing": sum(
            stream.nack.missing
            for peer in peers
            for stream in peer.streams.wire.inbound
            if stream.nack
        ),
    }


async def test_a_call_does_not_grow():
    a, b = Peer(), Peer()
    sources = [synthetic.testcard(audio="tone"), synthetic.testcard(audio="tone")]
    sent: dict[int, float] = {}
    for peer, source in zip((a, b), sources, strict=True):
        peer.audio_out.play(source.audio)
        peer.video_out.play(source.video)
    a.video_out.on_frame(
        lambda frame: sent.setdefault(read_counter(VideoFrame(frame, 0).image), time.monotonic())
    )
    await b.apply_offer(await a.make_offer(video=True))
    await a.apply_answer(await b.make_answer())
    await asyncio.gather(a.wait_connected(), b.wait_connected())
    delays: list[float] = []

    def seen(frame, _time_s) -> None:
        number = read_counter(VideoFrame(frame, 0).image)
        if number in sent:
            delays.append(time.monotonic() - sent.pop(number))

    b.video_in.on_frame(seen)
    b.audio_in.on_frame(lambda frame, time_s: None)
    await asyncio.sleep(8)
    early, early_delay = reading([a, b]), float(np.median(delays[-60:]))
    await asyncio.sleep(20)
    late, late_delay = reading([a, b]), float(np.median(delays[-60:]))
    try:
        assert late["tasks"] <= early["tasks"]
        assert late["threads"] <= early["threads"]
        assert late["objects"] < early["objects"] * 1.05 + 2000
        assert late["rss"] - early["rss"] < 16 * MB
        assert late["missing"] == 0
        assert late_delay < early_delay + 0.1
        assert b.audio_in.playout.delay_s < 0.2
    finally:
        await asyncio.gather(a.close(), b.close())
        for source in sources:
            source.close()
