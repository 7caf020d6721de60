"""The bots, called by a bare peer and plain HTTP; what arrives is looked at, not counted."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import time

import aiohttp
import numpy as np
import psutil
import pytest

from xnb.engine.peer import Peer
from xnb.media import synthetic
from xnb.server.app import serving
from xnb.server.bots import HANDLES, table
from xnb.server.bots.call import TIMEOUTS
from xnb.server.options import ServerOptions
from xnb.settings import IceSettings, Timeouts

from .conftest import TOKEN, Raw

ICE = IceSettings(loopback=True)


class Phone:
    """A caller or callee: one login, one broadcast, one peer."""

    def __init__(self, raw, *, codec=None):
        self.raw = raw
        self.peer = Peer(ice=ICE, timeouts=Timeouts(connect_s=15), video_codec=codec)
        self.sound: list[np.ndarray] = []
        self.pictures: list[tuple[float, int | None]] = []
        self.statuses: list[dict] = []
        self.sources = []
        self.broadcast = ""
        self.far = 0
        self._cursor = 0
        self._reader: asyncio.Task | None = None
        self.peer.audio_in.on_frame(self._heard)
        self.peer.video_in.on_frame(self._saw)

    def _heard(self, frame, _time_s):
        channels = len(frame.layout.channels)
        self.sound.append(frame.to_ndarray().reshape(-1, channels)[:, 0] / 32768)

    def _saw(self, frame, _time_s):
        image = frame.to_ndarray(format="rgb24")
        self.pictures.append((time.monotonic(), synthetic.read_counter(image)))

    def send(self, source):
        self.sources.append(source)
        if source.audio:
            self.peer.audio_out.play(source.audio)
        if source.video:
            self.peer.video_out.play(source.video)

    async def call(self, handle, *, video=False):
        self.far = await self.raw.find(handle)
        created = await self.raw.ok(
            "p2p/broadcast/create",
            invitees_twitter=[self.far],
            audio_only=not video,
            conversation_id=None,
        )
        self.broadcast = created["broadcast_id"]
        await self.raw.ok("p2p/broadcast/publish", broadcast_id=self.broadcast)
        await self.raw.ok(
            "xnb/announce",
            broadcast_id=self.broadcast,
            recipient_id=self.far,
            audio_only=not video,
            conversation_id=None,
        )

    async def offer(self, *, video=False):
        await self._say("OFFER", await self.peer.make_offer(video=video))
        self._reader = asyncio.create_task(self._read())
        await self._connected()

    async def answer(self, notice):
        self.broadcast, self.far = notice["broadcast_id"], notice["host_id"]
        await self.raw.ok("p2p/broadcast/join", broadcast_id=self.broadcast)
        self._reader = asyncio.create_task(self._read())
        await self._connected()

    async def _connected(self):
        while self.peer.state not in ("checking", "dtls", "connected"):
            assert not self._reader.done(), self._reader
            await asyncio.sleep(0.02)
        await self.peer.wait_connected()

    async def _say(self, kind, text):
        message = {"id": str(time.monotonic()), "sender_id": 0, "type": kind, "message": text}
        await self.raw.ok(
            "signaling/send",
            broadcast_id=self.broadcast,
            recipient_id=self.far,
            message=message,
        )

    async def _read(self):
        while (await self.status())["status"] != "ENDED":
            reply = await self.raw.ok(
                "signaling/receive", broadcast_id=self.broadcast, cursor=self._cursor
            )
            self._cursor = reply["cursor"]
            for message in reply["messages"]:
                assert message["sender_id"] == self.far
                if message["type"] == "ANSWER":
                    await self.peer.apply_answer(message["message"])
                elif message["type"] == "OFFER":
                    await self.peer.apply_offer(message["message"])
                    await self._say("ANSWER", await self.peer.make_answer())
                elif message["type"] == "MEDIA_STATUS":
                    self.statuses.append(json.loads(message["message"]))

    async def status(self):
        return await self.raw.status(self.broadcast)

    async def ended(self, within_s):
        async with asyncio.timeout(within_s):
            while (status := await self.status())["status"] != "ENDED":
                await asyncio.sleep(0.05)
        return status["end_reason"], status["end_description"]

    async def until(self, condition, within_s=10.0):
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.05)

    async def hang_up(self):
        if self.broadcast:
            await self.raw.leave(self.broadcast)
        await self.close()

    async def close(self):
        for source in self.sources:
            source.close()
        if self._reader:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiohttp.ClientError):
                await self._reader
        await self.peer.close()

    def loudest_hz(self, seconds=1.0):
        samples = np.concatenate(self.sound)[-int(48000 * seconds) :]
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        return float(np.argmax(spectrum) * 48000 / len(samples))

    def level(self, seconds=1.0):
        samples = np.concatenate(self.sound)[-int(48000 * seconds) :]
        return float(np.sqrt(np.mean(samples**2)))

    def heard_s(self):
        return sum(map(len, self.sound)) / 48000

    def counters(self):
        return [number for _, number in self.pictures if number is not None]


@pytest.fixture
async def phone(rig):
    phones = []

    async def make(options=None, handle="ann", **more):
        raw = await (await rig(options))(handle)
        phones.append(Phone(raw, **more))
        return phones[-1]

    yield make
    for one in phones:
        await one.close()


async def settled(base_tasks, within_s=3.0):
    async with asyncio.timeout(within_s):
        while {t for t in asyncio.all_tasks() if "xnb bot" in t.get_name()} - base_tasks:
            await asyncio.sleep(0.05)


def test_the_table_is_complete_and_says_what_each_bot_teaches():
    bots = table()
    assert tuple(bots) == HANDLES
    for handle, bot in bots.items():
        assert "teaches" in (type(bot).__doc__ or ""), handle


async def test_echo_gives_back_the_tone_that_was_sent(phone):
    ann = await phone()
    await ann.call("echo")
    ann.send(synthetic.tone(1000, 0.3))
    await ann.offer()
    await ann.until(lambda: ann.heard_s() > 2.0)
    assert ann.loudest_hz() == pytest.approx(1000, abs=3)
    assert ann.level() == pytest.approx(0.3 / 2**0.5, rel=0.2)
    assert ann.statuses == [{"isCameraDeactivated": True, "isMicrophoneDeactivated": False}]
    await ann.hang_up()
    assert (await ann.status())["end_reason"] == "HUNG_UP"
    await settled(set())


@pytest.mark.parametrize("codec", ["vp8", "h264"])
async def test_echo_gives_back_the_picture_without_decoding(phone, codec, monkeypatch):
    bot_peers = []

    class Watched(Peer):
        def __init__(self, **more):
            super().__init__(**more)
            bot_peers.append(self)

    monkeypatch.setattr("xnb.server.bots.call.Peer", Watched)
    ann = await phone(codec=codec)
    await ann.call("echo", video=True)
    ann.send(synthetic.testcard(320, 240, fps=15, audio=None))
    await ann.offer(video=True)
    await ann.until(lambda: len(ann.counters()) >= 30, 15)
    counters = ann.counters()
    assert counters == sorted(counters)
    # Frames in a row come back in a row: nothing was re-timed or encoded anew.
    assert sum(b - a == 1 for a, b in itertools.pairwise(counters)) >= 25
    assert ann.peer.video_in.codec == codec
    (bot,) = bot_peers
    assert bot.video_in.frames >= 30
    assert bot.video_in.latest is None
    # A keyframe asked of the bot is asked of the caller and comes back.
    keys = []
    ann.peer.video_in.on_encoded(lambda frame, _time_s: keys.append(frame.is_keyframe))
    await asyncio.sleep(1)
    keys.clear()
    await asyncio.sleep(0.5)
    assert True not in keys
    ann.peer.request_keyframe()
    await ann.until(lambda: True in keys, 5)
    await ann.hang_up()


async def test_testcard_shows_its_counter_and_sounds_its_tone(phone):
    ann = await phone()
    await ann.call("testcard", video=True)
    await ann.offer(video=True)
    await ann.until(lambda: len(ann.counters()) >= 60 and ann.heard_s() > 2.5, 20)
    counters = ann.counters()
    assert counters == sorted(counters)
    (t0, c0), (t1, c1) = ann.pictures[20], ann.pictures[-1]
    assert (c1 - c0) / (t1 - t0) == pytest.approx(30, rel=0.15)
    assert ann.loudest_hz(2.0) == pytest.approx(440, abs=2)
    # The voice above the tone: much more than the tone alone somewhere in each second.
    frames = np.concatenate(ann.sound)[-96000:].reshape(-1, 960)
    levels = np.sqrt(np.mean(frames**2, axis=1))
    assert levels.max() > 2 * np.median(levels)
    assert ann.statuses == [{"isCameraDeactivated": False, "isMicrophoneDeactivated": False}]
    # The caller cuts the line without a word to the mailbox: the bot follows the status.
    await ann.hang_up()
    await settled(set())


async def test_music_changes_and_has_no_picture(phone):
    ann = await phone()
    await ann.call("music", video=True)
    await ann.offer(video=True)
    await ann.until(lambda: ann.heard_s() > 4.0, 12)
    notes = set()
    sound = np.concatenate(ann.sound)
    for at in range(3):
        part = sound[24000 + at * 48000 : 24000 + at * 48000 + 24000]
        notes.add(round(float(np.argmax(np.abs(np.fft.rfft(part))) * 2)))
    assert len(notes) >= 2, notes
    assert ann.level(2.0) > 0.01
    assert ann.pictures == []
    assert ann.statuses == [{"isCameraDeactivated": True, "isMicrophoneDeactivated": False}]


async def test_busy_rings_and_declines(phone):
    ann = await phone()
    await ann.call("busy")
    assert (await ann.status())["status"] == "RINGING"
    assert await ann.ended(3) == ("DECLINED", "busy")


async def test_noanswer_rings_out(phone):
    ann = await phone(ServerOptions(ring_s=1.5))
    began = time.monotonic()
    await ann.call("noanswer")
    await asyncio.sleep(0.7)
    assert (await ann.status())["status"] == "RINGING"
    assert await ann.ended(4) == ("MISSED", None)
    assert 1.4 < time.monotonic() - began < 3


async def test_callback_declines_and_calls_back(phone):
    ann = await phone()
    await ann.call("callback", video=True)
    assert await ann.ended(3) == ("DECLINED", "will call back")
    began = time.monotonic()
    reply = await ann.raw.ok("xnb/incoming", cursor=0, timeout_s=10)
    assert 2 < time.monotonic() - began < 5
    (notice,) = reply["notices"]
    assert notice["host_handle"] == "callback"
    assert notice["audio_only"] is False
    assert notice["host_id"] == ann.far
    await ann.answer(notice)
    await ann.until(lambda: len(ann.counters()) >= 15 and ann.heard_s() > 1.5, 15)
    assert ann.loudest_hz() == pytest.approx(440, abs=2)
    await ann.hang_up()
    assert (await ann.status())["end_reason"] == "HUNG_UP"
    await settled(set())


async def test_flaky_goes_silent_and_comes_back(phone, monkeypatch):
    monkeypatch.setattr("xnb.server.bots.flaky.CUT_AFTER_S", 2.0)
    monkeypatch.setattr("xnb.server.bots.flaky.CUT_FOR_S", 2.0)
    ann = await phone()
    arrivals = []
    ann.peer.audio_in.on_encoded(lambda *_: arrivals.append(time.monotonic()))
    await ann.call("flaky")
    await ann.offer()
    connected = time.monotonic()
    await ann.until(lambda: arrivals and time.monotonic() - connected > 6.0, 15)
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    assert max(gaps) == pytest.approx(2.0, abs=0.4)
    cut = arrivals[gaps.index(max(gaps))]
    assert cut - connected == pytest.approx(2.0, abs=0.5)
    assert sum(gap > 0.5 for gap in gaps) == 1
    assert arrivals[-1] > time.monotonic() - 0.5
    assert (await ann.status())["status"] == "RUNNING"


async def test_a_bot_answers_only_when_announced_and_not_above_its_bound(phone):
    ann = await phone(ServerOptions(max_bot_calls=1))
    silent = await ann.raw.call(await ann.raw.find("echo"), announce=False)
    await ann.call("echo")
    await asyncio.sleep(0.1)
    assert (await ann.status())["status"] == "RUNNING"
    assert (await ann.raw.status(silent))["status"] == "RINGING"
    second = await ann.raw.call(ann.far)
    status = await ann.raw.status(second)
    assert (status["end_reason"], status["end_description"]) == ("DECLINED", "busy")


async def test_a_bad_offer_ends_that_call_and_nothing_else(phone, caplog):
    ann = await phone()
    await ann.call("echo")
    await ann._say("OFFER", "v=0\r\nm=audio secret-in-sdp\r\n")
    assert (await ann.ended(5))[0] == "HUNG_UP"
    assert "secret-in-sdp" not in caplog.text
    again = await ann.raw.call(ann.far)
    await asyncio.sleep(0.1)
    assert (await ann.raw.status(again))["status"] == "RUNNING"


async def test_a_caller_that_falls_silent_for_a_while_keeps_its_call(phone):
    """What a blocked kernel does: no packets, no consent answers, no requests."""
    assert TIMEOUTS.dead_peer_s >= 130  # too long to wait for here
    ann = await phone()
    await ann.call("testcard")
    await ann.offer()
    await ann.until(lambda: ann.heard_s() > 0.5)
    ann.peer.set_network(False)
    ann._reader.cancel()
    await asyncio.sleep(4)
    ann.sound.clear()
    ann.peer.set_network(True)
    assert (await ann.status())["status"] == "RUNNING"
    await ann.until(lambda: ann.heard_s() > 1.0, 5)


async def test_a_bot_hangs_up_after_its_longest_call(phone):
    ann = await phone(ServerOptions(bot_call_s=1.5))
    await ann.call("music")
    await ann.offer()
    assert (await ann.status())["status"] == "RUNNING"
    assert await ann.ended(4) == ("HUNG_UP", None)


async def test_a_bot_ends_a_call_whose_caller_has_gone(phone):
    ann = await phone(ServerOptions(gone_s=1.0, receive_hold_s=0.3))
    await ann.call("testcard")
    await ann.offer()
    await asyncio.sleep(1.5)
    assert (await ann.status())["status"] == "RUNNING"  # polled all the time
    ann._reader.cancel()
    await settled(set(), 4)
    assert await ann.ended(1) == ("TIMED_OUT", "gone")


async def test_bots_end_with_the_server():
    async with aiohttp.ClientSession() as http:
        async with serving(TOKEN) as base:
            ann = Phone(await Raw(base, http, "ann").login())
            await ann.call("testcard")
            await ann.offer()
            began = time.monotonic()
        assert time.monotonic() - began < 1.5
        await settled(set(), 1)
        await ann.close()


async def test_twelve_calls_leave_nothing_behind(rig):
    user = await rig()
    raw = await user("ann")

    async def one_call(handle):
        ann = Phone(raw)
        await ann.call(handle)
        await ann.offer()
        await ann.until(lambda: ann.heard_s() > 0.1 or handle == "echo")
        await ann.hang_up()
        await settled(set())

    async def held():
        gc.collect()
        await asyncio.sleep(0.3)
        process = psutil.Process()
        return len(asyncio.all_tasks()), process.num_threads(), process.num_fds()

    for handle in ("echo", "testcard"):
        await one_call(handle)
    before = await held()
    for handle in ("echo", "testcard") * 6:
        await one_call(handle)
    after = await held()
    assert all(b <= a + 1 for a, b in zip(before, after, strict=True)), (before, after)
