"""Several people's sound as one, and the picture of one of them."""

from __future__ import annotations

import asyncio
import time

import av
import numpy as np
import pytest

from xnb.engine.mixed_in import BLOCK, FollowedIncoming, MixedIncoming
from xnb.events import ListenerHandle


class Source:
    """Gives frames to whoever listens, as one connection does."""

    def __init__(self, codec="opus"):
        self.codec = codec
        self.active = True
        self.listeners = []

    def on_frame(self, callback):
        self.listeners.append(callback)
        return ListenerHandle(lambda: self.listeners.remove(callback))

    def request_keyframe(self):
        pass

    def say(self, value, samples=BLOCK):
        """A piece of constant sound."""
        array = np.full((1, 2 * samples), value, np.int16)
        frame = av.AudioFrame.from_ndarray(array, format="s16", layout="stereo")
        for listener in tuple(self.listeners):
            listener(frame, 0.0)


async def mixed(mix, seconds, *speakers):
    """What comes out while each of ``speakers`` talks (value, samples a piece, source)."""
    heard = []
    handle = mix.on_frame(lambda frame, _time_s: heard.append(frame.to_ndarray()[0, ::2].copy()))
    begun_s = time.monotonic()
    said = [0] * len(speakers)
    while (past_s := time.monotonic() - begun_s) < seconds:
        for number, (value, samples, source) in enumerate(speakers):
            while said[number] * samples < past_s * 48000:
                said[number] += 1
                source.say(value, samples)
        await asyncio.sleep(0.004)
    handle.close()
    return np.concatenate(heard)


async def test_sums_in_step_with_the_clock():
    ann, bob, mix = Source(), Source(), MixedIncoming()
    mix.add("ann", ann)
    mix.add("bob", bob)
    assert ann.listeners == []
    sound = await mixed(mix, 0.8, (1000, 960, ann), (200, 480, bob))
    assert len(sound) == pytest.approx(0.8 * 48000, abs=3 * BLOCK)
    assert np.mean(sound[9600:] == 1200) > 0.8
    assert set(np.unique(sound)) <= {0, 200, 1000, 1200}
    assert ann.listeners == bob.listeners == [], "nobody listens any more"


async def test_too_loud_is_clipped():
    sources, mix = [Source(), Source()], MixedIncoming()
    for number, source in enumerate(sources):
        mix.add(number, source)
    sound = await mixed(mix, 0.4, *((-30000, 960, source) for source in sources))
    assert sound.min() == -32768
    assert sound.max() == 0


async def test_people_come_and_go_while_somebody_listens():
    ann, bob, mix = Source(), Source(), MixedIncoming()
    mix.add("ann", ann)
    handle = mix.on_frame(lambda _frame, _time_s: None)
    assert len(ann.listeners) == 1
    mix.add("bob", bob)
    assert len(bob.listeners) == 1
    again = Source()
    mix.add("bob", again)
    assert bob.listeners == []
    assert len(again.listeners) == 1
    mix.remove("ann")
    mix.remove("ann")
    assert ann.listeners == []
    handle.close()
    assert again.listeners == []
    mix.close()
    mix.close()
    assert not mix.active


async def test_who_talks_too_fast_is_cut_and_a_blocked_loop_gives_no_burst():
    ann, mix = Source(), MixedIncoming()
    mix.add("ann", ann)
    heard = []
    handle = mix.on_frame(lambda frame, _time_s: heard.append(frame.to_ndarray()[0, 0]))
    for value in range(1, 101):
        ann.say(value)
    await asyncio.sleep(0.1)
    assert max(heard) > 90, "the oldest are left out, not the newest"
    count = len(heard)
    time.sleep(0.5)
    await asyncio.sleep(0.05)
    assert len(heard) - count <= 8
    handle.close()


async def test_following_changes_with_the_source():
    ann, bob, shown = Source("vp8"), Source("h264"), FollowedIncoming()
    seen = []
    handle = shown.on_frame(lambda frame, _time_s: seen.append(frame))
    assert (shown.active, shown.codec) == (False, None)
    shown.follow(ann)
    assert (shown.active, shown.codec) == (True, "vp8")
    ann.listeners[0]("one", 0.0)
    shown.follow(bob)
    assert ann.listeners == []
    bob.listeners[0]("two", 0.0)
    shown.follow(None)
    assert bob.listeners == []
    assert seen == ["one", "two"]
    handle.close()
    shown.close()
