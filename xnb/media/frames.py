"""Frames as people meet them (NumPy) and as codecs want them (av), and the way between."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from ..errors import MediaError
from .levels import as_float

_SHAPES = "(height, width, 3) uint8 RGB, (height, width, 4) RGBA or (height, width) gray"
_MIN_SIDE_PX = 2
_MAX_SIDE_PX = 8192
_FLOAT_RANGE = (-0.01, 1.01)
_RGB_AXES, _GRAY_AXES = 3, 2
_RGBA_CHANNELS = 4


class VideoFrame:
    """One picture.

    Args:
        frame: The decoded frame.
        time_s: When it is shown, in seconds on the clock of the call or file it is from.
    """

    __slots__ = ("_image", "av", "time_s")

    def __init__(self, frame: av.VideoFrame, time_s: float) -> None:
        self.av = frame
        self.time_s = time_s
        self._image: NDArray[np.uint8] | None = None

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.av.width

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.av.height

    @property
    def image(self) -> NDArray[np.uint8]:
        """The picture as (height, width, 3) uint8 RGB; converted when first asked for."""
        if self._image is None:
            self._image = to_rgb(self.av)
        return self._image

    def _repr_png_(self) -> bytes:
        import io

        from PIL import Image

        data = io.BytesIO()
        Image.fromarray(self.image).save(data, "PNG")
        return data.getvalue()

    def __repr__(self) -> str:
        return f"VideoFrame({self.width}x{self.height}, time_s={self.time_s:.3f})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AudioChunk:
    """A stretch of sound.

    Args:
        samples: (n, channels) float32 in -1..1.
        time_s: Time of the first sample, in seconds on the clock of the call or file.
        sample_rate_hz: Samples a second.
    """

    samples: NDArray[np.float32]
    time_s: float
    sample_rate_hz: int = 48000

    @classmethod
    def from_av(cls, frame: av.AudioFrame, time_s: float) -> AudioChunk:
        """The chunk that holds a decoded frame's samples."""
        return cls(from_av_audio(frame), time_s, frame.sample_rate)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz

    def __repr__(self) -> str:
        n, channels = self.samples.shape
        return (
            f"AudioChunk({n} samples x {channels}, {self.sample_rate_hz} Hz, "
            f"time_s={self.time_s:.3f})"
        )


_converters = threading.local()


def convert(
    frame: av.VideoFrame,
    *,
    width: int | None = None,
    height: int | None = None,
    pixel_format: str | None = None,
) -> av.VideoFrame:
    """A frame in another size or pixel format.

    One frame may be converted by several threads at once, as a recording and a reader do: each
    thread has a converter of its own. (``frame.reformat`` keeps one in the frame, and two
    threads in it wait for each other for ever.)
    """
    converter = getattr(_converters, "one", None)
    if converter is None:
        converter = _converters.one = VideoReformatter()
    converted: av.VideoFrame = converter.reformat(
        frame, width=width, height=height, format=pixel_format, threads=1
    )
    return converted


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A frame of any pixel format as (height, width, 3) uint8 RGB."""
    array: NDArray[np.uint8] = np.ascontiguousarray(
        convert(frame, pixel_format="rgb24").to_ndarray()
    )
    return array


def from_av_audio(frame: av.AudioFrame) -> NDArray[np.float32]:
    """A frame of any sample format as (n, channels) float32 in -1..1."""
    array = frame.to_ndarray()
    channels = len(frame.layout.channels)
    samples = array.T if frame.format.is_planar else array.reshape(-1, channels)
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    return np.ascontiguousarray(as_float(samples))


def to_av_video(picture: Any) -> av.VideoFrame:
    """Make a yuv420p frame of even size from a picture.

    Args:
        picture: An array of shape (height, width, 3), (height, width, 4) or (height, width),
            uint8 or float in 0..1; a PIL image; an ``av.VideoFrame``; or a :class:`VideoFrame`.
            One column or row of an odd size is cut off.

    Returns:
        A new frame, or the same when it is an ``av.VideoFrame`` that fits already.

    Raises:
        MediaError: Shape, dtype or size cannot be a picture; says what to do.
    """
    if isinstance(picture, VideoFrame):
        picture = picture.av
    if isinstance(picture, av.VideoFrame):
        return to_yuv420p(picture)
    if hasattr(picture, "convert") and hasattr(picture, "getbands"):
        picture = np.asarray(picture.convert("RGB"))
    if not isinstance(picture, np.ndarray):
        raise MediaError(
            f"A picture is needed, not {type(picture).__name__}.",
            remedy=f"Give a NumPy array of shape {_SHAPES}, a PIL image or an av.VideoFrame.",
        )
    array = _rgb_or_gray(picture)
    height, width = array.shape[0] & ~1, array.shape[1] & ~1
    array = np.ascontiguousarray(array[:height, :width])
    pixel_format = "gray" if array.ndim == _GRAY_AXES else "rgb24"
    return convert(av.VideoFrame.from_ndarray(array, format=pixel_format), pixel_format="yuv420p")


def _rgb_or_gray(array: NDArray[Any]) -> NDArray[np.uint8]:
    is_color = array.ndim == _RGB_AXES and array.shape[2] in (3, _RGBA_CHANNELS)
    if array.ndim == _RGB_AXES and array.shape[2] == 1:
        array = array[:, :, 0]
    elif not is_color and array.ndim != _GRAY_AXES:
        raise MediaError(
            f"An array of shape {array.shape} is not a picture.",
            remedy=f"Give {_SHAPES}; move a leading channel axis with numpy.moveaxis(a, 0, -1).",
        )
    height, width = array.shape[:2]
    if not (_MIN_SIDE_PX <= width <= _MAX_SIDE_PX and _MIN_SIDE_PX <= height <= _MAX_SIDE_PX):
        raise MediaError(
            f"A picture of {width}x{height} pixels cannot be sent.",
            remedy=f"Use {_MIN_SIDE_PX} to {_MAX_SIDE_PX} pixels a side.",
        )
    if array.ndim == _RGB_AXES:
        array = array[:, :, :3]
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return np.where(array, np.uint8(255), np.uint8(0))
    if np.issubdtype(array.dtype, np.floating):
        low, high = float(np.min(array)), float(np.max(array))
        if not (_FLOAT_RANGE[0] <= low and high <= _FLOAT_RANGE[1]):
            raise MediaError(
                f"A float picture holds values from {low:g} to {high:g}.",
                remedy="Scale floats to 0..1, or convert 0..255 with array.astype('uint8').",
            )
        scaled: NDArray[np.uint8] = np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
        return scaled
    raise MediaError(
        f"An array of dtype {array.dtype} is not a picture.",
        remedy="Convert 0..255 with array.astype('uint8'), or give floats in 0..1.",
    )


def to_yuv420p(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame as yuv420p of even size, keeping pts and time base; itself when it fits."""
    if frame.width < _MIN_SIDE_PX or frame.height < _MIN_SIDE_PX:
        raise MediaError(
            f"A picture of {frame.width}x{frame.height} pixels cannot be sent.",
            remedy=f"Use at least {_MIN_SIDE_PX} pixels a side.",
        )
    if frame.format.name != "yuv420p":
        frame = convert(frame, pixel_format="yuv420p")
    if frame.width % 2 == 0 and frame.height % 2 == 0:
        return frame
    planes = [plane_array(frame, index) for index in range(3)]
    width, height = frame.width & ~1, frame.height & ~1
    even = from_planes(
        planes[0][:height, :width],
        planes[1][: height // 2, : width // 2],
        planes[2][: height // 2, : width // 2],
    )
    even.pts = frame.pts
    if frame.time_base is not None:
        even.time_base = frame.time_base
    return even


def plane_array(frame: av.VideoFrame, index: int) -> NDArray[np.uint8]:
    """One plane of a yuv420p frame as a (height, width) view without the padding of its rows.

    The view is writable; it lives as long as the frame.
    """
    plane = frame.planes[index]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8)
    return rows.reshape(-1, plane.line_size)[: plane.height, : plane.width]


def from_planes(y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> av.VideoFrame:
    """A yuv420p frame from its planes; ``u`` and ``v`` have half the size of ``y``."""
    frame = av.VideoFrame(y.shape[1], y.shape[0], "yuv420p")
    for index, values in enumerate((y, u, v)):
        plane_array(frame, index)[:] = values
    return frame


def to_av_audio(samples: Any, sample_rate_hz: int) -> av.AudioFrame:
    """Make an interleaved s16 frame from samples.

    Args:
        samples: Array of shape (n,), (n, 1) or (n, 2); int16, or float in -1..1 (louder values
            are clipped). Or an :class:`AudioChunk`.
        sample_rate_hz: 8,000 to 192,000.

    Returns:
        A mono or stereo frame with ``pts`` 0.

    Raises:
        MediaError: Shape, dtype or rate cannot be sound; says what to do.
    """
    if isinstance(samples, AudioChunk):
        samples, sample_rate_hz = samples.samples, samples.sample_rate_hz
    rate_hz = check_sample_rate(sample_rate_hz)
    array = to_int16(samples)
    layout = "mono" if array.shape[1] == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(array.reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate = rate_hz
    frame.pts = 0
    frame.time_base = Fraction(1, rate_hz)
    return frame


def check_sample_rate(sample_rate_hz: int) -> int:
    """The rate as int.

    Raises:
        MediaError: Not a number from 8,000 to 192,000.
    """
    lowest, highest = 8000, 192000
    if not isinstance(sample_rate_hz, int | float | np.number) or not (
        lowest <= sample_rate_hz <= highest
    ):
        raise MediaError(
            f"sample_rate_hz is {sample_rate_hz!r}.",
            remedy=f"Give the rate in Hz, {lowest} to {highest}, for example 48000.",
        )
    return int(sample_rate_hz)


def to_int16(samples: Any) -> NDArray[np.int16]:
    """Samples as contiguous (n, channels) int16 with one or two channels.

    Raises:
        MediaError: Shape or dtype cannot be sound; says what to do.
    """
    array = np.asarray(samples)
    stereo = 2
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.ndim != _GRAY_AXES or array.shape[1] not in (1, stereo):
        turned = array.ndim == _GRAY_AXES and array.shape[0] in (1, stereo)
        raise MediaError(
            f"An array of shape {np.shape(samples)} is not sound.",
            remedy="Transpose it with .T: samples come first."
            if turned
            else "Give (n,) for mono or (n, 2) for stereo.",
        )
    if array.dtype == np.int16:
        return np.ascontiguousarray(array)
    if np.issubdtype(array.dtype, np.floating):
        if not np.all(np.isfinite(array)):
            raise MediaError(
                "The samples hold NaN or infinity.", remedy="Clean them with numpy.nan_to_num."
            )
        scaled = np.clip(array, -1, 1) * 32767
        return np.ascontiguousarray(np.rint(scaled).astype(np.int16))
    raise MediaError(
        f"Samples of dtype {array.dtype} are not sound.",
        remedy="Give int16, or floats in -1..1.",
    )
