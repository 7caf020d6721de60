"""People in rooms, told apart by the colour of their picture and the tone of their sound."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from fractions import Fraction
from typing import Any

import av
import numpy as np
from media_files import dominant_frequency

from xnb.engine.peer import Peer
from xnb.engine.publishing import PublishingPeer
from xnb.media import synthetic
from xnb.media.frames import AudioChunk
from xnb.media.source import EndOfMedia, SourceTrack
from xnb.signaling.janus import (
    Feed,
    FeedId,
    JanusSession,
    Joined,
    Offered,
    Publisher,
    Subscriber,
    Wanted,
)

LIMIT_S = 15.0
COLOURS = {
    "red": (81, 90, 240),
    "green": (145, 54, 34),
    "blue": (41, 240, 110),
    "yellow": (210, 16, 146),
    "cyan": (170, 166, 16),
    "magenta": (107, 202, 222),
    "white": (235, 128, 128),
    "brown": (70, 100, 150),
    "grey": (126, 128, 128),
}
"""Y, U, V of BT.601."""
WIDTH, HEIGHT, FPS = 320, 240, 15


class Coloured(SourceTrack):
    """Pictures of one colour; ``colour`` may be changed while they are sent."""

    kind = "video"

    def __init__(self, colour: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.colour = colour
        self.number = -1
        self._size = size
        self._start_s: float | None = None
        self._is_closed = False

    async def read(self) -> av.VideoFrame:
        """The next picture, when it is due."""
        loop = asyncio.get_running_loop()
        if self._start_s is None:
            self._start_s = loop.time()
        self.number += 1
        await asyncio.sleep(max(0.0, self._start_s + self.number / FPS - loop.time()))
        if self._is_closed:
            raise EndOfMedia
        width, height = self._size
        planes = np.empty((height * 3 // 2, width), np.uint8)
        for value, rows in zip(
            COLOURS[self.colour], np.split(planes, [height, height * 5 // 4]), strict=True
        ):
            rows[:] = value
        # Something must move, or nothing is sent.
        planes[: height // 8, : width // 8] = 16 + self.number * 7 % 200
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self.number * 90000 // FPS, Fraction(1, 90000)
        return frame

    def close(self) -> None:
        """No more pictures."""
        self._is_closed = True


def colour_of(frame: av.VideoFrame) -> str:
    """The name of the colour that is nearest to the middle of a picture."""
    planes = frame.reformat(format="yuv420p").to_ndarray()
    height = frame.height
    luma = planes[height // 4 : height // 2].mean()
    chroma = planes[height:].reshape(2, -1).mean(axis=1)
    seen = np.array([luma, *chroma])
    return min(COLOURS, key=lambda name: float(np.abs(seen - COLOURS[name]).sum()))


class Person:
    """Somebody in a room.

    Args:
        session: Their session; each person has one of their own.
        room: The room.
        name: What they are called there.
        colour: Of their picture.
        tone_hz: Of their sound.
        pin: The room's.
        codec: Of their pictures.
        size: Width and height of their pictures, in pixels.
    """

    def __init__(
        self,
        session: JanusSession,
        room: FeedId,
        name: str,
        colour: str = "grey",
        tone_hz: float = 440,
        *,
        pin: str | None = None,
        codec: Any = "vp8",
        size: tuple[int, int] = (WIDTH, HEIGHT),
    ) -> None:
        self.session = session
        self.room = room
        self.name = name
        self.pin = pin
        self.codec = codec
        self.tone_hz = tone_hz
        self.picture = Coloured(colour, size)
        self.publisher = Publisher(session, room, pin=pin, user_id=name)
        self.peer: PublishingPeer | None = None
        self.joined: Joined | None = None
        self.heard: list[tuple[Any, ...]] = []
        self.feeds: dict[FeedId, Feed] = {}
        self.views: list[View] = []
        self._changed = asyncio.Event()
        self._listen()

    def _listen(self) -> None:
        mine = self.publisher
        mine.on_publishers = self._on_publishers
        for what in ("joining", "unpublished", "leaving", "talking", "moderated"):
            setattr(mine, f"on_{what}", self._noter(what))
        for what in ("kicked", "destroyed", "webrtcup", "hangup", "detached"):
            setattr(mine, f"on_{what}", self._noter(what))

    def _noter(self, what: str) -> Any:
        def note(*details: Any) -> None:
            self.heard.append((what, *details))
            self._changed.set()

        return note

    def _on_publishers(self, feeds: tuple[Feed, ...]) -> None:
        self.feeds.update({feed.id: feed for feed in feeds})
        self._changed.set()

    async def _until(self, found: Any, what: str) -> Any:
        end_s = time.monotonic() + LIMIT_S
        while (result := found()) is None:
            self._changed.clear()
            left_s = end_s - time.monotonic()
            assert left_s > 0, f"{self.name} waited for {what}; heard {self.heard}"
            try:
                await asyncio.wait_for(self._changed.wait(), left_s)
            except TimeoutError:
                continue
        return result

    async def hears(self, *details: Any) -> None:
        """Wait until the room has told this."""
        await self._until(lambda: True if details in self.heard else None, str(details))

    async def feed(self, name: str) -> Feed:
        """Wait until somebody of that name sends."""
        return await self._until(  # type: ignore[no-any-return]
            lambda: next((one for one in self.feeds.values() if one.display == name), None),
            f"the feed of {name}",
        )

    async def join(self, **details: Any) -> Joined:
        """Come into the room."""
        self.joined = await self.publisher.join(self.name, **details)
        self._on_publishers(self.joined.publishers)
        return self.joined

    async def publish(self, *, video: bool = True, low: bool = False, **details: Any) -> None:
        """Send sound and picture."""
        peer = self.peer = PublishingPeer(video_codec=self.codec, name=self.name)
        peer.audio_out.play(synthetic.tone(self.tone_hz).audio)
        if video:
            peer.video_out.play(self.picture)
        offer = await peer.make_offer(video=video, low=low)
        answer = await self.publisher.publish(offer, descriptions=peer.descriptions(), **details)
        await peer.apply_answer(answer)
        await peer.wait_connected()
        await self.hears("webrtcup")

    async def enter(self, **details: Any) -> Person:
        """Join and publish."""
        await self.join()
        await self.publish(**details)
        return self

    async def watch(self, name: str, *mids: str) -> View:
        """Subscribe to somebody: all they send, or some of it."""
        feed = await self.feed(name)
        view = View(self, feed)
        self.views.append(view)
        await view.open([Wanted(feed.id, mid) for mid in mids] or [Wanted(feed.id)])
        return view

    async def close(self) -> None:
        """Leave, and close the connections: nobody else does."""
        for view in self.views:
            await view.close()
        await self.publisher.leave()
        if self.peer is not None:
            await self.peer.close()
        self.picture.close()


class Senses:
    """What arrives at a connection, decoded."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.sizes: list[int] = []
        self.pictures: deque[tuple[str, float]] = deque(maxlen=4)
        self.sound: deque[np.ndarray] = deque(maxlen=15)

    def wake(self) -> None:
        """Begin to decode."""
        self.peer.video_in.on_frame(self._see)
        self.peer.audio_in.on_frame(self._hear)

    def _see(self, frame: av.VideoFrame, _time_s: float) -> None:
        self.pictures.append((colour_of(frame), time.monotonic()))
        self.sizes.append(frame.height)

    def _hear(self, frame: av.AudioFrame, time_s: float) -> None:
        self.sound.append(AudioChunk.from_av(frame, time_s).samples[:, 0])

    async def shows(self, colour: str) -> None:
        """Wait until that is all that is seen."""
        start_s = time.monotonic()
        while [name for name, at_s in self.pictures if at_s > start_s] != [colour] * 4:
            assert time.monotonic() - start_s < LIMIT_S, f"saw {self.pictures}, not {colour}"
            await asyncio.sleep(0.03)

    async def sounds(self, tone_hz: float) -> None:
        """Wait until that tone is what is heard."""
        start_s = time.monotonic()
        while True:
            tone = self.tone_hz()
            if tone is not None and abs(tone - tone_hz) < 5:
                return
            assert time.monotonic() - start_s < LIMIT_S, f"heard {tone}, not {tone_hz} Hz"
            await asyncio.sleep(0.05)

    def tone_hz(self) -> float | None:
        """The tone of the last 0.3 s; ``None`` if it is silent or too short."""
        if len(self.sound) < 15:
            return None
        samples = np.concatenate(self.sound).astype(np.float64)
        return dominant_frequency(samples) if np.abs(samples).max() > 0.02 else None

    async def is_live(self, seconds: float = 0.7) -> None:
        """Assert that pictures keep coming."""
        seen = len(self.sizes)
        await asyncio.sleep(seconds)
        assert len(self.sizes) - seen >= 3, "pictures stopped"

    async def is_still(self, seconds: float = 0.7) -> None:
        """Assert that no picture comes for a while."""
        await asyncio.sleep(0.4)
        seen = len(self.sizes)
        await asyncio.sleep(seconds)
        assert len(self.sizes) - seen <= 1, "pictures still come"


class View(Senses):
    """What somebody gets of another one, over a connection of its own."""

    def __init__(self, person: Person, feed: Feed) -> None:
        super().__init__(Peer(name=f"{person.name} sees {feed.display}"))
        self.feed = feed
        self.subscriber = Subscriber(
            person.session, person.room, pin=person.pin, user_id=person.name
        )
        self._private_id = person.joined.private_id if person.joined else None
        self._answering = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self.subscriber.on_offer = self._on_offer

    async def open(self, wanted: list[Wanted]) -> None:
        """Subscribe and wait for the connection."""
        await self.answer(await self.subscriber.subscribe(wanted, private_id=self._private_id))
        await self.peer.wait_connected()
        self.wake()

    def mid(self, kind: str) -> str:
        """Our m-line of a kind."""
        return next(one.mid for one in self.subscriber.streams if one.kind == kind)

    async def answer(self, offered: Offered) -> None:
        """Answer an offer; one at a time."""
        async with self._answering:
            await self.peer.apply_offer(offered.sdp)
            await self.subscriber.start(await self.peer.make_answer())

    def _on_offer(self, offered: Offered) -> None:
        task = asyncio.ensure_future(self.answer(offered))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End the subscription and the connection."""
        for task in list(self._tasks):
            task.cancel()
        await self.subscriber.leave()
        await self.peer.close()
