"""A group call when something breaks: a socket, a network, the room, the server."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time

import pytest
from group_people import Rooms, all_there, card, see, until

import xnb
from xnb.events import StateChange
from xnb.launch import embedded_server
from xnb.settings import Timeouts
from xnb.signaling.http import HttpClient
from xnb.signaling.janus import JanusSession, Publisher
from xnb.signaling.janus.transport import DroppedError

BACK = ["reconnecting", "connected"]
SOON = Timeouts(dead_peer_s=1.0, reconnect_s=12.0, signaling_s=2.0)


@pytest.fixture
async def rooms(clients):
    """Makes rooms of people who can be told apart."""
    return Rooms(clients)


def states(call):
    """The states it went through."""
    return [event.new for event in call.timeline if isinstance(event, StateChange)]


def drop_socket(call):
    """Break the connection to the room's server, as a network does."""
    call._group._session._transport.drop("the test broke it")


class Cable:
    """Takes one person's network away: media, the room's server and the calling service."""

    def __init__(self, call, monkeypatch):
        self.call = call
        self.is_up = True
        self._wire = call._group
        self._post = HttpClient.post
        cable = self

        async def post(http, key, *args, **kwargs):
            if http is cable._wire._space._http and not cable.is_up:
                await asyncio.sleep(1)
                raise xnb.Unreachable("The test's cable is out.")
            return await cable._post(http, key, *args, **kwargs)

        monkeypatch.setattr(HttpClient, "post", post)

    def pull(self):
        """Out."""
        self.is_up = False
        for peer in self._peers():
            peer.set_network(False)
        transport = self._wire._session._transport

        async def never():
            raise DroppedError("the test's cable is out", never_sent=True)

        self._open = transport.open
        transport.open = never
        drop_socket(self.call)

    def plug(self):
        """In again."""
        self.is_up = True
        for peer in self._peers():
            peer.set_network(True)
        if self._wire._session:
            self._wire._session._transport.open = self._open

    def _peers(self):
        own = [self.call.peer] if self.call.peer else []
        return own + [one.peer for one in self.call.participants if one.peer]


async def test_a_dropped_socket_is_taken_up_and_nobody_notices(rooms):
    calls = await rooms.open(3, join=2)
    await all_there(calls)
    me, person = calls[1], calls[1].participants[0]
    before = list(me.timeline)
    session, peers = me._group._session, (me.peer, person.peer)
    drop_socket(me)
    await until(lambda: session.state != "open", "the drop", 3)
    await until(lambda: session.state == "open", "the claim", 10)
    assert (me.peer, person.peer) == peers
    assert me.participants == (person,)
    late = await rooms.join(2)
    await until(lambda: len(me.participants) == 2, "hearing of the one who came later")
    assert await see(person.video) == 0
    assert [e.name for e in me.timeline[len(before) :] if e.name == "statechange"] == []
    await late.hangup()


async def test_who_came_and_went_meanwhile_is_found_out(rooms, monkeypatch):
    calls = await rooms.open(4, join=3)
    await all_there(calls)
    me = calls[1]
    session = me._group._session
    wait = asyncio.Event()
    transport = session._transport
    connect = transport.open

    async def later():
        await wait.wait()
        await connect()

    monkeypatch.setattr(transport, "open", later)
    drop_socket(me)
    await until(lambda: session.state == "claiming", "the drop", 3)
    await calls[2].hangup()
    await rooms.join(3)
    await until(lambda: len(calls[0].participants) == 2, "the host's knowing better")
    assert me.participant(rooms.name(2))
    wait.set()
    await until(lambda: session.state == "open", "the claim", 10)
    names = {rooms.name(0), rooms.name(3)}
    await until(lambda: {p.name for p in me.participants} == names, "finding out")
    assert await see(me.participant(rooms.name(3)).video) == 3


async def test_a_lost_session_is_joined_again_with_the_same_participants(rooms):
    """As after a restart of Janus: everything is made anew, the people are the same objects."""
    calls = await rooms.open(3)
    await all_there(calls)
    me = calls[1]
    people = me.participants
    frames = people[0].video.frames()
    left = []
    calls[0].on("participantleft", lambda event: left.append(event))
    old_peer = me.peer
    me._group._session._lose()
    await until(lambda: states(me)[-2:] == BACK, "coming back", 15)
    assert me.participants == people
    assert me.peer is not old_peer
    assert await see(people[0].video) == 0
    await anext(frames)
    frames.close()
    assert await see(calls[0].participant(rooms.name(1)).video) == 1


async def test_who_finds_all_their_places_taken_has_them_freed(rooms):
    """By connections that are dead: the room lets nobody in more than twice."""
    calls = await rooms.open(2)
    await all_there(calls)
    me = calls[1]
    access = me._group._access
    session = JanusSession(access.gateway)
    await session.open()
    try:
        publisher = Publisher(session, access.room, pin=access.pin)
        await publisher.join(access.display, token=access.ticket)
        me._group._session._lose()
        await until(lambda: states(me)[-2:] == BACK, "coming back", 15)
        assert me._group._access.ticket != access.ticket
        person = await until(lambda: calls[0].participants, "the guest at the host")
        assert await see(person[0].video) == 1
    finally:
        await session.close()


async def test_a_host_comes_back_and_is_still_the_host(rooms):
    calls = await rooms.open(2)
    await all_there(calls)
    host = calls[0]
    host._group._session._lose()
    await until(lambda: states(host)[-2:] == BACK, "coming back", 15)
    person = await until(lambda: calls[1].participants, "the host at the guest")
    assert await see(person[0].video) == 0
    assert person[0].is_host
    await host.kick(rooms.name(1))
    assert (await calls[1].until("ended", timeout_s=10)).reason == "kicked"


@pytest.mark.slow
async def test_own_network_gone_for_a_while(rooms, monkeypatch):
    calls = await rooms.open(2, join=1)
    guest = await rooms.join(1, timeouts=SOON)
    await guest.until("connected")
    await all_there([calls[0], guest])
    cable = Cable(guest, monkeypatch)
    people = guest.participants
    cable.pull()
    await until(lambda: guest.state == "reconnecting", "noticing", 8)
    await asyncio.sleep(1)
    cable.plug()
    await until(lambda: guest.state == "connected", "coming back", 15)
    assert guest.participants == people
    assert await see(people[0].video) == 0
    other = await until(lambda: calls[0].participants, "the guest at the host")
    assert await see(other[0].video) == 1


@pytest.mark.slow
async def test_own_network_gone_for_good(rooms, monkeypatch):
    await rooms.open(2, join=1)
    limits = Timeouts(dead_peer_s=1.0, reconnect_s=3.0, signaling_s=2.0, hangup_s=1.0)
    guest = await rooms.join(1, timeouts=limits)
    await guest.until("connected")
    cable = Cable(guest, monkeypatch)
    begun_s = time.monotonic()
    cable.pull()
    ended = await guest.until("ended", timeout_s=30)
    assert ended.reason == "network"
    assert time.monotonic() - begun_s < 20
    assert "3 s" in str(guest.error)
    assert isinstance(guest.error, xnb.ConnectError)


@pytest.mark.parametrize("stage", ["bootstrap", "create", "room", "checking", "connected"])
async def test_hanging_up_at_any_stage_leaves_nothing(clients, stage):
    client = clients()
    await client.connect()
    call = await client.start_group_call(video=True)  # the first one makes pools and caches
    await call.hangup()
    await asyncio.sleep(0.3)
    gc.collect()
    tasks, threads = len(asyncio.all_tasks()), threading.active_count()
    call, starting = client.prepare_group_call(video=True, source=card(0))
    reached = asyncio.Event()
    call.on("stage", lambda event: reached.set() if event.stage == stage else None)
    begun = asyncio.ensure_future(starting)
    await asyncio.wait_for(reached.wait(), 10)
    await call.hangup()
    await asyncio.gather(begun, return_exceptions=True)
    assert call.state == "ended"
    await call.hangup()
    await until(lambda: len(asyncio.all_tasks()) <= tasks, "the end of all tasks", 10)
    await until(lambda: threading.active_count() <= threads + 2, "the end of all threads", 10)
    assert client.calls == ()


async def test_a_closed_client_leaves_no_call(rooms):
    calls = await rooms.open(2)
    await rooms.clients[0].close()
    assert calls[0].state == "ended"
    assert (await calls[1].until("ended", timeout_s=10)).reason == "remote_hangup"


@pytest.mark.timeout(90)
async def test_a_killed_server_ends_the_call_and_the_next_one_works(clients):
    limits = Timeouts(dead_peer_s=1.0, reconnect_s=3.0, signaling_s=2.0, hangup_s=1.0)
    rooms = Rooms(lambda: clients(timeouts=limits))
    calls = await rooms.open(2)
    os.kill(embedded_server().pid, signal.SIGKILL)
    for call in calls:
        ended = await call.until("ended", timeout_s=25)
        assert ended.reason == "network"
        assert "could not be reached again within 3 s" in str(call.error)
        assert BACK[0] in states(call)
    calls = await rooms.open(2)
    await all_there(calls)
    assert await see(calls[0].participants[0].video) == 1


async def test_a_connection_to_one_of_the_others_that_dies_is_made_anew(rooms, monkeypatch):
    """Only that one: our own and the call's state stay as they are."""
    monkeypatch.setattr("xnb.group_wire.subscription.SILENT_S", 0.5)
    await rooms.open(2, join=1)
    guest = await rooms.join(1, timeouts=SOON)
    await guest.until("connected")
    await all_there([rooms.calls[0], guest])
    person, own = guest.participants[0], guest.peer
    dead = person.peer
    dead.set_network(False)
    await until(lambda: person.peer not in (dead, None), "another connection", 12)
    assert await see(person.video) == 0
    assert guest.peer is own
    assert guest.state == "connected"
    assert states(guest).count("reconnecting") == 0


async def test_who_left_while_we_were_away_is_lost(rooms, monkeypatch):
    await rooms.open(3, join=2)
    await rooms.calls[1].hangup()
    guest = await rooms.join(1, timeouts=Timeouts(reconnect_s=3.0))
    other = await rooms.join(2)
    await all_there([rooms.calls[0], guest, other])
    ways = asyncio.Event()
    way_back = guest._group._way_back

    async def later(**kwargs):
        await ways.wait()
        return await way_back(**kwargs)

    monkeypatch.setattr(guest._group, "_way_back", later)
    left = []
    guest.on("participantleft", lambda event: left.append((event.participant.name, event.why)))
    guest._group._session._lose()
    guest._group._publisher.on_unpublished = guest._group._publisher.on_leaving = None
    await other.hangup()
    there = rooms.calls[0]
    await until(lambda: rooms.name(2) not in {p.name for p in there.participants}, "the leaving")
    ways.set()
    await until(lambda: states(guest)[-2:] == BACK, "coming back", 15)
    await until(lambda: left, "hearing of it", 10)
    assert left == [(rooms.name(2), "lost")]
    assert [one.name for one in guest.participants] == [rooms.name(0)]
    assert await see(guest.participants[0].video) == 0


@pytest.mark.parametrize("delay_s", [0.0, 0.03])
async def test_hanging_up_on_the_way_back_leaves_nothing(rooms, delay_s):
    calls = await rooms.open(2)
    await all_there(calls)
    await asyncio.sleep(0.2)
    tasks = len(asyncio.all_tasks())
    guest = calls[1]
    guest._group._session._lose()
    await asyncio.sleep(delay_s)
    await guest.hangup()
    assert guest.end_reason == "hangup"
    await until(lambda: len(asyncio.all_tasks()) < tasks, "the end of all tasks", 10)
    await until(lambda: not calls[0].participants, "the host's hearing of it", 15)
