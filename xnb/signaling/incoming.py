"""How a client learns that it is being called."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..errors import SettingsError, XnbError
from ..profile import ServerProfile
from .http import HttpClient
from .messages import NoticeEntry, decode, id_text, snake_keys
from .p2p import _cursor_of
from .polling import LongPoll

_HOLD_S = 25


@dataclass(frozen=True, slots=True)
class IncomingNotice:
    """Somebody calls us. It may be over by the time it is read: ask for its status.

    Args:
        broadcast_id: The server's id of the call.
        host_id: Numeric id of who calls.
        host_handle: Handle of who calls, when the server tells.
        conversation_id: The conversation it belongs to, if any.
        audio_only: Whether no pictures are offered.
        kind: ``"p2p"`` is answered with :class:`~xnb.signaling.p2p.P2P`, ``"group"`` is joined
            with :class:`~xnb.signaling.audiospace.AudioSpace`.
        title: What the host of a group calls it.
        chat_token: Of a group: for :meth:`~xnb.signaling.audiospace.AudioSpace.join`.
    """

    broadcast_id: str
    host_id: str
    host_handle: str = ""
    conversation_id: str | None = None
    audio_only: bool = False
    kind: Literal["p2p", "group"] = "p2p"
    title: str = ""
    chat_token: str = field(default="", repr=False)


class IncomingSource(Protocol):
    """Where notices come from; a service that has its own way is plugged in here."""

    def notices(self) -> AsyncIterator[IncomingNotice]:
        """Notices as they come, until :meth:`close`."""
        ...

    async def close(self) -> None:
        """End :meth:`notices`. May be called again."""
        ...


class ServerIncoming:
    """Notices of an xnb server, by long poll.

    Args:
        http: A client whose bootstrap has run.
        profile: The service.
        on_error: Told of each failed poll that is retried.

    Raises:
        SettingsError: The service has no such call.
    """

    def __init__(
        self,
        http: HttpClient,
        profile: ServerProfile,
        on_error: Callable[[XnbError], None] | None = None,
    ) -> None:
        if not profile.has("incoming"):
            raise SettingsError(
                f"Incoming calls cannot be listened for on the {profile.name}: they are announced "
                "in an encrypted chat.",
                remedy="Use client.answer_call(broadcast_id=...) with an id you were given.",
            )
        self._http = http
        self._profile = profile
        self._poll: LongPoll[IncomingNotice] = LongPoll(self._fetch, profile.rhythm, on_error)

    async def notices(self) -> AsyncIterator[IncomingNotice]:
        """Notices as they come, until :meth:`close`.

        Raises:
            SignalingError: We are no longer let in; other failures are retried.
        """
        async for notice in self._poll.items():
            yield notice

    async def _fetch(self, cursor: int) -> tuple[int, Sequence[IncomingNotice]]:
        reply = snake_keys(
            await self._http.post(
                "incoming",
                {"cursor": cursor, "timeout_s": min(_HOLD_S, self._profile.rhythm.hold_s - 1)},
                timeout_s=self._profile.rhythm.hold_s,
            )
        )
        entries = decode(list[NoticeEntry], reply.get("notices") or [], "the incoming poll")
        return _cursor_of(reply.get("cursor")), [
            IncomingNotice(
                n.broadcast_id,
                id_text(n.host_id),
                n.host_handle or "",
                n.conversation_id,
                bool(n.audio_only),
                "group" if n.kind == "group" else "p2p",
                n.title or "",
                n.chat_token or "",
            )
            for n in entries
        ]

    async def close(self) -> None:
        """End :meth:`notices`. May be called again."""
        self._poll.close()
