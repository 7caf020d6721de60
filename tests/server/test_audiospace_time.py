"""What time does to group calls: who falls silent, hosts that come back, what is forgotten."""

from __future__ import annotations

import asyncio

import pytest

from xnb.server.auth import Caller
from xnb.server.directory import Directory
from xnb.server.held_polls import HeldPolls
from xnb.server.notices import Notices
from xnb.server.options import ServerOptions
from xnb.server.refusal import Refusal
from xnb.server.spaces.audiospace import AudioSpaces
from xnb.server.spaces.requests import AboutMember, CallMembers, PublishSpace

from .groups import JANUS_IDS, ListedRooms, SeeingRooms

URL = "http://127.0.0.1:1"


class Clocked:
    """The service alone, on a clock that the test moves; hosts have a minute to come back."""

    def __init__(self, rooms=None, **options):
        self.now = 100.0
        self.rooms = rooms or ListedRooms()
        settings = ServerOptions(**{"host_back_s": 60.0, **options})
        self.directory = Directory(["echo", "busy"], clock=lambda: self.now)
        self.notices = Notices(HeldPolls(8), hold_s=0.1, max_users=8)
        self.spaces = AudioSpaces(
            self.directory,
            self.rooms,
            settings,
            notices=self.notices,
            clock=lambda: self.now,
        )
        self.ann = Caller(self.directory.register("ann"), "a1")
        self.bob = Caller(self.directory.register("bob"), "device-of-bob")
        self.cat = Caller(self.directory.register("cat"), "c1")

    async def start(self, *invited, publish=True):
        """A call of ann's with these people invited; its id."""
        made = await self.spaces.create(self.ann, CallMembers(), base_url=URL)
        call = made["broadcast"]["id"]
        if publish:
            self.spaces.publish(
                self.ann,
                PublishSpace(
                    cookie="c",
                    broadcast_id=call,
                    janus_room_id=call,
                    invitees_twitter=[one.user.id for one in invited],
                    **JANUS_IDS,
                ),
            )
        return call

    async def join(self, who, call):
        return (await self.spaces.join(who, call))["session_uuid"]

    async def after(self, seconds, *polling, call=""):
        """Let time go by; ``polling`` ask for the status every two seconds meanwhile."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + 2, until)
            for who in polling:
                self.spaces.status(who, call)
            self.spaces._rooms.look(self.spaces._list.live)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            self.spaces.sweep()
        await asyncio.sleep(0)

    def state(self, who, call):
        reply = self.spaces.status(Caller(who.user, "elsewhere"), call)
        found = {one["twitter_user_id"]: one for one in reply["guest_sessions"]}
        return found[who.user.id]["session_state"], found[who.user.id]["end_reason"]

    def call(self, call):
        return self.spaces.status(Caller(self.ann.user, "elsewhere"), call)["xnb_call"]


def refused(caught):
    return caught.value.status, caught.value.code


async def test_who_asks_nothing_is_dropped_and_who_polls_is_not():
    rig = Clocked()
    call = await rig.start(rig.bob, rig.cat)
    await rig.join(rig.bob, call)
    mine = await rig.join(rig.cat, call)
    await rig.after(148, rig.ann, rig.bob, call=call)
    assert rig.state(rig.cat, call) == (8, None)
    await rig.after(4, rig.ann, rig.bob, call=call)
    assert rig.state(rig.cat, call) == (13, "TIMED_OUT")
    assert rig.state(rig.bob, call) == (8, None)
    assert rig.rooms.kicked == [(call, str(rig.cat.user.id))]
    with pytest.raises(Refusal) as caught:
        await rig.spaces.negotiate(rig.cat, mine, base_url=URL)
    assert refused(caught) == (409, "session_over")
    await rig.join(rig.cat, call)  # still invited
    assert rig.state(rig.cat, call) == (8, None)


async def test_being_in_the_media_room_is_a_sign_of_life():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob, rig.cat)
    await rig.join(rig.bob, call)
    await rig.join(rig.cat, call)
    rig.rooms.people[call] = {str(rig.ann.user.id), str(rig.bob.user.id)}
    await rig.after(400, call=call)
    assert rig.call(call)["status"] == "RUNNING"
    assert rig.state(rig.bob, call) == (8, None)
    assert rig.state(rig.cat, call) == (13, "TIMED_OUT")


async def test_an_sfu_that_cannot_tell_drops_nobody():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob)
    await rig.join(rig.bob, call)
    rig.rooms.broken = True
    await rig.after(400, call=call)
    assert rig.call(call)["status"] == "RUNNING"
    assert rig.state(rig.bob, call) == (8, None)


async def test_somebody_removed_who_comes_back_by_the_side_door_is_put_out_again():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob)
    await rig.join(rig.bob, call)
    await rig.spaces.remove(
        rig.ann, AboutMember(broadcast_id=call, twitter_user_id=rig.bob.user.id)
    )
    assert len(rig.rooms.kicked) == 1
    rig.rooms.people[call] = {str(rig.bob.user.id)}
    await rig.after(4, rig.ann, call=call)
    assert rig.rooms.people[call] == set()


async def test_the_gateway_knows_people_by_their_other_id():
    rig = Clocked(SeeingRooms(dialect="gateway"))
    call = await rig.start(rig.bob, rig.cat)
    await rig.join(rig.bob, call)
    await rig.join(rig.cat, call)
    rig.rooms.people[call] = {rig.ann.user.periscope_id, rig.bob.user.periscope_id}
    await rig.after(100, call=call)
    assert rig.call(call)["status"] == "RUNNING"
    assert rig.state(rig.bob, call) == (8, None)
    assert rig.state(rig.cat, call) == (13, "TIMED_OUT")
    assert rig.rooms.kicked == [(call, str(rig.cat.user.id))]


@pytest.mark.parametrize(("seeing", "quiet_s"), [(False, 90), (True, 10)])
async def test_a_host_who_is_lost_has_a_minute_to_come_back(seeing, quiet_s):
    rig = Clocked(SeeingRooms() if seeing else ListedRooms())
    call = await rig.start(rig.bob)
    await rig.join(rig.bob, call)
    await rig.after(quiet_s - 2, rig.bob, call=call)
    assert rig.state(rig.ann, call) == (17, None)
    await rig.after(4, rig.bob, call=call)
    assert rig.state(rig.ann, call) == (18, None)
    await rig.after(56, rig.bob, call=call)
    assert rig.call(call)["status"] == "RUNNING"
    await rig.after(4, rig.bob, call=call)
    told = rig.call(call)
    assert (told["status"], told["end_reason"]) == ("ENDED", "TIMED_OUT")
    with pytest.raises(Refusal) as caught:
        await rig.spaces.reconnect_host(rig.ann, call, base_url=URL)
    assert refused(caught) == (410, "ended")


async def test_a_host_that_is_heard_of_again_was_only_slow():
    rig = Clocked(SeeingRooms())
    call = await rig.start()
    await rig.after(14)
    assert rig.state(rig.ann, call) == (18, None)
    await rig.after(2, rig.ann, call=call)
    assert rig.state(rig.ann, call) == (17, None)


async def test_a_host_that_reconnects_in_time_keeps_the_call():
    rig = Clocked(SeeingRooms())
    call = await rig.start(rig.bob)
    await rig.join(rig.bob, call)
    await rig.after(60, rig.bob, call=call)
    again = Caller(rig.ann.user, "a2")
    back = await rig.spaces.reconnect_host(again, call, base_url=URL)
    assert (call, str(rig.ann.user.id)) in rig.rooms.kicked  # its old place is free
    assert rig.state(rig.ann, call) == (18, None)
    rig.spaces.stream_publish(again, back["session_uuid"])
    await rig.after(200, again, rig.bob, call=call)
    assert rig.state(rig.ann, call) == (17, None)
    # The login that was lost is no sign of life of the one that has come.
    await rig.after(80, rig.ann, rig.bob, call=call)
    assert rig.call(call)["status"] == "ENDED"


async def test_a_call_that_is_never_published_ends_and_its_room_closes():
    rig = Clocked()
    call = await rig.start(publish=False)
    assert rig.rooms.open_rooms[call] == (32, "vp8", 2_500_000)
    await rig.after(58, rig.ann, call=call)
    assert rig.call(call)["status"] == "RUNNING"
    await rig.after(4, rig.ann, call=call)
    assert rig.call(call)["end_reason"] == "TIMED_OUT"
    assert rig.rooms.closed == [call]
    assert rig.spaces.live_count == 0


async def test_an_invitation_rings_for_a_minute_and_stays_good():
    rig = Clocked()
    call = await rig.start(rig.bob)
    assert len((await rig.notices.poll(rig.bob.user, 0, 0))["notices"]) == 1
    await rig.after(62, rig.ann, call=call)
    assert (await rig.notices.poll(rig.bob.user, 0, 0))["notices"] == []
    assert rig.state(rig.bob, call) == (5, None)
    await rig.join(rig.bob, call)
    assert rig.state(rig.bob, call) == (8, None)


async def test_calls_that_ended_are_remembered_a_while_and_not_without_bound():
    rig = Clocked(max_ended=2)
    calls = []
    for _ in range(3):
        calls.append(await rig.start(rig.bob))
        mine = await rig.join(rig.bob, calls[-1])
        rig.spaces.end(rig.ann, calls[-1])
    with pytest.raises(Refusal) as caught:
        rig.call(calls[0])
    assert refused(caught) == (404, "unknown_broadcast")
    assert rig.call(calls[2])["status"] == "ENDED"
    with pytest.raises(Refusal) as caught:
        await rig.spaces.negotiate(rig.bob, mine, base_url=URL)
    assert refused(caught) == (410, "ended")
    await rig.after(302)
    with pytest.raises(Refusal):
        rig.call(calls[2])
    assert not rig.spaces._list._sessions


async def test_no_sfu_means_no_call_and_no_leftovers():
    rig = Clocked()
    rig.rooms.broken = True
    with pytest.raises(Refusal) as caught:
        await rig.start()
    assert refused(caught) == (503, "no_room")
    assert rig.spaces.live_count == 0
    rig.rooms.broken = False
    call = await rig.start(rig.bob)
    mine = await rig.join(rig.bob, call)
    rig.rooms.broken = True
    with pytest.raises(Refusal) as caught:
        await rig.spaces.negotiate(rig.bob, mine, base_url=URL)
    assert refused(caught) == (503, "no_room")
    rig.rooms.broken = False
    await rig.spaces.negotiate(rig.bob, mine, base_url=URL)  # and nothing was lost


async def test_a_restart_frees_the_old_place_first():
    rig = Clocked()
    call = await rig.start(rig.bob)
    mine = await rig.join(rig.bob, call)
    first = await rig.spaces.negotiate(rig.bob, mine, base_url=URL)
    again = await rig.spaces.negotiate(rig.bob, mine, base_url=URL)
    assert rig.rooms.kicked == []
    assert first["janus_jwt"] != again["janus_jwt"]
    await rig.spaces.negotiate(rig.bob, mine, base_url=URL, restart=True)
    assert rig.rooms.kicked == [(call, str(rig.bob.user.id))]


async def test_bots_are_told_and_people_are_not_bots():
    rig = Clocked()
    told = []
    rig.spaces.on_bot_invited = lambda space, user: told.append((space.id, user.handle))
    call = await rig.start(rig.bob)
    echo = rig.directory.by_handle("echo")
    for _ in range(2):
        rig.spaces.invite(rig.ann, call, [echo.id, rig.cat.user.id])
    assert told == [(call, "echo")]
    assert len((await rig.notices.poll(rig.cat.user, 0, 0))["notices"]) == 1


async def test_closing_ends_every_call_and_may_be_done_twice():
    rig = Clocked()
    calls = [await rig.start(rig.bob) for _ in range(3)]
    mine = await rig.join(rig.bob, calls[0])
    over = rig.spaces._list.find(calls[0]).sessions[rig.bob.user.id].over
    await rig.spaces.close()
    await rig.spaces.close()
    assert over.is_set()
    assert sorted(rig.rooms.closed) == sorted(calls)
    with pytest.raises(Refusal) as caught:
        rig.spaces.stream_publish(rig.bob, mine)
    assert refused(caught) == (410, "ended")
    assert not [t for t in asyncio.all_tasks() if "group call" in t.get_name()]


async def test_nothing_secret_in_a_repr():
    rig = Clocked()
    call = await rig.start(rig.bob)
    space = rig.spaces._list.find(call)
    for thing in (space, space.sessions[rig.bob.user.id], CallMembers(), rig.bob):
        text = repr(thing)
        assert space.chat_token not in text
        assert "device-of-bob" not in text
