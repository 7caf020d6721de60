"""A cell that blocks the loop on which the engine runs: the call goes on after it, without a burst.

The far ends are the embedded server's bots, in their own process, and a page's peer on a thread of
its own. ``XNB_TEST_BLOCK_S=120`` makes the cell as long as the promise is; by default it is short
and the limits of our side are scaled down with it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

import xnb
from xnb.engine.peer import Peer, PeerState
from xnb.loop import Runner
from xnb.media.frames import VideoFrame
from xnb.media.testcard import read_counter
from xnb.server.bots.call import TIMEOUTS as BOT_TIMEOUTS
from xnb.server.options import ServerOptions
from xnb.settings import Timeouts

PROMISED_S = 120.0
BLOCK_S = float(os.environ.get("XNB_TEST_BLOCK_S", "5"))
SCALE = BLOCK_S / PROMISED_S
# Of the defaults: a blocked loop that counted as silence would end the call before it is free.
# Not less, because the first answer lies in the socket behind all that came meanwhile.
SCALED = Timeouts(dead_peer_s=max(4.0, 8 * SCALE), reconnect_s=max(4.0, 20 * SCALE))
PAGE = Timeouts(dead_peer_s=4 * BLOCK_S)

pytestmark = [pytest.mark.alone, pytest.mark.timeout(60 + 2 * BLOCK_S)]


class Heard:
    """What arrives at a peer: sound, pictures and packets, each with its moment."""

    def __init__(self, peer: Peer, *, pictures: bool = False) -> None:
        self.sound: list[tuple[float, float, np.ndarray]] = []
        self.pictures: list[tuple[float, float, int | None]] = []
        self.packets: list[float] = []
        peer.audio_in.on_packet(lambda _packet, _codec: self.packets.append(time.monotonic()))
        peer.audio_in.on_frame(self._hear)
        if pictures:
            peer.video_in.on_frame(self._see)

    def _hear(self, frame, time_s: float) -> None:
        samples = np.frombuffer(memoryview(frame.planes[0]), np.int16)
        left = samples[: 2 * frame.samples : 2].astype(float)
        self.sound.append((time.monotonic(), time_s, left))

    def _see(self, frame, time_s: float) -> None:
        number = read_counter(VideoFrame(frame, time_s).image)
        self.pictures.append((time.monotonic(), time_s, number))

    def between(self, from_s: float, until_s: float) -> np.ndarray:
        """The sound handed out in this stretch."""
        blocks = [left for at_s, _, left in self.sound if from_s <= at_s < until_s]
        return np.concatenate(blocks) if blocks else np.zeros(0)

    def latency_s(self, from_s: float, until_s: float, of: str = "sound") -> list[float]:
        """Moment of arrival minus moment of capture, of each."""
        return [one[0] - one[1] for one in getattr(self, of) if from_s <= one[0] < until_s]


def tone_share(samples: np.ndarray, frequency_hz: float) -> float:
    """How much of the sound's energy is at this frequency, 0 to 1."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = round(frequency_hz * len(samples) / 48_000)
    return float(power[at - 4 : at + 5].sum() / power.sum())


@pytest.fixture
async def page() -> AsyncIterator[tuple[Runner, Peer]]:
    """A page's end of a leg, on a thread that nothing blocks."""
    runner = Runner(None)

    async def make() -> Peer:
        return Peer(timeouts=PAGE, name="page")

    peer = await runner.run(make())
    yield runner, peer
    await runner.run(peer.close())
    await asyncio.to_thread(runner.close)


async def feed(call_peer: Peer, runner: Runner, page_peer: Peer) -> Peer:
    """Connect the page to what the call receives; gives this side's end of that."""
    leg = Peer(timeouts=SCALED, name="leg")
    await leg.apply_offer(await runner.run(page_peer.make_offer(video=True)))
    leg.audio_out.forward(call_peer.audio_in)
    leg.video_out.forward(call_peer.video_in)
    await runner.run(page_peer.apply_answer(await leg.make_answer()))
    await leg.wait_connected()
    call_peer.request_keyframe()
    return leg


def test_both_ends_allow_for_what_is_promised():
    assert BOT_TIMEOUTS.dead_peer_s > PROMISED_S
    assert ServerOptions().gone_s > PROMISED_S


async def test_a_call_survives_a_blocking_cell_and_goes_on_without_a_burst(clients, page) -> None:
    client = clients(timeouts=SCALED)
    call = await client.call("testcard", video=True)
    echo = await client.call("echo", source=xnb.tone(440))
    for one in (call, echo):
        await one.until("connected", timeout_s=15)
    states = []
    for one in (call, echo):
        one.on("statechange", lambda event: states.append(event.new))

    runner, page_peer = page
    leg = await feed(call.peer, runner, page_peer)
    heard = {"ours": Heard(call.peer, pictures=True), "echo": Heard(echo.peer)}

    async def listen() -> Heard:
        return Heard(page_peer)

    heard["page"] = await runner.run(listen())
    await asyncio.sleep(3)

    blocked_s = time.monotonic()
    time.sleep(BLOCK_S)
    free_s = time.monotonic()
    await asyncio.sleep(7)

    assert states == []
    assert leg.state is PeerState.CONNECTED
    assert page_peer.state is PeerState.CONNECTED
    for name, one in heard.items():
        before_s = np.median(one.latency_s(blocked_s - 1.5, blocked_s))
        back_s = next(at_s for at_s, time_s, _ in one.sound if at_s > free_s and time_s > free_s)
        assert back_s - free_s < 4, f"{name} came back {back_s - free_s:.1f} s late"
        # What is handed out is what time has passed, from the first moment on: no burst.
        assert len(one.between(free_s, back_s + 1)) / 48_000 < back_s - free_s + 1.3, name
        assert 0.3 < len(one.between(back_s, back_s + 1)) / 48_000 < 1.3, name
        steady = one.between(back_s + 1, back_s + 3)
        assert 0.6 < len(steady) / 48_000 < 2.3, name
        assert tone_share(steady, 440) > 0.3, name
        after_s = np.median(one.latency_s(back_s + 1, back_s + 3))
        assert after_s - before_s < 0.5, name

        for kind, things in (("sound", one.sound), ("pictures", one.pictures)):
            stale = [at_s - free_s for at_s, time_s, _ in things if at_s - time_s > 1.5]
            # What was about to be handed out when the cell began still is.
            assert len(stale) < 10, (name, kind)
    seen = [number for _, time_s, number in heard["ours"].pictures if time_s > free_s and number]
    assert len(seen) > 20
    assert seen == sorted(seen)
    # The counter of the bot's picture ran on while the loop stood still.
    last = [number for at_s, _, number in heard["ours"].pictures if at_s < blocked_s][-1]
    next_one = next(number for at_s, _, number in heard["ours"].pictures if at_s > free_s)
    assert next_one - last > 25 * BLOCK_S
    # The page was given no backlog: what it got in four seconds is four seconds.
    burst = [at_s for at_s in heard["page"].packets if free_s <= at_s < free_s + 4]
    assert 50 < len(burst) < 250
    await leg.close()
