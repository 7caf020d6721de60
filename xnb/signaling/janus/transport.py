"""What a session asks of the way its messages go, and what it may show of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from ..trace import Direction, Trace, TraceEntry

MAX_MESSAGE_BYTES = 2 * 1024 * 1024

Message = dict[str, Any]

# Members whose values are shown in a trace. Everything else, above all ids of sessions and
# handles (who knows them can take a session over), pins and descriptions, is not.
_SHOWN = (
    *("request", "ptype", "videoroom", "echotest", "error_code", "reason"),
    *("configured", "started", "paused", "switched", "moderation"),
)


class DroppedError(Exception):
    """A message did not get through, or its reply did not.

    Args:
        why: In words, without addresses.
        never_sent: The server cannot have seen it.
    """

    def __init__(self, why: str, *, never_sent: bool = False) -> None:
        self.why = why
        self.never_sent = never_sent
        super().__init__(why)


class Listener(Protocol):
    """Who is told what a transport hears."""

    def on_message(self, message: Message) -> None:
        """Take one message of the server."""

    def on_drop(self, why: str) -> None:
        """The way is broken; it can be opened again."""


class Transport(Protocol):
    """A way to a Janus server and back."""

    claim: Literal["claim", "keepalive"]
    """The request that takes a session up again on this kind of way."""

    async def open(self) -> None:
        """Connect, also again. Raises DroppedError."""

    def follow(self, session_id: int) -> None:
        """Listen for the events of a session from now on."""

    async def send(self, message: Message, limit_s: float) -> None:
        """Send one message; what the server replies goes to the listener. Raises DroppedError."""

    async def info(self, limit_s: float) -> Message | None:
        """What the server says of itself, or ``None`` if it is asked by a message."""

    def drop(self, why: str) -> None:
        """Give the way up as broken, and tell the listener."""

    async def close(self) -> None:
        """End it. May be called again."""


def note(
    trace: Trace | None,
    direction: Direction,
    channel: Literal["http", "ws"],
    message: Mapping[str, Any],
    size_bytes: int,
) -> None:
    """Put a message into the trace, without what must not be seen. Signs of life are left out."""
    kind = message.get("janus")
    if trace is None or kind in ("keepalive", "ack"):
        return
    summary: dict[str, Any] = {}
    plugin = _mapping(message.get("plugindata")).get("data")
    for part in (_mapping(message.get("body")), _mapping(plugin)):
        for name in _SHOWN:
            value = part.get(name)
            if isinstance(value, str | int | bool):
                summary[name] = value[:40] if isinstance(value, str) else value
    error = _mapping(message.get("error"))
    if isinstance(error.get("code"), int):
        summary["code"] = error["code"]
    jsep = _mapping(message.get("jsep"))
    if jsep.get("type") in ("offer", "answer"):
        summary["jsep"] = jsep["type"]
    name = " ".join(str(word)[:40] for word in ("janus", kind, summary.get("request", "")) if word)
    trace.add(
        TraceEntry(
            direction=direction,
            channel=channel,
            name=name,
            summary=summary,
            size_bytes=size_bytes,
        )
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
