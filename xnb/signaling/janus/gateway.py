"""Where a Janus server is and how it wants to be spoken to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from ...errors import SettingsError

Dialect = Literal["stock", "gateway"]

_SCHEMES = ("ws", "wss", "http", "https")


@dataclass(frozen=True, slots=True, repr=False)
class Gateway:
    """A Janus server.

    The dialect ``"stock"`` is Janus as documented. ``"gateway"`` is what X's servers speak
    (PROTOCOL C3): HTTP only, the token as the ``Authorization`` header, rooms with string ids,
    and room and user in every request.

    Args:
        url: ``ws``, ``wss``, ``http`` or ``https``; of HTTP the server root, such as
            ``http://127.0.0.1:8088/janus``.
        dialect: ``"stock"`` or ``"gateway"``.
        api_secret: Janus' static secret, for servers that trust us.
        token: Janus' token, in the ``gateway`` dialect also the ``Authorization`` header.
        authorization: Another ``Authorization`` header than the token.
        keepalive_s: Pause between signs of life.
        request_s: Limit of one request.
        poll_s: Limit of one long poll; more than the 30 s for which Janus holds one.
        reclaim_s: How long a dropped session is tried to be taken up again; less than the
            server's ``reclaim_session_timeout``.
        referer: ``Referer`` header of the ``gateway`` dialect.

    Raises:
        SettingsError: The URL is of another kind, the dialect does not go with it, a time is not
            positive, or a secret has characters that cannot be sent.

    Example:
        >>> Gateway("ws://127.0.0.1:8188")
        Gateway(ws, stock)
    """

    url: str
    dialect: Dialect = "stock"
    api_secret: str | None = None
    token: str | None = None
    authorization: str | None = None
    keepalive_s: float = 6.0
    request_s: float = 10.0
    poll_s: float = 35.0
    reclaim_s: float = 25.0
    referer: str = "https://x.com"

    def __post_init__(self) -> None:
        if self.scheme not in _SCHEMES or not urlsplit(self.url).netloc:
            raise SettingsError(
                "The group-call server's URL is none.",
                remedy="It starts with ws://, wss://, http:// or https://.",
            )
        if self.dialect not in ("stock", "gateway"):
            raise SettingsError(
                "The group-call server's dialect is unknown.", remedy="Use 'stock' or 'gateway'."
            )
        if self.dialect == "gateway" and self.uses_web_socket:
            raise SettingsError(
                "The dialect 'gateway' is spoken over HTTP only.", remedy="Use an http(s) URL."
            )
        for name in ("keepalive_s", "request_s", "poll_s", "reclaim_s"):
            if not getattr(self, name) > 0:
                raise SettingsError(
                    f"{name} is {getattr(self, name)!r}.", remedy="Use a number of seconds above 0."
                )
        for name in ("api_secret", "token", "authorization"):
            value = getattr(self, name)
            if value is not None and (not value or any(not 32 <= ord(c) < 127 for c in value)):
                raise SettingsError(
                    f"The group-call server's {name} is empty or has characters that cannot be "
                    "sent.",
                    remedy="Copy it again, without line breaks.",
                )

    def __repr__(self) -> str:
        return f"Gateway({self.scheme}, {self.dialect})"

    @property
    def scheme(self) -> str:
        """``ws``, ``wss``, ``http`` or ``https``."""
        try:
            return urlsplit(self.url).scheme.lower()
        except ValueError:
            return ""

    @property
    def uses_web_socket(self) -> bool:
        """Whether messages go over a WebSocket."""
        return self.scheme in ("ws", "wss")

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(s for s in (self.api_secret, self.token, self.authorization) if s)

    def room_id(self, room: str | int) -> str | int:
        """The room's id as this server wants it."""
        return str(room) if self.dialect == "gateway" else room

    def credentials(self) -> dict[str, Any]:
        """Members of every message that let us in."""
        if self.dialect == "gateway":
            return {}
        found = {"apisecret": self.api_secret, "token": self.token}
        return {name: value for name, value in found.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """Headers of every HTTP request."""
        found: dict[str, str] = {}
        authorization = self.authorization or (self.token if self.dialect == "gateway" else None)
        if authorization:
            found["Authorization"] = authorization
        if self.dialect == "gateway" and self.referer:
            found["Referer"] = self.referer
        return found
