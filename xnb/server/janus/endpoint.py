"""A Janus that rooms can be on: where it is, and the secrets that open it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Endpoint:
    """One Janus. Shows no secrets.

    Args:
        url: Base URL of its API: ``ws``, ``wss``, ``http`` or ``https``.
        api_secret: Its ``api_secret``, if it wants one; never given to clients.
        admin_key: The ``admin_key`` of its videoroom, if it wants one to create rooms.
        token_secret: Its ``token_auth_secret``, if it takes signed tokens.
    """

    url: str
    api_secret: str | None = None
    admin_key: str | None = None
    token_secret: str | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.url.partition(':')[0]})"
