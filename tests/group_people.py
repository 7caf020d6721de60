"""People of a group call whose picture and sound can be told apart, and telling them apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import xnb

TONES_HZ = (440, 560, 700, 860, 1040, 1240, 1480, 1760)
COLOURS = (
    (200, 40, 40),
    (40, 160, 60),
    (50, 80, 210),
    (215, 190, 40),
    (190, 50, 180),
    (40, 180, 190),
    (230, 120, 30),
    (180, 180, 180),
)
RATE_HZ = 48_000
HEARD_S = 0.5
STRANGE = 0.05
"""Somebody else's tone is not there when it has less than this share of the loudest."""


def card(number: int, *, width: int = 160, height: int = 120, fps: float = 10) -> Any:
    """What person ``number`` sends: a plain colour with a counter, and a tone."""
    return xnb.testcard(width, height, fps, tone_hz=TONES_HZ[number], colour=COLOURS[number])


def number_of(image: Any) -> int | None:
    """Whose picture it is: the colour in its upper part, where nothing else is drawn."""
    height = image.shape[0]
    shown = image[height * 10 // 100 : height * 26 // 100].reshape(-1, 3).mean(0)
    far = [float(np.abs(shown - np.array(colour)).max()) for colour in COLOURS]
    best = int(np.argmin(far))
    return best if far[best] < 40 else None


def heard_in(samples: Any) -> dict[int, float]:
    """Which people are heard, and how loud beside the loudest."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    share = {}
    for number, tone_hz in enumerate(TONES_HZ):
        at = round(tone_hz * len(samples) / RATE_HZ)
        share[number] = float(spectrum[at - 3 : at + 4].max())
    loudest = max(share.values())
    if loudest < 0.001 * len(samples):
        return {}
    return {one: value / loudest for one, value in share.items() if value > STRANGE * loudest}


async def hear(track: Any, seconds: float = HEARD_S, limit_s: float = 15.0) -> dict[int, float]:
    """Listen until somebody is heard; who it is."""
    found: dict[int, float] = {}
    async with asyncio.timeout(limit_s):
        stream = track.chunks()
        try:
            while not found:
                pieces: list[Any] = []
                async for chunk in stream:
                    pieces.append(chunk.samples[:, 0])
                    if sum(map(len, pieces)) >= seconds * RATE_HZ:
                        break
                if not pieces:
                    break
                found = heard_in(np.concatenate(pieces)[-round(seconds * RATE_HZ) :])
        finally:
            stream.close()
    return found


async def see(track: Any, limit_s: float = 15.0) -> int | None:
    """Whose picture comes."""
    return number_of((await track.snapshot(timeout_s=limit_s)).image)


async def until(condition: Callable[[], Any], what: str, limit_s: float = 15.0) -> Any:
    """Wait until it is true; ``what`` names it when it never is."""
    end_s = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < end_s, f"{what} did not happen within {limit_s:g} s"
        await asyncio.sleep(0.05)
    return found


class Rooms:
    """Makes clients and group calls of people 0, 1, 2…; person 0 is the host.

    Args:
        client: Makes a client with a fresh name.
        media: Gives what person ``number`` sends.
    """

    def __init__(self, client: Callable[..., Any], media: Callable[[int], Any] = card) -> None:
        self._client = client
        self._media = media
        self.clients: list[Any] = []
        self.calls: list[Any] = []

    async def open(self, people: int, *, join: int | None = None, **options: Any) -> list[Any]:
        """A room for so many people, of whom ``join`` (all by default) come at once."""
        options = {"video": True, **options}
        self.clients = [self._client() for _ in range(people)]
        await asyncio.gather(*(one.connect() for one in self.clients))
        names = [one.handle for one in self.clients]
        host = await self.clients[0].start_group_call(names[1:], source=self._media(0), **options)
        self.calls = [host]
        for number in range(1, people if join is None else join):
            self.calls.append(await self.join(number, video=options["video"]))
        await asyncio.gather(*(one.until("connected", timeout_s=20) for one in self.calls))
        return self.calls

    async def join(self, number: int, **options: Any) -> Any:
        """Person ``number`` joins the host's call."""
        options = {"video": True, "source": self._media(number), **options}
        broadcast_id = self.calls[0].broadcast_id
        return await self.clients[number].join_group_call(broadcast_id, **options)

    def name(self, number: int) -> str:
        """The handle of a person."""
        return str(self.clients[number].handle)


async def all_there(calls: list[Any], limit_s: float = 20.0) -> None:
    """Wait until everybody sees and hears everybody else come."""
    for call in calls:
        await until(
            lambda call=call: (
                len(call.participants) == len(calls) - 1
                and all(one.peer and one.audio.active for one in call.participants)
            ),
            f"everybody's sound at {call.my_name}",
            limit_s,
        )


async def assert_everybody_at_everybody(calls: list[Any], names: list[str]) -> None:
    """Each person's tone and colour arrive at every other, under their name, and no other's."""

    async def look(me: int, number: int) -> None:
        person = calls[me].participant(names[number])
        colour, tones = await asyncio.gather(see(person.video, 30), hear(person.audio, limit_s=30))
        assert colour == number, f"{names[me]} sees {colour} as {names[number]}, who is {number}"
        assert set(tones) == {number}, f"{names[me]} hears {tones} from {names[number]}"

    people = range(len(names))
    await asyncio.gather(*(look(me, one) for me in people for one in people if me != one))
