"""One session with a Janus server: its life, signs of life, and taking it up again."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal

import aiohttp

from ..trace import Trace
from .errors import SESSION_GONE, JanusError, closed, lost, unanswered
from .gateway import Gateway
from .handle import JanusHandle, call, refusal
from .long_poll import LongPollTransport
from .transactions import How, Tasks, Transactions, error_in, id_in
from .transport import DroppedError, Message, Transport
from .web_socket import WebSocketTransport

_log = logging.getLogger(__name__)

State = Literal["new", "open", "claiming", "lost", "closed"]

_VIDEO_ROOM = "janus.plugin.videoroom"
_CLOSE_S = 2.0
# After a dropped connection was taken up again, a reply that was on its way comes now or never.
_LATE_REPLY_S = 3.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 3.0
_RESEND_PAUSE_S = 0.2
_MAX_SECRETS = 200


class JanusSession:
    """One session with a Janus server, over a WebSocket or HTTP.

    A dropped connection is taken up again by itself, so that calls do not notice; requests wait
    meanwhile. What the server said while the connection was down is lost, so ask it for the list
    of participants once ``state`` is ``"open"`` again. A session that the server no longer knows
    is ``"lost"``: everything has to be joined again from scratch, with a new session. That also
    happens to a loop that was blocked for longer than the server's ``session_timeout``.

    Must be made and used on an event loop.

    Args:
        gateway: The server.
        trace: Where messages are noted, without secrets, ids and descriptions.
        http: Makes the connections instead of an own one; it is not closed by :meth:`close`.

    Attributes:
        on_state: Told each new state.

    Example:
        >>> session = JanusSession(Gateway("ws://127.0.0.1:8188"))
        >>> await session.open()
        >>> handle = await session.attach("janus.plugin.echotest")
        >>> await session.close()
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        trace: Trace | None = None,
        http: aiohttp.ClientSession | None = None,
    ) -> None:
        self.on_state: Callable[[str], None] | None = None
        self._gateway = gateway
        self._trace = trace
        self._http = http
        self._owns_http = http is None
        self._transport: Transport | None = None
        self._state: State = "new"
        self._id: int | None = None
        self._handles: dict[int, JanusHandle] = {}
        self._tasks = Tasks()
        self._transactions = Transactions(self._tasks, self._late_until)
        self._settled = asyncio.Event()
        self._opening = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None
        self._secrets: deque[str] = deque(maxlen=_MAX_SECRETS)

    def __repr__(self) -> str:
        return f"<JanusSession {self._gateway!r}, {self._state}, {len(self._handles)} handles>"

    @property
    def state(self) -> State:
        """How the session is.

        ``"new"``, ``"open"``, ``"claiming"`` (dropped, being taken up again), ``"lost"`` (gone
        for good) or ``"closed"``.
        """
        return self._state

    @property
    def gateway(self) -> Gateway:
        """The server, with its present token."""
        return self._gateway

    @property
    def id(self) -> int | None:
        """The server's number of the session, ``None`` before it is open.

        Keep it to yourself: who knows it may take the session over.
        """
        return self._id

    def hide(self, *values: object) -> None:
        """Never let these values into an error text."""
        self._secrets.extend(str(v) for v in values if v is not None and len(str(v)) > 2)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not show in an error text."""
        return (*self._gateway.secrets, *self._secrets)

    # Opening and closing

    async def open(self) -> None:
        """Connect and create the session. May be called again after it failed.

        Raises:
            JanusError: The server cannot be reached, refused the token (403), or takes no new
                sessions (472).
        """
        async with self._opening:
            if self._state == "open":
                return
            if self._state != "new":
                raise closed("open it again") if self._state == "closed" else lost("open it again")
            try:
                if self._transport is None:
                    await self._connect()
                reply = await self._alone({"janus": "create"}, "create a session")
                self._id = id_in(reply, "create a session")
            except BaseException:
                await self._let_go()
                raise
            self.hide(self._id)
            assert self._transport is not None
            self._transport.follow(self._id)
            self._go("open")
            if self._gateway.dialect == "stock":
                self._tasks.start(self._keep_alive(), "xnb janus keepalive")

    async def close(self) -> None:
        """End the session, on the server too if it answers. May be called again, from any state."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._state == "open":
            with contextlib.suppress(JanusError, TimeoutError):  # also of one that broke just now
                ending = self._alone({"janus": "destroy"}, "end the session")
                await asyncio.wait_for(ending, _CLOSE_S)
        self._go("closed")
        self._transactions.fail(closed)
        await self._tasks.cancel()
        self._handles.clear()
        await self._let_go()

    async def _let_go(self) -> None:
        """Close the connections."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()
        if self._http is not None and self._owns_http:
            http, self._http = self._http, None
            await http.close()

    async def _connect(self) -> None:
        if self._closing is not None:
            raise closed("connect")
        if self._http is None:
            self._http = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), trust_env=not self._gateway.is_loopback
            )
        kind = WebSocketTransport if self._gateway.uses_web_socket else LongPollTransport
        transport: Transport = kind(lambda: self._gateway, self._http, self, self._trace)
        self._transport = transport
        why = ""
        try:
            await transport.open()
        except DroppedError as dropped:
            why = dropped.why
        if self._closing is not None:
            await transport.close()
            raise closed("connect")
        if why:
            raise unanswered("connect", why)

    async def replace_token(self, token: str) -> None:
        """Use another token from now on.

        Args:
            token: The new one, of the ``gateway`` dialect also the ``Authorization`` header.

        Raises:
            SettingsError: It has characters that cannot be sent.
        """
        self.hide(*self._gateway.secrets)
        header = token if self._gateway.authorization else None
        self._gateway = dataclasses.replace(self._gateway, token=token, authorization=header)

    async def info(self) -> dict[str, Any]:
        """What the server says of itself: version, plugins, limits. Also before :meth:`open`.

        Raises:
            JanusError: It cannot be reached.
        """
        what = "say what it is"
        async with self._opening:
            if self._transport is None:
                try:
                    await self._connect()
                except BaseException:
                    await self._let_go()
                    raise
        assert self._transport is not None
        why = ""
        found: Message | None = None
        try:
            found = await self._transport.info(self._gateway.request_s)
        except DroppedError as dropped:
            why = dropped.why
        if why:
            raise unanswered(what, why)
        return found if found is not None else await self._alone({"janus": "info"}, what)

    async def attach(self, plugin: str = _VIDEO_ROOM) -> JanusHandle:
        """A new handle of a plugin.

        Args:
            plugin: Its name.

        Raises:
            JanusError: The server has no such plugin (460), refused, did not answer or is gone.
        """
        made: list[JanusHandle] = []
        what = "attach to a plugin"

        def take(reply: Message) -> None:
            # At once, so that an event right behind the reply finds its handle.
            number = id_in(reply, what)
            made.append(JanusHandle(self, number, plugin))
            self._handles[number] = made[0]
            self.hide(number)

        await self.ask({"janus": "attach", "plugin": plugin}, what=what, on_reply=take)
        return made[0]

    def forget(self, handle: JanusHandle) -> None:
        """A handle has ended; called by it."""
        self._handles.pop(handle.id, None)

    def check(self, data: Mapping[str, Any], what: str) -> None:
        """Raise what a plugin's answer stands for, if it refuses."""
        error = refusal(data, what, self.secrets)
        if error is not None:
            raise error

    # Requests

    async def ask(
        self,
        message: Mapping[str, Any],
        *,
        what: str,
        handle_id: int | None = None,
        limit_s: float | None = None,
        ack_is_final: bool = False,
        may_repeat: bool = False,
        on_reply: Callable[[Message], None] | None = None,
    ) -> Message:
        """Send a message of this session and give the final reply to it.

        Args:
            message: Without ids, transaction and credentials.
            what: Names the request in errors.
            handle_id: The handle it is for.
            limit_s: Limit instead of ``request_s``, not counting the time in which a dropped
                connection is taken up again.
            ack_is_final: Nothing comes after the server's ``ack``.
            may_repeat: Sending it twice does no harm.
            on_reply: Told the reply before anything else is read.

        Raises:
            JanusError: Refused, unanswered, or the session is gone.
        """
        left_s = limit_s or self._gateway.request_s
        loop = asyncio.get_running_loop()
        why = ""
        while True:
            await self._until_open(what)
            if left_s <= 0:
                raise unanswered(what, why)
            started_s = loop.time()
            how = How(
                what=what,
                limit_s=left_s,
                ack_is_final=ack_is_final,
                may_repeat=may_repeat,
                on_reply=on_reply,
            )
            try:
                return await self._exchange(message, how, handle_id)
            except DroppedError as dropped:
                why = dropped.why
            await asyncio.sleep(min(_RESEND_PAUSE_S, left_s))
            left_s -= loop.time() - started_s

    async def _until_open(self, what: str) -> None:
        await self._until_settled()
        if self._state == "open":
            return
        if self._state == "new":
            raise JanusError(
                f"The group-call server could not be asked to {what}: the session is not open.",
                remedy="Await session.open() first.",
            )
        raise closed(what) if self._state == "closed" else lost(what)

    async def _until_settled(self) -> None:
        """Wait while a dropped connection is taken up again."""
        if self._state == "claiming":
            limit_s = self._gateway.reclaim_s + self._gateway.request_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), limit_s)

    async def _late_until(self) -> float:
        await self._until_settled()
        return asyncio.get_running_loop().time() + (_LATE_REPLY_S if self._state == "open" else 0)

    async def _exchange(
        self, message: Mapping[str, Any], how: How, handle_id: int | None = None
    ) -> Message:
        assert self._transport is not None
        full: Message = {**message, **self._gateway.credentials()}
        if self._id is not None and message.get("janus") != "info":
            full["session_id"] = self._id
        if handle_id is not None:
            full["handle_id"] = handle_id
        return await self._transactions.exchange(self._transport, full, how)

    async def _alone(self, message: Mapping[str, Any], what: str) -> Message:
        """One request outside of the usual life of a session, never repeated."""
        why = ""
        how = How(what=what, limit_s=self._gateway.request_s, ack_is_final=True)
        try:
            return await self._exchange(message, how)
        except DroppedError as dropped:
            why = dropped.why
        raise unanswered(what, why)

    # What the server says

    def on_message(self, message: Message) -> None:
        """Take one message of the server; called by the transport."""
        kind = message.get("janus")
        is_reply = self._transactions.answer(message, self.secrets)
        if kind == "timeout" or (kind == "error" and error_in(message)[0] == SESSION_GONE):
            self._lose()
        elif not is_reply:
            sender = message.get("sender")
            handle = self._handles.get(sender) if isinstance(sender, int) else None
            if handle is not None:
                handle.take(message)

    def on_drop(self, why: str) -> None:
        """The connection broke; called by the transport."""
        if self._state == "open":
            _log.debug("A group-call session was dropped: %s.", why)
            self._go("claiming")
            self._tasks.start(self._reclaim(), "xnb janus reclaim")
        self._transactions.drop()

    async def _reclaim(self) -> None:
        """Take the session up again: with growing pauses, until it is too late."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self._gateway.reclaim_s
        pause_s = _FIRST_PAUSE_S
        while self._state == "claiming":
            left_s = end_s - loop.time()
            if left_s <= 0:
                self._lose()
                return
            # A session that is gone (458) is noticed where the reply comes in.
            with contextlib.suppress(DroppedError, JanusError, TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._claim(left_s)
                return
            pause_s = min(pause_s, max(0.0, end_s - loop.time()))
            await asyncio.sleep(pause_s * (1 - random.random() / 3))  # noqa: S311 jitter
            pause_s = min(2 * pause_s + _FIRST_PAUSE_S, _LONGEST_PAUSE_S)

    async def _claim(self, left_s: float) -> None:
        transport = self._transport
        assert transport is not None
        await transport.open()
        how = How(
            what="take up the session again",
            limit_s=min(left_s, self._gateway.request_s),
            ack_is_final=True,
            may_repeat=True,
        )
        await self._exchange({"janus": transport.claim}, how)
        if self._state == "claiming" and self._id is not None:
            transport.follow(self._id)
            self._go("open")

    async def _keep_alive(self) -> None:
        """Signs of life. A connection on which one is not answered is given up as broken."""
        while self._state in ("open", "claiming"):
            await asyncio.sleep(self._gateway.keepalive_s)
            if self._state != "open":
                continue
            how = How(
                what="keep the session",
                limit_s=min(self._gateway.keepalive_s, self._gateway.request_s),
                ack_is_final=True,
                may_repeat=True,
            )
            try:
                await self._exchange({"janus": "keepalive"}, how)
            except DroppedError:
                continue  # told by the transport, or tried again at the next sign
            except JanusError as error:
                if error.code == 0 and self._state == "open" and self._transport is not None:
                    self._transport.drop("a sign of life was not answered")

    def _go(self, state: State) -> None:
        if self._state in (state, "closed"):
            return
        self._state = state
        if state == "claiming":
            self._settled.clear()
        else:
            self._settled.set()
        call(self.on_state, state)

    def _lose(self) -> None:
        if self._state in ("open", "claiming"):
            self._go("lost")
            self._transactions.fail(lost)
