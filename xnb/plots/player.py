"""A recording as HTML that needs no kernel: a player of the file beside it, and its waveform."""

from __future__ import annotations

import base64
import html
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

if TYPE_CHECKING:
    from ..recording import Recording

_SILENT = 1e-4
# Its sound is decoded for the waveform, while the cell waits.
_LONGEST_WAVEFORM_S = 120.0


def player_html(recording: Recording) -> str:
    """A player and a waveform, for saved notebooks and exports. Holds no script and no media.

    The file is played from where it lies, if that is inside the notebook's folder.
    """
    tag = "video" if recording.has_video else "audio"
    label = html.escape(f"Recording {recording.title}, {recording.words}", quote=True)
    address = _relative_address(recording.path)
    source, note = "", f" Saved as <code>{html.escape(recording.path.name)}</code>."
    if address:
        source = address
        note = f' Played from <a href="{address}">{html.escape(recording.path.name)}</a>.'
    width = f' width="{min(640, recording.width)}"' if recording.width else ""
    player = (
        f'<{tag} controls preload="metadata" src="{source}"{width} aria-label="{label}" '
        'style="max-width:100%;display:block"></' + tag + ">"
        if source
        else ""
    )
    return (
        f'<figure role="group" aria-label="{label}" style="margin:0;max-width:640px;'
        'color:var(--jp-ui-font-color1,inherit);color-scheme:light dark">'
        f"{player}{_waveform_image(recording)}"
        '<figcaption style="font-size:0.9em">'
        f"{html.escape(recording.title)}: {recording.words}.{note}</figcaption></figure>"
    )


def _waveform_image(recording: Recording) -> str:
    if not recording.has_audio or recording.duration_s > _LONGEST_WAVEFORM_S:
        return ""
    image = base64.b64encode(recording.waveform().png(dpi=150)).decode()
    low, high = recording.envelope
    loudest = float(max(high.max(), -low.min()))
    level = "silence" if loudest < _SILENT else f"loudest {20 * np.log10(loudest):.0f} dBFS"
    words = f"Waveform of {recording.title}, {recording.duration_s:.1f} s, {level}"
    return (
        f'<img src="data:image/png;base64,{image}" alt="{html.escape(words, quote=True)}" '
        'style="width:100%;background:transparent">'
    )


def _relative_address(path: Path) -> str | None:
    """The file as seen from the notebook's folder; ``None`` when it lies outside of it."""
    relative = os.path.relpath(path)
    if relative.startswith("..") or os.path.isabs(relative):
        return None
    return quote(Path(relative).as_posix())
