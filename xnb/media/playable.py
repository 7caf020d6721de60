"""What a browser is offered of a media file: the file, or a copy in a form that it plays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

import av

from .cut import Progress, cut, remux

_MIME = {
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
}
# Names of RFC 6381; of H.264 the constrained baseline profile, which every other one contains.
_CODECS = {
    "vp8": "vp8",
    "vp9": "vp9",
    "av1": "av01.0.08M.08",
    "h264": "avc1.42E01E",
    "opus": "opus",
    "vorbis": "vorbis",
    "aac": "mp4a.40.2",
    "mp3": "mp3",
}
_COPIED = {
    ".webm": {"vp8", "vp9", "av1", "opus", "vorbis"},
    ".mp4": {"h264", "av1", "aac", "opus", "mp3"},
}
_AT_HOME = {".webm": {".webm"}, ".mp4": {".mp4", ".m4a"}}

How = Literal["file", "copy", "encoded"]


class Form(NamedTuple):
    """A form in which a file can be played.

    Attributes:
        how: The file itself, its packets in another container, or encoded anew.
        mime: For ``canPlayType``.
        suffix: Of the copy.
    """

    how: How
    mime: str
    suffix: str


def mime_of(path: Path, has_video: bool) -> str:
    """The MIME type of a file by its suffix, without codecs."""
    mime = _MIME.get(path.suffix.lower(), "application/octet-stream")
    return mime if has_video else mime.replace("video/", "audio/")


def forms_of(path: Path) -> list[Form]:
    """The forms a browser may be offered, the cheapest first.

    Raises:
        av.FFmpegError: The file cannot be read.
        OSError: The same.
    """
    with av.open(str(path)) as container:
        chosen: list[Any] = [*container.streams.video[:1], *container.streams.audio[:1]]
        names = [one.codec_context.codec.canonical_name for one in chosen]
        has_video = bool(container.streams.video)
    suffix = path.suffix.lower()
    forms = [Form("file", _with_codecs(mime_of(path, has_video), suffix, names), suffix)]
    for other, known in _COPIED.items():
        if set(names) <= known and suffix not in _AT_HOME[other]:
            kind = mime_of(Path(f"_{other}"), has_video)
            forms.append(Form("copy", _with_codecs(kind, other, names), other))
    again = ["vp8", "opus"] if has_video else ["opus"]
    kind = mime_of(Path("_.webm"), has_video)
    forms.append(Form("encoded", _with_codecs(kind, ".webm", again), ".webm"))
    return forms


def _with_codecs(mime: str, suffix: str, names: list[str]) -> str:
    # VP8 in MP4 has no name that all browsers know, but most play it: let them try.
    if suffix not in (".mp4", ".webm", ".ogg", ".m4a") or (suffix == ".mp4" and "vp8" in names):
        return mime
    known = [_CODECS[name] for name in names if name in _CODECS]
    return f'{mime}; codecs="{", ".join(known)}"' if len(known) == len(names) else mime


def make_form(path: Path, form: Form, target: Path, progress: Progress | None = None) -> None:
    """Write a copy of ``path`` in another form; blocks.

    Raises:
        RecordingError: There is nothing in it that the form can hold.
        av.FFmpegError: FFmpeg could not do it.
        ValueError: The same.
        OSError: A file cannot be read or written.
    """
    if form.how == "copy":
        remux(path, target)
    else:
        with av.open(str(path)) as container:
            length_s = (container.duration or 0) / av.time_base
        cut(path, target, 0.0, max(length_s, 0.02), progress)
