"""The replies of the group calls' requests, as structs: read leniently, shown never.

Members that only an xnb server sends are in ``xnb_room`` and ``xnb_call``; everything else is
named as PROTOCOL C1 and C2 name it.
"""

from __future__ import annotations

import msgspec


class _Hidden(msgspec.Struct):
    """Base of replies that hold tokens or pins: its repr shows nothing."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RoomMembers(_Hidden):
    """``xnb_room``: the media room of the call. ``dialect`` as of the Janus client.

    ``ticket`` is the ``token`` that the video-room plugin wants in ``join``.
    """

    room: str | int
    pin: str | None = None
    ticket: str | None = None
    secret: str | None = None
    dialect: str | None = None


class CallMembers(msgspec.Struct):
    """``xnb_call``: what only an xnb server tells of a call."""

    status: str | None = None
    end_reason: str | None = None
    host_id: int | str | None = None
    host_handle: str | None = None
    title: str | None = None
    audio_only: bool | None = None
    video_codec: str | None = None
    conversation_id: str | None = None
    max_participants: int | None = None


class BroadcastMembers(msgspec.Struct):
    """``broadcast`` in the reply to ``createBroadcast``."""

    id: str
    user_id: int | str | None = None
    twitter_id: int | str | None = None


class CreateReply(_Hidden):
    """Reply to ``createBroadcast``."""

    broadcast: BroadcastMembers
    credential: str | None = None
    webrtc_gw_url: str | None = None
    room_id: str | int | None = None
    stream_name: str | None = None
    access_token: str | None = None
    session_uuid: str | None = None
    xnb_room: RoomMembers | None = None


class ReconnectReply(_Hidden):
    """Reply to ``reconnectHost``."""

    credential: str | None = None
    webrtc_gw_url: str | None = None
    room_id: str | int | None = None
    stream_name: str | None = None
    session_uuid: str | None = None
    xnb_room: RoomMembers | None = None


class ChatReply(_Hidden):
    """Reply to ``accessChat``."""

    access_token: str
    room_id: str | int | None = None
    endpoint: str | None = None
    read_only: bool | None = None


class JoinReply(_Hidden):
    """Reply to ``audiospace/join``."""

    session_uuid: str | None = None
    can_auto_join: bool | None = None
    xnb_call: CallMembers | None = None


class NegotiateReply(_Hidden):
    """Reply to ``audiospace/stream/negotiate``."""

    janus_jwt: str | None = None
    webrtc_gw_url: str | None = None
    room_id: str | int | None = None
    stream_name: str | None = None
    xnb_room: RoomMembers | None = None


class GuestSession(msgspec.Struct):
    """One entry of ``guest_sessions``; what we do not use is left out."""

    session_uuid: str | None = None
    session_state: int | None = None
    twitter_user_id: int | str | None = None
    guest_user_id: str | int | None = None
    guest_username: str | None = None
    is_muted_by_admin: bool | None = None
    is_muted_by_guest: bool | None = None


class StatusReply(msgspec.Struct):
    """Reply to ``audiospace/call/status``."""

    guest_sessions: list[GuestSession] | None = None
    xnb_call: CallMembers | None = None
