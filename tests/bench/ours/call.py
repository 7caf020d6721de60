"""Calls between our peers in one process; the twin of ../peer/call.js.

The job, as JSON: ``calls`` (how many), ``video`` (path, width, height, fps, or null), ``sound``
(a raw file or null), ``clicks`` (where they are in it), ``relay`` (its two ports, or null),
``warm_s``, ``seconds`` (what is measured), ``after_s`` (a stretch behind it in which pictures
are compared with the originals), ``capture`` ("during", "after" or null: when the sound of the
first call is kept), ``folder`` (where to), ``bitrate_bps`` (of the pictures), ``lateness``
(whether to note when each frame of sound came).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.ours import media
from xnb.engine.peer import Peer
from xnb.settings import VideoSettings

JOB: dict[str, Any] = json.loads(sys.argv[1])


class Call:
    """Two peers, what they send and what they get."""

    def __init__(self, clip: media.Clip | None, sound: Any) -> None:
        settings = None
        if clip:
            bitrate_bps = JOB["bitrate_bps"]
            settings = VideoSettings(max_bitrate_bps=bitrate_bps, start_bitrate_bps=bitrate_bps)
        self.peers = [Peer(video_settings=settings) for _ in range(2)]
        self.videos = [media.VideoSender(clip) for _ in self.peers] if clip else []
        self.audios = (
            [media.AudioSender(sound, JOB["clicks"]) for _ in self.peers]
            if sound is not None
            else []
        )
        self.seen: list[media.VideoReceiver] = []
        self.heard: list[media.AudioReceiver] = []

    async def connect(self) -> None:
        """Connect, then begin to send and to decode both ways."""
        await media.connect(self.peers, video=bool(self.videos), relay=JOB.get("relay"))
        for index, peer in enumerate(self.peers):
            if self.videos:
                self.seen.append(media.VideoReceiver(peer, self.videos[1 - index]))
                peer.video_out.play(self.videos[index])
            if self.audios:
                lateness = bool(JOB.get("lateness"))
                sender = self.audios[1 - index]
                self.heard.append(media.AudioReceiver(peer, sender, lateness=lateness))
                peer.audio_out.play(self.audios[index])


async def figures(calls: list[Call]) -> dict[str, float]:
    """Running totals of both ends of all calls."""
    total = {"video_bytes": 0.0, "audio_bytes": 0.0, "played": 0.0, "lost": 0.0}
    for call in calls:
        for peer in call.peers:
            total["video_bytes"] += peer.video_in.bytes
            total["audio_bytes"] += peer.audio_in.bytes
            total["lost"] += audio_lost(peer)
        for audio in call.audios:
            total["played"] += audio.number + 1
    return total


def audio_lost(peer: Peer) -> float:
    """20 ms frames of sound that were made up or thrown away."""
    playout = peer.audio_in.playout
    return float(playout.concealed + playout.skipped) if playout else 0.0


async def main() -> None:
    """Do the job."""
    clip = media.Clip(**JOB["video"]) if JOB.get("video") else None
    sound = np.fromfile(JOB["sound"], np.int16) if JOB.get("sound") else None
    calls = [Call(clip, sound) for _ in range(JOB["calls"])]
    for call in calls:
        await call.connect()
    seen = [one for call in calls for one in call.seen]
    heard = [one for call in calls for one in call.heard]
    capture, kept = JOB.get("capture"), heard[:2]
    media.say(mark="connected")
    await asyncio.sleep(JOB["warm_s"])
    gc.collect()

    before = await figures(calls)
    for receiver in (*seen, *heard):
        receiver.reset()
    for receiver in kept:
        receiver.capturing = capture == "during"
    start_s = time.perf_counter()
    media.say(mark="begin")
    await asyncio.sleep(JOB["seconds"])
    media.say(mark="end")
    wall_s = time.perf_counter() - start_s
    after = await figures(calls)
    video = [one.report() for one in seen]
    audio = [one.report() for one in heard]

    if JOB.get("after_s"):
        for one in seen:
            one.psnrs_db = []
            one.psnr = True
        for receiver in kept:
            receiver.capturing = capture == "after"
        await asyncio.sleep(JOB["after_s"])
        for report, one in zip(video, seen, strict=True):
            report["psnrs_db"] = one.psnrs_db
    for index, receiver in enumerate(kept):
        receiver.capturing = False
        if capture:
            receiver.write(Path(JOB["folder"]) / f"heard{index}.s16")
    grown = {key: after[key] - before[key] for key in after}
    media.say(
        result={
            "wall_s": wall_s,
            "video": video,
            "audio": audio,
            "video_bps": grown["video_bytes"] * 8 / wall_s / max(1, len(seen)),
            "audio_bps": grown["audio_bytes"] * 8 / wall_s / max(1, len(heard)),
            "audio_lost": grown["lost"] / grown["played"] if grown["played"] else 0,
            "playouts": [repr(peer.audio_in.playout) for call in calls for peer in call.peers],
            "skipped": sum(one.skipped for call in calls for one in call.videos),
        }
    )
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
