"""xnb: audio and video calls as live notebook values.

    >>> import xnb
    >>> xnb.call("testcard", video=True)      # in a notebook: a live widget

Everything public is a name of this module; modules behind it may move.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Busy": "errors",
    "Call": "calls",
    "CallError": "errors",
    "CallGated": "errors",
    "CallOptions": "settings",
    "CallState": "events",
    "Client": "client",
    "ConnectError": "errors",
    "Declined": "errors",
    "EndReason": "events",
    "IceServer": "settings",
    "IceSettings": "settings",
    "IncomingCall": "incoming",
    "LoopError": "errors",
    "MediaError": "errors",
    "Missed": "errors",
    "Playback": "playback",
    "Recording": "recording",
    "RecordingError": "errors",
    "recover": "recording",
    "ServerProfile": "profile",
    "SettingsError": "errors",
    "SfuError": "errors",
    "SignalingError": "errors",
    "Timeouts": "settings",
    "Unauthorized": "errors",
    "UnknownUser": "errors",
    "Unreachable": "errors",
    "VideoSettings": "settings",
    "XnbError": "errors",
    "allow_nested_wait": "loop",
    "call": "notebook",
    "default_client": "notebook",
    "listen": "notebook",
    "noise": "media.synthetic",
    "page_media": "media.browser",
    "silence": "media.synthetic",
    "testcard": "media.synthetic",
    "tone": "media.synthetic",
}

__all__ = [  # noqa: RUF022 - sorted without regard to case, as a reader looks things up
    "__version__",
    "allow_nested_wait",
    "Busy",
    "Call",
    "call",
    "CallError",
    "CallGated",
    "CallOptions",
    "CallState",
    "Client",
    "ConnectError",
    "Declined",
    "default_client",
    "EndReason",
    "IceServer",
    "IceSettings",
    "IncomingCall",
    "listen",
    "LoopError",
    "MediaError",
    "Missed",
    "noise",
    "page_media",
    "Playback",
    "Recording",
    "RecordingError",
    "recover",
    "ServerProfile",
    "SettingsError",
    "SfuError",
    "SignalingError",
    "silence",
    "testcard",
    "Timeouts",
    "tone",
    "Unauthorized",
    "UnknownUser",
    "Unreachable",
    "VideoSettings",
    "XnbError",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'xnb' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    from .calls import Call
    from .client import Client
    from .errors import (
        Busy,
        CallError,
        CallGated,
        ConnectError,
        Declined,
        LoopError,
        MediaError,
        Missed,
        RecordingError,
        SettingsError,
        SfuError,
        SignalingError,
        Unauthorized,
        UnknownUser,
        Unreachable,
        XnbError,
    )
    from .events import CallState, EndReason
    from .incoming import IncomingCall
    from .loop import allow_nested_wait
    from .media.browser import page_media
    from .media.synthetic import noise, silence, testcard, tone
    from .notebook import call, default_client, listen
    from .playback import Playback
    from .profile import ServerProfile
    from .recording import Recording, recover
    from .settings import CallOptions, IceServer, IceSettings, Timeouts, VideoSettings
