"""Group broadcasts: create, invite, join, negotiate, publish, end (PROTOCOL C1, C2).

On an xnb server all of it is tested. For the live service it is written down as far as public
sources document it for Spaces, and was never tried; see :class:`xnb.profile.GroupSettings` for
what can be changed there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from ..errors import NotInvited, SignalingError
from ..profile import PathKey, ServerProfile
from ..settings import VideoCodec
from .audiospace_replies import (
    CallMembers,
    ChatReply,
    CreateReply,
    JoinReply,
    NegotiateReply,
    ReconnectReply,
    StatusReply,
)
from .http import HttpClient
from .messages import User, decode, id_number, id_text, snake_keys
from .room_access import RoomAccess, room_access
from .space_values import Hosted, JoinedSpace, Member, MemberState, SpaceStatus, member_of

__all__ = [
    "AudioSpace",
    "Hosted",
    "JoinedSpace",
    "Member",
    "MemberState",
    "RoomAccess",
    "SpaceStatus",
]

_MAX_CHATS = 64


class AudioSpace:
    """The group calls of one session. Every method raises as :meth:`HttpClient.post`.

    Args:
        http: A client whose bootstrap has run.
        profile: The service.

    Example:
        >>> hosted = await space.create(video=True)
        >>> ...  # join and publish in hosted.access.room with the Janus client
        >>> await space.publish(hosted.broadcast_id, session_id=1, handle_id=2, publisher_id=3,
        ...                     room=hosted.access.room)
        >>> await space.invite(hosted.broadcast_id, ["1000000002"])
    """

    def __init__(self, http: HttpClient, profile: ServerProfile) -> None:
        self._http = http
        self._profile = profile
        self._chats: OrderedDict[str, str] = OrderedDict()

    def __repr__(self) -> str:
        return f"AudioSpace({self._profile.name!r})"

    # The host

    async def create(
        self,
        *,
        video: bool,
        title: str = "",
        conversation_id: str | None = None,
        video_codec: VideoCodec = "vp8",
        max_participants: int | None = None,
    ) -> Hosted:
        """Create a group call, with us as its host.

        Args:
            video: Whether it is meant to have pictures.
            title: What it is called.
            conversation_id: The conversation it belongs to.
            video_codec: ``"vp8"`` or ``"h264"``.
            max_participants: Most people at a time, the host included; the server's own limit
                holds as well.

        Raises:
            CallGated: The account may not host calls.
        """
        group = self._profile.group
        body: dict[str, Any] = {
            "app_component": group.app_component,
            "content_type": group.content_type,
            "conversation_controls": group.conversation_controls,
            "description": title,
            "width": group.width_px,
            "height": group.height_px,
            "is_360": False,
            "is_webrtc": True,
            "is_space_available_for_replay": False,
            "languages": list(group.languages),
            "region": await self._region(),
        }
        if group.own_members:
            body["xnb_call"] = {
                "audio_only": not video,
                "video_codec": video_codec,
                "conversation_id": conversation_id,
                "max_participants": max_participants,
            }
        reply = decode(
            CreateReply,
            await self._http.post("group_create", body),
            "the creation of the group call",
        )
        broadcast_id = reply.broadcast.id
        self._remember_chat(broadcast_id, reply.access_token)
        return Hosted(
            broadcast_id,
            reply.session_uuid or "",
            room_access(
                self._http,
                self._profile,
                broadcast_id,
                reply,
                token=reply.credential,
                session_uuid=reply.session_uuid,
            ),
            reply.access_token or "",
        )

    async def publish(
        self,
        broadcast_id: str,
        *,
        session_id: int,
        handle_id: int,
        publisher_id: int | str,
        room: int | str,
        title: str = "",
    ) -> None:
        """Open the call to those who are invited, once the host sends.

        Args:
            broadcast_id: The call.
            session_id: Of the host's Janus session.
            handle_id: Of the host's publisher handle.
            publisher_id: The host's id in the room.
            room: The room's id.
            title: What the call is called.

        Raises:
            SignalingError: 400 without the Janus ids.
        """
        await self._http.post(
            "group_publish",
            {
                "broadcast_id": broadcast_id,
                "status": title,
                "accept_guests": True,
                "conversation_controls": self._profile.group.conversation_controls,
                "topics": [],
                "locale": next(iter(self._profile.group.languages), "en"),
                "invitees_twitter": [],
                "janus_publisher_id": publisher_id,
                "janus_room_id": room,
                "webrtc_handle_id": handle_id,
                "webrtc_session_id": session_id,
            },
        )

    async def invite(
        self, broadcast_id: str, user_ids: Sequence[str], *, session_uuid: str = ""
    ) -> None:
        """Let these people in and let them know; people who were removed may come back.

        On services where hosts start muted, inviting the host itself first makes it a speaker.

        Args:
            broadcast_id: The call.
            user_ids: Numeric ids.
            session_uuid: Empty for the host.

        Raises:
            UnknownUser: Nobody has one of the ids.
        """
        await self._http.post(
            "group_invite",
            {
                "broadcast_id": broadcast_id,
                "twitter_user_ids": [id_number(one, "invited person") for one in user_ids],
                "session_uuid": session_uuid,
                "chat_token": self._chat(broadcast_id),
            },
        )

    async def reconnect_host(self, broadcast_id: str) -> RoomAccess:
        """The way back into the room for a host whose connection broke.

        Raises:
            CallEnded: It took too long, and the call is over.
        """
        reply = decode(
            ReconnectReply,
            await self._http.post("group_reconnect", {"broadcast_id": broadcast_id}),
            "the host's return",
        )
        return room_access(
            self._http,
            self._profile,
            broadcast_id,
            reply,
            token=reply.credential,
            session_uuid=reply.session_uuid,
        )

    async def remove(self, broadcast_id: str, user_id: str) -> None:
        """Put somebody out; they cannot come back unless they are invited again."""
        await self._about(broadcast_id, user_id, "group_remove")

    async def mute(self, broadcast_id: str, user_id: str) -> None:
        """Note a member as muted: by the host, or by itself when it is ourselves.

        The sound itself is stopped in the room, with the Janus client.
        """
        await self._about(broadcast_id, user_id, "group_mute")

    async def unmute(self, broadcast_id: str, user_id: str) -> None:
        """Take :meth:`mute` back."""
        await self._about(broadcast_id, user_id, "group_unmute")

    async def _about(self, broadcast_id: str, user_id: str, key: PathKey) -> None:
        body: dict[str, Any] = {
            "broadcast_id": broadcast_id,
            "chat_token": self._chat(broadcast_id),
            "twitter_user_id": id_number(user_id, "member"),
        }
        if not self._profile.group.own_members:
            # The documented member is the session (PROTOCOL B1), which the status tells.
            found = (await self.status(broadcast_id)).member(user_id)
            body["session_uuid"] = found.session_uuid if found else ""
        await self._http.post(key, body)

    async def end(self, broadcast_id: str) -> None:
        """End the call for everybody. A call that is over counts as ended."""
        await self._leave(
            "group_end", {"broadcast_id": broadcast_id, "chat_token": self._chat(broadcast_id)}
        )
        await self._leave("group_end_broadcast", {"broadcast_id": broadcast_id})

    # A participant

    async def join(self, broadcast_id: str, *, chat_token: str = "") -> JoinedSpace:
        """Join a call as one who is invited.

        Args:
            broadcast_id: The call.
            chat_token: The call's chat token, where the service wants one; it comes with the
                notice of the call, and on the live service with the media key's status.

        Raises:
            NotInvited: The host has not invited us, or has removed us.
            RoomFull: It has as many people as it takes.
            CallEnded: It is over, or there never was one with that id.
        """
        if chat_token and broadcast_id not in self._chats:
            self._http.hide(chat_token)
            chat = decode(
                ChatReply,
                await self._http.post("group_chat", {"chat_token": chat_token}),
                "the request for chat access",
            )
            self._remember_chat(broadcast_id, chat.access_token)
        reply = decode(
            JoinReply,
            await self._http.post(
                "group_join",
                {
                    "broadcast_id": broadcast_id,
                    "join_as_admin": False,
                    "should_auto_join": True,
                    "ntpForBroadcasterFrame": 0,
                    "ntpForLiveFrame": 0,
                    "chat_token": self._chat(broadcast_id),
                },
            ),
            "the request to join the group call",
        )
        if reply.can_auto_join is False or not reply.session_uuid:
            raise NotInvited(
                f"The {self._profile.name} does not let us join the group call at once.",
                remedy="Ask the host for an invitation.",
            )
        call = reply.xnb_call or CallMembers()
        return JoinedSpace(
            reply.session_uuid,
            User(id_text(call.host_id), call.host_handle or ""),
            not call.audio_only,
            "h264" if call.video_codec == "h264" else "vp8",
            call.title or "",
            call.conversation_id,
        )

    async def negotiate(
        self, session_uuid: str, *, broadcast_id: str = "", restart: bool = False
    ) -> RoomAccess:
        """The way into the room; asked again, the way to where the room is now.

        Args:
            session_uuid: Our session.
            broadcast_id: The call; on the live service's gateway also the room's id.
            restart: Have an xnb server free our old place in the room first, because the
                connection that holds it is dead.

        Raises:
            NotInvited: The host has removed us.
            CallEnded: The call is over.
        """
        body: dict[str, Any] = {"session_uuid": session_uuid}
        if restart and self._profile.group.own_members:
            body["restart"] = True
        reply = decode(
            NegotiateReply,
            await self._http.post("group_negotiate", body),
            "the request for the room",
        )
        return room_access(
            self._http,
            self._profile,
            broadcast_id,
            reply,
            token=reply.janus_jwt,
            session_uuid=session_uuid,
        )

    async def stream_publish(self, session_uuid: str) -> None:
        """Say that we send."""
        await self._http.post("group_stream_publish", {"session_uuid": session_uuid})

    async def stream_end(self, session_uuid: str) -> None:
        """Leave. A session or call that is over counts as left."""
        await self._leave(
            "group_stream_end",
            {
                "session_uuid": session_uuid,
                "ntpForBroadcasterFrame": 0,
                "ntpForLiveFrame": 0,
            },
        )

    async def decline(self, broadcast_id: str, reason: str = "") -> None:
        """Say no to an invitation. One that is over counts as declined.

        Args:
            broadcast_id: The call.
            reason: Free text for the host, such as ``busy``.
        """
        await self._leave("group_decline", {"broadcast_id": broadcast_id, "decline_reason": reason})

    async def status(self, broadcast_id: str) -> SpaceStatus:
        """Ask where a call stands. Asking is also the sign that we are still there.

        Raises:
            NotInvited: The call is not open to us.
            CallEnded: There is none with that id, or it ended long ago.
        """
        reply = decode(
            StatusReply,
            await self._http.post(
                "group_status",
                {"broadcast_id": broadcast_id, "include_non_active_sessions": True},
            ),
            "the request for the group call's status",
        )
        call = reply.xnb_call or CallMembers()
        return SpaceStatus(
            is_live=(call.status or "").strip().upper() != "ENDED",
            host_id=id_text(call.host_id),
            members=tuple(member_of(one) for one in reply.guest_sessions or ()),
            end_reason=call.end_reason or None,
            host_handle=call.host_handle or "",
            title=call.title or "",
            video=not call.audio_only,
        )

    async def counts(self, broadcast_id: str) -> dict[str, Any]:
        """Packets and bytes in and out of the call's room, as our own server counts them.

        Returns:
            ``feeds`` and ``subscribers``; see :mod:`xnb.server.spaces.counts`.

        Raises:
            SignalingError: This service does not tell, or the room is not on our own SFU.
        """
        if not self._profile.has("group_counts"):
            raise SignalingError(
                "This service does not count the packets of its rooms.",
                remedy="Only the embedded server does.",
            )
        return dict(await self._http.post("group_counts", {"broadcast_id": broadcast_id}))

    # What all of them use

    async def _leave(self, key: PathKey, body: dict[str, Any]) -> None:
        try:
            await self._http.post(key, body)
        except SignalingError as error:
            if error.status not in (404, 409, 410):
                raise

    async def _region(self) -> str:
        if not self._profile.has("region"):
            return ""
        reply = snake_keys(await self._http.post("region", {}))
        return str(reply.get("region") or "")

    def _chat(self, broadcast_id: str) -> str:
        return self._chats.get(broadcast_id, "")

    def _remember_chat(self, broadcast_id: str, token: str | None) -> None:
        if not token:
            return
        self._http.hide(token)
        self._chats[broadcast_id] = token
        while len(self._chats) > _MAX_CHATS:
            self._chats.popitem(last=False)
