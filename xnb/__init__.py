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
    "CallEnded": "errors",
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
    "GroupCall": "group_call",
    "IncomingCall": "incoming",
    "LoopError": "errors",
    "MediaError": "errors",
    "Missed": "errors",
    "NotInvited": "errors",
    "Participant": "participants",
    "Playback": "playback",
    "Recording": "recording",
    "RecordingError": "errors",
    "recover": "recording",
    "RoomFull": "errors",
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
    "figure": "media.figure",
    "filtered": "media.filtered",
    "group": "notebook",
    "host_camera": "media.host",
    "host_microphone": "media.host",
    "join": "notebook",
    "listen": "notebook",
    "mix_down": "group_recording",
    "noise": "media.synthetic",
    "page_media": "media.browser",
    "pushed": "media.pushed",
    "silence": "media.synthetic",
    "stream": "media.network",
    "testcard": "media.synthetic",
    "tone": "media.synthetic",
}

__all__ = [  # noqa: RUF022 - sorted without regard to case, as a reader looks things up
    "__version__",
    "allow_nested_wait",
    "Busy",
    "Call",
    "call",
    "CallEnded",
    "CallError",
    "CallGated",
    "CallOptions",
    "CallState",
    "Client",
    "ConnectError",
    "Declined",
    "default_client",
    "EndReason",
    "figure",
    "filtered",
    "group",
    "GroupCall",
    "host_camera",
    "host_microphone",
    "IceServer",
    "IceSettings",
    "IncomingCall",
    "join",
    "listen",
    "load_ipython_extension",
    "LoopError",
    "MediaError",
    "Missed",
    "mix_down",
    "noise",
    "NotInvited",
    "page_media",
    "Participant",
    "Playback",
    "pushed",
    "Recording",
    "RecordingError",
    "recover",
    "RoomFull",
    "ServerProfile",
    "SettingsError",
    "SfuError",
    "SignalingError",
    "silence",
    "stream",
    "testcard",
    "Timeouts",
    "tone",
    "Unauthorized",
    "UnknownUser",
    "unload_ipython_extension",
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


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext xnb``: give IPython the magic ``%xnb`` (see :mod:`xnb.magics`)."""
    from .magics import register

    register(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext xnb``: take the magic away."""
    from .magics import unregister

    unregister(shell)


if TYPE_CHECKING:
    from .calls import Call
    from .client import Client
    from .errors import (
        Busy,
        CallEnded,
        CallError,
        CallGated,
        ConnectError,
        Declined,
        LoopError,
        MediaError,
        Missed,
        NotInvited,
        RecordingError,
        RoomFull,
        SettingsError,
        SfuError,
        SignalingError,
        Unauthorized,
        UnknownUser,
        Unreachable,
        XnbError,
    )
    from .events import CallState, EndReason
    from .group_call import GroupCall
    from .group_recording import mix_down
    from .incoming import IncomingCall
    from .loop import allow_nested_wait
    from .media.browser import page_media
    from .media.figure import figure
    from .media.filtered import filtered
    from .media.host import host_camera, host_microphone
    from .media.network import stream
    from .media.pushed import pushed
    from .media.synthetic import noise, silence, testcard, tone
    from .notebook import call, default_client, group, join, listen
    from .participants import Participant
    from .playback import Playback
    from .profile import ServerProfile
    from .recording import Recording, recover
    from .settings import CallOptions, IceServer, IceSettings, Timeouts, VideoSettings
