"""Who may use the Janus API: stored tokens, and signed ones that run out by themselves.

A signed token is ``expiry,realm,plugin[,plugin…]:signature``: the expiry in seconds since 1970,
the realm ``janus``, and the base64 of the HMAC-SHA1 of everything before the colon (Janus
documentation, "HMAC-Signed token authentication"). A real Janus that was given the same
``token_auth_secret`` accepts the very same tokens. In ours a random word follows the plugins,
which is no plugin's name: so no two of them are the same, and each has a share of its own.

Example::

    tokens = Tokens("a secret of the servers")
    token = tokens.sign(["janus.plugin.videoroom"], ttl_s=3600)
    assert tokens.allows(token, "janus.plugin.videoroom")
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Callable, Iterable

from .api_error import ApiError, Code

REALM = "janus"
VIDEOROOM = "janus.plugin.videoroom"
DEFAULT_TTL_S = 6 * 3600.0
_MAX_TOKEN_CHARS = 1024
_MAX_STORED = 4096


class Tokens:
    """Issues and checks tokens. Its repr shows none.

    Args:
        secret: What tokens are signed with; the ``token_auth_secret`` of a real Janus.
        clock: Seconds since 1970.
    """

    def __init__(self, secret: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key = secret.encode()
        self._clock = clock
        self._stored: dict[str, frozenset[str] | None] = {}

    def __repr__(self) -> str:
        return f"Tokens({len(self._stored)} stored)"

    def sign(self, plugins: Iterable[str] = (VIDEOROOM,), *, ttl_s: float = DEFAULT_TTL_S) -> str:
        """A token for some plugins.

        Args:
            plugins: Package names it is good for.
            ttl_s: How long, in seconds.
        """
        word = secrets.token_hex(8)
        data = ",".join([str(int(self._clock() + ttl_s)), REALM, *plugins, word])
        return f"{data}:{self._signature(data)}"

    def add(self, token: str, plugins: Iterable[str] | None = None) -> None:
        """Accept a token until it is removed.

        Args:
            token: Any text.
            plugins: Package names it is good for; ``None`` means all.

        Raises:
            ValueError: It is empty or too long, or there are too many.
        """
        if not 0 < len(token) <= _MAX_TOKEN_CHARS or len(self._stored) >= _MAX_STORED:
            raise ValueError("A token has 1 to 1024 characters, and there are at most 4096.")
        self._stored[token] = None if plugins is None else frozenset(plugins)

    def remove(self, token: str) -> None:
        """Accept a stored token no longer.

        Raises:
            ApiError: 470, it is not stored.
        """
        if self._stored.pop(token, False) is False:
            raise ApiError(Code.TOKEN_NOT_FOUND, "There is no such token")

    def allows(self, token: object, plugin: str | None = None) -> bool:
        """Whether a token is good now.

        Args:
            token: What the client sent.
            plugin: For this plugin; ``None``: at all.
        """
        if not isinstance(token, str) or not token.isascii() or len(token) > _MAX_TOKEN_CHARS:
            return False
        stored = self._find(token)
        if stored is not None:
            plugins = self._stored[stored]
            return plugin is None or plugins is None or plugin in plugins
        return self._is_signed(token, plugin)

    def is_stored(self, token: object) -> bool:
        """Whether a token was added, not signed: the server's own."""
        return isinstance(token, str) and self._find(token) is not None

    def _find(self, token: str) -> str | None:
        given = token.encode(errors="replace")
        for stored in self._stored:
            if hmac.compare_digest(stored.encode(), given):
                return stored
        return None

    def _is_signed(self, token: str, plugin: str | None) -> bool:
        data, _, signature = token.partition(":")
        if not hmac.compare_digest(signature.encode(), self._signature(data).encode()):
            return False
        expiry, *scope = data.split(",")
        if not expiry.isdigit() or int(expiry) < self._clock() or scope[:1] != [REALM]:
            return False
        return plugin is None or plugin in scope[1:]

    def _signature(self, data: str) -> str:
        # SHA-1 because that is what real Janus checks; as an HMAC it is still sound.
        return base64.b64encode(hmac.digest(self._key, data.encode(), "sha1")).decode()
