"""Runs calls on either side with the same media and refuses results whose media was wrong."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import clip
from .harness import BadRun, Driver, node, python

WIDTH, HEIGHT, FPS = 640, 480, 30
BITRATE_BPS = 1_700_000
"""What libwebrtc gives VP8 at 640x480 at most; ours gets the same limit."""
LOOP_PICTURES = 120
ALIKE = 0.8
"""How alike the loudness of what was sent and heard must run on a clean link."""
WHOLE = 0.97
"""Share of the pictures and the sound that must arrive on a clean link."""
QUALITY_DB = 30.0


@cache
def _speech() -> NDArray[np.int16]:
    return clip.speech()


class Scene:
    """The media of a measurement as files in ``folder``."""

    def __init__(self, folder: Path, *, pictures: int = LOOP_PICTURES) -> None:
        self.folder = folder
        self.pictures = pictures
        self._clicks: list[int] = []

    @property
    def video(self) -> dict[str, Any]:
        """A clip, for a job."""
        path = self.folder / "clip.yuv"
        if not path.exists():
            clip.pictures(WIDTH, HEIGHT, self.pictures).tofile(path)
        return {"path": str(path), "width": WIDTH, "height": HEIGHT, "fps": FPS}

    def speech(self) -> dict[str, Any]:
        """Speech, for a job."""
        path = self.folder / "speech.s16"
        if not path.exists():
            _speech().tofile(path)
        return {"sound": str(path), "clicks": []}

    def clicks(self) -> dict[str, Any]:
        """Clicks, for a job."""
        path = self.folder / "clicks.s16"
        samples, places = clip.clicks()
        samples.tofile(path)
        return {"sound": str(path), "clicks": places}

    def heard(self, index: int) -> NDArray[np.int16]:
        """What side ``index`` of the first call heard while it was kept."""
        return np.fromfile(self.folder / f"heard{index}.s16", np.int16)


def job(scene: Scene, *, seconds: float, warm_s: float, **more: Any) -> dict[str, Any]:
    """A job for ours/call.py and peer/call.js."""
    made: dict[str, Any] = {
        "calls": 1,
        "video": None,
        "sound": None,
        "clicks": [],
        "relay": None,
        "warm_s": warm_s,
        "seconds": seconds,
        "after_s": 0,
        "capture": None,
        "folder": str(scene.folder),
        "bitrate_bps": BITRATE_BPS,
    }
    return made | more


def run(side: str, work: dict[str, Any], **more: Any) -> Driver:
    """Run one side, ``"ours"`` or ``"peer"``."""
    command = python("call") if side == "ours" else node("call.js")
    limit_s = work["warm_s"] + work["seconds"] + work["after_s"] + 60
    return Driver(command, work, limit_s=limit_s, **more)


def check(
    scene: Scene, work: dict[str, Any], driver: Driver, whole: float = WHOLE, alike: float = ALIKE
) -> None:
    """Look whether the right media arrived.

    Args:
        scene: What was sent.
        work: What was asked for.
        driver: What was reported.
        whole: The share of it that must have arrived.
        alike: How alike the loudness of what was said and heard must run.

    Raises:
        BadRun: It did not.
    """
    result = driver.result
    wall_s = result["wall_s"]
    sides = 2 * work["calls"]
    if work["video"]:
        if len(result["video"]) != sides:
            raise BadRun(f"{len(result['video'])} of {sides} tracks with pictures")
        for one in result["video"]:
            if one["pictures"] < whole * wall_s * FPS:
                raise BadRun(f"{one['pictures']} pictures in {wall_s:.1f} s")
            if one["unreadable"] or one["backwards"]:
                raise BadRun(
                    f"{one['unreadable']} pictures were damaged, {one['backwards']} out of order"
                )
            if one["smaller"]:
                raise BadRun(f"{one['smaller']} pictures were scaled down")
            if one["psnrs_db"] and statistics.median(one["psnrs_db"]) < QUALITY_DB:
                raise BadRun("the pictures are not those that were sent")
    if work["sound"]:
        if len(result["audio"]) != sides:
            raise BadRun(f"{len(result['audio'])} of {sides} tracks with sound")
        for one in result["audio"]:
            if one["seconds"] < whole * wall_s:
                raise BadRun(f"{one['seconds']:.1f} s of sound in {wall_s:.1f} s")
            if work["clicks"] and len(one["latencies_s"]) < wall_s:
                raise BadRun(f"{len(one['latencies_s'])} clicks were heard in {wall_s:.1f} s")
        if work["capture"]:
            for index in range(2):
                share = clip.heard_share(scene.heard(index), _speech())
                if share < alike:
                    raise BadRun(f"what was heard is not what was said ({share:.2f})")


def checked(
    scene: Scene, work: dict[str, Any], whole: float = WHOLE, alike: float = ALIKE
) -> Callable[[str], Callable[[], dict[str, Any]]]:
    """Makes the runs of each side for harness.in_turn: what CPU and memory they took, too."""

    def of(side: str) -> Callable[[], dict[str, Any]]:
        def go() -> dict[str, Any]:
            driver = run(side, work)
            check(scene, work, driver, whole, alike)
            return driver.result | {
                "cpu_s_a_minute": driver.spent(),
                "peak_bytes": driver.peak_bytes,
            }

        return go

    return of


def pooled(result: dict[str, Any], kind: str, name: str) -> list[float]:
    """The figures ``name`` of all tracks of one kind."""
    return [value for one in result[kind] for value in one[name]]
