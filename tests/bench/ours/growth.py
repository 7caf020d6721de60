"""A long call between two of our peers, with a reading taken every few seconds.

The job is that of call.py with ``sample_s`` more. The pictures and clicks are read for their
latency; a reading holds medians since the one before.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import threading
import time

import numpy as np

from tests.bench.ours import media
from tests.bench.ours.call import JOB, Call


def rss_bytes() -> int:
    """Memory of this process now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def main() -> None:
    """Do the job."""
    call = Call(media.Clip(**JOB["video"]), np.fromfile(JOB["sound"], np.int16))
    await call.connect()
    await asyncio.sleep(JOB["warm_s"])
    start_s = time.perf_counter()
    frozen_s = 0.0
    while (left_s := start_s + JOB["seconds"] - time.perf_counter()) > 0:
        for receiver in (*call.seen, *call.heard):
            receiver.reset()
        await asyncio.sleep(min(left_s, JOB["sample_s"]))
        gc.collect()
        video = [one.report() for one in call.seen]
        audio = [one.report() for one in call.heard]
        frozen_s += sum(one["frozen_s"] for one in video)
        media.say(
            sample={
                "at_s": time.perf_counter() - start_s,
                "rss_bytes": rss_bytes(),
                "tasks": len(asyncio.all_tasks()),
                "threads": threading.active_count(),
                "files": len(os.listdir("/proc/self/fd")),
                "video_s": statistics.median(x for one in video for x in one["latencies_s"]),
                "audio_s": statistics.median(x for one in audio for x in one["latencies_s"]),
                "unreadable": sum(one["unreadable"] for one in video),
            }
        )
    media.say(result={"frozen_s": frozen_s})
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
