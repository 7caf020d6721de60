"""The way into the media room of a group call, read from what the server says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import SettingsError, SignalingError
from ..profile import ServerProfile
from .audiospace_replies import RoomMembers
from .http import HttpClient
from .janus.gateway import Gateway


@dataclass(frozen=True, slots=True, repr=False)
class RoomAccess:
    """The way into the media room of a call. Shows nothing of itself: most of it is secret.

    Args:
        gateway: The Janus server, with a token that is good for a limited time.
        room: The room's id there.
        pin: What one needs to join, where the room has one.
        ticket: What we need to join besides, ours alone, where the room takes tickets.
        secret: What the host needs to moderate; ``None`` for everybody else.
        display: Our name in the room: the numeric user id, on the live service's gateway the
            Periscope id.
        session_uuid: Our session, as far as the server gave one.
        extra: Members that publishing must carry there besides the usual ones.
    """

    gateway: Gateway
    room: str | int
    pin: str | None
    ticket: str | None
    secret: str | None
    display: str
    session_uuid: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"RoomAccess({self.gateway!r})"

    @property
    def publisher_id(self) -> int | str:
        """The id to ask for as a publisher: the display, as a number where rooms have numbers.

        Janus takes ids of one kind only, that of its rooms (its setting ``string_ids``).
        """
        if isinstance(self.room, int) and self.display.isascii() and self.display.isdigit():
            return int(self.display)
        return self.display


class RoomReply(Protocol):
    """What the replies have in common that tell where the room is."""

    webrtc_gw_url: str | None
    room_id: str | int | None
    stream_name: str | None
    xnb_room: RoomMembers | None


def room_access(
    http: HttpClient,
    profile: ServerProfile,
    broadcast_id: str,
    reply: RoomReply,
    *,
    token: str | None,
    session_uuid: str | None,
) -> RoomAccess:
    """What ``reply`` says of the room; its secrets are hidden from error texts from now on.

    Args:
        http: Who we are.
        profile: The service.
        broadcast_id: The call; the room's name where the reply names none (PROTOCOL C3).
        reply: To ``createBroadcast``, ``reconnectHost`` or ``stream/negotiate``.
        token: The room's token in that reply.
        session_uuid: Our session.

    Raises:
        SignalingError: It names no room, or one that cannot be reached.
    """
    given = reply.xnb_room
    room = (given.room if given else reply.room_id) or broadcast_id
    url = reply.webrtc_gw_url
    if not url or not room:
        raise SignalingError(
            f"The {profile.name} did not say where the group call's room is.",
            remedy="Its protocol may have changed; check the profile and xnb's version.",
        )
    http.hide(token)
    if given:
        http.hide(given.pin, given.ticket, given.secret)
    is_gateway = ((given and given.dialect) or profile.group.dialect) == "gateway"
    extra: dict[str, str] = {}
    if is_gateway:
        extra = {
            "session_uuid": session_uuid or "",
            "stream_name": reply.stream_name or "",
            "vidman_token": token or "",
        }
    return RoomAccess(
        _gateway(url, token, is_gateway=is_gateway),
        room,
        given.pin if given else None,
        given.ticket if given else None,
        given.secret if given else None,
        http.periscope_id if is_gateway else http.user_id,
        session_uuid or "",
        extra,
    )


def _gateway(url: str, token: str | None, *, is_gateway: bool) -> Gateway:
    failure = ""
    try:
        return Gateway(url, "gateway" if is_gateway else "stock", token=token or None)
    except SettingsError as error:
        failure = error.message
    raise SignalingError(
        f"The server named a room that cannot be reached: {failure}",
        remedy="Its protocol may have changed; check the profile and xnb's version.",
    )
