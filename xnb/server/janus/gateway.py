"""The dialect of the live service's Janus gateway, on the same core and the same videoroom.

What differs from the stock API (PROTOCOL C3): HTTP only; the raw credential in ``Authorization``
on every request; rooms have text as ids; every body names the room and the sender's
``periscope_user_id``; publishers are listed with theirs; answers come on the poll or on the POST
itself; ``descriptions`` are refused with 429; ``videoroom`` errors such as 427 (room exists) are
the plugin's own. What it does to hosts that do not know its habits is there as switches.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from aiohttp import web

from .api_error import ApiError, Code
from .core import Core, error_message
from .long_poll import POLL_S, LongPoll, answer, ask, located, path_number, read_json
from .session import Json, Session
from .tokens import VIDEOROOM

_MISSING_ELEMENT = 429
_INVALID_ELEMENT = 430
_ANSWER_S = 30.0
_MAX_TIMERS = 1024
_SECTION = re.compile(r"^m=(?:audio|video) .*?(?=^m=|\Z)", re.MULTILINE | re.DOTALL)
_ONE_WAY = re.compile(r"^a=(?:sendonly|recvonly|inactive)\s*$", re.MULTILINE)

Replies = Literal["poll", "post"]


@dataclass(frozen=True, slots=True)
class GatewayQuirks:
    """How the gateway behaves. All the habits of the live one are off unless asked for.

    Args:
        replies: Where answers to asynchronous messages come: on the ``poll``, as in Janus, or
            on the ``post`` itself.
        host_must_subscribe_s: A room ends so long after its first publisher published, unless
            that one has subscribed to its own feed on another handle (live: about 120 s).
        sendrecv_drop_s: A publisher whose offer says ``sendrecv`` is taken for a listener and
            dropped after so long (live: about 60 s).
        needs_user_id: Refuse bodies without ``periscope_user_id``.
        poll_s: How long a poll is held.
    """

    replies: Replies = "poll"
    host_must_subscribe_s: float | None = None
    sendrecv_drop_s: float | None = None
    needs_user_id: bool = True
    poll_s: float = POLL_S


class HasRooms(Protocol):
    """What the host's habits need of the videoroom."""

    async def destroy_room(self, room: str | int) -> None:
        """End a room; everybody in it is told."""
        ...


class GatewayDialect:
    """HTTP requests in the gateway's dialect.

    Args:
        core: Who answers.
        rooms: The videoroom.
        quirks: Habits.
    """

    def __init__(self, core: Core, rooms: HasRooms, quirks: GatewayQuirks | None = None) -> None:
        self._core = core
        self._rooms = rooms
        self._quirks = quirks or GatewayQuirks()
        self._long_poll = LongPoll(core, poll_s=self._quirks.poll_s)
        self._awaited: dict[tuple[int, str], asyncio.Future[Json]] = {}
        self._timers: dict[tuple[str, object], asyncio.Task[None]] = {}
        self._hosts: dict[str, str] = {}

    async def post(self, request: web.Request) -> web.Response:
        """One request; answered by the reply, or with ``replies="post"`` by the event itself."""
        transaction = None
        try:
            message = located(await read_json(request), request)
            if not isinstance(message, dict):
                raise ApiError(Code.INVALID_JSON_OBJECT, "JSON error: not an object")
            transaction = message.get("transaction")
            message["token"] = request.headers.get("Authorization", "")
            message.pop("apisecret", None)
            refused = self._refusal(message)
            if refused is not None:
                self._core.authorize(None, message["token"])
                return answer(refused)
            return answer(await self._ask(message))
        except ApiError as error:
            known = transaction if isinstance(transaction, str) else None
            return answer(error_message(error, known, path_number(request, "session_id")))

    async def get(self, request: web.Request) -> web.Response:
        """A poll for events."""
        credential = request.headers.get("Authorization", "")
        return await self._long_poll.answer_poll(request, None, credential)

    def close(self) -> None:
        """Forget all timers. May be called again."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def _ask(self, message: Json) -> Json:
        body = message.get("body")
        key = (message.get("session_id", 0), str(message.get("transaction", "")))
        waits = self._quirks.replies == "post" and message.get("janus") == "message"
        if waits:
            self._awaited[key] = asyncio.get_running_loop().create_future()
        try:
            reply = _with_user_ids(await ask(self._core, message))
            if reply.get("janus") == "success" and message.get("janus") == "create":
                self._adopt(self._core.session(reply["data"]["id"]))
            kinds = (message.get("janus"), reply.get("janus"))
            if isinstance(body, dict) and kinds == ("message", "ack"):
                self._watch(message, body)
            if waits and reply.get("janus") == "ack":
                async with asyncio.timeout(_ANSWER_S):
                    return await self._awaited[key]
            return reply
        except TimeoutError:
            return {"janus": "ack", "transaction": key[1]}
        finally:
            self._awaited.pop(key, None)

    def _adopt(self, session: Session) -> None:
        def translate(event: Json) -> Json:
            data = event.get("plugindata", {}).get("data", {})
            if data.get("videoroom") == "joined":
                session.own_feeds.add(str(data.get("id")))
            return _with_user_ids(event)

        session.translate = translate
        if self._quirks.replies == "post":
            session.intercept = self._intercept(session.id)

    def _intercept(self, session_id: int) -> Callable[[Json], bool]:
        def takes(event: Json) -> bool:
            waiting = self._awaited.get((session_id, event.get("transaction", "")))
            if waiting is None or waiting.done():
                return False
            waiting.set_result(event)
            return True

        return takes

    def _refusal(self, message: Json) -> Json | None:
        """What the gateway's videoroom says to a body that the stock one would take."""
        body = message.get("body")
        if message.get("janus") != "message" or not isinstance(body, dict):
            return None
        if body.get("room") is None:
            return _refused(message, _MISSING_ELEMENT, "Missing element (room)")
        if not isinstance(body["room"], str):
            return _refused(message, _INVALID_ELEMENT, "Invalid element (room should be a string)")
        if self._quirks.needs_user_id and not isinstance(body.get("periscope_user_id"), str):
            return _refused(message, _MISSING_ELEMENT, "Missing element (periscope_user_id)")
        if "descriptions" in body:
            return _refused(message, _MISSING_ELEMENT, "Invalid element (descriptions)")
        return None

    def _watch(self, message: Json, body: Json) -> None:
        """Start and stop the timers of the host's habits."""
        room, user, jsep = body["room"], body.get("periscope_user_id"), message.get("jsep") or {}
        request = body.get("request")
        if request == "join" and body.get("ptype") == "subscriber":
            if self._hosts.get(room) == user and self._is_own_feed(message, body):
                self._stop(("host", room))
            return
        if request not in {"publish", "configure", "joinandconfigure"} or not jsep:
            return
        limit_s = self._quirks.host_must_subscribe_s
        if limit_s is not None and room not in self._hosts:
            self._hosts[room] = str(user)
            self._start(("host", room), limit_s, lambda: self._end_room(room))
        limit_s = self._quirks.sendrecv_drop_s
        if limit_s is not None and _is_sendrecv(str(jsep.get("sdp", ""))):
            session_id, handle_id = message["session_id"], message["handle_id"]
            self._start(("drop", handle_id), limit_s, lambda: self._drop(session_id, handle_id))

    def _is_own_feed(self, message: Json, body: Json) -> bool:
        session = self._core.sessions.get(message["session_id"])
        streams = body.get("streams")
        wanted = {str(body.get("feed"))}
        if isinstance(streams, list):
            wanted |= {str(each.get("feed")) for each in streams if isinstance(each, dict)}
        return session is not None and bool(wanted & session.own_feeds)

    def _start(self, key: tuple[str, object], after_s: float, then: Callable[[], Any]) -> None:
        async def wait() -> None:
            await asyncio.sleep(after_s)
            self._timers.pop(key, None)
            await then()

        self._stop(key)
        if len(self._timers) < _MAX_TIMERS:
            self._timers[key] = asyncio.create_task(wait(), name=f"gateway {key[0]}")

    def _stop(self, key: tuple[str, object]) -> None:
        timer = self._timers.pop(key, None)
        if timer:
            timer.cancel()

    async def _end_room(self, room: str) -> None:
        self._hosts.pop(room, None)
        await self._rooms.destroy_room(room)

    async def _drop(self, session_id: int, handle_id: int) -> None:
        session = self._core.sessions.get(session_id)
        handle = session.handles.get(handle_id) if session else None
        if handle is not None:
            await handle.submit(handle.hang_up)
            handle.hangup("Listener timed out")


def _is_sendrecv(sdp: str) -> bool:
    # No direction at all means sendrecv (RFC 8866 section 6.7.2).
    return any(not _ONE_WAY.search(section) for section in _SECTION.findall(sdp))


def _with_user_ids(message: Json) -> Json:
    """Publishers and attendees with their ``periscope_user_id``, which is what they display."""
    data = message.get("plugindata", {}).get("data", {})
    lists = {name: data[name] for name in ("publishers", "attendees") if name in data}
    if not lists:
        return message
    told = {
        name: [each | {"periscope_user_id": each.get("display", "")} for each in people]
        for name, people in lists.items()
    }
    return message | {"plugindata": message["plugindata"] | {"data": data | told}}


def _refused(message: Json, code: int, words: str) -> Json:
    return {
        "janus": "success",
        "session_id": message.get("session_id"),
        "transaction": message.get("transaction"),
        "sender": message.get("handle_id"),
        "plugindata": {
            "plugin": VIDEOROOM,
            "data": {"videoroom": "event", "error_code": code, "error": words},
        },
    }
