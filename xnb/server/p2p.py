"""1:1 calls: create, publish, announce, join, status, leave, and the mailbox.

Members are users; the HTTP layer and the bots use the same methods. Everything runs on one
event loop, so a method without ``await`` is atomic.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from .auth import Caller
from .broadcast import Broadcast, MailboxMessage, Status
from .directory import Directory, User
from .held_polls import HeldPolls
from .log import LogFullError
from .notices import Notices
from .options import ServerOptions
from .refusal import Refusal, conflict, malformed, too_many

_log = logging.getLogger(__name__)

_SWEEP_S = 0.5
_OK = {"success": True}


class P2PService:
    """All broadcasts of one server.

    Args:
        directory: The accounts.
        options: Limits.
        polls: Bounds the polls that are held; shared with the rest of the server.
        notices: Where people are told of their calls; shared with the group calls.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        directory: Directory,
        options: ServerOptions,
        *,
        polls: HeldPolls | None = None,
        notices: Notices | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self.polls = polls or HeldPolls(options.max_polls)
        self.notices = notices or Notices(
            self.polls, hold_s=options.incoming_hold_s, max_users=options.max_users
        )
        self.on_bot_called: Callable[[Broadcast], None] | None = None
        self._directory = directory
        self._clock = clock
        self._live: dict[str, Broadcast] = {}
        self._ended: dict[str, Broadcast] = {}

    def find(self, broadcast_id: str) -> Broadcast:
        """A live or remembered broadcast. Raises Refusal 404."""
        broadcast = self._live.get(broadcast_id) or self._ended.get(broadcast_id)
        if broadcast is None:
            raise Refusal(
                404,
                "unknown_broadcast",
                "There is no call with that broadcast id.",
                "It may have ended some minutes ago, or the server was started anew.",
            )
        return broadcast

    def is_busy(self, user: User) -> bool:
        """Whether the user is in a live broadcast."""
        return any(user.id in broadcast.sessions for broadcast in self._live.values())

    @property
    def live_count(self) -> int:
        """Broadcasts that have not ended."""
        return len(self._live)

    def create(
        self,
        caller: Caller,
        invitees: Sequence[int],
        *,
        audio_only: bool = False,
        conversation_id: str | None = None,
    ) -> dict[str, Any]:
        """Make a broadcast; nobody knows of it yet.

        Raises:
            Refusal: 403 ``gated``; 404 unknown invitee; 429 too many live broadcasts; 400 not
                exactly one invitee, or oneself.
        """
        if caller.user.handle.lower() in self.options.gated:
            raise Refusal(
                403,
                "gated",
                "This account may not place 1:1 calls yet.",
                "Such calls are opened to accounts step by step; here the server was told to "
                "gate this handle.",
            )
        if len(invitees) != 1:
            raise malformed("A 1:1 call has exactly one invitee.", "Use a group call for more.")
        invitee = self._directory.by_id(invitees[0])
        if invitee.id == caller.user.id:
            raise malformed("One cannot call oneself.", "Use another handle for the other side.")
        mine = sum(b.host.id == caller.user.id for b in self._live.values())
        if mine >= self.options.max_live_per_user or len(self._live) >= self.options.max_live:
            raise too_many("Too many live calls.", "Hang up some of them first.")
        broadcast = Broadcast(
            caller.user,
            invitee,
            audio_only=audio_only,
            conversation_id=conversation_id,
            options=self.options,
            now_s=self._clock(),
        )
        session = broadcast.sessions[caller.user.id]
        session.device = caller.device
        self._live[broadcast.id] = broadcast
        return {"broadcast_id": broadcast.id, "session_uuid": session.uuid}

    def publish(self, caller: Caller, broadcast_id: str) -> dict[str, Any]:
        """Let the broadcast ring. ``success`` is false when it has ended."""
        broadcast = self._hosted(caller, broadcast_id)
        if not broadcast.is_live:
            return {"success": False}
        if not broadcast.published:
            broadcast.publish(self._clock())
        return dict(_OK)

    def announce(self, caller: Caller, broadcast_id: str, recipient_id: int) -> dict[str, Any]:
        """Tell the invitee (a person's poll, or a bot). A second time changes nothing.

        Raises:
            Refusal: 403 not the caller's own broadcast; 400 not the invitee; 409 not published.
        """
        broadcast = self._hosted(caller, broadcast_id)
        if recipient_id != broadcast.invitee.id:
            raise malformed("The recipient is not the invitee of this call.")
        if not broadcast.is_live:
            return {"success": False}
        if not broadcast.published:
            raise conflict("not_published", "The call is not published.", "Publish it first.")
        if broadcast.announced:
            return dict(_OK)
        broadcast.announce()
        if not broadcast.invitee.is_bot:
            self.notices.tell(broadcast.invitee, broadcast)
        elif self.on_bot_called:
            self.on_bot_called(broadcast)
        return dict(_OK)

    def join(self, caller: Caller, broadcast_id: str) -> dict[str, Any]:
        """Answer a call. The host may join too; that changes nothing.

        Raises:
            Refusal: 409 when it has ended, is not published, or was answered already.
        """
        broadcast = self._member(caller, broadcast_id)
        if not broadcast.is_live:
            raise conflict("ended", "The call is over.", "There is nothing to answer any more.")
        if caller.user.id == broadcast.invitee.id:
            if not broadcast.published:
                raise conflict("not_published", "The call does not ring yet.", "Try again soon.")
            if broadcast.status is Status.RUNNING:
                raise conflict(
                    "already_answered",
                    "The call was answered already.",
                    "It was answered from another place with this handle.",
                )
            broadcast.answer(caller.device)
        return {
            "session_uuid": broadcast.sessions[caller.user.id].uuid,
            "host_id": broadcast.host.id,
            "relay": False,
        }

    def status(self, caller: Caller, broadcast_id: str) -> dict[str, Any]:
        """How the call stands."""
        return self._member(caller, broadcast_id).public()

    def leave(
        self,
        caller: Caller,
        broadcast_id: str,
        session_uuid: str | None = None,
        description: str | None = None,
    ) -> dict[str, Any]:
        """Hang up, cancel or decline. Leaving a call that is over is fine."""
        broadcast = self._member(caller, broadcast_id)
        session = broadcast.sessions[caller.user.id]
        # The same person may ring in two places: refusing in one must not end the call that
        # was answered in the other.
        elsewhere = (
            broadcast.status is Status.RUNNING
            and caller.user.id == broadcast.invitee.id
            and session_uuid != session.uuid
            and caller.device != session.device
        )
        if broadcast.is_live and not elsewhere:
            broadcast.leave(caller.user, description, self._clock())
            self._retire(broadcast)
        return dict(_OK)

    def send(
        self,
        caller: Caller,
        broadcast_id: str,
        recipient_id: int,
        messages: Sequence[tuple[str | None, str, str]],
    ) -> dict[str, Any]:
        """Put messages (id, type, payload) into the other member's mailbox.

        Raises:
            Refusal: 400 when the recipient is not the other member; 429 when the mailbox is
                full.
        """
        broadcast = self._member(caller, broadcast_id)
        if recipient_id != broadcast.other(caller.user).id:
            raise malformed("The recipient is not the other member of this call.")
        if not broadcast.is_live:
            return {"success": False}
        mailbox = broadcast.mailboxes[recipient_id]
        for message_id, kind, payload in messages:
            message = MailboxMessage(message_id or str(uuid.uuid4()), caller.user.id, kind, payload)
            try:
                mailbox.append(message, message.size)
            except LogFullError:
                raise too_many(
                    "The far end's mailbox is full.", "Wait until it has read its messages."
                ) from None
        return dict(_OK)

    async def receive(
        self, caller: Caller, broadcast_id: str, cursor: int, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """Messages from ``cursor`` on; held until there is one, the call ends or time is up."""
        broadcast = self._member(caller, broadcast_id)
        mailbox = broadcast.mailboxes[caller.user.id]
        cursor = min(cursor, mailbox.end)
        # Until it is answered, several places of the invitee read the same mailbox from the start.
        if caller.device == broadcast.sessions[caller.user.id].device:
            mailbox.trim(cursor)
        await self.polls.wait(mailbox, cursor, timeout_s, self.options.receive_hold_s)
        broadcast.touch(caller.user, self._clock())
        return {
            "broadcast_id": broadcast.id,
            "messages": [message.public() for message in mailbox.after(cursor)],
            "cursor": mailbox.end,
        }

    def sweep(self) -> None:
        """End what rang too long or lost a member; forget what ended long ago."""
        now_s = self._clock()
        for broadcast in tuple(self._live.values()):
            broadcast.check(now_s)
            if not broadcast.is_live:
                self._retire(broadcast)
        for broadcast_id, broadcast in tuple(self._ended.items()):
            if now_s - (broadcast.ended_at_s or now_s) >= self.options.remember_s:
                del self._ended[broadcast_id]
        self.notices.sweep()

    async def run(self) -> None:
        """Sweep twice a second until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            try:
                self.sweep()
            except Exception as error:  # the server outlives any one broadcast
                _log.error("Sweeping the broadcasts raised %s.", type(error).__name__)

    def close(self) -> None:
        """End all calls and answer all polls. May be called again."""
        self.polls.close()
        now_s = self._clock()
        for broadcast in tuple(self._live.values()):
            broadcast.leave(broadcast.host, "server stopped", now_s)
            self._retire(broadcast)
        self.notices.close()

    def _retire(self, broadcast: Broadcast) -> None:
        self._live.pop(broadcast.id, None)
        self._ended[broadcast.id] = broadcast
        while len(self._ended) > self.options.max_ended:
            del self._ended[next(iter(self._ended))]

    def _member(self, caller: Caller, broadcast_id: str) -> Broadcast:
        broadcast = self.find(broadcast_id)
        if caller.user.id not in broadcast.sessions:
            raise Refusal(
                403,
                "not_a_member",
                "This account is not part of that call.",
                "Only the caller and the invited one may use a broadcast id.",
            )
        if broadcast.is_live:
            broadcast.touch(caller.user, self._clock())
        return broadcast

    def _hosted(self, caller: Caller, broadcast_id: str) -> Broadcast:
        broadcast = self._member(caller, broadcast_id)
        if caller.user.id != broadcast.host.id:
            raise Refusal(
                403, "not_the_host", "Only the caller may do that.", "Join the call instead."
            )
        return broadcast
