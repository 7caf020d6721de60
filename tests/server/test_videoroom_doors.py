"""Who comes into a room as whom, and what is left of who has gone: nothing."""

from __future__ import annotations

import asyncio

import pytest
from room_clients import Client, Member, Viewer, until

from xnb.server.videoroom import VideoRoom, VideoRoomOptions


@pytest.fixture
async def plugin():
    made = VideoRoom()
    yield made
    await made.close()


@pytest.fixture
async def client(plugin):
    made = Client(plugin)
    yield made
    await made.close()


JOIN = {"room": "r", "ptype": "publisher"}


async def test_a_token_that_is_somebodys_lets_in_nobody_else(plugin, client):
    plugin.create_room("r", allowed={"ann's": ("11", "ann"), "anybody's": ()})
    assert await client.refused("join", **JOIN) == 433
    for wrong in (
        {},
        {"display": "22"},
        {"display": ""},
        {"display": "11", "id": "22"},
        {"display": "11", "id": 22},
        {"display": "22", "id": "11"},
    ):
        assert await client.refused("join", **JOIN, token="ann's", **wrong) == 433, wrong
    assert not plugin.rooms["r"].participants
    joined = await client.ask("join", **JOIN, token="ann's", display="ann", id=11)
    assert joined["id"] == 11
    # Nor may she call herself something else later.
    assert await client.refused("configure", display="22", metadata={"a": 1}) == 433
    listed = (await client.ask("listparticipants", room="r"))["participants"]
    assert listed == [{"id": 11, "display": "ann", "publisher": False}]
    await client.ask("configure", display="11")
    other = Client(plugin)
    await other.ask("join", **JOIN, token="anybody's", display="22", id="22")
    await other.ask("configure", display="33")


async def test_two_at_a_time_are_in_with_one_token(plugin):
    plugin.create_room("r", allowed={})
    plugin.allow("r", "ann's", {"ann"})
    plugin.allow("r", "anybody's")
    clients = [Client(plugin) for _ in range(4)]
    for client in clients[:2]:
        await client.ask("join", **JOIN, token="ann's", display="ann")
    assert await clients[2].refused("join", **JOIN, token="ann's", display="ann") == 433
    await clients[0].ask("leave")
    await clients[2].ask("join", **JOIN, token="ann's", display="ann")
    assert await clients[3].refused("join", **JOIN, token="ann's", display="ann") == 433
    for _ in range(4):
        await Client(plugin).ask("join", **JOIN, token="anybody's", display="x")
    plugin.allow("nowhere", "ann's", {"ann"})


async def test_putting_out_reaches_everybody_with_the_token(plugin):
    plugin.create_room("r", allowed={"ann's": ("ann",), "bob's": ("bob",)})
    ann, again, bob = (Client(plugin) for _ in range(3))
    for one, name in ((ann, "ann"), (again, "ann"), (bob, "bob")):
        await one.ask("join", **JOIN, token=f"{name}'s", display=name)
    await plugin.put_out("r", "ann's")
    for one in (ann, again):
        assert (await one.event(leaving="ok"))["reason"] == "kicked"
        assert await one.refused("configure") == 433
    assert [one.display for one in plugin.rooms["r"].participants.values()] == ["bob"]
    assert await Client(plugin).refused("join", **JOIN, token="ann's", display="ann") == 433
    await plugin.put_out("r", "ann's")
    await plugin.put_out("nowhere", "bob's")
    plugin.disallow("r", "bob's")  # who is in stays in
    assert await Client(plugin).refused("join", **JOIN, token="bob's", display="bob") == 433
    await bob.ask("configure", display="bob")


async def test_the_list_of_tokens_is_edited_and_asked_for_apart(plugin, client):
    await client.ask("create", room="r", secret="s")
    asked = {"room": "r", "secret": "s"}
    added = await client.ask("allowed", **asked, action="add", allowed=["one", "two"])
    assert added["allowed"] == ["one", "two"]
    await Client(plugin).ask("join", **JOIN)  # still free for all
    assert (await client.ask("allowed", **asked, action="remove", allowed=["one", "x"]))[
        "allowed"
    ] == ["two"]
    await Client(plugin).ask("join", **JOIN)
    assert (await client.ask("allowed", **asked, action="add"))["allowed"] == ["two"]
    assert (await client.ask("allowed", **asked, action="enable"))["allowed"] == ["two"]
    assert await Client(plugin).refused("join", **JOIN, token="one") == 433
    await Client(plugin).ask("join", **JOIN, token="two")
    assert "allowed" not in await client.ask("allowed", **asked, action="disable")
    await Client(plugin).ask("join", **JOIN, token="one")
    assert (await client.ask("allowed", **asked, action="enable"))["allowed"] == ["two"]
    # A token that is somebody's stays so.
    plugin.allow("r", "ann's", {"ann"})
    await client.ask("allowed", **asked, action="add", allowed=["ann's"])
    assert await Client(plugin).refused("join", **JOIN, token="ann's", display="bob") == 433
    many = [f"{number}" for number in range(128)]
    for _ in range(7):
        await client.ask("allowed", **asked, action="add", allowed=many)
        many = [f"{one}." for one in many]
    assert await client.refused("allowed", **asked, action="add", allowed=many) == 430


async def test_guests_make_no_rooms(client):
    client.link.is_owner = False
    assert await client.refused("create") == 433
    assert await client.refused("create", room=1) == 433
    client.link.is_owner = True
    await client.ask("create", room=1)
    client.link.is_owner = False
    assert await client.refused("create", room=1) == 427
    assert (await client.ask("list"))["list"]
    with_key = Client(VideoRoom(VideoRoomOptions(admin_key="key")))
    with_key.link.is_owner = False
    assert await with_key.refused("create", room=1, admin_key="other") == 433
    await with_key.ask("create", room=1, admin_key="key")


async def watched(plugin, **room):
    """Somebody who sends, and somebody who watches: its publishing side and its subscription."""
    plugin.create_room("r", secret="s", **room)
    sender, watcher, view = Member(plugin, 0), Client(plugin), Viewer(plugin)
    await sender.join("r", id=100)
    await sender.publish(video=False)
    joined = await watcher.ask("join", room="r", ptype="publisher", id=200)
    await view.subscribe("r", {"feed": 100}, private_id=joined["private_id"])
    return sender, watcher, view


@pytest.mark.parametrize("how", ["leave", "detach", "kick", "put_out"])
async def test_who_goes_receives_nothing_any_more_where_the_room_knows_whose_it_is(plugin, how):
    sender, watcher, view = await watched(plugin, require_pvtid=True, allowed=None)
    stream = sender.handle.role.streams[0]
    assert len(stream.subscriptions) == 1
    watcher.handle.role.token = "ticket"
    if how == "leave":
        await watcher.ask("leave")
    elif how == "detach":
        await watcher.handle.detach()
    elif how == "kick":
        await sender.ask("kick", room="r", secret="s", id=200)
    else:
        await plugin.put_out("r", "ticket")
    await until(lambda: not plugin.rooms["r"].subscribers, "no subscriber", 2)
    assert not stream.subscriptions
    assert view.link.hangups == ["Close PC"]
    assert await view.refused("subscribe", streams=[{"feed": 100}]) == 426
    assert await view.refused("switch", streams=[{"feed": 100, "mid": "0", "sub_mid": "0"}]) == 426
    assert await view.refused("configure", restart=True) == 426
    await until(lambda: view.peer.state.value == "closed", "the end at the viewer")
    for one in (sender, watcher, view):
        await one.close()


async def test_who_leaves_goes_on_receiving_where_anybody_may(plugin):
    """As in Janus, which asks for no private id there."""
    sender, watcher, view = await watched(plugin)
    await watcher.ask("leave")
    await asyncio.sleep(0.1)
    assert len(plugin.rooms["r"].subscribers) == 1
    assert not view.link.hangups
    await view.ears["0"].hears(0)
    for one in (sender, watcher, view):
        await one.close()


async def test_a_kick_that_is_cut_short_is_a_kick(plugin):
    sender, watcher, view = await watched(plugin, require_pvtid=True)
    member, may_close = Member(plugin, 1), asyncio.Event()
    await member.join("r", id=300)
    await member.publish(video=False)
    own = Viewer(plugin)
    await own.subscribe("r", {"feed": 100}, private_id=member.joined["private_id"])
    peer = member.handle.role.peer
    close = peer.close

    async def slow():
        await may_close.wait()
        await close()

    peer.close = slow
    kicking = asyncio.ensure_future(plugin.kick("r", 300))
    await asyncio.sleep(0.05)
    kicking.cancel()
    await asyncio.gather(kicking, return_exceptions=True)
    try:
        assert plugin.rooms["r"].participants.keys() == {100, 200}
        assert [one.link for one in plugin.rooms["r"].subscribers] == [view.link]
        assert member.link.hangups == own.link.hangups == ["Close PC"]
        assert await sender.event(kicked=300)
        assert len(sender.handle.role.streams[0].subscriptions) == 1
    finally:
        may_close.set()
    await until(lambda: peer.state.value == "closed", "the end of the connection")
    for one in (sender, watcher, view, member, own):
        await one.close()
