"""Camera and microphone of the machine on which the kernel runs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import av

from ..errors import MediaError
from .late import OpenedLater
from .live import LiveSource
from .source import Kind

_OPEN_TIMEOUT_S = 10.0
_READ_TIMEOUT_S = 5.0
# A camera's picture is shown as it comes; sound needs a little in hand.
_DELAY_S = {"video": 0.02, "audio": 0.06}
# The ALSA in PyAV's wheels looks for its configuration where the wheel was built.
_ALSA_CONFIG = Path("/usr/share/alsa/alsa.conf")
_WORDS = {"video": "camera", "audio": "microphone"}


@dataclass(frozen=True, slots=True)
class Device:
    """How FFmpeg opens one device.

    Args:
        kind: What it gives.
        driver: FFmpeg's input format: ``"v4l2"``, ``"avfoundation"``, ``"dshow"``, ``"alsa"``.
        name: In that driver's own way.
        options: For that driver.
        is_pulled: Whether it waits when nothing is read; real devices do not.
    """

    kind: Kind
    driver: str
    name: str
    options: dict[str, str] = field(default_factory=dict)
    is_pulled: bool = False


def host_camera(
    name: str | None = None, *, width: int = 640, height: int = 480, fps: float = 30
) -> OpenedLater:
    """The camera of the machine on which the kernel runs.

    That is often not the computer in front of you: for that one see :func:`xnb.page_media`. The
    camera is opened on a thread when the call is connected, and given back when sending stops.

    Args:
        name: Which one: ``"/dev/video2"`` on Linux, a number or name elsewhere. The first one
            if not given.
        width: Asked for, in pixels, 16 to 7680; the driver takes what is nearest.
        height: The same, 16 to 4320.
        fps: The same, 1 to 120.

    Raises:
        MediaError: There is none, or a size or rate is out of range. That it could not be opened
            comes later: from ``playback.done``, and as an ``error`` event.

    Example:
        >>> playback = call.send_video(xnb.host_camera())
    """
    for what, value, least, most in (
        ("width", width, 16, 7680),
        ("height", height, 16, 4320),
        ("fps", fps, 1, 120),
    ):
        if not least <= value <= most:
            raise MediaError(f"The {what} is {value!r}.", remedy=f"Use {least} to {most}.")
    options = {"video_size": f"{width}x{height}", "framerate": f"{fps:g}"}
    return _later(find_device("video", name, sys.platform, options))


def host_microphone(name: str | None = None) -> OpenedLater:
    """The microphone of the machine on which the kernel runs.

    That is often not the computer in front of you: for that one see :func:`xnb.page_media`. It
    is opened on a thread when the call is connected, and given back when sending stops.

    Args:
        name: Which one: an ALSA name such as ``"hw:1"`` on Linux, a number or name elsewhere. The
            system's default if not given.

    Raises:
        MediaError: There is none. That it could not be opened comes later: from
            ``playback.done``, and as an ``error`` event.

    Example:
        >>> playback = call.send_audio(xnb.host_microphone())
    """
    return _later(find_device("audio", name, sys.platform))


def find_device(
    kind: Kind, name: str | None, platform: str, options: dict[str, str] | None = None
) -> Device:
    """Which device is meant, on this ``platform`` (as :data:`sys.platform` says it).

    Raises:
        MediaError: There is none, or not this one.
    """
    word = _WORDS[kind]
    driver = {
        "darwin": "avfoundation",
        "win32": "dshow",
    }.get(platform, "v4l2" if kind == "video" else "alsa")
    if driver == "alsa":
        _help_alsa()
    found = _list(driver, kind)
    if driver == "avfoundation":
        chosen = name or ("0" if kind == "video" else "default")
        return Device(kind, driver, f"{chosen}:none" if kind == "video" else f":{chosen}")
    if name is None and not found:
        raise MediaError(
            f"This machine has no {word} that {driver} can see.",
            remedy=f"Connect one to the machine on which the kernel runs, and see that it may be "
            f"used by this user. For the {word} of the computer in front of you use "
            "xnb.page_media().",
        )
    if name is not None and driver == "v4l2" and not Path(name).exists():
        there = f"There are: {', '.join(found)}." if found else f"There is no {word} at all."
        raise MediaError(f"There is no {word} {name}.", remedy=there)
    chosen = name or (found[0] if driver != "alsa" or "default" not in found else "default")
    if driver == "dshow":
        chosen = f"{kind}={chosen}"
    return Device(kind, driver, chosen, options or {})


def _list(driver: str, kind: Kind) -> list[str]:
    try:
        devices = av.enumerate_input_devices(driver)
    except (av.FFmpegError, ValueError, NotImplementedError):
        return []
    names = []
    for device in devices:
        types = [str(one) for one in getattr(device, "media_types", None) or [kind]]
        # ALSA's "null" gives silence for ever: nobody's microphone.
        if kind in types and device.name != "null":
            names.append(str(device.name))
    return names


def _help_alsa() -> None:
    if "ALSA_CONFIG_PATH" not in os.environ and _ALSA_CONFIG.exists():
        os.environ["ALSA_CONFIG_PATH"] = str(_ALSA_CONFIG)


def _later(device: Device) -> OpenedLater:
    return OpenedLater(f"host {_WORDS[device.kind]}", partial(open_device, device))


def open_device(device: Device) -> LiveSource:
    """Open it now, blocking for at most about ten seconds.

    Raises:
        MediaError: It cannot be opened; says why and what to do.
    """
    word = _WORDS[device.kind]
    return LiveSource(
        f"host {word}",
        _open(device),
        partial(_open, device),
        audio=device.kind == "audio",
        video=device.kind == "video",
        delay_s=_DELAY_S[device.kind],
        is_pulled=device.is_pulled,
    )


def _open(device: Device) -> Any:
    word = _WORDS[device.kind]
    remedy = (
        "Close other programs that use it, and check its name. For the computer in front of "
        "you use xnb.page_media()."
    )
    try:
        return av.open(
            device.name,
            "r",
            format=device.driver,
            options=device.options,
            timeout=(_OPEN_TIMEOUT_S, _READ_TIMEOUT_S),
        )
    except ValueError:
        why = f"this FFmpeg has no {device.driver}"
        remedy = "Install PyAV with it, or use xnb.page_media()."
    except PermissionError:
        why = "not allowed"
        remedy = (
            "Give this user the right to use it (groups 'video' and 'audio' on Linux), or "
            f"allow the {word} in the system's settings."
        )
    except (av.FFmpegError, OSError) as error:
        why = error.strerror or type(error).__name__
    raise MediaError(
        f"The {word} {device.name} cannot be opened with {device.driver} (stage: opening): {why}.",
        remedy=remedy,
    )
