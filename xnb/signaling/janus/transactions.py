"""Requests under way: which reply belongs to which, time limits, dropped connections."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from .errors import JanusError, refused, unanswered
from .transport import DroppedError, Message, Transport

_log = logging.getLogger(__name__)

# When this loop was blocked, a time limit may end before the reply that is here was read.
_GRACE_S = 0.25
# The limit of a reply is kept here; that of the transport only frees its connection.
_TRANSPORT_EXTRA_S = 1.0
_KEPT_LATE = 64


class Tasks:
    """Tasks that end with their owner."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` until :meth:`cancel`."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it sees it; nobody else has to

    async def cancel(self) -> None:
        """End them all, except the one this is called from."""
        running = self._running - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How one request is made.

    Args:
        what: Names it in errors.
        limit_s: Limit of the reply.
        ack_is_final: Nothing comes after the server's ``ack``.
        may_repeat: Sending it twice does no harm.
        on_reply: Told the reply before anything else is read.
    """

    what: str
    limit_s: float
    ack_is_final: bool = False
    may_repeat: bool = False
    on_reply: Callable[[Message], None] | None = None


class _Transaction:
    def __init__(self, how: How) -> None:
        self.how = how
        self.future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()


class Transactions:
    """The requests of one session.

    Args:
        tasks: Where messages on their way out run.
        late_until: Waits until a dropped connection is settled, and gives the loop time until
            which a reply may still come.
    """

    def __init__(self, tasks: Tasks, late_until: Callable[[], Awaitable[float]]) -> None:
        self._tasks = tasks
        self._late_until = late_until
        self._pending: dict[str, _Transaction] = {}
        self._late: deque[str] = deque(maxlen=_KEPT_LATE)
        self._dropped = asyncio.Event()

    async def exchange(self, transport: Transport, message: Message, how: How) -> Message:
        """Send one message and wait for its final reply.

        Raises:
            DroppedError: It did not get through and may be sent again.
            JanusError: It was refused, or not answered.
        """
        name = token_hex(8)
        pending = self._pending[name] = _Transaction(how)
        sending = self._tasks.start(
            transport.send({**message, "transaction": name}, how.limit_s + _TRANSPORT_EXTRA_S),
            "xnb janus request",
        )
        try:
            why = await self._wait(pending, sending)
            if pending.future.done():
                return pending.future.result()
        finally:
            self._pending.pop(name, None)
            if pending.future.cancel():
                self._late.append(name)
            elif not pending.future.cancelled():
                pending.future.exception()  # seen, also when it came too late
        raise unanswered(how.what, why)

    async def _wait(self, pending: _Transaction, sending: asyncio.Task[None]) -> str:
        """Wait for the reply, the time limit or a drop; say why there is no reply."""
        loop = asyncio.get_running_loop()
        how = pending.how
        end_s = loop.time() + how.limit_s
        dropped = self._tasks.start(_set(self._dropped), "xnb janus drop")
        waiting: set[asyncio.Future[Any]] = {pending.future, sending, dropped}
        why = f"nothing within {how.limit_s:g} s"
        try:
            while not pending.future.done():
                left_s = max(0.0, end_s - loop.time())
                done, _ = await asyncio.wait(
                    waiting, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                )
                if pending.future.done():
                    break
                if not done:
                    await asyncio.wait({pending.future}, timeout=_GRACE_S)
                    break
                waiting -= done
                broken = _failure_of(sending) if sending in done else None
                if broken is None and dropped not in done:
                    continue
                why = broken.why if broken else "the connection was dropped"
                if how.may_repeat or (broken is not None and broken.never_sent):
                    raise DroppedError(why)
                why += "; whether it was done is unknown"
                end_s = await self._late_until()
                waiting -= {sending, dropped}
        finally:
            dropped.cancel()
        return why

    def drop(self) -> None:
        """The connection broke: nothing that was sent on it is sure to be answered."""
        dropped, self._dropped = self._dropped, asyncio.Event()
        dropped.set()

    def answer(self, message: Message, secrets: Collection[str]) -> bool:
        """Give a message to the request it belongs to.

        Args:
            message: What the server said.
            secrets: What must not show in the error text of a refusal.

        Returns:
            Whether it was a reply, also one that came too late.
        """
        kind, name = message.get("janus"), message.get("transaction")
        pending = self._pending.get(name) if isinstance(name, str) else None
        if pending is None:
            if name in self._late:
                _log.debug("A reply came after its time limit.")
                return True
            return kind in ("ack", "success", "error", "server_info")
        if not pending.future.done():
            if kind == "error":
                code, reason = error_in(message)
                pending.future.set_exception(refused(pending.how.what, code, reason, secrets))
            elif kind != "ack" or pending.how.ack_is_final:
                _settle(pending, message)
        return True

    def fail(self, make: Callable[[str], JanusError]) -> None:
        """End all requests with an error made from their name."""
        for pending in list(self._pending.values()):
            if not pending.future.done():
                pending.future.set_exception(make(pending.how.what))


def error_in(message: Mapping[str, Any]) -> tuple[int, str]:
    """Code and reason of an ``error`` message; 0 without one."""
    error = message.get("error")
    if not isinstance(error, Mapping):
        return 0, ""
    code = error.get("code")
    return code if isinstance(code, int) else 0, str(error.get("reason") or "")


def id_in(reply: Mapping[str, Any], what: str) -> int:
    """The id that a ``success`` reply gives.

    Args:
        reply: The message.
        what: The request, in words.

    Raises:
        JanusError: It gives none.
    """
    data = reply.get("data")
    number = data.get("id") if isinstance(data, Mapping) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise unanswered(what, "its reply has no id")
    return number


async def _set(event: asyncio.Event) -> None:
    await event.wait()


def _settle(pending: _Transaction, message: Message) -> None:
    try:
        if pending.how.on_reply is not None:
            pending.how.on_reply(message)
    except JanusError as error:
        pending.future.set_exception(error)
    else:
        pending.future.set_result(message)


def _failure_of(task: asyncio.Task[None]) -> DroppedError | None:
    """Why a message was not sent, or ``None`` if it was."""
    if task.cancelled():
        return DroppedError("it was not sent", never_sent=True)
    error = task.exception()
    if error is None or isinstance(error, DroppedError):
        return error
    return DroppedError(f"it could not be sent ({type(error).__name__})")
