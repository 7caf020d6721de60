"""Some of those who receive in a room of an SFU, in a process of their own.

One process that receives everything would be late by itself long before the SFU is. The job, as
JSON: ``gateway`` (url and secrets), ``room``, ``feeds`` (of each publisher), ``receives`` (the
number of a publisher for each connection), ``losses`` (for a connection the share of what comes
to it that is thrown away, unread), ``seconds`` (what is measured). It says ``ready``, and does the
next thing at each line of its input: subscribe, measure, and look at what comes.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

import numpy as np

from xnb.engine.peer import Peer
from xnb.media.frames import AudioChunk, VideoFrame
from xnb.signaling.janus import Gateway, JanusSession, Subscriber, Wanted

JOB: dict[str, Any] = json.loads(sys.argv[1])
CONNECT_S = 20.0
LOOKED_AT_ONCE = 4


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def told() -> None:
    """Wait for the next line; the end of the input ends everything."""
    if not await asyncio.to_thread(sys.stdin.readline):
        raise SystemExit(1)


class Arrivals:
    """When the frames of one stream came, against when they should have.

    Attributes:
        late_s: Behind the promptest frame of the stream.
    """

    def __init__(self, incoming: Any, rate_hz: int) -> None:
        self._times: list[tuple[int, float]] = []
        self._rate_hz = rate_hz
        self._incoming = incoming
        self._lost_before = incoming.lost
        incoming.on_packet(self._take)

    def _take(self, packet: Any, _codec: str) -> None:
        if packet.marker or self._rate_hz == 48_000:
            self._times.append((packet.timestamp, packet.arrival_s))

    def begin(self) -> None:
        self._times.clear()
        self._lost_before = self._incoming.lost

    @property
    def frames(self) -> int:
        return len(self._times)

    @property
    def lost(self) -> int:
        return self._incoming.lost - self._lost_before  # type: ignore[no-any-return]

    @property
    def late_s(self) -> list[float]:
        if not self._times:
            return []
        first = self._times[0][0]
        behind = [
            arrival_s - ((stamp - first + (1 << 31)) % (1 << 32) - (1 << 31)) / self._rate_hz
            for stamp, arrival_s in self._times
        ]
        least = min(behind)
        return [one - least for one in behind]


class Receiver:
    """A connection that gets one publisher's sound and picture, and decodes nothing."""

    def __init__(self, session: JanusSession, publisher: int) -> None:
        self.publisher = publisher
        self.peer = Peer(name=f"receiver of {publisher}")
        self.first_picture_s: float | None = None
        self.loss = 0.0
        self._place = Subscriber(session, JOB["room"])

    async def subscribe(self, feed: int | str) -> None:
        began_s = time.monotonic()

        def seen(_frame: Any, _time_s: float) -> None:
            self.first_picture_s = time.monotonic() - began_s
            handle.close()

        handle = self.peer.video_in.on_encoded(seen)
        offered = await self._place.subscribe([Wanted(feed)])
        await self.peer.apply_offer(offered.sdp)
        await self._place.start(await self.peer.make_answer())
        await asyncio.wait_for(self.peer.wait_connected(), CONNECT_S)
        self.sound = Arrivals(self.peer.audio_in, 48_000)
        self.picture = Arrivals(self.peer.video_in, 90_000)
        if self.loss:
            self._lose()

    def _lose(self) -> None:
        """Throw away some of what comes, before it is read: what the network would do."""
        from xnb.engine import adapter

        transport = adapter.ice_transport(self.peer.pc)
        assert transport is not None
        connection = adapter.ice_connection(transport)
        receive, chance = connection.data_received, random.Random(self.publisher)

        def maybe(data: bytes, component: int) -> None:
            if chance.random() >= self.loss:
                receive(data, component)

        connection.data_received = maybe  # type: ignore[method-assign]

    async def look(self) -> dict[str, Any]:
        """What is seen and heard: the mean colour of the band on top, the loudest frequency."""
        loop = asyncio.get_running_loop()
        picture: asyncio.Future[VideoFrame] = loop.create_future()
        pieces: list[Any] = []

        def seen(frame: Any, time_s: float) -> None:
            if not picture.done():
                picture.set_result(VideoFrame(frame, time_s))

        def heard(frame: Any, time_s: float) -> None:
            pieces.append(AudioChunk.from_av(frame, time_s).samples[:, 0])

        handles = [self.peer.video_in.on_frame(seen), self.peer.audio_in.on_frame(heard)]
        try:
            shown = (await asyncio.wait_for(picture, 5)).image
        except TimeoutError:
            shown = np.zeros((480, 640, 3), np.uint8)
        await asyncio.sleep(0.5)
        for handle in handles:
            handle.close()
        sound = np.concatenate(pieces) if pieces else np.zeros(4800)
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        return {
            "colour": [float(one) for one in shown[10:60, 100:540].mean(axis=(0, 1))],
            "tone_hz": float(np.fft.rfftfreq(len(sound), 1 / 48_000)[spectrum.argmax()]),
        }


async def run() -> None:
    session = JanusSession(Gateway(**JOB["gateway"]))
    await session.open()
    receivers = [Receiver(session, publisher) for publisher in JOB["receives"]]
    for number, share in JOB["losses"].items():
        receivers[int(number)].loss = share
    say(ready=True)
    await told()
    for one in receivers:
        await one.subscribe(JOB["feeds"][one.publisher])
    say(subscribed=True)
    await told()
    for one in receivers:
        one.sound.begin()
        one.picture.begin()
    began_s = time.monotonic()
    await asyncio.sleep(JOB["seconds"])
    wall_s = time.monotonic() - began_s
    found = [
        {
            "publisher": one.publisher,
            "first_picture_s": one.first_picture_s,
            "sound": [one.sound.frames, one.sound.lost],
            "pictures": [one.picture.frames, one.picture.lost],
            "sound_late_s": [round(late_s, 5) for late_s in one.sound.late_s],
            "bytes": one.peer.video_in.bytes,
        }
        for one in receivers
    ]
    say(measured=wall_s)
    await told()
    few = asyncio.Semaphore(LOOKED_AT_ONCE)

    async def look(one: Receiver, of: dict[str, Any]) -> None:
        async with few:
            of["content"] = await one.look()

    await asyncio.gather(*map(look, receivers, found))
    for one in receivers:
        await one.peer.close()
    await session.close()
    say(streams=found)


if __name__ == "__main__":
    asyncio.run(run())
