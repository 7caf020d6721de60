"""The group card over the embedded server: started, joined, answered, refused, counted."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import xnb
from xnb import notebook
from xnb.errors import CallEnded, NotInvited, SettingsError
from xnb.widgets.group_widget import GroupWidget
from xnb.widgets.incoming_widget import IncomingWidget

from .pages import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def clients(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[xnb.Client]]:
    """Three clients of fresh names: a host, a guest and a stranger."""
    made = [xnb.Client(f"{role}-{uuid.uuid4().hex[:6]}") for role in ("host", "guest", "stranger")]
    by_name = {one.handle: one for one in made}
    monkeypatch.setattr(notebook, "default_client", lambda handle, *, loop: by_name[handle])
    yield made
    await asyncio.gather(*(one.close() for one in made))


def names(widget: GroupWidget) -> list[str]:
    return [one["name"] for one in widget.people]


async def test_a_group_is_started_and_joined_by_its_id(clients: list[xnb.Client]) -> None:
    host, guest, stranger = clients
    await asyncio.gather(guest.connect(), stranger.connect())
    widget = notebook.group([guest.handle, "testcard-2"], handle=host.handle, video=True)
    assert isinstance(widget, GroupWidget)
    assert widget.state == "new"
    await until(lambda: widget.state == "connected" and names(widget) == ["testcard-2"], 20)
    assert [one["done"] for one in widget.stages] == [True] * len(widget.stages)
    assert widget.is_host

    theirs = notebook.join(widget.call.broadcast_id, handle=guest.handle)
    await until(lambda: theirs.state == "connected" and len(theirs.people) == 2, 20)
    await until(lambda: len(widget.people) == 2)
    assert sorted(names(theirs)) == sorted([host.handle, "testcard-2"])
    assert [one["host"] for one in theirs.people if one["name"] == host.handle] == [True]
    assert not theirs.is_host

    refused = notebook.join(widget.call.broadcast_id, handle=stranger.handle)
    await until(lambda: refused.failure)
    assert isinstance(refused.error, NotInvited)
    assert refused.failure["cause"]
    assert refused.failure["remedy"]

    await widget.call.hangup()
    await until(lambda: theirs.ended and widget.ended)
    assert theirs.ended["reason_text"] == "The host ended the call"
    assert widget.ended["reason_text"] == "You ended the call for everybody"


async def test_what_goes_through_the_room_is_counted_for_those_in_it(
    clients: list[xnb.Client],
) -> None:
    host, guest, stranger = clients
    await asyncio.gather(guest.connect(), stranger.connect())
    call = await host.start_group_call([guest.handle])
    at_guest = await guest.join_group_call(call.broadcast_id)
    await asyncio.gather(call.until("connected"), at_guest.until("connected"))

    async def went_out() -> dict[str, int]:
        counts = await at_guest.room_counts()
        streams = [stream for one in counts["subscribers"] for stream in one["streams"]]
        assert "handle" not in str(counts)
        return {stream["feed"]: stream["packets"] for stream in streams}

    await until(lambda: call.participants and at_guest.participants)
    async with asyncio.timeout(10):
        while len(before := await went_out()) < 2:
            await asyncio.sleep(0.1)
    assert set(before) == {call.me, at_guest.me}
    await asyncio.sleep(1)
    after = await went_out()
    for feed, packets in after.items():
        assert 20 < packets - before[feed] < 150, "sound: fifty a second"
    feeds = (await call.room_counts())["feeds"]
    assert {feed["id"] for feed in feeds} == set(after)

    with pytest.raises(NotInvited):
        await stranger._spaces().counts(call.broadcast_id)
    with pytest.raises(CallEnded):
        await stranger._spaces().counts("no-such-call")
    await call.hangup()
    with pytest.raises(xnb.CallError, match="not going on"):
        await call.room_counts()


async def test_a_group_that_rings_is_answered_in_the_waiting_card(
    clients: list[xnb.Client],
) -> None:
    host, guest, _stranger = clients
    door = IncomingWidget(guest)
    await guest.connect()
    call = await host.start_group_call([guest.handle], video=True)
    await until(lambda: door.callers)
    assert door.callers[0]["who"] == host.handle
    accept: dict[str, Any] = {"type": "accept", "id": door.callers[0]["id"], "video": True}
    door._handle_custom_msg(accept, [])
    await until(lambda: door.active is not None, 20)
    card = door.active
    assert isinstance(card, GroupWidget)
    await until(lambda: card.state == "connected" and names(card) == [host.handle], 20)
    await call.hangup()
    await until(lambda: card.ended)
    door.close()


async def test_the_waiting_card_joins_by_id(clients: list[xnb.Client]) -> None:
    host, guest, stranger = clients
    await guest.connect()
    call = await host.start_group_call([guest.handle], video=True)
    door = IncomingWidget(guest)
    door._handle_custom_msg({"type": "join", "broadcast": call.broadcast_id, "video": False}, [])
    await until(lambda: door.active is not None and door.active.state == "connected", 20)
    assert door.call.broadcast_id == call.broadcast_id
    assert door.call.video_enabled is False
    other = IncomingWidget(stranger)
    for broadcast_id, why in ((call.broadcast_id, "not invited"), ("nothing", "no group call")):
        other._handle_custom_msg({"type": "join", "broadcast": broadcast_id, "video": True}, [])
        await until(lambda why=why: other.active and why in str(other.active.failure), 20)
    other._handle_custom_msg({"type": "join", "video": True}, [])
    await until(lambda: "broadcast id" in other.notice)
    await call.hangup()
    await until(lambda: door.active.ended)
    door.close()
    other.close()


async def test_settings_that_cannot_be_are_refused_at_once(clients: list[xnb.Client]) -> None:
    handle = clients[0].handle
    with pytest.raises(SettingsError, match="transport"):
        notebook.group([], handle=handle, transport="pigeon")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="broadcast id"):
        notebook.join("", handle=handle)
    with pytest.raises(SettingsError, match="invite"):
        notebook.group("testcard", handle=handle)
