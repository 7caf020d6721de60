"""Our client against the embedded server: the two halves agree on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from xnb.errors import CallGated, SignalingError, Unauthorized, UnknownUser
from xnb.profile import ServerProfile
from xnb.server.app import serving
from xnb.server.options import ServerOptions
from xnb.signaling.bootstrap import Bootstrap, Session
from xnb.signaling.http import HttpClient
from xnb.signaling.incoming import IncomingNotice, ServerIncoming
from xnb.signaling.messages import Answer, CandidateSignal, MediaStatusSignal, Offer, User
from xnb.signaling.p2p import P2P, Mailbox

TOKEN = "a-server-token-0123456789"


@dataclass
class Party:
    """One logged-in client."""

    http: HttpClient
    boot: Bootstrap
    session: Session
    p2p: P2P
    profile: ServerProfile


@pytest.fixture
async def base() -> AsyncIterator[str]:
    async with serving(TOKEN, ServerOptions(gated=frozenset({"outsider"}))) as url:
        yield url


@pytest.fixture
async def login(base: str) -> AsyncIterator[Any]:
    made: list[HttpClient] = []

    async def login(handle: str) -> Party:
        profile = ServerProfile.local(base)
        http = HttpClient(profile, token=TOKEN)
        made.append(http)
        boot = Bootstrap(http, profile, handle)
        return Party(http, boot, await boot.run(), P2P(http, profile), profile)

    yield login
    for http in made:
        await http.close()


async def take(mailbox: Mailbox, count: int) -> list[Any]:
    signals: list[Any] = []
    async with asyncio.timeout(5):
        async for signal in mailbox.receive():
            signals.append(signal)
            if len(signals) == count:
                await mailbox.close()
    return signals


async def test_a_call_from_ring_to_hang_up(login: Any) -> None:
    ann, bob = await login("ann"), await login("bob")
    assert ann.session.user.handle == "ann"
    found = await ann.boot.resolve("@bob")
    assert found == User(bob.session.user.id, "bob")
    assert await ann.boot.resolve(int(found.id)) == found

    source = ServerIncoming(bob.http, bob.profile)
    ringing = asyncio.ensure_future(anext(aiter(source.notices())))
    created = await ann.p2p.create(found.id, False, None)
    assert created.broadcast_id
    assert created.session_uuid
    await ann.p2p.publish(created.broadcast_id)
    await ann.p2p.announce(created.broadcast_id, found.id, False, None)
    async with asyncio.timeout(5):
        notice = await ringing
    assert isinstance(notice, IncomingNotice)
    assert (notice.broadcast_id, notice.host_id) == (created.broadcast_id, ann.session.user.id)
    assert (notice.host_handle, notice.audio_only) == ("ann", False)
    await source.close()
    assert (await bob.p2p.status(notice.broadcast_id)).raw == "RINGING"

    joined = await bob.p2p.join(notice.broadcast_id)
    assert joined.host_id == ann.session.user.id
    assert joined.session_uuid not in ("", created.session_uuid)
    ann_box = ann.p2p.mailbox(created.broadcast_id, found.id)
    bob_box = bob.p2p.mailbox(created.broadcast_id, joined.host_id)
    answering = asyncio.ensure_future(take(ann_box, 2))
    line = "candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"
    await ann_box.send(Offer("v=0\r\n offer"), CandidateSignal(line, "0", 0))
    await ann_box.send(MediaStatusSignal(is_camera_deactivated=True))
    assert await take(bob_box, 3) == [
        Offer("v=0\r\n offer"),
        CandidateSignal(line, "0", 0),
        MediaStatusSignal(is_camera_deactivated=True),
    ]
    await bob_box.send(Answer("v=0\r\n answer"), MediaStatusSignal())
    assert await answering == [Answer("v=0\r\n answer"), MediaStatusSignal()]
    status = await ann.p2p.status(created.broadcast_id)
    assert (status.raw, status.ended) == ("RUNNING", False)
    assert status.remote_answered(created.session_uuid)
    assert {s.user_id for s in status.sessions} == {ann.session.user.id, found.id}

    await bob.p2p.leave(created.broadcast_id, joined.session_uuid)
    status = await ann.p2p.status(created.broadcast_id)
    assert (status.ended, status.end_reason) == (True, "HUNG_UP")
    await ann.p2p.leave(created.broadcast_id, created.session_uuid)


async def test_declining_as_busy(login: Any) -> None:
    ann, bob = await login("ann"), await login("bob")
    created = await ann.p2p.create(bob.session.user.id, True, None)
    await ann.p2p.publish(created.broadcast_id)
    await bob.p2p.leave(created.broadcast_id, None, "User", "busy")
    status = await ann.p2p.status(created.broadcast_id)
    assert (status.ended, status.end_reason, status.end_description) == (True, "DECLINED", "busy")


async def test_cancelling(login: Any) -> None:
    ann, bob = await login("ann"), await login("bob")
    created = await ann.p2p.create(bob.session.user.id, True, None)
    await ann.p2p.publish(created.broadcast_id)
    await ann.p2p.leave(created.broadcast_id, created.session_uuid)
    assert (await bob.p2p.status(created.broadcast_id)).end_reason == "CANCELED"


async def test_refusals(login: Any, base: str) -> None:
    ann, outsider = await login("ann"), await login("outsider")
    with pytest.raises(CallGated):
        await outsider.p2p.create(ann.session.user.id, True, None)
    with pytest.raises(UnknownUser):
        await ann.boot.resolve("nobody-here")
    with pytest.raises(UnknownUser):
        await ann.boot.resolve(2**62)
    with pytest.raises(UnknownUser):
        await ann.p2p.create(str(2**62), True, None)
    with pytest.raises(SignalingError) as caught:
        await ann.p2p.status("no-such-broadcast")
    assert caught.value.status == 404
    await ann.p2p.leave("no-such-broadcast")
    with pytest.raises(SignalingError) as caught:
        await ann.http.post("send", {"junk": "x" * 300_000})
    assert caught.value.status == 413

    profile = ServerProfile.local(base)
    wrong = HttpClient(profile, token="a-wrong-token-0123456789")
    with pytest.raises(Unauthorized, match="asking for a call token"):
        await Bootstrap(wrong, profile, "ann").run()
    await wrong.close()


async def test_a_lost_guest_token_is_renewed(login: Any) -> None:
    ann = await login("ann")
    ann.http.set_guest_token("no-longer-valid")
    assert (await ann.boot.resolve("ann")).id == ann.session.user.id
