"""The forms of a call that need no kernel and no script: one line of text and a bit of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from .words import duration_words

_LINE = "var(--jp-border-color2,#8886)"
_BOX = (
    f"box-sizing:border-box;max-width:640px;margin:4px;overflow:hidden;border:1px solid {_LINE};"
    "border-radius:12px;font:13px/1.45 var(--jp-ui-font-family,system-ui,sans-serif)"
)
_FACE = (
    "display:grid;flex:none;place-items:center;width:44px;height:44px;border-radius:50%;"
    "background:#5c6b7a;color:#fff;font-size:19px;font-weight:600"
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
    name = str(values.get("title") or "…")
    title = escape(name)
    failure = values.get("failure") or {}
    ended = values.get("ended") or {}
    if failure:
        mode, state = "failed", "failed"
        head = str(failure.get("title", ""))
        lines = [escape(str(failure.get(part, ""))) for part in ("cause", "remedy")]
    elif ended:
        mode, state = "ended", "ended"
        head = str(ended.get("reason_text", ""))
        spoke = float(ended.get("duration_s") or 0.0) > 0
        lines = [escape(f"{ended['duration']} with {name}")] if spoke else []
    else:
        mode, state = "gone", "not live"
        head = f"Call with {name}"
        lines = ["It was going on when this was saved. Run the cell to call again."]
    lines += [f"Recorded to <code>{escape(path)}</code>" for path in recordings]
    body = "".join(f'<div style="opacity:.75">{line}</div>' for line in lines if line)
    initial = escape(next((c for c in name if c.isalnum()), "?").upper())
    data_state = "ended" if mode != "gone" else escape(str(values.get("state", "")))
    return (
        f'<section class="xnb-card xnb-static" role="group" aria-label="Call with {title}"'
        f' data-state="{data_state}" data-mode="{mode}" style="{_BOX}">'
        f'<div style="padding:10px 14px;border-bottom:1px solid {_LINE}"><strong>{title}</strong>'
        f'&ensp;<span style="opacity:.7">{state}</span></div>'
        f'<div style="display:flex;gap:14px;align-items:center;padding:16px">'
        f'<div aria-hidden="true" style="{_FACE}">{initial}</div>'
        f'<div style="min-width:0"><strong style="font-size:15px">{escape(head)}</strong>'
        f"{body}</div></div></section>"
    )
