"""What one client can make a room keep, repeat or open has a bound."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest
from room_clients import CODECS, Client, Member, Viewer, until

from xnb.engine import adapter
from xnb.engine.connection import MAX_REMOTE_CANDIDATES
from xnb.engine.room_peer import RoomPeer
from xnb.server.videoroom import VideoRoom

JOIN = {"room": 1, "ptype": "publisher"}


@pytest.fixture
async def plugin():
    made = VideoRoom()
    made.create_room(1)
    yield made
    await made.close()


def nested(levels):
    """Lists in each other, below an object."""
    found = []
    for _ in range(levels - 2):
        found = [found]
    return {"a": found}


async def test_what_everybody_is_told_again_and_again_is_short(plugin):
    client = Client(plugin)
    small = {"a": "x" * 4080}
    for name, good, bad in (
        ("metadata", small, {"a": "x" * 4096}),
        ("metadata", nested(16), nested(17)),
        ("metadata", nested(16), nested(900)),
        ("display", "x" * 256, "x" * 257),
        ("id", "x" * 256, "x" * 257),
    ):
        assert await client.refused("join", **JOIN, **{name: bad}) == 430
        joined = Client(plugin)
        await joined.ask("join", **JOIN, **{name: good})
        if name != "id":
            assert await joined.refused("configure", **{name: bad}) == 430
            await joined.ask("configure", **{name: good})
        await joined.handle.detach()
    assert not plugin.rooms[1].participants


async def test_descriptions_are_kept_for_lines_that_there_are(plugin):
    member, other = Member(plugin, 0), Client(plugin)
    await member.join(1, id=100)
    await other.ask("join", **JOIN)
    for wrong in (
        [{"mid": "0", "description": "x" * 257}],
        [{"mid": "x" * 257, "description": "x"}],
        [{"mid": str(number), "description": "x"} for number in range(65)],
    ):
        assert await member.refused("configure", descriptions=wrong) == 430
    early = [{"mid": mid, "description": f"early {mid}"} for mid in "01"]
    await member.ask("configure", descriptions=early)
    said = [{"mid": mid, "description": f"said {mid}"} for mid in "01"]
    await member.publish(video=False, descriptions=said)
    told = await other.event(publishers=...)
    assert [one["description"] for one in told["publishers"][0]["streams"]] == ["said 0"]
    other.link.events.clear()
    member.add_low()
    offer = {"type": "offer", "sdp": await member.peer.make_offer()}
    await member.answer("configure", offer)
    told = await other.event(publishers=...)
    streams = told["publishers"][0]["streams"]
    assert [one.get("description") for one in streams] == ["said 0", None]
    await member.close()


def candidate(number):
    """One that nobody answers at (RFC 5737)."""
    return f"candidate:{number} 1 udp {number + 1} 192.0.2.1 {1024 + number} typ host"


async def test_candidates_are_counted_over_sdp_and_trickle(plugin):
    member = Member(plugin, 0)
    await member.join(1)
    offer = await member.offer(video=False)
    own = offer["sdp"].count("a=candidate:")
    lines = [f"a={candidate(number)}\r\n" for number in range(40)]
    sdp = offer["sdp"].replace("a=end-of-candidates\r\n", "") + "".join(lines)
    answer = await member.answer("publish", {"type": "offer", "sdp": sdp})
    peer = member.handle.role.peer
    transport = adapter.ice_transport(peer.pc)

    def known():
        return len(transport.getRemoteCandidates())

    await until(lambda: known() >= 40, "the candidates of the offer")
    assert known() == 40 + own
    for _ in range(3):  # what came before counts once
        again = [{"candidate": candidate(50), "sdpMid": "0"}] * 100
        await member.handle.trickle(again)
    assert known() == 41 + own
    for number in range(60, 1000):
        await member.handle.trickle([{"candidate": candidate(number), "sdpMid": "0"}])
    assert known() == MAX_REMOTE_CANDIDATES
    remote = peer.pc.remoteDescription.sdp
    assert remote.count("a=candidate:") <= MAX_REMOTE_CANDIDATES
    await member.peer.apply_answer(answer.jsep["sdp"])
    await member.peer.wait_connected()
    await member.close()


async def test_candidates_of_one_description_are_counted(plugin):
    member = Member(plugin, 0)
    await member.join(1)
    offer = await member.offer()
    lines = [f"a={candidate(number)}\r\n" for number in range(3000)]
    answer = await member.answer("publish", {"type": "offer", "sdp": offer["sdp"] + "".join(lines)})
    transport = adapter.ice_transport(member.handle.role.peer.pc)
    await until(lambda: len(transport.getRemoteCandidates()) > 40, "the candidates of the offer")
    assert len(transport.getRemoteCandidates()) <= MAX_REMOTE_CANDIDATES
    await member.peer.apply_answer(answer.jsep["sdp"])
    await member.peer.wait_connected()
    await member.close()


@pytest.mark.parametrize("how", ["cancel", "detach", "break"])
async def test_a_restart_that_is_cut_short_leaves_no_connection(plugin, monkeypatch, how):
    made: list[RoomPeer] = []
    answered = asyncio.Event()

    class Noted(RoomPeer):
        def __init__(self, **settings):
            super().__init__(**settings)
            made.append(self)

        async def answer(self, *details, **more):
            told = await super().answer(*details, **more)
            if len(made) == 2:
                answered.set()
                if how == "break":
                    raise RuntimeError("as from a mistake in it")
                await asyncio.sleep(60)
            return told

    monkeypatch.setattr("xnb.server.videoroom.publisher.RoomPeer", Noted)
    member = Member(plugin, 0)
    await member.join(1)
    await member.publish(video=False)
    first = member.peer
    restarting = asyncio.ensure_future(member.answer("configure", await member.offer(video=False)))
    await asyncio.wait_for(answered.wait(), 10)
    if how == "detach":
        await member.handle.detach()
    if how != "break":
        restarting.cancel()
    (result,) = await asyncio.gather(restarting, return_exceptions=True)
    assert isinstance(result, RuntimeError if how == "break" else asyncio.CancelledError)
    await until(lambda: made[1].state.value == "closed", "the end of the second connection", 5)
    if how != "detach":
        assert made[0].is_up
        assert member.handle.role.peer is made[0]
    await first.close()
    await member.close()


async def test_recording_that_is_refused_leaves_nothing_behind(plugin):
    """This server records nothing; and where recording is locked, others have no say in it."""
    client = Client(plugin)
    await client.ask("join", **JOIN, display="ann")
    assert await client.refused("configure", record=True, display="bob", bitrate=99_000) == 430
    assert client.handle.role.display == "ann"
    assert client.handle.role.bitrate_bps == 0
    await client.ask("configure", bitrate=99_000)
    plugin.create_room(2, lock_record=True, secret="s")
    locked = Client(plugin)
    await locked.ask("join", room=2, ptype="publisher")
    for more in ({}, {"secret": "guess"}, {"secret": 5}):
        told = await locked.ask("configure", record=True, filename="x", bitrate=88_000, **more)
        assert told["configured"] == "ok"
    assert locked.handle.role.bitrate_bps == 88_000
    assert await locked.refused("configure", record=True, secret="s") == 430


async def test_a_new_name_is_told_though_nothing_is_sent(plugin):
    named, nameless, watcher = (Client(plugin) for _ in range(3))
    await watcher.ask("join", **JOIN)
    await named.ask("join", **JOIN, id=5, display="ann")
    await nameless.ask("join", **JOIN, id=6)
    await named.ask("configure", display="anna")
    assert await watcher.event(id=5) == {"videoroom": "event", "id": 5, "display": "anna"}
    watcher.link.events.clear()
    await named.ask("configure", display="anna")
    await nameless.ask("configure", display="bob")  # as in Janus: it had none before
    assert not watcher.link.events
    await nameless.ask("configure", metadata={"a": 1})
    assert (await watcher.event(id=6))["metadata"] == {"a": 1}


async def test_nobody_is_switched_to_who_went_meanwhile(plugin):
    members = [Member(plugin, number) for number in range(2)]
    for member in members:
        await member.join(1, id=100 + member.number)
        await member.publish(video=False)
    viewer = Viewer(plugin)
    await viewer.subscribe(1, {"feed": 100})
    gone = members[1].handle.role.streams[0]
    async with viewer.handle.role._negotiating:  # as while an offer is made
        wanted = [{"feed": 101, "mid": "0", "sub_mid": "0"}]
        switching = asyncio.ensure_future(viewer.refused("switch", streams=wanted))
        await asyncio.sleep(0.05)
        await members[1].ask("unpublish")
    assert await switching == 428
    assert not gone.subscriptions
    await viewer.ears["0"].hears(0)
    for one in (*members, viewer):
        await one.close()


@pytest.fixture
def made(monkeypatch):
    """The connections of subscribers, as they are made; ``slow`` delays what they are answered."""

    class Noted(RoomPeer):
        peers: ClassVar[list[RoomPeer]] = []
        slow: ClassVar[asyncio.Event | None] = None

        def __init__(self, **settings):
            super().__init__(**settings)
            self.peers.append(self)

        async def take_answer(self, sdp):
            await super().take_answer(sdp)
            if self.slow:
                await self.slow.wait()

    monkeypatch.setattr("xnb.server.videoroom.subscriber.RoomPeer", Noted)
    return Noted


async def test_a_subscriber_that_is_closed_meanwhile_opens_nothing_any_more(plugin, made):
    member, viewer = Member(plugin, 0), Viewer(plugin)
    await member.join(1, id=100)
    await member.publish(video=False)
    await viewer.subscribe(1, {"feed": 100})
    subscriber = viewer.handle.role
    asked = [
        ("configure", {"restart": True}),
        ("subscribe", {"streams": [{"feed": 100}]}),
        ("switch", {"streams": [{"feed": 100, "mid": "0", "sub_mid": "0"}]}),
    ]
    async with subscriber._negotiating:
        asking = [asyncio.ensure_future(viewer.refused(name, **more)) for name, more in asked]
        await asyncio.sleep(0.05)
        await subscriber.close()
    assert await asyncio.gather(*asking) == [426] * 3
    assert len(made.peers) == 1
    assert not member.handle.role.streams[0].subscriptions
    await member.close()
    await viewer.close()


async def test_a_restart_whose_answer_comes_too_late_leaves_no_connection(plugin, made):
    member, viewer = Member(plugin, 0), Viewer(plugin)
    await member.join(1, id=100)
    await member.publish(video=False)
    await viewer.subscribe(1, {"feed": 100})
    answer = await viewer.answer("configure", restart=True)
    made.slow = asyncio.Event()
    again = RoomPeer()
    sdp = await again.answer(answer.jsep["sdp"], CODECS)
    starting = asyncio.ensure_future(
        viewer.refused("start", {"type": "answer", "sdp": sdp}),
    )
    await asyncio.sleep(0.1)
    await viewer.handle.role.close()
    made.slow.set()
    assert await starting == 426
    await until(lambda: made.peers[1].state.value == "closed", "the end of the second connection")
    assert len(made.peers) == 2
    await again.close()
    await member.close()
    await viewer.close()
