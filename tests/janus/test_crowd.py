"""Rooms of many: each one's colour and tone arrive at every other, and nowhere else."""

from __future__ import annotations

import asyncio
import os
import random
import time

import pytest
from room_people import COLOURS, Person, View

LOOKS = [name for name in COLOURS if name != "grey"]
SIZE = (160, 120)
SEED = 7
STRESS_S = float(os.environ.get("XNB_STRESS_S", "0"))
LONG = pytest.mark.skipif(not STRESS_S, reason="takes half a minute: set XNB_STRESS_S=60")


def look(number: int) -> tuple[str, float]:
    """Colour and tone of the person with this number, 0 to 7."""
    return LOOKS[number], 400 + 150 * number


async def watch_all(person: Person, names: list[str]) -> dict[str, View]:
    """Subscribe to all others, one connection each."""
    views = await asyncio.gather(*(person.watch(name) for name in names if name != person.name))
    return {view.feed.display: view for view in views}


async def check(views: dict[str, View], looks: dict[str, tuple[str, float]]) -> None:
    """Everybody looks and sounds as they should, and as nobody else."""
    for name, view in views.items():
        colour, tone_hz = looks[name]
        await asyncio.gather(view.shows(colour), view.sounds(tone_hz))


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=[pytest.mark.slow, LONG])])
async def test_each_gets_each_other(room, count):
    made = await room(publishers=count)
    looks = {f"p{number}": look(number) for number in range(count)}
    people = [await made.person(name, *looks[name], size=SIZE) for name in looks]
    await asyncio.gather(*(person.enter() for person in people))
    everything = await asyncio.gather(*(watch_all(person, list(looks)) for person in people))
    assert sum(len(views) for views in everything) == count * (count - 1)
    for views in everything:
        await check(views, looks)


@pytest.mark.slow
@pytest.mark.timeout(120 + STRESS_S)
async def test_coming_and_going_in_any_order(room):
    """Seeded; at least five people, and XNB_STRESS_S=300 makes it five minutes."""
    rolls = random.Random(SEED)
    made = await room(publishers=6)
    watcher = await made.person("watcher", size=SIZE)
    await watcher.join()
    present: dict[str, tuple[Person, View]] = {}
    looks: dict[str, tuple[str, float]] = {}
    end_s = time.monotonic() + STRESS_S
    count = 0
    while time.monotonic() < end_s or count < 5:
        if len(present) < 2 or (len(present) < 5 and rolls.random() < 0.6):
            number = next(n for n in range(8) if look(n) not in looks.values())
            name = f"p{count}"
            looks[name] = look(number)
            person = await made.person(name, *looks[name], size=SIZE)
            await person.enter()
            present[name] = person, await watcher.watch(name)
            count += 1
        else:
            name = rolls.choice(sorted(present))
            person, view = present.pop(name)
            del looks[name]
            await rolls.choice([person.close, person.session.close])()
            await watcher.hears("leaving", view.feed.id, "")
            watcher.views.remove(view)
            await view.close()
            await person.close()
        await check({name: view for name, (_, view) in present.items()}, looks)
    listed = {one.display for one in await made.admin.list_participants() if one.is_publisher}
    assert listed == set(present)
