"""Media to a page: a call's packets come out of the page's own connection, undecoded."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from xnb.engine.peer import Peer
from xnb.media import synthetic
from xnb.media.clock import MonotonicClock
from xnb.media.testcard import read_counter
from xnb.settings import IceSettings, VideoCodec
from xnb.widgets import browser_leg
from xnb.widgets.browser_leg import BrowserLeg

from .fake_call import FakeCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# A keyframe begins with its tag, the start code and its size (RFC 6386 section 9.1).
KEY, DELTA = b"\x00\x00\x00\x9d\x01\x2a\x80\x02\xe0\x01 key", b"\x01delta"


class Page:
    """A page's side, as a browser does it: offers to receive and hides its addresses."""

    def __init__(self, leg: BrowserLeg, name: str = "page") -> None:
        self.name = name
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pictures: list[np.ndarray[Any, Any]] = []
        self.samples: list[np.ndarray[Any, Any]] = []
        self.lost: list[str] = []
        self._leg = leg
        self._tasks: list[asyncio.Task[None]] = []
        self.pc.on(
            "track", lambda track: self._tasks.append(asyncio.ensure_future(self._read(track)))
        )

    async def _read(self, track: Any) -> None:
        while True:
            frame = await track.recv()
            if track.kind == "video":
                self.pictures.append(frame.to_ndarray(format="rgb24"))
            else:
                self.samples.append(frame.to_ndarray())

    async def offer(self) -> None:
        self.pc.addTransceiver("audio", direction="recvonly")
        self.pc.addTransceiver("video", direction="recvonly")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        hidden = [
            line
            for line in self.pc.localDescription.sdp.splitlines()
            if not line.startswith(("a=candidate", "a=end-of-candidates"))
        ]
        sdp = "\r\n".join(hidden) + "\r\n"
        self._leg._handle({"type": "offer", "page": self.name, "sdp": sdp})

    async def hear(self, message: dict[str, Any]) -> None:
        if message.get("page") != self.name:
            return
        if message["type"] == "answer":
            await self.pc.setRemoteDescription(RTCSessionDescription(message["sdp"], "answer"))
        elif message["type"] == "lost":
            self.lost.append(message["why"])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pc.close()


class World:
    """A call between two engine peers, and the leg that shows it."""

    def __init__(self, codec: VideoCodec) -> None:
        ice = IceSettings(loopback=True)
        self.near = Peer(ice=ice, video_codec=codec, name="near")
        self.far = Peer(ice=ice, video_codec=codec, name="far")
        self.source = synthetic.testcard(640, 480, fps=30, audio="tone")
        self.call = FakeCall("far")
        self.call.peer = self.near
        self.leg = BrowserLeg()
        self.messages: list[tuple[dict[str, Any], Any]] = []
        self.pages: list[Page] = []
        self._hearing: set[asyncio.Task[None]] = set()
        self.leg.send = self._deliver

    def _deliver(self, content: dict[str, Any], buffers: Any = None) -> None:
        self.messages.append((content, buffers))
        for page in self.pages:
            task = asyncio.ensure_future(page.hear(content))
            self._hearing.add(task)
            task.add_done_callback(self._hearing.discard)

    async def connect(self) -> None:
        await self.near.apply_offer(await self.far.make_offer(video=True))
        await self.far.apply_answer(await self.near.make_answer())
        await asyncio.gather(self.near.wait_connected(), self.far.wait_connected())
        self.source.start(MonotonicClock())
        self.far.audio_out.play(self.source.audio)
        self.far.video_out.play(self.source.video)
        self.leg.bind(self.call)

    async def page(self, name: str = "page") -> Page:
        page = Page(self.leg, name)
        self.pages.append(page)
        await page.offer()
        return page

    async def close(self) -> None:
        await asyncio.gather(*(page.close() for page in self.pages))
        await self.leg.shut()
        self.source.close()
        await asyncio.gather(self.near.close(), self.far.close())


async def until(condition: Any, timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


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
    counters = [read_counter(picture) for picture in page.pictures]
    known = [counter for counter in counters if counter is not None]
    assert len(known) >= 12
    assert known == sorted(known)
    sound = np.concatenate([part.reshape(-1, 2)[:, 0] for part in page.samples[20:50]])
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    far_hz = float(np.argmax(spectrum)) * 48_000 / len(sound)
    assert far_hz == pytest.approx(440, abs=5)
    assert world.near.video_in._tap is not None
    assert not world.near.video_in._tap.decoding
    assert world.leg.connected_pages == 1


async def test_a_page_that_says_good_bye_leaves_nothing_behind(world: World) -> None:
    page = await world.page()
    await until(lambda: page.pictures)
    assert len(world.near.video_in._encoded) == 1
    world.leg._handle({"type": "bye", "page": "page"})
    await until(lambda: not world.leg._tasks)
    assert world.leg.pages == ()
    assert world.near.video_in._encoded == []
    assert world.near.audio_in._encoded == []


async def test_a_page_that_vanishes_is_noticed(world: World) -> None:
    page = await world.page()
    await until(lambda: page.pictures)
    await page.pc.close()
    await until(lambda: world.leg.pages == (), timeout_s=20)
    assert page.lost


async def test_the_oldest_of_too_many_pages_is_let_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_leg, "MAX_PAGES", 2)
    first = await world.page("one")
    await until(lambda: first.pictures)
    await world.page("two")
    await world.page("three")
    await until(lambda: world.leg.connected_pages == 2)
    assert world.leg.pages == ("two", "three")
    await until(lambda: first.lost)
    assert first.lost == ["More than 2 pages show this call."]
    last = [content for content, _ in world.messages if content.get("page") == "one"][-1]
    assert last["final"] is True


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
    assert world.near.video_in._encoded == []
    await world.leg.shut()


async def test_no_media_yet_is_told_to_the_page() -> None:
    leg = BrowserLeg()
    sent: list[Any] = []
    leg.send = lambda content, buffers=None: sent.append(content)
    call = FakeCall()
    leg.bind(call)
    leg._handle({"type": "offer", "page": "p", "sdp": "v=0"})
    await until(lambda: sent)
    assert sent == [{"type": "lost", "page": "p", "why": "The call has no media yet."}]


def video_track() -> tuple[PacketTrack, list[str]]:
    asked: list[str] = []
    return PacketTrack("video", lambda: asked.append("key")), asked


async def test_a_track_begins_with_a_keyframe() -> None:
    track, _ = video_track()
    track.feed("vp8", DELTA, 0)
    track.feed("vp8", KEY, 3000)
    track.feed("vp8", DELTA, 6000)
    packets = [await track.read(), await track.read()]
    assert [bytes(packet) for packet in packets] == [KEY, DELTA]  # type: ignore[arg-type]
    assert [float(packet.pts * packet.time_base) for packet in packets] == [  # type: ignore[operator]
        pytest.approx(1 / 30),
        pytest.approx(2 / 30),
    ]
    assert track.dropped == 1


async def test_a_page_that_does_not_keep_up_waits_for_the_next_keyframe() -> None:
    track, asked = video_track()
    track.feed("vp8", KEY, 0)
    for number in range(1, VIDEO_CAPACITY + 5):
        track.feed("vp8", DELTA, number * 3000)
    assert asked == ["key"]
    assert track.dropped == VIDEO_CAPACITY + 5
    track.feed("vp8", KEY, 200_000)
    packet = await track.read()
    assert bytes(packet) == KEY  # type: ignore[arg-type]
    assert track.fed == VIDEO_CAPACITY + 1


async def test_sound_that_is_not_fetched_drops_the_oldest() -> None:
    track = PacketTrack("audio", lambda: None)
    for number in range(AUDIO_CAPACITY + 3):
        track.feed("opus", bytes([number]), number * 960)
    assert track.dropped == 3
    assert bytes(await track.read()) == bytes([3])  # type: ignore[arg-type]


async def test_a_closed_track_ends_its_reader() -> None:
    track, _ = video_track()
    reading = asyncio.ensure_future(track.read())
    await asyncio.sleep(0)
    track.close()
    track.close()
    with pytest.raises(EndOfMedia):
        await reading
    track.feed("vp8", KEY, 0)
    with pytest.raises(EndOfMedia):
        await track.read()


async def test_a_new_connection_of_the_call_makes_pages_come_again() -> None:
    leg = BrowserLeg()
    call = FakeCall()

    def outgoing() -> Any:
        return SimpleNamespace(on_frame=lambda _: SimpleNamespace(close=lambda: None))

    call.peer = SimpleNamespace(video_out=outgoing())
    leg.bind(call)
    first = leg._peer
    leg.follow_peer()
    assert leg._peer is first
    call.peer = SimpleNamespace(video_out=outgoing())
    leg.follow_peer()
    assert leg._peer is call.peer
