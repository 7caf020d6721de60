"""Completing what a killed process left of a recording."""

from __future__ import annotations

from pathlib import Path

import av

from ..errors import RecordingError
from .finish import finish, format_of
from .leftovers import SUFFIX, lock, part_of, tracks_of
from .mix_down import mix_down


def recover(path: str | Path) -> Path:
    """Complete what is left of the recording ``path``; see :func:`xnb.recover`."""
    given = Path(path).expanduser()
    part = given if given.name.endswith(SUFFIX) else part_of(given)
    target = part.with_name(part.name.removesuffix(SUFFIX))
    tracks = tracks_of(target)
    if not part.is_file() and (tracks.is_file() or part_of(tracks).is_file()):
        return _film(tracks, target)
    if not part.is_file():
        raise RecordingError(
            f"There is no {part.name} to complete.", remedy="Check the path and the folder."
        )
    if target.exists():
        raise RecordingError(
            f"{target.name} exists already.", remedy=f"Move it away, or rename {part.name}."
        )
    format_of(target)
    with part.open("rb") as file:
        lock(file.fileno())
        try:
            finished = finish(part, target)
        except (av.FFmpegError, OSError) as error:
            raise RecordingError(
                f"{target.name} could not be completed: {type(error).__name__}: {error}.",
                remedy=f"Check the free space of its folder; {part.name} is as it was.",
            ) from error
        if finished is None:
            raise RecordingError(
                f"{part.name} holds nothing that {target.suffix} can hold.",
                remedy="Rename it to end in .mkv.part.mkv to keep what it has, or delete it.",
            )
        part.unlink()
    return target


def _film(tracks: Path, target: Path) -> Path:
    """Make what was to become of a group's tracks."""
    if target.exists():
        raise RecordingError(
            f"{target.name} exists already.", remedy=f"Move it away, or keep {tracks.name}."
        )
    if not tracks.is_file():
        recover(tracks)
    try:
        mix_down(tracks, target)
    except (av.FFmpegError, OSError) as error:
        raise RecordingError(
            f"{target.name} could not be made: {type(error).__name__}: {error}.",
            remedy=f"Check the free space of its folder; {tracks.name} has everybody.",
        ) from error
    tracks.unlink()
    return target
