"""Streams from the network: RTSP, HTTP, MPEG-TS over UDP, and whatever else FFmpeg opens."""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import av

from ..errors import MediaError
from .files import FileSource
from .late import OpenedLater
from .live import LiveSource
from .source import Source

OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0
RECONNECT_S = 10.0
# Sound and picture wait this long, so that a network's jitter is not heard.
_DELAY_S = 0.2

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
# What is not read is kept by the far end; of all others it is lost.
_PULLED = {"http", "https", "tcp", "tls", "ftp", "sftp"}
_SHORTEST_S, _LONGEST_S = 0.1, 3600.0


def is_address(text: str) -> bool:
    """Whether it begins with a scheme: ``rtsp://``, ``https://``, ``udp://``."""
    return _ADDRESS.match(text) is not None


def stream(
    address: str,
    *,
    audio: bool = True,
    video: bool = True,
    open_timeout_s: float = OPEN_TIMEOUT_S,
    read_timeout_s: float = READ_TIMEOUT_S,
    reconnect_s: float = RECONNECT_S,
    options: dict[str, str] | None = None,
) -> OpenedLater:
    """A stream from the network: an RTSP camera, a web radio, a film behind ``https://``.

    It is opened on a thread of its own when the call is connected; until it flows, the call
    sends what it sent before. Live streams (RTSP, RTMP, SRT, RTP, UDP) that break off are opened
    again for ``reconnect_s``; then they end, with an error unless the far end closed them
    properly. Files behind ``https://`` are sent from their beginning, and can seek.

    Args:
        address: With its scheme. User names and passwords in it appear nowhere: not in names,
            errors or logs.
        audio: Take its sound, if it has any.
        video: Take its picture, if it has one.
        open_timeout_s: For reaching the server and finding out what is sent, 0.1 to 3600.
        read_timeout_s: For the next piece of data, 0.1 to 3600.
        reconnect_s: How long to try again for, 0 (not at all) to 3600.
        options: FFmpeg's, such as ``{"rtsp_transport": "tcp"}``, which is what RTSP uses
            unless another one is given.

    Raises:
        MediaError: This is no address, or a limit is out of range. That it could not be opened
            comes later: from ``playback.done``, and as an ``error`` event.

    Example:
        >>> playback = call.send_video(xnb.stream("rtsp://camera.example/live"))
        >>> await playback.done
    """
    if not is_address(address):
        raise MediaError("This is no address.", remedy="Begin it with a scheme, as in rtsp://.")
    if not (audio or video):
        raise MediaError("Neither sound nor picture is wanted.", remedy="Leave one of them True.")
    for name, value, least in (
        ("open_timeout_s", open_timeout_s, _SHORTEST_S),
        ("read_timeout_s", read_timeout_s, _SHORTEST_S),
        ("reconnect_s", reconnect_s, 0.0),
    ):
        if not least <= value <= _LONGEST_S:
            raise MediaError(f"{name} is {value!r}.", remedy=f"Use {least:g} to {_LONGEST_S:g}.")
    scheme = address.split("://", 1)[0].lower()
    name = _name(scheme, address)
    chosen = dict(options or {})
    if scheme in ("rtsp", "rtsps"):
        chosen.setdefault("rtsp_transport", "tcp")
    if scheme not in _PULLED:
        # What is in it is known after this long; FFmpeg looks at live streams for 5 s by itself.
        chosen.setdefault("analyzeduration", "2000000")
    opened = partial(_open, name, address, chosen, (open_timeout_s, read_timeout_s))
    return OpenedLater(
        name,
        partial(
            _source,
            name,
            address,
            opened,
            audio=audio,
            video=video,
            is_pulled=scheme in _PULLED,
            reconnect_s=0.0 if scheme in _PULLED else reconnect_s,
        ),
    )


def _source(
    name: str,
    address: str,
    opened: Any,
    *,
    audio: bool,
    video: bool,
    is_pulled: bool,
    reconnect_s: float,
) -> Source:
    container = opened()
    if is_pulled and container.duration and _can_seek(container):
        container.close()
        return FileSource.open(address, audio=audio, video=video)
    return LiveSource(
        name,
        container,
        opened,
        audio=audio,
        video=video,
        delay_s=_DELAY_S,
        is_pulled=is_pulled,
        reconnect_s=reconnect_s,
    )


def _can_seek(container: Any) -> bool:
    try:
        container.seek(0)
    except av.FFmpegError:
        return False
    return True


def _open(name: str, address: str, options: dict[str, str], timeouts_s: tuple[float, float]) -> Any:
    failure = ""
    is_late = False
    try:
        return av.open(address, "r", options=options, timeout=timeouts_s)
    except (av.FFmpegError, OSError, ValueError) as error:
        # The text of the error holds the address, so neither it nor its trace go any further.
        failure = getattr(error, "strerror", None) or type(error).__name__
        is_late = isinstance(error, av.error.ExitError | TimeoutError)
    if is_late:
        raise MediaError(
            f"The {name} did not open within {timeouts_s[0]:g} s (stage: connecting).",
            remedy="Check that it is being sent, and that this machine may reach it.",
        )
    raise MediaError(
        f"The {name} cannot be opened (stage: connecting): {failure}.",
        remedy="Check the address and what is needed to get in, and that this machine reaches it.",
    )


def _name(scheme: str, address: str) -> str:
    """What people see: never a host, a user, a password or a key in the path."""
    try:
        path = PurePosixPath(urlsplit(address).path)
    except ValueError:
        return f"{scheme} stream"
    is_file = scheme in ("http", "https", "ftp", "sftp") and re.fullmatch(
        r"[\w.-]{1,40}\.(mp4|webm|mkv|mov|mp3|ogg|opus|wav|flac|m4a|ts|aac)", path.name
    )
    return path.name if is_file else f"{scheme} stream"
