"""Who counts as whom in a group's room, when more than one there has somebody's name."""

from __future__ import annotations

import asyncio
from itertools import permutations
from types import SimpleNamespace

import pytest

from xnb.group_wire import people as module
from xnb.group_wire.people import NO_FEED, People
from xnb.participants import Participant
from xnb.settings import CallOptions
from xnb.signaling.janus import Feed, FeedStream, JanusError, Joined

BOB = "1000000002"


class Call:
    """As much of a call as people need; notes who left."""

    def __init__(self):
        self.options = CallOptions()
        self._people = {}
        self.left = []

    @property
    def participants(self):
        return tuple(self._people.values())

    def _new_person(self, user_id, name):
        person = self._people[user_id] = Participant(None, user_id, name)
        return person

    def _gone(self, person, why):
        self._people.pop(person.id)
        self.left.append((person.id, why))

    def _talks(self, person, talks):
        person.is_talking = talks

    def _changed(self, _person):
        pass


class Room(People):
    """People in a room in which nothing is received; ``shown`` is what would be, in order."""

    def __init__(self):
        self.call = Call()
        self.shown = []
        self.works = []
        super().__init__(self.call, None, None, self._later)
        self.me, self.my_name = "1000000001", "1000000001"

    def _later(self, work):
        work.close()

    def _receive(self, person):
        self.shown.append(person._feed.id if person._feed else None)

    @property
    def bob(self):
        return self.call._people[BOB]


def feed(number, name=BOB, talks=None):
    return Feed(number, name, (FeedStream("audio", "0"),), talks, name)


@pytest.mark.parametrize("own", [BOB, int(BOB)])
def test_the_one_with_their_own_id_counts_whichever_is_newer(own):
    for order in permutations([feed(own), feed("x"), feed("y")]):
        room = Room()
        for one in order:
            room.publishers((one,))
        assert room.bob._feed.id == own
        assert room.shown[-1] == own
        room.publishers((feed("x", talks=True), feed("z")))
        assert room.bob._feed.id == own
        assert room.shown[-1] == own
        assert not room.bob.is_talking
        again = Room()
        again.greet(None, Joined("1000000001", 1, tuple(order)))
        assert again.bob._feed.id == own
        assert len(again.call.participants) == 1


def test_what_the_room_says_of_another_with_their_name_is_not_said_of_them():
    room = Room()
    room.publishers((feed(BOB), feed("x")))
    room.talking("x", True, -20)
    room.moderated("x", "0", True)
    assert not room.bob.is_talking
    assert not room.bob.is_muted_by_host
    room.talking(BOB, True, -20)
    room.moderated(BOB, "0", True)
    assert room.bob.is_talking
    assert room.bob.is_muted_by_host
    assert set(room.feed_ids(room.bob)) == {BOB, "x"}


@pytest.mark.parametrize("leaves", [True, False])
def test_who_came_back_under_another_id_is_received_when_the_old_place_is_gone(leaves):
    room = Room()
    room.publishers((feed(BOB),))
    bob = room.bob
    room.joining("r1", BOB)
    room.publishers((feed("r1"),))
    assert room.shown == [BOB]
    if leaves:
        room.leaving(BOB, "")
    else:
        room.unpublished(BOB)
    assert room.shown == [BOB, "r1"]
    assert room.bob is bob
    room.publishers((feed("r2"),))
    room.publishers((feed("r3"),))
    assert room.shown[-1] == "r3"
    room.leaving("r3", "")
    assert room.shown[-1] == "r2"
    for one in ("r1", "r2", *(() if leaves else (BOB,))):
        assert room.call.left == []
        room.leaving(one, "kicked")
    assert room.call.left == [(BOB, "kicked")]


def test_greeting_forgets_what_was_sent_before():
    room = Room()
    room.publishers((feed(BOB),))
    room.greet(None, Joined("1000000001", 1, (), (("r1", BOB),)))
    assert room.bob._feed is None
    room.leaving("r1", "")
    assert room.call.left == [(BOB, "left")]


async def test_who_is_not_there_any_more_is_received_by_their_other_place(monkeypatch):
    monkeypatch.setattr(module, "PAUSES_S", (0.0,))
    room = Room()
    room._room = SimpleNamespace()
    room.publishers((feed("r1"), feed(BOB)))
    tried = []

    async def hold_once(person, _room, _broken):
        tried.append(person._feed.id)
        if len(tried) == 1:
            raise JanusError("Nobody there.", code=NO_FEED)
        await asyncio.sleep(60)

    room._hold_once = hold_once
    holding = asyncio.create_task(room._hold(room.bob, None))
    async with asyncio.timeout(5):
        while len(tried) < 2:
            await asyncio.sleep(0.01)
    holding.cancel()
    assert tried == [BOB, "r1"]
