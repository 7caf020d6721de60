"""Whatever somebody wants to send, as a source.

``source=``, ``send_video`` and ``send_audio`` all take the same things:

=============================================  ===================================================
a source                                       ``xnb.testcard()``, ``xnb.host_camera()``,
                                               ``xnb.page_media()``, ``xnb.filtered(...)``, ...
a path, ``str`` or ``Path``                    a file that FFmpeg can read
an address with a scheme                       ``"rtsp://..."``, ``"https://..."``, ``"udp://..."``
an ipywebrtc ``MediaStream`` widget            its stream, taken in the page
a matplotlib figure                            redrawn a few times a second
an array or PIL image, one ``VideoFrame``      a still picture
samples: an array, an ``AudioChunk``           sound
a generator, iterator, list or function        the pictures, or pieces of sound, that it gives
=============================================  ===================================================

Where it could be both, as a generator could, it is pictures for ``send_video`` and for ``source=``
in a call with video, else sound.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..errors import MediaError
from . import push
from .browser import PageMedia, is_stream_widget
from .files import FileSource
from .frames import AudioChunk, VideoFrame
from .late import OpenedLater
from .network import is_address, stream
from .source import Kind, Source
from .still import still

Sendable: TypeAlias = "Source | str | Path | Iterable[Any] | AsyncIterable[Any] | Any"

_ACCEPTED = (
    "Give a source such as xnb.testcard(), a file or address, an ipywebrtc stream widget, a "
    "matplotlib figure, an array or image, or a generator or function that returns arrays."
)
_FIGURE_FPS = 5.0
_MONO_OR_STEREO = (1, 2)
_SOUND_AXES = 2


def accept(thing: Sendable, kind: Kind, *, fps: float = 30, sample_rate_hz: int = 48_000) -> Source:
    """Make a source of ``thing``; opens and starts nothing yet.

    Args:
        thing: One of those in the table above.
        kind: What is meant where it could be both: ``"video"`` or ``"audio"``.
        fps: Of pictures made by Python, 1 to 120.
        sample_rate_hz: Of samples made by Python, 8,000 to 192,000.

    Raises:
        MediaError: It is nothing of the kind; says what would be.

    Example:
        >>> accept("rtsp://camera.example/live", "video")
        <OpenedLater rtsp stream: nothing>
    """
    source = _as_known(thing, kind)
    if source is not None:
        return source
    if _is_picture(thing, kind):
        return still(thing)
    if isinstance(thing, AudioChunk):
        return push.audio_from(thing.samples, thing.sample_rate_hz)
    if not (callable(thing) or isinstance(thing, Iterable | AsyncIterable)):
        raise MediaError(f"{_type_name(thing)} cannot be sent.", remedy=_ACCEPTED)
    if isinstance(thing, type | dict | set | bytes | bytearray):
        raise MediaError(f"{_type_name(thing)} cannot be sent.", remedy=_ACCEPTED)
    if isinstance(thing, np.ndarray):
        kind = "audio"
    if kind == "video":
        return push.video_from(thing, fps=fps)
    if isinstance(thing, list | tuple) and thing and np.isscalar(thing[0]):
        thing = np.asarray(thing)
    return push.audio_from(thing, sample_rate_hz=sample_rate_hz)


def _as_known(thing: Any, kind: Kind) -> Source | None:
    if isinstance(thing, Source):
        return thing
    if is_stream_widget(thing):
        return PageMedia(widget=thing)
    if isinstance(thing, str) and is_address(thing):
        return stream(thing, video=kind == "video")
    if isinstance(thing, str | os.PathLike):
        path = Path(thing).expanduser()
        is_video = kind == "video"
        return OpenedLater(path.name, partial(FileSource.open, path, video=is_video), is_near=True)
    if _is_figure(thing):
        from .figure import figure

        return figure(thing, fps=_FIGURE_FPS)
    return None


def _is_picture(thing: Any, kind: Kind) -> bool:
    if isinstance(thing, VideoFrame) or (hasattr(thing, "getbands") and hasattr(thing, "convert")):
        return True
    if not isinstance(thing, np.ndarray):
        return False
    is_sound = thing.ndim == 1 or (thing.ndim == _SOUND_AXES and thing.shape[1] in _MONO_OR_STEREO)
    return kind == "video" or not is_sound


def _is_figure(thing: Any) -> bool:
    return any(
        base.__name__ == "FigureBase" and base.__module__.startswith("matplotlib.")
        for base in type(thing).__mro__
    )


def _type_name(thing: Any) -> str:
    if isinstance(thing, type):
        return f"The class {thing.__name__}"
    name = type(thing).__name__
    return f"{'An' if name[:1].lower() in 'aeiou' else 'A'} {name}"
