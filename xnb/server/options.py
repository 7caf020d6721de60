"""What one server is like: limits, gated handles, TURN."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .janus.gateway import GatewayQuirks
from .janus.rooms import Dialect

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
class SfuOptions:
    """The embedded SFU's Janus API. Times in seconds.

    Args:
        session_timeout_s: A session of which nothing is heard for so long is over: so long
            somebody whose machine died, or whose kernel computes, stays in the room. Who was
            put out by this and is back comes in again. On a WebSocket the answer to a ping
            counts, which browsers give by themselves.
        reclaim_s: How long a session can be claimed after its WebSocket broke.
        poll_s: How long an HTTP poll is held.
        is_open: Everybody who can reach it may use it, without a token.
        api_secret: Opens it without a token; never sent.
        dialect: How clients of group calls are told to speak.
        gateway: Habits of the ``gateway`` dialect.
        recordings: Folder below which rooms may record on the server; ``None`` refuses it.
    """

    session_timeout_s: float = 20.0
    reclaim_s: float = 30.0
    poll_s: float = 30.0
    is_open: bool = False
    api_secret: str | None = field(default=None, repr=False)
    dialect: Dialect = "stock"
    gateway: GatewayQuirks = field(default_factory=GatewayQuirks)
    recordings: Path | None = None


@dataclass(frozen=True, slots=True)
class JanusOptions:
    """Real Janus servers that group calls run on instead of the embedded SFU.

    Args:
        urls: ``ws``, ``wss``, ``http`` or ``https`` URLs, or ``auto`` for one that is started
            here.
        api_secret: The ``api_secret`` of those with a URL; never given to clients.
        admin_key: Their videoroom's ``admin_key``.
        token_secret: Their ``token_auth_secret``.
        check_s: Pause between two looks whether they are there, in seconds.
    """

    urls: tuple[str, ...]
    api_secret: str | None = field(default=None, repr=False)
    admin_key: str | None = field(default=None, repr=False)
    token_secret: str | None = field(default=None, repr=False)
    check_s: float = 3.0


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
        max_people: Most people in one group call at a time, the host included.
        max_invited: Most people who may be invited to one group call.
        host_back_s: How long a group call waits for a host who has lost the connection. Longer
            than the two minutes for which a cell may keep a kernel from saying anything.
        absent_s: Somebody in a group call who asks nothing and is not in the media room for so
            long has lost the connection.
        room_bitrate_bps: Most that one person may send as video in a group call.
        sfu: The embedded SFU.
        janus: Real Janus servers, ``None`` for the embedded SFU.
        allowed_origins: Origins of pages that may use the Janus API besides our own.
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
    max_people: int = 32
    max_invited: int = 256
    host_back_s: float = 130.0
    absent_s: float = 10.0
    room_bitrate_bps: int = 2_500_000
    sfu: SfuOptions = field(default_factory=SfuOptions)
    janus: JanusOptions | None = None
    allowed_origins: frozenset[str] = frozenset()
