"""Clients of the videoroom plugin that talk to its objects directly; their media are real."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from xnb.engine.peer import Peer
from xnb.engine.room_peer import RoomPeer
from xnb.engine.rtp.bandwidth import SendRate
from xnb.engine.send import Outgoing
from xnb.media import synthetic
from xnb.media.frames import to_rgb
from xnb.server.janus.plugin import Answer, Plugin, PluginError
from xnb.settings import VideoSettings

TIMEOUT_S = 15.0
CODECS = {"audio": ("opus",), "video": ("vp8", "h264")}
COLOURS = [
    (220, 40, 40),
    (40, 200, 60),
    (50, 60, 230),
    (220, 210, 40),
    (210, 40, 220),
    (40, 210, 220),
    (240, 240, 240),
    (230, 130, 30),
]
_numbers = itertools.count(1)


def tone_hz(number: int) -> float:
    return 400.0 + 150 * number


class Link:
    """What the core would give the plugin; keeps all that is said."""

    def __init__(self) -> None:
        self.id = next(_numbers)
        self.session_id = next(_numbers)
        self.opaque_id: str | None = None
        self.is_owner = True
        self.events: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
        self.ups = 0
        self.media_changes: list[tuple[str, str, bool]] = []
        self.hangups: list[str] = []
        self.is_closed = False

    def event(self, data: dict[str, Any], jsep: dict[str, Any] | None = None) -> None:
        self.events.append((data, jsep))

    def webrtcup(self) -> None:
        self.ups += 1

    def media(self, kind: str, mid: str, receiving: bool) -> None:
        self.media_changes.append((kind, mid, receiving))

    def hangup(self, reason: str) -> None:
        self.hangups.append(reason)

    def close(self) -> None:
        self.is_closed = True


async def until(condition: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> Any:
    start_s = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - start_s < timeout_s, f"{what}: not within {timeout_s:g} s"
        await asyncio.sleep(0.01)
    return found


class Client:
    """One attached handle."""

    def __init__(self, plugin: Plugin) -> None:
        self.link = Link()
        self.handle = plugin.attach(self.link)
        self.peer: Any = None

    async def ask(
        self, request: str, jsep: dict[str, Any] | None = None, **body: Any
    ) -> dict[str, Any]:
        return (await self.answer(request, jsep, **body)).data

    async def answer(self, request: str, jsep: dict[str, Any] | None = None, **body: Any) -> Answer:
        return await self.handle.message({"request": request, **body}, jsep)

    async def refused(self, request: str, jsep: dict[str, Any] | None = None, **body: Any) -> int:
        try:
            answer = await self.answer(request, jsep, **body)
        except PluginError as error:
            return error.code if error.reason else 0
        raise AssertionError(f"not refused: {answer.data}")

    async def event(self, timeout_s: float = TIMEOUT_S, **members: Any) -> dict[str, Any]:
        """Wait for an event that has these members; ``...`` stands for any value."""
        return (await self.event_and_jsep(timeout_s, **members))[0]

    async def event_and_jsep(
        self, timeout_s: float = TIMEOUT_S, **members: Any
    ) -> tuple[dict[str, Any], Any]:
        def find() -> tuple[dict[str, Any], Any] | None:
            for data, jsep in self.link.events:
                if all(
                    name in data and (value is ... or data[name] == value)
                    for name, value in members.items()
                ):
                    return data, jsep
            return None

        return await until(find, f"an event with {members}", timeout_s)

    async def close(self) -> None:
        await self.handle.detach()
        if self.peer:
            await self.peer.close()


class Member(Client):
    """A participant that publishes a test card with a tone and a colour of its own."""

    def __init__(self, plugin: Plugin, number: int = 0) -> None:
        super().__init__(plugin)
        self.number = number
        self.id: Any = None
        self.low: Outgoing | None = None
        self.joined: dict[str, Any] = {}

    async def join(self, room: Any, **body: Any) -> dict[str, Any]:
        self.joined = await self.ask(
            "join", room=room, ptype="publisher", display=f"member {self.number}", **body
        )
        assert self.joined["videoroom"] == "joined"
        self.id = self.joined["id"]
        return self.joined

    async def offer(
        self, *, video: bool = True, low: bool = False, **settings: Any
    ) -> dict[str, str]:
        """An offer of a test card; ``low`` adds a small copy in another colour."""
        self.peer = Peer(**settings)
        source = synthetic.testcard(
            320, 240, fps=20, tone_hz=tone_hz(self.number), colour=COLOURS[self.number % 8]
        )
        self.peer.audio_out.play(source.audio)
        if video:
            self.peer.video_out.play(source.video)
        self.peer._open(True, video, "sendonly")
        if low:
            self.add_low()
        return {"type": "offer", "sdp": await self.peer.make_offer(video=video)}

    def add_low(self) -> None:
        small = VideoSettings(max_bitrate_bps=150_000, start_bitrate_bps=100_000)
        self.low = Outgoing("video", small)
        other = COLOURS[(self.number + 4) % 8]
        self.low.play(synthetic.testcard(160, 120, fps=10, audio=None, colour=other).video)
        transceiver = self.peer.pc.addTransceiver("video", direction="sendonly")
        rate = SendRate(small.start_bitrate_bps, small.max_bitrate_bps)
        stream = self.peer.streams.send(transceiver, rate, on_open=self.low.start)
        self.low.attach(stream)

    async def publish(self, request: str = "publish", **body: Any) -> dict[str, Any]:
        wanted = {name: body.pop(name) for name in ("video", "low", "video_codec") if name in body}
        answer = await self.answer(request, await self.offer(**wanted), **body)
        assert answer.jsep is not None
        assert answer.jsep["type"] == "answer"
        await self.peer.apply_answer(answer.jsep["sdp"])
        await self.peer.wait_connected()
        await until(lambda: self.link.ups == 1, "webrtcup of a publisher")
        return answer.data

    async def close(self) -> None:
        if self.low:
            await self.low.stop()
        await super().close()


class Viewer(Client):
    """A subscriber: hears and sees what it gets, in any number of m-lines."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__(plugin)
        self.attached: dict[str, Any] = {}
        self.eyes: dict[str, Eyes] = {}
        self.ears: dict[str, Ears] = {}

    async def subscribe(self, room: Any, *streams: dict[str, Any], **body: Any) -> dict[str, Any]:
        if streams:
            body["streams"] = list(streams)
        answer = await self.answer("join", room=room, ptype="subscriber", **body)
        self.attached = answer.data
        assert self.attached["videoroom"] == "attached"
        await self.take(answer.jsep)
        await self.peer.wait_connected()
        await until(lambda: self.link.ups == 1, "webrtcup of a subscriber")
        return self.attached

    async def take(self, jsep: Any) -> None:
        """Answer an offer of the room, the first or a later one."""
        assert jsep["type"] == "offer"
        if self.peer is None:
            self.peer = RoomPeer()
        sdp = await self.peer.answer(jsep["sdp"], CODECS)
        for line in self.peer.received:
            if line.kind == "video" and line.mid not in self.eyes:
                self.eyes[line.mid] = Eyes(line.incoming)
            elif line.kind == "audio" and line.mid not in self.ears:
                self.ears[line.mid] = Ears(line.incoming)
        started = await self.ask("start", {"type": "answer", "sdp": sdp})
        assert started["started"] == "ok"

    def mids(self, kind: str) -> list[str]:
        return [line.mid for line in self.peer.received if line.kind == kind]


class Eyes:
    """What is seen in one m-line: the newest colour, and how many pictures came."""

    def __init__(self, incoming: Any) -> None:
        self.pictures = 0
        self.size = (0, 0)
        self.rgb: tuple[int, int, int] | None = None
        incoming.on_frame(self._take)

    def _take(self, frame: Any, _time_s: float) -> None:
        self.pictures += 1
        self.size = (frame.width, frame.height)
        image = to_rgb(frame)
        part = image[frame.height // 6 : frame.height // 4, frame.width // 8 : -frame.width // 8]
        self.rgb = tuple(round(float(value)) for value in part.reshape(-1, 3).mean(axis=0))  # type: ignore[assignment]

    @property
    def number(self) -> int | None:
        """Whose colour it is; ``None`` without a picture."""
        if self.rgb is None:
            return None
        distances = [
            sum(abs(a - b) for a, b in zip(self.rgb, colour, strict=True)) for colour in COLOURS
        ]
        nearest = int(np.argmin(distances))
        assert distances[nearest] < 60, f"{self.rgb} is nobody's colour"
        return nearest

    async def sees(self, number: int, timeout_s: float = TIMEOUT_S) -> None:
        start = self.pictures
        await until(
            lambda: self.pictures > start + 2 and self.number == number,
            f"the colour of member {number}",
            timeout_s,
        )


class Ears:
    """What is heard in one m-line, for the last half second."""

    def __init__(self, incoming: Any) -> None:
        self.frames = 0
        self._samples = np.zeros(24_000, np.float32)
        incoming.on_frame(self._take)

    def _take(self, frame: Any, _time_s: float) -> None:
        self.frames += 1
        new = frame.to_ndarray()[0, ::2].astype(np.float32)
        self._samples = np.concatenate((self._samples, new))[-24_000:]

    @property
    def loudest_hz(self) -> float:
        spectrum = np.abs(np.fft.rfft(self._samples * np.hanning(24_000)))
        return float(spectrum.argmax() * 2)

    @property
    def level(self) -> float:
        """Root mean square of the last half second, 0 to 1."""
        return float(np.sqrt(np.mean((self._samples / 32768) ** 2)))

    async def silent(self, timeout_s: float = TIMEOUT_S) -> None:
        """Nothing comes any more, or nothing that can be heard."""
        deadline_s = time.monotonic() + timeout_s
        while self.level > 0.005:
            frames = self.frames
            await asyncio.sleep(0.3)
            if self.frames <= frames + 2:
                return
            assert time.monotonic() < deadline_s, "still heard"

    async def hears(self, number: int, timeout_s: float = TIMEOUT_S) -> None:
        await until(
            lambda: self.level > 0.02 and abs(self.loudest_hz - tone_hz(number)) < 6,
            f"the tone of member {number}",
            timeout_s,
        )
