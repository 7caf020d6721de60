"""Calls that come in: what rings, and the subscriptions that listen for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .errors import CallError, SettingsError, SignalingError, XnbError
from .loop import Runner, blocking, crosses
from .signaling.incoming import IncomingNotice
from .signaling.messages import User

if TYPE_CHECKING:
    from .calls import Call
    from .client import Client

STATUS_S = 1.0
"""Seconds between two looks at whether a call still rings."""
RETRY_S = 2.0
"""Seconds before listening is tried again after a failure."""

GoneWhy = Literal["canceled", "answered_elsewhere", "missed", "answered", "declined"]


class IncomingCall:
    """Somebody calls.

    Attributes:
        broadcast_id: The server's id of the call.
        host_id: Numeric id of the caller.
        caller: The caller, with the handle when the server told it.
        conversation_id: The conversation it belongs to, or ``None``.
        audio_only: Whether the caller offers no video.
        kind: ``"p2p"``, or ``"group"`` for an invitation to a group call.
        title: What the host of a group calls it.
        gone: Why it does not ring any more, or ``None`` while it rings.
    """

    def __init__(self, client: Client, notice: IncomingNotice) -> None:
        self.runner: Runner = client.runner
        self.broadcast_id = notice.broadcast_id
        self.host_id = notice.host_id
        self.caller = User(notice.host_id, notice.host_handle)
        self.conversation_id = notice.conversation_id
        self.audio_only = notice.audio_only
        self.kind = notice.kind
        self.title = notice.title
        self.gone: GoneWhy | None = None
        self._client = client
        self._chat_token = notice.chat_token
        self._listeners: list[Callable[[GoneWhy], Any]] = []
        self._watch = asyncio.ensure_future(self._watch_status())

    def __repr__(self) -> str:
        kind = ("audio" if self.audio_only else "video") + (" group" if self._is_group else "")
        return f"<{kind} call from {self.caller.handle or self.host_id}: {self.gone or 'ringing'}>"

    @crosses
    async def accept(self, /, **options: Any) -> Call:
        """Answer it.

        Args:
            **options: As for :meth:`xnb.Client.answer_call`; ``video`` defaults to what the
                caller offers.

        Raises:
            CallError: It does not ring any more.
        """
        self._must_ring()
        self._set_gone("answered")
        options.setdefault("video", not self.audio_only)
        if self._is_group:
            call, joining = self._client.prepare_join(
                self.broadcast_id,
                host=self.caller,
                title=self.title,
                chat_token=self._chat_token,
                **options,
            )
            await joining
            return call
        return await self._client._answer(self.broadcast_id, self.host_id, self.caller, **options)

    accept_now = blocking(accept)

    @crosses
    async def decline(self) -> None:
        """Refuse it. The caller is told at once.

        Raises:
            CallError: It does not ring any more.
        """
        self._must_ring()
        self._set_gone("declined")
        if self._is_group:
            await self._client._spaces().decline(self.broadcast_id)
        else:
            await self._client._p2p.leave(self.broadcast_id)

    decline_now = blocking(decline)

    @property
    def _is_group(self) -> bool:
        return self.kind == "group"

    def on_gone(self, callback: Callable[[GoneWhy], Any]) -> None:
        """Call ``callback(why)`` when it stops ringing; at once when it has already.

        ``why`` is ``canceled``, ``missed``, ``answered``, ``answered_elsewhere`` or ``declined``.
        """
        if self.gone:
            callback(self.gone)
        else:
            self._listeners.append(callback)

    def _must_ring(self) -> None:
        if self.gone:
            raise CallError(
                f"The call does not ring any more ({self.gone.replace('_', ' ')}).",
                remedy="Call back instead.",
            )

    def _set_gone(self, why: GoneWhy) -> None:
        if self.gone:
            return
        self.gone = why
        if self._watch is not asyncio.current_task():
            self._watch.cancel()
        for listener in self._listeners:
            listener(why)
        self._listeners.clear()

    async def _watch_status(self) -> None:
        while self.gone is None:
            await asyncio.sleep(STATUS_S)
            try:
                await self._look()
            except SignalingError as error:
                if error.status in (403, 404, 410):
                    self._set_gone("canceled")
            except XnbError:
                continue

    async def _look(self) -> None:
        """Ask whether it still rings."""
        if self._is_group:
            await self._look_at_group()
            return
        status = await self._client._p2p.status(self.broadcast_id)
        if status.ended:
            missed = status.end_reason in ("MISSED", "TIMED_OUT")
            self._set_gone("missed" if missed else "canceled")
        elif status.remote_answered(""):
            self._set_gone("answered_elsewhere")

    async def _look_at_group(self) -> None:
        assert self._client._http is not None
        status = await self._client._spaces().status(self.broadcast_id)
        me = status.member(self._client._http.user_id)
        if not status.is_live or (me and me.was_removed):
            self._set_gone("canceled")
        elif me and me.is_in_call:
            self._set_gone("answered_elsewhere")
        elif me and me.has_declined:
            self._set_gone("declined")


class CallSubscription:
    """What :meth:`xnb.Client.listen_for_calls` returns; ``close()`` stops listening."""

    def __init__(self, close: Callable[[CallSubscription], None]) -> None:
        self._close = close
        self.closed = False

    def close(self) -> None:
        """Stop listening. May be called again, from any thread."""
        if not self.closed:
            self.closed = True
            self._close(self)


class CallListener:
    """Listens for a client's calls as long as somebody has subscribed.

    Trouble with the server is told to the client's error listeners and tried again.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._subscriptions: dict[CallSubscription, Callable[[IncomingCall], Any]] = {}
        self._listening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Future[Any]] = set()

    def subscribe(self, callback: Callable[[IncomingCall], Any]) -> CallSubscription:
        """Hand each call that comes in to ``callback``. Runs on the engine's loop."""
        subscription = CallSubscription(
            lambda subscription: self._client.runner.post(self._unsubscribe, subscription)
        )
        self._subscriptions[subscription] = callback
        if self._listening is None or self._listening.done():
            self._listening = asyncio.ensure_future(self._listen())
        return subscription

    def _unsubscribe(self, subscription: CallSubscription) -> None:
        self._subscriptions.pop(subscription, None)
        if not self._subscriptions and self._listening:
            self._listening.cancel()
            self._listening = None

    async def close(self) -> None:
        """End every subscription. May be called again."""
        for subscription in tuple(self._subscriptions):
            subscription.close()
        task, self._listening = self._listening, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except XnbError as error:
                self._client._listening_failed(error)
                if isinstance(error, SettingsError):
                    return
                await asyncio.sleep(RETRY_S)

    async def _listen_once(self) -> None:
        source = await self._client._notices()
        try:
            async for notice in source.notices():
                incoming = IncomingCall(self._client, notice)
                for callback in tuple(self._subscriptions.values()):
                    task = asyncio.ensure_future(self._tell(callback, incoming))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            await source.close()

    async def _tell(self, callback: Callable[[IncomingCall], Any], incoming: IncomingCall) -> None:
        """A subscriber's own bug is reported and disturbs neither the others nor the listening."""
        try:
            result = callback(incoming)
            if asyncio.iscoroutine(result):
                await result
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "A listener for calls failed", "exception": error}
            )
