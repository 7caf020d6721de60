"""Rooms where people come and go in random order, and one whose path is bad."""

from __future__ import annotations

import asyncio
import os
import random
import time

import pytest
from bad_network import BadNetwork
from room_clients import Member, Viewer, until

from xnb.server.janus.plugin import PluginError
from xnb.server.videoroom import VideoRoom

STRESS_S = float(os.environ.get("XNB_STRESS_S", "6"))
DEEDS = ("join", "watch", "watch", "switch", "leave", "detach", "kick", "stop")
SEED = int(os.environ.get("XNB_STRESS_SEED", "5"))


@pytest.fixture
async def plugin():
    made = VideoRoom()
    yield made
    await made.close()


async def test_a_viewer_with_a_bad_path_costs_the_others_nothing(plugin):
    plugin.create_room(1)
    member, good, bad = Member(plugin, 0), Viewer(plugin), Viewer(plugin)
    await member.join(1, id=100)
    await member.publish()
    await good.subscribe(1, {"feed": 100})
    await bad.subscribe(1, {"feed": 100})
    await good.eyes["1"].sees(0)
    await bad.eyes["1"].sees(0)
    network = BadNetwork(bad.handle.role.peer, loss=0.25)
    for line in bad.handle.role.peer.sent:
        line.stream.limited(60_000)
    lines = good.peer.received
    missing = sum(line.incoming.lost for line in lines)
    await asyncio.sleep(3)
    assert len(network.dropped) > 20
    assert sum(line.incoming.lost for line in lines) == missing
    assert lines[1].incoming.resyncs == 0
    sent = member.peer.video_out.stream
    assert sent.remb_bps is None or sent.remb_bps > 100_000
    await good.eyes["1"].sees(0)
    await bad.eyes["1"].sees(0)  # what it lost it got again
    for one in (good, bad, member):
        await one.close()


@pytest.mark.timeout(STRESS_S + 100)
async def test_people_come_and_go_in_any_order(plugin):
    chance = random.Random(SEED)
    plugin.create_room("hall", publishers=4, secret="s")
    members: dict[int, Member] = {}
    viewers: list[Viewer] = []
    ends = time.monotonic() + STRESS_S
    done = 0
    while time.monotonic() < ends:
        done += 1
        free = [number for number in range(4) if number not in members]
        what = chance.choice(
            ["join", "watch", "watch", "switch", "leave", "detach", "kick", "stop"]
        )
        if what == "join" and free:
            member = Member(plugin, chance.choice(free))
            await member.join("hall", id=f"m{member.number}")
            await member.publish(video=chance.random() < 0.8)
            members[member.number] = member
        elif what == "watch" and members and len(viewers) < 5:
            viewer = Viewer(plugin)
            await viewer.subscribe("hall", {"feed": chance.choice(list(members.values())).id})
            viewers.append(viewer)
        elif what == "switch" and viewers and members:
            viewer, target = chance.choice(viewers), chance.choice(list(members.values()))
            mids = viewer.mids("audio")
            if mids:
                wanted = {"feed": target.id, "mid": "0", "sub_mid": mids[0]}
                await viewer.ask("switch", streams=[wanted])
        elif what == "stop" and viewers:
            await viewers.pop(chance.randrange(len(viewers))).close()
        elif what in ("leave", "detach", "kick") and members:
            member = members.pop(chance.choice(list(members)))
            if what == "leave":
                await member.ask("leave")
            elif what == "kick":
                await member.ask("kick", room="hall", secret="s", id=member.id)
            await member.close()
        for viewer in viewers:  # who has gone is offered away
            while viewer.link.events:
                data, jsep = viewer.link.events.pop(0)
                if data["videoroom"] == "updated" and jsep:
                    await viewer.take(jsep)
    assert done > 20
    room = plugin.rooms["hall"]
    assert {one.number for one in members.values()} == {int(i[1:]) for i in room.participants}
    for number, member in members.items():
        viewer = Viewer(plugin)
        await viewer.subscribe("hall", {"feed": member.id, "mid": "0"})
        await viewer.ears["0"].hears(number)
        viewers.append(viewer)
    for viewer in viewers:
        await viewer.close()
    assert not room.subscribers
    for member in members.values():
        assert not any(stream.subscriptions for stream in member.handle.role.streams)
        await member.close()
    assert not room.participants
    with pytest.raises(PluginError):
        room.feed("m0")
    await until(lambda: not plugin._handles, "no handle", 5)
    await until(lambda: not plugin._tasks, "no work", 5)
