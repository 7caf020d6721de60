"""A file sent by one of our peers and recorded by the other, in one process.

The job: ``input``, ``output`` and ``seconds``.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from tests.bench.ours import media
from xnb.engine.peer import Peer
from xnb.media.files import FileSource
from xnb.media.recorder import Recorder

JOB = json.loads(sys.argv[1])


async def main() -> None:
    """Do the job."""
    near, far = pair = [Peer(), Peer()]
    await media.connect(pair, video=True, relay=None)
    media.say(mark="begin")
    source = await asyncio.to_thread(FileSource.open, JOB["input"])
    recorder = Recorder(
        JOB["output"],
        audio=True,
        video=True,
        keyframe_needed=lambda _side: far.video_in.request_keyframe(),
    )
    for incoming in (far.audio_in, far.video_in):
        incoming.on_encoded(lambda frame, time_s: recorder.push("remote", frame, time_s))
    near.audio_out.play(source.audio)
    near.video_out.play(source.video)
    await asyncio.sleep(JOB["seconds"])
    await recorder.finish()
    media.say(mark="end")
    media.say(result={})
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
