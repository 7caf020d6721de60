"""What went over the wire and when, without its secrets: what a ladder diagram draws."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["out", "in"]
Channel = Literal["http", "mailbox", "ws"]

# Only members listed here are shown as they are. A member nobody thought of is therefore hidden.
_SHOWN = frozenset(
    {
        "audio_only",
        "broadcast_id",
        "can_auto_join",
        "code",
        "conversation_id",
        "cursor",
        "direct",
        "create_user",
        "description",
        "end_description",
        "end_reason",
        "host_handle",
        "host_id",
        "include_non_active_sessions",
        "invitees_twitter",
        "kind",
        "p2p",
        "recipient_id",
        "relay",
        "sender_id",
        "service",
        "session_state",
        "session_uuid",
        "status",
        "success",
        "timeout_s",
        "trigger",
        "ttl",
        "twitter_user_id",
        "twitter_user_ids",
        "type",
        "video_codec",
    }
)
_MAX_SHOWN_CHARS = 80
_MAX_ITEMS = 20

_SECRET_LIKE = re.compile(
    r"""
    eyJ[\w-]*\.[\w.-]*                    # a JWT
    | \b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?  # IPv4, with a port
    | \[?[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,}\]?  # IPv6
    | candidate:\S[^\r\n]*
    | \bv=0\b.*                           # SDP
    | \ba=(?:ice|candidate|fingerprint|crypto)[^\r\n]*
    | (?=[\w+=~-]*\d)[\w+=~-]{24,}        # anything long enough to be a key
    """,
    re.VERBOSE | re.DOTALL,
)


def redact(text: str, secrets: Iterable[str] = (), limit: int = 300) -> str:
    """``text`` without the given secrets and without anything that looks like one.

    Args:
        text: Any text, for instance what a server wrote.
        secrets: Values known to be secret.
        limit: Longest result, in characters.
    """
    for secret in sorted((s for s in secrets if s), key=len, reverse=True):
        text = text.replace(secret, "…")
    text = _SECRET_LIKE.sub("…", text)
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def summarise(body: object, secrets: Collection[str] = ()) -> dict[str, Any]:
    """A JSON body as a small dict in which only harmless members are shown."""
    if not isinstance(body, Mapping):
        return {"body": _size_of(body)}
    return {str(k)[:40]: _shown(str(k), v, secrets) for k, v in list(body.items())[:_MAX_ITEMS]}


def _shown(key: str, value: object, secrets: Collection[str]) -> Any:
    result: Any = _size_of(value)
    if value is None or isinstance(value, bool):
        result = value
    elif isinstance(value, Mapping):
        result = summarise(value, secrets)
    elif isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        result = [summarise(item, secrets) for item in value[:_MAX_ITEMS]]
    elif key in _SHOWN:
        if isinstance(value, str):
            if not any(secret in value for secret in secrets):
                result = value[:_MAX_SHOWN_CHARS]
        elif isinstance(value, int | float):
            result = value
        elif isinstance(value, list):
            result = [v for v in value[:_MAX_ITEMS] if isinstance(v, int)]
    return result


def _size_of(value: object) -> str:
    if isinstance(value, str | bytes):
        return f"<{len(value)} characters>"
    if isinstance(value, list):
        return f"<{len(value)} items>"
    return f"<{type(value).__name__}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEntry:
    """One message.

    Args:
        time_s: Monotonic time at which it went out or came in.
        direction: ``"out"`` or ``"in"``, seen from here.
        channel: ``"http"``, ``"mailbox"`` (a signal inside a request) or ``"ws"``.
        name: Path key or signal type; of an HTTP reply also the status code.
        summary: What it said, redacted.
        size_bytes: Size of its body.
        duration_s: Of a reply: time since the request went out.
    """

    time_s: float = field(default_factory=time.monotonic)
    direction: Direction
    channel: Channel
    name: str
    summary: Mapping[str, Any] = field(default_factory=dict)
    size_bytes: int = 0
    duration_s: float | None = None


class Trace:
    """The last messages, oldest first.

    Args:
        capacity: How many are kept; older ones are dropped and counted in ``dropped``.
    """

    def __init__(self, capacity: int = 2000) -> None:
        self.dropped = 0
        self._entries: deque[TraceEntry] = deque(maxlen=capacity)

    def add(self, entry: TraceEntry) -> None:
        """Append one entry."""
        if len(self._entries) == self._entries.maxlen:
            self.dropped += 1
        self._entries.append(entry)

    @property
    def entries(self) -> tuple[TraceEntry, ...]:
        """A snapshot, oldest first."""
        return tuple(self._entries)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"Trace({len(self)} entries, {self.dropped} dropped)"
