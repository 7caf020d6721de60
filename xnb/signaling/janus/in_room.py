"""What everybody who speaks to a room's plugin has in common: a handle, and who they are."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from .errors import JanusError
from .feeds import FeedId
from .handle import Event, JanusHandle, Reply
from .session import JanusSession


class InRoom:
    """A handle of the video-room plugin, made when it is first needed.

    Args:
        session: An open session.
        room: The room's id.
        user_id: Our X user id, which the ``gateway`` dialect wants in every request.
    """

    def __init__(self, session: JanusSession, room: FeedId, user_id: str | None) -> None:
        self.session = session
        self.room = session.gateway.room_id(room)
        self.user_id = user_id
        self._handle: JanusHandle | None = None
        self._attaching = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of room {self.room}, session {self.session.state}>"

    @property
    def handle(self) -> JanusHandle | None:
        """The handle, once there is one."""
        return self._handle

    @property
    def is_gateway(self) -> bool:
        """Whether the server speaks the ``gateway`` dialect."""
        return self.session.gateway.dialect == "gateway"

    async def _attached(self) -> JanusHandle:
        async with self._attaching:
            if self._handle is None:
                self._handle = handle = await self.session.attach()
                self._listen(handle)
        return self._handle

    def _listen(self, handle: JanusHandle) -> None:
        handle.on_event = self._on_event

    def _on_event(self, event: Event) -> None:
        """Take what the plugin says by itself."""

    async def _ask(
        self,
        request: str,
        members: Mapping[str, Any] | None = None,
        *,
        with_room: bool = False,
        jsep: Mapping[str, Any] | None = None,
    ) -> Reply:
        """A request with what the dialect adds; members that are ``None`` are left out."""
        body: dict[str, Any] = {"request": request}
        if with_room or self.is_gateway:
            body["room"] = self.room
        if self.is_gateway and self.user_id is not None:
            body["periscope_user_id"] = self.user_id
        body.update((k, v) for k, v in (members or {}).items() if v is not None)
        return await (await self._attached()).request(body, jsep)

    def _description(self, kind: str, sdp: str) -> dict[str, Any]:
        """A description as the dialect wants it; its candidates are all inside."""
        found: dict[str, Any] = {"type": kind, "sdp": sdp}
        if not self.is_gateway:
            found["trickle"] = False
        return found

    async def close(self) -> None:
        """Detach from the plugin. May be called again; a server that is gone is no error."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.on_event = None
            await handle.detach()

    async def leave(self) -> None:
        """Leave the room and detach. May be called again; a server that is gone is no error.

        The peer connection is not closed by this: close yours.
        """
        handle = self._handle
        if handle is not None and self.session.state == "open":
            with contextlib.suppress(JanusError):  # not joined, or gone: detaching is enough
                await self._ask("leave")
        await self.close()
