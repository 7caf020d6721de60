"""A file is sent one way and recorded at the other end: CPU of all processes, both ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np

from . import clip
from .calls import ALIKE, FPS, HEIGHT, WIDTH, Scene
from .harness import (
    BadRun,
    Driver,
    Missing,
    Options,
    Record,
    Target,
    figure,
    in_turn,
    main,
    need_peer,
    node,
    python,
    workplace,
)

WHOLE = 0.85
"""Share of the pictures that must be in the recording: connections start with a ramp."""


def measure(options: Options) -> list[Record]:
    """CPU from the first byte that is read to the finished recording."""
    need_peer()
    if shutil.which("ffmpeg") is None:
        raise Missing("ffmpeg is not installed (apt-get install ffmpeg)")
    seconds = options.seconds(24)
    with workplace() as folder:
        source = _make(Scene(folder), folder, seconds + 10)

        def one(side: str, suffix: str, command: list[str]) -> dict[str, Any]:
            output = folder / f"{side}{suffix}"
            work = {"input": str(source), "output": str(output), "seconds": seconds}
            work |= {"width": WIDTH, "height": HEIGHT, "fps": FPS}
            driver = Driver(command, work, limit_s=seconds + 60)
            _check(output, seconds)
            spent_s = driver.cpu_s["end"] - driver.cpu_s["begin"]
            return {"cpu_s_a_minute": spent_s / seconds * 60}

        ours, peer = in_turn(
            options.runs,
            lambda: one("ours", ".webm", python("file")),
            lambda: one("peer", ".mp4", node("file.js")),
        )
    return [
        figure(
            "CPU, file in, recording out, one way",
            "CPU s/min",
            [got["cpu_s_a_minute"] for got in ours],
            [got["cpu_s_a_minute"] for got in peer],
            Target(0.14),
            "VP8 + Opus .webm, 640x480 at 30; peer: ffmpeg + @roamhq/wrtc + ffmpeg (x264 veryfast)",
        )
    ]


def _make(scene: Scene, folder: Path, seconds: float) -> Path:
    """A .webm as a camera's recording would be: VP8, a keyframe every two seconds, Opus."""
    path = folder / "source.webm"
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS)]
    pictures = [*raw, "-stream_loop", "-1", "-i", scene.video["path"]]
    sound = ["-f", "s16le", "-ac", "1", "-ar", str(clip.RATE_HZ), "-stream_loop", "-1"]
    vp8 = "-c:v libvpx -deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0 -g 60"
    command = ["ffmpeg", "-v", "error", "-y", "-nostdin", *pictures]
    command += [*sound, "-i", scene.speech()["sound"], "-t", str(seconds), *vp8.split()]
    command += ["-b:v", "1200k", "-c:a", "libopus", "-b:a", "32k", str(path)]
    subprocess.run(command, check=True, timeout=300)
    return path


def _check(path: Path, seconds: float) -> None:
    numbers, parts = [], []
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", clip.RATE_HZ)
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                row = frame.to_ndarray(format="gray")[clip.CELL_PX // 2]
                numbers.append(clip.read_counter(row))
            else:
                parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    if len(numbers) < WHOLE * seconds * FPS:
        raise BadRun(f"{len(numbers)} pictures in a recording of {seconds:g} s")
    if None in numbers:
        raise BadRun("damaged pictures in the recording")
    heard = np.concatenate([*parts, np.zeros(0, np.int16)])
    if len(heard) < WHOLE * seconds * clip.RATE_HZ:
        raise BadRun(f"{len(heard) / clip.RATE_HZ:.1f} s of sound in a recording of {seconds:g} s")
    if (share := clip.heard_share(heard[clip.RATE_HZ :], clip.speech())) < ALIKE:
        raise BadRun(f"the recording's sound is not what was sent ({share:.2f})")


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
