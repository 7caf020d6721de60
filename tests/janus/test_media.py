"""Media over a room: everybody gets the right colour and tone, on both servers."""

from __future__ import annotations

import asyncio

import pytest
from room_people import Coloured, Person, Senses, View

from xnb.engine.peer import Peer
from xnb.engine.publishing import PublishingPeer
from xnb.media import synthetic
from xnb.signaling.janus import JanusError, JanusSession, Subscriber, Wanted, echo_test


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_two_people_see_and_hear_each_other(room, transport):
    made = await room(transport, pin="1234")
    ann = await made.person("ann", "red", 500)
    bob = await made.person("bob", "green", 800)
    await asyncio.gather(ann.enter(), bob.enter())
    theirs, mine = await asyncio.gather(ann.watch("bob"), bob.watch("ann"))
    assert [(one.kind, one.feed_id) for one in theirs.subscriber.streams] == [
        ("audio", theirs.feed.id),
        ("video", theirs.feed.id),
    ]
    await asyncio.gather(
        theirs.shows("green"), mine.shows("red"), theirs.sounds(800), mine.sounds(500)
    )
    people = {one.display: one for one in await made.admin.list_participants()}
    assert people["ann"].is_publisher
    assert people["bob"].is_publisher


async def test_h264_passes_where_the_room_allows_it(room):
    made = await room()
    await (await made.person("ann", "blue", 600, codec="h264")).enter()
    bob = await made.person("bob")
    await bob.join()
    view = await bob.watch("ann")
    assert view.peer.video_codec_in_use == "h264"
    await view.shows("blue")
    assert {one.codec for one in view.feed.streams} == {"opus", "h264"}
    # One m-line that is subscribed to says the same.
    assert {one.codec for one in view.subscriber.streams} == {"opus", "h264"}


async def test_layers_are_switched_without_a_new_description(room):
    made = await room()
    ann = await (await made.person("ann", "yellow", 700)).enter(low=True)
    bob = await made.person("bob")
    await bob.join()
    feed = await bob.feed("ann")
    mids = {one.description: one.mid for one in feed.streams}
    assert set(mids) == {"audio", "high", "low"}
    assert {one.codec for one in feed.streams} == {"opus", "vp8"}
    view = await bob.watch("ann", mids["audio"], mids["low"])
    own = view.mid("video")
    await view.shows("yellow")
    assert set(view.sizes) == {180}
    await view.subscriber.switch(own, feed.id, mids["high"])
    await size(view, 240)
    await view.subscriber.switch(own, feed.id, mids["low"])
    await size(view, 180)
    await view.subscriber.configure(own, send=False)
    await view.is_still()
    await view.sounds(700)
    ann.picture.colour = "blue"
    await view.subscriber.configure(own, send=True)
    await view.shows("blue")
    with pytest.raises(JanusError) as caught:
        await view.subscriber.switch(own, 999, mids["high"])
    assert caught.value.code == 428
    await view.subscriber.pause()
    await view.is_still()
    await view.subscriber.start()
    await view.shows("blue")


async def size(view: View, height_px: int) -> None:
    """Wait until the pictures are of that height."""
    async with asyncio.timeout(10):
        while view.sizes[-3:] != [height_px] * 3:
            await asyncio.sleep(0.03)


async def test_a_drop_in_mid_call_is_not_noticed(server, room, relayed):
    """Media go their own way; what is asked for meanwhile waits."""
    made = await room()
    await (await made.person("ann", "red", 500)).enter()
    relay = await relayed(server.ws_port)
    session = JanusSession(server.gateway("ws", port=relay.port))
    await session.open()
    bob = Person(session, made.id, "bob", "green", 800)
    try:
        await bob.enter()
        view = await bob.watch("ann")
        await view.shows("red")
        await relay.down()
        await view.is_live()
        muting = asyncio.ensure_future(view.subscriber.configure(view.mid("video"), send=False))
        await asyncio.sleep(0.2)
        await relay.start()
        await muting
        await view.is_still()
        await view.sounds(500)
        number = bob.joined.id if bob.joined else 0
        await made.admin.kick(number)
        await bob.hears("kicked")
    finally:
        await bob.close()
        await session.close()


async def test_ways_of_before_janus_1_work(room):
    """One feed in a subscription, and joining with an offer: what older clients do."""
    made = await room()
    ann = await made.person("ann", "red", 500)
    handle = await ann.session.attach()
    peer = PublishingPeer(video_codec="vp8")
    viewer = Peer()
    senses = Senses(viewer)
    picture = Coloured("red")
    try:
        peer.video_out.play(picture)
        peer.audio_out.play(synthetic.tone(500).audio)
        offer = {"type": "offer", "sdp": await peer.make_offer(video=True, low=False)}
        body = {"request": "joinandconfigure", "ptype": "publisher", "room": made.id}
        joined = await handle.request({**body, "display": "ann", "audio": True}, offer)
        assert joined.data["videoroom"] == "joined"
        assert joined.jsep
        await peer.apply_answer(str(joined.jsep["sdp"]))
        await peer.wait_connected()
        body = {"request": "join", "ptype": "subscriber", "room": made.id}
        watching = await ann.session.attach()
        offered = await watching.request({**body, "feed": joined.data["id"], "offer_audio": True})
        assert offered.data["videoroom"] == "attached"
        assert offered.data["id"] == joined.data["id"]
        assert offered.jsep
        await viewer.apply_offer(str(offered.jsep["sdp"]))
        answer = {"type": "answer", "sdp": await viewer.make_answer()}
        assert (await watching.request({"request": "start"}, answer)).data["started"] == "ok"
        await viewer.wait_connected()
        senses.wake()
        await asyncio.gather(senses.shows("red"), senses.sounds(500))
    finally:
        picture.close()
        await asyncio.gather(peer.close(), viewer.close())


async def test_candidates_may_come_behind_the_offer(room):
    """Trickle ICE (RFC 8838): the offer has none, and then they come one by one."""
    made = await room()
    ann = await made.person("ann", "red", 500)
    await ann.join()
    handle = ann.publisher.handle
    assert handle
    peer = PublishingPeer(video_codec="vp8")
    try:
        peer.audio_out.play(synthetic.tone(500).audio)
        lines = (await peer.make_offer(low=False)).splitlines()
        candidates = [line for line in lines if line.startswith("a=candidate:")]
        bare = [line for line in lines if line not in (*candidates, "a=end-of-candidates")]
        offer = {"type": "offer", "sdp": "\r\n".join(bare) + "\r\n"}
        reply = await handle.request({"request": "publish"}, offer)
        assert reply.jsep
        for line in candidates:
            await handle.trickle({"candidate": line[2:], "sdpMid": "0", "sdpMLineIndex": 0})
        await handle.trickle(None)
        await peer.apply_answer(str(reply.jsep["sdp"]))
        await peer.wait_connected()
        await ann.hears("webrtcup")
        bob = await made.person("bob")
        await bob.join()
        await (await bob.watch("ann")).sounds(500)
    finally:
        await peer.close()


async def test_a_restart_of_ice_is_offered(room):
    made = await room()
    await (await made.person("ann", "red", 500)).enter(video=False)
    bob = await made.person("bob")
    await bob.join()
    view = await bob.watch("ann")
    offered = await view.subscriber.restart_ice()
    assert offered is not None
    remote = view.peer.pc.remoteDescription.sdp
    before, after = (
        {line for line in sdp.splitlines() if line.startswith("a=ice-ufrag")}
        for sdp in (remote, offered.sdp)
    )
    assert after
    assert before.isdisjoint(after)


async def test_a_subscription_can_be_changed(room):
    """One connection takes another feed in, and lets it go."""
    made = await room()
    ann = await (await made.person("ann", "red", 500)).enter()
    bob = await (await made.person("bob", "green", 800)).enter(video=False)
    cat = await made.person("cat")
    await cat.join()
    view = await cat.watch("ann")
    await view.shows("red")
    theirs = await cat.feed("bob")
    # The server offers again; one answer for each offer, and not two at once.
    offered = await view.subscriber.update(unsubscribe=[Wanted(view.feed.id, "0")])
    assert offered is not None
    await view.answer(offered)
    audio = [one for one in offered.streams if one.kind == "audio"]
    assert not any(one.active and one.feed_id for one in audio)
    await view.shows("red")
    offered = await view.subscriber.update(subscribe=[Wanted(theirs.id)])
    assert offered is not None
    await view.answer(offered)
    assert {one.feed_id for one in view.subscriber.streams if one.feed_id is not None} == {
        view.feed.id,
        theirs.id,
    }
    await view.shows("red")
    with pytest.raises(JanusError) as caught:
        await view.subscriber.update()
    assert caught.value.code == 429
    assert ann.peer
    assert bob.peer


async def test_the_host_mutes_and_puts_out(server, room):
    made = await room(secret="host")
    ann = await (await made.person("ann", "red", 500)).enter()
    bob = await (await made.person("bob", "green", 800)).enter(video=False)
    view = await bob.watch("ann")
    await view.sounds(500)
    number = view.feed.id
    mids = {one.kind: one.mid for one in view.feed.streams}
    await made.admin.moderate(number, mids["video"], True)
    await bob.hears("moderated", number, mids["video"], True)
    await view.is_still()
    await view.sounds(500)
    ann.picture.colour = "blue"
    await made.admin.moderate(number, mids["video"], False)
    await view.shows("blue")
    await made.admin.kick(number)
    await ann.hears("kicked")
    await bob.hears("leaving", number, "kicked")
    # Janus leaves the connection of who was put out as it is: it is theirs to close.
    assert ann.peer is not None
    if server.name == "janus":
        assert ann.peer.pc.connectionState == "connected"
    with pytest.raises(JanusError) as caught:
        await bob.watch("ann")
    assert caught.value.code == 428


async def test_where_private_ids_are_wanted_who_is_put_out_gets_nothing_more(room):
    made = await room(secret="host", extra={"require_pvtid": True})
    await (await made.person("ann", "red", 500)).enter()
    bob = await made.person("bob")
    joined = await bob.join()
    view = await bob.watch("ann")
    await view.shows("red")
    for private_id in (None, joined.private_id + 1):
        stranger = Subscriber(bob.session, made.id)
        with pytest.raises(JanusError) as caught:
            await stranger.subscribe([Wanted(view.feed.id)], private_id=private_id)
        assert caught.value.code == 433
        await stranger.close()
    await made.admin.kick(joined.id)
    await bob.hears("kicked")
    await view.is_still()
    again = Subscriber(bob.session, made.id)
    with pytest.raises(JanusError) as caught:
        await again.subscribe([Wanted(view.feed.id)], private_id=joined.private_id)
    assert caught.value.code == 433
    await again.close()


async def test_a_full_room_says_so_when_one_publishes(room):
    made = await room(publishers=1)
    await (await made.person("ann", "red", 500)).enter(video=False)
    bob = await made.person("bob")
    await bob.join()
    with pytest.raises(JanusError, match="full") as caught:
        await bob.publish(video=False)
    assert caught.value.code == 432
    assert bob.peer
    await bob.peer.close()
    await made.admin.edit(publishers=2)
    await bob.publish(video=False)


async def test_sending_stops_and_begins_again(room):
    made = await room()
    ann = await (await made.person("ann", "red", 500)).enter()
    bob = await made.person("bob")
    await bob.join()
    view = await bob.watch("ann")
    await view.shows("red")
    number = view.feed.id
    await ann.publisher.unpublish()
    await bob.hears("unpublished", number)
    assert ann.peer
    await ann.peer.close()
    bob.feeds.clear()
    ann.picture = Coloured("green")
    await ann.publish()
    assert (await bob.feed("ann")).id == number
    again = await bob.watch("ann")
    await again.shows("green")
    await ann.publisher.leave()
    await bob.hears("leaving", number, "")


async def test_a_leave_that_the_end_of_the_session_cuts_short_is_told(room):
    made = await room()
    ann, bob = await made.person("ann", "red", 500), await made.person("bob")
    await bob.join()
    await ann.enter()
    number = (await bob.feed("ann")).id
    assert ann.publisher.handle
    leaving = asyncio.ensure_future(ann.publisher.handle.request({"request": "leave"}))
    await asyncio.sleep(0.005)
    await ann.session.close()
    # Janus tells of the leaving alone: who leaves no longer sends.
    await bob.hears("leaving", number, "")
    await asyncio.gather(leaving, return_exceptions=True)


async def test_the_room_tells_who_talks(room):
    made = await room(extra={"audio_active_packets": 20, "audio_level_average": 60})
    ann, bob = await made.person("ann", "red", 500), await made.person("bob")
    await bob.join()
    await ann.enter(video=False)
    number = (await bob.feed("ann")).id
    talking = await bob._until(
        lambda: next((one for one in bob.heard if one[0] == "talking"), None), "talking"
    )
    assert talking[1:3] == (number, True)
    assert -60 < talking[3] < 0
    assert ann.peer
    ann.peer.audio_out.play(synthetic.silence().audio)
    await bob._until(
        lambda: next((one for one in bob.heard if one[:3] == ("talking", number, False)), None),
        "silence",
    )


async def test_the_echo_comes_back(connect):
    session = await connect()
    peer = Peer(video_codec="vp8")
    picture = Coloured("blue")
    senses = Senses(peer)
    try:
        peer.audio_out.play(synthetic.tone(900).audio)
        peer.video_out.play(picture)
        answer, handle = await echo_test(session, await peer.make_offer(video=True))
        senses.wake()
        await peer.apply_answer(answer)
        await peer.wait_connected()
        await asyncio.gather(senses.shows("blue"), senses.sounds(900))
        await handle.detach()
    finally:
        picture.close()
        await peer.close()
