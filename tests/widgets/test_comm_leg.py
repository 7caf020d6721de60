"""Media over the comm: what a page gets, what it may hold up, and what it sends itself."""

from __future__ import annotations

import asyncio
import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from xnb.engine.codecs import is_keyframe
from xnb.media.testcard import CardPainter, read_counter
from xnb.widgets.ack_window import GIVE_UP_S, MESSAGES_IN_FLIGHT, MIN_BITRATE_BPS, AckWindow
from xnb.widgets.frame_wire import WireFrame, pack, unpack

from .pages import World, decoder_threads, strongest_hz, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class CommPage:
    """A page without WebRTC: it keeps what comes, and acknowledges while it is awake."""

    def __init__(self, world: World, name: str = "page", path: str = "comm") -> None:
        self.name = name
        self.path = path
        self.frames: list[WireFrame] = []
        self.told: list[dict[str, Any]] = []
        self.messages = 0
        self.got = 0
        self.is_awake = True
        self._leg = world.leg
        self._last = 0
        self._sent = 0
        send = world.leg.send
        world.leg.send = lambda content, buffers=None: (
            send(content, buffers),
            self.hear(content, buffers),
        )

    def say(self, kind: str, buffers: Any = (), **content: Any) -> None:
        """Send a message to the kernel."""
        self._leg._handle({"type": kind, "page": self.name, **content}, buffers)

    def open(self) -> None:
        """Come into view and ask for the call's media."""
        self.say("visible", visible=True)
        self.say("open", path=self.path)

    def hear(self, content: dict[str, Any], buffers: Any) -> None:
        """A message of the kernel."""
        if content.get("page") != self.name:
            return
        self.got = content.get("got", self.got)
        if content["type"] != "frames":
            self.got = content.get("n", self.got)
            self.told.append(content)
            return
        self.messages += 1
        self._last = content["n"]
        self.frames += unpack(buffers[0])
        if self.is_awake:
            asyncio.get_running_loop().call_soon(self.acknowledge)

    def acknowledge(self) -> None:
        """Everything that came has been shown."""
        self.say("ack", ack=self._last)

    def send(self, *frames: WireFrame) -> None:
        """Send frames of this page's own."""
        self._sent += 1
        self.say("frames", [memoryview(pack(frames))], n=self._sent)

    def of(self, *codecs: str) -> list[WireFrame]:
        """What came in these codecs."""
        return [frame for frame in self.frames if frame.codec in codecs]

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type, oldest first."""
        return [content for content in self.told if content["type"] == kind]


@pytest.fixture
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world = World(getattr(request, "param", "vp8"))
    await world.connect()
    yield world
    await world.close()


def decoded(frames: list[WireFrame]) -> list[np.ndarray[Any, Any]]:
    """What a page's decoder makes of pictures or sound."""
    names = {"vp8": "libvpx", "h264": "h264", "opus": "libopus"}
    context: Any = av.CodecContext.create(names[frames[0].codec], "r")
    if frames[0].codec == "opus":
        context.format, context.layout, context.sample_rate = "s16", "stereo", 48_000
    return [
        made.to_ndarray(format="rgb24") if isinstance(made, av.VideoFrame) else made.to_ndarray()
        for frame in frames
        for made in context.decode(av.Packet(frame.data))
    ]


@pytest.mark.parametrize("world", ["vp8", "h264"], indirect=True)
async def test_encoded_frames_come_as_they_are(world: World) -> None:
    page = CommPage(world)
    page.open()
    await until(lambda: len(page.of("vp8", "h264")) >= 30 and len(page.of("opus")) >= 60)
    (opened,) = page.heard("opened")
    codec = world.near.video_codec_in_use
    assert (opened["path"], opened["codec"], opened["max_fps"]) == ("comm", codec, 30)
    pictures = page.of(codec)
    assert pictures[0].is_keyframe
    counters = [read_counter(picture) for picture in decoded(pictures)]
    found = [counter for counter in counters if counter is not None]
    assert len(found) >= 25
    assert found == list(range(found[0], found[0] + len(found))), "each one, in order"
    sound = [part.reshape(-1, 2) for part in decoded(page.of("opus"))]
    assert strongest_hz([part.reshape(1, -1) for part in sound[10:50]]) == pytest.approx(440, abs=5)
    assert decoder_threads() == []
    # Sound travels with the pictures, at most every 33 ms.
    seconds = (pictures[-1].time_ms - pictures[0].time_ms) / 1000
    assert page.messages < 45 * seconds + 20
    # Both on one clock: the last ones that came were captured at about the same time.
    assert abs(page.of("opus")[-1].time_ms - pictures[-1].time_ms) < 250


async def test_a_page_that_falls_behind_gets_less_and_then_a_keyframe(world: World) -> None:
    page = CommPage(world)
    page.open()
    await until(lambda: len(page.of("vp8")) >= 10)
    leg: Any = world.leg._legs["page"]
    page.is_awake = False
    await until(lambda: leg.dropped > 20)
    assert leg.window._pictures == leg.capacity
    assert leg.window.in_flight <= MESSAGES_IN_FLIGHT
    held = leg.window.sent
    await asyncio.sleep(0.5)
    assert leg.window.in_flight <= MESSAGES_IN_FLIGHT
    assert leg.window.sent - held <= MESSAGES_IN_FLIGHT
    assert world.near.video_in.stream._limit_bps is not None, "the far end is told to send less"
    before = len(page.of("vp8"))
    page.is_awake = True
    page.acknowledge()
    await until(lambda: len(page.of("vp8")) > before + 10)
    assert page.of("vp8")[before].is_keyframe
    counters = [read_counter(picture) for picture in decoded(page.of("vp8"))]
    found = [counter for counter in counters if counter is not None]
    assert found == sorted(set(found))


async def test_a_page_out_of_view_hears_and_is_sent_no_picture(world: World) -> None:
    page = CommPage(world)
    page.say("open", path="comm")
    await until(lambda: len(page.of("opus")) > 20)
    assert page.of("vp8") == []
    assert world.near.video_in._encoded == []
    page.say("visible", visible=True)
    await until(lambda: len(page.of("vp8")) > 5)
    assert page.of("vp8")[0].is_keyframe
    page.say("visible", visible=False)
    sent, heard = len(page.of("vp8")), len(page.of("opus"))
    await asyncio.sleep(0.4)
    assert len(page.of("vp8")) == sent
    assert len(page.of("opus")) > heard + 5


async def test_a_page_without_decoders_gets_jpegs_and_samples(world: World) -> None:
    page = CommPage(world, path="jpeg")
    page.open()
    await until(lambda: len(page.of("jpeg")) >= 15 and len(page.of("pcm")) >= 50, timeout_s=20)
    pictures = [np.asarray(Image.open(io.BytesIO(one.data))) for one in page.of("jpeg")]
    assert pictures[0].shape == (480, 640, 3)
    found = [read_counter(picture) for picture in pictures]
    assert sum(one is not None for one in found) >= 13
    # The card's colours survive, and so their range: red is red and black is black.
    assert (pictures[-1].max(), pictures[-1].min()) > (240, 0)
    samples = np.concatenate([np.frombuffer(one.data, np.int16) for one in page.of("pcm")[10:45]])
    assert strongest_hz([samples.repeat(2).reshape(1, -1)]) == pytest.approx(440, abs=5)
    leg: Any = world.leg._legs["page"]
    page.is_awake = False
    await until(lambda: leg.window.is_full)
    shown = len(page.of("jpeg"))
    await asyncio.sleep(0.5)
    assert len(page.of("jpeg")) - shown <= 2
    page.say("visible", visible=False)
    page.say("bye")
    await until(lambda: not world.leg._tasks)
    assert decoder_threads() == []
    assert world.near.audio_in._decoded == []


async def test_a_page_that_leaves_webrtc_leaves_nothing_of_it(world: World) -> None:
    first = await world.page()
    await until(lambda: first.pictures)
    old = world.leg_of(first)
    page = CommPage(world, first.name)
    page.open()
    await until(lambda: len(page.of("vp8")) > 5)
    await until(lambda: old.state == "closed")
    assert first.lost == []
    assert page.heard("lost") == []
    assert world.near.video_in._packet == []
    assert world.leg.pages == ("page",)
    page.say("bye")
    await until(lambda: not world.leg._tasks)
    assert world.near.video_in._encoded == []
    assert world.near.audio_in._encoded == []


async def test_a_connected_page_is_told_how_much_left_for_it(world: World) -> None:
    page = await world.page()
    await until(lambda: len(page.told("sent")) >= 3)
    packets = [message["packets"] for message in page.told("sent")]
    assert packets == sorted(set(packets))
    leg: Any = world.leg._legs[page.name]
    assert packets[-1] <= leg.packets < packets[-1] + 400


def camera(codec: str) -> Any:
    """An encoder as a page has it: gives numbered pictures of 640x480 as wire frames."""
    context: Any = av.CodecContext.create("libvpx" if codec == "vp8" else "libx264", "w")
    context.width, context.height, context.pix_fmt = 640, 480, "yuv420p"
    context.time_base, context.gop_size = Fraction(1, 30), 10_000
    context.options = (
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        if codec == "vp8"
        else {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    )
    painter = CardPainter(640, 480, 30)

    def encode(number: int, *, key: bool = False) -> WireFrame:
        frame = painter.draw(number)
        frame.pts, frame.time_base = number, Fraction(1, 30)
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        data = b"".join(bytes(packet) for packet in context.encode(frame))
        return WireFrame(codec, is_keyframe(codec, data), 50_000 + number * 1000 / 30, data)

    return encode


def microphone() -> Any:
    """Packets of 20 ms of a tone of 880 Hz, encoded as a page does."""
    context: Any = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48_000, "mono", "s16"
    context.time_base = Fraction(1, 48_000)

    def encode(number: int) -> list[WireFrame]:
        times_s = (960 * number + np.arange(960)) / 48_000
        tone = (8000 * np.sin(2 * np.pi * 880 * times_s)).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 960 * number
        return [
            WireFrame("opus", True, 50_000 + 20 * number, bytes(packet))
            for packet in context.encode(frame)
        ]

    return encode


@pytest.mark.parametrize("world", ["vp8", "h264"], indirect=True)
async def test_what_a_page_encodes_reaches_the_far_end_undecoded(world: World) -> None:
    page = CommPage(world)
    page.open()
    await until(lambda: page.heard("opened"))
    leg: Any = world.leg._legs["page"]
    shown: list[int] = []
    samples: list[np.ndarray[Any, Any]] = []
    kinds: list[bool] = []
    world.far.video_in.on_frame(
        lambda frame, _s: shown.append(read_counter(frame.to_ndarray(format="rgb24")) or 0)
    )
    world.far.video_in.on_encoded(lambda frame, _s: kinds.append(frame.is_keyframe))
    world.far.audio_in.on_frame(lambda frame, _s: samples.append(frame.to_ndarray()))
    world.near.video_out.forward(leg.video_in)
    world.near.audio_out.forward(leg.audio_in)
    encode, speak = camera(world.near.video_codec_in_use), microphone()
    start_s, asked = asyncio.get_running_loop().time(), 0
    number = 0
    while number < 90 or (number < 400 and not (max(shown, default=0) >= 1085 and any(kinds))):
        wishes = [one for one in page.heard("encode") if one["keyframe"]]
        wanted, asked = len(wishes) > asked, len(wishes)
        page.send(
            *(part for k in range(5 * number // 3, 5 * (number + 1) // 3) for part in speak(k)),
            encode(1000 + number, key=wanted),
        )
        if number == 45:
            kinds.clear()
            world.far.video_in.limit_bitrate("test", 250_000)
            world.far.request_keyframe()
        number += 1
        await asyncio.sleep(max(0, start_s + number / 30 - asyncio.get_running_loop().time()))
    found = [one for one in shown if one >= 1000]
    assert len(found) > 60
    assert found == sorted(set(found))
    assert strongest_hz(samples[30:80]) == pytest.approx(880, abs=8)
    # What the far end asks for reaches the page's encoder.
    assert any(kinds), "a keyframe in mid-call"
    # On a busy machine the estimate of the path asks for less still.
    bitrates_bps = [one["bitrate_bps"] for one in page.heard("encode")]
    assert 250_000 in bitrates_bps
    assert bitrates_bps[-1] <= 250_000
    assert page.got >= number - 5, "what came is acknowledged"
    # The two decoders are the far end's own.
    assert decoder_threads() == [f"xnb-decode-{world.near.video_codec_in_use}"]
    world.near.video_out.play(None)
    world.near.audio_out.play(None)


def test_the_window_lowers_the_rate_below_what_arrived_and_raises_it_again() -> None:
    now_s = 100.0
    window = AckWindow(4, clock=lambda: now_s)
    for _ in range(60):  # 20 a second of 5000 bytes: 0.8 Mbps
        window.acknowledged(window.took(5000))
        now_s += 0.05
    assert window.limit_bps is None
    while not window.is_full:
        window.took(5000)
    assert window.in_flight == 4
    window.refused()
    assert window.limit_bps == pytest.approx(0.75 * 800_000, rel=0.1)
    first = window.limit_bps
    for _ in range(MESSAGES_IN_FLIGHT - 4):
        assert not window.is_full_for_sound, "sound goes on"
        window.took(100, 0)
    assert window.is_full_for_sound
    window.acknowledged(window.sent - 1)
    while not window.is_full:
        window.took(100)
    window.refused()
    assert MIN_BITRATE_BPS <= window.limit_bps < first
    window.acknowledged(10_000)
    assert window.is_full, "a number that was never sent means nothing"
    low = window.limit_bps
    for _ in range(40):
        now_s += 1
        window.acknowledged(window.took(3000))
        assert window.limit_bps is None or window.limit_bps >= low
    assert window.limit_bps is None


def test_a_page_that_never_answers_is_given_up_after_half_a_minute() -> None:
    now_s = 0.0
    window = AckWindow(2, clock=lambda: now_s)
    window.took(10)
    window.took(10)
    for _ in range(20):
        now_s += 1
        window.refused()
    assert not window.is_hopeless
    window.acknowledged(1)
    window.took(10)
    for _ in range(round(GIVE_UP_S)):
        window.refused()
        now_s += 1
    assert not window.is_hopeless, "it counts from the last answer"
    now_s += 1.5
    assert window.is_hopeless


def test_frames_survive_their_way_through_a_buffer() -> None:
    frames = [
        WireFrame("opus", True, 12.5, b"abc"),
        WireFrame("vp8", False, 1e7 + 0.25, bytes(1000)),
        WireFrame("jpeg", True, -3.0, b""),
    ]
    data = pack(frames)
    assert list(unpack(memoryview(data))) == frames
    assert list(unpack(data[:100])) == frames[:1]
    assert list(unpack(b"\xff" * 40)) == []
    assert list(unpack(b"")) == []
    with pytest.raises(ValueError, match="mp3"):
        pack([WireFrame("mp3", True, 0.0, b"")])
