"""A client: who you are, which server you talk to, and the calls you place and answer."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .calls import Call
from .errors import LoopError, SettingsError, XnbError
from .events import Emitter, ErrorEvent, ListenerHandle
from .group_client import GroupCalls
from .incoming import CallListener, CallSubscription, IncomingCall
from .launch import embedded_server, server_from_environment
from .loop import Runner, Stream, blocking, crosses, on_engine
from .media.accept import Sendable
from .p2p_call import IncomingP2P, OutgoingP2P
from .profile import ServerProfile
from .settings import CallOptions, IceSettings, LoopMode, Timeouts, VideoCodec, VideoSettings
from .signaling.bootstrap import Bootstrap, parse_recipient
from .signaling.http import HttpClient
from .signaling.incoming import ServerIncoming
from .signaling.messages import User
from .signaling.p2p import P2P
from .signaling.trace import Trace

EXIT_TIMEOUT_S = 4.0
"""How long calls that were left open may take to say good-bye when the program ends."""
WAITING_CALLS = 16
"""Incoming calls that may wait to be read with ``async for``."""
_clients: weakref.WeakSet[Client] = weakref.WeakSet()


class Client(GroupCalls):
    """One identity on one server.

    Args:
        handle: Who you are; any name on the embedded server.
        server: URL of an ``xnb serve``, or a :class:`~xnb.profile.ServerProfile`. Without one
            ``XNB_SERVER`` is used, else the embedded server is started on first use.
        token: The server's token; without it ``XNB_SERVER_TOKEN``.
        cookies: ``auth_token`` and ``ct0`` of a web session, for the live profile only.
        loop: ``"auto"`` or ``"thread"``; see :mod:`xnb.loop`.
        ice: ICE settings of every call.
        timeouts: Limits of every wait.

    Example:
        >>> async with xnb.Client("me") as client:
        ...     call = await client.call("echo", video=True)
        ...     await call.until("connected", timeout_s=10)
        ...     await call.hangup()
    """

    def __init__(
        self,
        handle: str = "me",
        *,
        server: str | ServerProfile | None = None,
        token: str | None = None,
        cookies: dict[str, str] | None = None,
        loop: LoopMode = "auto",
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if loop not in ("auto", "thread"):
            raise SettingsError(f"loop is {loop!r}.", remedy="Use 'auto' or 'thread'.")
        user = parse_recipient(handle)
        if not user.handle:
            raise SettingsError("A client needs a handle.", remedy="Give it a name, not a number.")
        self.handle = user.handle
        self.trace = Trace()
        self._server = server
        self._token = token
        self._cookies = cookies
        self._ice = ice or IceSettings()
        self._timeouts = timeouts or Timeouts()
        self._calls: set[Call] = set()
        self._emitter = Emitter()
        self._http: HttpClient | None = None
        self._on_embedded = False
        self._at_exit = False
        self._connecting = asyncio.Lock()
        self._closed = False
        self.runner = Runner.choose(loop)
        self._listener = CallListener(self)
        _clients.add(self)

    def __repr__(self) -> str:
        where = "embedded server" if self._server is None else "given server"
        return f"<Client {self.handle} on the {where}, {len(self._calls)} calls>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close_now()

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of this client that are not over."""
        return tuple(self._calls)

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    @property
    def timeouts(self) -> Timeouts:
        """Limits of every wait."""
        return self._timeouts

    # Server

    async def _connect(self) -> None:
        if self._closed:
            raise LoopError("The client is closed.", remedy="Make a new one.")
        async with self._connecting:
            if self._http:
                if not self._on_embedded or embedded_server().running:
                    return
                await self._http.close()  # the embedded server died: a new one is elsewhere
            server, token = self._server, self._token
            if server is None:
                address = server_from_environment()
                self._on_embedded = address is None
                if address is None:
                    address = await asyncio.to_thread(embedded_server().start)
                server, token = address.url, token or address.token
            profile = server if isinstance(server, ServerProfile) else ServerProfile.local(server)
            self._profile = profile
            http = HttpClient(
                profile,
                token=token,
                cookies=self._cookies,
                trace=self.trace,
                timeouts=self._timeouts,
            )
            self._bootstrap = Bootstrap(http, profile, self.handle)
            self._p2p = P2P(http, profile)
            self._http = http
            if not self._at_exit:
                # Registered after the embedded server's own end, so that this comes before it.
                self._at_exit = True
                atexit.register(_close_at_exit, weakref.ref(self))

    @crosses
    async def connect(self) -> User:
        """Start or reach the server and sign in; done by itself on first use.

        Returns:
            Who the server says you are.

        Raises:
            Unreachable, Unauthorized, SignalingError: From the server, naming the step.
        """
        await self._connect()
        return (await self._bootstrap.run()).user

    connect_now = blocking(connect)

    async def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._listener.close()
        await asyncio.gather(*(call.hangup() for call in self._calls), return_exceptions=True)
        if self._http:
            await self._http.close()

    async def close(self) -> None:
        """End every call, stop listening, and end the client's own thread if it has one.

        May be called again. The embedded server goes on for other clients of this process.
        """
        await self.runner.run(self._close())
        if not self.runner.is_current:
            await asyncio.to_thread(self.runner.close)

    def close_now(self) -> None:
        """Blocking twin of :meth:`close`."""
        if not self._closed:
            self.runner.block(self._close(), "close_now")
        self.runner.close()

    # Calls out

    def _options(
        self,
        *,
        video: bool = False,
        audio_only: bool | None = None,
        announce: bool = True,
        video_codec: VideoCodec | None = None,
        prefer: str | Path | None = None,
        conversation_id: str | None = None,
        video_settings: VideoSettings | None = None,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
    ) -> CallOptions:
        if video and audio_only:
            raise SettingsError("video=True and audio_only=True contradict each other.")
        return CallOptions(
            video=video,
            announce=announce,
            video_codec=video_codec,
            prefer=prefer,
            conversation_id=conversation_id,
            ice=ice or self._ice,
            video_settings=video_settings or VideoSettings(),
            timeouts=timeouts or self._timeouts,
        )

    def prepare_call(
        self, recipient: object, *, source: Sendable | None = None, **options: Any
    ) -> tuple[Call, Any]:
        """A call that is not placed yet, and the coroutine that places it.

        For widgets, which show the call before it rings. Takes what :meth:`call` takes.
        """
        user = parse_recipient(recipient)
        call = Call(
            self.runner,
            recipient=user,
            direction="outgoing",
            options=self._options(**options),
            source=source,
        )
        return call, self._place(call, recipient)

    async def _place(self, call: Call, recipient: object) -> None:
        self._calls.add(call)
        call.on("ended", lambda _event: self._calls.discard(call))
        await self._prepare(call)
        await call._start(
            OutgoingP2P(
                call,
                self._bootstrap,
                self._p2p,
                self._profile,
                recipient=recipient,
            )
        )

    async def _prepare(self, call: Call) -> None:
        """Look at the file it prefers and reach the server; ends the call when that fails."""
        try:
            await call._look_at_preferred()
            await self._connect()
        except XnbError as error:
            await call._fail(error)
            raise

    @crosses
    async def call(
        self,
        recipient: object,
        *,
        video: bool = False,
        audio_only: bool | None = None,
        announce: bool = True,
        video_codec: VideoCodec | None = None,
        prefer: str | Path | None = None,
        conversation_id: str | None = None,
        source: Sendable | None = None,
        video_settings: VideoSettings | None = None,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
    ) -> Call:
        """Place a 1:1 call. Returns when the far end rings or is connected.

        Args:
            recipient: Numeric id, ``"@handle"``, ``"handle"``, or an object with an ``id``.
            video: Send and receive video.
            audio_only: The opposite of ``video``; give one of them.
            announce: Let the far end ring. Without it the far end must know the broadcast id.
            video_codec: ``"vp8"`` or ``"h264"`` only; ``None`` offers both.
            prefer: A file that will be sent later: its codec is asked for first, so that it need
                not be encoded anew. By itself that of ``source``.
            conversation_id: The conversation it belongs to.
            source: What to send: anything that :mod:`xnb.media.accept` lists, such as
                ``xnb.page_media()``, a file, an address, a figure or a generator. Silence, and
                with video the test card, by default.
            video_settings: Limits of the video that is sent.
            ice: Instead of the client's.
            timeouts: Instead of the client's.

        Raises:
            MediaError: The file to prefer is missing or unreadable; nothing was placed.
            UnknownUser: Nobody has that id or handle.
            CallGated: The account may not place calls.
            Unreachable, Unauthorized, SignalingError: From the server.
            Busy, Declined: The far end said no before this returned.
            SettingsError: Settings that contradict each other.
        """
        call, placing = self.prepare_call(
            recipient,
            video=video,
            audio_only=audio_only,
            announce=announce,
            video_codec=video_codec,
            prefer=prefer,
            conversation_id=conversation_id,
            source=source,
            video_settings=video_settings,
            ice=ice,
            timeouts=timeouts,
        )
        await placing
        return call

    call_now = blocking(call)

    # Calls in

    @crosses
    async def answer_call(
        self,
        /,
        *,
        broadcast_id: str,
        host_id: str | int | None = None,
        video: bool = False,
        **options: Any,
    ) -> Call:
        """Answer a call whose details are known.

        Args:
            broadcast_id: The server's id of the call.
            host_id: Who must have placed it; ``None`` accepts anybody.
            video: Send and receive video, when the caller offers it.
            **options: As for :meth:`call`.

        Raises:
            CallError: There is no such call, it is over, or somebody else placed it.
            ConnectError: The caller sent no offer in time.
        """
        host = str(host_id) if host_id is not None else None
        return await self._answer(broadcast_id, host, User(host or "", ""), video=video, **options)

    answer_call_now = blocking(answer_call)

    async def _answer(
        self,
        broadcast_id: str,
        host_id: str | None,
        caller: User,
        *,
        source: Sendable | None = None,
        **options: Any,
    ) -> Call:
        call = Call(
            self.runner,
            recipient=caller,
            direction="incoming",
            options=self._options(**options),
            source=source,
        )
        self._calls.add(call)
        call.on("ended", lambda _event: self._calls.discard(call))
        await self._prepare(call)
        await call._start(
            IncomingP2P(
                call,
                self._bootstrap,
                self._p2p,
                self._profile,
                broadcast_id=broadcast_id,
                host_id=host_id,
            )
        )
        return call

    async def _notices(self) -> ServerIncoming:
        await self._connect()
        await self._bootstrap.run()
        assert self._http is not None
        return ServerIncoming(self._http, self._profile, on_error=self._listening_failed)

    def _listening_failed(self, error: XnbError) -> None:
        self._emitter.emit(ErrorEvent(error=error))

    def on_error(self, fn: Callable[[ErrorEvent], Any]) -> ListenerHandle:
        """Call ``fn(event)`` when listening for calls has trouble that it goes on from."""
        return self._emitter.on("error", fn)

    @on_engine
    def listen_for_calls(self, callback: Callable[[IncomingCall], Any]) -> CallSubscription:
        """Call ``callback(incoming)`` for each call that comes in, on the engine's loop.

        Args:
            callback: A function or coroutine function.

        Returns:
            A subscription; ``close()`` stops it.
        """
        return self._listener.subscribe(callback)

    def incoming(self) -> Stream[IncomingCall]:
        """Calls that come in, as a stream: ``async for incoming in client.incoming()``."""
        stream: Stream[IncomingCall] = Stream(WAITING_CALLS)
        subscription = self.listen_for_calls(stream.put)
        stream._on_close = subscription.close
        return stream


def open_clients() -> tuple[Client, ...]:
    """The clients of this process that are in use and not closed, sorted by handle."""
    found = [one for one in _clients if not (one.is_closed or one.runner.is_closed)]
    return tuple(sorted(found, key=lambda one: one.handle))


def _close_at_exit(reference: weakref.ref[Client]) -> None:
    """Hang up what a program left open when it ended, and close its sockets."""
    client = reference()
    if client is None or client.is_closed or client.runner.is_closed:
        return
    loop = client.runner.loop
    with contextlib.suppress(Exception):
        if loop.is_running():
            client.runner.submit(client._close()).result(EXIT_TIMEOUT_S)
        else:
            loop.run_until_complete(asyncio.wait_for(client._close(), EXIT_TIMEOUT_S))
    client.runner.close()
