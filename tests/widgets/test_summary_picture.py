"""The last picture: kept as packets, decoded once, small; or given by a page."""

from __future__ import annotations

import asyncio
import base64
import io
import random
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from encoded_frames import card, pictures
from PIL import Image

from xnb.engine.rtp.packetize import Packetizer
from xnb.engine.rtp.packets import RtpPacket
from xnb.events import CallState, EndReason, ListenerHandle
from xnb.media.testcard import read_counter
from xnb.widgets import summarized, summary_picture
from xnb.widgets.call_widget import CallWidget
from xnb.widgets.summary_picture import MAX_PICTURE_BYTES, LastPicture, encode, fitting

from .fake_call import FakeCall


class Incoming:
    """Hands packets to listeners, as the engine's does; counts what it is asked for."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []
        self.asked = 0
        self.stream = self

    def on_packet(self, callback: Any) -> ListenerHandle:
        self.listeners.append(callback)
        return ListenerHandle(lambda: self.listeners.remove(callback))

    def request_keyframe(self) -> None:
        self.asked += 1

    def give(self, packets: list[RtpPacket], codec: str) -> None:
        for packet in packets:
            for listener in self.listeners:
                listener(packet, codec)


def packets_of(
    codec: str, seconds: float, *, first: int = 0, gop: int = 15, sequence: int = 65_530
) -> list[list[RtpPacket]]:
    """Numbered pictures as packets, one list for each picture."""
    packetizer = Packetizer(codec)
    found = []
    for _, frame in pictures(seconds, codec=codec, first=first, gop=gop, size=(640, 480)):
        pieces = packetizer.split(frame.data)
        found.append([])
        for n, piece in enumerate(pieces):
            found[-1].append(
                RtpPacket(
                    payload_type=96,
                    sequence_number=sequence % 65_536,
                    timestamp=frame.timestamp,
                    ssrc=7,
                    payload=piece,
                    marker=n == len(pieces) - 1,
                )
            )
            sequence += 1
    return found


def counter(picture: Any) -> int | None:
    """The number that the test card shows in a summary's picture."""
    return read_counter(np.asarray(Image.open(io.BytesIO(picture.jpeg)).convert("RGB")))


@pytest.mark.parametrize("codec", ["vp8", "h264"])
def test_the_newest_whole_picture_is_the_last_one(codec: str) -> None:
    last, incoming = LastPicture(), Incoming()
    last.watch(incoming)
    assert last.make() is None
    for packets in packets_of(codec, 1.2, first=1000):
        incoming.give(packets, codec)
    made = last.make()
    assert made is not None
    assert counter(made) == 1030, "the keyframe of the third group of 15"
    assert (made.width, made.height) == (320, 240)
    assert len(made.jpeg) <= MAX_PICTURE_BYTES


def test_packets_may_come_in_any_order_and_twice() -> None:
    last, incoming = LastPicture(), Incoming()
    last.watch(incoming)
    (packets, *_) = packets_of("vp8", 0.1, first=7)
    rest = packets[1:] * 2
    random.Random(3).shuffle(rest)
    incoming.give([packets[0], *rest], "vp8")
    assert counter(last.make()) == 7


def test_a_picture_with_a_hole_is_not_shown_but_the_one_before() -> None:
    last, incoming = LastPicture(), Incoming()
    last.watch(incoming)
    for n, packets in enumerate(packets_of("vp8", 0.6, gop=15)):
        incoming.give(packets[:-1] if n == 15 else packets, "vp8")
    assert counter(last.make()) == 0


def test_garbage_gives_no_picture() -> None:
    last, incoming = LastPicture(), Incoming()
    last.watch(incoming)
    (packets, *_) = packets_of("vp8", 0.1)
    for packet in packets:
        packet.payload = packet.payload[:12] + bytes(len(packet.payload) - 12)
    incoming.give(packets, "vp8")
    last.make()
    incoming.give([packets[0]], "speex")
    assert last.make() is None


def test_an_old_keyframe_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [1000.0]
    monkeypatch.setattr(summary_picture, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    last, incoming = LastPicture(), Incoming()
    last.watch(incoming)
    (packets, *_) = packets_of("vp8", 0.1)
    incoming.give(packets, "vp8")
    for _ in range(60):
        now_s[0] += 1
        last.refresh(30.0)
    assert incoming.asked == 1
    last.stop()
    assert incoming.listeners == []


def jpeg_of(number: int, *, comment: bytes = b"") -> bytes:
    data = io.BytesIO()
    pixels = card((640, 480)).draw(number).to_ndarray(format="rgb24")
    Image.fromarray(pixels).save(data, "JPEG", quality=90, comment=comment)
    return data.getvalue()


def test_a_page_gives_a_newer_picture_of_which_only_the_pixels_are_kept() -> None:
    last = LastPicture()
    assert not last.offer(b"")
    assert not last.offer(b"<svg onload=alert(1)>")
    assert not last.offer(bytes(3_000_000))
    assert last.make() is None
    assert last.offer(jpeg_of(4711, comment=b"seen at home"))
    made = last.make()
    assert made is not None
    assert counter(made) == 4711
    assert b"seen at home" not in made.jpeg
    last.forget()
    assert last.make() is None


def test_sizes_keep_the_shape() -> None:
    assert [fitting(*size) for size in ((640, 480), (1080, 1920), (100, 60), (10_000, 4))] == [
        (320, 240),
        (180, 320),
        (100, 60),
        (320, 2),
    ]


def test_a_picture_of_noise_is_still_small() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (320, 320, 3), dtype=np.uint8)
    made = encode(Image.fromarray(noise))
    assert made is None or len(made.jpeg) <= MAX_PICTURE_BYTES


# The card and its page


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    outputs: list[dict[str, Any]] = []
    monkeypatch.setattr(summarized, "show", lambda data, _, update=False: outputs.append(data))
    return outputs


def from_page(model: Any, content: dict[str, Any], buffers: list[Any]) -> None:
    thread = threading.Thread(target=model._handle_custom_msg, args=(content, buffers))
    thread.start()
    thread.join()


def picture_in(bundle: dict[str, Any]) -> int | None:
    html = bundle["text/html"]
    if "data:image/jpeg" not in html:
        return None
    data = base64.b64decode(html.split("data:image/jpeg;base64,")[1].split('"')[0])
    return read_counter(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


async def in_call(*, seen: bool) -> tuple[FakeCall, CallWidget, list[Any]]:
    call = FakeCall("ann")
    widget = CallWidget(call)
    # The leg would serve a real peer; here it only carries messages.
    widget.leg.follow_call = lambda: None
    call.peer = SimpleNamespace(video_in=Incoming())
    sent: list[Any] = []
    widget.leg.send = lambda content, buffers=None: sent.append((widget.state, content))
    call.connect()
    widget._ipython_display_()
    if seen:
        from_page(widget, {"type": "view", "page": "p", "open": True, "visible": True}, [])
    for packets in packets_of("vp8", 0.2, first=50):
        call.peer.video_in.give(packets, "vp8")
    await asyncio.sleep(0)
    return call, widget, sent


async def test_without_a_page_the_summary_is_there_at_once(shown: list[dict[str, Any]]) -> None:
    call, _, sent = await in_call(seen=False)
    call.end(EndReason.HANGUP)
    assert [content["type"] for _, content in sent] == []
    assert picture_in(shown[-1]) == 50
    assert call.peer.video_in.listeners == []


async def test_the_page_is_asked_before_it_hears_of_the_end(shown: list[dict[str, Any]]) -> None:
    call, widget, sent = await in_call(seen=True)
    call.end(EndReason.HANGUP)
    ((state, asked),) = sent
    assert state == "connected", "the picture was still shown"
    assert asked["type"] == "snapshot"
    assert len(shown) == 1, "the card stays until the page has answered"
    answer = {"type": "snapshot", "id": asked["id"], "width": 640, "height": 480}
    from_page(widget.leg, {**answer, "id": 99}, [jpeg_of(1)])
    from_page(widget.leg, answer, [memoryview(jpeg_of(8128))])
    async with asyncio.timeout(10):
        while len(shown) < 2:
            await asyncio.sleep(0.01)
    assert picture_in(shown[-1]) == 8128


async def test_a_page_that_does_not_answer_is_not_waited_for(
    shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xnb.widgets.page_snapshot.LIMIT_S", 0.05)
    call, _, _ = await in_call(seen=True)
    call.end(EndReason.REMOTE_HANGUP)
    async with asyncio.timeout(10):
        while len(shown) < 2:
            await asyncio.sleep(0.01)
    assert picture_in(shown[-1]) == 50


@pytest.mark.parametrize("late", [False, True])
async def test_a_picture_that_is_not_wanted_is_nowhere(
    shown: list[dict[str, Any]], late: bool
) -> None:
    call, widget, sent = await in_call(seen=False)
    if not late:
        widget.keep_picture = False
    call.end(EndReason.HANGUP)
    if late:
        assert picture_in(shown[-1]) == 50
        widget.keep_picture = False
    assert sent == []
    assert "image/jpeg" not in shown[-1]["text/html"]
    assert "You hung up" in shown[-1]["text/html"]
    pixels = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(shown[-1]["image/png"]))).convert("RGB")
    )
    assert read_counter(pixels) is None
    assert (call.state, widget.keep_picture) == (CallState.ENDED, False)
