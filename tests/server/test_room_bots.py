"""Bots in group calls: each joins over the Janus API; what arrives from it is looked at."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import time

import numpy as np
import psutil
import pytest
from media_files import dominant_frequency
from room_people import Person, View

from xnb.errors import SfuError
from xnb.media import synthetic
from xnb.media.frames import AudioChunk, to_rgb
from xnb.profile import ServerProfile
from xnb.server.app import serving
from xnb.server.bots import TESTCARDS, colour, tone_hz
from xnb.server.janus.process import usable_address
from xnb.server.options import JanusOptions, ServerOptions
from xnb.signaling.audiospace import AudioSpace
from xnb.signaling.bootstrap import Bootstrap
from xnb.signaling.http import HttpClient
from xnb.signaling.janus import JanusSession, RoomAdmin

from .conftest import TOKEN

LIMIT_S = 20.0


def painted(picture):
    """The colour of a card where nothing is drawn over it."""
    rgb = to_rgb(picture)
    height, width = rgb.shape[:2]
    rows = rgb[height * 8 // 100 : height * 27 // 100, width // 10 : -width // 10]
    return tuple(int(part) for part in rows.reshape(-1, 3).mean(axis=0))


def number_of(rgb):
    """The card whose colour is nearest, and how far it is in the worst of the three parts."""
    off = {
        n: max(abs(a - b) for a, b in zip(rgb, colour(n), strict=True))
        for n in range(1, TESTCARDS + 1)
    }
    best = min(off, key=off.__getitem__)
    return best, off[best]


class Eye:
    """What one view of a bot shows and sounds like, from now on."""

    def __init__(self, view: View):
        self.view = view
        self.counters: list[int] = []
        self.colours: list[tuple[int, int, int]] = []
        self.heights: list[int] = []
        self.sound: list[np.ndarray] = []
        view.peer.video_in.on_frame(self._see)
        view.peer.audio_in.on_frame(self._hear)

    def _see(self, frame, _time_s):
        self.colours.append(painted(frame))
        self.heights.append(frame.height)
        if (number := synthetic.read_counter(frame)) is not None:
            self.counters.append(number)

    def _hear(self, frame, time_s):
        self.sound.append(AudioChunk.from_av(frame, time_s).samples[:, 0].astype(np.float64))

    def heard_s(self):
        return sum(map(len, self.sound)) / 48000

    async def gets(self, *, pictures=0, sound_s=0.0):
        """Wait until so many numbered pictures and so much sound have come."""
        await until(
            lambda: len(self.counters) >= pictures and self.heard_s() >= sound_s,
            f"{pictures} pictures and {sound_s} s of sound from {self.view.feed.display}",
        )

    def loudest_hz(self, seconds=1.5):
        return dominant_frequency(np.concatenate(self.sound)[-int(48000 * seconds) :])


class Host:
    """Ann, who hosts a call and sends into its room."""

    def __init__(self, base: str):
        profile = ServerProfile.local(base)
        self.http = HttpClient(profile, token=TOKEN)
        self.boot = Bootstrap(self.http, profile, "ann")
        self.space = AudioSpace(self.http, profile)
        self.me: Person | None = None
        self.janus: JanusSession | None = None
        self.ids: dict[str, str] = {}
        self.call = ""

    async def start(self, *bots: str, video=True, **sends):
        await self.boot.run()
        hosted = await self.space.create(video=video)
        self.call, self.access = hosted.broadcast_id, hosted.access
        access = hosted.access
        self.janus = JanusSession(access.gateway)
        await self.janus.open()
        self.me = Person(self.janus, access.room, access.display, "blue", 1500, pin=access.pin)
        await self.me.join(id=access.publisher_id, token=access.ticket)
        if sends:
            await self.me.publish(**sends)
        await self.space.publish(
            self.call,
            session_id=self.janus.id,
            handle_id=self.me.publisher.handle.id,
            publisher_id=access.publisher_id,
            room=access.room,
        )
        await self.invite(*bots)
        return self

    async def invite(self, *bots: str):
        for bot in bots:
            self.ids[bot] = (await self.boot.resolve(bot)).id
        await self.space.invite(self.call, [self.ids[bot] for bot in bots])

    async def watch(self, bot: str, *descriptions: str) -> Eye:
        feed = await self.me.feed(self.ids[bot])
        mids = [one.mid for one in feed.streams if one.description in descriptions]
        return Eye(await self.me.watch(self.ids[bot], *mids))

    async def member(self, bot: str):
        return (await self.space.status(self.call)).member(self.ids[bot])

    async def reaches(self, bot: str, state: int):
        await until(lambda: self._is(bot, state), f"{bot} in state {state}")

    async def _is(self, bot: str, state: int) -> bool:
        return (await self.member(bot)).state == state

    async def close(self):
        if self.me and self.janus.state == "open":
            await self.me.close()
        elif self.me and self.me.peer:
            await self.me.peer.close()
        if self.janus:
            await self.janus.close()
        await self.http.close()


async def until(condition, what, limit_s=LIMIT_S):
    start_s = time.monotonic()
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() - start_s < limit_s, f"{what}: not within {limit_s:g} s"
        await asyncio.sleep(0.05)


def on_real_janus(count=1):
    """The server's options for private Janus processes; skips where there can be none."""
    if shutil.which("janus") is None:
        pytest.skip("janus is not installed (apt-get install janus)")
    try:
        usable_address()
    except SfuError as error:
        pytest.skip(f"{error.message} {error.remedy}")
    return ServerOptions(janus=JanusOptions(("auto",) * count, check_s=0.5))


def bot_tasks():
    return [task for task in asyncio.all_tasks() if "xnb bot" in task.get_name()]


@pytest.fixture
async def host():
    async with contextlib.AsyncExitStack() as stack:

        async def make(options=None):
            base = await stack.enter_async_context(serving(TOKEN, options))
            made = Host(base)
            stack.push_async_callback(made.close)
            return made

        yield make


def test_each_card_has_a_tone_and_a_colour_of_its_own():
    assert tone_hz(1) == 440
    tones = [tone_hz(n) for n in range(1, TESTCARDS + 1)]
    assert min(b / a for a, b in itertools.pairwise(tones)) > 1.15
    for n in range(1, TESTCARDS + 1):
        card = synthetic.testcard(480, 360, 24, audio=None, colour=colour(n))
        picture = card.video._card.draw(1234)
        assert number_of(painted(picture))[0] == n
        assert number_of(painted(picture))[1] <= 6
        assert synthetic.read_counter(picture) == 1234
        card.close()
    for number in (0, TESTCARDS + 1):
        with pytest.raises(ValueError, match="no test card"):
            tone_hz(number)
        with pytest.raises(ValueError, match="no test card"):
            colour(number)


async def test_cards_in_a_room_are_told_apart_by_tone_and_colour(host):
    ann = await (await host()).start("testcard", "testcard-2", "testcard-3")
    cards = ("testcard", "testcard-2", "testcard-3")
    eyes = await asyncio.gather(*(ann.watch(bot, "audio", "high") for bot in cards))
    await asyncio.gather(*(eye.gets(pictures=20, sound_s=2.0) for eye in eyes))
    for number, (bot, eye) in enumerate(zip(cards, eyes, strict=True), 1):
        assert {number_of(rgb)[0] for rgb in eye.colours} == {number}
        assert max(number_of(rgb)[1] for rgb in eye.colours) < 40
        assert eye.counters == sorted(eye.counters)
        assert set(eye.heights) == {360}
        assert eye.loudest_hz() == pytest.approx(tone_hz(number), abs=3)
        await ann.reaches(bot, 10)
        await eye.view.close()
    feed = await ann.me.feed(ann.ids["testcard-2"])
    assert [(one.kind, one.description) for one in feed.streams] == [
        ("audio", "audio"),
        ("video", "high"),
        ("video", "low"),
    ]
    small = await ann.watch("testcard-2", "low")
    await small.gets(pictures=10)
    assert {number_of(rgb)[0] for rgb in small.colours} == {2}
    assert max(small.heights) <= 180
    # The bots leave with the call, and nothing of them stays.
    await ann.space.end(ann.call)
    await until(lambda: not bot_tasks(), "the bots' end", 5)


async def test_echo_sends_back_what_the_host_sends_without_decoding(host):
    ann = await (await host()).start("echo", video=True, low=False)
    echo = await ann.watch("echo", "audio", "high")
    await echo.view.shows("blue")
    await echo.view.sounds(1500)
    ann.me.picture.colour = "red"
    await echo.view.shows("red")
    feed = await ann.me.feed(ann.ids["echo"])
    assert [one.description for one in feed.streams] == ["audio", "high"]


async def test_bots_on_real_janus(host):
    ann = await (await host(on_real_janus())).start("testcard-6", "echo", "busy", low=False)
    card = await ann.watch("testcard-6", "audio", "high")
    await card.gets(pictures=20, sound_s=2.0)
    assert {number_of(rgb)[0] for rgb in card.colours} == {6}
    assert card.loudest_hz() == pytest.approx(tone_hz(6), abs=3)
    small = await ann.watch("testcard-6", "low")
    await small.gets(pictures=5)
    assert max(small.heights) <= 180
    echo = await ann.watch("echo", "audio", "high")
    await echo.view.shows("blue")
    await echo.view.sounds(1500)
    await ann.reaches("busy", 7)
    await ann.space.end(ann.call)
    await until(lambda: not bot_tasks(), "the bots' end", 5)


async def test_a_bot_finds_its_room_on_another_janus_when_one_is_killed(host):
    ann = await (await host(on_real_janus(2))).start("testcard-7", video=False)
    await ann.me.feed(ann.ids["testcard-7"])
    port = ann.access.gateway.url.rpartition(":")[2].partition("/")[0]
    (dead,) = [
        one
        for one in psutil.Process().children()
        if one.name() == "janus"
        and any(str(each.laddr.port) == port for each in one.net_connections("tcp"))
    ]
    os.kill(dead.pid, signal.SIGKILL)
    began = time.monotonic()
    await ann.janus.close()
    access = await ann.space.reconnect_host(ann.call)
    assert access.gateway.url != ann.access.gateway.url
    ann.janus = JanusSession(access.gateway)
    await ann.janus.open()
    ann.me = Person(ann.janus, access.room, access.display, pin=access.pin)
    await ann.me.join(id=access.publisher_id, token=access.ticket)
    eye = await ann.watch("testcard-7", "audio")
    await eye.gets(sound_s=2.0)
    assert eye.loudest_hz() == pytest.approx(tone_hz(7), abs=3)
    assert time.monotonic() - began < LIMIT_S


async def test_music_has_no_picture_busy_declines_and_noanswer_stays_away(host):
    ann = await (await host()).start("music", "busy", "noanswer", "callback")
    feed = await ann.me.feed(ann.ids["music"])
    assert [one.kind for one in feed.streams] == ["audio"]
    eye = await ann.watch("music", "audio")
    await eye.gets(sound_s=2.5)
    sound = np.concatenate(eye.sound)[-96000:]
    assert np.sqrt(np.mean(sound**2)) > 0.01
    assert len({round(dominant_frequency(part) / 5) for part in np.split(sound, 8)}) >= 2
    await ann.reaches("busy", 7)
    assert (await ann.member("noanswer")).state == 5
    assert (await ann.member("callback")).has_declined


async def test_a_bot_that_is_removed_goes_and_comes_when_invited_again(host):
    ann = await (await host()).start("testcard-4", video=False)
    await ann.me.feed(ann.ids["testcard-4"])
    await ann.space.remove(ann.call, ann.ids["testcard-4"])
    await until(lambda: not bot_tasks(), "the bot's end", 5)
    assert (await ann.member("testcard-4")).was_removed
    ann.me.feeds.clear()
    await ann.invite("testcard-4")
    eye = await ann.watch("testcard-4", "audio")
    await eye.gets(sound_s=2.0)
    assert eye.loudest_hz() == pytest.approx(tone_hz(4), abs=3)


async def test_a_bot_comes_back_when_its_room_was_lost(host):
    ann = await (await host()).start("testcard-5", video=False)
    await ann.me.feed(ann.ids["testcard-5"])
    admin = RoomAdmin(ann.janus, ann.access.room, secret=ann.access.secret)
    await admin.destroy()
    await ann.me.hears("destroyed")
    access = await ann.space.reconnect_host(ann.call)
    await ann.me.close()
    ann.me = Person(ann.janus, access.room, access.display, pin=access.pin)
    await ann.me.join(id=access.publisher_id, token=access.ticket)
    eye = await ann.watch("testcard-5", "audio")
    await eye.gets(sound_s=2.0)
    assert eye.loudest_hz() == pytest.approx(tone_hz(5), abs=3)


async def test_no_more_bots_than_the_server_holds(host):
    ann = await (await host(ServerOptions(max_bot_calls=1))).start("noanswer", video=False)
    await until(lambda: not bot_tasks(), "noanswer's end", 5)
    await ann.invite("music")
    await ann.reaches("music", 10)
    await ann.invite("testcard")
    await ann.reaches("testcard", 7)
    assert len(bot_tasks()) == 1


async def test_bots_in_rooms_end_with_the_server():
    async with serving(TOKEN) as base:
        ann = Host(base)
        await ann.start("testcard", "music", video=True)
        await ann.reaches("testcard", 10)
        began = time.monotonic()
    assert time.monotonic() - began < 4
    await until(lambda: not bot_tasks(), "the bots' end", 5)
    await ann.close()
