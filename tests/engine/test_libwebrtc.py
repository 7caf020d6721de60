"""Our peer with a real libwebrtc at the other end: a Node process that is told what to do.

Everything asserts content: the counter in decoded pictures, the frequency of decoded sound.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media_files import dominant_frequency

from xnb.engine.peer import Peer, PeerState
from xnb.media import synthetic
from xnb.media.source import EndOfMedia, SourceTrack
from xnb.settings import VideoCodec

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT / "tests" / "bench" / "peer"
LIMIT_S = 20.0
CELL_PX, BITS = 16, 16
WIDTH, HEIGHT = 320, 240
OUR_TONE_HZ, THEIR_TONE_HZ = 600, 1000

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not (PEER / "node_modules/@roamhq/wrtc").is_dir(),
    reason="node or @roamhq/wrtc is not installed (make setup as root, then make peer)",
)


class Libwebrtc:
    """The Node process as an object: ``await far.do("offer", codec="vp8")``."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.states: list[str] = []
        self.process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls) -> Libwebrtc:
        """Start it and make its peer, with a track of each kind."""
        pipe = asyncio.subprocess.PIPE
        far = cls(
            await asyncio.create_subprocess_exec(
                "node", str(PEER / "end.js"), stdin=pipe, stdout=pipe, limit=1 << 22
            )
        )
        await far.do("open")
        return far

    async def do(self, order: str, **details: Any) -> Any:
        """Have it do something; gives its answer."""
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        assert self.process.stdin
        self.process.stdin.write(
            json.dumps({"id": number, "do": order, **details}).encode() + b"\n"
        )
        await self.process.stdin.drain()
        return await asyncio.wait_for(answer, LIMIT_S)

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            said = json.loads(line)
            if "state" in said:
                self.states.append(said["state"])
            elif "error" in said:
                self._waiting.pop(said["id"]).set_exception(AssertionError(said["error"]))
            else:
                self._waiting.pop(said["id"]).set_result(said["value"])

    async def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 5)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()
        await self._reading


class Cells(SourceTrack):
    """Grey pictures at 30 a second with a 16-bit counter in cells along the top."""

    kind = "video"

    def __init__(self) -> None:
        self.number = -1
        self._start_s: float | None = None

    async def read(self) -> av.VideoFrame:
        """The next picture, when it is due."""
        loop = asyncio.get_running_loop()
        if self._start_s is None:
            self._start_s = loop.time()
        self.number += 1
        await asyncio.sleep(max(0.0, self._start_s + self.number / 30 - loop.time()))
        if self.number >= 1 << BITS:
            raise EndOfMedia
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        picture[:HEIGHT] = 60 + self.number % 60 * 2
        for bit in range(BITS):
            value = 235 if self.number >> bit & 1 else 16
            picture[:CELL_PX, bit * CELL_PX : (bit + 1) * CELL_PX] = value
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = self.number * 3000, Fraction(1, 90000)
        return frame

    def close(self) -> None:
        """Nothing to do."""


def number_in(frame: av.VideoFrame) -> int:
    """The counter in a decoded picture of either side."""
    plane: Any = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    scale = frame.width / WIDTH
    row = luma[int(CELL_PX / 2 * scale)]
    return sum((row[int((bit + 0.5) * CELL_PX * scale)] > 125) << bit for bit in range(BITS))


class Ears:
    """What our side decodes: the last second of sound, the numbers of all pictures."""

    def __init__(self, peer: Peer) -> None:
        self.numbers: list[int] = []
        self._sound: list[Any] = []
        peer.audio_in.on_frame(self._hear)
        peer.video_in.on_frame(lambda frame, _: self.numbers.append(number_in(frame)))

    def _hear(self, frame: av.AudioFrame, _time_s: float) -> None:
        channels = len(frame.layout.channels)
        samples = np.frombuffer(frame.planes[0], np.int16, frame.samples * channels)[::channels]
        self._sound = [*self._sound[-49:], samples.copy()]

    @property
    def sound(self) -> Any:
        """The last second, mono."""
        return np.concatenate(self._sound) if self._sound else np.zeros(0, np.int16)


async def until(what: Callable[[], Any] | Callable[[], Awaitable[Any]], words: str) -> Any:
    """Wait until ``what`` gives something true, and give that."""
    deadline_s = asyncio.get_running_loop().time() + LIMIT_S
    while True:
        found = what()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline_s, f"{words}: not in {LIMIT_S:g} s"
        await asyncio.sleep(0.05)


@pytest.fixture
async def far() -> AsyncIterator[Libwebrtc]:
    started = await Libwebrtc.start()
    yield started
    await started.close()


@pytest.fixture
async def call(far: Libwebrtc) -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    """Makes a peer of ours that is connected to libwebrtc; both play."""
    made: list[Peer] = []

    async def connect(
        *,
        we_offer: bool = True,
        codec: VideoCodec | None = None,
        carry: Callable[[str, int], str] = lambda sdp, _: sdp,
    ) -> Peer:
        peer = Peer(video_codec=codec)
        made.append(peer)
        peer.audio_out.play(synthetic.tone(OUR_TONE_HZ).audio)
        peer.video_out.play(Cells())
        await far.do("play", hz=THEIR_TONE_HZ)
        if we_offer:
            await far.do("apply", type="offer", sdp=carry(await peer.make_offer(video=True), 1))
            await peer.apply_answer(carry(await far.do("answer"), 0))
        else:
            await peer.apply_offer(carry(await far.do("offer", codec=codec), 1))
            await far.do("apply", type="answer", sdp=carry(await peer.make_answer(), 0))
        await peer.wait_connected()
        await until(lambda: "connected" in far.states, "libwebrtc connected")
        return peer

    yield connect
    for peer in made:
        await peer.close()


async def far_numbers(far: Libwebrtc, count: int) -> list[int]:
    """The counters of the next ``count`` pictures that libwebrtc decodes."""
    await far.do("seen")
    found: list[dict[str, int]] = []

    async def enough() -> bool:
        found.extend(await far.do("seen"))
        return len(found) >= count

    await until(enough, "pictures at libwebrtc")
    return [one["number"] for one in found]


def assert_running(numbers: list[int], what: str) -> None:
    """They rise, and hardly any is missing."""
    assert numbers == sorted(set(numbers)), what
    assert numbers[-1] - numbers[0] < 1.3 * len(numbers), what


@pytest.mark.parametrize("we_offer", [True, False], ids=["we offer", "we answer"])
@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_pictures_and_sound_both_ways(far, call, codec, we_offer):
    if codec == "h264" and "H264" not in await far.do("offer", codec=None):
        pytest.skip("this libwebrtc was built without H.264")
    if codec == "h264":  # an offer was made to look at it: begin anew
        await far.do("close")
        await far.do("open")
        far.states.clear()
    peer = await call(we_offer=we_offer, codec=codec)
    ears = Ears(peer)

    theirs = await far_numbers(far, 60)
    assert_running(theirs[5:], "ours at libwebrtc")
    await until(lambda: len(ears.numbers) >= 60, "pictures of libwebrtc")
    assert_running(ears.numbers[5:60], "libwebrtc's at ours")

    async def whole_second() -> Any:
        samples = await far.do("heard")
        return samples if len(samples) >= 48000 else None

    at_far = np.asarray(await until(whole_second, "a second of sound at libwebrtc"), np.int16)
    assert dominant_frequency(at_far) == pytest.approx(OUR_TONE_HZ, abs=3)
    assert np.abs(at_far.astype(int)).max() > 3000
    await until(lambda: len(ears.sound) >= 48000, "a second of libwebrtc's sound")
    assert dominant_frequency(ears.sound) == pytest.approx(THEIR_TONE_HZ, abs=3)

    assert peer.video_codec_in_use == codec == peer.video_in.codec
    stats = await far.do("stats")
    mime_types = {one["id"]: one["mimeType"].lower() for one in stats if one["type"] == "codec"}
    used = {mime_types[one["codecId"]] for one in stats if one.get("kind") == "video"}
    assert used == {f"video/{codec}"}


async def test_keyframes_come_when_asked_for(far, call):
    peer = await call()
    keyframes: list[bool] = []
    peer.video_in.on_encoded(lambda frame, _: keyframes.append(frame.is_keyframe))
    await until(lambda: len(keyframes) > 20, "encoded pictures of libwebrtc")
    # libwebrtc sends a keyframe by itself only at the beginning.
    before = sum(keyframes)
    peer.request_keyframe()
    await until(lambda: sum(keyframes) > before, "a keyframe of libwebrtc")


async def test_the_picture_comes_back_after_an_outage(far, call):
    """Libwebrtc asks for a keyframe when it missed too much, and gets it."""
    sys.path.insert(0, str(ROOT))
    try:
        from tests.bench.ours.media import through
        from tests.bench.relay import Relay
    finally:
        sys.path.remove(str(ROOT))

    async def keyframes() -> int:
        for one in await far.do("stats"):
            if one["type"] == "inbound-rtp" and one["kind"] == "video":
                return int(one["keyFramesDecoded"])
        return 0

    with Relay() as relay:
        peer = await call(carry=lambda sdp, of: through(sdp, relay.ports[of]))
        ears = Ears(peer)
        await far_numbers(far, 30)
        await until(lambda: len(ears.numbers) >= 30, "pictures of libwebrtc")
        decoded = await keyframes()
        relay.worsen(loss=1.0)
        await asyncio.sleep(1.5)
        gone = ears.numbers[-1]
        relay.worsen(loss=0.0)

        async def asked() -> bool:
            return await keyframes() > decoded

        await until(asked, "a new keyframe at libwebrtc")
        assert_running((await far_numbers(far, 40))[10:], "ours at libwebrtc")
        await until(lambda: ears.numbers[-1] > gone + 60, "pictures of libwebrtc again")
        assert_running(ears.numbers[-20:], "libwebrtc's at ours")


async def test_mute_is_silence_on_either_side(far, call):
    peer = await call()
    ears = Ears(peer)

    async def far_level() -> float:
        samples = await far.do("heard")
        return float(np.abs(np.asarray(samples[-9600:] or [0])).max())

    async def loud() -> bool:
        return await far_level() > 3000

    async def quiet() -> bool:
        return await far_level() < 100

    await until(loud, "our tone at libwebrtc")
    peer.audio_out.muted = True
    await until(quiet, "our silence at libwebrtc")
    peer.audio_out.muted = False
    await until(loud, "our tone at libwebrtc again")

    def level() -> int:
        return int(np.abs(ears.sound[-9600:].astype(int)).max(initial=0))

    await until(lambda: level() > 3000, "libwebrtc's tone")
    await far.do("enable", kind="audio", on=False)
    await until(lambda: level() < 100, "libwebrtc's silence")
    await far.do("enable", kind="audio", on=True)
    await until(lambda: level() > 3000, "libwebrtc's tone again")


async def test_our_end_notices_that_libwebrtc_closed(far, call):
    peer = await call()
    await far.do("close")
    await until(lambda: peer.state in (PeerState.CLOSED, PeerState.DISCONNECTED), "the end")
    assert peer.state is PeerState.CLOSED


async def test_libwebrtc_notices_that_our_end_closed(far, call):
    peer = await call()
    await peer.close()
    await until(lambda: far.states[-1] != "connected", "the end at libwebrtc")
    assert far.states[-1] in ("closed", "disconnected", "failed")
