"""Rooms with real media: each person's tone and colour arrive where they should, nowhere else."""

from __future__ import annotations

import asyncio
import contextlib

import av
import numpy as np
import pytest
from media_files import dominant_frequency
from room_clients import COLOURS, Client, Member, Viewer, tone_hz, until

from xnb.media.frames import to_rgb
from xnb.server.videoroom import VideoRoom, VideoRoomOptions


@pytest.fixture
async def plugin(tmp_path):
    made = VideoRoom(VideoRoomOptions(recordings=tmp_path))
    yield made
    await made.close()


@pytest.fixture
async def clients():
    async with contextlib.AsyncExitStack() as stack:

        def keep(client):
            stack.push_async_callback(client.close)
            return client

        yield keep


async def publish(plugin, clients, room, *numbers, **how):
    members = []
    for number in numbers:
        member = clients(Member(plugin, number))
        await member.join(room, id=100 + number)
        await member.publish(**how)
        members.append(member)
    return members


async def test_three_see_and_hear_each_other(plugin, clients):
    plugin.create_room(1)
    members = await publish(plugin, clients, 1, 0, 1, 2)
    first = await members[0].event(publishers=...)
    assert first["publishers"][0]["id"] == 101
    streams = first["publishers"][0]["streams"]
    assert [(one["type"], one["mid"], one["mindex"], one["codec"]) for one in streams] == [
        ("audio", "0", 0, "opus"),
        ("video", "1", 1, "vp8"),
    ]
    assert sorted(one["id"] for one in members[2].joined["publishers"]) == [100, 101]
    views = []
    for member in members:
        for other in members:
            if other is not member:
                viewer = clients(Viewer(plugin))
                attached = await viewer.subscribe(1, {"feed": other.id})
                assert [one["feed_id"] for one in attached["streams"]] == [other.id] * 2
                assert [one["feed_mid"] for one in attached["streams"]] == ["0", "1"]
                assert attached["streams"][1]["feed_display"] == f"member {other.number}"
                views.append((viewer, other.number))
    for viewer, number in views:
        await viewer.eyes["1"].sees(number)
        await viewer.ears["0"].hears(number)
    (counts,) = plugin.counts()
    assert {one["id"] for one in counts["feeds"]} == {100, 101, 102}
    assert all(s["packets"] > 20 for one in counts["feeds"] for s in one["streams"])
    assert len(counts["subscribers"]) == 6
    assert all(s["packets"] > 3 for one in counts["subscribers"] for s in one["streams"])


async def test_one_connection_may_show_many(plugin, clients):
    plugin.create_room(1)
    await publish(plugin, clients, 1, 0, 1, 2)
    viewer = clients(Viewer(plugin))
    wanted = [{"feed": 100}, {"feed": 101, "mid": "1", "crossrefid": "mine"}]
    attached = await viewer.subscribe(1, *wanted)
    assert [(one["mid"], one["type"], one["feed_id"]) for one in attached["streams"]] == [
        ("0", "audio", 100),
        ("1", "video", 100),
        ("2", "video", 101),
    ]
    assert attached["streams"][2]["crossrefid"] == "mine"
    await viewer.eyes["1"].sees(0)
    await viewer.eyes["2"].sees(1)
    updated = await viewer.answer("subscribe", streams=[{"feed": 102}])
    assert updated.data["videoroom"] == "updated"
    assert [one["mid"] for one in updated.data["streams"]] == ["0", "1", "2", "3", "4"]
    await viewer.take(updated.jsep)
    await viewer.eyes["4"].sees(2)
    await viewer.ears["3"].hears(2)
    updated = await viewer.answer(
        "update", subscribe=[{"feed": 102, "mid": "1"}], unsubscribe=[{"feed": 100}]
    )
    active = {one["mid"]: one.get("feed_id") for one in updated.data["streams"]}
    assert active == {"0": None, "1": 102, "2": 101, "3": 102, "4": 102}
    await viewer.take(updated.jsep)
    await viewer.eyes["1"].sees(2)
    heard = viewer.ears["0"].frames
    await viewer.ears["3"].hears(2)
    await viewer.eyes["2"].sees(1)
    assert viewer.ears["0"].frames <= heard + 30  # what was still to be played out
    updated = await viewer.answer("unsubscribe", streams=[{"sub_mid": "3"}])
    await viewer.take(updated.jsep)
    unchanged = await viewer.answer("unsubscribe", streams=[{"sub_mid": "3"}])
    assert unchanged.data == {"videoroom": "updated", "room": 1}
    assert unchanged.jsep is None
    assert await viewer.refused("update") == 429
    assert await viewer.refused("update", subscribe=[]) == 430
    assert await viewer.refused("subscribe") == 429
    assert await viewer.refused("subscribe", streams=[{"feed": 100, "mid": "8"}]) == 428


async def test_offers_do_not_overlap(plugin, clients):
    plugin.create_room(1)
    await publish(plugin, clients, 1, 0, 1, 2)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100, "mid": "1"})
    first = await viewer.answer("subscribe", streams=[{"feed": 101, "mid": "1"}])
    second = await viewer.answer("subscribe", streams=[{"feed": 102, "mid": "1"}])
    assert second.data["videoroom"] == "updating"
    assert second.jsep is None
    await viewer.take(first.jsep)
    data, jsep = await viewer.event_and_jsep(videoroom="updated")
    assert len(data["streams"]) == 3
    await viewer.take(jsep)
    await viewer.eyes["2"].sees(2)
    await viewer.eyes["1"].sees(1)


async def test_the_ways_of_before_janus_1(plugin, clients):
    plugin.create_room(1)
    await publish(plugin, clients, 1, 0, 1)
    viewer = clients(Viewer(plugin))
    attached = await viewer.subscribe(1, feed=100, audio=False)
    assert attached["id"] == 100
    assert attached["warning"] == "deprecated_api"
    assert viewer.mids("video") == ["0"]
    assert not viewer.mids("audio")
    await viewer.eyes["0"].sees(0)
    switched = await viewer.ask("switch", feed=101)
    assert switched["switched"] == "ok"
    await viewer.eyes["0"].sees(1)
    await viewer.ask("configure", video=False)
    before = plugin.counts()[0]["subscribers"][0]["streams"][0]["packets"]
    await asyncio.sleep(0.3)
    assert plugin.counts()[0]["subscribers"][0]["streams"][0]["packets"] == before


async def test_switch_pause_and_configure(plugin, clients):
    plugin.create_room(1)
    await publish(plugin, clients, 1, 0, 1)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100})
    await viewer.eyes["1"].sees(0)
    switched = await viewer.ask("switch", streams=[{"feed": 101, "mid": "1", "sub_mid": "1"}])
    assert (switched["switched"], switched["changes"]) == ("ok", 1)
    assert [one["feed_id"] for one in switched["streams"]] == [100, 101]
    await viewer.eyes["1"].sees(1)
    await viewer.ears["0"].hears(0)
    wrong = await viewer.ask("switch", streams=[{"feed": 101, "mid": "0", "sub_mid": "1"}])
    assert wrong["changes"] == 0  # sound into pictures
    assert await viewer.refused("switch", streams=[]) == 430
    assert (
        await viewer.refused("switch", streams=[{"feed": 101, "mid": "7", "sub_mid": "1"}]) == 428
    )
    assert await viewer.refused("switch") == 429

    assert (await viewer.ask("pause"))["paused"] == "ok"
    await asyncio.sleep(0.2)
    seen, packets = viewer.eyes["1"].pictures, plugin.counts()[0]["subscribers"][0]["streams"]
    await asyncio.sleep(0.4)
    assert plugin.counts()[0]["subscribers"][0]["streams"] == packets
    assert (await viewer.ask("start"))["started"] == "ok"
    await viewer.eyes["1"].sees(1)
    assert viewer.eyes["1"].pictures > seen

    await viewer.ask("configure", streams=[{"mid": "1", "send": False}])
    await asyncio.sleep(0.2)
    seen = viewer.eyes["1"].pictures
    await viewer.ears["0"].hears(0)
    await asyncio.sleep(0.3)
    assert viewer.eyes["1"].pictures <= seen + 1
    await viewer.ask("configure", streams=[{"mid": "1", "send": True}])
    await viewer.eyes["1"].sees(1)
    assert await viewer.refused("configure", streams=[{"mid": "5", "send": True}]) == 428


async def test_a_restart_moves_to_a_new_connection(plugin, clients):
    """A browser restarts ICE and DTLS in place; this client, which cannot, begins anew."""
    plugin.create_room(1)
    await publish(plugin, clients, 1, 0, 1)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100, "mid": "1"})
    await viewer.eyes["0"].sees(0)
    first = viewer.peer
    answer = await viewer.answer("configure", restart=True)
    assert answer.data["configured"] == "ok"
    assert answer.jsep["restart"] is True
    added = await viewer.ask("subscribe", streams=[{"feed": 101, "mid": "1"}])
    assert added["videoroom"] == "updating"
    await viewer.eyes["0"].sees(0)  # until the answer
    viewer.peer = None
    viewer.eyes.clear()
    await viewer.take(answer.jsep)
    await viewer.eyes["0"].sees(0)
    await until(lambda: first.state.value == "closed", "the end of the old connection")
    data, jsep = await viewer.event_and_jsep(videoroom="updated")
    assert [one["active"] for one in data["streams"]] == [True, True]
    await viewer.take(jsep)
    await viewer.eyes["1"].sees(1)
    assert not viewer.link.hangups
    await first.close()


async def test_a_publisher_that_restarts_keeps_its_subscribers(plugin, clients):
    """As after a change of network: an offer with new ICE credentials and the same m-lines."""
    plugin.create_room(1)
    (member,) = await publish(plugin, clients, 1, 0)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100})
    await viewer.eyes["1"].sees(0)
    first, member.number = member.peer, 1
    answer = await member.answer("configure", await member.offer())
    await member.peer.apply_answer(answer.jsep["sdp"])
    await member.peer.wait_connected()
    await viewer.eyes["1"].sees(1)
    await viewer.ears["0"].hears(1)
    await until(lambda: first.state.value == "closed", "the end of the old connection")
    assert not member.link.hangups
    assert not viewer.link.events
    assert len(plugin.rooms[1].participants[100].streams) == 2
    await first.close()


async def test_a_low_layer_is_a_second_picture_with_a_description(plugin, clients):
    plugin.create_room(1)
    (member,) = await publish(
        plugin,
        clients,
        1,
        0,
        low=True,
        descriptions=[
            {"mid": "0", "description": "audio"},
            {"mid": "1", "description": "high"},
            {"mid": "2", "description": "low"},
        ],
    )
    second = clients(Member(plugin, 1))
    await second.join(1)
    (feed,) = second.joined["publishers"]
    assert [one["description"] for one in feed["streams"]] == ["audio", "high", "low"]
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100, "mid": "0"}, {"feed": 100, "mid": "1"})
    await viewer.eyes["1"].sees(0)
    assert viewer.eyes["1"].size == (320, 240)
    await viewer.ask("switch", streams=[{"feed": 100, "mid": "2", "sub_mid": "1"}])
    await viewer.eyes["1"].sees(4)
    assert viewer.eyes["1"].size == (160, 120)
    await viewer.ask("switch", streams=[{"feed": 100, "mid": "1", "sub_mid": "1"}])
    await viewer.eyes["1"].sees(0)
    assert viewer.eyes["1"].size == (320, 240)
    assert viewer.peer.received[1].incoming.resyncs == 0
    await member.ask("configure", descriptions=[{"mid": "1", "description": "screen"}])
    told = await second.event(publishers=...)
    assert told["publishers"][0]["streams"][1]["description"] == "screen"


async def test_who_goes_is_told_and_its_lines_rest(plugin, clients):
    plugin.create_room(1)
    first, second = await publish(plugin, clients, 1, 0, 1)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100, "mid": "1"}, {"feed": 101, "mid": "1"})
    await viewer.eyes["0"].sees(0)
    assert (await first.ask("unpublish"))["unpublished"] == "ok"
    assert await second.event(unpublished=100)
    assert first.link.hangups == ["Close PC"]
    data, jsep = await viewer.event_and_jsep(videoroom="updated")
    assert [one["active"] for one in data["streams"]] == [False, True]
    await viewer.take(jsep)
    await viewer.eyes["1"].sees(1)
    await first.peer.close()
    first.link.ups = 0
    await first.publish()
    assert await second.event(publishers=...)
    switched = await viewer.answer("switch", streams=[{"feed": 100, "mid": "1", "sub_mid": "0"}])
    assert switched.data["changes"] == 1
    viewer.link.events.clear()
    _, jsep = await viewer.event_and_jsep(videoroom="updated")
    await viewer.take(jsep)
    await viewer.eyes["0"].sees(0)
    await second.peer.close()  # without a word
    assert await first.event(unpublished=101)
    assert second.link.hangups == ["DTLS alert"]
    assert (await viewer.ask("leave"))["left"] == "ok"
    assert await viewer.refused("pause") == 426
    assert not plugin.rooms[1].subscribers


async def test_moderation_silences_and_is_told(plugin, clients):
    plugin.create_room(1, secret="s")
    member, other = await publish(plugin, clients, 1, 0, 1)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100})
    await viewer.ears["0"].hears(0)
    admin = Client(plugin)
    asked = {"room": 1, "id": 100, "mid": "0"}
    assert await admin.refused("moderate", **asked, mute=True) == 429
    assert await admin.refused("moderate", **asked, secret="s") == 429
    await admin.ask("moderate", **asked, secret="s", mute=True)
    for one in (member, other):
        assert (await one.event(moderation="muted"))["mid"] == "0"
    await viewer.ears["0"].silent()
    await viewer.eyes["1"].sees(0)
    await admin.ask("moderate", **asked, secret="s", mute=False)
    await viewer.ears["0"].hears(0)
    await member.ask("configure", streams=[{"mid": "1", "send": False}])
    await asyncio.sleep(0.2)
    seen = viewer.eyes["1"].pictures
    await asyncio.sleep(0.4)
    assert viewer.eyes["1"].pictures <= seen + 1
    late = clients(Member(plugin, 2))
    assert await admin.refused("moderate", **{**asked, "mid": "4"}, secret="s", mute=True) == 428
    await late.join(1)


async def test_talking_is_told_from_the_loudness(plugin, clients):
    plugin.create_room(1, audio_active_packets=10, audio_level_average=40)
    member, other = await publish(plugin, clients, 1, 0, 1, video=False)
    talking = await other.event(videoroom="talking", id=100)
    assert talking["mid"] == "0"
    assert 10 < talking["audio-level-dBov-avg"] < 30  # a tone of 0.1 full scale
    assert await member.event(videoroom="talking", id=101)
    listed = (await other.ask("listparticipants", room=1))["participants"]
    assert all(one["talking"] for one in listed)
    member.peer.audio_out.muted = True
    stopped = await other.event(videoroom="stopped-talking", id=100)
    assert stopped["audio-level-dBov-avg"] == 127
    assert ("audio", "0", False) in member.link.media_changes
    assert ("audio", "0", True) in member.link.media_changes


async def test_the_bit_rate_is_capped(plugin, clients):
    plugin.create_room(1, bitrate_bps=200_000)
    (member,) = await publish(plugin, clients, 1, 0)
    stream = member.peer.video_out.stream
    await until(lambda: stream.remb_bps == 200_000, "the limit of the room")
    assert stream.rate.target_bps <= 200_000
    await member.ask("configure", bitrate=100_000)
    await until(lambda: stream.remb_bps == 100_000, "the own limit")
    await member.ask("configure", bitrate=900_000)
    await until(lambda: stream.remb_bps == 200_000, "the limit of the room again")
    await Client(plugin).ask("edit", room=1, new_bitrate=10_000)
    await until(lambda: stream.remb_bps == 64_000, "the least limit there is")


async def test_a_publisher_adds_pictures_later(plugin, clients):
    plugin.create_room(1)
    member = clients(Member(plugin, 0))
    await member.join(1, id=100)
    await member.publish(video=False)
    other = clients(Member(plugin, 1))
    await other.join(1)
    assert [one["type"] for one in other.joined["publishers"][0]["streams"]] == ["audio"]
    member.add_low()
    offer = {"type": "offer", "sdp": await member.peer.make_offer()}
    descriptions = [{"mid": "1", "description": "camera"}]
    answer = await member.answer("configure", offer, descriptions=descriptions)
    await member.peer.apply_answer(answer.jsep["sdp"])
    told = await other.event(publishers=...)
    assert told["publishers"][0]["streams"][1]["description"] == "camera"
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 100, "mid": "1"})
    await viewer.eyes["0"].sees(4)


async def test_feeds_are_recorded(plugin, clients, tmp_path):
    plugin.create_room(1, secret="s", rec_dir="calls")
    member, other = await publish(plugin, clients, 1, 0, 1)
    await member.ask("configure", record=True, filename="../own name")
    admin = Client(plugin)
    assert await admin.ask("enable_recording", room=1, secret="s", record=True) == {
        "videoroom": "success",
        "record": True,
    }
    await asyncio.sleep(1.5)
    await other.ask("configure", record=False)
    await admin.ask("enable_recording", room=1, secret="s", record=False)
    paths = sorted((tmp_path / "calls").iterdir())
    assert [one.name[:21] for one in paths] == ["own_name.mkv", "videoroom-1-user-101-"]
    path = paths[0]
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
        box = to_rgb(picture)[40:60, 40:-40].reshape(-1, 3).mean(axis=0)
        assert abs(box - COLOURS[0]).max() < 25
    with av.open(str(path)) as container:
        sound = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples = [part[0] if part.shape[0] > 1 else part[0, ::2] for part in sound]
    assert dominant_frequency(np.concatenate(samples[10:])) == pytest.approx(tone_hz(0), abs=3)


async def test_recording_is_locked_where_the_room_says_so(plugin, clients):
    client = Client(plugin)
    await client.ask("create", room=1, lock_record=True, secret="s")
    assert await client.refused("create", room=2, rec_dir="/elsewhere") == 430
    assert await client.refused("create", room=2, rec_dir="../elsewhere") == 430
    member = clients(Member(plugin))
    await member.join(1)
    await member.publish(video=False)
    for more in ({}, {"secret": "t"}):  # passed over, as in Janus
        await member.ask("configure", record=True, filename="mine", **more)
        assert member.handle.role.recording is None
    await member.ask("configure", record=True, secret="s")
    assert member.handle.role.recording.path.name.startswith("videoroom-1-user-")


async def test_kick_and_destroy_close_the_connections(plugin, clients):
    plugin.create_room(1)
    first, second = await publish(plugin, clients, 1, 0, 1)
    viewer = clients(Viewer(plugin))
    await viewer.subscribe(1, {"feed": 101})
    await plugin.kick(1, 100)
    assert await second.event(kicked=100)
    assert first.link.hangups == ["Close PC"]
    await until(lambda: first.peer.state.value == "closed", "the end at the client")
    await plugin.destroy_room(1)
    assert viewer.link.hangups == ["Close PC"]
    await until(lambda: viewer.peer.state.value == "closed", "the end at the viewer")
    assert not plugin.counts()


async def test_a_handle_that_is_detached_while_it_joins_leaves_nothing(plugin, clients):
    plugin.create_room(1)
    await publish(plugin, clients, 1, 0)
    for pause_s in (0, 0.001, 0.005, 0.02):
        viewer = clients(Viewer(plugin))
        task = asyncio.ensure_future(viewer.subscribe(1, {"feed": 100}))
        await asyncio.sleep(pause_s)
        await viewer.handle.detach()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not plugin.rooms[1].subscribers, "no subscriber", 5)
