"""One attachment to a plugin: requests, and what happens to its peer connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import JanusError, refused

if TYPE_CHECKING:
    from .session import JanusSession

_log = logging.getLogger(__name__)

# Doing one of these twice is the same as doing it once, so they are repeated when the reply may
# have been lost with a dropped connection. A join, a publish or a kick is not.
_REPEATABLE = frozenset(
    {"configure", "exists", "list", "listparticipants", "moderate", "pause", "start", "switch"}
)
_DETACH_S = 3.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What a plugin answered.

    Args:
        data: The plugin's part of the answer.
        jsep: A description that came with it: ``type`` and ``sdp``.
    """

    data: Mapping[str, Any] = field(repr=False)
    jsep: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Event:
    """What a plugin said without being asked.

    Args:
        data: The plugin's part of the event.
        jsep: A description that came with it: ``type`` and ``sdp``.
    """

    data: Mapping[str, Any] = field(repr=False)
    jsep: Mapping[str, Any] | None = field(default=None, repr=False)


class JanusHandle:
    """One attachment to a plugin, with at most one peer connection; made by ``session.attach``.

    Requests go out one at a time: a plugin that is asked for two things at once may answer them
    in any order. Nothing that ends on the server (leaving, being kicked, the room's end) closes
    the peer connection on this side; that is for its owner to do.

    Attributes:
        id: Janus' number of it.
        plugin: The plugin's name.
        on_event: Told what the plugin says by itself.
        on_webrtcup: Told that media can flow.
        on_media: Told whether Janus receives ``"audio"`` or ``"video"`` on an m-line (kind, mid,
            receiving).
        on_hangup: Told why the peer connection is gone on the server.
        on_detached: Told that the server ended the handle.
        on_trickle: Told of the server's candidates, ``None`` after the last one; most servers put
            them into the description instead.

    Example:
        >>> handle = await session.attach("janus.plugin.echotest")
        >>> reply = await handle.request({"audio": True}, jsep={"type": "offer", "sdp": offer})
    """

    def __init__(self, session: JanusSession, number: int, plugin: str) -> None:
        self.id = number
        self.plugin = plugin
        self.on_event: Callable[[Event], None] | None = None
        self.on_webrtcup: Callable[[], None] | None = None
        self.on_media: Callable[[str, str, bool], None] | None = None
        self.on_hangup: Callable[[str], None] | None = None
        self.on_detached: Callable[[], None] | None = None
        self.on_trickle: Callable[[Mapping[str, Any] | None], None] | None = None
        self._session = session
        self._asking = asyncio.Lock()
        self._is_detached = False

    def __repr__(self) -> str:
        name = self.plugin.rpartition(".")[2]
        return f"<JanusHandle {name}{', detached' if self._is_detached else ''}>"

    async def request(
        self,
        body: Mapping[str, Any],
        jsep: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Reply:
        """Ask the plugin for something and wait for its answer, however it comes.

        Args:
            body: The request, as the plugin documents it.
            jsep: A description to go with it: ``type`` and ``sdp``.
            timeout_s: Limit instead of the session's ``request_s``; starts when earlier requests
                on this handle are done.

        Raises:
            JanusError: The server or the plugin refused, did not answer in time, or is gone.
        """
        name = body.get("request")
        what = str(name) if isinstance(name, str) else "negotiate"
        message: dict[str, Any] = {"janus": "message", "body": dict(body)}
        if jsep is not None:
            message["jsep"] = dict(jsep)
        async with self._asking:
            answer = await self._session.ask(
                message,
                what=what,
                handle_id=self.id,
                limit_s=timeout_s,
                may_repeat=name in _REPEATABLE and jsep is None,
            )
        data, answered = parts(answer)
        self._session.check(data, what)
        return Reply(data, answered)

    async def trickle(self, *candidates: Mapping[str, Any] | None) -> None:
        """Tell the server candidates (RFC 8838).

        Args:
            candidates: ``candidate``, ``sdpMid`` and ``sdpMLineIndex`` each; ``None`` says that
                there are no more.

        Raises:
            JanusError: As for :meth:`request`.
        """
        found = [{"completed": True} if one is None else dict(one) for one in candidates]
        if not found:
            return
        inside: dict[str, Any] = (
            {"candidates": found} if len(found) > 1 else {"candidate": found[0]}
        )
        await self._session.ask(
            {"janus": "trickle", **inside},
            what="take candidates",
            handle_id=self.id,
            ack_is_final=True,
            may_repeat=True,
        )

    async def hangup(self) -> None:
        """Have the server end the peer connection; the handle stays.

        Raises:
            JanusError: As for :meth:`request`.
        """
        await self._session.ask(
            {"janus": "hangup"}, what="hang up", handle_id=self.id, ack_is_final=True
        )

    async def detach(self) -> None:
        """End the handle. May be called again; a server that does not answer is no error."""
        if self._is_detached:
            return
        self._is_detached = True
        try:
            if self._session.state in ("open", "claiming"):
                # Of the whole, also while a dropped session is being taken up again.
                async with asyncio.timeout(min(_DETACH_S, self._session.gateway.request_s)):
                    await self._session.ask(
                        {"janus": "detach"}, what="detach", handle_id=self.id, ack_is_final=True
                    )
        except (JanusError, TimeoutError) as error:
            _log.debug("A handle could not be detached (%s).", type(error).__name__)
        finally:
            self._session.forget(self)

    def take(self, message: Mapping[str, Any]) -> None:
        """Take what the server said about this handle; called by the session."""
        kind = message.get("janus")
        if kind == "event":
            call(self.on_event, Event(*parts(message)))
        elif kind == "webrtcup":
            call(self.on_webrtcup)
        elif kind == "media":
            mid, media = message.get("mid"), message.get("type")
            call(self.on_media, str(media), str(mid or ""), message.get("receiving") is True)
        elif kind == "hangup":
            call(self.on_hangup, str(message.get("reason") or ""))
        elif kind == "trickle":
            candidate = message.get("candidate")
            if isinstance(candidate, Mapping):
                call(self.on_trickle, None if candidate.get("completed") else candidate)
        elif kind == "detached":
            self._session.forget(self)
            if not self._is_detached:
                self._is_detached = True
                call(self.on_detached)


def parts(message: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """The plugin's data of a message, and its description when it has a usable one."""
    plugin = message.get("plugindata")
    data = plugin.get("data") if isinstance(plugin, Mapping) else None
    jsep = message.get("jsep")
    is_usable = isinstance(jsep, Mapping) and isinstance(jsep.get("sdp"), str)
    return data if isinstance(data, Mapping) else {}, jsep if is_usable else None


def call(callback: Callable[..., None] | None, *arguments: object) -> None:
    """Call a listener; what it raises is logged and stops nobody else."""
    if callback is None:
        return
    try:
        callback(*arguments)
    except Exception as error:
        # Only its name: messages and tracebacks may hold descriptions.
        _log.error("A listener of a group call raised %s.", type(error).__name__)


def refusal(data: Mapping[str, Any], what: str, secrets: tuple[str, ...]) -> JanusError | None:
    """The error that a plugin's answer stands for, or ``None``."""
    code = data.get("error_code")
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    return refused(what, code, str(data.get("error") or ""), secrets)
