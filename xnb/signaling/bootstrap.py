"""From a token to a session: call token, login, guest token, TURN servers (PROTOCOL A)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import SettingsError, SignalingError, Unauthorized, UnknownUser
from ..profile import ServerProfile
from ..settings import IceServer
from .http import HttpClient
from .messages import (
    AuthorizeReply,
    LoginReply,
    LookupReply,
    TurnReply,
    User,
    decode,
    id_text,
)

_DEFAULT_TTL_S = 3600.0
_RENEW_EARLY_S = 30.0
_HANDLE = re.compile(r"[A-Za-z0-9_.-]{1,50}")
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Session:
    """Who we are and what we may use.

    Args:
        user: Ourselves.
        ice_servers: STUN and TURN servers the service gives.
        expires_s: Monotonic time after which it should be renewed.
    """

    user: User
    ice_servers: tuple[IceServer, ...]
    expires_s: float
    cookie: str = field(repr=False)
    authorization_token: str = field(repr=False)


class Bootstrap:
    """Makes and keeps the session of one user.

    Args:
        http: The HTTP client; it is given the guest token, and renews it through this object.
        profile: The service.
        handle: Our own handle, with or without ``@``.
    """

    def __init__(self, http: HttpClient, profile: ServerProfile, handle: str) -> None:
        handle = handle.strip().removeprefix("@")
        if not _HANDLE.fullmatch(handle):
            raise SettingsError(
                f"{handle[:50]!r} cannot be a handle.",
                remedy="Use letters, digits, '_', '.' and '-'; at most 50 of them.",
            )
        self._http = http
        self._profile = profile
        self._handle = handle
        self._session: Session | None = None
        self._lock = asyncio.Lock()
        http.refresh = self.refresh

    def __repr__(self) -> str:
        state = "ready" if self._session else "not logged in"
        return f"Bootstrap({self._handle!r}, {state})"

    async def run(self) -> Session:
        """The session, made on first use and again when it has expired.

        Raises:
            Unauthorized: A step was refused; the message names the step.
            Unreachable: The server did not answer; the message names the step.
            SignalingError: A step's reply cannot be used.
        """
        async with self._lock:
            if self._session is None or time.monotonic() > self._session.expires_s:
                self._session = await self._make()
            return self._session

    async def refresh(self) -> Session:
        """Make the session anew, whether or not it has expired. Raises as :meth:`run`."""
        stale = self._session
        async with self._lock:
            if self._session is None or self._session is stale:
                self._session = await self._make()
            return self._session

    async def _make(self) -> Session:
        jwt = await self._call_token()
        login = await self._login(jwt)
        self._http.hide(login.cookie)
        token = decode(
            AuthorizeReply,
            await self._http.post("authorize", {"service": "guest", "cookie": login.cookie}),
            "the guest token request",
        ).authorization_token
        self._http.set_guest_token(token)
        turn = decode(
            TurnReply,
            await self._http.post("turn", {"cookie": login.cookie, **self._profile.turn_extra}),
            "the TURN request",
        )
        self._http.hide(turn.username, turn.password)
        user = _own_user(login, self._handle)
        self._http.set_login(login.cookie, user.id, _periscope_id(login, turn))
        ttl_s = turn.ttl if turn.ttl and turn.ttl > 0 else _DEFAULT_TTL_S
        return Session(
            user=user,
            ice_servers=_ice_servers(turn),
            expires_s=time.monotonic() + max(ttl_s - _RENEW_EARLY_S, ttl_s / 2),
            cookie=login.cookie,
            authorization_token=token,
        )

    async def _call_token(self) -> str:
        await self._http.csrf_cookie()
        headers = {}
        if self._profile.user_header:
            headers[self._profile.user_header] = self._handle
        reply = await self._http.get("token", headers=headers)
        data = reply.get("data")
        jwt = data.get("authenticate_periscope") if isinstance(data, Mapping) else None
        if isinstance(jwt, Mapping):
            jwt = jwt.get("token")
        if not isinstance(jwt, str) or not jwt:
            raise Unauthorized(
                f"The {self._profile.name} gave no call token.",
                remedy="Check that the session is still logged in.",
            )
        self._http.hide(jwt)
        return jwt

    async def _login(self, jwt: str) -> LoginReply:
        direct = self._profile.login_mode == "direct"
        body: dict[str, Any] = {
            "jwt": jwt,
            "vendor_id": self._profile.vendor_id,
            "create_user": not direct,
        }
        if direct:
            body["direct"] = True
        return decode(LoginReply, await self._http.post("login", body), "the login")

    async def resolve(self, recipient: object) -> User:
        """Find the user meant by ``recipient``.

        Args:
            recipient: A numeric id (int or text), ``"@handle"`` or ``"handle"``, an object with
                ``id`` or ``twitter_id``, or a mapping with ``"id"``.

        Raises:
            SettingsError: It is none of these, or a handle where only ids can be used.
            UnknownUser: Nobody has that id or handle.
        """
        user = parse_recipient(recipient)
        if not self._profile.has("lookup"):
            if not user.id:
                raise SettingsError(
                    f"On the {self._profile.name} a handle cannot be looked up.",
                    remedy="Give the numeric user id.",
                )
            return user
        await self.run()
        query: dict[str, Any] = {"id": int(user.id)} if user.id else {"handle": user.handle}
        try:
            reply = await self._http.post("lookup", query)
        except UnknownUser as error:
            raise UnknownUser(
                f"The {self._profile.name} knows nobody called {user.handle or user.id!r}.",
                remedy="Check the spelling. A person is known once connected; bots such as "
                "'echo' always are.",
                status=error.status,
            ) from None
        found = decode(LookupReply, reply, "the lookup").user
        if not id_text(found.id):
            raise UnknownUser("The server gave a user without an id.", remedy="Check the handle.")
        return User(id_text(found.id), found.handle or user.handle)


def parse_recipient(recipient: object) -> User:
    """Read what a person may give as a recipient; the result has an id, a handle or both.

    Raises:
        SettingsError: It names nobody.
    """
    handle: object = ""
    value = recipient
    if isinstance(recipient, Mapping):
        value = next((recipient[k] for k in ("id", "twitter_id") if recipient.get(k)), None)
        handle = recipient.get("handle") or ""
        if value is None:
            value, handle = handle, ""
    elif not isinstance(recipient, str | int):
        value = getattr(recipient, "id", None) or getattr(recipient, "twitter_id", None)
        handle = getattr(recipient, "handle", "") or ""
        if value is None:
            value, handle = handle, ""
    text = str(value).strip() if isinstance(value, str | int) and value is not True else ""
    text = "" if value is False else text
    if text.isascii() and text.isdigit():
        if 0 < int(text) <= _MAX_ID:
            return User(text.lstrip("0"), handle if isinstance(handle, str) else "")
    elif _HANDLE.fullmatch(text.removeprefix("@")) and not isinstance(value, int):
        return User("", text.removeprefix("@"))
    raise SettingsError(
        f"{_short(recipient)} is no recipient.",
        remedy="Give a numeric id, '@handle', 'handle', or an object with an id.",
    )


def _short(value: object) -> str:
    if isinstance(value, str | int | float | None):
        return repr(value)[:60]
    return f"A {type(value).__name__}"


def _own_user(login: LoginReply, handle: str) -> User:
    # In direct mode a reply without a user is tolerated (PROTOCOL A3).
    user = login.user
    if user is None:
        return User("", handle)
    return User(
        id_text(user.twitter_id) or id_text(user.id),
        user.twitter_screen_name or user.username or handle,
    )


def _periscope_id(login: LoginReply, turn: TurnReply) -> str:
    """Our Periscope id: of the login, else from the TURN user name (PROTOCOL A5)."""
    given = id_text(login.user.id) if login.user else ""
    return given or (turn.username or "").partition(":")[2]


def _ice_servers(turn: TurnReply) -> tuple[IceServer, ...]:
    uris = [uri.strip() for uri in turn.uris or ()]
    stun = tuple(u for u in uris if u.startswith("stun:"))
    relays = tuple(u for u in uris if u.startswith(("turn:", "turns:")))
    if relays and not (turn.username and turn.password):
        raise SignalingError(
            "The server named TURN servers but gave no credentials for them.",
            remedy="Check the server's TURN settings.",
        )
    servers = []
    if stun:
        servers.append(IceServer(stun))
    if relays:
        servers.append(IceServer(relays, turn.username, turn.password))
    return tuple(servers)
