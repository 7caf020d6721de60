"""Group calls over real HTTP: create to end, who may enter, and what is told of it."""

from __future__ import annotations

import asyncio
import time

import pytest

from xnb.server.options import ServerOptions

from .groups import call_of, create, invite, join, publish, sessions, start, states

JOIN = "audiospace/join"
STATUS = "audiospace/call/status"
NEGOTIATE = "audiospace/stream/negotiate"


async def test_a_group_call_from_create_to_end(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    poll = asyncio.create_task(bob.ok("xnb/incoming", cursor=0))
    created = await create(ann, title="tea", audio_only=True, conversation_id="a:b")
    call = created["broadcast"]["id"]
    assert created["broadcast"] == {
        "id": call,
        "user_id": ann.user["id"],
        "twitter_id": str(ann.id),
        "media_key": call,
    }
    assert created["room_id"] == created["xnb_room"]["room"]
    assert created["webrtc_gw_url"].startswith("ws://127.0.0.1:")
    assert created["webrtc_gw_url"].endswith("/janus")
    assert created["xnb_room"]["dialect"] == "stock"
    assert len({created["xnb_room"]["pin"], created["xnb_room"]["secret"], ""}) == 3
    assert created["credential"]
    assert await states(ann, call) == {ann.id: 19}
    # Nobody can be asked in before the host sends.
    assert await ann.refused(
        "audiospace/admin/invite", broadcast_id=call, twitter_user_ids=[bob.id]
    ) == (409, "not_published")

    status, _ = await publish(ann, created, status="tea at five")
    assert status == 200
    assert await states(ann, call) == {ann.id: 17}
    sent = time.monotonic()
    await invite(ann, call, ann, bob)
    (notice,) = (await asyncio.wait_for(poll, 2))["notices"]
    assert time.monotonic() - sent < 1.0
    assert notice.pop("chat_token")
    assert notice == {
        "broadcast_id": call,
        "host_id": ann.id,
        "host_handle": "ann",
        "conversation_id": "a:b",
        "audio_only": True,
        "kind": "group",
        "title": "tea at five",
    }
    assert await states(bob, call) == {ann.id: 17, bob.id: 5}

    mine = await join(bob, call)
    assert mine != created["session_uuid"]
    assert (await states(ann, call))[bob.id] == 8
    assert (await bob.ok("xnb/incoming", cursor=0, timeout_s=0))["notices"] == []
    access = await bob.ok(NEGOTIATE, session_uuid=mine)
    assert access["webrtc_gw_url"] == created["webrtc_gw_url"]
    assert access["xnb_room"] == {
        "room": created["room_id"],
        "pin": created["xnb_room"]["pin"],
        "ticket": access["xnb_room"]["ticket"],
        "dialect": "stock",
    }
    assert access["janus_jwt"]
    assert (await states(ann, call))[bob.id] == 9
    await bob.ok("audiospace/stream/publish", session_uuid=mine)
    assert (await states(ann, call))[bob.id] == 10
    entry = (await sessions(ann, call))[bob.id]
    assert entry["guest_username"] == "bob"
    assert entry["is_muted_by_admin"] is entry["is_muted_by_guest"] is False
    assert entry["answered_at"] >= entry["created_at"] - 1

    await bob.ok("audiospace/stream/end", session_uuid=mine)
    await bob.ok("audiospace/stream/end", session_uuid=mine)
    assert (await states(ann, call))[bob.id] == 12
    again = await join(bob, call)  # still invited
    assert again != mine
    assert await bob.refused(NEGOTIATE, session_uuid=mine) == (404, "unknown_session")

    await ann.ok("audiospace/admin/endAudiospace", broadcast_id=call)
    assert (await ann.proxsee("endBroadcast", broadcast_id=call))[0] == 200
    told = await call_of(bob, call)
    assert (told["status"], told["end_reason"]) == ("ENDED", "HUNG_UP")
    assert await states(bob, call) == {ann.id: 12, bob.id: 12}
    for path, body in [
        (JOIN, {"broadcast_id": call}),
        (NEGOTIATE, {"session_uuid": again}),
    ]:
        assert await bob.refused(path, **body) == (410, "ended")
    assert await ann.refused(
        "audiospace/admin/invite", broadcast_id=call, twitter_user_ids=[bob.id]
    ) == (410, "ended")
    assert (await ann.proxsee("reconnectHost", broadcast_id=call))[0] == 410


async def test_nobody_enters_uninvited_and_unknown_calls_are_unknown(rig):
    user = await rig()
    ann, bob, eve = await user("ann"), await user("bob"), await user("eve")
    call = await start(ann, bob)
    mine = await join(bob, call)
    for path in (JOIN, STATUS, "audiospace/updateDeclineReason", "audiospace/muteSpeaker"):
        assert await eve.refused(path, broadcast_id=call) == (403, "not_invited"), path
        assert await eve.refused(path, broadcast_id="1nope") == (404, "unknown_broadcast"), path
    for path in (NEGOTIATE, "audiospace/stream/publish", "audiospace/stream/end"):
        assert await eve.refused(path, session_uuid=mine) == (404, "unknown_session"), path
    assert await eve.refused(
        "audiospace/admin/invite", broadcast_id=call, twitter_user_ids=[eve.id]
    ) == (403, "not_the_host")
    for person in (eve, bob):
        for path, body in [
            ("audiospace/admin/endAudiospace", {}),
            ("audiospace/admin/invite", {"twitter_user_ids": [eve.id]}),
        ]:
            assert await person.refused(path, broadcast_id=call, **body) == (403, "not_the_host")
        for path in ("reconnectHost", "endBroadcast"):
            status, reply = await person.proxsee(path, broadcast_id=call)
            assert (status, reply["error"]["code"]) == (403, "not_the_host")
    assert await bob.refused(
        "audiospace/admin/removeParticipant", broadcast_id=call, twitter_user_id=ann.id
    ) == (403, "not_the_host")
    assert await ann.refused(JOIN, broadcast_id=call) == (403, "is_the_host")
    assert await ann.refused(
        "audiospace/admin/invite", broadcast_id=call, twitter_user_ids=[1]
    ) == (404, "unknown_user")
    # The other kind of call does not know of it.
    assert await bob.refused("p2p/broadcast/join", broadcast_id=call) == (404, "unknown_broadcast")


async def test_publishing_needs_the_janus_ids_of_its_own_room(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    created = await create(ann)
    for missing in ("janus_publisher_id", "janus_room_id", "webrtc_handle_id", "webrtc_session_id"):
        status, reply = await publish(ann, created, **{missing: None})
        assert (status, reply["error"]["code"]) == (400, "malformed"), missing
    status, reply = await publish(ann, created, janus_room_id="another")
    assert (status, reply["error"]["code"]) == (400, "malformed")
    status, reply = await publish(bob, created)
    assert (status, reply["error"]["code"]) == (403, "not_the_host")
    # Invitations may ride along; ids as text are ids.
    status, reply = await publish(
        ann, created, invitees_twitter=[str(bob.id)], janus_room_id=str(created["room_id"])
    )
    assert status == 200, reply
    assert await states(bob, created["broadcast"]["id"]) == {ann.id: 17, bob.id: 5}


async def test_a_full_call_and_room_again_when_somebody_leaves(rig):
    user = await rig()
    ann, bob, cat = await user("ann"), await user("bob"), await user("cat")
    call = await start(ann, bob, cat, max_participants=2)
    mine = await join(bob, call)
    assert await join(bob, call) == mine  # asking twice takes no second place
    assert await cat.refused(JOIN, broadcast_id=call) == (409, "room_full")
    await bob.ok("audiospace/stream/end", session_uuid=mine)
    await join(cat, call)
    assert await bob.refused(JOIN, broadcast_id=call) == (409, "room_full")


async def test_who_is_removed_stays_out_until_invited_again(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    call = await start(ann, bob)
    mine = await join(bob, call)
    await ann.ok("audiospace/admin/removeParticipant", broadcast_id=call, twitter_user_id=bob.id)
    assert (await states(bob, call))[bob.id] == 11
    assert await bob.refused(JOIN, broadcast_id=call) == (403, "removed")
    assert await bob.refused(NEGOTIATE, session_uuid=mine) == (403, "removed")
    assert await ann.refused(
        "audiospace/admin/removeParticipant", broadcast_id=call, twitter_user_id=ann.id
    ) == (400, "malformed")
    assert await ann.refused(
        "audiospace/admin/removeParticipant", broadcast_id=call, twitter_user_id=5
    ) == (404, "unknown_member")
    await invite(ann, call, bob)
    assert len((await bob.ok("xnb/incoming", cursor=0, timeout_s=0))["notices"]) == 1
    again = await join(bob, call)
    # By session, as the protocol's own field has it.
    await ann.ok("audiospace/admin/removeParticipant", broadcast_id=call, session_uuid=again)
    assert await bob.refused(JOIN, broadcast_id=call) == (403, "removed")


async def test_declining_is_seen_and_can_be_thought_over(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    call = await start(ann, bob)
    await bob.ok("audiospace/updateDeclineReason", broadcast_id=call, decline_reason="busy")
    entry = (await sessions(ann, call))[bob.id]
    assert (entry["session_state"], entry["end_reason"]) == (7, "busy")
    assert (await bob.ok("xnb/incoming", cursor=0, timeout_s=0))["notices"] == []
    active = await ann.ok(STATUS, broadcast_id=call)
    assert [one["twitter_user_id"] for one in active["guest_sessions"]] == [ann.id]
    await join(bob, call)
    await bob.ok("audiospace/updateDeclineReason", broadcast_id=call)  # too late, and no harm
    assert (await states(ann, call))[bob.id] == 8


async def test_muting(rig):
    user = await rig()
    ann, bob, cat = await user("ann"), await user("bob"), await user("cat")
    call = await start(ann, bob, cat)
    mine = await join(bob, call)
    await join(cat, call)

    async def muted():
        entry = (await sessions(ann, call))[bob.id]
        return entry["is_muted_by_admin"], entry["is_muted_by_guest"]

    await bob.ok("audiospace/muteSpeaker", session_uuid=mine)
    assert await muted() == (False, True)
    await ann.ok("audiospace/muteSpeaker", broadcast_id=call, twitter_user_id=bob.id)
    assert await muted() == (True, True)
    await bob.ok("audiospace/unmuteSpeaker", broadcast_id=call)
    assert await muted() == (True, False)  # the host's mute is the host's to take back
    assert await cat.refused(
        "audiospace/unmuteSpeaker", broadcast_id=call, twitter_user_id=bob.id
    ) == (403, "not_the_host")
    await ann.ok("audiospace/unmuteSpeaker", session_uuid=mine)
    assert await muted() == (False, False)


async def test_the_host_leaving_ends_it_for_everybody(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    created = await create(ann)
    await publish(ann, created, invitees_twitter=[bob.id])
    call = created["broadcast"]["id"]
    await join(bob, call)
    await ann.ok("audiospace/stream/end", session_uuid=created["session_uuid"])
    assert (await call_of(bob, call))["status"] == "ENDED"
    assert await bob.refused(JOIN, broadcast_id=call) == (410, "ended")


async def test_the_host_comes_back(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    created = await create(ann)
    await publish(ann, created, invitees_twitter=[bob.id])
    call = created["broadcast"]["id"]
    status, same = await ann.proxsee("reconnectHost", broadcast_id=call)
    assert status == 200
    assert same["session_uuid"] == created["session_uuid"]
    assert (await states(bob, call))[ann.id] == 17
    elsewhere = await user("ann")
    status, back = await elsewhere.proxsee("reconnectHost", broadcast_id=call)
    assert status == 200
    assert set(back) == {
        "credential", "webrtc_gw_url", "room_id", "stream_name", "session_uuid", "xnb_room",
    }  # fmt: skip
    assert back["xnb_room"]["secret"] == created["xnb_room"]["secret"]
    assert back["session_uuid"] != created["session_uuid"]
    assert (await states(bob, call))[ann.id] == 18
    assert await ann.refused(NEGOTIATE, session_uuid=created["session_uuid"]) == (
        404,
        "unknown_session",
    )
    await elsewhere.ok("audiospace/stream/publish", session_uuid=back["session_uuid"])
    assert (await states(bob, call))[ann.id] == 17


async def test_a_second_login_takes_the_place_of_the_first(rig):
    user = await rig()
    ann, bob, bob2 = await user("ann"), await user("bob"), await user("bob")
    call = await start(ann, bob)
    mine = await join(bob, call)
    other = await join(bob2, call)
    assert other != mine
    assert await bob.refused(NEGOTIATE, session_uuid=mine) == (404, "unknown_session")
    assert (await sessions(ann, call))[bob.id]["session_uuid"] == other
    await bob2.ok(NEGOTIATE, session_uuid=other)


async def test_the_chat_token_of_a_notice_opens_the_chat_and_no_other_does(rig):
    user = await rig()
    ann, bob, eve = await user("ann"), await user("bob"), await user("eve")
    created = await create(ann)
    await publish(ann, created, invitees_twitter=[bob.id])
    call = created["broadcast"]["id"]
    (notice,) = (await bob.ok("xnb/incoming", cursor=0, timeout_s=0))["notices"]
    status, chat = await bob.proxsee("accessChat", chat_token=notice["chat_token"])
    assert status == 200
    assert set(chat) == {"access_token", "room_id", "endpoint", "read_only"}
    assert chat["room_id"] == call
    status, reply = await eve.proxsee("accessChat", chat_token=notice["chat_token"])
    assert (status, reply["error"]["code"]) == (403, "not_invited")
    assert (await eve.proxsee("accessChat", chat_token="guess"))[0] == 404
    # The raw token, and somebody else's, are refused where the access token belongs.
    for wrong in (notice["chat_token"], created["access_token"]):
        assert await bob.refused(JOIN, broadcast_id=call, chat_token=wrong) == (
            403,
            "bad_chat_token",
        )
    await bob.ok(JOIN, broadcast_id=call, chat_token=chat["access_token"])
    await ann.ok(
        "audiospace/admin/invite",
        broadcast_id=call,
        twitter_user_ids=[eve.id],
        chat_token=created["access_token"],
    )


async def test_bounds(rig):
    user = await rig(ServerOptions(max_live_per_user=2, max_invited=2, gated=frozenset({"eve"})))
    ann, bob, cat, eve = [await user(name) for name in ("ann", "bob", "cat", "eve")]
    first = await start(ann, bob, cat)
    assert await ann.refused(
        "audiospace/admin/invite", broadcast_id=first, twitter_user_ids=[eve.id]
    ) == (429, "too_many")
    await start(ann)
    status, reply = await ann.proxsee("createBroadcast")
    assert (status, reply["error"]["code"]) == (429, "too_many")
    await start(bob)
    await ann.ok("audiospace/admin/endAudiospace", broadcast_id=first)
    await start(ann)
    status, reply = await eve.proxsee("createBroadcast")
    assert (status, reply["error"]["code"]) == (403, "gated")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("createBroadcast", {"xnb_call": {"video_codec": "av1"}}),
        ("createBroadcast", {"xnb_call": {"max_participants": 0}}),
        ("createBroadcast", {"xnb_call": 5}),
        ("publishBroadcast", {}),
        ("reconnectHost", {"broadcast_id": ["x"]}),
    ],
)
async def test_malformed_bodies(rig, path, body):
    ann = await (await rig())("ann")
    status, reply = await ann.proxsee(path, **body)
    assert (status, reply["error"]["code"]) == (400, "malformed")
    status, reply = await ann.proxsee(path, **{**body, "cookie": "forged"})
    assert status in (400, 401)


async def test_nothing_secret_is_logged_or_shown(rig, caplog):
    caplog.set_level("DEBUG")
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    created = await create(ann)
    await publish(ann, created, invitees_twitter=[bob.id])
    mine = await join(bob, created["broadcast"]["id"])
    access = await bob.ok(NEGOTIATE, session_uuid=mine)
    await ann.ok("audiospace/admin/endAudiospace", broadcast_id=created["broadcast"]["id"])
    room = created["xnb_room"]
    mine = access["xnb_room"]["ticket"]
    assert mine != room["ticket"]
    secrets = [
        room["pin"],
        room["secret"],
        room["ticket"],
        mine,
        created["credential"],
        access["janus_jwt"],
    ]
    for secret in (*secrets, created["access_token"], ann.cookie, mine):
        assert secret not in caplog.text
