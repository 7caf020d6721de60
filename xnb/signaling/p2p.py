"""1:1 broadcasts and their mailboxes (PROTOCOL B1, B2)."""

from __future__ import annotations

import asyncio
import enum
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import SettingsError, SignalingError, XnbError
from ..profile import ServerProfile
from .http import HttpClient
from .messages import (
    CreateReply,
    JoinReply,
    Signal,
    StatusReply,
    decode,
    decode_message,
    encode_message,
    id_number,
    id_text,
    signal_type,
    snake_keys,
)
from .polling import LongPoll
from .trace import TraceEntry

Trigger = Literal["User", "Api", "Error"]
_REMEMBERED_IDS = 1024


class SessionState(enum.IntEnum):
    """The values of ``session_state`` that matter to a 1:1 call."""

    STREAM_ENDED = 12
    CALL_RANG = 20
    CALL_ANSWERED = 21


@dataclass(frozen=True, slots=True)
class Created:
    """A call we created."""

    broadcast_id: str
    session_uuid: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A call we joined; ``relay``: only relayed candidates are wanted."""

    session_uuid: str
    host_id: str
    relay: bool


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One participant's session; ``state`` as numbered in PROTOCOL B1."""

    session_uuid: str
    state: int
    user_id: str
    end_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """Where a broadcast stands.

    Args:
        ended: Whether it is over. Every status but ``ENDED`` counts as alive.
        end_reason: ``CANCELED``, ``DECLINED``, ``HUNG_UP``, ``MISSED``, ``TIMED_OUT``, or what
            else the server says.
        end_description: Free text given with a leave, such as ``busy``.
        raw: The status as the server wrote it.
        sessions: The participants.
    """

    ended: bool
    end_reason: str | None
    end_description: str | None
    raw: str
    sessions: tuple[SessionStatus, ...]

    def remote_ended(self, own_session_uuid: str) -> bool:
        """Whether a session other than ours has ended."""
        return any(
            s.state == SessionState.STREAM_ENDED and s.session_uuid != own_session_uuid
            for s in self.sessions
        )

    def remote_answered(self, own_session_uuid: str) -> bool:
        """Whether a session other than ours has answered: for a callee, on another device."""
        return any(
            s.state == SessionState.CALL_ANSWERED and s.session_uuid != own_session_uuid
            for s in self.sessions
        )


class P2P:
    """The broadcast calls of the guest service. Every method raises as ``HttpClient.post``."""

    def __init__(self, http: HttpClient, profile: ServerProfile) -> None:
        self._http = http
        self._profile = profile

    async def create(
        self, invitee_id: str, audio_only: bool, conversation_id: str | None = None
    ) -> Created:
        """Create a call to one user.

        Raises:
            CallGated: The account may not place calls.
            UnknownUser: Nobody has that id.
        """
        reply = decode(
            CreateReply,
            await self._http.post(
                "create",
                {
                    "invitees_twitter": [id_number(invitee_id, "recipient")],
                    "audio_only": audio_only,
                    "conversation_id": conversation_id,
                },
            ),
            "the creation of the call",
        )
        return Created(reply.broadcast_id, reply.session_uuid)

    async def publish(self, broadcast_id: str) -> None:
        """Publish a created call."""
        await self._http.post("publish", {"broadcast_id": broadcast_id})

    async def join(self, broadcast_id: str) -> Joined:
        """Join a call as the one who is called."""
        reply = decode(
            JoinReply, await self._http.post("join", {"broadcast_id": broadcast_id}), "the join"
        )
        return Joined(reply.session_uuid, id_text(reply.host_id), bool(reply.relay))

    async def status(self, broadcast_id: str) -> Status:
        """Ask where a call stands."""
        reply = decode(
            StatusReply,
            await self._http.post("status", {"broadcast_id": broadcast_id}),
            "the status request",
        )
        raw = reply.status or ""
        return Status(
            ended=raw.strip().upper() == "ENDED",
            end_reason=reply.end_reason or None,
            end_description=reply.end_description or None,
            raw=raw,
            sessions=tuple(
                SessionStatus(
                    s.session_uuid or "",
                    s.session_state or 0,
                    id_text(s.twitter_user_id),
                    s.end_reason,
                )
                for s in reply.sessions or ()
            ),
        )

    async def leave(
        self,
        broadcast_id: str,
        session_uuid: str | None = None,
        trigger: Trigger = "User",
        description: str | None = None,
    ) -> None:
        """Hang up, cancel or decline. A call that no longer exists counts as left.

        Args:
            broadcast_id: The call.
            session_uuid: Our session; ``None`` when declining before a join.
            trigger: Who wanted it.
            description: Free text for the far end, such as ``busy``.
        """
        try:
            await self._http.post(
                "leave",
                {
                    "broadcast_id": broadcast_id,
                    "session_uuid": session_uuid or None,
                    "trigger": trigger,
                    "description": description,
                },
            )
        except SignalingError as error:
            if error.status not in (404, 410):
                raise

    async def announce(
        self,
        broadcast_id: str,
        recipient_id: str,
        audio_only: bool,
        conversation_id: str | None = None,
    ) -> None:
        """Let the recipient's devices ring.

        Raises:
            SettingsError: The service needs an encrypted, signed announcement, which xnb cannot
                make.
        """
        if not self._profile.has("announce"):
            raise SettingsError(
                f"Calls cannot be announced on the {self._profile.name}: that needs an encrypted "
                "chat identity.",
                remedy="Use announce=False and give the far end the broadcast id.",
            )
        await self._http.post(
            "announce",
            {
                "broadcast_id": broadcast_id,
                "recipient_id": id_number(recipient_id, "recipient"),
                "audio_only": audio_only,
                "conversation_id": conversation_id,
            },
        )

    def mailbox(self, broadcast_id: str, recipient_id: str) -> Mailbox:
        """The signals between us and ``recipient_id`` in one call."""
        return Mailbox(self._http, self._profile, broadcast_id, recipient_id)


class Mailbox:
    """Sends and receives signals. Made by :meth:`P2P.mailbox`.

    ``on_error`` is told of each failed poll that is retried; ``ignored`` counts messages that
    had no id, came twice or were our own.
    """

    def __init__(
        self, http: HttpClient, profile: ServerProfile, broadcast_id: str, recipient_id: str
    ) -> None:
        self.ignored = 0
        self._http = http
        self._profile = profile
        self._fields = profile.message_fields
        self._broadcast_id = broadcast_id
        self._recipient = id_number(recipient_id, "recipient")
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._sending = asyncio.Lock()
        self._poll: LongPoll[Signal] = LongPoll(self._fetch, profile.rhythm)

    def __repr__(self) -> str:
        return f"Mailbox(broadcast_id={self._broadcast_id!r})"

    @property
    def on_error(self) -> Callable[[XnbError], None] | None:
        """Called with each failure of the poll that is retried."""
        return self._poll.on_error

    @on_error.setter
    def on_error(self, fn: Callable[[XnbError], None] | None) -> None:
        self._poll.on_error = fn

    async def send(self, *signals: Signal) -> None:
        """Send signals in order, in one request. Never repeated by itself when it fails."""
        messages = [encode_message(signal, self._fields) for signal in signals]
        if not messages:
            return
        body: dict[str, Any] = {
            "broadcast_id": self._broadcast_id,
            "recipient_id": self._recipient,
        }
        async with self._sending:
            for message, signal in zip(messages, signals, strict=True):
                self._remember(str(message[self._fields.id]))
                self._note("out", signal, len(str(message[self._fields.payload])))
            if len(messages) == 1:
                await self._http.post("send", {**body, "message": messages[0]})
            else:
                await self._http.post("send_batch", {**body, "messages": messages})

    async def receive(self) -> AsyncIterator[Signal]:
        """The far end's signals in order, until :meth:`close`.

        Raises:
            SignalingError: The call is gone or we are no longer let in; other failures are
                retried and told to ``on_error``.
        """
        async for signal in self._poll.items():
            yield signal

    async def _fetch(self, cursor: int) -> tuple[int, Sequence[Signal]]:
        fields = self._fields
        body = await self._http.post(
            "receive",
            {"broadcast_id": self._broadcast_id, fields.cursor: cursor},
            timeout_s=self._profile.rhythm.hold_s,
        )
        reply = {**snake_keys({k: v for k, v in body.items() if k != fields.messages}), **body}
        new_cursor = _cursor_of(reply.get(fields.cursor))
        entries = reply.get(fields.messages)
        signals = []
        for entry in entries if isinstance(entries, list) else []:
            message = decode_message(entry, fields)
            if message is None or message.id in self._seen:
                self.ignored += 1
                continue
            self._remember(message.id)
            self._note("in", message.signal, len(str(entry)))
            signals.append(message.signal)
        return new_cursor, signals

    def _remember(self, message_id: str) -> None:
        self._seen[message_id] = None
        while len(self._seen) > _REMEMBERED_IDS:
            self._seen.popitem(last=False)

    def _note(self, direction: Literal["in", "out"], signal: Signal, size: int) -> None:
        self._http.trace.add(
            TraceEntry(
                direction=direction,
                channel="mailbox",
                name=signal_type(signal),
                size_bytes=size,
            )
        )

    async def close(self) -> None:
        """End :meth:`receive`. May be called again."""
        self._poll.close()


def _cursor_of(value: object) -> int:
    """The reply's cursor.

    Raises:
        SignalingError: There is none (PROTOCOL B2: a null cursor is an error).
    """
    if isinstance(value, bool):
        value = None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value)
    if isinstance(value, int):
        return value
    raise SignalingError(
        "The server's mailbox reply has no cursor.",
        remedy="Its protocol may have changed; check the profile and xnb's version.",
    )
