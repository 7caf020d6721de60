"""Life of a broadcast: create to end, who may touch it, mailbox, notices, bounds, time."""

from __future__ import annotations

import asyncio
import time

import pytest

from xnb.server.auth import Caller
from xnb.server.directory import Directory
from xnb.server.options import ServerOptions
from xnb.server.p2p import P2PService
from xnb.server.refusal import Refusal


def states(status):
    return {s["twitter_user_id"]: s["session_state"] for s in status["sessions"]}


async def test_a_call_from_create_to_hang_up(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    poll = asyncio.create_task(bob.ok("xnb/incoming", cursor=0))
    await asyncio.sleep(0.05)
    created = await ann.ok(
        "p2p/broadcast/create",
        invitees_twitter=[str(bob.id)],
        audio_only=False,
        conversation_id="a:b",
    )
    call = created["broadcast_id"]
    assert (await bob.refused("p2p/broadcast/join", broadcast_id=call)) == (409, "not_published")
    assert (await ann.refused("xnb/announce", broadcast_id=call, recipient_id=bob.id)) == (
        409,
        "not_published",
    )
    await ann.ok("p2p/broadcast/publish", broadcast_id=call)
    status = await ann.status(call)
    assert (status["status"], status["end_reason"]) == ("RINGING", None)
    assert states(status) == {ann.id: 17, bob.id: 5}

    sent = time.monotonic()
    await ann.ok("xnb/announce", broadcast_id=call, recipient_id=bob.id)
    notice = await asyncio.wait_for(poll, 1)
    assert time.monotonic() - sent < 0.5
    assert notice["notices"] == [
        {
            "broadcast_id": call,
            "host_id": ann.id,
            "host_handle": "ann",
            "conversation_id": "a:b",
            "audio_only": False,
            "kind": "p2p",
        }
    ]
    assert states(await bob.status(call)) == {ann.id: 17, bob.id: 20}

    joined = await bob.ok("p2p/broadcast/join", broadcast_id=call)
    assert joined["host_id"] == ann.id
    assert joined["relay"] is False
    status = await ann.status(call)
    assert status["status"] == "RUNNING"
    assert states(status) == {ann.id: 17, bob.id: 21}
    mine = next(s for s in status["sessions"] if s["twitter_user_id"] == bob.id)
    assert mine["session_uuid"] == joined["session_uuid"] != created["session_uuid"]

    await bob.leave(call, session_uuid=joined["session_uuid"])
    status = await ann.status(call)
    assert (status["status"], status["end_reason"]) == ("ENDED", "HUNG_UP")
    assert states(status) == {ann.id: 12, bob.id: 12}
    await ann.leave(call)  # again, and by the other side: fine
    assert (await ann.status(call))["end_reason"] == "HUNG_UP"
    assert (await bob.refused("p2p/broadcast/join", broadcast_id=call)) == (409, "ended")


@pytest.mark.parametrize(
    ("answered", "who", "description", "reason"),
    [
        (False, "ann", None, "CANCELED"),
        (False, "bob", None, "DECLINED"),
        (False, "bob", "busy", "DECLINED"),
        (True, "ann", None, "HUNG_UP"),
        (True, "bob", None, "HUNG_UP"),
    ],
)
async def test_end_reasons(rig, answered, who, description, reason):
    user = await rig()
    people = {"ann": await user("ann"), "bob": await user("bob")}
    call = await people["ann"].call(people["bob"].id)
    session = None
    if answered:
        joined = await people["bob"].ok("p2p/broadcast/join", broadcast_id=call)
        session = joined["session_uuid"] if who == "bob" else None
    await people[who].leave(call, session_uuid=session, description=description)
    for person in people.values():
        status = await person.status(call)
        assert (status["status"], status["end_reason"]) == ("ENDED", reason)
        assert status["end_description"] == description


class Clocked:
    """The service alone, on a clock that the test moves."""

    def __init__(self, **options):
        self.now = 100.0
        self.directory = Directory(["echo"], clock=lambda: self.now)
        self.p2p = P2PService(self.directory, ServerOptions(**options), clock=lambda: self.now)
        self.ann = Caller(self.directory.register("ann"), "a1")
        self.bob = Caller(self.directory.register("bob"), "b1")

    def call(self, publish=True):
        call = self.p2p.create(self.ann, [self.bob.user.id])["broadcast_id"]
        if publish:
            self.p2p.publish(self.ann, call)
            self.p2p.announce(self.ann, call, self.bob.user.id)
        return call

    def after(self, seconds):
        self.now += seconds
        self.p2p.sweep()


async def test_ring_limit():
    rig = Clocked()
    call, silent = rig.call(), rig.call(publish=False)
    rig.after(59.9)
    assert rig.p2p.status(rig.ann, call)["status"] == "RINGING"
    rig.after(0.2)
    assert rig.p2p.status(rig.ann, call)["end_reason"] == "MISSED"
    assert rig.p2p.status(rig.ann, silent)["end_reason"] == "TIMED_OUT"


async def test_a_member_that_is_gone_ends_the_call_and_a_polling_one_does_not():
    rig = Clocked()
    call = rig.call()
    rig.p2p.join(rig.bob, call)
    for _ in range(4):
        rig.after(100)
        rig.p2p.status(rig.ann, call)
        await rig.p2p.receive(rig.bob, call, 0, 0)
    assert rig.p2p.live_count == 1
    rig.after(100)
    rig.p2p.status(rig.ann, call)
    rig.after(51)  # bob: 151 s
    status = rig.p2p.status(rig.ann, call)
    assert (status["end_reason"], status["end_description"]) == ("TIMED_OUT", "gone")


async def test_ended_calls_are_remembered_five_minutes_and_not_without_bound():
    rig = Clocked(max_ended=3)
    calls = []
    for _ in range(5):
        calls.append(rig.call())
        rig.p2p.leave(rig.ann, calls[-1])
    for call in calls[:2]:
        with pytest.raises(Refusal) as caught:
            rig.p2p.status(rig.ann, call)
        assert (caught.value.status, caught.value.code) == (404, "unknown_broadcast")
    assert rig.p2p.status(rig.ann, calls[2])["end_reason"] == "CANCELED"
    rig.after(301)
    with pytest.raises(Refusal):
        rig.p2p.status(rig.ann, calls[4])


async def test_bounds_of_broadcasts_and_mailboxes(rig):
    user = await rig(ServerOptions(max_live_per_user=3, max_messages=5, max_mailbox_bytes=1000))
    ann, bob = await user("ann"), await user("bob")
    calls = [await ann.call(bob.id, announce=False) for _ in range(3)]
    body = {"invitees_twitter": [bob.id], "audio_only": True, "conversation_id": None}
    assert await ann.refused("p2p/broadcast/create", **body) == (429, "too_many")
    await bob.ok("p2p/broadcast/create", **(body | {"invitees_twitter": [ann.id]}))
    await ann.leave(calls[0])
    await ann.ok("p2p/broadcast/create", **body)

    send = {"broadcast_id": calls[1], "recipient_id": bob.id}
    message = {"id": "1", "sender_id": 0, "type": "OFFER", "message": "x"}
    for _ in range(5):
        await ann.ok("signaling/send", **send, message=message)
    assert await ann.refused("signaling/send", **send, message=message) == (429, "too_many")
    # What an answering member has read no longer counts.
    await bob.ok("p2p/broadcast/join", broadcast_id=calls[1])
    read = await bob.ok("signaling/receive", broadcast_id=calls[1], cursor=0)
    assert (len(read["messages"]), read["cursor"]) == (5, 5)
    await bob.ok("signaling/receive", broadcast_id=calls[1], cursor=5, timeout_s=0)
    await ann.ok("signaling/send", **send, message=message)
    big = message | {"message": "y" * 1001}
    assert await ann.refused("signaling/send", **send, message=big) == (429, "too_many")


async def test_gated(rig):
    user = await rig(ServerOptions(gated=frozenset({"ann"})))
    ann, bob = await user("Ann"), await user("bob")
    body = {"audio_only": True, "conversation_id": None}
    assert await ann.refused("p2p/broadcast/create", invitees_twitter=[bob.id], **body) == (
        403,
        "gated",
    )
    await bob.ok("p2p/broadcast/create", invitees_twitter=[ann.id], **body)


async def test_only_members_touch_a_call(rig):
    user = await rig()
    ann, bob, eve = await user("ann"), await user("bob"), await user("eve")
    call = await ann.call(bob.id)
    message = {"id": "1", "type": "OFFER", "message": "x"}
    for path, body in [
        ("p2p/broadcast/status", {}),
        ("p2p/broadcast/join", {}),
        ("p2p/broadcast/publish", {}),
        ("p2p/broadcast/leave", {"trigger": "User"}),
        ("xnb/announce", {"recipient_id": bob.id}),
        ("signaling/send", {"recipient_id": bob.id, "message": message}),
        ("signaling/sendBatch", {"recipient_id": bob.id, "messages": [message]}),
        ("signaling/receive", {"cursor": 0}),
    ]:
        assert await eve.refused(path, broadcast_id=call, **body) == (403, "not_a_member"), path
        assert await eve.refused(path, broadcast_id="1nope", **body) == (404, "unknown_broadcast")
    assert await bob.refused("p2p/broadcast/publish", broadcast_id=call) == (403, "not_the_host")
    for recipient in (ann.id, eve.id, 5):
        assert await ann.refused(
            "signaling/send", broadcast_id=call, recipient_id=recipient, message=message
        ) == (400, "malformed")
    create = {"audio_only": True, "conversation_id": None}
    for invitees in ([], [bob.id, eve.id], [ann.id]):
        assert await ann.refused("p2p/broadcast/create", invitees_twitter=invitees, **create) == (
            400,
            "malformed",
        )
    assert await ann.refused("p2p/broadcast/create", invitees_twitter=[1], **create) == (
        404,
        "unknown_user",
    )


async def test_mailbox_order_cursor_and_sender(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    call = await ann.call(bob.id)
    await ann.ok(
        "signaling/send",
        broadcast_id=call,
        recipient_id=bob.id,
        message={"id": "m0", "sender_id": 0, "type": "OFFER", "message": "v=0"},
    )
    await ann.ok(
        "signaling/sendBatch",
        broadcastId=call,
        recipientId=str(bob.id),
        messages=[{"id": f"m{i}", "type": "CANDIDATE", "message": str(i)} for i in (1, 2)],
    )
    for _ in range(2):  # reading takes nothing away
        got = await bob.ok("signaling/receive", broadcast_id=call, cursor=0)
        assert got == {
            "broadcast_id": call,
            "messages": [
                {"id": "m0", "sender_id": ann.id, "type": "OFFER", "message": "v=0"},
                {"id": "m1", "sender_id": ann.id, "type": "CANDIDATE", "message": "1"},
                {"id": "m2", "sender_id": ann.id, "type": "CANDIDATE", "message": "2"},
            ],
            "cursor": 3,
        }
    rest = await bob.ok("signaling/receive", broadcast_id=call, cursor=2)
    assert [m["id"] for m in rest["messages"]] == ["m2"]
    own = await ann.ok("signaling/receive", broadcast_id=call, cursor=0, timeout_s=0)
    assert own["messages"] == []
    far = await bob.ok("signaling/receive", broadcast_id=call, cursor=99, timeout_s=0)
    assert (far["messages"], far["cursor"]) == ([], 3)


async def test_long_poll_wakes_at_once_for_a_message_and_for_the_end(rig):
    user = await rig(ServerOptions(receive_hold_s=0.4))
    ann, bob = await user("ann"), await user("bob")
    call = await ann.call(bob.id)
    await bob.ok("p2p/broadcast/join", broadcast_id=call)

    async def timed(cursor):
        reply = await bob.ok("signaling/receive", broadcast_id=call, cursor=cursor)
        return reply, time.monotonic()

    began = time.monotonic()
    empty, at = await timed(0)
    assert empty["messages"] == []
    assert 0.35 < at - began < 1.0

    waits = []
    for cursor in range(5):
        poll = asyncio.create_task(timed(cursor))
        await asyncio.sleep(0.05)
        sent = time.monotonic()
        message = {"id": str(cursor), "type": "X", "message": ""}
        await ann.ok("signaling/send", broadcast_id=call, recipient_id=bob.id, message=message)
        reply, at = await poll
        assert [m["id"] for m in reply["messages"]] == [str(cursor)]
        waits.append(at - sent)
    assert sorted(waits)[2] < 0.05, waits

    poll = asyncio.create_task(timed(5))
    await asyncio.sleep(0.05)
    sent = time.monotonic()
    await ann.leave(call)
    reply, at = await poll
    assert reply["messages"] == []
    assert at - sent < 0.2
    gone = await ann.ok(
        "signaling/send",
        broadcast_id=call,
        recipient_id=bob.id,
        message={"type": "X", "message": ""},
    )
    assert gone == {"success": False}


async def test_incoming_skips_what_no_longer_rings_and_survives_an_old_cursor(rig):
    user = await rig()
    ann, bob = await user("ann"), await user("bob")
    canceled = await ann.call(bob.id)
    await ann.leave(canceled)
    ringing = await ann.call(bob.id)
    got = await bob.ok("xnb/incoming", cursor=0, timeout_s=0)
    assert [n["broadcast_id"] for n in got["notices"]] == [ringing]
    got = await bob.ok("xnb/incoming", cursor=got["cursor"], timeout_s=0)
    assert got["notices"] == []
    got = await bob.ok("xnb/incoming", cursor=999, timeout_s=0)
    assert [n["broadcast_id"] for n in got["notices"]] == [ringing]
    await ann.ok("xnb/announce", broadcast_id=ringing, recipient_id=bob.id)  # twice: rings once
    got = await bob.ok("xnb/incoming", cursor=0, timeout_s=0)
    assert len(got["notices"]) == 1
    assert (await ann.ok("xnb/incoming", cursor=0, timeout_s=0))["notices"] == []


async def test_one_person_in_two_places(rig):
    user = await rig()
    ann, bob, bob2 = await user("ann"), await user("bob"), await user("bob")
    call = await ann.call(bob.id)
    joined = await bob.ok("p2p/broadcast/join", broadcast_id=call)
    assert await bob2.refused("p2p/broadcast/join", broadcast_id=call) == (409, "already_answered")
    await bob2.leave(call)  # stops ringing there; the call goes on here
    assert (await ann.status(call))["status"] == "RUNNING"
    await bob.leave(call, session_uuid=joined["session_uuid"])
    assert (await ann.status(call))["end_reason"] == "HUNG_UP"


async def test_closing_the_server_answers_the_polls(rig):
    import aiohttp

    from xnb.server.app import serving

    from .conftest import TOKEN, Raw

    async with aiohttp.ClientSession() as http:
        async with serving(TOKEN) as base:
            ann = await Raw(base, http, "ann").login()
            poll = asyncio.create_task(ann.ok("xnb/incoming", cursor=0))
            await asyncio.sleep(0.1)
            began = time.monotonic()
        assert time.monotonic() - began < 1.0
        assert (await poll)["notices"] == []


async def test_another_place_does_not_eat_the_messages_of_the_one_that_answered():
    rig = Clocked()
    call = rig.call()
    other = Caller(rig.bob.user, "b2")
    rig.p2p.send(rig.ann, call, rig.bob.user.id, [(None, "OFFER", "x")])
    rig.p2p.join(rig.bob, call)
    assert (await rig.p2p.receive(other, call, 1, 0))["messages"] == []
    got = await rig.p2p.receive(rig.bob, call, 0, 0)
    assert [m["message"] for m in got["messages"]] == ["x"]


async def test_too_many_polls_are_answered_at_once(rig):
    user = await rig(ServerOptions(max_polls=1))
    ann, bob = await user("ann"), await user("bob")
    held = asyncio.create_task(ann.ok("xnb/incoming", cursor=0, timeout_s=3))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    assert (await bob.ok("xnb/incoming", cursor=0))["notices"] == []
    assert time.monotonic() - began < 1.0
    assert not held.done()
    await bob.call(ann.id)
    assert len((await held)["notices"]) == 1


def test_nothing_secret_in_a_repr():
    from xnb.server import requests as req

    body = b'{"jwt": "hush", "cookie": "hush", "broadcast_id": "b", "recipient_id": 1, '
    body += b'"message": {"type": "OFFER", "message": "hush"}}'
    for kind in (req.Login, req.Cookie, req.Send):
        assert "hush" not in repr(req.parse(body, kind))
    assert "b1" not in repr(Clocked().bob)
