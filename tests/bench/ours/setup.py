"""How long two of our peers need from the offer until both are connected.

The last pair plays a tone and the other side checks that it arrives.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time

import numpy as np

from tests.bench.clip import RATE_HZ
from tests.bench.ours import media
from xnb.engine.peer import Peer

JOB = json.loads(sys.argv[1])


async def hears(pair: list[Peer]) -> bool:
    """Whether a 1 kHz tone comes through, in both directions."""
    loudest = [0, 0]
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)
    for index, peer in enumerate(pair):

        def take(frame: object, _time_s: float, index: int = index) -> None:
            samples = np.frombuffer(frame.planes[0], np.int16)  # type: ignore[attr-defined]
            loudest[index] = max(loudest[index], int(samples.max()))

        peer.audio_in.on_frame(take)
        peer.audio_out.play(media.AudioSender(tone, []))
    for _ in range(100):
        if min(loudest) > 4000:
            return True
        await asyncio.sleep(0.02)
    return False


async def main() -> None:
    """Do the job."""
    times_s = []
    sound = False
    for number in range(JOB["count"] + 2):
        pair = [Peer(), Peer()]
        start_s = time.perf_counter()
        await media.connect(pair, video=True, relay=None)
        if number >= 2:  # the first two warm up
            times_s.append(time.perf_counter() - start_s)
        if number == JOB["count"] + 1:
            sound = await hears(pair)
        await asyncio.gather(*(peer.close() for peer in pair))
        gc.collect()
        await asyncio.sleep(0.02)
    media.say(result={"times_s": times_s, "sound": sound})
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
