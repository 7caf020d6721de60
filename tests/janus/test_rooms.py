"""Rooms without media: who may do what, and what the others hear of it."""

from __future__ import annotations

import asyncio

import pytest

from xnb.signaling.janus import JanusError, Participant, Publisher, RoomAdmin, Subscriber, Wanted

from .conftest import _rooms


async def code_of(work) -> int:
    """The code with which something is refused."""
    with pytest.raises(JanusError) as caught:
        await work
    return caught.value.code


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_a_room_from_its_beginning_to_its_end(connect, transport):
    session = await connect(transport)
    number = next(_rooms)
    admin = RoomAdmin(session, number, secret="a room secret")
    assert not await admin.exists()
    await admin.create(
        publishers=3, bitrate_bps=500_000, pin="1234", description="talk", is_private=False
    )
    assert await admin.exists()
    assert await code_of(admin.create()) == 427
    await admin.create(may_exist=True)
    (found,) = [one for one in await admin.list_rooms() if one.room == number]
    assert (found.description, found.is_pin_required, found.max_publishers) == ("talk", True, 3)
    assert found.bitrate_bps == 500_000
    assert found.video_codecs == ("vp8", "h264")
    await admin.edit(description="more talk", publishers=5, pin="5678")
    (found,) = [one for one in await admin.list_rooms() if one.room == number]
    assert (found.description, found.max_publishers) == ("more talk", 5)
    assert await code_of(Publisher(session, number, pin="1234").join("ann")) == 433
    assert (await Publisher(session, number, pin="5678").join("ann")).id
    await admin.edit(is_private=True)
    assert number not in [one.room for one in await admin.list_rooms()]
    assert [one.display for one in await admin.list_participants()] == ["ann"]
    await admin.destroy()
    assert not await admin.exists()
    assert await code_of(admin.destroy()) == 426
    assert await code_of(admin.list_participants()) == 426


async def test_a_room_that_names_no_codecs_takes_vp8_only(connect):
    """Why ``create`` always names them."""
    session = await connect()
    number = next(_rooms)
    handle = await session.attach()
    await handle.request({"request": "create", "room": number})
    rooms = await RoomAdmin(session, number).list_rooms()
    assert [one.video_codecs for one in rooms if one.room == number] == [("vp8",)]
    await handle.request({"request": "destroy", "room": number})


async def test_the_secret_guards_the_room(connect, room):
    made = await room(secret="s3cr3t", pin="4321")
    stranger = RoomAdmin(await connect(), made.id, secret="guess")
    ann = await made.person("ann")
    mine = (await ann.join()).id
    for refused in (
        stranger.destroy(),
        stranger.kick(mine),
        stranger.moderate(mine, "0", True),
        stranger.edit(description="mine now"),
        stranger.enable_recording(True),
        stranger.allow("token"),
        RoomAdmin(await connect(), made.id).destroy(),
    ):
        with pytest.raises(JanusError) as caught:
            await refused
        # A missing member is another error than a wrong one.
        assert caught.value.code in (429, 433)
        assert "guess" not in str(caught.value)
        assert "s3cr3t" not in str(caught.value)
    assert await made.admin.exists()
    await made.admin.kick(mine)
    await ann.hears("kicked")


async def test_pin_and_token_guard_the_door(connect, room):
    made = await room(pin="4321", allowed=["ticket-1"])
    session = await connect()
    missing, wrong = Publisher(session, made.id), Publisher(session, made.id, pin="1234")
    assert await code_of(missing.join("eve")) in (429, 433)
    assert await code_of(wrong.join("eve")) == 433
    right = Publisher(session, made.id, pin="4321")
    assert await code_of(right.join("eve")) in (429, 433)
    assert await code_of(right.join("eve", token="ticket-2")) == 433
    assert set(await made.admin.allow("ticket-2")) == {"ticket-1", "ticket-2"}
    assert (await right.join("eve", token="ticket-2")).id
    assert await made.admin.disallow("ticket-1") == ("ticket-2",)
    watcher = Subscriber(session, made.id, pin="1234")
    assert await code_of(watcher.subscribe([Wanted(1)])) == 433


async def test_the_list_of_tokens_is_edited_and_asked_for_apart(connect, room):
    made = await room(secret="s")
    session = await connect()
    handle = await session.attach()

    async def change(action, **more):
        asked = {"request": "allowed", "room": made.id, "secret": "s", "action": action}
        return (await handle.request({**asked, **more})).data.get("allowed")

    async def enters(token):
        someone = Publisher(session, made.id)
        try:
            await someone.join("somebody", token=token)
        except JanusError as error:
            return error.code
        await someone.leave()
        return 0

    assert set(await change("add", allowed=["one", "two"])) == {"one", "two"}
    assert await enters("three") == 0
    assert await change("remove", allowed=["one"]) == ["two"]
    assert await enters("one") == 0
    assert await change("add") == ["two"]
    assert await change("enable") == ["two"]
    assert (await enters("one"), await enters("two")) == (433, 0)
    assert await change("disable") is None
    assert await enters("one") == 0
    assert await change("enable") == ["two"]
    assert (await enters("one"), await enters("two")) == (433, 0)


async def test_a_new_name_is_told_though_nothing_is_sent(connect, room):
    made = await room()
    ann, watcher = await made.person("ann"), await made.person("watcher")
    await watcher.join()
    number = (await ann.join()).id
    told = []
    watcher.publisher.handle.on_event = lambda event: told.append(event.data)
    await ann.publisher.configure(display="anna")
    async with asyncio.timeout(5):
        while not any(one.get("id") == number for one in told):
            await asyncio.sleep(0.02)
    (new,) = [one for one in told if one.get("id") == number]
    assert new == {"videoroom": "event", "id": number, "display": "anna"}


async def test_refusals_of_the_room(connect, room):
    made = await room()
    session = await connect()
    ann, bob = Publisher(session, made.id), Publisher(session, made.id)
    assert await code_of(Publisher(session, 999_999).join("ann")) == 426
    assert await code_of(Subscriber(session, 999_999).subscribe([Wanted(1)])) == 426
    assert await code_of(ann.configure(bitrate_bps=1)) == 424
    assert (await ann.join("ann", id=5)).id == 5
    assert await code_of(ann.join("ann")) == 425
    assert await code_of(bob.join("bob", id=5)) == 436
    assert await code_of(ann.unpublish()) == 435
    assert await code_of(Subscriber(session, made.id).subscribe([Wanted(5)])) == 428
    assert await code_of(Subscriber(session, made.id).subscribe([Wanted(6)])) == 428
    assert await code_of(made.admin.kick(6)) == 428
    assert await code_of(made.admin.moderate(6, "0", True)) == 428
    handle = await session.attach()
    for body, code in (
        ({"request": "nonsense"}, 423),
        ({}, 429),
        ({"request": "join"}, 429),
        ({"request": "exists"}, 429),
        ({"request": "create", "room": -1}, 430),
        ({"request": "join", "room": made.id}, 429),
        ({"request": "join", "room": made.id, "ptype": "guest"}, 430),
        ({"request": "listparticipants", "room": 999_999}, 426),
    ):
        with pytest.raises(JanusError) as caught:
            await handle.request(body)
        assert (body, caught.value.code) == (body, code)


@pytest.mark.parametrize("transport", ["ws", "http"])
async def test_people_hear_of_each_other(room, transport):
    made = await room(transport)
    ann, bob, cat = [await made.person(name) for name in ("ann", "bob", "cat")]
    first = await ann.join()
    assert (first.publishers, first.attendees) == ((), ())
    assert first.private_id
    assert "private" not in repr(first)
    second = await bob.join()
    assert second.attendees == ((first.id, "ann"),)
    await ann.hears("joining", second.id, "bob")
    third = await cat.join(id=17)
    assert third.id == 17
    assert set(await made.admin.list_participants()) >= {
        Participant(first.id, "ann"),
        Participant(second.id, "bob"),
    }
    await bob.publisher.leave()
    await ann.hears("leaving", second.id, "")
    await made.admin.kick(17)
    await cat.hears("kicked")
    await ann.hears("leaving", 17, "kicked")
    assert {one.id for one in await made.admin.list_participants()} == {first.id}
    await made.admin.destroy()
    await ann.hears("destroyed")
    with pytest.raises(JanusError) as caught:
        await ann.publisher.configure(display="anna")
    assert caught.value.code in (424, 426)


async def test_who_is_gone_with_the_session_is_gone_from_the_room(connect, room):
    made = await room()
    ann, bob = await made.person("ann"), await made.person("bob")
    await ann.join()
    number = (await bob.join()).id
    await bob.session.close()
    await ann.hears("leaving", number, "")
