"""How the recordings of a call stand in its summary: a player, and where the file is."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import XnbError
from .summary_facts import File

MAX_FILES = 8
MAX_EMBEDDED_BYTES = 1 << 20
"""A recording larger than this is never put into a notebook by a summary."""
_TYPES = {
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}


def files_of(recordings: Iterable[Any], *, embed: bool = False) -> tuple[File, ...]:
    """The last eight recordings as a summary shows them.

    Args:
        recordings: What has a ``path``, such as :class:`~xnb.recording.Recording`.
        embed: Put those of at most 1 MB into the notebook. Otherwise a player plays the file from
            where it lies, and the notebook holds only its name.
    """
    return tuple(_file(one, embed) for one in tuple(recordings)[-MAX_FILES:])


def names_of(recordings: Iterable[Any]) -> tuple[File, ...]:
    """The same without players: no file is looked into."""
    paths = [Path(one.path) for one in tuple(recordings)[-MAX_FILES:]]
    return tuple(File(_seen_from_here(path) or path.name) for path in paths)


def _file(recording: Any, embed: bool) -> File:
    path = Path(recording.path)
    mime = _TYPES.get(path.suffix.lower(), "")
    kind = "audio" if mime.startswith("audio/") or not _has_picture(recording) else "video"
    near = _seen_from_here(path)
    # A path that leads elsewhere tells of this machine: the name is enough.
    name = near or path.name
    if not mime:
        return File(name, kind)
    if embed and (data := _small(path)):
        mime = mime.replace("video/", f"{kind}/")
        return File(name, kind, f"data:{mime};base64,{base64.b64encode(data).decode()}")
    return File(name, kind, quote(near))


def _has_picture(recording: Any) -> bool:
    try:
        return bool(getattr(recording, "has_video", True))
    except XnbError:  # it was moved or deleted meanwhile
        return True


def _seen_from_here(path: Path) -> str:
    """The path from the working folder, which is the notebook's; nothing when it lies outside."""
    relative = os.path.relpath(path)
    if relative.startswith("..") or os.path.isabs(relative):
        return ""
    return Path(relative).as_posix()


def _small(path: Path) -> bytes:
    try:
        if path.stat().st_size <= MAX_EMBEDDED_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    return b""
