"""A call between two engine peers, the leg that shows it, and pages of two makes."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from xnb.engine.peer import Peer
from xnb.media import synthetic
from xnb.media.clock import MonotonicClock
from xnb.media.testcard import read_counter
from xnb.settings import IceSettings, VideoCodec, VideoSettings
from xnb.widgets.browser_leg import BrowserLeg

from .fake_call import FakeCall

LOOPBACK = IceSettings(loopback=True)


class Page:
    """A page's side, made of plain aiortc: offers both ways and hides its addresses.

    Another implementation of RTP than ours, as a browser's is.
    """

    def __init__(self, leg: BrowserLeg, name: str = "page") -> None:
        self.name = name
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pictures: list[np.ndarray[Any, Any]] = []
        self.samples: list[np.ndarray[Any, Any]] = []
        self.lost: list[str] = []
        self.heard: list[dict[str, Any]] = []
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

    @property
    def counters(self) -> list[int]:
        """The frame counters in the pictures that can be read."""
        found = [read_counter(picture) for picture in self.pictures]
        return [counter for counter in found if counter is not None]

    async def _offer(self) -> str:
        self.pc.addTransceiver("audio", direction="sendrecv")
        self.pc.addTransceiver("video", direction="sendrecv")
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return str(self.pc.localDescription.sdp)

    async def _take_answer(self, sdp: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def say(self, kind: str, **content: Any) -> None:
        """Send a message to the kernel."""
        self._leg._handle({"type": kind, "page": self.name, **content})

    async def offer(self) -> None:
        """Ask for the call's media."""
        hidden = [
            line
            for line in (await self._offer()).splitlines()
            if not line.startswith(("a=candidate", "a=end-of-candidates"))
        ]
        self.say("offer", sdp="\r\n".join(hidden) + "\r\n")

    async def hear(self, message: dict[str, Any]) -> None:
        """A message of the kernel."""
        if message.get("page") != self.name:
            return
        self.heard.append(message)
        if message["type"] == "answer":
            await self._take_answer(message["sdp"])
        elif message["type"] == "lost":
            self.lost.append(message["why"])

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type, oldest first."""
        return [message for message in self.heard if message["type"] == kind]

    async def close(self) -> None:
        """End it, without a word to the kernel."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.pc.close()


class EnginePage(Page):
    """A page made of our own peer, whose feedback can be steered and counted."""

    def __init__(self, leg: BrowserLeg, name: str = "page") -> None:
        super().__init__(leg, name)
        self.peer = Peer(ice=LOOPBACK, name=name)
        self.shown_s: list[float] = []
        self.peer.video_in.on_frame(self._show)
        self.peer.audio_in.on_frame(lambda frame, _s: self.samples.append(frame.to_ndarray()))

    def _show(self, frame: Any, _time_s: float) -> None:
        self.shown_s.append(asyncio.get_running_loop().time())
        self.pictures.append(frame.to_ndarray(format="rgb24"))

    async def _offer(self) -> str:
        return await self.peer.make_offer(audio=True, video=True)

    async def _take_answer(self, sdp: str) -> None:
        await self.peer.apply_answer(sdp)

    async def close(self) -> None:
        await super().close()
        await self.peer.close()


class World:
    """A call between ``near`` and ``far``, and the leg that shows what ``near`` receives."""

    def __init__(self, codec: VideoCodec, settings: VideoSettings | None = None) -> None:
        self.near = Peer(ice=LOOPBACK, video_codec=codec, video_settings=settings, name="near")
        self.far = Peer(ice=LOOPBACK, video_codec=codec, name="far")
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
        """Connect both peers; the far one sends the test card and a tone of 440 Hz."""
        await self.near.apply_offer(await self.far.make_offer(video=True))
        await self.far.apply_answer(await self.near.make_answer())
        await asyncio.gather(self.near.wait_connected(), self.far.wait_connected())
        self.source.start(MonotonicClock())
        self.far.audio_out.play(self.source.audio)
        self.far.video_out.play(self.source.video)
        self.leg.bind(self.call)

    async def page(self, name: str = "page") -> Page:
        """A page of plain aiortc that has offered."""
        return await self._opened(Page(self.leg, name))

    async def engine_page(self, name: str = "page") -> EnginePage:
        """A page of our own engine that has offered."""
        page = EnginePage(self.leg, name)
        await self._opened(page)
        return page

    async def _opened(self, page: Page) -> Page:
        self.pages.append(page)
        await page.offer()
        return page

    def leg_of(self, page: Page) -> Peer:
        """The kernel's end of a page's connection."""
        return self.leg._legs[page.name].peer

    async def close(self) -> None:
        """End everything."""
        await asyncio.gather(*(page.close() for page in self.pages))
        await self.leg.shut()
        self.source.close()
        await asyncio.gather(self.near.close(), self.far.close())


class Lossy:
    """Drops a share of the media packets that a peer receives, always the same ones.

    Args:
        peer: Whose way in is bad; it must be connected.
        share: Of the packets, 0 to 1.
        payload_kinds: Retransmissions are lost like everything else.
    """

    def __init__(self, peer: Peer, share: float) -> None:
        self.share = share
        self.dropped = 0
        self.passed = 0
        self._chance = random.Random(7)
        path: Any = peer.streams._path
        self._on_rtp = path._on_rtp
        path._on_rtp = self._take

    def _take(self, data: bytes, arrival_s: float) -> None:
        if self._chance.random() < self.share:
            self.dropped += 1
        else:
            self.passed += 1
            self._on_rtp(data, arrival_s)


async def until(condition: Callable[[], Any], timeout_s: float = 10.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def decoder_threads() -> list[str]:
    """Names of the threads that decode pictures now."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("xnb-decode")]


def strongest_hz(samples: list[np.ndarray[Any, Any]]) -> float:
    """The strongest frequency in what a page heard, of its left channel."""
    sound = np.concatenate([part.reshape(-1, 2)[:, 0] for part in samples])
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum)) * 48_000 / len(sound)
