"""Requests about rooms, which are answered at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..janus.plugin import Json, PluginError
from .recording import folder_of
from .requests import (
    INVALID_ELEMENT,
    NO_SUCH_FEED,
    UNKNOWN_ERROR,
    check_secret,
    flag,
    missing,
    optional_id,
    required_id,
    text,
    texts,
)
from .settings import edited, from_create

if TYPE_CHECKING:
    from .plugin import VideoRoom
    from .publisher import Publisher
    from .room import Room

MAX_TOKENS = 1024
"""More allowed tokens of one room are refused."""


async def administrate(plugin: VideoRoom, request: str, body: Json) -> Json:
    """Answer one of :data:`REQUESTS`.

    Raises:
        PluginError: It is refused.
    """
    return await REQUESTS[request](plugin, body)


def _managed(plugin: VideoRoom, body: Json) -> Room:
    """The room of a request that needs its secret."""
    room = plugin.room(required_id(body, "room"))
    check_secret(room.settings.secret, body, "secret")
    return room


def _refuse_permanent(body: Json, what: str) -> None:
    if flag(body, "permanent"):
        raise PluginError(UNKNOWN_ERROR, f"No configuration file, can't {what} room permanently")


async def _create(plugin: VideoRoom, body: Json) -> Json:
    check_secret(plugin.options.admin_key, body, "admin_key")
    room_id = optional_id(body, "room")
    settings, allowed = from_create(body)
    _refuse_permanent(body, "create")
    if settings.record or settings.rec_dir:
        folder_of(plugin.options.recordings, settings.rec_dir)
    room = plugin.add_room(room_id, settings, allowed)
    return {"videoroom": "created", "room": room.id, "permanent": False}


async def _edit(plugin: VideoRoom, body: Json) -> Json:
    room = _managed(plugin, body)
    _refuse_permanent(body, "edit")
    settings = edited(room.settings, body)
    if settings.rec_dir != room.settings.rec_dir:
        folder_of(plugin.options.recordings, settings.rec_dir)
    before, room.settings = room.settings, settings
    for participant in room.participants.values():
        if participant.bitrate_bps == before.bitrate_bps != settings.bitrate_bps:
            participant.bitrate_bps = settings.bitrate_bps
            participant.limit()
    return {"videoroom": "edited", "room": room.id, "permanent": False}


async def _destroy(plugin: VideoRoom, body: Json) -> Json:
    room = _managed(plugin, body)
    _refuse_permanent(body, "destroy")
    await plugin.destroy(room)
    return {"videoroom": "destroyed", "room": room.id, "permanent": False}


async def _exists(plugin: VideoRoom, body: Json) -> Json:
    room_id = required_id(body, "room")
    return {"videoroom": "success", "room": room_id, "exists": plugin.has_room(room_id)}


async def _list(plugin: VideoRoom, body: Json) -> Json:
    sees_all = False
    if plugin.options.admin_key and text(body, "admin_key") is not None:
        check_secret(plugin.options.admin_key, body, "admin_key")
        sees_all = True
    shown = [
        {"room": room.id, **room.settings.shown(), "num_participants": len(room.participants)}
        for room in plugin.rooms.values()
        if sees_all or not room.settings.is_private
    ]
    return {"videoroom": "success", "list": shown}


async def _allowed(plugin: VideoRoom, body: Json) -> Json:
    room = _managed(plugin, body)
    action = text(body, "action")
    if action is None:
        raise missing("action")
    tokens = texts(body, "allowed") or []
    if action in ("enable", "disable"):
        room.check_allowed = action == "enable"
    elif action == "add":
        new = [one for one in tokens if one not in room.allowed]  # others stay whose they are
        if len(room.allowed) + len(new) > MAX_TOKENS:
            raise PluginError(INVALID_ELEMENT, f"A room has at most {MAX_TOKENS} allowed tokens")
        for token in new:
            room.allow(token)
    elif action == "remove":
        for token in tokens:
            room.allowed.pop(token, None)
    else:
        raise PluginError(INVALID_ELEMENT, f"Unsupported action '{action[:40]}' (allowed)")
    told: Json = {"videoroom": "success", "room": room.id}
    return told if action == "disable" else told | {"allowed": sorted(room.allowed)}


def _participant(room: Room, body: Json) -> Publisher:
    id_ = required_id(body, "id")
    found = room.participants.get(id_)
    if found is None:
        raise PluginError(NO_SUCH_FEED, f"No such user {id_} in room {room.id}")
    return found


async def _kick(plugin: VideoRoom, body: Json) -> Json:
    await _participant(_managed(plugin, body), body).kick()
    return {"videoroom": "success"}


async def _moderate(plugin: VideoRoom, body: Json) -> Json:
    room = _managed(plugin, body)
    mid, muted = text(body, "mid"), flag(body, "mute")
    if mid is None or muted is None:
        raise missing("mid" if mid is None else "mute")
    _participant(room, body).moderate(mid, muted)
    return {"videoroom": "success"}


async def _enable_recording(plugin: VideoRoom, body: Json) -> Json:
    room = _managed(plugin, body)
    wanted = flag(body, "record")
    if wanted is None:
        raise missing("record")
    if wanted:
        folder_of(plugin.options.recordings, room.settings.rec_dir)
    room.settings = replace(room.settings, record=wanted)
    for participant in tuple(room.participants.values()):
        await participant.record(wanted)
    return {"videoroom": "success", "record": wanted}


async def _list_participants(plugin: VideoRoom, body: Json) -> Json:
    room = plugin.room(required_id(body, "room"))
    shown = [one.listed() for one in room.participants.values()]
    return {"videoroom": "participants", "room": room.id, "participants": shown}


REQUESTS: dict[str, Callable[[VideoRoom, Json], Awaitable[Json]]] = {
    "create": _create,
    "edit": _edit,
    "destroy": _destroy,
    "exists": _exists,
    "list": _list,
    "allowed": _allowed,
    "kick": _kick,
    "moderate": _moderate,
    "enable_recording": _enable_recording,
    "listparticipants": _list_participants,
}
