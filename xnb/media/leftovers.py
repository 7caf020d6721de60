"""What the file of a recording under way is called, and what a killed process left of one."""

from __future__ import annotations

import logging
from pathlib import Path

from ..errors import RecordingError

_log = logging.getLogger(__name__)

SUFFIX = ".part.mkv"
"""What the name of a part ends in, after the whole name of the file it becomes."""


TRACKS_SUFFIX = ".tracks.mkv"
"""What the name of a group's tracks ends in, after that of the film that is made of them."""


def part_of(path: Path) -> Path:
    """Where the part of the recording ``path`` is written."""
    return path.with_name(path.name + SUFFIX)


def tracks_of(path: Path) -> Path:
    """Where everybody's tracks are, of which the film ``path`` is made."""
    return path.with_name(path.name + TRACKS_SUFFIX)


def lock(descriptor: int) -> None:
    """Mark an open file as being written, until it is closed.

    Raises:
        RecordingError: Somebody else does so already.
    """
    try:
        import fcntl
    except ImportError:  # Windows, where an open file cannot be moved anyway
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise RecordingError(
            "The recording is still being written.", remedy="Stop it where it runs."
        ) from None


def keep_leftover(part: Path) -> Path | None:
    """Move what a killed process left under this name aside; its new path.

    Raises:
        RecordingError: It is not left over: another process is writing it.
    """
    if not part.exists():
        return None
    with part.open("rb") as file:
        lock(file.fileno())
    target = Path(part.name.removesuffix(SUFFIX))
    number = 1
    while True:
        aside = part.with_name(f"{target.stem}-unfinished-{number}{target.suffix}{SUFFIX}")
        if not aside.exists() and not aside.with_name(aside.name.removesuffix(SUFFIX)).exists():
            break
        number += 1
    part.rename(aside)
    _log.warning("%s was cut off: xnb.recover(%r) completes it.", target, str(aside))
    return aside
