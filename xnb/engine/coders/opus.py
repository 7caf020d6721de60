"""Opus by way of libopus itself (RFC 6716, RFC 7587).

PyAV can encode and decode Opus, but reaches neither in-band FEC nor concealment, and makes frames
and packets on the way that cost more than the coding. The library is the one PyAV brings along.

Calls keep the interpreter lock: they take some hundredths of a millisecond on the event loop, less
than getting the lock back from a busy decoder thread does.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from ...errors import MediaError

__all__ = ["OpusDecoder", "OpusEncoder", "duration_samples", "has_fec"]

RATE_HZ = 48_000
FRAME_SAMPLES = 960
"""20 ms."""
MAX_FRAME_SAMPLES = 5760
"""120 ms: the longest packet (RFC 6716 section 3.1)."""
PLAIN_BITRATES_BPS = (64_000, 96_000)
"""Of mono and of stereo while nothing is lost, where nothing else is asked for."""
VOICE_BITRATES_BPS = (48_000, 64_000)
"""The same while something is: what the voice coder needs, its repetitions included."""

_MAX_PACKET_BYTES = 1275
_FRAME_SIZES = (120, 240, 480, 960, 1920, 2880)
_APPLICATION_AUDIO = 2049
_SET_BITRATE, _SET_COMPLEXITY, _SET_INBAND_FEC, _SET_LOSS_PERCENT = 4002, 4010, 4012, 4014
_SET_FORCE_CHANNELS, _SET_SIGNAL, _GET_LOOKAHEAD, _RESET_STATE = 4022, 4024, 4027, 4028
_VOICE, _MUSIC = 3001, 3002
_VOICE_COMPLEXITY, _PLAIN_COMPLEXITY = 6, 0
_PLAIN_FROM_BPS = 56_000
"""For each channel: below it the voice coder sounds better."""
_LOSS_HOLD_FRAMES = 500
"""Ten seconds without loss before packets repeat nothing again."""
_STEREO_HOLD_FRAMES = 50
"""A second of equal channels before stereo goes back to mono."""

_SILK_SAMPLES = (480, 960, 1920, 2880)
_CELT_SAMPLES = (120, 240, 480, 960)


def duration_samples(data: bytes) -> int:
    """How long a packet sounds, in samples at 48 kHz (RFC 6716 section 3.1).

    Returns:
        120 to 5760; 0 for a packet that is empty or not valid.
    """
    if not data:
        return 0
    code = data[0] & 3
    counted = data[1] & 63 if len(data) > 1 else 0
    frames = (1, 2, 2, counted)[code]
    samples = frames * _samples_per_frame(data[0])
    return samples if samples <= MAX_FRAME_SAMPLES else 0


def has_fec(data: bytes) -> bool:
    """Whether a packet repeats the one before it (RFC 6716 sections 4.2.3 and 4.2.4).

    The first bits of a SILK frame are, for each channel, one voice activity flag for each 20 ms
    and one flag that says that a repetition (LBRR) follows; they are coded at even odds, which
    leaves them readable in the first byte.
    """
    if not data or data[0] & 0x80:
        return False
    start = _first_frame(data)
    if not start:
        return False
    toc, first = data[0], data[start]
    activity_bits = max(1, _samples_per_frame(toc) // 960)
    middle = first >> (7 - activity_bits) & 1
    if not toc & 4:
        return bool(middle)
    return bool(middle or first >> (6 - 2 * activity_bits) & 1)


def _samples_per_frame(toc: int) -> int:
    config = toc >> 3
    if config < 12:
        return _SILK_SAMPLES[config & 3]
    if config < 16:
        return _SILK_SAMPLES[config & 1]
    return _CELT_SAMPLES[config & 3]


def _first_frame(data: bytes) -> int:
    """Where the first frame's bytes begin (RFC 6716 section 3.2); 0 when it has none."""
    code, at, end = data[0] & 3, 1, len(data)
    frames, sizes_differ = (2 if code else 1), code == 2
    if code == 3:
        if end < 2:
            return 0
        frames, sizes_differ, at = data[1] & 63, data[1] >= 0x80, 2
        if data[1] & 0x40:
            while at < end and data[at] == 255:
                at, end = at + 1, end - 254
            end -= data[at] if at < end else 0
            at += 1
    if sizes_differ and frames > 1:
        if at >= end or data[at] == 0:
            return 0
        for _ in range(frames - 1):
            at += 2 if at < end and data[at] >= 252 else 1
        return at if at < end else 0
    return at if frames and end - at >= frames else 0


def _candidates() -> Iterator[str]:
    package = Path(av.__file__).parent
    for folder in (package.parent / "av.libs", package / ".dylibs", package):
        for pattern in ("libopus*", "opus*"):
            for path in sorted(folder.glob(pattern)):
                if path.suffix == ".dll" or ".so" in path.name or path.suffix == ".dylib":
                    yield str(path)
    found = ctypes.util.find_library("opus")
    if found:
        yield found


@cache
def _library() -> Any:
    for path in _candidates():
        try:
            library = ctypes.PyDLL(path)
            _declare(library)
        except (OSError, AttributeError):
            continue
        return library
    raise MediaError(
        "The Opus library was not found: neither in the installed PyAV nor on the system.",
        remedy="Install PyAV's wheel (pip install --force-reinstall av), or libopus "
        "(apt install libopus0, brew install opus).",
    )


def _declare(library: Any) -> None:
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for name, arguments in {
        "opus_encoder_get_size": [number],
        "opus_encoder_init": [pointer, ctypes.c_int32, number, number],
        # Only the fixed arguments of these two: Apple's arm64 passes the others differently.
        "opus_encoder_ctl": [pointer, number],
        "opus_decoder_ctl": [pointer, number],
        "opus_encode": [pointer, pointer, number, pointer, ctypes.c_int32],
        "opus_decoder_get_size": [number],
        "opus_decoder_init": [pointer, ctypes.c_int32, number],
        "opus_decode": [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, number, number],
        "opus_strerror": [number],
    }.items():
        function = getattr(library, name)
        function.argtypes = arguments
        function.restype = ctypes.c_char_p if name == "opus_strerror" else number


def _checked(result: int) -> int:
    if result < 0:
        reason = _library().opus_strerror(result).decode()
        raise MediaError(
            f"Opus refused: {reason}.", remedy="Check the sound's shape, or drop this packet."
        )
    return result


class OpusEncoder:
    """Encodes 48 kHz sound, one packet a frame. Not for several threads at once.

    While nothing is lost, the plain coder (CELT) at a comfortable bitrate costs a third of the CPU
    time of the voice coder at a browser's 32 kbps, and sounds as well. Only the voice coder can
    repeat lost frames or sound well at few bits; it is used when that is asked for. Two channels
    are coded as stereo only while they differ. libopus blends over all of these changes, and every
    decoder follows them.

    Args:
        bitrate_bps: 6,000 to 510,000; None for the defaults above.
        channels: The most to code: 1 or 2. Stereo for an encoder of one channel is mixed.

    Raises:
        MediaError: The Opus library is missing, or a value is out of range.
    """

    def __init__(self, bitrate_bps: int | None = None, channels: int = 2) -> None:
        self._library = _library()
        self.channels = channels
        size = self._library.opus_encoder_get_size(channels)
        self._state = ctypes.create_string_buffer(max(1, size))
        self._packet = ctypes.create_string_buffer(_MAX_PACKET_BYTES)
        self._bytes = memoryview(self._packet).cast("B")
        self._encode = self._library.opus_encode
        _checked(
            self._library.opus_encoder_init(self._state, RATE_HZ, channels, _APPLICATION_AUDIO)
        )
        lookahead = ctypes.c_int32()
        _checked(
            self._library.opus_encoder_ctl(self._state, _GET_LOOKAHEAD, ctypes.byref(lookahead))
        )
        self.lookahead_samples = int(lookahead.value)
        self._bitrate_bps = bitrate_bps
        self._coded_channels = 1
        self._equal_frames = 0
        self._loss_percent = 0
        self._unprotect_in = 0
        self._configure()

    @property
    def coded_channels(self) -> int:
        """Channels of the last packet: 1 or 2."""
        return self._coded_channels

    @property
    def expected_loss_percent(self) -> int:
        """As set; still the last one for 10 s after 0 was set."""
        return self._loss_percent

    def encode(self, samples: NDArray[np.int16] | av.AudioFrame) -> bytes:
        """One packet.

        Args:
            samples: int16 array of shape (n, channels), or an interleaved s16 frame, at 48 kHz;
                n is 960 (20 ms), or 120, 240, 480, 1920 or 2880. Mono or stereo, whatever the
                encoder's channels.

        Raises:
            MediaError: The samples have another shape, type or length.
        """
        if isinstance(samples, av.AudioFrame):
            samples = _frame_array(samples)
        if samples.dtype != np.int16 or samples.ndim != 2 or len(samples) not in _FRAME_SIZES:
            raise MediaError(
                f"Opus cannot code {samples.dtype} samples of shape {samples.shape}.",
                remedy="Give int16 of shape (960, 1) or (960, 2): 20 ms at 48 kHz.",
            )
        if self._unprotect_in:
            self._unprotect_in -= 1
            if not self._unprotect_in:
                self._loss_percent = 0
                self._configure()
        samples = self._fitting(samples)
        length = self._encode(
            self._state, samples.ctypes.data, len(samples), self._packet, _MAX_PACKET_BYTES
        )
        return bytes(self._bytes[: _checked(length)])

    def set_expected_loss(self, percent: float) -> None:
        """Tell how many packets get lost; above 0 each packet repeats the one before, coarsely.

        It goes on for 10 s after the loss has ended.

        Args:
            percent: 0 to 100.
        """
        value = min(100, max(0, round(percent)))
        if value == 0 and percent > 0:
            value = 1
        if value == 0 < self._loss_percent:
            self._unprotect_in = self._unprotect_in or _LOSS_HOLD_FRAMES
            return
        self._unprotect_in = 0
        if value != self._loss_percent:
            self._loss_percent = value
            self._configure()

    def set_bitrate(self, bps: int | None) -> None:
        """Aim at ``bps`` from the next packet on; None for the default."""
        if bps != self._bitrate_bps:
            self._bitrate_bps = bps
            self._configure()

    def reset(self) -> None:
        """Forget the sound so far, as at the start of another stream; settings stay."""
        _checked(self._library.opus_encoder_ctl(self._state, _RESET_STATE))

    def _control(self, request: int, value: int) -> None:
        _checked(self._library.opus_encoder_ctl(self._state, request, ctypes.c_int32(value)))

    def _fitting(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Samples with the encoder's channels, contiguous."""
        given = samples.shape[1]
        if self.channels == 1:
            if given == 2:
                samples = samples.mean(axis=1, dtype=np.float32, keepdims=True).astype(np.int16)
        elif given == 1:
            self._follow(differ=False)
            samples = np.repeat(samples, 2, axis=1)
        else:
            self._follow(differ=not np.array_equal(samples[:, 0], samples[:, 1]))
        return np.ascontiguousarray(samples)

    def _follow(self, *, differ: bool) -> None:
        if differ:
            self._equal_frames = 0
            if self._coded_channels == 1:
                self._code_channels(2)
        elif self._coded_channels == 2:
            self._equal_frames += 1
            if self._equal_frames >= _STEREO_HOLD_FRAMES:
                self._code_channels(1)

    def _code_channels(self, count: int) -> None:
        self._coded_channels = count
        self._configure()

    def _configure(self) -> None:
        count, given = self._coded_channels, self._bitrate_bps
        voice = self._loss_percent > 0 or (given is not None and given < _PLAIN_FROM_BPS * count)
        default_bps = (VOICE_BITRATES_BPS if voice else PLAIN_BITRATES_BPS)[count - 1]
        if self.channels == 2:
            self._control(_SET_FORCE_CHANNELS, count)
        self._control(_SET_BITRATE, default_bps if given is None else given)
        # Where the signal is a voice, libopus chooses the voice coder for few bits or for loss.
        self._control(_SET_SIGNAL, _VOICE if voice else _MUSIC)
        self._control(_SET_COMPLEXITY, _VOICE_COMPLEXITY if voice else _PLAIN_COMPLEXITY)
        self._control(_SET_INBAND_FEC, int(self._loss_percent > 0))
        self._control(_SET_LOSS_PERCENT, self._loss_percent)


def _frame_array(frame: av.AudioFrame) -> NDArray[np.int16]:
    """An interleaved s16 frame's samples without a copy, (n, channels)."""
    if frame.format.name != "s16" or frame.sample_rate != RATE_HZ:
        raise MediaError(
            f"Opus cannot code a frame of {frame.format.name} at {frame.sample_rate} Hz.",
            remedy="Give interleaved s16 at 48000 Hz.",
        )
    channels = frame.layout.nb_channels
    count = frame.samples * channels
    samples: NDArray[np.int16] = np.frombuffer(memoryview(frame.planes[0]), np.int16, count)
    return samples.reshape(-1, channels)


class OpusDecoder:
    """Decodes one stream to 48 kHz stereo. Not for several threads at once.

    Each method gives int16 of shape (n, 2) that the caller may keep.

    Raises:
        MediaError: The Opus library is missing.
    """

    def __init__(self) -> None:
        self._library = _library()
        self._state = ctypes.create_string_buffer(self._library.opus_decoder_get_size(2))
        _checked(self._library.opus_decoder_init(self._state, RATE_HZ, 2))
        self._pcm: NDArray[np.int16] = np.empty((MAX_FRAME_SAMPLES, 2), np.int16)
        self._pcm_address = self._pcm.ctypes.data
        self._decode = self._library.opus_decode

    def decode(self, data: bytes) -> NDArray[np.int16]:
        """The sound of one packet, up to 120 ms.

        Raises:
            MediaError: The packet is empty or damaged.
        """
        return self._run(data or b"\xff", MAX_FRAME_SAMPLES, 0)

    def decode_fec(self, next_data: bytes, samples: int | None = None) -> NDArray[np.int16]:
        """The lost sound just before a packet, from what the packet repeats of it.

        What the packet does not hold is concealed. Decode ``next_data`` itself afterwards.

        Args:
            next_data: The packet after the hole.
            samples: Length of the hole, a multiple of 120; None for as much as a packet like
                this one sounds.

        Raises:
            MediaError: The packet is damaged.
        """
        return self._run(next_data, samples or duration_samples(next_data), 1)

    def conceal(self, samples: int = FRAME_SAMPLES) -> NDArray[np.int16]:
        """A guess at lost sound from what went before.

        Args:
            samples: Length of the hole, a multiple of 120, up to 5760.
        """
        return self._run(None, samples, 0)

    def reset(self) -> None:
        """Forget the sound so far, as at the start of another stream."""
        _checked(self._library.opus_decoder_ctl(self._state, _RESET_STATE))

    def _run(self, data: bytes | None, samples: int, fec: int) -> NDArray[np.int16]:
        length = len(data) if data else 0
        count = self._decode(self._state, data, length, self._pcm_address, samples, fec)
        return self._pcm[: _checked(count)].copy()
