"""Tokens: the server token in, signed short-lived tokens out, and TURN credentials.

The chain is the one of the live service (session → JWT → cookie → guest token), with the server
token in the place of the web session. The tokens are real JWTs (RFC 7519, HS256) signed with a
key made from the server token, so that nothing is stored and a restarted server still knows
them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .directory import Directory, User
from .options import TurnOptions
from .refusal import unauthorised

MIN_TOKEN_CHARS = 16
TokenKind = Literal["jwt", "cookie", "guest"]
_TTL_S: dict[TokenKind, int] = {"jwt": 600, "cookie": 7 * 86400, "guest": 7 * 86400}
_MAX_TOKEN_CHARS = 4096
_LOG_IN_AGAIN = "Log in again: the chain is JWT, loginTwitterToken, authorizeToken."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and from which login (``device``): one user may have several."""

    user: User
    device: str = field(default="", repr=False)


def new_token() -> str:
    """A fresh server token, 256 bits."""
    return secrets.token_urlsafe(32)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Auth:
    """Checks and issues tokens.

    Args:
        token: The server token, at least 16 characters.
        directory: Where users are registered when they log in.
        turn: TURN server to hand out, if any.
        clock: Seconds since 1970 (tokens leave the process).

    Raises:
        ValueError: The token is too short to be a secret.
    """

    def __init__(
        self,
        token: str,
        directory: Directory,
        *,
        turn: TurnOptions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if len(token) < MIN_TOKEN_CHARS:
            raise ValueError(f"The server token needs at least {MIN_TOKEN_CHARS} characters.")
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"xnb signed tokens", "sha256")
        self._directory = directory
        self._turn = turn
        self._clock = clock

    def web_session(self, authorization: str | None, handle: str | None) -> str:
        """The JWT for the holder of the server token who goes by ``handle``.

        Raises:
            Refusal: 401 without the right token; 400 or 403 for an unusable handle.
        """
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode("utf-8", "surrogateescape"), self._token
        ):
            raise unauthorised(
                "The server token is missing or wrong.",
                "Send 'authorization: Bearer <server token>'; the token is in the file that "
                "'xnb serve' names.",
            )
        return self._sign("jwt", Caller(self._directory.register(handle or "me")))

    def login(self, jwt: str) -> dict[str, Any]:
        """The answer of ``loginTwitterToken``: a cookie and the user. Raises Refusal 401."""
        user = self._verify("jwt", jwt).user
        return {
            "cookie": self._sign("cookie", Caller(user, secrets.token_hex(8))),
            "user": {
                "id": user.periscope_id,
                "twitter_id": str(user.id),
                "twitter_screen_name": user.handle,
                "username": user.handle,
                "display_name": user.display_name,
            },
        }

    def authorize(self, cookie: str) -> dict[str, Any]:
        """The answer of ``authorizeToken``: the token of the guest service."""
        return {"authorization_token": self._sign("guest", self._verify("cookie", cookie))}

    def turn_servers(self, cookie: str) -> dict[str, Any]:
        """The answer of ``turnServers``: time-limited credentials, or an empty list."""
        user = self._verify("cookie", cookie).user
        if self._turn is None:
            return {"uris": [], "username": "", "password": "", "ttl": 6 * 3600}
        username = f"{int(self._clock()) + self._turn.ttl_s}:{user.periscope_id}"
        # SHA-1 because that is what TURN REST credentials are (draft-uberti-behave-turn-rest).
        digest = hmac.digest(self._turn.secret.encode(), username.encode(), "sha1")
        return {
            "uris": list(self._turn.urls),
            "username": username,
            "password": base64.b64encode(digest).decode(),
            "ttl": self._turn.ttl_s,
        }

    def cookie(self, cookie: str) -> Caller:
        """Who sends this cookie in the body of a request. Raises Refusal 401."""
        return self._verify("cookie", cookie)

    def guest(self, authorization: str | None) -> Caller:
        """Who sends this request to the guest service.

        Raises:
            Refusal: 401 for a token that is missing, forged or has run out.
        """
        return self._verify("guest", authorization or "")

    def _sign(self, kind: TokenKind, caller: Caller) -> str:
        head = _encode(b'{"alg":"HS256","typ":"JWT"}')
        claims = {
            "sub": caller.user.handle,
            "kind": kind,
            "dev": caller.device,
            "exp": int(self._clock()) + _TTL_S[kind],
        }
        signed = f"{head}.{_encode(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{signed}.{_encode(hmac.digest(self._key, signed.encode(), hashlib.sha256))}"

    def _verify(self, kind: TokenKind, token: str) -> Caller:
        claims = self._claims(token)
        if claims.get("kind") != kind:
            raise unauthorised(f"This is not a valid {kind} token.", _LOG_IN_AGAIN)
        if claims["exp"] < self._clock():
            raise unauthorised(f"The {kind} token has run out.", _LOG_IN_AGAIN)
        return Caller(self._directory.register(claims["sub"]), claims["dev"])

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if not signed or len(token) > _MAX_TOKEN_CHARS or not token.isascii():
            return {}
        try:
            given = _decode(signature)
        except binascii.Error:
            return {}
        if not hmac.compare_digest(given, hmac.digest(self._key, signed.encode(), "sha256")):
            return {}
        claims: dict[str, Any] = json.loads(_decode(signed.partition(".")[2]))
        return claims
