"""Frames into encoded pictures: VP8 and H.264 for live sending, at a rate that may change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from ...errors import MediaError
from ...media.frames import plane_array, to_yuv420p
from ...settings import VideoCodec, VideoSettings

_TICKS_A_SECOND = 90_000
_TIME_BASE = Fraction(1, _TICKS_A_SECOND)
_MIN_BPS = 50_000
_KEYFRAME_EVERY = 3000
_MAX_STEP_S = 0.25
_REBUILD_AFTER_S = 5.0
_OVERLOAD_AFTER_S = 3.0
_BUSY_SHARE = 0.6
_LOAD_FRAMES, _STEP_FRAMES = 30, 8

# From careful to quick. Each next one is taken when encoding takes too much of a frame's time.
_VP8_SPEEDS = ("-6", "-10", "-12", "-14")
_H264_PRESETS = ("veryfast", "superfast", "ultrafast")
# Pixels up to which a step of those lists is the first choice.
_VP8_FIRST = ((352 * 288, 0), (480 * 360, 1))
_H264_FIRST = ((352 * 288, 0), (1920 * 1088, 1))
# Above this many pixels one core cannot keep up: encode with several threads.
_ONE_THREAD_PX = 1920 * 1088

# A quality that is good enough (about 43 dB) limits what is spent: below this quantizer
# nobody sees a difference, but every bit is encoded, sent, received and decoded.
_VP8_QMIN, _VP8_QMAX = 14, 56
_H264_QMIN, _H264_QMAX = 16, 51
# A VP8 block that differs from what is shown by a squared error of this sum over its 256 pixels
# (52 dB) is not coded again: sensor noise costs nothing.
_VP8_GOOD_ENOUGH = 100
# VP8 works from a sixth to four times the rate it was opened with.
_VP8_LEAST, _VP8_MOST = 1 / 6, 4.0
_VP8_NEAR_LEAST, _VP8_NEAR_MOST = 0.4, 2.5

# H.264 table A-1: level, macroblocks a frame, macroblocks a second, bits a second.
_LEVELS = (
    ("3.1", 3600, 108_000, 14_000_000),
    ("3.2", 5120, 216_000, 20_000_000),
    ("4.0", 8192, 245_760, 20_000_000),
    ("4.2", 8704, 522_240, 50_000_000),
    ("5.0", 22_080, 589_824, 135_000_000),
    ("5.1", 36_864, 983_040, 240_000_000),
    ("5.2", 36_864, 2_073_600, 240_000_000),
)


class _Shape(NamedTuple):
    width_px: int
    height_px: int


class VideoEncoder:
    """Encodes one stream for live sending; one call of :meth:`encode` at a time, on any thread.

    A new target is taken without a keyframe: x264 changes its rate live, and libvpx is told that
    time passes slower or faster, for it gives each frame bits by the time the frame lasts. Only
    a change of size, a target far from the rate the encoder was opened with, or a machine that
    cannot keep up makes a new encoder, which begins with a keyframe.

    Quality has a ceiling of about 42.5 dB: what is good enough already costs no more bits, so a
    quiet picture stays far below the target.

    Args:
        codec: ``"vp8"`` or ``"h264"`` (constrained baseline, no delay, headers on keyframes).
        settings: Start and limit of the rate; ``max_fps`` is what H.264's level must hold.
        now: Clock for measuring how long encoding takes, in seconds.

    Attributes:
        keyframes: Keyframes made.
        rebuilds: Encoders made after the first.

    Raises:
        MediaError: Another codec.
    """

    def __init__(
        self,
        codec: VideoCodec,
        settings: VideoSettings,
        *,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        if codec not in ("vp8", "h264"):
            raise MediaError(f"Video cannot be encoded as {codec!r}.", remedy="Use vp8 or h264.")
        self.codec = codec
        self.settings = settings
        self.keyframes = 0
        self.rebuilds = 0
        self._now = now
        self._wanted_bps = settings.start_bitrate_bps
        self._in_force_bps = settings.start_bitrate_bps
        self._context: VideoCodecContext | None = None
        self._shape = _Shape(0, 0)
        self._opened_bps = 0
        self._speed = 0
        self._input = av.VideoFrame(2, 2, "yuv420p")
        self._last_s: float | None = None
        self._ticks = 0
        self._since_open_s = 0.0
        self._step_s = 1 / settings.max_fps
        self._busy_share = 0.0

    @property
    def target_bps(self) -> int:
        """The rate in force, in bits a second."""
        return self._in_force_bps

    def set_target(self, bps: int) -> None:
        """Aim at a rate from the next frame on, within 50,000 and the settings' limit.

        May be called from any thread.
        """
        self._wanted_bps = max(_MIN_BPS, min(int(bps), self.settings.max_bitrate_bps))

    def encode(self, frame: av.VideoFrame, *, keyframe: bool = False) -> tuple[bytes, bool] | None:
        """Encode one frame; the frame itself is left as it is.

        Args:
            frame: Any pixel format, at least 2x2 pixels; an odd row or column is cut off. Its
                ``pts`` and ``time_base``, when it has them, tell how long the last one lasted.
            keyframe: Make it one that can be decoded without those before.

        Returns:
            The whole encoded frame (H.264 as Annex B) and whether it is a keyframe, or ``None``
            when the encoder left this frame out to hold its rate.

        Raises:
            MediaError: The picture cannot be encoded.
        """
        began_s = self._now()
        picture = to_yuv420p(frame)
        step_s = self._advance(frame)
        shape = _Shape(picture.width, picture.height)
        wanted_bps = self._wanted_bps
        try:
            if self._context is None or self._must_rebuild(shape, wanted_bps, keyframe):
                self._open(shape, wanted_bps)
            self._aim(wanted_bps, step_s)
            data, is_key = self._run(picture, keyframe)
        except (FFmpegError, ValueError) as error:
            self.close()
            raise MediaError(
                f"A picture of {shape.width_px}x{shape.height_px} pixels could not be encoded "
                f"as {self.codec}: {error}.",
                remedy="Send a smaller picture, or use the other video codec.",
            ) from error
        self.keyframes += is_key
        self._note_load(self._now() - began_s, step_s)
        return (data, is_key) if data else None

    def close(self) -> None:
        """Free the encoder; the next frame would make a new one."""
        self._context = None
        self._input = av.VideoFrame(2, 2, "yuv420p")

    def _advance(self, frame: av.VideoFrame) -> float:
        """How long the frame before this one lasted, in seconds."""
        least_s = 1 / self.settings.max_fps
        now_s = None
        if frame.pts is not None and frame.time_base is not None:
            now_s = float(frame.pts * frame.time_base)
        step_s = least_s
        if now_s is not None and self._last_s is not None and now_s > self._last_s:
            # A long pause must not be saved up for one huge picture.
            step_s = max(least_s / 4, min(now_s - self._last_s, _MAX_STEP_S))
        self._last_s = now_s
        self._since_open_s += step_s
        self._step_s += (step_s - self._step_s) / _STEP_FRAMES
        return step_s

    def _must_rebuild(self, shape: _Shape, wanted_bps: int, keyframe: bool) -> bool:
        if shape != self._shape:
            return True
        if self._busy_share > _BUSY_SHARE and self._since_open_s > _OVERLOAD_AFTER_S:
            quicker = _VP8_SPEEDS if self.codec == "vp8" else _H264_PRESETS
            if self._speed < len(quicker) - 1:
                self._speed += 1
                return True
        if self.codec == "h264":
            is_far = wanted_bps * self._slowness() > self._opened_bps < self._most_h264_bps()
            return is_far and self._since_open_s > _REBUILD_AFTER_S
        ratio = wanted_bps / self._opened_bps
        if keyframe and not _VP8_NEAR_LEAST <= ratio <= _VP8_NEAR_MOST:
            return True
        return not _VP8_LEAST <= ratio <= _VP8_MOST and self._since_open_s > _REBUILD_AFTER_S

    def _slowness(self) -> float:
        """How much longer frames last than ``max_fps`` says, 0.25 to 8."""
        return max(0.25, min(self._step_s * self.settings.max_fps, 8.0))

    def _most_h264_bps(self) -> int:
        return 2 * self.settings.max_bitrate_bps

    def _open(self, shape: _Shape, bps: int) -> None:
        if self._context is not None:
            self.rebuilds += 1
        pixels = shape.width_px * shape.height_px
        if shape != self._shape:
            steps = _VP8_FIRST if self.codec == "vp8" else _H264_FIRST
            self._speed = next((step for most_px, step in steps if pixels <= most_px), 2)
        self._shape = shape
        self._context = None  # free the old one first
        context = _open_vp8 if self.codec == "vp8" else _open_h264
        if self.codec == "h264":
            bps = min(self._most_h264_bps(), max(6 * bps, 500_000))
        self._context = context(shape, bps, self._speed, self.settings.max_fps)
        self._opened_bps = bps
        self._input = av.VideoFrame(shape.width_px, shape.height_px, "yuv420p")
        self._since_open_s = 0.0
        self._busy_share = 0.0
        self._ticks = 0

    def _aim(self, wanted_bps: int, step_s: float) -> None:
        """Bring the target into force and count the encoder's clock on."""
        assert self._context is not None
        if self.codec == "vp8":
            step_s *= wanted_bps / self._opened_bps
        else:
            # x264 counts frames, not time: what comes slower may be larger.
            bps = min(int(wanted_bps * self._slowness()), self._opened_bps)
            if wanted_bps != self._in_force_bps or self._is_far(bps):
                self._context.bit_rate = bps
        self._in_force_bps = wanted_bps
        self._ticks += max(1, round(step_s * _TICKS_A_SECOND))

    def _is_far(self, bps: int) -> bool:
        assert self._context is not None
        return abs(bps - (self._context.bit_rate or 0)) > bps / 10

    def _run(self, picture: av.VideoFrame, keyframe: bool) -> tuple[bytes, bool]:
        """Encode a copy: encoding writes into a frame's header, and others hold the original.

        A copy costs 0.03 ms at 640x480.
        """
        assert self._context is not None
        for index in range(3):
            np.copyto(plane_array(self._input, index), plane_array(picture, index))
        self._input.pts, self._input.time_base = self._ticks, _TIME_BASE
        self._input.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = self._context.encode(self._input)
        return b"".join(map(bytes, packets)), any(packet.is_keyframe for packet in packets)

    def _note_load(self, took_s: float, step_s: float) -> None:
        share = min(took_s / step_s, 4.0)
        self._busy_share += (share - self._busy_share) / _LOAD_FRAMES


def _create(name: str, shape: _Shape, bps: int, fps: int) -> VideoCodecContext:
    context = av.CodecContext.create(name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = shape
    context.pix_fmt = "yuv420p"
    context.bit_rate = bps
    context.time_base = _TIME_BASE
    context.framerate = Fraction(fps, 1)
    context.gop_size = _KEYFRAME_EVERY
    context.max_b_frames = 0
    is_large = shape.width_px * shape.height_px > _ONE_THREAD_PX
    context.thread_count = min(4, os.cpu_count() or 1) if is_large else 1
    return context


def _open_vp8(shape: _Shape, bps: int, speed: int, fps: int) -> VideoCodecContext:
    """VP8 at a constant rate with a buffer of one second, without delay and denoiser."""
    context = _create("libvpx", shape, bps, fps)
    context.qmin, context.qmax = _VP8_QMIN, _VP8_QMAX
    context.options = {
        "deadline": "realtime",
        "cpu-used": _VP8_SPEEDS[speed],
        "lag-in-frames": "0",
        "minrate": str(bps),
        "maxrate": str(bps),
        "bufsize": str(bps),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "noise-sensitivity": "0",
        "static-thresh": str(_VP8_GOOD_ENOUGH),
        "max-intra-rate": "900",
    }
    context.open()
    return context


def _open_h264(shape: _Shape, bps: int, speed: int, fps: int) -> VideoCodecContext:
    """H.264 at a constant rate: only so does x264 take a new one live, up to the first."""
    context = _create("libx264", shape, bps, fps)
    context.qmin, context.qmax = _H264_QMIN, _H264_QMAX
    context.options = {
        "preset": _H264_PRESETS[speed],
        "tune": "zerolatency",
        "profile": "baseline",
        "level": _level(shape, bps, fps),
        "maxrate": str(bps),
        "bufsize": str(bps // 12),
        "forced-idr": "1",
        "x264-params": "no-deblock=0",
    }
    context.open()
    return context


def _level(shape: _Shape, bps: int, fps: int) -> str:
    """The lowest level from 3.1 on that holds the stream, else the highest."""
    blocks = -(-shape.width_px // 16) * -(-shape.height_px // 16)
    fitting = (
        level
        for level, frame_blocks, second_blocks, level_bps in _LEVELS
        if blocks <= frame_blocks and blocks * fps <= second_blocks and bps <= level_bps
    )
    return next(fitting, _LEVELS[-1][0])
