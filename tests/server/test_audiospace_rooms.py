"""Who is put out of the media rooms of group calls, when, and what may overlap with that."""

from __future__ import annotations

import asyncio

import pytest

from xnb.server.refusal import Refusal
from xnb.server.spaces.requests import AboutMember
from xnb.server.spaces.session import SpaceState

from .groups import SeeingRooms
from .test_audiospace_time import URL, Clocked, refused


class SlowRooms(SeeingRooms):
    """The same, in which a kick, a place or a look waits as long as the test wants."""

    def __init__(self):
        super().__init__()
        self.go = {name: asyncio.Event() for name in ("kick", "place", "present")}
        self.there = {name: asyncio.Event() for name in self.go}
        for event in self.go.values():
            event.set()
        self.silent = set()

    def hold(self, name):
        self.go[name].clear()
        self.there[name].clear()

    async def _wait(self, name):
        self.there[name].set()
        await self.go[name].wait()

    async def kick(self, *args, **more):
        await self._wait("kick")
        await super().kick(*args, **more)

    async def place(self, *args, **more):
        await self._wait("place")
        return await super().place(*args, **more)

    async def present(self, broadcast_id):
        if broadcast_id in self.silent:
            await asyncio.sleep(60)
        await self._wait("present")
        return await super().present(broadcast_id)


def removal(rig, call, who):
    return rig.spaces.remove(rig.ann, AboutMember(broadcast_id=call, twitter_user_id=who.user.id))


def key(call, who):
    return call, str(who.user.id)


async def test_whose_name_belongs_to_nobody_in_the_call_is_put_out():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob, rig.cat)
    await rig.join(rig.bob, call)
    host, bob, cat = (str(who.user.id) for who in (rig.ann, rig.bob, rig.cat))
    rig.rooms.people[call] = {host, bob, "x"}
    await rig.after(4, call=call)
    assert rig.rooms.people[call] == {host, bob}
    assert rig.rooms.kicked == []
    rig.rooms.people[call] = {host, bob, "x", cat}  # who was invited, and has not joined
    await rig.after(4, call=call)
    assert rig.rooms.people[call] == {host, bob}
    assert rig.rooms.kicked == [key(call, rig.cat)]


async def test_who_is_about_to_join_is_not_put_out():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob, rig.cat, publish=True)
    rig.rooms.people[call] = names = {str(rig.ann.user.id), str(rig.bob.user.id)}
    names |= {rig.cat.user.periscope_id}
    everybody = set(names)
    await rig.join(rig.bob, call)
    mine = await rig.join(rig.cat, call)
    await rig.spaces.negotiate(rig.cat, mine, base_url=URL)
    states = {one.state for one in rig.spaces._list.find(call).sessions.values()}
    assert {SpaceState.INVITATION_ACCEPTED, SpaceState.STREAM_NEGOTIATED} < states
    await rig.after(6, call=call)
    assert rig.rooms.people[call] == everybody
    # Who leaves has a moment to go out by themselves.
    rig.spaces.stream_end(rig.cat, mine)
    await rig.after(4, call=call)
    assert rig.rooms.people[call] == everybody
    rig.spaces._list.find(call).sessions[rig.cat.user.id].ended_at -= 2500
    await rig.after(4, call=call)
    assert rig.rooms.people[call] == everybody - {rig.cat.user.periscope_id}


async def test_a_restart_asked_for_while_the_host_removes_one_gives_no_ticket():
    rig = Clocked(SlowRooms())
    call = await rig.start(rig.bob)
    mine = await rig.join(rig.bob, call)
    await rig.spaces.negotiate(rig.bob, mine, base_url=URL)
    rig.rooms.hold("kick")
    asking = asyncio.create_task(rig.spaces.negotiate(rig.bob, mine, base_url=URL, restart=True))
    await rig.rooms.there["kick"].wait()
    removing = asyncio.create_task(removal(rig, call, rig.bob))
    await asyncio.sleep(0.01)
    rig.rooms.go["kick"].set()
    with pytest.raises(Refusal) as caught:
        await asking
    assert refused(caught) == (403, "removed")
    await removing
    assert key(call, rig.bob) not in rig.rooms.tickets
    assert rig.rooms.places == 2  # the host's and their first one


async def test_a_place_that_comes_after_the_removal_is_taken_back():
    rig = Clocked(SlowRooms())
    call = await rig.start(rig.bob)
    mine = await rig.join(rig.bob, call)
    rig.rooms.hold("place")
    asking = asyncio.create_task(rig.spaces.negotiate(rig.bob, mine, base_url=URL))
    await rig.rooms.there["place"].wait()
    await removal(rig, call, rig.bob)
    rig.rooms.go["place"].set()
    with pytest.raises(Refusal) as caught:
        await asking
    assert refused(caught) == (403, "removed")
    assert key(call, rig.bob) not in rig.rooms.tickets


async def test_a_login_that_was_replaced_does_not_take_the_new_ones_place_away():
    rig = Clocked(SlowRooms())
    call = await rig.start(rig.bob)
    mine = await rig.join(rig.bob, call)
    rig.rooms.hold("place")
    asking = asyncio.create_task(rig.spaces.negotiate(rig.bob, mine, base_url=URL))
    await rig.rooms.there["place"].wait()
    elsewhere = type(rig.bob)(rig.bob.user, "another device")
    await rig.join(elsewhere, call)
    kicked = len(rig.rooms.kicked)
    rig.rooms.go["place"].set()
    with pytest.raises(Refusal) as caught:
        await asking
    assert refused(caught) == (404, "unknown_session")
    assert len(rig.rooms.kicked) == kicked
    assert key(call, rig.bob) in rig.rooms.tickets


async def test_a_removal_goes_on_when_the_hosts_request_is_cut_off():
    rig = Clocked(SlowRooms())
    call = await rig.start(rig.bob)
    mine = await rig.join(rig.bob, call)
    await rig.spaces.negotiate(rig.bob, mine, base_url=URL)
    rig.rooms.hold("kick")
    removing = asyncio.create_task(removal(rig, call, rig.bob))
    await rig.rooms.there["kick"].wait()
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    rig.rooms.go["kick"].set()
    await asyncio.sleep(0.01)
    assert key(call, rig.bob) not in rig.rooms.tickets


async def test_who_joins_again_right_after_being_dropped_is_not_put_out():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob)
    await rig.join(rig.bob, call)
    rig.spaces.status(rig.ann, call)
    rig.now += 200
    rig.spaces._list.find(call).touch(rig.ann.user, rig.now)
    rig.spaces.sweep()
    assert rig.state(rig.bob, call) == (13, "TIMED_OUT")
    await rig.join(rig.bob, call)
    await asyncio.sleep(0.01)
    assert rig.rooms.kicked == []


async def test_a_room_that_does_not_answer_holds_up_no_other_call():
    rig = Clocked(SlowRooms())
    sick = await rig.start(rig.bob)
    well = await rig.start(rig.cat)
    await rig.join(rig.cat, well)
    rig.rooms.silent.add(sick)
    rig.rooms.people[well] = {str(rig.ann.user.id), str(rig.cat.user.id)}
    await rig.after(200)
    told = rig.call(well)
    assert told["status"] == "RUNNING"
    assert rig.state(rig.ann, well) == (17, None)
    assert rig.state(rig.cat, well) == (8, None)
    assert rig.call(sick)["status"] == "ENDED"
    await rig.spaces.close()


async def test_a_late_answer_turns_no_clock_back():
    rig = Clocked(SlowRooms())
    call = await rig.start(rig.bob)
    await rig.join(rig.bob, call)
    rig.rooms.people[call] = {str(rig.ann.user.id), str(rig.bob.user.id)}
    sessions = rig.spaces._list.find(call).sessions
    rig.rooms.hold("present")
    rig.spaces._rooms.look(rig.spaces._list.live)
    await rig.rooms.there["present"].wait()
    rig.now += 8
    rig.rooms.go["present"].set()
    await asyncio.sleep(0.01)
    # They were there when the answer came, not only when it was asked for.
    assert {one.seen_s for one in sessions.values()} == {rig.now}
    sessions[rig.bob.user.id].ping(rig.now - 5)
    assert sessions[rig.bob.user.id].seen_s == rig.now
