"""Rooms on real Janus servers, spread by the broadcast's id."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from ...errors import SfuError
from ...signaling.janus import Gateway, JanusError, JanusSession, RoomAdmin
from .endpoint import Endpoint
from .pool import Instance, Pool
from .relay import RELAY, needs_own_token
from .rooms import Place
from .tokens import VIDEOROOM, Tokens

_CODECS = ("vp8", "h264")
_NO_SUCH_FEED, _INVALID_ELEMENT = 428, 430
_SESSION_GONE = 458
_UNREACHED = {0, _SESSION_GONE}
# Our own session holds nothing that a new one does not, so it is not waited for.
_REQUEST_S, _RECLAIM_S = 4.0, 0.3
_CLOSE_S = 5.0
_OWN_TTL_S = 24 * 3600.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(repr=False)
class _Room:
    """One room: what was asked for, and where it is."""

    pin: str
    secret: str
    publishers: int
    video_codec: str
    bitrate_bps: int
    lock: asyncio.Lock
    room: str | int
    instance: Instance | None = None


class JanusRooms:
    """Opens rooms on the servers of a pool.

    A room stays where it was made. When its server is down, whoever asks for its place next has
    it made anew on another one, with the same pin and secret; when its server was started again
    and has forgotten it, likewise.

    Args:
        pool: The servers, started; closed with this.
        relay_tokens: What lets clients use our relay to a Janus that takes no tokens itself.
        ttl_s: How long the tokens for clients are good.
    """

    def __init__(
        self, pool: Pool, *, relay_tokens: Tokens | None = None, ttl_s: float = 6 * 3600.0
    ) -> None:
        self._pool = pool
        self._relay_tokens = relay_tokens
        self._ttl_s = ttl_s
        self._rooms: dict[str, _Room] = {}
        self._sessions: dict[str, JanusSession] = {}
        self._opening = asyncio.Lock()

    async def open(
        self, broadcast_id: str, *, publishers: int, video_codec: str, bitrate_bps: int
    ) -> None:
        """Create the room of a broadcast; see :class:`~xnb.server.janus.rooms.Rooms`."""
        room = self._rooms.get(broadcast_id)
        if room is None:
            room = self._rooms[broadcast_id] = _Room(
                secrets.token_urlsafe(16),
                secrets.token_urlsafe(16),
                publishers,
                video_codec,
                bitrate_bps,
                asyncio.Lock(),
                broadcast_id,
            )
        try:
            await self._settled(broadcast_id, room)
        except BaseException:
            if room.instance is None:
                self._rooms.pop(broadcast_id, None)
            raise

    async def place(self, broadcast_id: str, *, base_url: str) -> Place:
        """Where the room is now, with a fresh token."""
        room = self._rooms[broadcast_id]
        instance = await self._settled(broadcast_id, room)
        endpoint = instance.endpoint
        if endpoint is None:
            raise SfuError("The group-call server went down just now.", remedy="Try again.")
        tokens = self._relay_tokens if needs_own_token(instance) else None
        if endpoint.token_secret is not None:
            tokens = Tokens(endpoint.token_secret)
        return Place(
            self._url(instance, endpoint.url, base_url),
            room.room,
            room.pin,
            room.secret,
            "stock",
            tokens.sign((VIDEOROOM,), ttl_s=self._ttl_s) if tokens else None,
        )

    async def kick(self, broadcast_id: str, participant_id: str) -> None:
        """Put somebody out of the room: by id, or by the display name that is the user's id."""
        room = self._rooms.get(broadcast_id)
        if room is None or room.instance is None:
            return
        async with self._admin(room, room.instance) as admin:
            for each in await admin.list_participants():
                if participant_id in {str(each.id), each.display}:
                    try:
                        await admin.kick(each.id)
                    except JanusError as error:
                        if error.code != _NO_SUCH_FEED:  # gone meanwhile
                            raise

    async def present(self, broadcast_id: str) -> frozenset[str]:
        """The display names of everybody who is in the room.

        Raises:
            KeyError: No room was opened for this broadcast.
            SfuError: The server does not answer.
        """
        room = self._rooms[broadcast_id]
        if room.instance is None:
            return frozenset()
        async with self._admin(room, room.instance) as admin:
            return frozenset(
                each.display or str(each.id) for each in await admin.list_participants()
            )

    async def close_room(self, broadcast_id: str) -> None:
        """Destroy the room. May be called again; one on a dead server is gone anyway."""
        room = self._rooms.pop(broadcast_id, None)
        if room is None or room.instance is None or not room.instance.is_healthy:
            return
        with contextlib.suppress(SfuError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S), self._admin(room, room.instance) as admin:
                await admin.destroy()

    async def close(self) -> None:
        """Destroy all rooms and stop the pool. May be called again."""
        await asyncio.gather(*(self.close_room(each) for each in list(self._rooms)))
        sessions, self._sessions = self._sessions, {}
        await asyncio.gather(*(each.close() for each in sessions.values()), return_exceptions=True)
        await self._pool.close()

    async def _settled(self, broadcast_id: str, room: _Room) -> Instance:
        """The server that has the room, which is made where it is missing."""
        async with room.lock:
            here = room.instance
            order = self._pool.order(broadcast_id)
            if here in order:
                order = [here, *(each for each in order if each is not here)]
            last: SfuError | None = None
            for instance in order:
                # Twice: our session is found to be gone with a server that was started again.
                for _ in range(2):
                    try:
                        await self._make(room, instance)
                    except JanusError as error:
                        if error.code not in _UNREACHED:
                            raise  # it answered: another one would say the same
                        last = error
                        if error.code != _SESSION_GONE:
                            break
                    else:
                        room.instance = instance
                        return instance
                self._pool.failed(instance)
            raise last or SfuError("No group-call server answers.", remedy="Try again.")

    async def _make(self, room: _Room, instance: Instance) -> None:
        """Create the room there, unless it exists."""
        codecs = [room.video_codec, *(each for each in _CODECS if each != room.video_codec)]
        async with self._admin(room, instance) as admin:
            if await self._exists(room, admin):
                return
            await admin.create(
                publishers=room.publishers,
                video_codecs=codecs,
                bitrate_bps=room.bitrate_bps,
                pin=room.pin,
                is_private=True,
                may_exist=True,
                extra={"lock_record": True, "bitrate_cap": True},
            )

    async def _exists(self, room: _Room, admin: RoomAdmin) -> bool:
        try:
            return await admin.exists()
        except JanusError as error:
            if error.code != _INVALID_ELEMENT or not isinstance(room.room, str):
                raise
        # This Janus was not started with string_ids: the same number wherever it is computed.
        digest = hashlib.sha256(room.room.encode()).digest()
        room.room = admin.room = int.from_bytes(digest[:6]) + 1
        return await admin.exists()

    @contextlib.asynccontextmanager
    async def _admin(self, room: _Room, instance: Instance) -> AsyncIterator[RoomAdmin]:
        """Our own way into the room, on a session that is kept for the next time."""
        session = await self._session(instance)
        key = instance.endpoint.admin_key if instance.endpoint else None
        admin = RoomAdmin(session, room.room, secret=room.secret, admin_key=key)
        try:
            yield admin
        finally:
            with contextlib.suppress(SfuError):
                await admin.close()

    async def _session(self, instance: Instance) -> JanusSession:
        async with self._opening:
            endpoint, session = instance.endpoint, self._sessions.get(instance.name)
            if endpoint is None:
                raise JanusError("The group-call server is down.", remedy="Try again.")
            if session is not None:
                if session.state == "open" and session.gateway.url == endpoint.url:
                    return session
                await session.close()
            session = JanusSession(
                Gateway(
                    endpoint.url,
                    api_secret=endpoint.api_secret,
                    token=_own_token(endpoint),
                    request_s=_REQUEST_S,
                    reclaim_s=_RECLAIM_S,
                )
            )
            self._sessions[instance.name] = session
            await session.open()
            return session

    def _url(self, instance: Instance, url: str, base_url: str) -> str:
        """The server's address for a client that reaches us at ``base_url``."""
        is_here = urlsplit(base_url).hostname in _LOOPBACK
        if (instance.process is None or is_here) and not needs_own_token(instance):
            return url
        scheme, host, path, _, _ = urlsplit(base_url)
        scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
        return urlunsplit((scheme, host, f"{path}{RELAY}/{instance.name}", "", ""))


def _own_token(endpoint: Endpoint) -> str | None:
    if endpoint.api_secret is not None or endpoint.token_secret is None:
        return None
    return Tokens(endpoint.token_secret).sign((VIDEOROOM,), ttl_s=_OWN_TTL_S)
