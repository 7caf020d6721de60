"""The forms of a call that need no kernel and no script: one line of text and a bit of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from .words import duration_words

_BOX = (
    "border:1px solid #8886;border-radius:12px;padding:12px 16px;max-width:640px;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:13px;line-height:1.5"
)


def summary_text(values: dict[str, Any], recordings: Sequence[str] = ()) -> str:
    """``Call with echo: ended after 42 s, you hung up``."""
    title = values.get("title") or "…"
    ended = values.get("ended") or {}
    failure = values.get("failure") or {}
    if failure:
        rest = f"failed: {failure.get('cause', '')}"
    elif ended:
        reason = str(ended.get("reason_text", ""))
        if reason.startswith("You "):
            reason = f"y{reason[1:]}"
        rest = f"ended after {ended.get('duration', '0 s')}, {reason}"
    elif values.get("state") == "connected":
        rest = f"connected for {duration_words(float(values.get('duration_s') or 0.0))}"
    else:
        rest = str(values.get("state_text") or values.get("state") or "starting")
    files = f"; recorded to {', '.join(recordings)}" if recordings else ""
    return f"Call with {title}: {rest}{files}"


def summary_html(values: dict[str, Any], recordings: Sequence[str] = ()) -> str:
    """The same as a small card, for saved notebooks and exports. Holds no script."""
    title = escape(str(values.get("title") or "…"))
    failure = values.get("failure") or {}
    ended = values.get("ended") or {}
    lines: list[str] = []
    if failure:
        lines.append(f"<strong>{escape(str(failure.get('title', '')))}.</strong>")
        lines.append(escape(f"{failure.get('cause', '')} {failure.get('remedy', '')}".strip()))
    elif ended:
        lines.append(
            escape(f"{ended.get('reason_text', '')} after {ended.get('duration', '0 s')}.")
        )
    else:
        lines.append(
            "This call was going on when the page was saved. Run the cell to place it again."
        )
    lines += [f"Recorded to <code>{escape(name)}</code>" for name in recordings]
    body = "".join(f'<div style="opacity:.85">{line}</div>' for line in lines)
    return (
        f'<section class="xnb-static" style="{_BOX}" aria-label="Call with {title}">'
        f"<div><strong>{title}</strong></div>{body}</section>"
    )
