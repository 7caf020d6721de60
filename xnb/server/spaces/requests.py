"""The bodies of the group calls' requests (PROTOCOL C1, C2); unknown members are ignored."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ..requests import Body, ShortText, TokenText, UserId

_Text = Annotated[str, Meta(max_length=1024)]
_Users = Annotated[list[UserId], Meta(max_length=256)]
_JanusId = int | ShortText


class CallMembers(Body):
    """``xnb_call``: what only an xnb server takes."""

    audio_only: bool = False
    video_codec: Literal["vp8", "h264"] = "vp8"
    conversation_id: ShortText | None = None
    max_participants: Annotated[int, Meta(ge=1, le=1000)] | None = None


class CreateSpace(Body):
    """``createBroadcast``."""

    cookie: TokenText
    description: _Text | None = None
    xnb_call: CallMembers | None = None


class PublishSpace(Body):
    """``publishBroadcast``; ``status`` is the title."""

    cookie: TokenText
    broadcast_id: ShortText
    status: _Text | None = None
    invitees_twitter: _Users | None = None
    janus_publisher_id: _JanusId | None = None
    janus_room_id: _JanusId | None = None
    webrtc_handle_id: _JanusId | None = None
    webrtc_session_id: _JanusId | None = None


class ForHostBroadcast(Body):
    """``reconnectHost`` and ``endBroadcast``."""

    cookie: TokenText
    broadcast_id: ShortText


class AccessChat(Body):
    """``accessChat``."""

    cookie: TokenText
    chat_token: TokenText


class Invite(Body):
    """``audiospace/admin/invite``."""

    broadcast_id: ShortText
    twitter_user_ids: _Users
    session_uuid: ShortText | None = None
    chat_token: _Text | None = None


class JoinSpace(Body):
    """``audiospace/join``."""

    broadcast_id: ShortText
    join_as_admin: bool | None = False
    should_auto_join: bool | None = True
    chat_token: _Text | None = None


class ForSession(Body):
    """A request that names a session. ``restart``: the old place in the room is void."""

    session_uuid: ShortText
    restart: bool | None = False
    chat_token: _Text | None = None


class SpaceStatus(Body):
    """``audiospace/call/status``."""

    broadcast_id: ShortText
    include_non_active_sessions: bool | None = False
    chat_token: _Text | None = None


class AboutMember(Body):
    """Muting and removing: whom, by user id or by session; without either oneself."""

    broadcast_id: ShortText | None = None
    session_uuid: ShortText | None = None
    twitter_user_id: UserId | None = None
    chat_token: _Text | None = None


class Decline(Body):
    """``audiospace/updateDeclineReason``."""

    broadcast_id: ShortText
    decline_reason: _Text | None = None


class EndSpace(Body):
    """``audiospace/admin/endAudiospace``."""

    broadcast_id: ShortText
    chat_token: _Text | None = None
