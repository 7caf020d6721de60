"""1:1 broadcasts and their mailboxes on the wire."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from typing import Any

import pytest
from aiohttp import web

from xnb.errors import CallGated, SettingsError, SignalingError, Unauthorized, XnbError
from xnb.profile import ServerProfile
from xnb.signaling.http import HttpClient
from xnb.signaling.messages import Answer, CandidateSignal, MediaStatusSignal, Offer, Unknown
from xnb.signaling.p2p import P2P, Created, Joined, Mailbox, SessionStatus

from .conftest import TOKEN, FakeServer, drop, hang, refuse, text

RECEIVE = "signaling/receive"


@pytest.fixture
def p2p(http: HttpClient, profile: ServerProfile) -> P2P:
    return P2P(http, profile)


@pytest.fixture
def mailbox(p2p: P2P) -> Mailbox:
    return p2p.mailbox("b1", "7")


def message(n: int, kind: str = "OFFER", payload: str = "v=0") -> dict[str, Any]:
    return {"id": f"m{n}", "sender_id": 7, "type": kind, "message": payload}


def polling_tasks() -> list[str]:
    names = [str(task.get_coro()) for task in asyncio.all_tasks()]
    return [name for name in names if "Mailbox" in name or "LongPoll" in name or "Event" in name]


async def take(mailbox: Mailbox, count: int) -> list[Any]:
    signals = []
    async with asyncio.timeout(5):
        async for signal in mailbox.receive():
            signals.append(signal)
            if len(signals) == count:
                await mailbox.close()
    return signals


async def test_create_publish_join_leave(fake: FakeServer, p2p: P2P) -> None:
    fake.put("broadcast/create", {"broadcastId": "b1", "session_uuid": "s1", "new_field": {}})
    fake.put("broadcast/publish", {"success": True})
    fake.put("broadcast/join", {"session_uuid": "s2", "host_id": 2**55 + 1})
    fake.put("broadcast/leave", {"success": True})
    fake.put("xnb/announce", {"success": True})
    assert await p2p.create(str(2**60), True, None) == Created("b1", "s1")
    await p2p.publish("b1")
    await p2p.announce("b1", "7", True, "1:7")
    assert await p2p.join("b1") == Joined("s2", str(2**55 + 1), relay=False)
    await p2p.leave("b1")
    await p2p.leave("b1", "s1", "Error", "busy")
    assert [call.body for call in fake.calls] == [
        {"invitees_twitter": [2**60], "audio_only": True, "conversation_id": None},
        {"broadcast_id": "b1"},
        {"broadcast_id": "b1", "recipient_id": 7, "audio_only": True, "conversation_id": "1:7"},
        {"broadcast_id": "b1"},
        {"broadcast_id": "b1", "session_uuid": None, "trigger": "User", "description": None},
        {"broadcast_id": "b1", "session_uuid": "s1", "trigger": "Error", "description": "busy"},
    ]


async def test_gated_is_not_tried_again(fake: FakeServer, p2p: P2P) -> None:
    fake.put("broadcast/create", refuse(403, "gated"))
    with pytest.raises(CallGated):
        await p2p.create("7", True)
    assert len(fake.calls) == 1


async def test_leaving_what_is_gone_or_flaky(fake: FakeServer, p2p: P2P) -> None:
    fake.put("broadcast/leave", refuse(404, "unknown_broadcast"))
    await p2p.leave("b1", "s1")
    fake.put("broadcast/leave", drop, {"success": True})
    await p2p.leave("b1", "s1")
    fake.put("broadcast/leave", refuse(400))
    with pytest.raises(SignalingError):
        await p2p.leave("b1", "s1")


async def test_announcing_on_the_live_service_is_refused_in_words() -> None:
    live = ServerProfile.live()
    client = HttpClient(live, token=TOKEN)
    with pytest.raises(SettingsError, match="announce=False"):
        await P2P(client, live).announce("b", "7", True)
    await client.close()


async def test_status(fake: FakeServer, p2p: P2P) -> None:
    fake.put(
        "broadcast/status",
        {"status": "SOMETHING_NEW", "end_reason": None, "sessions": None},
        {
            "status": "RUNNING",
            "sessions": [
                {"session_uuid": "mine", "session_state": 12, "twitter_user_id": 1},
                {"session_uuid": "other", "session_state": "21", "twitter_user_id": "2", "x": []},
            ],
        },
        {"sessions": [{"session_uuid": "other", "session_state": 12}]},
        {"status": "ended", "endReason": "DECLINED", "end_description": "busy"},
    )
    first, second, third, last = [await p2p.status("b1") for _ in range(4)]
    assert (first.ended, first.raw, first.sessions) == (False, "SOMETHING_NEW", ())
    assert second.sessions == (SessionStatus("mine", 12, "1"), SessionStatus("other", 21, "2"))
    assert second.remote_answered("mine")
    assert not second.remote_answered("other")
    assert not second.remote_ended("mine")
    assert third.remote_ended("mine")
    assert not third.remote_ended("other")
    assert (last.ended, last.end_reason, last.end_description) == (True, "DECLINED", "busy")


async def test_send_and_send_batch(fake: FakeServer, mailbox: Mailbox, http: HttpClient) -> None:
    fake.put("signaling/send", {"success": True})
    fake.put("signaling/sendBatch", {"success": True})
    await mailbox.send()
    assert fake.calls == []
    await mailbox.send(Offer("v=0 SECRET"))
    await mailbox.send(CandidateSignal("candidate:1", "0", 0), MediaStatusSignal())
    one, batch = fake.calls
    assert one.path.endswith("signaling/send")
    assert set(one.body) == {"broadcast_id", "recipient_id", "message"}
    assert (one.body["broadcast_id"], one.body["recipient_id"]) == ("b1", 7)
    assert one.body["message"]["message"] == "v=0 SECRET"
    assert batch.path.endswith("signaling/sendBatch")
    assert [m["type"] for m in batch.body["messages"]] == ["CANDIDATE", "MEDIA_STATUS"]
    ids = {one.body["message"]["id"], *(m["id"] for m in batch.body["messages"])}
    assert len(ids) == 3
    ladder = [(e.direction, e.name) for e in http.trace.entries if e.channel == "mailbox"]
    assert ladder == [("out", "OFFER"), ("out", "CANDIDATE"), ("out", "MEDIA_STATUS")]
    assert "SECRET" not in repr(http.trace.entries)


async def test_parallel_sends_keep_their_order(fake: FakeServer, mailbox: Mailbox) -> None:
    async def slow_first(request: web.Request, body: Any) -> web.StreamResponse:
        await asyncio.sleep(0.1 if body["message"]["message"] == "0" else 0)
        done.append(body["message"]["message"])
        return web.json_response({"success": True})

    done: list[str] = []
    fake.put("signaling/send", slow_first)
    await asyncio.gather(*(mailbox.send(Offer(str(n))) for n in range(5)))
    assert done == ["0", "1", "2", "3", "4"]


async def test_receive_follows_the_cursor(fake: FakeServer, mailbox: Mailbox) -> None:
    fake.put(
        RECEIVE,
        {"broadcast_id": "b1", "messages": [message(1), message(2, "ANSWER")], "cursor": 2},
        {"messages": None, "cursor": 2},
        {"messages": [message(3, "STRANGE")], "cursor": "9"},
        hang,
    )
    assert await take(mailbox, 3) == [Offer("v=0"), Answer("v=0"), Unknown("STRANGE")]
    assert [call.body["cursor"] for call in fake.calls] == [0, 2, 2]


async def test_receive_reads_camel_case_and_drops_what_has_no_id(
    fake: FakeServer, mailbox: Mailbox
) -> None:
    fake.put(
        RECEIVE,
        {
            "broadcastId": "b1",
            "Messages": None,
            "messages": [
                None,
                {"type": "OFFER", "message": "v=0"},
                {"id": "x", "senderId": "7", "type": "OFFER", "message": "v=0 real", "new": 1},
                message(1, "ANSWER"),
                message(1, "ANSWER"),
            ],
            "cursor": 1,
        },
        hang,
    )
    assert await take(mailbox, 2) == [Offer("v=0 real"), Answer("v=0")]
    assert mailbox.ignored == 3


async def test_our_own_messages_coming_back_are_ignored(fake: FakeServer, mailbox: Mailbox) -> None:
    fake.put("signaling/send", {"success": True})
    await mailbox.send(Offer("v=0 mine"))
    mine = fake.calls[0].body["message"]
    fake.put(RECEIVE, {"messages": [mine, message(1, "ANSWER")], "cursor": 5}, hang)
    assert await take(mailbox, 1) == [Answer("v=0")]


@pytest.mark.parametrize(
    "broken",
    [
        {"messages": [], "cursor": None},
        {"messages": [message(8)]},
        {"messages": [], "cursor": True},
        text("<html>"),
        (500, {}),
        (429, {}),
    ],
)
async def test_receive_backs_off_and_goes_on(
    fake: FakeServer, mailbox: Mailbox, broken: Any
) -> None:
    told: list[XnbError] = []
    mailbox.on_error = told.append
    fake.put(RECEIVE, broken, broken, {"messages": [message(1)], "cursor": 1}, hang)
    started = time.monotonic()
    assert await take(mailbox, 1) == [Offer("v=0")]
    assert time.monotonic() - started >= 0.05 + 0.1
    assert len(told) == 2
    assert all(isinstance(error, SignalingError) for error in told)
    assert [call.body["cursor"] for call in fake.calls] == [0, 0, 0]


async def test_a_hold_that_runs_out_is_no_failure(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    rhythm = dataclasses.replace(profile.rhythm, hold_s=0.2, backoff_min_s=2, backoff_max_s=2)
    mailbox = P2P(http, dataclasses.replace(profile, rhythm=rhythm)).mailbox("b1", "7")
    told: list[XnbError] = []
    mailbox.on_error = told.append
    fake.put(RECEIVE, hang, {"messages": [message(1)], "cursor": 1}, hang)
    started = time.monotonic()
    assert await take(mailbox, 1) == [Offer("v=0")]
    assert time.monotonic() - started < 1
    assert told == []


async def test_receive_survives_a_server_that_is_away(fake: FakeServer, mailbox: Mailbox) -> None:
    fake.put(RECEIVE, *[drop] * 7, {"messages": [message(1)], "cursor": 1}, hang)
    assert await take(mailbox, 1) == [Offer("v=0")]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(refuse(404, "unknown_broadcast"), SignalingError), (refuse(401), Unauthorized)],
)
async def test_receive_ends_when_trying_again_cannot_help(
    fake: FakeServer, mailbox: Mailbox, reply: Any, kind: type[SignalingError]
) -> None:
    fake.put(RECEIVE, reply)
    with pytest.raises(kind):
        await take(mailbox, 1)
    assert len(fake.calls) == 1


async def test_a_server_that_does_not_hold_is_not_hammered(
    fake: FakeServer, mailbox: Mailbox
) -> None:
    fake.put(RECEIVE, {"messages": [], "cursor": 0})
    reading = asyncio.create_task(take(mailbox, 1))
    await asyncio.sleep(0.5)
    await mailbox.close()
    assert await reading == []
    assert 2 <= len(fake.calls) <= 11


async def test_close_ends_a_held_request_at_once(fake: FakeServer, mailbox: Mailbox) -> None:
    fake.put(RECEIVE, hang)
    reading = asyncio.create_task(take(mailbox, 1))
    await asyncio.sleep(0.1)
    started = time.monotonic()
    await mailbox.close()
    await mailbox.close()
    assert await reading == []
    assert time.monotonic() - started < 1
    assert not polling_tasks()
    assert await take(mailbox, 1) == []


async def test_cancelling_the_reader_leaves_no_task(fake: FakeServer, mailbox: Mailbox) -> None:
    fake.put(RECEIVE, hang)
    reading = asyncio.create_task(take(mailbox, 1))
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not polling_tasks()


async def test_a_mailbox_needs_a_numeric_recipient(p2p: P2P) -> None:
    with pytest.raises(SignalingError, match="numeric"):
        p2p.mailbox("b1", "echo")
    assert repr(p2p.mailbox("b1", "7")) == "Mailbox(broadcast_id='b1')"
