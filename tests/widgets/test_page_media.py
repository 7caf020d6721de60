"""A page's camera and microphone on their way to the far end of a real call, undecoded."""

from __future__ import annotations

import asyncio
import uuid
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from aiortc import AudioStreamTrack, VideoStreamTrack
from recorded import shown

import xnb
from xnb.media.testcard import CardPainter, read_counter
from xnb.widgets.call_widget import widget_for

from .pages import Lossy, Page, decoder_threads, strongest_hz, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BLUE = np.full((240, 320, 3), (20, 20, 200), np.uint8)


class Camera(VideoStreamTrack):
    """Numbered test cards, as from a browser's camera."""

    def __init__(self) -> None:
        super().__init__()
        self.painter = CardPainter(640, 480, 30)
        self.number = 1000

    async def recv(self) -> av.VideoFrame:
        pts, time_base = await self.next_timestamp()
        self.number += 1
        frame = self.painter.draw(self.number)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Microphone(AudioStreamTrack):
    """A tone of 880 Hz."""

    at = 0

    async def recv(self) -> av.AudioFrame:
        frame = await super().recv()
        time_s = (self.at + np.arange(960)) / 48_000
        self.at += 960
        tone = (8000 * np.sin(2 * np.pi * 880 * time_s)).astype(np.int16)
        made = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        made.sample_rate = 48_000
        made.pts, made.time_base = self.at - 960, Fraction(1, 48_000)
        assert frame.samples
        return made


class Devices(Page):
    """A page with a camera and a microphone."""

    def capture(self, *, camera: bool = True, microphone: bool = True) -> None:
        """Begin, go on with other devices, or stop; and say so."""
        for transceiver in self.pc.getTransceivers():
            wanted = camera if transceiver.kind == "video" else microphone
            track = Camera() if transceiver.kind == "video" else Microphone()
            transceiver.sender.replaceTrack(track if wanted else None)
        self.say("captured", camera=camera, microphone=microphone)


class World:
    """A call from ``me``, whose card is shown in a page, to a friend who looks and listens."""

    def __init__(self, name: str) -> None:
        self.me = xnb.Client(f"me-{name}")
        self.friend = xnb.Client(f"friend-{name}")
        self.pages: list[Devices] = []
        self.messages: list[dict[str, Any]] = []
        self.pictures: list[np.ndarray[Any, Any]] = []
        self.samples: list[np.ndarray[Any, Any]] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def connect(self, **options: Any) -> None:
        """Place the call and have the friend answer it."""
        accepted: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.friend.listen_for_calls(lambda incoming: self._spawn(self._accept(incoming, accepted)))
        await self.friend.connect()
        self.call = await self.me.call(self.friend.handle, video=True, **options)
        await self.call.until("connected", timeout_s=15)
        self.far = await accepted
        await self.far.until("connected", timeout_s=15)
        self.far.peer.video_in.on_frame(
            lambda frame, _s: self.pictures.append(frame.to_ndarray(format="rgb24"))
        )
        self.far.peer.audio_in.on_frame(lambda frame, _s: self.samples.append(frame.to_ndarray()))
        self.widget = widget_for(self.call)
        self.leg = self.widget.leg
        self.leg.send = self._deliver

    async def _accept(self, incoming: Any, accepted: asyncio.Future[Any]) -> None:
        accepted.set_result(await incoming.accept(video=True))

    def _spawn(self, coro: Any) -> None:
        task = asyncio.ensure_future(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _deliver(self, content: dict[str, Any], _buffers: Any = None) -> None:
        self.messages.append(content)
        for page in self.pages:
            self._spawn(page.hear(content))

    async def page(self, name: str = "page") -> Devices:
        """A page that is connected and in view."""
        page = Devices(self.leg, name)
        self.pages.append(page)
        page.say("visible", visible=True)
        await page.offer()
        await until(lambda: page.pc.connectionState == "connected")
        await until(lambda: self.leg._legs[name].connected)
        return page

    @property
    def sees_page(self) -> bool:
        """Whether the friend sees the page's camera now."""
        number = read_counter(self.pictures[-1]) if self.pictures else None
        return number is not None and number > 1000

    @property
    def sees_blue(self) -> bool:
        """Whether the friend sees the blue picture now."""
        if not self.pictures:
            return False
        red, green, blue = self.pictures[-1].mean(axis=(0, 1))
        return bool(blue > 150 and red < 60 and green < 60)

    async def heard_hz(self) -> float:
        """What the friend hears from now on, for 0.6 s."""
        start = len(self.samples) + 10
        await until(lambda: len(self.samples) >= start + 30)
        return strongest_hz(self.samples[start : start + 30])

    async def silent(self) -> bool:
        """Whether the friend hears nothing from now on, for 0.2 s."""
        await asyncio.sleep(0.3)
        start = len(self.samples)
        await asyncio.sleep(0.2)
        return all(np.abs(part).max() < 50 for part in self.samples[start:])

    async def close(self) -> None:
        """End everything."""
        await asyncio.gather(*(page.close() for page in self.pages))
        await asyncio.gather(self.me.close(), self.friend.close())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(uuid.uuid4().hex[:8])
    yield world
    await world.close()


def blue() -> Any:
    while True:
        yield BLUE


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_the_pages_camera_and_microphone_reach_the_far_end(world: World, codec: str) -> None:
    await world.connect(video_codec=codec)
    before = world.call.send_video(blue())
    page = await world.page()
    await until(lambda: world.sees_blue)
    page.capture()
    await until(lambda: world.sees_page)
    assert await world.heard_hz() == pytest.approx(880, abs=8)
    assert world.call.sending == "camera and microphone"
    near = world.call.peer
    assert near.video_out.link.source is world.leg._legs["page"].peer.video_in
    assert near.audio_out.link.source is world.leg._legs["page"].peer.audio_in
    # The friend decodes, in this same process; the page is aiortc's own.
    assert decoder_threads() == [f"xnb-decode-{codec}"]
    numbers = [read_counter(picture) for picture in world.pictures]
    start, numbers = numbers.index(1001) if 1001 in numbers else -1, [n or 0 for n in numbers]
    await until(lambda: len(world.pictures) > len(numbers) + 30)
    moving = [n for n in map(read_counter, world.pictures[-25:]) if n is not None]
    assert len(moving) >= 20
    assert moving == sorted(set(moving))
    assert start <= len(numbers)

    page.capture(camera=False, microphone=False)
    await until(lambda: world.sees_blue)
    assert await world.silent()
    assert not before.done.is_done
    assert world.call.sending == before.name
    assert page.told("release") == []


async def test_as_the_source_of_a_call_it_waits_for_a_page(world: World) -> None:
    await world.connect(source=xnb.page_media())
    await until(lambda: world.pictures)
    assert not world.sees_page, "the test card of the call, until a page gives something"
    (playback,) = world.call.playbacks
    page = await world.page()
    await until(lambda: page.told("capture"))
    assert page.told("capture") == [
        {
            "type": "capture",
            "page": "page",
            "request": 1,
            "wish": {"camera": True, "microphone": True, "screen": False},
        }
    ]
    page.capture()
    await until(lambda: world.sees_page)
    playback.stop()
    await until(lambda: page.told("release"))
    await until(lambda: not world.sees_page)
    assert world.call.peer.video_out.link is None
    await asyncio.sleep(0.2)
    assert len(page.told("capture")) == 1


async def test_a_second_page_takes_over_and_the_first_is_told(world: World) -> None:
    await world.connect()
    one, other = await world.page("one"), await world.page("two")
    one.capture()
    await until(lambda: world.sees_page)
    other.capture(microphone=False)
    await until(lambda: one.told("release"))
    near = world.call.peer
    source = world.leg._legs["two"].peer.video_in
    await until(lambda: near.video_out.link and near.video_out.link.source is source)
    assert near.audio_out.link is None
    assert world.call.sending == "camera"
    assert other.told("release") == []


async def test_a_page_that_goes_away_leaves_what_was_sent_before(world: World) -> None:
    await world.connect()
    world.call.send_video(blue())
    page = await world.page()
    page.capture()
    await until(lambda: world.sees_page)
    page.say("bye")
    await until(lambda: world.sees_blue)
    assert page.told("release") == []

    again = await world.page("again")
    again.capture()
    await until(lambda: world.sees_page)
    await again.pc.close()  # without a word
    await until(lambda: world.sees_blue, timeout_s=20)


async def test_a_page_that_is_refused_says_why(world: World) -> None:
    await world.connect(source=xnb.page_media())
    errors: list[Any] = []
    world.call.on("error", errors.append)
    (playback,) = world.call.playbacks
    page = await world.page()
    await until(lambda: page.told("capture"))
    page.say(
        "captured", refused={"cause": "This computer has no camera.", "remedy": "Connect one."}
    )
    with pytest.raises(xnb.MediaError, match=r"no camera.*Connect one"):
        await playback.done
    assert [str(event.error) for event in errors] == ["This computer has no camera. Connect one."]
    assert world.widget.notice == "This computer has no camera."
    assert world.call.playbacks == ()
    page.capture(camera=False)
    await until(lambda: world.call.sending == "microphone")
    assert world.widget.notice == ""
    assert await world.heard_hz() == pytest.approx(880, abs=8)


async def test_mute_and_camera_off_stop_it_at_once(world: World) -> None:
    await world.connect()
    page = await world.page()
    page.capture()
    await until(lambda: world.sees_page)
    out = world.call.peer.video_out.stream
    world.call.camera_off()
    world.call.mute()
    await asyncio.sleep(0.05)
    sent, heard = out.packets, world.call.peer.audio_out.stream.packets
    await asyncio.sleep(0.4)
    assert out.packets == sent
    assert world.call.peer.audio_out.stream.packets == heard
    shown = len(world.pictures)
    world.call.camera_on()
    world.call.unmute()
    await until(lambda: len(world.pictures) > shown + 5)
    assert world.sees_page
    assert await world.heard_hz() == pytest.approx(880, abs=8)


async def test_what_the_far_end_says_reaches_the_pages_encoder(world: World) -> None:
    settings = xnb.VideoSettings(max_bitrate_bps=700_000, start_bitrate_bps=500_000, max_fps=20)
    await world.connect(video_settings=settings)
    page = await world.page()
    answer = page.told("answer")[0]
    assert (answer["max_fps"], answer["max_height_px"]) == (20, 1080)
    page.capture()
    await until(lambda: world.sees_page)
    leg = world.leg._legs["page"].peer.video_in
    assert leg.stream._limit_bps == 700_000, "what this side may send"
    world.far.peer.video_in.limit_bitrate("test", 200_000)
    await until(lambda: leg.stream._limit_bps == 200_000)

    frames: list[Any] = []
    leg.on_encoded(lambda frame, _s: frames.append(frame))
    await until(lambda: len(frames) > 10)
    await asyncio.sleep(0.7)
    frames.clear()
    world.far.peer.request_keyframe()
    await until(lambda: any(frame.is_keyframe for frame in frames))


async def test_a_file_sent_meanwhile_takes_its_place(world: World) -> None:
    await world.connect()
    page = await world.page()
    page.capture()
    await until(lambda: world.sees_page)
    world.call.send_video(blue())
    await until(lambda: world.sees_blue)
    assert await world.heard_hz() == pytest.approx(880, abs=8), "the microphone goes on"
    world.call.send_audio(xnb.tone(300))
    await until(lambda: page.told("release"))
    assert await world.heard_hz() == pytest.approx(300, abs=8)


async def test_what_the_page_sends_can_be_recorded_as_this_side(
    world: World, tmp_path: Path
) -> None:
    await world.connect()
    page = await world.page()
    page.capture()
    await until(lambda: world.sees_page)
    recording = world.call.record(tmp_path / "mine.mkv", sides="local")
    await asyncio.sleep(2)
    (file,) = await recording.stop()
    numbers = [number for number, _ in shown(file) if number is not None]
    assert len(numbers) > 30
    assert numbers == sorted(numbers)
    assert numbers[0] > 1000
    assert strongest_hz([(file.audio()[24_000:72_000, :1].repeat(2, 1))]) == pytest.approx(
        880, abs=8
    )


async def test_loss_between_page_and_kernel_is_asked_for_again(world: World) -> None:
    await world.connect()
    page = await world.page()
    page.capture()
    await until(lambda: world.sees_page)
    leg = world.leg._legs["page"].peer
    loss = Lossy(leg, 0.05)
    start = len(world.pictures)
    await asyncio.sleep(4)
    assert loss.dropped > 0.02 * loss.passed
    assert leg.video_in.stream.nack.recovered >= 3
    numbers = [n for n in map(read_counter, world.pictures[start:]) if n is not None]
    assert len(numbers) > 70, "of 120 pictures"
    assert numbers[-1] - numbers[0] > 90


def test_asking_for_nothing_is_refused() -> None:
    with pytest.raises(xnb.MediaError, match="Neither camera nor microphone"):
        xnb.page_media(camera=False, microphone=False)
    assert repr(xnb.page_media(camera=False)) == "<PageMedia microphone: nothing>"
