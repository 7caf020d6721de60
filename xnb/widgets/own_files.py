"""Names for the files that the card's buttons make."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ..errors import RecordingError

if TYPE_CHECKING:
    from ..media.frames import VideoFrame

RECORDINGS_FOLDER = Path("recordings")


def recording_path(title: str, *, video: bool, codec: str | None = None) -> Path:
    """A file name in ``recordings/`` with the time in it.

    Sound alone is .wav; a picture goes into the container that its codec is at home in, .mp4 for
    H.264, .webm for VP8.

    Raises:
        RecordingError: The folder cannot be made.
    """
    return _free_name(title, (".mp4" if codec == "h264" else ".webm") if video else ".wav")


def picture_path(title: str) -> Path:
    """A file name in ``recordings/`` for a snapshot, with the time in it.

    Raises:
        RecordingError: The folder cannot be made.
    """
    return _free_name(title, ".png")


def save_picture(frame: VideoFrame, path: Path) -> None:
    """Write a picture as PNG.

    Raises:
        RecordingError: It cannot be written.
    """
    try:
        Image.fromarray(frame.image).save(path, "PNG")
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be written ({error.strerror}).",
            remedy="Make room, or save (await widget.snapshot()).image elsewhere.",
        ) from None


def _free_name(title: str, suffix: str) -> Path:
    who = "".join(c if c.isalnum() or c in "-_" else "-" for c in title).strip("-") or "call"
    try:
        RECORDINGS_FOLDER.mkdir(exist_ok=True)
    except OSError as error:
        raise RecordingError(
            f"The folder {RECORDINGS_FOLDER}/ cannot be made here ({error.strerror}).",
            remedy="Use call.record(path) with a folder that can be written.",
        ) from None
    stem = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S}-{who}"
    path, number = RECORDINGS_FOLDER / f"{stem}{suffix}", 2
    while path.exists():
        path, number = RECORDINGS_FOLDER / f"{stem}-{number}{suffix}", number + 1
    return path
