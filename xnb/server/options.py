"""What one server is like: limits, gated handles, TURN."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """A TURN server with time-limited REST credentials.

    Args:
        urls: ``turn:`` or ``turns:`` URLs.
        secret: The secret shared with the TURN server; never shown or sent.
        ttl_s: Life of a credential in seconds.
    """

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    ttl_s: int = 6 * 3600


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Limits and behaviour of a server. Times in seconds.

    Args:
        ring_s: How long a call may ring, counted from ``publish``.
        gone_s: A member that asks nothing for so long has gone; its call is ended.
        remember_s: How long an ended broadcast still answers ``status``.
        receive_hold_s: Longest time a mailbox poll is held.
        incoming_hold_s: Longest time a poll for incoming calls is held.
        bot_call_s: Longest call with a bot.
        gated: Handles that get a 403 on ``create``, as accounts outside a rollout do.
        turn: TURN server handed to clients, if any.
        max_users: Accounts kept; the one seen longest ago without a live call makes room.
        max_live: Live broadcasts on the whole server.
        max_live_per_user: Live broadcasts one user may be in as the caller.
        max_ended: Ended broadcasts remembered.
        max_messages: Unread messages in one mailbox.
        max_mailbox_bytes: Size of the unread messages in one mailbox.
        max_polls: Held polls; above it polls are answered at once.
        max_bot_calls: Calls all bots hold together; above it a bot declines as busy.
    """

    ring_s: float = 60.0
    gone_s: float = 150.0
    remember_s: float = 300.0
    receive_hold_s: float = 20.0
    incoming_hold_s: float = 25.0
    bot_call_s: float = 30 * 60.0
    gated: frozenset[str] = frozenset()
    turn: TurnOptions | None = None
    max_users: int = 4096
    max_live: int = 2048
    max_live_per_user: int = 64
    max_ended: int = 1024
    max_messages: int = 1000
    max_mailbox_bytes: int = 2 * 1024 * 1024
    max_polls: int = 1024
    max_bot_calls: int = 32
