"""The client against a server that answers late, twice, elsewhere, wrongly or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
import traceback

import aiohttp
import pytest
from aiohttp import web

from xnb.errors import SettingsError, SfuError
from xnb.signaling.janus import (
    Event,
    Feed,
    FeedStream,
    Gateway,
    JanusError,
    JanusSession,
    Publisher,
    RoomAdmin,
    Subscriber,
    Wanted,
)
from xnb.signaling.trace import Trace

from .scripted import HANDLE, SESSION, Scripted

SECRET = "apisecret-SECRET-01234"
TOKEN = "token-SECRET-0123456789"
PIN, KEY = "pin-SECRET", "adminkey-SECRET"
SDP = "v=0\r\no=- 1 1 IN IP4 192.168.77.1\r\na=ice-pwd:SDPSECRET\r\n"
EVERY = (SECRET, TOKEN, PIN, KEY, "SDPSECRET", "192.168.77.1", str(SESSION), str(HANDLE))


@pytest.fixture
async def far():
    """The server."""
    async with Scripted().serving() as server:
        yield server


@pytest.fixture
async def connect(far):
    """Opens sessions to it."""
    made: list[JanusSession] = []

    async def open_one(transport: str = "ws", *, trace=None, **settings) -> JanusSession:
        url = f"{transport}:{far.base}/{'ws' if transport == 'ws' else 'janus'}"
        made.append(JanusSession(Gateway(url, **settings), trace=trace))
        await made[-1].open()
        return made[-1]

    yield open_one
    await asyncio.gather(*(one.close() for one in made))


both = pytest.mark.parametrize("transport", ["ws", "http"])


@both
async def test_a_reply_may_come_before_its_ack(far, connect, transport):
    async def join(far, message):
        data = {"videoroom": "joined", "id": 5, "private_id": 6, "publishers": []}
        await far.push(far.event(data, to=message))
        await asyncio.sleep(0.2)
        return [{"janus": "ack", "transaction": message["transaction"]}]

    far.script["join"] = join
    session = await connect(transport)
    joined = await Publisher(session, 1).join("ann")
    assert (joined.id, joined.private_id) == (5, 6)


@both
async def test_a_reply_may_come_without_an_ack(far, connect, transport):
    """On the POST itself, as the gateway may do."""

    async def join(far, message):
        return [far.event({"videoroom": "joined", "id": 5, "publishers": []}, to=message)]

    far.script["join"] = join
    assert (await Publisher(await connect(transport), 1).join("ann")).id == 5


@both
async def test_events_before_and_behind_a_reply_arrive_in_their_order(far, connect, transport):
    def talks(who: int) -> dict:
        return {"videoroom": "talking", "id": who, "audio-level-dBov-avg": 30}

    async def join(far, message):
        joined = far.event({"videoroom": "joined", "id": 5, "publishers": []}, to=message)
        ack = {"janus": "ack", "transaction": message["transaction"]}
        return [ack, far.event(talks(1)), joined, far.event(talks(2)), far.event(talks(3))]

    far.script["join"] = join
    me = Publisher(await connect(transport), 1)
    heard = []
    me.on_talking = lambda who, talks, level: heard.append((who, talks, level))
    await me.join("ann")
    async with asyncio.timeout(3):
        while len(heard) < 3:
            await asyncio.sleep(0.01)
    assert heard == [(1, True, -30), (2, True, -30), (3, True, -30)]


async def test_events_right_behind_attach_find_their_handle(far, connect):
    async def attach(far, message):
        same = {"transaction": message["transaction"]}
        done = {"janus": "success", "data": {"id": HANDLE}, **same}
        return [done, {"janus": "detached", "sender": HANDLE}]

    far.script["attach"] = attach
    session = await connect()
    handle = await session.attach()
    assert "detached" in repr(handle)


@both
async def test_a_time_limit_names_the_request_and_a_late_reply_goes_nowhere(
    far, connect, transport
):
    async def late(far, message):
        await asyncio.sleep(1)
        return [far.event({"videoroom": "joined", "id": 5, "publishers": []}, to=message)]

    far.script["join"] = late
    session = await connect(transport, request_s=0.2)
    handle = await session.attach()
    events: list[Event] = []
    handle.on_event = events.append
    start_s = time.monotonic()
    with pytest.raises(JanusError, match=r"request to join: .*0\.2 s") as caught:
        await handle.request({"request": "join"})
    assert time.monotonic() - start_s < 1
    assert caught.value.code == 0
    assert isinstance(caught.value, SfuError)
    await asyncio.sleep(0.8)
    assert events == []
    assert session.state == "open"


async def test_one_request_at_a_time_on_a_handle(far, connect):
    """Two at once may be answered in any order; on two handles they may overlap."""
    running: dict[int, int] = {}
    most: dict[int, int] = {}

    async def slow(far, message):
        number = message["handle_id"]
        running[number] = running.get(number, 0) + 1
        most[number] = max(most.get(number, 0), running[number])

        async def answer() -> None:
            await asyncio.sleep(0.05)
            running[number] -= 1
            await far.push(far.event({"videoroom": "event"}, to=message))

        tasks.append(asyncio.ensure_future(answer()))
        return [{"janus": "ack", "transaction": message["transaction"]}]

    tasks: list[asyncio.Future[None]] = []
    far.script["configure"] = slow
    session = await connect()
    first, second = await session.attach(), await session.attach()
    start_s = time.monotonic()
    body = {"request": "configure"}
    await asyncio.gather(*(one.request(body) for one in (first, second) for _ in range(4)))
    assert most == {first.id: 1, second.id: 1}
    assert time.monotonic() - start_s < 0.38


async def test_after_a_drop_only_what_is_safe_is_sent_again(far, connect, monkeypatch):
    monkeypatch.setattr("xnb.signaling.janus.session._LATE_REPLY_S", 0.5)
    session = await connect()
    admin, me = RoomAdmin(session, 1), Publisher(session, 1)
    await admin.exists()
    await me.configure(bitrate_bps=1)

    async def drop(far, _message):
        far.script.pop("listparticipants", None)
        far.script.pop("join", None)
        await far.drop()

    far.script["listparticipants"] = drop
    assert await admin.list_participants() == ()
    assert len(far.requests("listparticipants")) == 2
    assert [one["session_id"] for one in far.requests("claim")] == [SESSION]
    far.script["join"] = drop
    start_s = time.monotonic()
    with pytest.raises(JanusError, match="whether it was done is unknown"):
        await me.join("ann")
    assert len(far.requests("join")) == 1
    assert time.monotonic() - start_s < 5
    assert session.state == "open"


async def test_a_reply_that_was_under_way_in_a_drop_still_counts(far, connect):
    async def join(far, message):
        async def claim(far, claimed):
            reply = far.event({"videoroom": "joined", "id": 9, "publishers": []}, to=message)
            return [{"janus": "success", "transaction": claimed["transaction"]}, reply]

        far.script["claim"] = claim
        await far.drop()

    far.script["join"] = join
    assert (await Publisher(await connect(), 1).join("ann")).id == 9


async def test_a_poll_that_fails_is_taken_up_again(far, connect):
    session = await connect("http")
    states: list[str] = []
    session.on_state = states.append
    far.poll_answer = lambda: web.Response(status=502, text="bad gateway")
    async with asyncio.timeout(5):
        while "claiming" not in states:
            await asyncio.sleep(0.02)
    far.poll_answer = lambda: None
    async with asyncio.timeout(5):
        while session.state != "open":
            await asyncio.sleep(0.02)
    assert await RoomAdmin(session, 1).exists() is False


@both
async def test_oddities_are_ignored(far, connect, transport):
    session = await connect(transport)
    handle = await session.attach()
    events: list[Event] = []
    handle.on_event = events.append
    handle.on_webrtcup = lambda: 1 / 0
    odd = [
        {},
        {"janus": 5},
        {"janus": ["event"]},
        {"janus": "event"},
        {"janus": "event", "sender": "text"},
        {"janus": "event", "sender": 1},
        {"janus": "event", "transaction": 5, "sender": 1},
        {"janus": "event", "transaction": ["x"], "sender": 1},
        {"janus": "error", "error": "text"},
        {"janus": "error", "error": {"code": "458"}},
        {"janus": "success", "transaction": "nobody's"},
        {"janus": "ack", "transaction": "nobody's"},
        {"janus": "webrtcup", "sender": HANDLE},
        {"janus": "trickle", "sender": HANDLE, "candidate": "text"},
        {"janus": "media", "sender": HANDLE},
        {"janus": "event", "sender": HANDLE, "plugindata": {"data": [1]}, "jsep": "text"},
    ]
    await far.push(*odd, far.event({"videoroom": "last"}, jsep={"type": "offer", "sdp": 5}))
    async with asyncio.timeout(5):
        while not events or events[-1].data.get("videoroom") != "last":
            await asyncio.sleep(0.01)
    assert session.state == "open"
    assert [one.jsep for one in events] == [None] * len(events)
    assert (await handle.request({"request": "list"})).data == {"videoroom": "event"}


async def test_feeds_are_read_whole_and_by_halves(far, connect):
    me = Publisher(await connect(), 1)
    heard: list[tuple] = []
    me.on_publishers = lambda feeds: heard.append(feeds)
    me.on_leaving = lambda *details: heard.append(details)
    me.on_kicked = lambda: heard.append(("kicked",))
    await me.configure(bitrate_bps=1)
    stream = {"type": "video", "mindex": 1, "mid": "1", "codec": "vp8", "description": "high"}
    whole = {
        "id": "77",
        "display": "ann",
        "periscope_user_id": 77,
        "streams": [
            {**stream, "moderated": True},
            {"type": "audio", "mid": "0", "disabled": True, "talking": True},
        ],
    }
    await far.push(
        far.event({"videoroom": "event", "publishers": [whole, {"id": 5}, {"display": "x"}, 7]}),
        far.event({"videoroom": "event", "leaving": 5, "reason": ""}),
        far.event({"videoroom": "event", "kicked": "77"}),
        far.event({"videoroom": "event", "leaving": "ok", "reason": "kicked"}),
    )
    async with asyncio.timeout(5):
        while len(heard) < 4:
            await asyncio.sleep(0.01)
    assert heard == [
        (
            Feed(
                "77",
                "ann",
                (
                    FeedStream("video", "1", 1, "vp8", "high", is_moderated=True),
                    FeedStream("audio", "0", is_disabled=True),
                ),
                is_talking=True,
                user_id="77",
            ),
            Feed(5),
        ),
        (5, ""),
        ("77", "kicked"),
        ("kicked",),
    ]


async def test_an_offer_that_had_to_wait_comes_by_itself(far, connect):
    """Janus answers ``updating`` while an earlier offer is not answered yet."""

    async def update(far, message):
        ack = {"janus": "ack", "transaction": message["transaction"]}
        return [ack, far.event({"videoroom": "updating"}, to=message)]

    async def join(far, message):
        data = {"videoroom": "attached", "streams": [{"mid": "0", "type": "audio", "feed_id": 5}]}
        return [far.event(data, to=message, jsep={"type": "offer", "sdp": SDP})]

    far.script |= {"update": update, "join": join}
    watcher = Subscriber(await connect(), 1)
    offers = []
    watcher.on_offer = offers.append
    offered = await watcher.subscribe([Wanted(5), Wanted(6, "1")], private_id=3)
    assert offered.sdp == SDP
    assert "SDPSECRET" not in repr(offered)
    assert far.requests("join")[0]["body"]["streams"] == [{"feed": 5}, {"feed": 6, "mid": "1"}]
    assert await watcher.update(subscribe=[Wanted(7)], unsubscribe=["0", Wanted(6)]) is None
    body = far.requests("update")[0]["body"]
    assert body["unsubscribe"] == [{"sub_mid": "0"}, {"feed": 6}]
    data = {"videoroom": "updated", "streams": [{"mid": "1", "type": "video", "feed_id": 7}]}
    await far.push(far.event(data, jsep={"type": "offer", "sdp": SDP}))
    async with asyncio.timeout(5):
        while not offers:
            await asyncio.sleep(0.01)
    assert [one.feed_id for one in offers[0].streams] == [7]
    assert watcher.streams == offers[0].streams


async def test_candidates_are_told_one_by_one_or_together(far, connect):
    handle = await (await connect()).attach()
    one = {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0"}
    await handle.trickle(one)
    await handle.trickle(one, None)
    await handle.trickle()
    assert [(m.get("candidate"), m.get("candidates")) for m in far.requests("trickle")] == [
        (one, None),
        (None, [one, {"completed": True}]),
    ]


async def test_the_gateway_dialect(far, connect):
    """PROTOCOL C3: headers, string rooms, room and user in every body, no descriptions."""

    async def configure(far, message):
        event = far.event({"configured": "ok"}, to=message, jsep={"type": "answer", "sdp": SDP})
        return [{"janus": "ack", "transaction": message["transaction"]}, event]

    async def exists(far, message):
        data = {"videoroom": "event", "error_code": 427, "error": "exists"}
        return [far.event(data, to=message)]

    far.script |= {"configure": configure, "create": exists}
    far.script["create"] = lambda far, message: (
        exists(far, message) if "body" in message else _created(message)
    )
    session = await connect("http", dialect="gateway", token=TOKEN)
    admin = RoomAdmin(session, 12, user_id="77")
    await admin.create(video_codecs=("h264",))
    me = Publisher(session, 12, user_id="77")
    await me.join("77")
    extra = {"session_uuid": "", "stream_name": "s", "vidman_token": TOKEN}
    answer = await me.publish(SDP, descriptions={"0": "audio"}, extra=extra)
    assert answer == SDP
    await me.configure(descriptions={"0": "audio"}, bitrate_bps=5)
    await session.replace_token("another-token")
    await me.leave()
    await asyncio.sleep(1.2)
    bodies = [one["body"] for one in far.seen if "body" in one]
    assert len(bodies) == 5
    for body in bodies:
        assert (body["room"], body["periscope_user_id"]) == ("12", "77")
        assert "descriptions" not in body
    assert (
        bodies[0]
        | {
            "audiocodec": "opus",
            "videocodec": "h264",
            "h264_profile": "42e01f",
            "transport_wide_cc_ext": True,
            "dummy_publisher": False,
            "app_component": "audio-room",
        }
        == bodies[0]
    )
    assert bodies[2] | extra == bodies[2]
    published = far.requests("configure")[0]
    assert published["jsep"] == {"type": "offer", "sdp": SDP}
    for message in far.seen:
        assert not {"token", "apisecret", "session_id"} & set(message)
    assert far.requests("join")[0]["path"] == f"/janus/{SESSION}/{HANDLE + 1}"
    assert all(one["Referer"] == "https://x.com" for one in far.headers)
    assert far.headers[0]["Authorization"] == TOKEN
    assert far.headers[-1]["Authorization"] == "another-token"
    assert far.polls
    assert all(one == {"maxev": "1"} for one in far.polls)
    # No sign of life but the poll.
    assert not far.requests("keepalive")


async def _created(message):
    return [{"janus": "success", "transaction": message["transaction"], "data": {"id": SESSION}}]


async def test_the_stock_dialect(far, connect):
    async def publish(far, message):
        return [far.event({}, to=message, jsep={"type": "answer", "sdp": SDP})]

    far.script["publish"] = publish
    session = await connect("http", api_secret=SECRET, token=TOKEN)
    me = Publisher(session, 12, pin=PIN)
    await me.join("ann")
    await me.publish(SDP, descriptions={"0": "audio"}, bitrate_bps=9, video_codec="vp8")
    joined, published = (far.requests(name)[0] for name in ("join", "publish"))
    assert joined["body"] == {
        "request": "join",
        "ptype": "publisher",
        "room": 12,
        "display": "ann",
        "pin": PIN,
    }
    assert published["body"] == {
        "request": "publish",
        "descriptions": [{"mid": "0", "description": "audio"}],
        "bitrate": 9,
        "videocodec": "vp8",
    }
    assert published["jsep"] == {"type": "offer", "sdp": SDP, "trickle": False}
    assert all((one["apisecret"], one["token"]) == (SECRET, TOKEN) for one in far.seen)
    await asyncio.sleep(0.1)
    assert far.polls[0] == {"maxev": "10", "apisecret": SECRET, "token": TOKEN}
    assert "Authorization" not in far.headers[0]
    assert "Referer" not in far.headers[0]


@pytest.mark.parametrize(
    ("status", "code"), [(401, 403), (403, 403), (404, 458), (410, 458), (500, 0), (302, 0)]
)
async def test_answers_that_are_no_janus_messages(far, connect, monkeypatch, status, code):
    monkeypatch.setattr("xnb.signaling.janus.session._LATE_REPLY_S", 0.3)
    session = await connect("http", request_s=1)

    async def refuse(_far, _message):
        return web.Response(status=status, text="<html>", headers={"Location": far.base})

    far.script["join"] = refuse
    with pytest.raises(JanusError) as caught:
        await Publisher(session, 1).join("ann")
    assert caught.value.code == code
    assert session.state == ("lost" if code == 458 else "open")


async def test_nothing_secret_is_ever_shown(far, connect, caplog):
    caplog.set_level(logging.DEBUG, "xnb")
    shown: list[str] = []

    async def refuse(far, message):
        said = f"no: {PIN} {KEY} {SECRET} {message['handle_id']} {message['session_id']}"
        data = {"videoroom": "event", "error_code": 433, "error": said}
        return [far.event(data, to=message)]

    async def accept(far, message):
        jsep = {"type": "offer" if message["body"]["request"] == "join" else "answer", "sdp": SDP}
        return [far.event({"id": 1, "private_id": 99887766}, to=message, jsep=jsep)]

    far.script |= {"exists": refuse, "join": accept, "publish": accept}
    trace = Trace()
    session = await connect(trace=trace, api_secret=SECRET, token=TOKEN)
    admin = RoomAdmin(session, 1, secret=PIN, admin_key=KEY)
    me, watcher = Publisher(session, 1, pin=PIN), Subscriber(session, 1, pin=PIN)
    joined = await me.join("ann", token="ticket-SECRET")
    await me.publish(SDP)
    offered = await watcher.subscribe([Wanted(1)], private_id=joined.private_id)
    for work in (
        admin.exists(),
        session.attach("janus.plugin.none" + PIN),
        JanusSession(Gateway("http://127.0.0.1:9/janus", token=TOKEN)).open(),
        JanusSession(Gateway("ws://127.0.0.1:9/janus", api_secret=SECRET)).open(),
    ):
        try:
            await work
        except JanusError as error:
            shown += [str(error), "".join(traceback.format_exception(error))]
    assert len(shown) == 6
    states: list[str] = []
    session.on_state = states.append
    await far.drop()
    async with asyncio.timeout(5):
        while states != ["claiming", "open"]:
            await asyncio.sleep(0.01)
    things = [session, session.gateway, admin, me, watcher, me.handle, joined, offered, trace]
    shown += [repr(one) for one in things] + [caplog.text]
    shown += [repr(one) for one in trace.entries]
    text = "\n".join(shown)
    for secret in (*EVERY, "ticket-SECRET", "99887766"):
        assert secret not in text
    names = [f"{one.direction} {one.name}" for one in trace.entries]
    assert "out janus message join" in names
    assert any("'jsep': 'offer'" in repr(one) for one in trace.entries)
    assert not [name for name in names if "keepalive" in name]


async def test_ends_at_any_time(far, connect):
    async def never(_far, _message):
        return None

    far.script |= {"list": never, "claim": never}
    session = await connect()
    listing = asyncio.ensure_future(RoomAdmin(session, 1).list_rooms())
    async with asyncio.timeout(5):
        while not far.requests("list"):
            await asyncio.sleep(0.01)
    await asyncio.gather(session.close(), session.close())
    with pytest.raises(JanusError, match="closed"):
        await listing
    dropped = await connect()
    await far.drop()
    async with asyncio.timeout(5):
        while dropped.state != "claiming":
            await asyncio.sleep(0.01)
    waiting = asyncio.ensure_future(dropped.attach())
    await asyncio.sleep(0.05)
    await dropped.close()
    with pytest.raises(JanusError, match="closed"):
        await waiting
    far.script["create"] = never
    opening = JanusSession(Gateway(f"ws:{far.base}/ws"))
    task = asyncio.ensure_future(opening.open())
    await asyncio.sleep(0.1)
    await opening.close()
    with pytest.raises(JanusError, match="closed"):
        await task
    with pytest.raises(JanusError, match="closed"):
        await opening.open()
    untouched = JanusSession(Gateway(f"ws:{far.base}/ws"))
    with pytest.raises(JanusError, match="not open"):
        await untouched.attach()
    await untouched.close()


async def test_a_foreign_http_session_stays_open(far):
    async with aiohttp.ClientSession() as http:
        session = JanusSession(Gateway(f"http:{far.base}/janus"), http=http)
        await session.open()
        await session.close()
        assert not http.closed


async def test_it_can_be_opened_again_after_it_failed(far):
    async def refuse(_far, message):
        error = {"code": 472, "reason": "not now"}
        return [{"janus": "error", "transaction": message["transaction"], "error": error}]

    far.script["create"] = refuse
    session = JanusSession(Gateway(f"ws:{far.base}/ws"))
    with pytest.raises(JanusError, match="no new sessions") as caught:
        await session.open()
    assert caught.value.code == 472
    far.script.clear()
    await session.open()
    await session.open()
    assert session.state == "open"
    await session.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"url": "ftp://x"}, "URL"),
        ({"url": "ws://"}, "URL"),
        ({"url": "http://[::1"}, "URL"),
        ({"url": "ws://x", "dialect": "other"}, "dialect"),
        ({"url": "ws://x", "dialect": "gateway"}, "HTTP only"),
        ({"url": "ws://x", "keepalive_s": 0}, "keepalive_s"),
        ({"url": "ws://x", "token": "a\nb"}, "token"),
        ({"url": "ws://x", "authorization": ""}, "authorization"),
    ],
)
def test_settings_that_cannot_work(settings, words):
    with pytest.raises(SettingsError, match=words):
        Gateway(**settings)


def test_a_gateway_shows_nothing():
    gateway = Gateway("wss://janus.example:8989", token=TOKEN, api_secret=SECRET)
    assert repr(gateway) == "Gateway(wss, stock)"
    assert TOKEN not in repr(dataclasses.replace(gateway, url="ws://127.0.0.1:1"))
