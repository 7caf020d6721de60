"""Requests of the videoroom plugin: rooms, who may do what, error codes; no media but DTLS."""

from __future__ import annotations

import random

import pytest
from room_clients import Client, Member, Viewer

from xnb.server.janus.plugin import PluginError
from xnb.server.videoroom import VideoRoom, VideoRoomOptions
from xnb.server.videoroom.administration import REQUESTS
from xnb.server.videoroom.handle import ASYNCHRONOUS


@pytest.fixture
async def plugin():
    made = VideoRoom()
    yield made
    await made.close()
    await made.close()


@pytest.fixture
async def client(plugin):
    made = Client(plugin)
    yield made
    await made.close()


async def test_a_room_is_made_found_edited_and_destroyed(client):
    made = await client.ask("create", room=1234, description="first", secret="s", pin="p")
    assert made == {"videoroom": "created", "room": 1234, "permanent": False}
    assert await client.ask("exists", room=1234) == {
        "videoroom": "success",
        "room": 1234,
        "exists": True,
    }
    assert (await client.ask("exists", room="1234"))["exists"] is False
    assert await client.refused("create", room=1234) == 427
    listed = (await client.ask("list"))["list"]
    assert [one["room"] for one in listed] == [1234]
    assert (
        listed[0]
        | {
            "description": "first",
            "pin_required": True,
            "max_publishers": 3,
            "videocodec": "vp8",
            "audiocodec": "opus",
            "num_participants": 0,
        }
        == listed[0]
    )
    assert "secret" not in str(listed)
    assert await client.refused("edit", room=1234, new_description="x") == 429
    assert await client.refused("edit", room=1234, secret="t", new_description="x") == 433
    edited = await client.ask(
        "edit", room=1234, secret="s", new_description="second", new_pin="", new_publishers=5
    )
    assert edited == {"videoroom": "edited", "room": 1234, "permanent": False}
    listed = (await client.ask("list"))["list"][0]
    assert (listed["description"], listed["pin_required"], listed["max_publishers"]) == (
        "second",
        False,
        5,
    )
    assert await client.refused("destroy", room=1234) == 429
    destroyed = await client.ask("destroy", room=1234, secret="s")
    assert destroyed == {"videoroom": "destroyed", "room": 1234, "permanent": False}
    assert await client.refused("destroy", room=1234) == 426


async def test_ids_of_rooms_are_numbers_or_strings_or_made_up(client):
    assert (await client.ask("create", room="a room"))["room"] == "a room"
    made = (await client.ask("create"))["room"]
    assert isinstance(made, int)
    assert (await client.ask("exists", room=made))["exists"]
    for bad in (-1, 0, 1.5, True, "", ["x"]):
        assert await client.refused("create", room=bad) == 430


async def test_private_rooms_are_not_listed_but_to_the_admin():
    plugin = VideoRoom(VideoRoomOptions(admin_key="key"))
    client = Client(plugin)
    assert await client.refused("create", room=1) == 429
    assert await client.refused("create", room=1, admin_key="other") == 433
    await client.ask("create", room=1, admin_key="key", is_private=True)
    assert (await client.ask("list"))["list"] == []
    assert [one["room"] for one in (await client.ask("list", admin_key="key"))["list"]] == [1]
    assert await client.refused("list", admin_key="other") == 433
    await plugin.close()


@pytest.mark.parametrize(
    ("request_", "body", "code"),
    [
        ("create", {"room": 1, "videocodec": "theora"}, 430),
        ("create", {"room": 1, "videocodec": "vp9"}, 430),
        ("create", {"room": 1, "audiocodec": "pcmu"}, 430),
        ("create", {"room": 1, "publishers": "many"}, 430),
        ("create", {"room": 1, "pin": 5}, 430),
        ("create", {"room": 1, "allowed": [1]}, 430),
        ("create", {"room": 1, "permanent": True}, 499),
        ("create", {"room": 1, "record": True}, 430),
        ("exists", {}, 429),
        ("destroy", {"room": 5}, 426),
        ("edit", {}, 429),
        ("kick", {"room": 5}, 426),
        ("listparticipants", {"room": 5}, 426),
        ("allowed", {"room": 5}, 426),
        ("join", {"room": 5, "ptype": "publisher"}, 426),
        ("join", {"ptype": "publisher"}, 429),
        ("configure", {}, 424),
        ("start", {}, 424),
        ("leave", {}, 424),
        ("dance", {}, 423),
        ("rtp_forward", {"room": 5}, 423),
    ],
)
async def test_refusals(client, request_, body, code):
    assert await client.refused(request_, **body) == code


async def test_a_message_that_is_none_is_refused(client):
    for body, code in (({}, 429), ({"x": 1}, 429), ({"request": 5}, 430)):
        with pytest.raises(PluginError) as caught:
            await client.handle.message(body, None)
        assert caught.value.code == code
        assert client.handle.is_synchronous(body)


async def test_which_requests_are_answered_at_once(client):
    asked = {
        name: client.handle.is_synchronous({"request": name})
        for name in ("create", "list", "kick", "moderate", "join", "publish", "switch", "leave")
    }
    assert [name for name, at_once in asked.items() if at_once] == [
        "create",
        "list",
        "kick",
        "moderate",
    ]


async def test_pins_and_tokens_and_types_of_a_join(plugin, client):
    await client.ask("create", room=7, pin="open", allowed=["ticket"], secret="s")
    assert await client.refused("join", room=7, ptype="publisher") == 429
    assert await client.refused("join", room=7, ptype="publisher", pin="shut") == 433
    assert await client.refused("join", room=7, pin="open") == 429
    assert await client.refused("join", room=7, pin="open", ptype="ghost") == 430
    assert await client.refused("join", room=7, pin="open", ptype="publisher") == 433
    joined = await client.ask("join", room=7, pin="open", ptype="publisher", token="ticket")
    assert joined["publishers"] == []
    assert "attendees" not in joined
    admin = Client(plugin)
    added = await admin.ask("allowed", room=7, secret="s", action="add", allowed=["other"])
    assert added["allowed"] == ["other", "ticket"]
    removed = await admin.ask("allowed", room=7, secret="s", action="remove", allowed=["ticket"])
    assert removed["allowed"] == ["other"]
    assert await admin.refused("allowed", room=7, secret="s", action="sell", allowed=[]) == 430
    assert "allowed" not in await admin.ask("allowed", room=7, secret="s", action="disable")
    await Client(plugin).ask("join", room=7, pin="open", ptype="publisher")


async def test_a_participant_joins_once_and_leaves_once(plugin, client):
    await client.ask("create", room="r", notify_joining=True)
    watcher = Client(plugin)
    await watcher.ask("join", room="r", ptype="publisher", id="w", display="watcher")
    joined = await client.ask(
        "join", room="r", ptype="publisher", id="me", display="Me", metadata={"a": 1}
    )
    assert joined["id"] == "me"
    assert isinstance(joined["private_id"], int)
    assert joined["attendees"] == [{"id": "w", "display": "watcher"}]
    joining = await watcher.event(joining=...)
    assert joining["joining"] == {"id": "me", "display": "Me", "metadata": {"a": 1}}
    assert await client.refused("join", room="r", ptype="publisher") == 425
    assert await client.refused("unpublish") == 435
    assert await client.refused("switch") == 423
    twin = Client(plugin)
    assert await twin.refused("join", room="r", ptype="publisher", id="me") == 436
    listed = (await twin.ask("listparticipants", room="r"))["participants"]
    assert listed == [
        {"id": "w", "display": "watcher", "publisher": False},
        {"id": "me", "display": "Me", "metadata": {"a": 1}, "publisher": False},
    ]
    assert (await client.ask("leave"))["leaving"] == "ok"
    left = await watcher.event(leaving="me")
    assert left["display"] == "Me"
    assert await client.refused("configure") == 426
    assert await client.refused("join", room="r", ptype="publisher") == 425
    made_up = await twin.ask("join", room="r", ptype="publisher")
    assert isinstance(made_up["id"], str)


async def test_numbers_are_made_up_in_a_room_with_a_number(client):
    room = (await client.ask("create"))["room"]
    joined = await client.ask("join", room=room, ptype="publisher")
    assert isinstance(joined["id"], int)


async def test_detaching_leaves(plugin):
    plugin.create_room(1)
    first, second = Client(plugin), Client(plugin)
    await first.ask("join", room=1, ptype="publisher", id=11)
    await second.ask("join", room=1, ptype="publisher", id=22)
    await second.handle.detach()
    await second.handle.detach()
    assert await first.event(leaving=22)
    assert list(plugin.rooms[1].participants) == [11]


async def test_a_kick_is_told_and_ends_what_may_be_done(plugin):
    plugin.create_room(1, secret="s")
    first, second = Client(plugin), Client(plugin)
    await first.ask("join", room=1, ptype="publisher", id=11)
    await second.ask("join", room=1, ptype="publisher", id=22)
    assert await first.refused("kick", room=1, id=22) == 429
    assert await first.refused("kick", room=1, secret="s", id=33) == 428
    assert await first.ask("kick", room=1, secret="s", id=22) == {"videoroom": "success"}
    kicked = await second.event(leaving="ok")
    assert kicked["reason"] == "kicked"
    assert await first.event(kicked=22)
    assert await second.refused("configure") == 433
    await plugin.kick(1, 11)
    assert (await first.event(leaving="ok"))["reason"] == "kicked"
    await plugin.kick(1, 11)


async def test_destroying_is_told_to_everybody(plugin):
    plugin.create_room("x")
    clients = [Client(plugin) for _ in range(3)]
    for client in clients:
        await client.ask("join", room="x", ptype="publisher")
    await plugin.destroy_room("x")
    await plugin.destroy_room("x")
    for client in clients:
        assert await client.event(videoroom="destroyed") == {"videoroom": "destroyed", "room": "x"}
        assert await client.refused("configure") == 426
    assert not plugin.has_room("x")


async def test_subscriptions_that_cannot_be(plugin):
    plugin.create_room(1, pin="p")
    member, viewer = Client(plugin), Client(plugin)
    await member.ask("join", room=1, pin="p", ptype="publisher", id=5)
    ask = {"room": 1, "pin": "p", "ptype": "subscriber"}
    assert await viewer.refused("join", **ask) == 429
    assert await viewer.refused("join", **ask, feed=5) == 428  # it publishes nothing
    assert await viewer.refused("join", **ask, streams=[{"feed": 6}]) == 428
    assert await viewer.refused("join", **ask, streams=[{}]) == 429
    assert await viewer.refused("join", **ask, streams=["x"]) == 430
    assert await viewer.refused("join", **ask, streams=[]) == 429
    assert await viewer.refused("join", {"type": "offer", "sdp": ""}, **ask, feed=5) == 423
    assert await viewer.refused("join", room=1, ptype="subscriber", feed=5) == 429
    assert viewer.handle.info() == {"type": "none"}


async def test_private_ids_are_asked_for_where_the_room_wants_them(plugin, client):
    await client.ask("create", room=3, require_pvtid=True)
    member = Member(plugin)
    joined = await member.join(3)
    await member.publish(video=False)
    asked = {"room": 3, "ptype": "subscriber", "feed": member.id}
    viewer = Viewer(plugin)
    assert await viewer.refused("join", **asked) == 433
    assert await viewer.refused("join", **asked, private_id=1) == 433
    await viewer.subscribe(3, {"feed": member.id}, private_id=joined["private_id"])
    await viewer.close()
    await member.close()


async def test_a_full_room_is_full_at_publish_not_at_join(plugin):
    plugin.create_room(1, publishers=1)
    first, second = Member(plugin, 0), Member(plugin, 1)
    await first.join(1)
    await first.publish(video=False)
    await second.join(1)
    assert await second.refused("publish", await second.offer(video=False)) == 432
    await first.ask("unpublish")
    await second.peer.close()
    await second.publish(video=False)
    await first.close()
    await second.close()


async def test_offers_that_cannot_be_used(plugin):
    plugin.create_room(1, video_codecs=("h264",))
    member = Member(plugin)
    await member.join(1)
    assert await member.refused("publish", {"type": "answer", "sdp": ""}) == 431
    assert await member.refused("publish", {"type": "offer", "sdp": "hello"}) == 437
    assert await member.refused("publish", {"type": "offer"}) == 437
    assert await member.refused("publish", videocodec="vp8", jsep=await member.offer()) == 430
    await member.peer.close()
    told = await member.publish()
    assert told["video_codec"] == "h264"
    assert await member.refused("publish") == 434
    assert await member.refused("configure", streams=[{"mid": "9"}]) == 428
    assert await member.refused("configure", streams=[{"send": True}]) == 430
    await member.close()


async def test_nothing_secret_is_shown(plugin):
    plugin.create_room(1, pin="pin-4711", secret="secret-4711")
    member = Client(plugin)
    await member.ask("join", room=1, ptype="publisher", pin="pin-4711", display="Eve")
    handle = next(iter(plugin._handles))
    for shown in (plugin, handle, handle.role, plugin.rooms[1], plugin.rooms[1].settings):
        assert "4711" not in repr(shown)
    assert "4711" not in str(handle.info()) + str(plugin.counts())


NAMES = """
    request room ptype id feed streams mid sub_mid subscribe unsubscribe secret pin display
    metadata token audio video send bitrate descriptions publishers videocodec audiocodec
    allowed action mute record rec_dir filename keyframe restart private_id new_bitrate new_pin
"""


async def test_whatever_comes_is_answered_or_refused(plugin):
    """Members of the wrong type, in any request, before and after joining."""
    chance = random.Random(3)
    names = NAMES.split()
    requests = [*ASYNCHRONOUS, *REQUESTS, "dance"]
    values = [None, True, 0, 1, -5, 1.5, "", "x", "vp8", [], [1], ["a"], {}, {"mid": "0"}]
    values += [[{"feed": 1, "mid": "0", "sub_mid": "0"}], [{}], [[]], 1 << 70, "subscriber"]
    jseps = [
        None,
        {},
        {"type": "offer"},
        {"type": "answer", "sdp": 5},
        {"type": "offer", "sdp": "m"},
    ]
    plugin.create_room(1)
    codes = set()
    for number in range(1500):
        if number % 50 == 0:
            client = Client(plugin)
            if not plugin.has_room(1):
                plugin.create_room(1)
            if number % 100:
                await client.ask("join", room=1, ptype="publisher")
        body = {name: chance.choice(values) for name in chance.sample(names, 8)}
        body |= {"request": chance.choice(requests), "room": chance.choice([1, 1, "x", None])}
        try:
            await client.handle.message(body, chance.choice(jseps))
        except PluginError as error:
            codes.add(error.code)
        await client.handle.trickle([chance.choice([None, {}, {"candidate": "x"}])])
    assert codes >= {423, 426, 429, 430}
    assert codes <= set(range(421, 439)) | {499}
