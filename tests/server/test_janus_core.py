"""The core of the embedded Janus API over a WebSocket: answers, errors, claims, limits."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from .janus_rig import OFFER, TINY, rigged, until


@pytest.fixture
async def rig():
    async with rigged() as made:
        yield made


async def test_a_synchronous_answer_is_the_reply_and_an_asynchronous_one_an_event(rig):
    ws = await rig.ws(await rig.serve())
    at = await ws.both()
    reply = await ws.ask("message", **at, body={"request": "sum", "numbers": [1, 2, 39]})
    assert reply == {
        "janus": "success",
        "session_id": at["session_id"],
        "transaction": reply["transaction"],
        "sender": at["handle_id"],
        "plugindata": {"plugin": TINY, "data": {"tiny": "sum", "sum": 42}},
    }
    ack = await ws.ask("message", **at, body={"request": "later", "n": 7})
    assert ack == {
        "janus": "ack",
        "session_id": at["session_id"],
        "transaction": ack["transaction"],
    }
    event = await ws.event()
    assert event == {
        "janus": "event",
        "session_id": at["session_id"],
        "transaction": ack["transaction"],
        "sender": at["handle_id"],
        "plugindata": {"plugin": TINY, "data": {"tiny": "later", "n": 7}},
    }


async def test_a_plugin_that_refuses_or_breaks(rig, caplog):
    ws = await rig.ws(await rig.serve())
    at = await ws.both()
    refused = {"tiny": "event", "error_code": 777, "error": "no such thing"}
    reply = await ws.ask("message", **at, body={"request": "refuse now"})
    assert (reply["janus"], reply["plugindata"]["data"]) == ("success", refused)
    ack = await ws.ask("message", **at, body={"request": "refuse"})
    event = await ws.event()
    assert event["transaction"] == ack["transaction"]
    assert event["plugindata"]["data"] == refused
    ack = await ws.ask("message", **at, body={"request": "break", "pin": "1234"})
    event = await ws.event()
    assert (event["janus"], event["error"]["code"]) == ("error", 490)
    assert event["transaction"] == ack["transaction"]
    assert "RuntimeError" in caplog.text
    assert "1234" not in caplog.text
    assert "1234" not in json.dumps(event)
    # Even where it does not expect to be asked.
    reply = await ws.ask("message", **at, body={"request": ["unhashable"]})
    assert reply["error"]["code"] == 490
    # The handle still works.
    reply = await ws.ask("message", **at, body={"request": "sum", "numbers": [1]})
    assert reply["plugindata"]["data"]["sum"] == 1


async def test_events_of_media_and_a_plugin_that_detaches(rig):
    ws = await rig.ws(await rig.serve())
    at = await ws.both()
    await ws.ask("message", **at, body={"request": "media"})
    sender = {"session_id": at["session_id"], "sender": at["handle_id"]}
    assert await ws.event() == {"janus": "webrtcup", **sender}
    media = {"mid": "v1", "type": "video", "receiving": True}
    assert await ws.event() == {"janus": "media", **sender, **media}
    assert await ws.event() == {"janus": "hangup", **sender, "reason": "DTLS alert"}
    assert (await ws.event())["plugindata"]["data"]["tiny"] == "ok"
    await ws.ask("message", **at, body={"request": "bye"})
    assert (await ws.event())["plugindata"]["data"]["tiny"] == "ok"
    assert await ws.event() == {"janus": "detached", **sender}
    reply = await ws.ask("message", **at, body={"request": "sum", "numbers": []})
    assert reply["error"]["code"] == 459


async def test_trickle_single_array_and_completed(rig):
    ws = await rig.ws(await rig.serve())
    at = await ws.both()
    one = {
        "sdpMid": "a",
        "sdpMLineIndex": 0,
        "candidate": "candidate:1 1 udp 1 10.0.0.1 9 typ host",
    }
    for more, told in (
        ({"candidate": one}, [one]),
        ({"candidates": [one, one]}, [one, one]),
        ({"candidate": {"completed": True}}, [None]),
        ({"candidate": None}, [None]),
    ):
        ack = await ws.ask("trickle", **at, **more)
        assert ack["janus"] == "ack"
        event = await ws.event()
        assert event["plugindata"]["data"]["candidates"] == told
        assert "transaction" not in event


async def test_hangup_detach_and_destroy(rig):
    server = await rig.serve()
    ws = await rig.ws(server)
    at = await ws.both()
    assert (await ws.ask("hangup", **at))["janus"] == "success"
    assert (await ws.event())["plugindata"]["data"] == {"tiny": "hung up"}
    assert (await ws.ask("detach", **at))["janus"] == "success"
    assert (await ws.event())["janus"] == "detached"
    assert server.tiny.handles[0].detached == 1
    other = await ws.handle(at["session_id"])
    done = await ws.ask("destroy", session_id=at["session_id"])
    assert done["janus"] == "success"
    assert server.tiny.handles[1].detached == 1
    assert server.core.sessions == {}
    gone = await ws.ask("keepalive", session_id=at["session_id"])
    assert gone["error"]["code"] == 458
    assert other != at["handle_id"]


BAD = [
    (455, [1, 2]),
    (455, "text"),
    (456, {"janus": "info"}),
    (456, {"transaction": "t"}),
    (467, {"janus": "info", "transaction": 5}),
    (467, {"janus": {}, "transaction": "t"}),
    (467, {"janus": "create", "transaction": "t", "id": "five"}),
    (467, {"janus": "create", "transaction": "t", "id": -5}),
    (457, {"janus": "attach", "transaction": "t", "plugin": TINY}),
    (457, {"janus": "sing", "transaction": "t"}),
    (458, {"janus": "keepalive", "transaction": "t", "session_id": 12345}),
    (458, {"janus": "message", "transaction": "t", "handle_id": 12345}),
]
IN_SESSION = [
    (456, {"janus": "attach"}),
    (467, {"janus": "attach", "plugin": 5}),
    (467, {"janus": "attach", "plugin": TINY, "opaque_id": 5}),
    (460, {"janus": "attach", "plugin": "janus.plugin.none"}),
    (457, {"janus": "message", "body": {}}),
    (453, {"janus": "create"}),
    (453, {"janus": "sing"}),
    (459, {"janus": "message", "body": {}, "handle_id": 12345}),
]
LONG_MID = f"m=audio 9 RTP/AVP 0\r\na=mid:{'x' * 65}\r\n"
IN_HANDLE = [
    (457, {"janus": "attach", "plugin": TINY}),
    (457, {"janus": "destroy"}),
    (453, {"janus": "sing"}),
    (456, {"janus": "message"}),
    (467, {"janus": "message", "body": "text"}),
    (455, {"janus": "message", "body": {}, "jsep": "v=0"}),
    (456, {"janus": "message", "body": {}, "jsep": {}}),
    (456, {"janus": "message", "body": {}, "jsep": {"type": "offer"}}),
    (467, {"janus": "message", "body": {}, "jsep": {"type": "offer", "sdp": 5}}),
    (464, {"janus": "message", "body": {}, "jsep": {"type": "rollback", "sdp": OFFER}}),
    (465, {"janus": "message", "body": {}, "jsep": {"type": "offer", "sdp": "garbage"}}),
    (465, {"janus": "message", "body": {}, "jsep": {"type": "offer", "sdp": "v=0\nnonsense"}}),
    (465, {"janus": "message", "body": {}, "jsep": {"type": "offer", "sdp": OFFER + LONG_MID}}),
    (469, {"janus": "message", "body": {}, "jsep": {"type": "answer", "sdp": OFFER}}),
    (456, {"janus": "trickle"}),
    (454, {"janus": "trickle", "candidate": {"sdpMid": "a"}, "candidates": []}),
    (467, {"janus": "trickle", "candidate": "text"}),
    (467, {"janus": "trickle", "candidates": {}}),
    (456, {"janus": "trickle", "candidate": {"candidate": "x"}}),
    (456, {"janus": "trickle", "candidate": {"sdpMid": "a"}}),
    (467, {"janus": "trickle", "candidate": {"sdpMid": 5, "candidate": "x"}}),
]


async def test_what_is_wrong_is_named_by_its_code_and_the_connection_stays(rig):
    server = await rig.serve()
    ws = await rig.ws(server)
    at = await ws.both()
    for code, message in BAD:
        await ws.socket.send_str(json.dumps(message))
        reply = await ws.receive()
        assert reply["janus"] == "error", (message, reply)
        assert reply["error"]["code"] == code, (message, reply)
        assert reply["error"]["reason"]
    for code, message in IN_SESSION:
        reply = await ws.ask(**{"session_id": at["session_id"]} | message)
        assert reply["error"]["code"] == code, (message, reply)
        assert reply["session_id"] == at["session_id"]
    for code, message in IN_HANDLE:
        reply = await ws.ask(**at | message)
        assert reply["error"]["code"] == code, (message, reply)
    assert (await ws.ask("ping"))["janus"] == "pong"
    assert server.tiny.seen == []


async def test_codes_that_take_a_state(rig):
    server = await rig.serve(max_handles=2, max_sessions=2)
    ws = await rig.ws(server)
    session = (await ws.ask("create", id=4711))["data"]["id"]
    assert session == 4711
    assert (await ws.ask("create", id=4711))["error"]["code"] == 468
    handle = await ws.handle(session)
    at = {"session_id": session, "handle_id": handle}
    # 466: an m-line that the description does not have.
    await ws.ask("message", **at, body={}, jsep={"type": "offer", "sdp": OFFER})
    assert (await ws.event())["plugindata"]["data"]["jsep"] == "offer"
    wrong = {"sdpMid": "z", "sdpMLineIndex": 9, "candidate": "x"}
    assert (await ws.ask("trickle", **at, candidate=wrong))["error"]["code"] == 466
    right = {"sdpMid": "a", "candidate": "x"}
    assert (await ws.ask("trickle", **at, candidate=right))["janus"] == "ack"
    assert (await ws.event())["plugindata"]["data"]["candidates"] == [right]
    # 469: an answer is right once, after our offer.
    await ws.ask("message", **at, body={"request": "offer"})
    assert (await ws.event())["jsep"]["type"] == "offer"
    answer = {"type": "answer", "sdp": OFFER}
    assert (await ws.ask("message", **at, body={}, jsep=answer))["janus"] == "ack"
    assert (await ws.event())["plugindata"]["data"]["jsep"] == "answer"
    assert (await ws.ask("message", **at, body={}, jsep=answer))["error"]["code"] == 469
    # 461: the plugin or the session takes no more.
    server.tiny.is_full = True
    full = await ws.ask("attach", session_id=session, plugin=TINY)
    assert full["error"]["code"] == 461
    server.tiny.is_full = False
    await ws.handle(session)
    full = await ws.ask("attach", session_id=session, plugin=TINY)
    assert full["error"]["code"] == 461
    # 463: the plugin fails to let go; the handle is gone all the same.
    server.tiny.clings = True
    assert (await ws.ask("detach", **at))["error"]["code"] == 463
    assert (await ws.ask("detach", **at))["error"]["code"] == 459
    # 472: no room for another session.
    await ws.session()
    assert (await ws.ask("create"))["error"]["code"] == 472
    info = await ws.ask("info")
    assert info["accepting-new-sessions"] is False
    assert info["plugins"].keys() == {TINY}


async def test_garbled_input_gets_454_and_the_connection_stays(rig):
    ws = await rig.ws(await rig.serve())
    session = await ws.session()
    garbled = ["", "{", "nul", '{"janus": "info", }', "[" * 5000, '{"a":"\\ud800"}', "{'a': 1}"]
    for text in garbled:
        await ws.socket.send_str(text)
        reply = await ws.receive()
        assert reply["error"]["code"] == 454, text
    for data in (b"\xff\xfe\x00", b"\x00" * 1000):
        await ws.socket.send_bytes(data)
        assert (await ws.receive())["error"]["code"] == 454
    assert (await ws.ask("keepalive", session_id=session))["janus"] == "ack"


async def test_a_message_that_is_too_large_closes_the_connection_but_not_the_session(rig):
    server = await rig.serve()
    ws = await rig.ws(server)
    session = await ws.session()
    await ws.socket.send_str(json.dumps({"janus": "info", "pad": "x" * 300_000}))
    closing = await ws.socket.receive(timeout=5)
    assert closing.data == 1009 or ws.socket.close_code == 1009
    again = await rig.ws(server)
    assert (await again.ask("claim", session_id=session))["janus"] == "success"


async def test_claim_after_a_dropped_socket_brings_what_was_missed(rig):
    server = await rig.serve(session_timeout_s=2.0, reclaim_s=3.0)
    ws = await rig.ws(server)
    at = await ws.both()
    session = server.core.sessions[at["session_id"]]
    ack = await ws.ask("message", **at, body={"request": "later", "after_s": 0.4, "n": 5})
    ws.drop()
    await until(lambda: session.transport is None)
    await asyncio.sleep(0.6)
    again = await rig.ws(server)
    claimed = await again.ask("claim", session_id=at["session_id"])
    assert claimed["janus"] == "success"
    event = await again.event()
    assert event["transaction"] == ack["transaction"]
    assert event["plugindata"]["data"] == {"tiny": "later", "n": 5}
    # Later events come here too, and handles work on.
    await again.ask("message", **at, body={"request": "events", "count": 2})
    assert [(await again.event())["plugindata"]["data"]["n"] for _ in range(2)] == [0, 1]
    assert server.tiny.handles[0].detached == 0


async def test_a_session_taken_over_is_not_lost_with_its_old_socket(rig):
    server = await rig.serve(reclaim_s=0.5)
    old, new = await rig.ws(server), await rig.ws(server)
    at = await old.both()
    await new.ask("claim", session_id=at["session_id"])
    await old.socket.close()
    await asyncio.sleep(1.2)
    assert (await new.ask("keepalive", session_id=at["session_id"]))["janus"] == "ack"
    await new.ask("message", **at, body={"request": "events", "count": 1})
    assert (await new.event())["plugindata"]["data"]["n"] == 0


@pytest.mark.parametrize(("reclaim_s", "within_s"), [(0.0, 0.4), (0.8, 2.5)])
async def test_a_session_that_nobody_claims_is_over(rig, reclaim_s, within_s):
    server = await rig.serve(reclaim_s=reclaim_s, session_timeout_s=30.0)
    ws = await rig.ws(server)
    at = await ws.both()
    ws.drop()
    await until(lambda: not server.core.sessions, within_s)
    assert server.tiny.handles[0].detached == 1
    again = await rig.ws(server)
    gone = await again.ask("claim", session_id=at["session_id"])
    assert gone["error"]["code"] == 458


async def test_a_silent_session_times_out_and_one_that_keeps_alive_does_not(rig):
    server = await rig.serve(session_timeout_s=0.7)
    ws = await rig.ws(server, autoping=False)
    silent, alive = await ws.both(), await ws.both()
    for _ in range(7):
        await asyncio.sleep(0.2)
        assert (await ws.ask("keepalive", session_id=alive["session_id"]))["janus"] == "ack"
    assert {"janus": "timeout", "session_id": silent["session_id"]} in ws.events
    assert (await ws.ask("keepalive", session_id=silent["session_id"]))["error"]["code"] == 458
    assert [handle.detached for handle in server.tiny.handles] == [1, 0]


async def test_a_client_that_says_nothing_keeps_its_session_while_it_answers_pings(rig):
    """Such as janus.js, which says something every 25 s only."""
    server = await rig.serve(session_timeout_s=0.9)
    there, away = await rig.ws(server), await rig.ws(server, autoping=False)
    kept, lost = await there.both(), await away.both()
    listening = asyncio.create_task(there.receive(30))
    try:
        timed_out = {"janus": "timeout", "session_id": lost["session_id"]}
        assert await away.event() == timed_out
        await asyncio.sleep(1.5)
        assert not listening.done()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    assert server.core.sessions.keys() == {kept["session_id"]}
    assert (await there.ask("keepalive", session_id=kept["session_id"]))["janus"] == "ack"
    # A session of another socket is not kept by these pongs, and pings of the client are answered.
    await away.socket.ping(b"there?")
    async with asyncio.timeout(5):
        while (answer := await away.socket.receive()).type is not aiohttp.WSMsgType.PONG:
            assert answer.type is aiohttp.WSMsgType.PING
    assert answer.data == b"there?"


async def test_a_flood_of_messages_is_answered_in_order_and_bounded(rig):
    server = await rig.serve()
    ws = await rig.ws(server)
    at = await ws.both()
    handle = server.core.sessions[at["session_id"]].handles[at["handle_id"]]
    most = 0

    async def watch():
        nonlocal most
        while True:
            most = max(most, handle._inbox.qsize())
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    body = {"request": "later", "after_s": 0.001}
    for n in range(1000):
        await ws.send(janus="message", transaction=f"m{n}", body=body | {"n": n}, **at)
    acked, answered = [], []
    while len(answered) < 1000:
        got = await ws.receive(20)
        n = int(got["transaction"][1:])
        if got["janus"] == "ack":
            acked.append(n)
        else:
            assert n in acked  # never before its ack
            answered.append(got["plugindata"]["data"]["n"])
    watching.cancel()
    assert acked == answered == list(range(1000))
    assert 1 < most <= 64


async def test_a_client_that_does_not_read_is_cut_and_nobody_else_suffers(rig):
    server = await rig.serve()
    deaf, other = await rig.ws(server), await rig.ws(server)
    at = await deaf.both()
    body = {"request": "events", "count": 3000, "pad": 4000}
    deaf.socket._response.connection.transport.pause_reading()
    await deaf.send(janus="message", transaction="flood", body=body, **at)
    session = server.core.sessions[at["session_id"]]
    await until(lambda: session.transport is None, 10)
    assert (await other.ask("ping"))["janus"] == "pong"
    # What waits to be claimed is bounded too, and it is the newest.
    waiting = session.take(5000)
    assert 0 < len(waiting) <= 1000
    assert waiting[-1]["plugindata"]["data"]["tiny"] == "ok"
    assert session.dropped > 0
    deaf.drop()


async def test_a_busy_plugin_says_so(rig, monkeypatch):
    monkeypatch.setattr("xnb.server.janus.handle._ROOM_S", 0.2)
    monkeypatch.setattr("xnb.server.janus.handle._MESSAGE_S", 0.6)
    ws = await rig.ws(await rig.serve())
    at = await ws.both()
    body = {"request": "later", "after_s": 30}
    for n in range(67):
        await ws.send(janus="message", transaction=f"m{n}", body=body, **at)
    codes = {}
    while len(codes) < 3:
        got = await ws.receive()
        if got["janus"] == "error":
            codes[got["transaction"]] = got["error"]["code"]
    assert set(codes.values()) == {462}  # no room, and no answer in time
    assert "m0" in codes


async def test_closing_the_server_ends_sessions_and_polls_at_once(rig):
    server = await rig.serve(poll_s=30.0)
    ws = await rig.ws(server)
    await ws.both()
    made = await rig.post(server.http_url, {"janus": "create", "transaction": "t"})
    poll = asyncio.create_task(rig.get(f"{server.http_url}/{made['data']['id']}"))
    await asyncio.sleep(0.1)
    began = asyncio.get_running_loop().time()
    await server.core.close()
    assert (await poll)["error"]["code"] == 458
    assert asyncio.get_running_loop().time() - began < 2
    assert server.tiny.handles[0].detached == 1
    await server.core.close()
