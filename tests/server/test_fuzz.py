"""Whatever is sent, the answer is JSON and the server lives."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xnb.server.app import serving

from . import groups
from .conftest import GUEST, TOKEN, Raw

PATHS = [
    *(f"{GUEST}p2p/broadcast/{name}" for name in ("create", "publish", "join", "status", "leave")),
    *(f"{GUEST}signaling/{name}" for name in ("send", "sendBatch", "receive", "scribe")),
    *(f"{GUEST}xnb/{name}" for name in ("users/lookup", "announce", "incoming")),
    *(f"/api/v2/{name}" for name in ("loginTwitterToken", "authorizeToken", "turnServers")),
    *(f"/api/v2/{name}Broadcast" for name in ("create", "publish", "end")),
    *(f"/api/v2/{name}" for name in ("reconnectHost", "accessChat")),
    *(f"{GUEST}audiospace/{name}" for name in ("join", "call/status", "updateDeclineReason")),
    *(f"{GUEST}audiospace/{name}" for name in ("muteSpeaker", "unmuteSpeaker")),
    *(f"{GUEST}audiospace/stream/{name}" for name in ("negotiate", "publish", "end")),
    *(
        f"{GUEST}audiospace/admin/{name}"
        for name in ("invite", "endAudiospace", "removeParticipant")
    ),
]
NAMES = [
    "broadcast_id", "broadcastId", "recipient_id", "message", "messages", "cursor", "jwt",
    "cookie", "service", "handle", "id", "type", "invitees_twitter", "audio_only",
    "conversation_id", "session_uuid", "trigger", "description", "ignored", "\0",
    "xnb_call", "video_codec", "max_participants", "chat_token", "twitter_user_ids",
    "twitter_user_id", "janus_room_id", "webrtc_handle_id", "restart",
]  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["THE_CALL", "THE_ID", "THE_GROUP", "THE_SESSION", "THE_COOKIE", "echo"])
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=6)
    ),
    max_leaves=12,
)
bodies = (
    st.binary(max_size=300)
    | values.map(lambda value: json.dumps(value).encode())
    | (
        st.dictionaries(st.sampled_from(NAMES), values, max_size=8).map(
            lambda value: json.dumps(value).encode()
        )
    )
)


@pytest.fixture(scope="module")
def fuzzed():
    """A server on a loop of its own, since hypothesis calls plain functions."""
    loop = asyncio.new_event_loop()

    async def start():
        scope = serving(TOKEN)
        base = await scope.__aenter__()
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        ann = await Raw(base, http, "ann").login()
        bob = await Raw(base, http, "bob").login()
        group = await groups.start(ann, bob)
        known = {
            b"THE_CALL": await ann.call(bob.id),
            b"THE_ID": str(bob.id),
            b"THE_GROUP": group,
            b"THE_SESSION": await groups.join(bob, group),
            b"THE_COOKIE": ann.cookie,
        }
        return scope, http, ann, known

    scope, http, ann, known = loop.run_until_complete(start())
    yield loop, ann, known
    loop.run_until_complete(http.close())
    loop.run_until_complete(scope.__aexit__(None, None, None))
    loop.close()


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(path=st.sampled_from(PATHS), body=bodies)
def test_random_bodies(fuzzed, path, body):
    loop, ann, known = fuzzed
    for name, value in known.items():
        body = body.replace(name, value.encode())

    async def send():
        headers = {"Authorization": ann.authorization}
        # A poll that is held is a good answer too: give it no time to be held.
        if path.endswith(("receive", "incoming")):
            try:
                raw = json.loads(body)
                raw["timeout_s"] = 0
                data = json.dumps(raw).encode()
            except (ValueError, TypeError):
                data = body if body.strip() else b"!"
        else:
            data = body
        async with ann.http.post(ann.base + path, data=data, headers=headers) as reply:
            answer = await reply.json()
            assert reply.content_type == "application/json"
            assert reply.status < 500, answer
            assert isinstance(answer, dict)
            assert (reply.status >= 400) == ("error" in answer)
        async with ann.http.get(ann.base + "/health") as reply:
            assert (await reply.json())["ok"] is True

    loop.run_until_complete(send())
