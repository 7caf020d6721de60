"""What a call's state is called in words. Plain functions from values to text."""

from __future__ import annotations

from typing import Any

from ..errors import ConnectError, MediaError, SettingsError, SignalingError, XnbError
from ..events import CallState, EndReason

_STATE_WORDS = {
    CallState.NEW: "starting",
    CallState.SIGNALING: "signing in",
    CallState.RINGING: "ringing",
    CallState.CONNECTING: "connecting",
    CallState.CONNECTED: "connected",
    CallState.RECONNECTING: "reconnecting",
    CallState.ENDED: "ended",
}

_CODECS = {"vp8": "VP8", "h264": "H.264", "opus": "Opus"}


def state_words(state: CallState) -> str:
    """One or two words for a state: "ringing"."""
    return _STATE_WORDS[state]


def stage_words(state: CallState, title: str, *, incoming: bool) -> str:
    """A line for the list of steps: "Ringing echo"."""
    return {
        CallState.NEW: "Starting",
        CallState.SIGNALING: "Signing in",
        CallState.RINGING: f"{title} is calling" if incoming else f"Ringing {title}",
        CallState.CONNECTING: "Connecting sound and picture",
        CallState.CONNECTED: "Connected",
        CallState.RECONNECTING: "Connection lost, trying again",
        CallState.ENDED: "Ended",
    }[state]


def end_words(reason: EndReason, title: str) -> str:
    """Why a call ended, as a sentence without the full stop."""
    return {
        EndReason.HANGUP: "You hung up",
        EndReason.REMOTE_HANGUP: f"{title} hung up",
        EndReason.DECLINED: f"{title} declined",
        EndReason.MISSED: f"{title} did not answer",
        EndReason.CANCELED: "Canceled before it was answered",
        EndReason.TIMEOUT: "Nobody answered in time",
        EndReason.NETWORK: "The connection was lost",
        EndReason.ERROR: "The call failed",
        EndReason.KICKED: "You were removed by the host",
    }[reason]


def failure_words(error: BaseException) -> dict[str, str]:
    """Title, cause and remedy of an error.

    An unforeseen error's own text is left out: it may hold an address or worse; the object stays
    within reach as ``widget.error``.
    """
    if not isinstance(error, XnbError):
        return {
            "title": "The call failed",
            "cause": f"An unforeseen {type(error).__name__} came up.",
            "remedy": "widget.error holds it, with its traceback.",
        }
    return {
        "title": _failure_title(error),
        "cause": error.message,
        "remedy": error.remedy,
    }


def _failure_title(error: XnbError) -> str:
    titles: tuple[tuple[type[XnbError], str], ...] = (
        (ConnectError, "Could not connect"),
        (SignalingError, "The server did not put the call through"),
        (MediaError, "The media could not be used"),
        (SettingsError, "The call could not be placed like this"),
    )
    for kind, title in titles:
        if isinstance(error, kind):
            return title
    return "The call failed"


def duration_words(seconds: float) -> str:
    """``42 s``, ``3 min 05 s`` or ``1 h 02 min``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"


def stats_words(stats: dict[str, Any]) -> dict[str, str]:
    """The status line's fields from ``call.stats()``; what is unknown is an empty text."""

    def number(key: str, pattern: str) -> str:
        value = stats.get(key)
        return "" if value is None else pattern.format(value)

    width, height = stats.get("width"), stats.get("height")
    codec = str(stats.get("codec") or "")
    return {
        "codec": _CODECS.get(codec.lower(), codec),
        "size": f"{width}×{height}" if width and height else "",  # noqa: RUF001
        "fps": number("fps", "{:.0f} fps") if stats.get("fps") else "",
        "rtt": number("rtt_ms", "RTT {:.0f} ms"),
        "loss": number("loss_percent", "loss {:.1f} %").replace(".0 %", " %"),
        "path": f"path: {stats['path']}" if stats.get("path") else "",
        "bitrate": _bitrate_words(stats.get("bitrate_bps"), stats.get("sent_bitrate_bps")),
    }


def _bitrate_words(received_bps: float | None, sent_bps: float | None) -> str:
    """``1.2 Mbps in, 850 kbps out``; empty when there is neither."""
    if not (received_bps or sent_bps):
        return ""
    return f"{rate_words(received_bps or 0)} in, {rate_words(sent_bps or 0)} out"


def rate_words(bps: float) -> str:
    """``64 kbps`` or ``1.2 Mbps``."""
    return f"{bps / 1e6:.1f} Mbps" if bps >= 999_500 else f"{bps / 1000:.0f} kbps"
