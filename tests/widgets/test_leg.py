"""Media to a page: a call's packets come out of the page's own connection, undecoded."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from recorded import shown

from xnb.live_recording import FileRecording
from xnb.loop import Runner
from xnb.widgets import page_legs
from xnb.widgets.browser_leg import BrowserLeg

from .fake_call import FakeCall
from .pages import World, decoder_threads, strongest_hz, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world = World(getattr(request, "param", "vp8"))
    await world.connect()
    yield world
    await world.close()


@pytest.mark.parametrize("world", ["vp8", "h264"], indirect=True)
async def test_the_far_ends_picture_and_tone_arrive_without_being_decoded(world: World) -> None:
    page = await world.page()
    await until(lambda: len(page.pictures) >= 15 and len(page.samples) >= 50)
    assert len(page.counters) >= 12
    assert page.counters == sorted(page.counters)
    assert strongest_hz(page.samples[20:50]) == pytest.approx(440, abs=5)
    assert decoder_threads() == []
    assert world.near.video_in.decoder is None
    assert world.near.audio_in.playout is None
    assert world.leg.connected_pages == 1


async def test_shown_in_pages_and_recorded_there_is_no_decoder(
    world: World, tmp_path: Path
) -> None:
    one, other = await world.page("one"), await world.page("two")
    await until(lambda: one.pictures and other.pictures)
    runner = Runner(asyncio.get_running_loop())
    recording = FileRecording(
        runner,
        tmp_path / "far.mkv",
        audio=True,
        video=True,
        call=world.call,
        on_stopped=lambda _: None,
    )
    recording._attach(world.near)
    for _ in range(20):
        await asyncio.sleep(0.1)
        assert decoder_threads() == []
    file = await recording.stop()
    assert file.duration_s > 1.5
    counters = [number for number, _ in shown(file) if number is not None]
    assert len(counters) > 30
    assert counters == sorted(counters)

    # The decoder is there exactly as long as somebody reads frames.
    seen: list[Any] = []
    handle = world.near.video_in.on_frame(lambda frame, _time_s: seen.append(frame))
    await until(lambda: seen)
    assert decoder_threads() == ["xnb-decode-vp8"]
    handle.close()
    await until(lambda: decoder_threads() == [])
    pictures = len(one.pictures)
    await until(lambda: len(one.pictures) > pictures + 5)


async def test_a_page_that_says_good_bye_leaves_nothing_behind(world: World) -> None:
    page = await world.page()
    await until(lambda: page.pictures)
    assert len(world.near.video_in._packet) == 1
    page.say("bye")
    await until(lambda: not world.leg._tasks)
    assert world.leg.pages == ()
    assert world.near.video_in._packet == []
    assert world.near.audio_in._packet == []


async def test_a_page_that_vanishes_is_noticed(world: World) -> None:
    page = await world.page()
    await until(lambda: page.pictures)
    await page.pc.close()
    await until(lambda: world.leg.pages == (), timeout_s=20)
    await until(lambda: page.lost)


async def test_the_oldest_of_too_many_pages_is_let_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_legs, "MAX_PAGES", 2)
    first = await world.page("one")
    await until(lambda: first.pictures)
    await world.page("two")
    await world.page("three")
    await until(lambda: world.leg.connected_pages == 2)
    assert world.leg.pages == ("two", "three")
    await until(lambda: first.lost)
    assert first.lost == ["More than 2 pages show this call."]
    assert first.told("lost")[-1]["final"] is True


async def test_an_offer_that_is_no_sdp_is_refused_without_quoting_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.leg._handle({"type": "offer", "page": "bad", "sdp": "v=0\r\nm=video hunter2\r\n"})
    await until(lambda: world.messages)
    content = world.messages[-1][0]
    assert content["type"] == "lost"
    assert "hunter2" not in str(content) + caplog.text
    assert world.leg.pages == ()


async def test_the_end_of_the_call_closes_every_leg(world: World) -> None:
    page = await world.page()
    await until(lambda: page.pictures)
    await world.leg.shut()
    assert world.leg.pages == ()
    assert world.near.video_in._packet == []
    assert world.near.audio_in._packet == []
    await world.leg.shut()


async def test_a_page_waits_while_there_are_no_media_and_is_told_when_they_come() -> None:
    leg = BrowserLeg()
    sent: list[Any] = []
    leg.send = lambda content, buffers=None: sent.append(content)
    call = FakeCall()
    leg.bind(call)
    leg._handle({"type": "offer", "page": "p", "sdp": "v=0"})
    await until(lambda: sent)
    why = "The call has no media yet."
    assert sent == [{"type": "wait", "page": "p", "path": "webrtc", "why": why}]
    leg.follow_call()
    assert len(sent) == 1
    call.peer = SimpleNamespace(
        video_out=SimpleNamespace(on_frame=lambda _: SimpleNamespace(close=lambda: None))
    )
    leg.follow_call()
    leg.follow_call()
    assert sent[1:] == [{"type": "ready"}], "once"
    call.peer = None
    leg._handle({"type": "open", "page": "p", "path": "comm"})
    await until(lambda: len(sent) > 2)
    assert sent[2]["type"] == "wait", "a connection that is gone answers nobody"


async def test_a_new_connection_of_the_call_makes_pages_come_again(world: World) -> None:
    page = await world.page()
    await until(lambda: page.pictures)
    world.call.peer = SimpleNamespace(
        video_out=SimpleNamespace(on_frame=lambda _: SimpleNamespace(close=lambda: None))
    )
    world.leg.follow_call()
    await until(lambda: page.lost)
    assert page.lost == ["The call has a new connection."]
    assert world.leg.pages == ()
    world.leg.follow_call()
    await asyncio.sleep(0)
    assert len(page.told("lost")) == 1
