"""Rooms on real Janus servers, spread by the broadcast's id."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from ...errors import SfuError
from ...signaling.janus import Gateway, JanusError, JanusSession, Participant, RoomAdmin
from .endpoint import Endpoint
from .pool import Instance, Pool
from .relay import RELAY, needs_own_token
from .rooms import TOKEN_TTL_S, Place, RoomTerms
from .tokens import VIDEOROOM, Tokens

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
    """One room: what was asked for, and where it is.

    Attributes:
        lock: Held while the room is made or destroyed.
        turns: Held, for each person, while a place is given to them or taken away.
        instance: The server that has the room, ``None`` before one has.
        made_on: The servers on which it may be.
        void: Tickets that the server is still to be told to take no more.
        is_closed: Nobody is to make it any more.
    """

    terms: RoomTerms
    room: str | int
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    instance: Instance | None = None
    made_on: dict[str, Instance] = field(default_factory=dict)
    void: set[str] = field(default_factory=set)
    is_closed: bool = False

    def revoke(self, person: str) -> None:
        """Somebody's ticket is good no more, if they have one."""
        ticket = self.terms.tickets.pop(person, None)
        if ticket is not None:
            self.void.add(ticket.token)


@dataclass(repr=False)
class _Own:
    """Our session with a server. ``renew_s``, in seconds since 1970: when it needs a new token."""

    session: JanusSession
    renew_s: float


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
        self, pool: Pool, *, relay_tokens: Tokens | None = None, ttl_s: float = TOKEN_TTL_S
    ) -> None:
        self._pool = pool
        self._relay_tokens = relay_tokens
        self._ttl_s = ttl_s
        self._rooms: dict[str, _Room] = {}
        self._sessions: dict[str, _Own] = {}
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def open(
        self, broadcast_id: str, *, publishers: int, video_codec: str, bitrate_bps: int
    ) -> None:
        """Create the room of a broadcast; see :class:`~xnb.server.janus.rooms.Rooms`."""
        room = self._rooms.get(broadcast_id)
        if room is None:
            terms = RoomTerms(publishers, video_codec, bitrate_bps)
            room = self._rooms[broadcast_id] = _Room(terms, broadcast_id)
        try:
            await self._settled(broadcast_id, room)
        except BaseException:
            # Where it may have been made after all, close_room() has something to destroy.
            if room.instance is None and not room.made_on:
                self._rooms.pop(broadcast_id, None)
            raise

    async def place(
        self, broadcast_id: str, person: str, *, names: Collection[str], base_url: str
    ) -> Place:
        """Where the room is now, with a fresh token and the person's ticket."""
        room = self._rooms[broadcast_id]
        async with room.turns[person]:
            ticket = room.terms.ticket(person, names)
            instance = await self._settled(broadcast_id, room)
            async with self._admin(room, instance) as admin:
                await admin.allow(ticket.token)
            if room.terms.tickets.get(person) is not ticket:
                raise SfuError("The place was taken away just now.", remedy="Ask for another.")
        endpoint = instance.endpoint
        if endpoint is None:
            raise SfuError("The group-call server went down just now.", remedy="Try again.")
        tokens = self._relay_tokens if needs_own_token(instance) else None
        if endpoint.token_secret is not None:
            tokens = Tokens(endpoint.token_secret)
        return Place(
            self._url(instance, endpoint.url, base_url),
            room.room,
            room.terms.pin,
            room.terms.secret,
            "stock",
            tokens.sign((VIDEOROOM,), ttl_s=self._ttl_s) if tokens else None,
            ticket.token,
        )

    async def kick(
        self,
        broadcast_id: str,
        person: str,
        *,
        names: Collection[str],
        keep: Callable[[], Collection[str]],
    ) -> None:
        """Take somebody's ticket away, and put out who has their name or nobody's."""
        room = self._rooms.get(broadcast_id)
        if room is None:
            return
        # At once, which a place() under way notices, and again when that has ended: it may just
        # have begun. Who asks for one from now on waits, and is nobody whom this puts out.
        room.revoke(person)
        async with room.turns[person]:
            room.revoke(person)
            await self._put_out(room, frozenset(names), keep)

    async def put_out_others(
        self, broadcast_id: str, *, keep: Callable[[], Collection[str]]
    ) -> None:
        """Put everybody out whose name is not in ``keep``."""
        room = self._rooms.get(broadcast_id)
        if room is not None:
            await self._put_out(room, frozenset(), keep)

    async def _put_out(
        self, room: _Room, names: frozenset[str], keep: Callable[[], Collection[str]]
    ) -> None:
        if room.instance is None:
            return
        async with self._admin(room, room.instance) as admin:
            await _take_back(room, admin)
            for each in await admin.list_participants():
                if {each.display, str(each.id)} & names or _name(each) not in keep():
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
            await _take_back(room, admin)
            return frozenset(map(_name, await admin.list_participants()))

    async def close_room(self, broadcast_id: str) -> None:
        """Destroy the room. May be called again; one on a dead server is gone anyway."""
        room = self._rooms.pop(broadcast_id, None)
        if room is None:
            return
        room.is_closed = True
        async with room.lock:  # somebody may be making it just now
            found = [each for each in room.made_on.values() if each.is_healthy]
            await asyncio.gather(*(self._destroy(room, instance) for instance in found))

    async def _destroy(self, room: _Room, instance: Instance) -> None:
        with contextlib.suppress(SfuError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S), self._admin(room, instance) as admin:
                await admin.destroy()

    async def close(self) -> None:
        """Destroy all rooms and stop the pool. May be called again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * _CLOSE_S):
                await asyncio.gather(*(self.close_room(each) for each in list(self._rooms)))
        own, self._sessions = self._sessions, {}
        closing = [each.session.close() for each in own.values()]
        await asyncio.gather(*closing, return_exceptions=True)
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
                if room.is_closed:
                    break
                room.made_on[instance.name] = instance
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
            if room.is_closed:
                raise SfuError("The group call is over.", remedy="Start another one.")
            raise last or SfuError("No group-call server answers.", remedy="Try again.")

    async def _make(self, room: _Room, instance: Instance) -> None:
        """Create the room there, unless it exists."""
        terms = room.terms
        async with self._admin(room, instance) as admin:
            if await self._exists(room, admin):
                return
            await admin.create(
                publishers=terms.publishers,
                video_codecs=terms.video_codecs,
                bitrate_bps=terms.bitrate_bps,
                pin=terms.pin,
                is_private=True,
                allowed=tuple(terms.allowed),
                may_exist=True,
                extra={"lock_record": True, "bitrate_cap": True, "require_pvtid": True},
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
        admin = RoomAdmin(session, room.room, secret=room.terms.secret, admin_key=key)
        try:
            yield admin
        finally:
            with contextlib.suppress(SfuError):
                await admin.close()

    async def _session(self, instance: Instance) -> JanusSession:
        if not instance.is_healthy:
            raise _down()
        async with self._opening[instance.name]:
            endpoint, own = instance.endpoint, self._sessions.get(instance.name)
            if endpoint is None:
                raise _down()
            # By the clock on the wall, as the server reads it from the token.
            now_s = time.time()
            if own is not None:
                session = own.session
                if session.state == "open" and session.gateway.url == endpoint.url:
                    token = _own_token(endpoint) if now_s >= own.renew_s else None
                    if token is not None:
                        await session.replace_token(token)
                        own.renew_s = now_s + _OWN_TTL_S / 2
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
            self._sessions[instance.name] = _Own(session, now_s + _OWN_TTL_S / 2)
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


async def _take_back(room: _Room, admin: RoomAdmin) -> None:
    """Have the server take no tickets any more that are void."""
    void = frozenset(room.void)
    if void:
        await admin.disallow(*void)
        room.void -= void


def _name(one: Participant) -> str:
    return one.display or str(one.id)


def _down() -> JanusError:
    return JanusError("The group-call server is down.", remedy="Try again.")


def _own_token(endpoint: Endpoint) -> str | None:
    if endpoint.api_secret is not None or endpoint.token_secret is None:
        return None
    return Tokens(endpoint.token_secret).sign((VIDEOROOM,), ttl_s=_OWN_TTL_S)
