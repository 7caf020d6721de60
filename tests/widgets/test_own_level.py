"""The level of what is sent goes to the page only while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from xnb.events import ListenerHandle
from xnb.media.frames import to_av_audio
from xnb.widgets import own_level
from xnb.widgets.own_level import OwnLevel


class Sound:
    """Sends what it is told to, like an engine's ``Outgoing``."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Any], Any]] = []

    def on_frame(self, callback: Callable[[Any], Any]) -> ListenerHandle:
        self.listeners.append(callback)
        return ListenerHandle(lambda: self.listeners.remove(callback))

    def play(self, amplitude: float, frames: int) -> None:
        wave = amplitude * np.sin(np.arange(960) * 2 * np.pi * 440 / 48_000)
        for _ in range(frames):
            for listener in tuple(self.listeners):
                listener(to_av_audio(wave.astype(np.float32), 48_000))


def test_it_tells_the_loudest_of_each_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(own_level.time, "monotonic", lambda: now)
    told: list[float] = []
    level, sound = OwnLevel(told.append), Sound()
    level.watch(sound)
    sound.play(0.5, 3)
    assert told == []
    assert not sound.listeners, "nothing is taken while nobody looks"

    level.visible = True
    sound.play(0.1, 1)
    sound.play(0.5, 4)
    assert told == [pytest.approx(0.1, abs=0.01)], "not more than eight a second"
    now += 0.125
    sound.play(0.2, 1)
    assert told[1] == pytest.approx(0.5, abs=0.01), "the loudest since then"
    now += 0.125
    sound.play(0.2, 1)
    assert told[2] == pytest.approx(0.2, abs=0.01)

    other = Sound()
    level.watch(other)
    assert not sound.listeners
    assert len(other.listeners) == 1
    level.visible = False
    assert not other.listeners
    level.visible = True
    level.close()
    level.close()
    assert not other.listeners
