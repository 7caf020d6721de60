"""A bot's side of a group call's signaling: what people reach by HTTP, called directly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...signaling.janus import Gateway
from ..auth import Caller
from ..directory import User
from ..refusal import Refusal
from ..spaces.audiospace import AudioSpaces
from ..spaces.session import SpaceSession
from ..spaces.space import Space

_DEVICE = "bot"
# An SFU on the same machine or near it that drops us is more likely dead than cut off.
_RECLAIM_S = 4.0


@dataclass(frozen=True, slots=True)
class Door:
    """The way into the room. ``user_id`` is what the bot is called there."""

    gateway: Gateway = field(repr=False)
    room: str | int
    pin: str | None = field(repr=False)
    ticket: str | None = field(repr=False)
    user_id: str

    @property
    def publisher_id(self) -> str | int:
        """The bot's id in the room, of the kind that its rooms have."""
        return int(self.user_id) if isinstance(self.room, int) else self.user_id


class Seat:
    """One invitation to a group call, seen from the bot that is invited.

    Args:
        spaces: The group calls of this server.
        space: The call.
        bot: Who is invited.
        base_url: How this server is reached from this machine.
    """

    def __init__(
        self, spaces: AudioSpaces, space: Space, bot: User, base_url: Callable[[], str]
    ) -> None:
        self.options = spaces.options
        self.video = not space.audio_only
        self.video_codec = space.video_codec
        self.host_id = str(space.host.id)
        self._spaces = spaces
        self._space = space
        self._me = Caller(bot, _DEVICE)
        self._base_url = base_url
        self._session: SpaceSession | None = None

    def __repr__(self) -> str:
        return f"<Seat of {self.name}>"

    @property
    def name(self) -> str:
        """The bot's handle."""
        return self._me.user.handle

    @property
    def is_over(self) -> bool:
        """Whether the bot is not, or not any more, in the call."""
        return self._session is None or self._session.over.is_set()

    async def join(self) -> bool:
        """Accept the invitation; ``False`` when the call is over or full."""
        try:
            await self._spaces.join(self._me, self._space.id)
        except Refusal:
            return False
        self._session = self._space.sessions[self._me.user.id]
        return True

    async def door(self, *, restart: bool) -> Door:
        """The way into the room as it is now.

        Args:
            restart: An earlier connection is dead and its place has to be freed.

        Raises:
            Refusal: The bot is not in the call any more, or no SFU has the room.
        """
        assert self._session is not None
        reply = await self._spaces.negotiate(
            self._me, self._session.uuid, base_url=self._base_url(), restart=restart
        )
        room = reply["xnb_room"]
        gateway = Gateway(
            reply["webrtc_gw_url"],
            room["dialect"],
            token=reply["janus_jwt"] or None,
            reclaim_s=_RECLAIM_S,
        )
        return Door(gateway, room["room"], room["pin"], room["ticket"], str(self._me.user.id))

    def here(self) -> None:
        """Say that the bot is still there."""
        if not self.is_over:
            self._spaces.status(self._me, self._space.id)

    def publishes(self) -> None:
        """Say that the bot sends. Nothing happens when it is out of the call meanwhile."""
        if self._session is not None and not self.is_over:
            self._spaces.stream_publish(self._me, self._session.uuid)

    async def over(self) -> None:
        """Wait until the bot is out of the call."""
        if self._session is not None:
            await self._session.over.wait()

    def leave(self) -> None:
        """Leave the call. May be called again."""
        if self._session is not None and not self.is_over:
            self._spaces.stream_end(self._me, self._session.uuid)

    def decline(self, reason: str) -> None:
        """Say no to the invitation; nothing happens when it was taken back or accepted."""
        try:
            self._spaces.decline(self._me, self._space.id, reason)
        except Refusal:
            return
