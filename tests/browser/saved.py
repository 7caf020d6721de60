"""A notebook as JupyterLab saved it, and what may not be in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from saved_secrets import Secrets, all_layers, found_in, unsafe_words

WIDGETS = "application/vnd.jupyter.widget-state+json"


def read(path: Path) -> dict[str, Any]:
    saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for widget in saved["metadata"]["widgets"][WIDGETS]["state"].values():
        for name in ("_esm", "_css"):
            widget["state"].pop(name, None)
    return saved


def must_be_clean(saved: dict[str, Any], planted: Path, *also: str) -> None:
    secrets = Secrets.read(planted)
    kinds = {"server", "server token", "token", "sdp", "turn", "call", "audio packet", *also}
    assert secrets.kinds >= kinds, "otherwise nothing was looked for"
    found = all_layers(saved)
    assert not found_in(found, secrets.texts | secrets.media)
    assert not unsafe_words(found)
