"""The one HTTP client of a signaling session: retries, time limits, redaction, tracing."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from ..errors import SettingsError, SignalingError, Unreachable
from ..profile import PathKey, ServerProfile
from ..settings import Timeouts
from .failures import STAGES, refusal, words_for
from .trace import Trace, TraceEntry, summarise

# Reads, and leave: doing one of these twice is the same as doing it once. A create or a send
# whose reply was lost may have worked, so it is never repeated.
RETRIED: frozenset[PathKey] = frozenset(
    {
        "token",
        "turn",
        "status",
        "receive",
        "lookup",
        "incoming",
        "leave",
        "region",
        "group_chat",
        "group_reconnect",
        "group_negotiate",
        "group_status",
        "group_counts",
        "group_stream_end",
        "group_end",
        "group_end_broadcast",
    }
)
_GOODBYES: frozenset[PathKey] = frozenset(
    {"leave", "group_stream_end", "group_decline", "group_end", "group_end_broadcast"}
)
_RETRY_STATUSES = frozenset({502, 503, 504})
_RETRY_PAUSES_S = (0.1, 0.4)
_LEAST_ATTEMPT_S = 0.1
_MAX_REPLY_BYTES = 2 * 1024 * 1024
# Below the keep-alive of usual servers: a request must not meet a connection being closed.
_KEEPALIVE_S = 10.0


class _LostError(Exception):
    """The connection failed or the time ran out; ``why`` in words."""

    def __init__(self, why: str, *, timed_out: bool) -> None:
        self.why = why
        self.timed_out = timed_out
        super().__init__(why)


@dataclass(frozen=True, slots=True, repr=False)
class _Request:
    key: PathKey
    limit_s: float
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)


class HttpClient:
    """HTTP calls of one session.

    Args:
        profile: The service to speak to.
        token: Bearer token of the GraphQL calls.
        cookies: Cookies of a web session (``auth_token``, ``ct0``), where the service wants them.
        session: A session to use instead of an own one; it is not closed by :meth:`close`.
        connector: A connector for the own session.
        trace: Where messages are recorded.
        timeouts: ``signaling_s`` limits one request, ``hangup_s`` the requests that end things.

    Attributes:
        user_id: Our numeric id, once logged in; empty when the login did not tell.
        periscope_id: Our other id, by which the live service's gateway names people.
    """

    def __init__(
        self,
        profile: ServerProfile,
        *,
        token: str | None = None,
        cookies: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        connector: aiohttp.BaseConnector | None = None,
        trace: Trace | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        if token is not None and (not token or any(ord(c) <= 32 or ord(c) > 126 for c in token)):
            raise SettingsError(
                "The server token is empty or has characters a header cannot carry.",
                remedy="Copy the token again, without spaces or line breaks.",
            )
        self.profile = profile
        self.trace = Trace() if trace is None else trace
        self.timeouts = timeouts or Timeouts()
        self.refresh: Callable[[], Awaitable[object]] | None = None
        self._token = token
        self._cookies = dict(cookies or {})
        self._guest_token: str | None = None
        self._cookie: str | None = None
        self.user_id = ""
        self.periscope_id = ""
        self._secrets: set[str] = {s for s in (token, *self._cookies.values()) if s}
        self._session = session
        self._owns_session = session is None
        self._connector = connector
        self._closed = False

    def __repr__(self) -> str:
        return f"HttpClient({self.profile!r}{', closed' if self._closed else ''})"

    def set_guest_token(self, token: str | None) -> None:
        """Use ``token`` for the guest calls from now on."""
        self._guest_token = token
        self.hide(token)

    def set_login(self, cookie: str, user_id: str = "", periscope_id: str = "") -> None:
        """Who we are from now on; the cookie goes into the bodies of the calls that take it."""
        self._cookie = cookie
        self.user_id = user_id
        self.periscope_id = periscope_id
        self.hide(cookie)

    def hide(self, *secrets: str | None) -> None:
        """Never let these values into an error text."""
        self._secrets.update(s for s in secrets if s and len(s) > 3)

    async def get(
        self,
        key: PathKey,
        params: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """GET a call and return its JSON object. Raises as :meth:`post`."""
        return await self._call(
            _Request(key, self.timeouts.signaling_s, None, headers or {}, params or {})
        )

    async def post(
        self, key: PathKey, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """POST a JSON body and return the reply's JSON object.

        Args:
            key: Which call.
            body: What to send.
            timeout_s: Limit of one attempt instead of the usual one.

        Raises:
            CallGated: 403 on create.
            Unauthorized: 401, also after the guest token was renewed once.
            UnknownUser: 404 about a user.
            Unreachable: No connection, or no answer in time; the message names the stage.
            SignalingError: Any other refusal, or a reply that is no JSON object.
        """
        usual_s = self.timeouts.hangup_s if key in _GOODBYES else self.timeouts.signaling_s
        return await self._call(_Request(key, timeout_s or usual_s, body))

    async def csrf_cookie(self) -> str | None:
        """The ``ct0`` cookie of the web session, fetched from the home page if need be."""
        if "ct0" not in self._cookies and self.profile.home_url and self._cookies:
            failure = ""
            try:
                async with self._open_session().get(
                    self.profile.home_url,
                    headers={**self.profile.graphql_headers, "cookie": self._cookie_header()},
                    timeout=aiohttp.ClientTimeout(total=self.timeouts.signaling_s),
                    allow_redirects=False,
                ) as reply:
                    if "ct0" in reply.cookies:
                        self._cookies["ct0"] = reply.cookies["ct0"].value
                        self.hide(self._cookies["ct0"])
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                failure = words_for(error)
            if failure:
                raise self._unreachable("opening the web session", failure)
        return self._cookies.get("ct0")

    def _cookie_header(self) -> str:
        return "; ".join(f"{k}={v}" for k, v in self._cookies.items())

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise SignalingError(
                "The connection to the server is closed.", remedy="Make a new client."
            )
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector
                or aiohttp.TCPConnector(limit=64, keepalive_timeout=_KEEPALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=not self.profile.is_loopback,
            )
        return self._session

    def _headers(self, key: PathKey) -> dict[str, str]:
        headers = {"content-type": "application/json"}
        family = self.profile.family(key)
        if family == "graphql":
            headers.update(self.profile.graphql_headers)
            if self._token:
                headers["authorization"] = f"Bearer {self._token}"
            if self._cookies:
                headers["cookie"] = self._cookie_header()
                headers["x-csrf-token"] = self._cookies.get("ct0", "")
        elif family == "proxsee":
            headers.update(self.profile.proxsee_headers)
            headers["X-Idempotence"] = str(uuid.uuid4())
        elif self._guest_token:
            headers["Authorization"] = self._guest_token
        return headers

    async def _call(self, request: _Request) -> dict[str, Any]:
        key = request.key
        pauses = list(_RETRY_PAUSES_S) if key in RETRIED else []
        deadline_s = time.monotonic() + request.limit_s
        renewed = False
        while True:
            failure = None
            guest_token = self._guest_token
            try:
                status, reply = await self._attempt(
                    request, max(deadline_s - time.monotonic(), _LEAST_ATTEMPT_S)
                )
            except _LostError as lost:
                failure, status, reply = lost.why, 0, None
                if lost.timed_out:
                    pauses.clear()
            if (status in _RETRY_STATUSES or failure) and pauses:
                await asyncio.sleep(pauses.pop(0) * (1 + random.random() / 2))  # noqa: S311 jitter
                continue
            if failure:
                raise self._unreachable(STAGES[key], failure)
            if status == 401 and self.refresh and not renewed and self._is_renewed(key):
                # Refused before anything was done, so even a create may be repeated. Another
                # request may have renewed the token while this one was under way.
                renewed = True
                if guest_token == self._guest_token:
                    await self.refresh()
                continue
            if not 200 <= status < 300:
                raise refusal(self.profile.name, key, status, reply, self._secrets)
            if not isinstance(reply, dict):
                raise SignalingError(
                    f"The {self.profile.name} sent no JSON object while {STAGES[key]}.",
                    remedy="Check that the URL is that of a call server and not of a proxy or "
                    "a login page.",
                    status=status,
                )
            return reply

    def _is_renewed(self, key: PathKey) -> bool:
        return self.profile.family(key) == "guest" or self.profile.takes_cookie(key)

    async def _attempt(self, request: _Request, limit_s: float) -> tuple[int, object]:
        session = self._open_session()
        key, body = request.key, request.body
        url = self.profile.url(key)
        if body is not None and self.profile.takes_cookie(key):
            body = {**body, "cookie": self._cookie or ""}
        data = None if body is None else json.dumps(body).encode()
        started_s = time.monotonic()
        self.trace.add(
            TraceEntry(
                time_s=started_s,
                direction="out",
                channel="http",
                name=key,
                summary={} if body is None else summarise(body, self._secrets),
                size_bytes=len(data or b""),
            )
        )
        why, timed_out = "", False
        try:
            async with session.request(
                "GET" if body is None else "POST",
                url,
                data=data,
                params=request.params,
                headers={**self._headers(key), **request.headers},
                timeout=aiohttp.ClientTimeout(total=limit_s),
                allow_redirects=False,
            ) as response:
                status = response.status
                raw = await _read_bounded(response)
        except TimeoutError:
            why, timed_out = f"no answer within {request.limit_s:g} s", True
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = words_for(error)
        if why:
            # Raised outside the handler: the library's exceptions hold headers and addresses.
            self._note_reply(key, "lost", {"why": why}, 0, started_s)
            raise _LostError(why, timed_out=timed_out)
        reply: object = None
        if raw is not None:
            try:
                reply = json.loads(raw)
            except (ValueError, RecursionError):
                reply = None
        self._note_reply(
            key, str(status), summarise(reply, self._secrets), len(raw or b""), started_s
        )
        return status, reply

    def _note_reply(
        self, key: PathKey, outcome: str, summary: dict[str, Any], size: int, started_s: float
    ) -> None:
        now_s = time.monotonic()
        self.trace.add(
            TraceEntry(
                time_s=now_s,
                direction="in",
                channel="http",
                name=f"{key} {outcome}",
                summary=summary,
                size_bytes=size,
                duration_s=now_s - started_s,
            )
        )

    def _unreachable(self, stage: str, why: str) -> Unreachable:
        return Unreachable(
            f"The {self.profile.name} could not be reached while {stage}: {why}.",
            remedy="Check that it runs and that the network is up, then try again.",
        )

    async def close(self) -> None:
        """Close the connections. May be called again."""
        self._closed = True
        self._token = self._guest_token = self._cookie = None
        self._cookies.clear()
        session, self._session = self._session, None
        if session is not None and self._owns_session:
            await session.close()
        elif session is None and self._connector is not None:
            await self._connector.close()


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or ``None`` when it is larger than any real reply."""
    parts = bytearray()
    async for part in response.content.iter_chunked(65536):
        parts += part
        if len(parts) > _MAX_REPLY_BYTES:
            response.close()
            return None
    return bytes(parts)
