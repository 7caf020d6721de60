"""Group calls on the embedded server: who comes, what arrives, and who may do what."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from group_people import (
    Rooms,
    all_there,
    assert_everybody_at_everybody,
    card,
    hear,
    number_of,
    see,
    until,
)

import xnb
from xnb.events import ParticipantJoined, ParticipantLeft


@pytest.fixture
async def rooms(clients):
    """Makes rooms of people who can be told apart."""
    return Rooms(clients)


@pytest.mark.parametrize("people", [2, 3])
async def test_everybody_arrives_at_everybody_and_nowhere_else(rooms, people):
    calls = await rooms.open(people)
    await all_there(calls)
    names = [rooms.name(number) for number in range(people)]
    await assert_everybody_at_everybody(calls, names)
    assert isinstance(calls[0], xnb.Call)
    assert [call.is_host for call in calls] == [True] + [False] * (people - 1)
    assert {call.broadcast_id for call in calls} == {calls[0].broadcast_id}
    for me, call in enumerate(calls):
        assert [one.name for one in call.participants] == [n for n in names if n != names[me]]
        for person in call.participants:
            assert isinstance(person, xnb.Participant)
            assert person.is_host == (person.name == names[0])
            assert person.is_camera_on
            assert not person.is_muted
            assert 0 <= (datetime.now(UTC) - person.joined_at).total_seconds() < 60
            assert person.id == (await rooms.clients[names.index(person.name)].connect()).id


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_room_of_eight(clients):
    rooms = Rooms(clients, lambda number: card(number, fps=5))
    calls = await rooms.open(8)
    await all_there(calls, 60)
    await assert_everybody_at_everybody(calls, [rooms.name(number) for number in range(8)])


async def test_events_tell_of_coming_and_going(rooms):
    calls = await rooms.open(3, join=2)
    host = calls[0]
    told: list[tuple[str, str]] = []
    host.on("participantjoined", lambda event: told.append(("came", event.participant.name)))
    host.on("participantleft", lambda event: told.append((event.why, event.participant.name)))
    late = await rooms.join(2)
    await until(lambda: ("came", rooms.name(2)) in told, "the third one's coming")
    person = host.participant(rooms.name(2))
    assert await see(person.video) == 2
    frames = person.video.frames()
    await late.hangup()
    assert late.end_reason == "hangup"
    await until(lambda: ("left", rooms.name(2)) in told, "the third one's leaving")
    assert [one.name for one in host.participants] == [rooms.name(1)]
    async with asyncio.timeout(5):
        async for _frame in frames:
            pass
    assert person.peer is None
    kinds = [type(e) for e in host.timeline if isinstance(e, ParticipantJoined | ParticipantLeft)]
    assert kinds == [ParticipantJoined, ParticipantJoined, ParticipantLeft]
    assert host.state == "connected"


async def test_whoever_leaves_may_come_back(rooms):
    calls = await rooms.open(2)
    await calls[1].hangup()
    await until(lambda: not calls[0].participants, "the leaving")
    await rooms.join(1)
    person = await until(lambda: calls[0].participants, "the coming back")
    assert await see(person[0].video) == 1


async def test_the_host_ends_it_for_everybody(rooms):
    calls = await rooms.open(3)
    ended = [asyncio.ensure_future(one.until("ended", timeout_s=10)) for one in calls[1:]]
    await calls[0].hangup()
    assert [(await one).reason for one in ended] == ["remote_hangup"] * 2
    assert calls[0].end_reason == "hangup"
    with pytest.raises(xnb.CallEnded):
        await rooms.join(1)


async def test_who_may_not_come_is_told_why(rooms, clients):
    [host] = await rooms.open(1, max_participants=2)
    stranger, guest, another = clients(), clients(), clients()
    await asyncio.gather(*(one.connect() for one in (stranger, guest, another)))
    with pytest.raises(xnb.NotInvited, match="invit"):
        await stranger.join_group_call(host.broadcast_id)
    with pytest.raises(xnb.CallEnded):
        await stranger.join_group_call("1nosuchcall")
    with pytest.raises(xnb.SettingsError, match="broadcast id"):
        await stranger.join_group_call("")
    with pytest.raises(xnb.UnknownUser):
        await host.invite("nobody-of-this-name")
    await host.invite(guest.handle, another.handle)
    call = await guest.join_group_call(host.broadcast_id)
    with pytest.raises(xnb.RoomFull, match="left"):
        await another.join_group_call(host.broadcast_id)
    with pytest.raises(xnb.CallError, match="Only the host"):
        await call.kick(host.my_name)
    assert stranger.calls == ()
    assert another.calls == ()


async def test_wrong_pin(rooms, monkeypatch):
    """The room itself refuses who has no pin, should somebody get past the server."""
    from xnb.group_wire import wire

    await rooms.open(2, join=1)
    right = wire.Publisher

    def without_pin(session, room, *, pin, user_id):
        assert pin, "rooms have a pin"
        return right(session, room, pin="0000", user_id=user_id)

    monkeypatch.setattr(wire, "Publisher", without_pin)
    with pytest.raises(xnb.SfuError, match="pin") as refused:
        await rooms.join(1)
    assert refused.value.code == 433
    assert rooms.clients[1].calls == ()


async def test_kicked_people_are_out_until_they_are_invited_again(rooms):
    calls = await rooms.open(3)
    await all_there(calls)
    why = []
    calls[2].on("participantleft", lambda event: why.append((event.participant.name, event.why)))
    ended = asyncio.ensure_future(calls[1].until("ended", timeout_s=10))
    await calls[0].kick(rooms.name(1))
    assert (await ended).reason == "kicked"
    await until(lambda: why == [(rooms.name(1), "kicked")], "the third one's hearing of it")
    assert [one.name for one in calls[0].participants] == [rooms.name(2)]
    with pytest.raises(xnb.NotInvited):
        await rooms.join(1)
    await calls[0].invite(rooms.name(1))
    again = await rooms.join(1)
    await again.until("connected")
    await until(lambda: len(calls[0].participants) == 2, "the coming back")


@pytest.mark.parametrize("error", [xnb.Unreachable, xnb.SignalingError])
async def test_the_host_puts_somebody_out_of_the_room_when_the_service_does_not(
    rooms, monkeypatch, error
):
    """As whom it does not know: a name that is nobody's, which it calls no numeric id."""
    calls = await rooms.open(2)
    await all_there(calls)
    host, wire = calls[0], calls[0]._group
    told = []
    host.on("error", lambda event: told.append(type(event.error)))

    async def fails(*_args, **_more):
        raise error("Not that one.")

    monkeypatch.setattr(wire._space, "remove", fails)
    with monkeypatch.context() as patched:
        patched.setattr(wire, "_ask_room", fails)
        with pytest.raises(error, match="Not that one"):
            await host.kick(rooms.name(1))
    told.clear()
    await host.kick(rooms.name(1))
    assert (await calls[1].until("ended", timeout_s=10)).reason == "kicked"
    assert told == [error]
    await until(lambda: not host.participants, "the host's hearing of it")


async def test_the_host_mutes_somebody_for_everybody(rooms):
    calls = await rooms.open(3)
    await all_there(calls)
    name = rooms.name(1)
    theirs = [calls[0].participant(name), calls[2].participant(name)]
    await calls[0].mute_participant(name)
    for person in theirs:
        await until(lambda person=person: person.is_muted, "the mute")
    await until(lambda: calls[1].is_muted_by_host, "the muted one's hearing of it")
    assert not calls[1].is_muted
    counted = theirs[1].peer.audio_in.frames
    await asyncio.sleep(0.6)
    assert theirs[1].peer.audio_in.frames - counted <= 2
    await calls[0].mute_participant(name, muted=False)
    for person in theirs:
        await until(lambda person=person: not person.is_muted, "the end of the mute")
    assert set(await hear(theirs[1].audio)) == {1}


async def test_own_mute_and_camera_show_at_the_others(rooms):
    calls = await rooms.open(2)
    await all_there(calls)
    person = calls[0].participant(rooms.name(1))
    await until(lambda: person.is_camera_on, "the picture")
    changes = []
    calls[0].on("participantchanged", lambda event: changes.append(event.participant.is_muted))
    calls[1].mute()
    await until(lambda: person.is_muted, "the mute", 5)
    assert changes[-1] is True
    calls[1].camera_off()
    await until(lambda: not person.is_camera_on, "the camera's going off", 6)
    calls[1].unmute()
    calls[1].camera_on()
    await until(lambda: not person.is_muted and person.is_camera_on, "both coming back", 6)
    assert await see(person.video) == 1


async def test_talking_and_the_speaker(rooms):
    calls = await rooms.open(3)
    await all_there(calls)
    calls[1].mute()
    calls[2].mute()
    me = calls[0]
    talking = []
    me.on("talking", lambda event: talking.append((event.participant.name, event.is_talking)))
    await until(lambda: not any(one.is_talking for one in me.participants), "the silence")
    calls[2].unmute()
    await until(lambda: (rooms.name(2), True) in talking, "the talking")
    assert me.speaker is me.participant(rooms.name(2))
    assert me.speaker.level_dbov > -60
    await until(
        lambda: me.video.latest() and number_of(me.video.latest().image) == 2, "the picture"
    )
    calls[2].mute()
    await until(lambda: talking[-1] == (rooms.name(2), False), "the end of the talking")
    assert me.speaker is me.participant(rooms.name(2)), "who spoke last"
    calls[1].unmute()
    await until(lambda: me.speaker is me.participant(rooms.name(1)), "the other one's talking")
    await until(lambda: number_of(me.video.latest().image) == 1, "the other one's picture")


async def test_everybody_is_mixed_while_somebody_listens(rooms):
    calls = await rooms.open(3)
    await all_there(calls)
    me = calls[0]
    decoding = [one.peer.audio_in.playout is not None for one in me.participants]
    assert decoding == [False, False]
    loud = await hear(me.audio, 1.0)
    for _ in range(5):
        if set(loud) == {1, 2}:
            break
        loud = await hear(me.audio, 1.0)
    assert set(loud) == {1, 2}
    await until(lambda: all(one.peer.audio_in.playout is None for one in me.participants), "rest")


async def test_invited_people_hear_of_it_and_accept(clients):
    alice, bob, cem = clients(), clients(), clients()
    await asyncio.gather(bob.connect(), cem.connect())
    ringing = [bob.incoming(), cem.incoming()]
    call = await alice.start_group_call([bob.handle], video=True, title="tea", source=card(0))
    incoming = await asyncio.wait_for(anext(ringing[0]), 10)
    assert (incoming.kind, incoming.title, incoming.audio_only) == ("group", "tea", False)
    assert incoming.caller.handle == alice.handle
    joined = await incoming.accept(source=card(1))
    assert isinstance(joined, xnb.GroupCall)
    assert joined.title == "tea"
    await call.invite(f"@{cem.handle}")
    declined = await asyncio.wait_for(anext(ringing[1]), 10)
    await declined.decline()
    person = await until(lambda: joined.participants, "the host")
    assert await see(person[0].video) == 0
    assert [one.name for one in call.participants] == [bob.handle]


async def test_an_invitation_is_gone_when_the_call_is(clients):
    alice, bob = clients(), clients()
    await bob.connect()
    ringing = bob.incoming()
    call = await alice.start_group_call([bob.handle])
    incoming = await asyncio.wait_for(anext(ringing), 10)
    gone: asyncio.Future = asyncio.get_running_loop().create_future()
    incoming.on_gone(gone.set_result)
    await call.hangup()
    assert await asyncio.wait_for(gone, 6) == "canceled"
    with pytest.raises(xnb.CallError, match="does not ring"):
        await incoming.accept()


async def test_bots_come_when_they_are_invited(clients):
    from xnb.server.bots import colour, tone_hz

    call = await clients().start_group_call(["testcard", "testcard-2"], video=True)
    await until(lambda: len(call.participants) == 2, "both bots")
    for number, name in ((1, "testcard"), (2, "testcard-2")):
        person = call.participant(name)
        image = (await person.video.snapshot(timeout_s=15)).image
        shown = image[image.shape[0] // 10 : image.shape[0] // 4].reshape(-1, 3).mean(0)
        assert max(abs(a - b) for a, b in zip(shown, colour(number), strict=True)) < 45
        pieces = []
        async for chunk in person.audio.chunks():
            pieces.append(chunk.samples[:, 0])
            if len(pieces) == 60:
                break
        import numpy as np
        from media_files import dominant_frequency

        heard_hz = dominant_frequency(np.concatenate(pieces[20:]))
        assert heard_hz == pytest.approx(tone_hz(number), abs=6)


@pytest.mark.parametrize("codec", ["h264"])
async def test_another_codec(rooms, codec):
    calls = await rooms.open(2, video_codec=codec)
    await all_there(calls)
    for me, other in ((0, 1), (1, 0)):
        person = calls[me].participant(rooms.name(other))
        assert await see(person.video) == other
        assert person.video.codec == codec


async def test_without_pictures(clients):
    rooms = Rooms(clients)
    calls = await rooms.open(2, video=False)
    person = (await until(lambda: calls[0].participants, "the other one"))[0]
    assert set(await hear(person.audio)) == {1}
    assert not person.is_camera_on
    assert person.layer == "off"
    with pytest.raises(xnb.SettingsError, match="no video"):
        calls[0].layer(person, "high")


async def test_in_thread_mode_and_without_await(clients):
    alice, bob = clients(loop="thread"), clients(loop="thread")

    def people():
        bob.connect_now()
        call = alice.start_group_call_now([bob.handle], video=True, source=card(0))
        joined = bob.join_group_call_now(call.broadcast_id, video=True, source=card(1))
        joined.wait("connected", timeout_s=20)
        joined.wait("participantjoined", timeout_s=20)
        seen = number_of(joined.participant(alice.handle).video.snapshot_now(15).image)
        stats = joined.participant(alice.handle).stats_now()
        call.hangup_now()
        joined.wait("ended", timeout_s=10)
        return seen, stats.codec, joined.end_reason

    assert await asyncio.to_thread(people) == (0, "vp8", "remote_hangup")
