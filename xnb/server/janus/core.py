"""The core of the Janus API: sessions, handles and transactions, over any transport.

Requests, answers, their order and their errors are those of Janus' documentation ("RESTful,
WebSockets, … API", "Authenticating the Janus API"). What differs: events that nobody could get
while a WebSocket was broken are kept for who claims the session; a session whose connection
broke has ``reclaim_session_timeout`` from then on; a client that answers the pings of its
WebSocket is taken to be there though it says nothing; and with one signed token there can be so
many sessions only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

from . import messages
from .api_error import ApiError, Code
from .handle import Handle, Reply, Request
from .plugin import Plugin, PluginError
from .session import Json, Session, Transport
from .tokens import Tokens

_log = logging.getLogger(__name__)
VERSION = 1102
VERSION_STRING = "1.1.2"
_MAX_ID = 2**53 - 1
_SWEEP_S = 0.5
_LONGEST_PING_S = 20.0
_CLOSE_S = 5.0


@dataclass(frozen=True, slots=True)
class CoreLimits:
    """Times in seconds, and how much of everything there may be.

    Args:
        session_timeout_s: A session of which nothing is heard for so long is over; 0: never.
        reclaim_s: How long a session can be claimed after its WebSocket broke; 0: not at all.
        max_sessions: Sessions; above it ``create`` gets 472.
        max_guest_sessions: Sessions made with the same signed token; likewise.
        max_handles: Handles of one session; above it ``attach`` gets 461.
        max_events: Events that wait for a client.
        max_event_bytes: Their size.
    """

    session_timeout_s: float = 20.0
    reclaim_s: float = 30.0
    max_sessions: int = 1024
    max_guest_sessions: int = 32
    max_handles: int = 128
    max_events: int = 1000
    max_event_bytes: int = 4 * 1024 * 1024


class Core:
    """One server's sessions and plugins.

    Args:
        plugins: What handles can be attached to.
        tokens: Who may ask; ``None`` together with no ``api_secret``: everybody.
        api_secret: Makes a request good without a token.
        limits: Times and sizes.
        clock: Monotonic seconds.

    Attributes:
        plugins: By package name.
        sessions: By number.
    """

    def __init__(
        self,
        plugins: Iterable[Plugin],
        *,
        tokens: Tokens | None = None,
        api_secret: str | None = None,
        limits: CoreLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.plugins = {plugin.package: plugin for plugin in plugins}
        self.tokens = tokens
        self.limits = limits or CoreLimits()
        self.sessions: dict[int, Session] = {}
        self._api_secret = api_secret
        self.clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"Core({len(self.sessions)} sessions, {', '.join(self.plugins)})"

    @property
    def ping_s(self) -> float:
        """Seconds between two pings on a WebSocket: two may get lost within the session timeout."""
        return min(self.limits.session_timeout_s / 3 or _LONGEST_PING_S, _LONGEST_PING_S)

    async def run(self) -> None:
        """End sessions that nobody cares for, until cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_S)
            limits = self.limits
            for session in list(self.sessions.values()):
                if session.is_overdue(limits.session_timeout_s, limits.reclaim_s):
                    session.event({"janus": "timeout", "session_id": session.id})
                    self._spawn(self._end(session))

    async def close(self) -> None:
        """End all sessions and plugins. May be called again."""
        self._is_closed = True
        for session in list(self.sessions.values()):
            self._spawn(self._end(session))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                while self._tasks:
                    await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        for plugin in self.plugins.values():
            await plugin.close()

    async def request(self, message: object, reply: Reply, transport: Transport | None) -> None:
        """Answer one request: ``reply`` is called once, now or a little later.

        Args:
            message: The decoded JSON, with ``session_id`` and ``handle_id`` where they belong.
            reply: Takes the answer; an ``ack`` for what is answered by an event.
            transport: Where the session's events go; ``None`` for long poll.
        """
        transaction = None
        try:
            root = messages.root(message)
            transaction = messages.text(root, "transaction")
            kind = messages.text(root, "janus")
            await self._dispatch(kind, root, transaction, reply, transport)
        except ApiError as error:
            given = message.get("session_id") if isinstance(message, dict) else None
            reply(error_message(error, transaction, given))
        except Exception as error:
            # Only places, not messages or values: those may hold tokens, pins or SDP.
            places = "".join(traceback.format_tb(error.__traceback__))
            _log.error("a request raised %s\n%s", type(error).__name__, places)
            mistake = ApiError(Code.UNKNOWN, "The server made a mistake")
            reply(error_message(mistake, transaction))

    def authorize(self, apisecret: object, token: object) -> None:
        """Whether the API secret or a token is good.

        Raises:
            ApiError: 403.
        """
        if not (self._has_secret(apisecret) or self._has_token(token)):
            raise ApiError(
                Code.UNAUTHORIZED, "Unauthorized request (wrong or missing secret/token)"
            )

    def session(self, session_id: int) -> Session:
        """A session by its number, of which something was heard just now.

        Raises:
            ApiError: 458, it is over or never was.
        """
        session = self.sessions.get(session_id)
        if session is None:
            raise ApiError(Code.SESSION_NOT_FOUND, f"No such session {session_id}")
        session.heard()
        return session

    def lost(self, transport: Transport) -> None:
        """A transport broke: its sessions can be claimed for a while."""
        for session in list(self.sessions.values()):
            if session.lose(transport) and self.limits.reclaim_s <= 0:
                self._spawn(self._end(session))

    def info(self, transaction: str = "") -> Json:
        """The answer to ``info``."""
        return {
            "janus": "server_info",
            "transaction": transaction or secrets.token_hex(6),
            "name": "xnb embedded SFU",
            "version": VERSION,
            "version_string": VERSION_STRING,
            "author": "xnb",
            "data_channels": False,
            "accepting-new-sessions": not self._is_full(),
            "session-timeout": int(self.limits.session_timeout_s),
            "reclaim-session-timeout": int(self.limits.reclaim_s),
            "server-name": "xnb",
            "ipv6": True,
            "ice-lite": False,
            "ice-tcp": False,
            "full-trickle": False,
            "api_secret": self._api_secret is not None,
            "auth_token": self.tokens is not None,
            "transports": {
                name: {"name": name, "version": 1, "version_string": "1"}
                for name in ("janus.transport.http", "janus.transport.websockets")
            },
            "plugins": {
                name: {"name": name, "version": 1, "version_string": "1"} for name in self.plugins
            },
        }

    async def _dispatch(
        self, kind: str, root: Json, transaction: str, reply: Reply, transport: Transport | None
    ) -> None:
        session_id = messages.number(root, "session_id")
        handle_id = messages.number(root, "handle_id")
        if session_id is None:
            if handle_id is not None:
                raise ApiError(Code.SESSION_NOT_FOUND, "A handle without its session")
            reply(self._at_root(kind, root, transaction, transport))
            return
        self.authorize(root.get("apisecret"), root.get("token"))
        session = self.session(session_id)
        answer: Json = {"janus": "success", "session_id": session.id, "transaction": transaction}
        if handle_id is not None:
            await self._at_handle(kind, root, session, handle_id, reply, answer)
        elif kind == "keepalive":
            reply(answer | {"janus": "ack"})
        elif kind == "claim":
            reply(answer)
            session.claim(transport)
        elif kind == "attach":
            handle = self._attach(session, root)
            reply(answer | {"data": {"id": handle.id}})
        elif kind == "destroy":
            self._spawn(self._end(session, lambda: reply(answer)))
        else:
            raise _misplaced(kind)

    def _at_root(
        self, kind: str, root: Json, transaction: str, transport: Transport | None
    ) -> Json:
        if kind == "info":
            return self.info(transaction)
        if kind == "ping":
            return {"janus": "pong", "transaction": transaction}
        if kind != "create":
            raise ApiError(Code.INVALID_PATH, f"Unhandled request '{kind[:80]}' at this path")
        self.authorize(root.get("apisecret"), root.get("token"))
        session_id = messages.number(root, "id")
        if session_id in self.sessions:
            raise ApiError(Code.SESSION_CONFLICT, "Session ID already in use")
        guest_token = None if self._is_owner(root) else messages.text(root, "token")
        if self._is_full() or self._has_its_share(guest_token):
            raise ApiError(Code.NOT_ACCEPTING_SESSIONS, "No new sessions are taken right now")
        while session_id is None or session_id in self.sessions:
            session_id = secrets.randbelow(_MAX_ID) + 1
        self.sessions[session_id] = Session(
            session_id,
            transport,
            max_events=self.limits.max_events,
            max_bytes=self.limits.max_event_bytes,
            clock=self.clock,
            guest_token=guest_token,
        )
        return {"janus": "success", "transaction": transaction, "data": {"id": session_id}}

    async def _at_handle(
        self, kind: str, root: Json, session: Session, handle_id: int, reply: Reply, answer: Json
    ) -> None:
        handle = session.handles.get(handle_id)
        if handle is None:
            raise ApiError(
                Code.HANDLE_NOT_FOUND, f"No such handle {handle_id} in session {session.id}"
            )
        if kind == "message":
            await self._message(handle, root, reply, answer)
        elif kind == "trickle":
            candidates = messages.candidates(root, handle.streams)
            await handle.submit(partial(handle.inner.trickle, candidates))
            reply(answer | {"janus": "ack"})
        elif kind == "hangup":
            await handle.submit(handle.hang_up)
            reply(answer)
        elif kind == "detach":
            self._spawn(self._detach(handle, reply, answer))
        elif kind == "keepalive":
            reply(answer | {"janus": "ack"})
        else:
            raise _misplaced(kind)

    async def _message(self, handle: Handle, root: Json, reply: Reply, answer: Json) -> None:
        body = messages.body(root)
        jsep = messages.jsep(root)
        if jsep is not None:
            if jsep["type"] == "answer" and not handle.is_offered:
                raise ApiError(Code.UNEXPECTED_ANSWER, "Unexpected ANSWER (did we offer?)")
            handle.is_offered = False
            handle.streams = messages.streams(jsep["sdp"])
        is_synchronous = jsep is None and handle.inner.is_synchronous(body)
        request = Request(body, jsep, answer["transaction"], reply, is_synchronous)
        await handle.submit(request)
        if not is_synchronous:
            reply(answer | {"janus": "ack"})

    def _attach(self, session: Session, root: Json) -> Handle:
        package = messages.text(root, "plugin")
        opaque_id = messages.text(root, "opaque_id") if "opaque_id" in root else None
        plugin = self.plugins.get(package)
        if plugin is None:
            raise ApiError(Code.PLUGIN_NOT_FOUND, f"No such plugin '{package[:80]}'")
        is_free = self._has_secret(root.get("apisecret"))
        if not is_free and not self._has_token(root.get("token"), package):
            raise ApiError(
                Code.UNAUTHORIZED_PLUGIN, f"Provided token can't access plugin '{package}'"
            )
        if len(session.handles) >= self.limits.max_handles:
            raise ApiError(Code.PLUGIN_ATTACH, "This session has as many handles as it may have")
        handle_id = secrets.randbelow(_MAX_ID) + 1
        try:
            handle = Handle(
                session, plugin, handle_id, opaque_id, self._spawn, is_owner=self._is_owner(root)
            )
        except PluginError as error:
            raise ApiError(
                Code.PLUGIN_ATTACH, f"The plugin takes no handle: {error.reason}"
            ) from None
        session.handles[handle_id] = handle
        return handle

    async def _detach(self, handle: Handle, reply: Reply, answer: Json) -> None:
        try:
            await handle.detach(lambda: reply(answer))
        except ApiError as error:
            reply(error_message(error, answer["transaction"], answer["session_id"]))

    async def _end(self, session: Session, then: Callable[[], None] | None = None) -> None:
        self.sessions.pop(session.id, None)
        session.close()
        handles = list(session.handles.values())
        await asyncio.gather(*(handle.detach() for handle in handles), return_exceptions=True)
        if then:
            then()

    def _has_secret(self, apisecret: object) -> bool:
        if self._api_secret is None:
            return self.tokens is None
        return isinstance(apisecret, str) and hmac.compare_digest(
            apisecret.encode(errors="replace"), self._api_secret.encode()
        )

    def _is_owner(self, root: Json) -> bool:
        """Whether a request shows the API secret or a stored token, or needs none of them."""
        is_stored = self.tokens is not None and self.tokens.is_stored(root.get("token"))
        return is_stored or self._has_secret(root.get("apisecret"))

    def _has_its_share(self, guest_token: str | None) -> bool:
        """Whether no more sessions are made with this signed token."""
        if guest_token is None:
            return False
        made = sum(one.guest_token == guest_token for one in self.sessions.values())
        return made >= self.limits.max_guest_sessions

    def _has_token(self, token: object, plugin: str | None = None) -> bool:
        return self.tokens is not None and self.tokens.allows(token, plugin)

    def _is_full(self) -> bool:
        return self._is_closed or len(self.sessions) >= self.limits.max_sessions

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_quiet(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quiet(work: Awaitable[None]) -> None:
    with contextlib.suppress(ApiError):
        await work


def error_message(error: ApiError, transaction: str | None, session_id: object = None) -> Json:
    """``{"janus": "error", …}``, as far as it is known what it answers."""
    message: Json = {"janus": "error"}
    if isinstance(session_id, int):
        message["session_id"] = session_id
    if transaction is not None:
        message["transaction"] = transaction
    message["error"] = {"code": int(error.code), "reason": error.reason}
    return message


_AT_SESSION = {"keepalive", "claim", "attach", "destroy"}
_AT_HANDLE = {"detach", "hangup", "message", "trickle"}


def _misplaced(kind: str) -> ApiError:
    if kind in _AT_SESSION | _AT_HANDLE:
        return ApiError(Code.INVALID_PATH, f"Unhandled request '{kind}' at this path")
    return ApiError(Code.UNKNOWN_REQUEST, f"Unknown request '{kind[:80]}'")
