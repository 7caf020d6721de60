"""A bot's side of the signaling: the same service that people reach by HTTP, called directly."""

from __future__ import annotations

from collections.abc import Sequence

from ...profile import MessageFields
from ...signaling.messages import Signal, decode_message, encode_message
from ..auth import Caller
from ..broadcast import Broadcast, Status
from ..directory import User
from ..p2p import P2PService
from ..refusal import Refusal

_FIELDS = MessageFields()


class Line:
    """One broadcast, seen from the bot that is called or calls.

    Args:
        p2p: The broadcasts of this server.
        broadcast: The call.
        is_host: The bot is the one who calls.
    """

    def __init__(self, p2p: P2PService, broadcast: Broadcast, *, is_host: bool = False) -> None:
        self.options = p2p.options
        self.is_host = is_host
        self.video = not broadcast.audio_only
        self.far: User = broadcast.invitee if is_host else broadcast.host
        self._p2p = p2p
        self._broadcast = broadcast
        self._me = Caller(broadcast.host if is_host else broadcast.invitee, "bot")
        self._cursor = 0

    def __repr__(self) -> str:
        return f"<Line {self._me.user.handle} {self._broadcast.status}>"

    @property
    def name(self) -> str:
        """The bot's handle."""
        return self._me.user.handle

    @property
    def is_over(self) -> bool:
        """Whether the call has ended, for whatever reason."""
        return self._broadcast.status is Status.ENDED

    def join(self) -> bool:
        """Answer; ``False`` when the caller has gone already."""
        try:
            self._p2p.join(self._me, self._broadcast.id)
        except Refusal:
            return False
        return True

    def leave(self, description: str | None = None) -> None:
        """Hang up, or decline when not answered yet. May be called again."""
        if not self.is_over:
            self._p2p.leave(self._me, self._broadcast.id, None, description)

    def send(self, *signals: Signal) -> None:
        """Put signals into the far end's mailbox.

        Raises:
            Refusal: 429, its mailbox is full.
        """
        encoded = (encode_message(signal, _FIELDS) for signal in signals)
        self._p2p.send(
            self._me,
            self._broadcast.id,
            self.far.id,
            [(m[_FIELDS.id], m[_FIELDS.type], m[_FIELDS.payload]) for m in encoded],
        )

    async def receive(self) -> Sequence[Signal]:
        """The next signals; may be none, when the call is over or nothing came for a while."""
        reply = await self._p2p.receive(self._me, self._broadcast.id, self._cursor)
        self._cursor = reply["cursor"]
        decoded = (decode_message(message, _FIELDS) for message in reply["messages"])
        return [message.signal for message in decoded if message is not None]

    def call_back(self) -> Line:
        """Call the far end of this line: create, publish, announce.

        Raises:
            Refusal: 404, the account is gone; 429, too many calls.
        """
        created = self._p2p.create(
            self._me,
            [self.far.id],
            audio_only=not self.video,
            conversation_id=self._broadcast.conversation_id,
        )
        broadcast = self._p2p.find(created["broadcast_id"])
        self._p2p.publish(self._me, broadcast.id)
        self._p2p.announce(self._me, broadcast.id, self.far.id)
        return Line(self._p2p, broadcast, is_host=True)
