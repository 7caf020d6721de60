"""A raw HTTP client's group calls, following the protocol notes, and rooms that are a list."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from xnb.errors import SfuError
from xnb.server.janus.rooms import Place

from .conftest import Raw

JANUS_IDS = {"janus_publisher_id": 7, "webrtc_handle_id": 8, "webrtc_session_id": 9}


async def create(host: Raw, **call: Any) -> dict[str, Any]:
    """``createBroadcast`` as the notes have it, with what only an xnb server takes."""
    status, reply = await host.proxsee(
        "createBroadcast",
        app_component="audio-room",
        content_type="visual_audio",
        conversation_controls=0,
        description=call.pop("title", ""),
        height=1080,
        width=1920,
        is_360=False,
        is_webrtc=True,
        languages=["en"],
        region="eu-west",
        xnb_call=call,
    )
    assert status == 200, reply
    return reply


async def publish(host: Raw, created: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
    """``publishBroadcast``; the host counts as being in the room."""
    body = {
        "broadcast_id": created["broadcast"]["id"],
        "janus_room_id": created["room_id"],
        "status": "",
        "accept_guests": True,
        **JANUS_IDS,
        **more,
    }
    return await host.proxsee("publishBroadcast", **body)


async def start(host: Raw, *invited: Raw, **call: Any) -> str:
    """A published call with these people invited; its broadcast id."""
    created = await create(host, **call)
    status, reply = await publish(host, created)
    assert status == 200, reply
    broadcast_id = str(created["broadcast"]["id"])
    if invited:
        await invite(host, broadcast_id, *invited)
    return broadcast_id


async def invite(host: Raw, broadcast_id: str, *people: Raw) -> None:
    ids = [one.id for one in people]
    assert await host.ok(
        "audiospace/admin/invite",
        broadcast_id=broadcast_id,
        twitter_user_ids=ids,
        session_uuid="",
        chat_token="",
    ) == {"success": True}


async def join(person: Raw, broadcast_id: str) -> str:
    """``audiospace/join``; the session."""
    reply = await person.ok(
        "audiospace/join",
        broadcast_id=broadcast_id,
        join_as_admin=False,
        should_auto_join=True,
        ntpForBroadcasterFrame="0",
        ntpForLiveFrame=0,
        chat_token="",
    )
    assert reply["can_auto_join"] is True
    return str(reply["session_uuid"])


async def sessions(person: Raw, broadcast_id: str) -> dict[int, dict[str, Any]]:
    """``guest_sessions`` by user id, everybody's."""
    reply = await person.ok(
        "audiospace/call/status", broadcast_id=broadcast_id, include_non_active_sessions=True
    )
    return {one["twitter_user_id"]: one for one in reply["guest_sessions"]}


async def states(person: Raw, broadcast_id: str) -> dict[int, int]:
    """``session_state`` by user id."""
    found = await sessions(person, broadcast_id)
    return {user_id: one["session_state"] for user_id, one in found.items()}


async def call_of(person: Raw, broadcast_id: str) -> dict[str, Any]:
    """``xnb_call`` of the status."""
    reply = await person.ok("audiospace/call/status", broadcast_id=broadcast_id)
    return dict(reply["xnb_call"])


@dataclass
class ListedRooms:
    """Media rooms without media: who was put out, what is open, and trouble on demand.

    ``people`` is who is in which room, for :meth:`present`, ``tickets`` who may come in.
    """

    open_rooms: dict[str, tuple[int, str, int]] = field(default_factory=dict)
    people: dict[str, set[str]] = field(default_factory=dict)
    tickets: set[tuple[str, str]] = field(default_factory=set)
    kicked: list[tuple[str, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    places: int = 0
    broken: bool = False
    dialect: Any = "stock"

    async def open(
        self, broadcast_id: str, *, publishers: int, video_codec: str, bitrate_bps: int
    ) -> None:
        if self.broken:
            raise SfuError("The SFU is down.")
        self.open_rooms[broadcast_id] = (publishers, video_codec, bitrate_bps)

    async def place(
        self, broadcast_id: str, person: str, *, names: Collection[str], base_url: str
    ) -> Place:
        if self.broken:
            raise SfuError("The SFU is down.")
        assert broadcast_id in self.open_rooms
        assert person in names
        self.places += 1
        self.tickets.add((broadcast_id, person))
        return Place(
            f"{base_url}/janus",
            broadcast_id,
            "the-pin",
            "the-secret",
            self.dialect,
            token=f"t{self.places}",
            ticket=f"the ticket of {person}",
        )

    async def kick(
        self,
        broadcast_id: str,
        person: str,
        *,
        names: Collection[str],
        keep: Callable[[], Collection[str]],
    ) -> None:
        self.kicked.append((broadcast_id, person))
        self.tickets.discard((broadcast_id, person))
        self.people.get(broadcast_id, set()).difference_update(names)
        await self.put_out_others(broadcast_id, keep=keep)

    async def put_out_others(
        self, broadcast_id: str, *, keep: Callable[[], Collection[str]]
    ) -> None:
        self.people.get(broadcast_id, set()).intersection_update(keep())

    async def close_room(self, broadcast_id: str) -> None:
        self.closed.append(broadcast_id)
        self.open_rooms.pop(broadcast_id, None)

    async def close(self) -> None:
        self.open_rooms.clear()


class SeeingRooms(ListedRooms):
    """The same, which can also tell who is in them."""

    async def present(self, broadcast_id: str) -> frozenset[str]:
        if self.broken:
            raise SfuError("The SFU is down.")
        return frozenset(self.people.get(broadcast_id, ()))
