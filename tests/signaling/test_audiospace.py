"""Group calls: what the client sends, what it makes of replies, and both halves together."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from xnb.errors import (
    CallEnded,
    CallGated,
    NotInvited,
    RoomFull,
    SignalingError,
    Unauthorized,
    UnknownUser,
)
from xnb.profile import GroupSettings, ServerProfile
from xnb.server.app import serving
from xnb.server.options import ServerOptions
from xnb.signaling.audiospace import AudioSpace, Hosted, Member, MemberState
from xnb.signaling.bootstrap import Bootstrap
from xnb.signaling.http import HttpClient
from xnb.signaling.incoming import IncomingNotice, ServerIncoming
from xnb.signaling.messages import User

from .conftest import COOKIE, GUEST_TOKEN, FakeServer, refuse

PIN, SECRET, CREDENTIAL = "pin-SECRET-1", "secret-SECRET-2", "credential-SECRET-3"
TICKET = "ticket-SECRET-5"
CREATED = {
    "broadcast": {"id": "1abc", "user_id": "p1", "twitter_id": "42"},
    "room_id": "1abc",
    "stream_name": "stream-1",
    "credential": CREDENTIAL,
    "webrtc_gw_url": "ws://127.0.0.1:9/janus",
    "access_token": "chat-SECRET-4",
    "session_uuid": "s-host",
    "xnb_room": {
        "room": "1abc",
        "pin": PIN,
        "ticket": TICKET,
        "secret": SECRET,
        "dialect": "stock",
    },
}
LIVE_GROUP = ServerProfile.live().group


def live_like(profile: ServerProfile) -> ServerProfile:
    """The fake server spoken to as the live service is, on the same addresses."""
    return dataclasses.replace(
        profile,
        paths=ServerProfile.live().paths,
        group=LIVE_GROUP,
        signer_url=profile.proxsee_url,
        experimental=True,
    )


@pytest.fixture
def space(http: HttpClient, profile: ServerProfile) -> AudioSpace:
    http.set_login(COOKIE, "42", "p1")
    return AudioSpace(http, profile)


async def test_creating_sends_the_documented_members(fake: FakeServer, space: AudioSpace) -> None:
    fake.put("createBroadcast", CREATED)
    hosted = await space.create(
        video=False, title="tea", conversation_id="a:b", video_codec="h264", max_participants=5
    )
    (call,) = fake.calls
    assert call.path == "/api/v2/createBroadcast"
    assert call.body == {
        "cookie": COOKIE,
        "app_component": "audio-room",
        "content_type": "visual_audio",
        "conversation_controls": 0,
        "description": "tea",
        "width": 1920,
        "height": 1080,
        "is_360": False,
        "is_webrtc": True,
        "is_space_available_for_replay": False,
        "languages": [],
        "region": "",
        "xnb_call": {
            "audio_only": True,
            "video_codec": "h264",
            "conversation_id": "a:b",
            "max_participants": 5,
        },
    }
    access = hosted.access
    assert (hosted.broadcast_id, hosted.session_uuid) == ("1abc", "s-host")
    assert (access.gateway.url, access.gateway.token) == ("ws://127.0.0.1:9/janus", CREDENTIAL)
    assert (access.room, access.pin, access.secret) == ("1abc", PIN, SECRET)
    assert access.ticket == TICKET
    assert (access.display, access.publisher_id) == ("42", "42")
    assert access.extra == {}
    assert dataclasses.replace(access, room=77).publisher_id == 42


async def test_the_live_service_gets_what_is_documented_for_spaces(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    http.set_login(COOKIE, "42", "p1")
    profile = live_like(profile)
    http.profile = profile
    space = AudioSpace(http, profile)
    reply = {**CREATED, "webrtc_gw_url": "https://127.0.0.1:9/gw"}
    del reply["xnb_room"], reply["session_uuid"]
    fake.put("createBroadcast", reply)
    fake.put("region", {"region": "eu-west-1"})
    hosted = await space.create(video=True)
    assert [call.path for call in fake.calls] == ["/api/v2/region", "/api/v2/createBroadcast"]
    assert fake.calls[0].body == {}
    assert fake.calls[1].body["region"] == "eu-west-1"
    assert "xnb_call" not in fake.calls[1].body
    access = hosted.access
    assert access.gateway.dialect == "gateway"
    assert access.gateway.headers()["Authorization"] == CREDENTIAL
    assert (access.room, access.pin, access.display) == ("1abc", None, "p1")
    assert access.extra == {
        "session_uuid": "",
        "stream_name": "stream-1",
        "vidman_token": CREDENTIAL,
    }
    # A member is meant by its session there, which the status tells.
    fake.put(
        "call/status",
        {"guest_sessions": [{"twitter_user_id": "77", "session_uuid": "s-77"}]},
    )
    fake.put("muteSpeaker", {})
    await space.mute("1abc", "77")
    assert fake.to("muteSpeaker")[0].body["session_uuid"] == "s-77"


def test_what_is_switched_for_the_live_gateway() -> None:
    assert LIVE_GROUP.dialect == "gateway"
    assert LIVE_GROUP.creates_room
    assert LIVE_GROUP.host_starts_muted
    assert LIVE_GROUP.host_watches_itself
    assert not LIVE_GROUP.sends_descriptions
    assert not LIVE_GROUP.uses_turn
    assert GroupSettings() == ServerProfile.local("http://127.0.0.1:1").group
    live = ServerProfile.live()
    assert live.url("region") == "https://signer.pscp.tv/region"
    assert live.url("group_create") == "https://proxsee.pscp.tv/api/v2/createBroadcast"
    assert live.url("group_join") == "https://guest.pscp.tv/api/v1/audiospace/join"
    assert not ServerProfile.local("http://127.0.0.1:1").has("region")


async def test_the_other_requests(fake: FakeServer, space: AudioSpace) -> None:
    fake.put("createBroadcast", CREATED)
    for name in (
        "publishBroadcast",
        "admin/invite",
        "removeParticipant",
        "/muteSpeaker",
        "unmuteSpeaker",
        "updateDeclineReason",
        "stream/publish",
        "stream/end",
        "endAudiospace",
        "endBroadcast",
    ):
        fake.put(name, {"success": True})
    await space.create(video=True)
    await space.publish(
        "1abc", session_id=1, handle_id=2, publisher_id="42", room="1abc", title="tea"
    )
    await space.invite("1abc", ["7", "8"])
    await space.remove("1abc", "7")
    await space.mute("1abc", "7")
    await space.unmute("1abc", "7")
    await space.decline("2def", "busy")
    await space.stream_publish("s1")
    await space.stream_end("s1")
    await space.end("1abc")
    bodies = {call.path.rpartition("/api/v")[2]: call.body for call in fake.calls[1:]}
    chat = "chat-SECRET-4"
    about = {"broadcast_id": "1abc", "chat_token": chat, "twitter_user_id": 7}
    ntp = {"ntpForBroadcasterFrame": 0, "ntpForLiveFrame": 0}
    assert bodies == {
        "2/publishBroadcast": {
            "broadcast_id": "1abc",
            "cookie": COOKIE,
            "status": "tea",
            "accept_guests": True,
            "conversation_controls": 0,
            "topics": [],
            "locale": "en",
            "invitees_twitter": [],
            "janus_publisher_id": "42",
            "janus_room_id": "1abc",
            "webrtc_handle_id": 2,
            "webrtc_session_id": 1,
        },
        "1/audiospace/admin/invite": {
            "broadcast_id": "1abc",
            "twitter_user_ids": [7, 8],
            "session_uuid": "",
            "chat_token": chat,
        },
        "1/audiospace/admin/removeParticipant": about,
        "1/audiospace/muteSpeaker": about,
        "1/audiospace/unmuteSpeaker": about,
        "1/audiospace/updateDeclineReason": {"broadcast_id": "2def", "decline_reason": "busy"},
        "1/audiospace/stream/publish": {"session_uuid": "s1"},
        "1/audiospace/stream/end": {"session_uuid": "s1", **ntp},
        "1/audiospace/admin/endAudiospace": {"broadcast_id": "1abc", "chat_token": chat},
        "2/endBroadcast": {"broadcast_id": "1abc", "cookie": COOKIE},
    }
    assert all(
        call.headers.get("Authorization") == (GUEST_TOKEN if "/guest/" in call.path else None)
        for call in fake.calls
    )


async def test_joining_by_way_of_the_chat(fake: FakeServer, space: AudioSpace) -> None:
    fake.put("accessChat", {"access_token": "access-SECRET-5", "read_only": True})
    fake.put(
        "audiospace/join",
        {
            "sessionUuid": "s1",
            "canAutoJoin": True,
            "xnb_call": {
                "host_id": "5",
                "host_handle": "ann",
                "audio_only": True,
                "video_codec": "h264",
                "title": "tea",
            },
        },
    )
    joined = await space.join("1abc", chat_token="raw-SECRET-6")
    assert (joined.session_uuid, joined.host) == ("s1", User("5", "ann"))
    assert (joined.video, joined.video_codec, joined.title) == (False, "h264", "tea")
    assert fake.calls[0].body == {"cookie": COOKIE, "chat_token": "raw-SECRET-6"}
    body = fake.to("audiospace/join")[0].body
    assert body["chat_token"] == "access-SECRET-5"
    assert (body["should_auto_join"], body["join_as_admin"]) == (True, False)
    await space.join("1abc", chat_token="raw-SECRET-6")
    assert len(fake.to("accessChat")) == 1
    # A service that tells less.
    fake.put("audiospace/join", {"session_uuid": "s2", "can_auto_join": True})
    assert (await space.join("2def")).host == User("", "")
    fake.put("audiospace/join", {"can_auto_join": False, "session_uuid": "s3"})
    with pytest.raises(NotInvited):
        await space.join("2def")


async def test_status(fake: FakeServer, space: AudioSpace) -> None:
    fake.put(
        "call/status",
        {
            "guest_sessions": [
                {"twitter_user_id": 5, "guest_username": "ann", "session_state": 18},
                {"twitter_user_id": "6", "session_state": 10, "is_muted_by_admin": True},
                {"twitterUserId": 7, "sessionState": 7, "future": [1]},
                {"twitter_user_id": 8, "session_state": 11, "is_muted_by_guest": None},
            ],
            "xnb_call": {"status": "RUNNING", "host_id": 5, "host_handle": "ann", "title": "tea"},
        },
        {"guest_sessions": None, "xnb_call": {"status": "ended", "end_reason": "HUNG_UP"}},
        {},
    )
    status = await space.status("1abc")
    assert (status.is_live, status.host_id, status.host_handle) == (True, "5", "ann")
    assert status.members[1] == Member("6", "", 10, True)
    assert [one.is_in_call for one in status.members] == [True, True, False, False]
    assert status.host_is_away
    assert status.member("7").has_declined  # type: ignore[union-attr]
    assert status.member("8").was_removed  # type: ignore[union-attr]
    assert status.member("9") is None
    assert fake.calls[0].body == {"broadcast_id": "1abc", "include_non_active_sessions": True}
    over = await space.status("1abc")
    assert (over.is_live, over.end_reason, over.members) == (False, "HUNG_UP", ())
    assert (await space.status("1abc")).is_live


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "not_invited", NotInvited),
        (403, "removed", NotInvited),
        (403, "", NotInvited),
        (403, "is_the_host", SignalingError),
        (409, "room_full", RoomFull),
        (410, "ended", CallEnded),
        (410, "", CallEnded),
        (404, "unknown_broadcast", CallEnded),
        (401, "unauthorised", Unauthorized),
        (503, "no_room", SignalingError),
    ],
)
async def test_refusals_have_their_own_errors(
    fake: FakeServer, space: AudioSpace, status: int, code: str, kind: type[SignalingError]
) -> None:
    fake.put("audiospace/join", refuse(status, code, "some words") if code else (status, {}))
    with pytest.raises(SignalingError) as caught:
        await space.join("1abc")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.remedy
    assert "joining the group call" in str(caught.value)


async def test_hosts_outside_the_rollout(fake: FakeServer, space: AudioSpace) -> None:
    fake.put("createBroadcast", refuse(403, "gated"))
    with pytest.raises(CallGated):
        await space.create(video=True)


async def test_leaving_what_is_over_is_no_error(fake: FakeServer, space: AudioSpace) -> None:
    for name in ("stream/end", "updateDeclineReason", "endAudiospace", "endBroadcast"):
        fake.put(name, refuse(410, "ended"))
    await space.stream_end("s1")
    await space.decline("1abc")
    await space.end("1abc")
    fake.put("stream/end", refuse(500))
    with pytest.raises(SignalingError):
        await space.stream_end("s1")


async def test_a_cookie_that_has_run_out_is_renewed_once(
    fake: FakeServer, http: HttpClient, profile: ServerProfile
) -> None:
    Bootstrap(http, profile, "me")
    http.set_login("an-old-cookie", "42", "p1")
    fake.put("createBroadcast", refuse(401, "unauthorised"), CREATED)
    hosted = await AudioSpace(http, profile).create(video=True)
    assert hosted.broadcast_id == "1abc"
    first, second = fake.to("createBroadcast")
    assert (first.body["cookie"], second.body["cookie"]) == ("an-old-cookie", COOKIE)
    assert (http.user_id, http.periscope_id) == ("42", "p1")


async def test_no_secret_shows(fake: FakeServer, http: HttpClient, space: AudioSpace) -> None:
    fake.put("createBroadcast", CREATED)
    fake.put("stream/negotiate", refuse(500, "oops", f"{PIN} {SECRET} {CREDENTIAL} {COOKIE}"))
    hosted = await space.create(video=True)
    with pytest.raises(SignalingError) as caught:
        await space.negotiate("s1")
    notice = IncomingNotice("b", "5", kind="group", chat_token="chat-SECRET-7")
    shown = [repr(hosted), repr(hosted.access), repr(space), str(caught.value), repr(notice)]
    shown += [repr(entry) for entry in http.trace.entries]
    assert not [text for text in shown if "SECRET" in text]


@pytest.mark.parametrize(
    "broken",
    [
        {"webrtc_gw_url": None},
        {"webrtc_gw_url": "ftp://x/SECRET"},
        {"webrtc_gw_url": "janus"},
        {"credential": "line\nbreak-SECRET"},
        {"broadcast": {}},
        {"xnb_room": {"pin": "SECRET"}},
    ],
)
async def test_a_useless_reply_says_so(
    fake: FakeServer, space: AudioSpace, broken: dict[str, Any]
) -> None:
    fake.put("createBroadcast", {**CREATED, **broken})
    with pytest.raises(SignalingError) as caught:
        await space.create(video=True)
    assert "SECRET" not in str(caught.value)


# Against the server


@dataclasses.dataclass
class Party:
    """One logged-in client."""

    http: HttpClient
    profile: ServerProfile
    id: str
    space: AudioSpace


@pytest.fixture
async def login() -> AsyncIterator[Any]:
    token = "a-server-token-0123456789"
    made: list[HttpClient] = []
    async with serving(token, ServerOptions(gated=frozenset({"outsider"}))) as base:

        async def login(handle: str) -> Party:
            profile = ServerProfile.local(base)
            http = HttpClient(profile, token=token)
            made.append(http)
            session = await Bootstrap(http, profile, handle).run()
            return Party(http, profile, session.user.id, AudioSpace(http, profile))

        yield login
        for http in made:
            await http.close()


async def publish(host: Party, hosted: Hosted) -> None:
    await host.space.publish(
        hosted.broadcast_id,
        session_id=1,
        handle_id=2,
        publisher_id=hosted.access.publisher_id,
        room=hosted.access.room,
        title="tea",
    )


async def test_a_call_from_notice_to_end(login: Any) -> None:
    ann, bob = await login("ann"), await login("bob")
    source = ServerIncoming(bob.http, bob.profile)
    ringing = asyncio.ensure_future(anext(aiter(source.notices())))
    hosted = await ann.space.create(video=True, title="tea", video_codec="h264")
    assert hosted.access.display == ann.id
    assert hosted.access.secret
    await publish(ann, hosted)
    await ann.space.invite(hosted.broadcast_id, [ann.id, bob.id])
    async with asyncio.timeout(5):
        notice = await ringing
    assert (notice.kind, notice.broadcast_id, notice.host_id) == (
        "group",
        hosted.broadcast_id,
        ann.id,
    )
    assert (notice.host_handle, notice.audio_only, notice.title) == ("ann", False, "tea")
    await source.close()
    joined = await bob.space.join(notice.broadcast_id, chat_token=notice.chat_token)
    assert joined.host == User(ann.id, "ann")
    assert (joined.video, joined.video_codec, joined.title) == (True, "h264", "tea")
    access = await bob.space.negotiate(joined.session_uuid, broadcast_id=notice.broadcast_id)
    assert access.gateway.url == hosted.access.gateway.url
    assert (access.room, access.pin) == (hosted.access.room, hosted.access.pin)
    assert (access.secret, access.display) == (None, bob.id)
    await bob.space.stream_publish(joined.session_uuid)
    await bob.space.mute(notice.broadcast_id, bob.id)
    status = await ann.space.status(notice.broadcast_id)
    member = status.member(bob.id)
    assert member is not None
    assert (member.handle, member.state, member.is_muted) == (
        "bob",
        MemberState.STREAM_PUBLISHED,
        True,
    )
    host = status.member(ann.id)
    assert host is not None
    assert host.state == MemberState.HOST_STREAM_PUBLISHED
    assert status.host_id == ann.id
    await bob.space.stream_end(joined.session_uuid)
    again = await ann.space.reconnect_host(hosted.broadcast_id)
    assert again.secret == hosted.access.secret
    assert again.session_uuid == hosted.session_uuid
    assert await ann.space.counts(hosted.broadcast_id) == {"feeds": [], "subscribers": []}
    await ann.space.end(hosted.broadcast_id)
    status = await bob.space.status(hosted.broadcast_id)
    assert (status.is_live, status.end_reason) == (False, "HUNG_UP")
    with pytest.raises(CallEnded):
        await ann.space.reconnect_host(hosted.broadcast_id)


async def test_the_servers_refusals(login: Any) -> None:
    ann, bob, eve = await login("ann"), await login("bob"), await login("eve")
    outsider = await login("outsider")
    with pytest.raises(CallGated):
        await outsider.space.create(video=True)
    hosted = await ann.space.create(video=False, max_participants=2)
    call = hosted.broadcast_id
    await publish(ann, hosted)
    with pytest.raises(NotInvited):
        await eve.space.join(call)
    with pytest.raises(NotInvited):
        await eve.space.status(call)
    with pytest.raises(CallEnded):
        await eve.space.join("1nothere")
    with pytest.raises(UnknownUser):
        await ann.space.invite(call, ["5"])
    await ann.space.invite(call, [bob.id, eve.id])
    joined = await bob.space.join(call)
    assert not joined.video
    with pytest.raises(RoomFull):
        await eve.space.join(call)
    await ann.space.remove(call, bob.id)
    with pytest.raises(NotInvited):
        await bob.space.negotiate(joined.session_uuid)
    with pytest.raises(NotInvited):
        await bob.space.join(call)
    await eve.space.join(call)
    await ann.space.end(call)
    await ann.space.end(call)
    with pytest.raises(CallEnded):
        await bob.space.join(call)
