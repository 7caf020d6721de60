"""Rooms to measure: the two servers, the clips that are sent in them, and what must arrive."""

from __future__ import annotations

import asyncio
import colorsys
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xnb.errors import SfuError
from xnb.server.app import serving
from xnb.server.janus.process import JanusProcess
from xnb.server.options import ServerOptions, SfuOptions
from xnb.signaling.janus import Gateway, JanusSession, RoomAdmin

from .harness import ROOT, BadRun, Driver, Missing, cpu_s, python

ROOM = "measurement"
CLIP_S = 6
VIDEO_BPS = 600_000
SECRET = "a secret of this measurement"
_SERVE = "from tests.bench.rooms import serve; serve()"
_START_S = 20


def tone_hz(number: int) -> float:
    """The tone of the ``number``-th publisher."""
    return 300.0 + 100 * number


def colour(number: int) -> tuple[int, int, int]:
    """The colour of the band on top of the ``number``-th publisher's picture."""
    red, green, blue = colorsys.hsv_to_rgb(number / 8, 0.9, 0.9)
    return round(red * 255), round(green * 255), round(blue * 255)


def clips(folder: Path, count: int) -> list[str]:
    """Files of VP8 at 640x480 and 30 pictures a second, and Opus; one for each publisher."""
    if shutil.which("ffmpeg") is None:
        raise Missing("FFmpeg is not installed (apt-get install ffmpeg)")
    made = []
    for number in range(count):
        path = folder / f"clip-{number}.webm"
        band = "{:02x}{:02x}{:02x}".format(*colour(number))
        picture = (
            f"testsrc2=size=640x480:rate=30:duration={CLIP_S},"
            f"drawbox=x=0:y=0:w=iw:h=80:color=0x{band}:t=fill"
        )
        sound = f"sine=frequency={tone_hz(number)}:sample_rate=48000:duration={CLIP_S}"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture]
        command += ["-f", "lavfi", "-i", sound, "-c:v", "libvpx", "-b:v", str(VIDEO_BPS)]
        command += ["-deadline", "realtime", "-cpu-used", "8", "-g", "60", "-auto-alt-ref", "0"]
        command += ["-c:a", "libopus", "-b:a", "32000", str(path)]
        subprocess.run(command, check=True, timeout=120)
        made.append(str(path))
    return made


def serve() -> None:
    """The embedded server in a process of its own: says where it is, ends with its input."""

    async def run() -> None:
        options = ServerOptions(sfu=SfuOptions(api_secret=SECRET))
        async with serving("the token of this measurement", options) as url:
            print(url, flush=True)
            await asyncio.to_thread(sys.stdin.read)

    asyncio.run(run())


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two: its process id, where its Janus API is, the key to make rooms."""

    pid: int
    gateway: dict[str, Any]
    admin_key: str | None = None


@contextmanager
def embedded() -> Iterator[Server]:
    """Our server, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(_START_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        url = process.stdout.readline().strip()
        watchdog.cancel()
        if not url:
            raise RuntimeError("The embedded server did not start.")
        gateway = {"url": url.replace("http:", "ws:") + "/janus", "api_secret": SECRET}
        yield Server(process.pid, gateway)
    finally:
        watchdog.cancel()
        assert process.stdin
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def janus() -> Iterator[Server]:
    """Debian's Janus, private and with the settings that ``xnb serve --janus auto`` gives it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    process = JanusProcess()

    def done(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_START_S)

    try:
        try:
            endpoint = done(process.start())
        except SfuError as error:
            raise Missing(str(error)) from None
        assert process.pid is not None
        gateway = {"url": endpoint.url, "api_secret": endpoint.api_secret}
        yield Server(process.pid, gateway, endpoint.admin_key)
    finally:
        done(process.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


SERVERS: dict[str, Callable[[], Any]] = {"ours": embedded, "janus": janus}


@dataclass(slots=True)
class Measured:
    """What one run of people in a room gave.

    Attributes:
        cpu_share: Of one core, that the server took.
        rss_bytes: Memory of the server at the begin and at the end.
        streams: One for each connection of a receiver; see ``ours/room.py``.
        late_p95_ms: Of all sound, behind the promptest frame of each stream.
        lost: Packets that never came.
        first_picture_ms: From subscribing to the first whole picture, median.
    """

    cpu_share: float
    rss_bytes: tuple[int, int]
    streams: list[dict[str, Any]]
    late_p95_ms: float
    lost: int
    first_picture_ms: float


def run(
    server: str,
    files: Sequence[str],
    receives: Sequence[Sequence[int]],
    *,
    warm_s: float = 3,
    seconds: float = 10,
    losses: Mapping[int, float] | None = None,
) -> Measured:
    """People in a new room of a new server.

    Args:
        server: ``"ours"`` or ``"janus"``.
        files: The clip of each publisher.
        receives: For each receiver the numbers of the publishers it gets.
        warm_s: Before measuring.
        seconds: What is measured.
        losses: For a connection, counted in the order of ``receives``, the share of packets that
            get lost on their way to it.

    Raises:
        BadRun: A stream had another's picture or sound, or stood still.
    """
    cpu: dict[str, float] = {}
    rss: list[int] = []
    with SERVERS[server]() as place:
        asyncio.run(_make_room(place))

        def marked(name: str) -> None:
            cpu[name] = cpu_s(place.pid)
            rss.append(_rss_bytes(place.pid))

        work = {
            "gateway": place.gateway,
            "room": ROOM,
            "clips": list(files),
            "receives": [list(one) for one in receives],
            "warm_s": warm_s,
            "seconds": seconds,
            "losses": {str(who): share for who, share in (losses or {}).items()},
        }
        driver = Driver(python("room"), work, limit_s=seconds + warm_s + 90, on_mark=marked)
    streams = driver.result["streams"]
    wall_s = driver.result["wall_s"]
    _check(streams, wall_s)
    late_s = [late for one in streams for late in one["sound_late_s"]]
    return Measured(
        cpu_share=(cpu["end"] - cpu["begin"]) / (driver.at_s["end"] - driver.at_s["begin"]),
        rss_bytes=(rss[0], rss[-1]),
        streams=streams,
        late_p95_ms=float(np.percentile(late_s, 95)) * 1000,
        lost=sum(one["sound"][1] + one["pictures"][1] for one in streams),
        first_picture_ms=1000 * statistics.median(one["first_picture_s"] or 99 for one in streams),
    )


async def _make_room(place: Server) -> None:
    session = JanusSession(Gateway(**place.gateway))
    await session.open()
    try:
        room = RoomAdmin(session, ROOM, admin_key=place.admin_key)
        await room.create(publishers=64, video_codecs=("vp8",), bitrate_bps=4_000_000)
    finally:
        await session.close()


def _rss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _check(streams: Sequence[dict[str, Any]], wall_s: float) -> None:
    """Each stream must hold its publisher's picture and tone, at their full rate."""
    for one in streams:
        number = one["publisher"]
        seen, heard = one["content"]["colour"], one["content"]["tone_hz"]
        wanted = colour(number)
        if max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) > 40:
            raise BadRun(f"picture of publisher {number}: {seen} instead of {wanted}")
        if abs(heard - tone_hz(number)) > 15:
            raise BadRun(f"sound of publisher {number}: {heard:.0f} Hz, not {tone_hz(number):.0f}")
        if one["pictures"][0] < 30 * wall_s * 0.7:
            raise BadRun(f"publisher {number}: {one['pictures'][0]} pictures in {wall_s:.0f} s")
