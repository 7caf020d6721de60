"""Rooms from their owner's side: make, list, mute, put out, end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import ROOM_EXISTS, JanusError
from .feeds import FeedId, Participant, RoomInfo, participants_in, rooms_in
from .in_room import InRoom
from .session import JanusSession

# Constrained Baseline 3.1: what every browser and aiortc can send.
_H264_PROFILE = "42e01f"


class RoomAdmin(InRoom):
    """A room's owner.

    Args:
        session: An open session.
        room: The room's id; string ids need a server that takes them.
        secret: The room's secret, set by :meth:`create` and needed by everything that changes
            the room.
        admin_key: The server's key for creating rooms, where it has one.
        user_id: Our X user id, for the ``gateway`` dialect.

    Example:
        >>> admin = RoomAdmin(session, 12, secret="s")
        >>> await admin.create(publishers=8, video_codecs=("vp8", "h264"))
        >>> await admin.kick((await admin.list_participants())[0].id)
    """

    def __init__(
        self,
        session: JanusSession,
        room: FeedId,
        *,
        secret: str | None = None,
        admin_key: str | None = None,
        user_id: str | None = None,
    ) -> None:
        super().__init__(session, room, user_id)
        self._secret = secret
        self._admin_key = admin_key
        session.hide(secret, admin_key)

    async def create(
        self,
        *,
        publishers: int = 16,
        video_codecs: Sequence[str] = ("vp8", "h264"),
        audio_codecs: Sequence[str] = ("opus",),
        bitrate_bps: int | None = None,
        pin: str | None = None,
        description: str | None = None,
        is_private: bool = True,
        notify_joining: bool = True,
        talking_events: bool = True,
        allowed: Sequence[str] | None = None,
        record: bool | None = None,
        record_dir: str | None = None,
        may_exist: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the room.

        Args:
            publishers: How many may send at once. One more is refused (432) when they publish,
                not when they join.
            video_codecs: What may be sent, best first. Named because a server's own default may
                be VP8 alone.
            audio_codecs: Likewise.
            bitrate_bps: What each may send, video and audio together.
            pin: What joining takes.
            description: The room's name.
            is_private: Leave it out of lists.
            notify_joining: Tell everybody of those who join without sending.
            talking_events: Tell everybody who talks.
            allowed: Tokens of which joining takes one.
            record: Record everybody, on the server.
            record_dir: Where.
            may_exist: A room that exists already is no error; by default so in the ``gateway``
                dialect only.
            extra: Further members of the request.

        Raises:
            JanusError: It exists (427), the admin key is wrong (433), or as for every request.
        """
        self.session.hide(pin, *(allowed or ()))
        members: dict[str, Any] = {
            "publishers": publishers,
            "audiocodec": ",".join(audio_codecs),
            "videocodec": ",".join(video_codecs),
            "bitrate": bitrate_bps,
            "pin": pin,
            "description": description,
            "is_private": is_private,
            "notify_joining": notify_joining,
            "allowed": None if allowed is None else list(allowed),
            "record": record,
            "rec_dir": record_dir,
            **self._keys("admin_key", "secret"),
        }
        if talking_events:
            members |= {"audiolevel_ext": True, "audiolevel_event": True}
        if self.is_gateway:
            members |= {"transport_wide_cc_ext": True, "dummy_publisher": False}
            members["app_component"] = "audio-room"
        if "h264" in video_codecs:
            members["h264_profile"] = _H264_PROFILE
        try:
            await self._ask("create", {**members, **(extra or {})}, with_room=True)
        except JanusError as error:
            is_fine = self.is_gateway if may_exist is None else may_exist
            if error.code != ROOM_EXISTS or not is_fine:
                raise

    async def exists(self) -> bool:
        """Whether the room is there."""
        return (await self._ask("exists", with_room=True)).data.get("exists") is True

    async def destroy(self) -> None:
        """End the room for everybody. Their peer connections are not closed by this.

        Raises:
            JanusError: There is none (426), the secret is wrong (433), or as for every request.
        """
        await self._ask("destroy", self._keys("secret"), with_room=True)

    async def list_participants(self) -> tuple[Participant, ...]:
        """Who is in the room, sending or not.

        Raises:
            JanusError: There is no such room (426), or as for every request.
        """
        reply = await self._ask("listparticipants", with_room=True)
        return participants_in(reply.data.get("participants"))

    async def list_rooms(self) -> tuple[RoomInfo, ...]:
        """All public rooms of the server; with the admin key the private ones, too."""
        return rooms_in((await self._ask("list", self._keys("admin_key"))).data.get("list"))

    async def moderate(self, participant: FeedId, mid: str, mute: bool) -> None:
        """Mute or unmute one stream of somebody.

        Args:
            participant: Their id.
            mid: Which of their streams.
            mute: Whether to mute it. Unmuting does not undo their own muting.

        Raises:
            JanusError: Nobody or no stream of that name (428), a wrong secret (433), …
        """
        await self._ask(
            "moderate",
            {"id": participant, "mid": mid, "mute": mute, **self._keys("secret")},
            with_room=True,
        )

    async def kick(self, participant: FeedId) -> None:
        """Put somebody out. They may join again unless the room takes tokens.

        Args:
            participant: Their id.

        Raises:
            JanusError: Nobody of that id (428), a wrong secret (433), …
        """
        await self._ask("kick", {"id": participant, **self._keys("secret")}, with_room=True)

    async def edit(
        self,
        *,
        description: str | None = None,
        pin: str | None = None,
        secret: str | None = None,
        is_private: bool | None = None,
        publishers: int | None = None,
        bitrate_bps: int | None = None,
    ) -> None:
        """Change the room; what is ``None`` stays. A pin can be changed but not taken away.

        Raises:
            JanusError: There is none (426), the secret is wrong (433), or as for every request.
        """
        self.session.hide(pin, secret)
        members = {
            "new_description": description,
            "new_pin": pin,
            "new_secret": secret,
            "new_is_private": is_private,
            "new_publishers": publishers,
            "new_bitrate": bitrate_bps,
            **self._keys("secret"),
        }
        await self._ask("edit", members, with_room=True)
        if secret is not None:
            self._secret = secret or None

    async def allow(self, *tokens: str) -> tuple[str, ...]:
        """Add tokens of which joining takes one; gives all of them.

        Raises:
            JanusError: There is no such room (426), the secret is wrong (433), …
        """
        return await self._change_allowed("add", tokens)

    async def disallow(self, *tokens: str) -> tuple[str, ...]:
        """Take tokens away; gives those that stay. Whoever is inside stays inside.

        Raises:
            JanusError: As for :meth:`allow`.
        """
        return await self._change_allowed("remove", tokens)

    async def enable_recording(self, record: bool) -> None:
        """Record everybody on the server, or stop.

        Raises:
            JanusError: There is no such room (426), the secret is wrong (433), …
        """
        await self._ask(
            "enable_recording", {"record": record, **self._keys("secret")}, with_room=True
        )

    async def _change_allowed(self, action: str, tokens: Sequence[str]) -> tuple[str, ...]:
        self.session.hide(*tokens)
        members = {"action": action, "allowed": list(tokens), **self._keys("secret")}
        reply = await self._ask("allowed", members, with_room=True)
        found = reply.data.get("allowed")
        return (
            tuple(one for one in found if isinstance(one, str)) if isinstance(found, list) else ()
        )

    def _keys(self, *names: str) -> dict[str, Any]:
        own = {"secret": self._secret, "admin_key": self._admin_key}
        return {name: own[name] for name in names if own[name] is not None}
