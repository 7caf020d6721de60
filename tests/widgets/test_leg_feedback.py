"""What a page says about what it gets: keyframes, holes, limits; and a far leg with loss."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from .pages import EnginePage, Lossy, World, decoder_threads, strongest_hz, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.alone


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World("vp8")
    await world.connect()
    yield world
    await world.close()


async def playing(world: World, name: str = "page") -> EnginePage:
    """A page that shows the call, with no keyframe on its way."""
    page = await world.engine_page(name)
    await until(lambda: len(page.pictures) > 5 and page.samples)
    await asyncio.sleep(0.7)
    return page


async def test_a_page_that_needs_a_keyframe_gets_one_of_the_far_end(world: World) -> None:
    page = await playing(world)
    asked: list[float] = []
    world.far.video_out.on_keyframe_request = lambda: asked.append(1)
    frames: list[Any] = []
    page.peer.video_in.on_encoded(lambda frame, _time_s: frames.append(frame))
    await asyncio.sleep(0.8)
    asked.clear()
    frames.clear()
    page.peer.request_keyframe()
    await until(lambda: any(frame.is_keyframe for frame in frames))
    assert len(asked) == 1
    assert sum(frame.is_keyframe for frame in frames) == 1


async def test_many_pages_that_ask_make_few_keyframes(world: World) -> None:
    pages = [await playing(world, name) for name in ("one", "two", "three")]
    asked: list[float] = []
    world.far.video_out.on_keyframe_request = lambda: asked.append(1)
    for _ in range(20):
        for page in pages:
            page.peer.video_in.stream.request_keyframe()
        await asyncio.sleep(0.05)
    assert 1 <= len(asked) <= 5, "one for each 0.3 s at most"


async def test_what_a_page_missed_comes_from_the_legs_own_history(world: World) -> None:
    page = await playing(world)
    leg = world.leg_of(page)
    before = leg.video_out.stream.retransmitted
    start = len(page.counters)
    loss = Lossy(page.peer, 0.05)
    await until(lambda: loss.dropped >= 10)
    loss.share = 0.0
    await asyncio.sleep(0.5)
    assert leg.video_out.stream.retransmitted - before >= 3
    assert world.far.video_out.stream.retransmitted == 0
    assert page.peer.video_in.resyncs == 0
    counters = page.counters[start:]
    assert len(counters) > 30
    assert max(np.diff(counters)) <= 2, "no picture is missing on the page"


async def test_the_smallest_limit_of_all_pages_binds_the_far_end(world: World) -> None:
    one, other = await playing(world, "one"), await playing(world, "two")
    rate = world.far.video_out.stream
    one.peer.video_in.limit_bitrate("test", 900_000)
    other.peer.video_in.limit_bitrate("test", 300_000)
    await until(lambda: rate.remb_bps is not None and rate.remb_bps <= 300_000)
    assert rate.rate.target_bps <= 300_000
    await until(lambda: (world.far.video_bitrate_bps or 10**9) <= 330_000)

    other.say("bye")
    await until(lambda: 300_000 < rate.remb_bps <= 900_000)
    one.peer.video_in.limit_bitrate("test", None)
    one.say("bye")
    await until(lambda: world.near.video_in._limits == {})


@pytest.mark.parametrize("kind", ["engine", "aiortc"])
async def test_five_percent_lost_on_the_far_leg_and_the_picture_moves_on(
    world: World, kind: str
) -> None:
    page = await (playing(world) if kind == "engine" else world.page())
    await until(lambda: len(page.pictures) > 5 and page.samples)
    loss = Lossy(world.near, 0.05)
    start, heard = len(page.pictures), len(page.samples)
    pauses_s: list[float] = []
    loop = asyncio.get_running_loop()
    last_s, seen = loop.time(), start
    end_s = last_s + 5
    while loop.time() < end_s:
        await asyncio.sleep(0.01)
        if len(page.pictures) > seen:
            pauses_s.append(loop.time() - last_s)
            last_s, seen = loop.time(), len(page.pictures)
    assert loss.dropped > 0.02 * loss.passed
    assert seen - start > 100, "of 150 pictures"
    assert max(pauses_s) < 1.0
    counters = page.counters
    assert counters[-1] - counters[0] > 130
    assert decoder_threads() in ([], ["xnb-decode-vp8"]), "the page's own, at most"
    assert world.near.video_in.decoder is None
    assert strongest_hz(page.samples[heard:][-100:]) == pytest.approx(440, abs=8)
