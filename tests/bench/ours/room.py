"""People in a room of an SFU, all in this process; the same for the embedded one and for Janus.

The job, as JSON: ``gateway`` (url and secrets), ``room``, ``clips`` (a file for each publisher),
``receives`` (for each receiver the numbers of the publishers it gets), ``warm_s``, ``seconds``
(what is measured), ``after_s`` (a stretch behind it in which the content is looked at), ``losses``
(for a connection, counted in the order of ``receives``, the share of what comes to it that is
thrown away, unread).
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
from xnb.media.clock import MonotonicClock
from xnb.media.files import FileSource
from xnb.media.frames import AudioChunk, VideoFrame
from xnb.settings import VideoSettings
from xnb.signaling.janus import Gateway, JanusSession, Publisher, Subscriber, Wanted

JOB: dict[str, Any] = json.loads(sys.argv[1])
CONNECT_S = 20.0
LOOKED_AT_ONCE = 8
LIMITS = VideoSettings(max_bitrate_bps=4_000_000, start_bitrate_bps=4_000_000)


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


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


class Sender:
    """Somebody who publishes a clip, as the packets that are in it."""

    def __init__(self, session: JanusSession, number: int) -> None:
        self.number = number
        self.session = session
        self.peer = Peer(video_codec="vp8", video_settings=LIMITS, name=f"sender {number}")
        self._place = Publisher(session, JOB["room"])
        self._source = FileSource.open(JOB["clips"][number], loop=True)

    async def publish(self) -> int | str:
        joined = await self._place.join(f"sender {self.number}")
        offer = await self.peer.make_offer(video=True)
        answer = await self._place.publish(offer, descriptions={"0": "audio", "1": "high"})
        await self.peer.apply_answer(answer)
        await asyncio.wait_for(self.peer.wait_connected(), CONNECT_S)
        for track, out in (
            (self._source.audio, self.peer.audio_out),
            (self._source.video, self.peer.video_out),
        ):
            assert track is not None
            track.allow_packets(out.codec)
            out.play(track)
        self._source.start(MonotonicClock())
        return joined.id

    async def close(self) -> None:
        await self.peer.close()
        self._source.close()


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


async def run() -> dict[str, Any]:
    gateway = Gateway(**JOB["gateway"])
    sessions = [JanusSession(gateway) for _ in range(max(len(JOB["clips"]), len(JOB["receives"])))]
    for session in sessions:
        await session.open()
    senders = [Sender(sessions[number], number) for number in range(len(JOB["clips"]))]
    feeds = [await sender.publish() for sender in senders]
    await asyncio.sleep(1)
    receivers = [
        Receiver(sessions[number], publisher)
        for number, wanted in enumerate(JOB["receives"])
        for publisher in wanted
    ]
    for number, share in JOB["losses"].items():
        receivers[int(number)].loss = share
    for one in receivers:
        await one.subscribe(feeds[one.publisher])
    await asyncio.sleep(JOB["warm_s"])
    for one in receivers:
        one.sound.begin()
        one.picture.begin()
    say(mark="begin")
    began_s = time.monotonic()
    await asyncio.sleep(JOB["seconds"])
    wall_s = time.monotonic() - began_s
    say(mark="end")
    found = [
        {
            "publisher": one.publisher,
            "first_picture_s": one.first_picture_s,
            "sound": [one.sound.frames, one.sound.lost],
            "pictures": [one.picture.frames, one.picture.lost],
            "sound_late_s": one.sound.late_s,
            "bytes": one.peer.video_in.bytes,
        }
        for one in receivers
    ]
    few = asyncio.Semaphore(LOOKED_AT_ONCE)

    async def look(one: Receiver, of: dict[str, Any]) -> None:
        async with few:
            of["content"] = await one.look()

    await asyncio.gather(*map(look, receivers, found))
    for peer in (*receivers, *senders):
        await (peer.close() if isinstance(peer, Sender) else peer.peer.close())
    for session in sessions:
        await session.close()
    return {"streams": found, "wall_s": wall_s}


if __name__ == "__main__":
    say(result=asyncio.run(run()))
