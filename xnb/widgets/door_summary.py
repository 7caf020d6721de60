"""What the card that waits for calls leaves in a saved notebook."""

from __future__ import annotations

from html import escape

_LINE = "rgba(128,128,128,.4)"
_BOX = (
    f"box-sizing:border-box;max-width:640px;margin:4px;padding:10px 14px;border:1px solid {_LINE};"
    "border-radius:12px;font-size:13px;line-height:1.45"
)


def door_summary(handle: str, text: str, *, closed: bool, call: dict[str, str]) -> dict[str, str]:
    """The forms of an :class:`~xnb.widgets.incoming_widget.IncomingWidget` by MIME type.

    Args:
        handle: Who is called.
        text: In one line what it does.
        closed: Whether it waits no more.
        call: The forms of the call that was accepted last; empty without one.
    """
    if closed:
        head, rest = f"Waited for calls as {handle}", ""
    else:
        head = f"Waiting for calls as {handle}"
        rest = "It was waiting when this was saved. Run the cell to wait again."
    more = f'<div style="opacity:.8">{rest}</div>' if rest else ""
    forms = {
        "text/plain": "\n".join(part for part in (text, call.get("text/plain", "")) if part),
        "text/html": (
            f'<section class="xnb-static" style="{_BOX}"><strong>{escape(head)}</strong>{more}'
            f"</section>{call.get('text/html', '')}"
        ),
    }
    # A finished call is worth a picture of its own where nothing but pictures is shown.
    forms.update({kind: call[kind] for kind in ("text/markdown", "image/png") if kind in call})
    return forms
