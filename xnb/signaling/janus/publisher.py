"""Somebody in a room who may send: joins, publishes, and hears of the others."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import JanusError
from .feeds import Feed, FeedId, Joined, feeds_in, is_id, people_in, sdp_of
from .handle import Event, JanusHandle, call
from .in_room import InRoom
from .session import JanusSession

_NO_DESCRIPTIONS: Mapping[str, str] = {}
_NOTHING: Mapping[str, Any] = {}


class Publisher(InRoom):
    """Our place in a room, on a handle of its own.

    Set the callbacks before :meth:`join`: what happens in the room right behind the reply may be
    told before ``join`` returns. Being kicked, the room's end and leaving do not close the peer
    connection: close yours.

    Args:
        session: An open session.
        room: The room's id.
        pin: The room's pin.
        user_id: Our X user id, for the ``gateway`` dialect.

    Attributes:
        on_publishers: Told of people who began to send (a tuple of :class:`Feed`), or of whose
            streams changed.
        on_joining: Told id and name of somebody who came without sending yet.
        on_unpublished: Told the id of somebody who no longer sends.
        on_leaving: Told the id of somebody who left, and why: ``""`` or ``"kicked"``. Janus may
            tell of this alone, without ``on_unpublished``.
        on_talking: Told id, whether they talk, and their level in dBov (0 the loudest, -127
            silence).
        on_moderated: Told id, mid and whether the host muted it.
        on_kicked: Told that we were put out.
        on_destroyed: Told that the room has ended.
        on_webrtcup: Told that our media flow.
        on_hangup: Told why our peer connection is gone on the server.
        on_detached: Told that the server ended our handle.

    Example:
        >>> me = Publisher(session, 12, pin="1234")
        >>> joined = await me.join("ann")
        >>> answer = await me.publish(offer, descriptions={"0": "audio", "1": "high"})
    """

    def __init__(
        self,
        session: JanusSession,
        room: FeedId,
        *,
        pin: str | None = None,
        user_id: str | None = None,
    ) -> None:
        super().__init__(session, room, user_id)
        self.on_publishers: Callable[[tuple[Feed, ...]], None] | None = None
        self.on_joining: Callable[[FeedId, str], None] | None = None
        self.on_unpublished: Callable[[FeedId], None] | None = None
        self.on_leaving: Callable[[FeedId, str], None] | None = None
        self.on_talking: Callable[[FeedId, bool, float], None] | None = None
        self.on_moderated: Callable[[FeedId, str, bool], None] | None = None
        self.on_kicked: Callable[[], None] | None = None
        self.on_destroyed: Callable[[], None] | None = None
        self.on_webrtcup: Callable[[], None] | None = None
        self.on_hangup: Callable[[str], None] | None = None
        self.on_detached: Callable[[], None] | None = None
        self._pin = pin
        self._is_published = False
        session.hide(pin)

    async def join(
        self,
        display: str,
        *,
        id: FeedId | None = None,  # noqa: A002
        token: str | None = None,
    ) -> Joined:
        """Come into the room, without sending yet.

        Args:
            display: Our name there; the ``gateway`` dialect wants the user id.
            id: Our id there; by default the server chooses one.
            token: Our invitation, where the room takes tokens.

        Raises:
            JanusError: There is no such room (426), the pin or token is wrong (433), the id is
                taken (436), we have joined already (425), or as for every request.
        """
        self.session.hide(token)
        members = {
            "ptype": "publisher",
            "display": display,
            "id": id,
            "token": token,
            "pin": self._pin,
        }
        data = (await self._ask("join", members, with_room=True)).data
        own = data.get("id")
        private = data.get("private_id")
        return Joined(
            own if is_id(own) else "",  # type: ignore[arg-type]
            private if isinstance(private, int) else None,
            feeds_in(data.get("publishers")),
            people_in(data.get("attendees")),
        )

    async def publish(
        self,
        offer_sdp: str,
        *,
        descriptions: Mapping[str, str] = _NO_DESCRIPTIONS,
        bitrate_bps: int | None = None,
        audio_codec: str | None = None,
        video_codec: str | None = None,
        extra: Mapping[str, Any] = _NOTHING,
    ) -> str:
        """Begin to send, or offer a changed description; gives the server's answer.

        Args:
            offer_sdp: Our offer, with all candidates inside.
            descriptions: What the streams are called, by mid. The ``gateway`` dialect refuses
                them (429), so they are left out there.
            bitrate_bps: What we may send, instead of the room's limit.
            audio_codec: Which of the offered codecs to use.
            video_codec: Likewise.
            extra: Further members of the request: of the ``gateway`` dialect ``session_uuid``,
                ``stream_name`` and ``vidman_token``.

        Raises:
            JanusError: The room is full (432), the offer cannot be used (437), nobody has joined
                on this handle (424), or as for every request.
        """
        members: dict[str, Any] = {
            "bitrate": bitrate_bps,
            "audiocodec": audio_codec,
            "videocodec": video_codec,
            **extra,
        }
        self.session.hide(extra.get("vidman_token"), extra.get("session_uuid"))
        if descriptions and not self.is_gateway:
            members["descriptions"] = _described(descriptions)
        is_again = self._is_published or self.is_gateway
        try:
            reply = await self._ask(
                "configure" if is_again else "publish",
                members,
                jsep=self._description("offer", offer_sdp),
            )
        except JanusError as error:
            if error.code and not is_again and self._handle is not None:
                # Janus keeps a connection for the refused offer, and would refuse the next one.
                with contextlib.suppress(JanusError):
                    await self._handle.hangup()
            raise
        answer = sdp_of(reply.jsep, "answer", "publish")
        self._is_published = True
        return answer

    async def configure(
        self,
        *,
        bitrate_bps: int | None = None,
        keyframe: bool | None = None,
        display: str | None = None,
        record: bool | None = None,
        filename: str | None = None,
        send: Mapping[str, bool] = _NOTHING,
        descriptions: Mapping[str, str] = _NO_DESCRIPTIONS,
        extra: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """Change how we send; what is ``None`` stays.

        Args:
            bitrate_bps: What we may send.
            keyframe: Have the server ask us for a keyframe.
            display: Our name in the room.
            record: Record us, on the server.
            filename: Where, without an ending.
            send: By mid, whether the server passes that stream on.
            descriptions: New names of streams, by mid.
            extra: Further members of the request.

        Raises:
            JanusError: Nobody has joined on this handle (424), or as for every request.
        """
        members: dict[str, Any] = {
            "bitrate": bitrate_bps,
            "keyframe": keyframe,
            "display": display,
            "record": record,
            "filename": filename,
            "streams": [{"mid": mid, "send": on} for mid, on in send.items()] or None,
            **extra,
        }
        if descriptions and not self.is_gateway:
            members["descriptions"] = _described(descriptions)
        await self._ask("configure", members)

    async def unpublish(self) -> None:
        """Stop sending and stay in the room.

        Raises:
            JanusError: Nothing is published (435), or as for every request.
        """
        await self._ask("unpublish")
        self._is_published = False

    def _listen(self, handle: JanusHandle) -> None:
        super()._listen(handle)
        handle.on_webrtcup = lambda: call(self.on_webrtcup)
        handle.on_hangup = self._on_hangup
        handle.on_detached = lambda: call(self.on_detached)

    def _on_hangup(self, reason: str) -> None:
        self._is_published = False
        call(self.on_hangup, reason)

    def _on_event(self, event: Event) -> None:
        data = event.data
        kind, who = data.get("videoroom"), data.get("id")
        if kind == "destroyed":
            call(self.on_destroyed)
        elif kind in ("talking", "stopped-talking") and is_id(who):
            level = data.get("audio-level-dBov-avg")
            quiet_db = float(level) if isinstance(level, int | float) else 127.0
            call(self.on_talking, who, kind == "talking", -quiet_db)
        elif "moderation" in data and is_id(who):
            call(self.on_moderated, who, str(data.get("mid")), data["moderation"] == "muted")
        elif kind == "event":
            self._on_people(data)

    def _on_people(self, data: Mapping[str, Any]) -> None:
        """Who came and went."""
        if feeds := feeds_in(data.get("publishers")):
            call(self.on_publishers, feeds)
        for person, name in people_in(data.get("joining")):
            call(self.on_joining, person, name)
        gone = data.get("unpublished")
        if is_id(gone) and gone != "ok":
            call(self.on_unpublished, gone)
        leaving, kicked = data.get("leaving"), data.get("kicked")
        if leaving == "ok" and data.get("reason") == "kicked":
            call(self.on_kicked)
        elif is_id(leaving) and leaving != "ok":
            call(self.on_leaving, leaving, str(data.get("reason") or ""))
        elif is_id(kicked):
            call(self.on_leaving, kicked, "kicked")


def _described(descriptions: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    return [{"mid": mid, "description": text} for mid, text in descriptions.items()]
