"""People in a room of an SFU; the same for the embedded one and for Janus.

The job, as JSON: ``gateway`` (url and secrets), ``room``, ``clips`` (a file for each publisher),
``receives`` (for each receiver the numbers of the publishers it gets), ``warm_s``, ``seconds``
(what is measured), ``losses`` (for a connection, counted in the order of ``receives``, the share of
what comes to it that is thrown away, unread). Who sends is in this process, who receives in
others, 16 connections in each (see ``receivers.py``).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from xnb.engine.peer import Peer
from xnb.media.clock import MonotonicClock
from xnb.media.files import FileSource
from xnb.settings import VideoSettings
from xnb.signaling.janus import Gateway, JanusSession, Publisher

JOB: dict[str, Any] = json.loads(sys.argv[1])
CONNECT_S = 20.0
LOOK_S = 60.0
TOGETHER = 16
"""Connections that receive in one process."""
MOST_LINE_BYTES = 1 << 28
LIMITS = VideoSettings(max_bitrate_bps=4_000_000, start_bitrate_bps=4_000_000)


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


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


class Receivers:
    """A process with some of the connections that receive."""

    def __init__(self, feeds: list[Any], receives: list[int], losses: dict[int, float]) -> None:
        self._job = {
            "gateway": JOB["gateway"],
            "room": JOB["room"],
            "feeds": feeds,
            "receives": receives,
            "losses": losses,
            "seconds": JOB["seconds"],
        }

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bench.ours.receivers",
            json.dumps(self._job),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MOST_LINE_BYTES,
        )
        await self.hear("ready", CONNECT_S)

    async def hear(self, what: str, limit_s: float) -> Any:
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), limit_s)
        if not line:
            raise RuntimeError(f"A process that receives ended before it was {what}.")
        return json.loads(line)[what]

    def go_on(self) -> None:
        assert self._process.stdin
        self._process.stdin.write(b"\n")

    async def close(self) -> None:
        if self._process.returncode is None:
            assert self._process.stdin
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), 5)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


def parts(feeds: list[Any]) -> list[Receivers]:
    """All connections, in processes of 16."""
    publishers = [publisher for wanted in JOB["receives"] for publisher in wanted]
    losses = {int(number): share for number, share in JOB["losses"].items()}
    found = []
    for begin in range(0, len(publishers), TOGETHER):
        some = publishers[begin : begin + TOGETHER]
        lossy = {at - begin: losses[at] for at in range(begin, begin + len(some)) if at in losses}
        found.append(Receivers(feeds, some, lossy))
    return found


async def run() -> dict[str, Any]:
    gateway = Gateway(**JOB["gateway"])
    sessions = [JanusSession(gateway) for _ in JOB["clips"]]
    for session in sessions:
        await session.open()
    senders = [Sender(session, number) for number, session in enumerate(sessions)]
    receivers = parts([await sender.publish() for sender in senders])
    try:
        await asyncio.gather(*(one.start() for one in receivers))
        for one in receivers:  # one after the other: the first pictures are timed
            one.go_on()
            await one.hear("subscribed", CONNECT_S * TOGETHER)
        await asyncio.sleep(JOB["warm_s"])
        say(mark="begin")
        began_s = time.monotonic()
        for one in receivers:
            one.go_on()
        limit_s = JOB["seconds"] + CONNECT_S
        await asyncio.gather(*(one.hear("measured", limit_s) for one in receivers))
        wall_s = time.monotonic() - began_s
        say(mark="end")
        streams = []
        for one in receivers:
            one.go_on()
            streams += await one.hear("streams", LOOK_S)
    finally:
        await asyncio.gather(*(one.close() for one in receivers), return_exceptions=True)
    for sender in senders:
        await sender.close()
    for session in sessions:
        await session.close()
    return {"streams": streams, "wall_s": wall_s}


if __name__ == "__main__":
    say(result=asyncio.run(run()))
