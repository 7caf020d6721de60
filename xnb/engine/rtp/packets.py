"""RTP packets as values: parsing, building, and counters that wrap (RFC 3550 section 5.1)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

SEQUENCE_MODULUS = 1 << 16
TIMESTAMP_MODULUS = 1 << 32
_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_PROFILE = 0x1000
_HEADER = struct.Struct("!BBHLL")
_EXTENSION = struct.Struct("!HH")

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


class RtpPacket:
    """One RTP packet, decrypted.

    Attributes:
        payload_type: 0 to 127.
        marker: Last packet of a picture; first of a talk spurt.
        sequence_number: 0 to 65535, wraps.
        timestamp: 32 bits, wraps.
        ssrc: 32 bits.
        payload: Without padding.
        mid: The m-line it belongs to (RFC 9143 section 15), where the sender says so.
        abs_send_time: 24 bits, 6.18 fixed-point seconds, where the sender says so.
        audio_level: 0 (loudest) to 127 dBov (RFC 6464), where the sender says so.
        arrival_s: When it was read, on the monotonic clock, in seconds.
        size_bytes: Of header and payload.
        is_retransmission: Whether it came again because a NACK asked for it (RFC 4588).
        is_stale: Whether it lay in our socket while our event loop was blocked, for too long to
            be played live.
    """

    __slots__ = (
        "abs_send_time",
        "arrival_s",
        "audio_level",
        "is_retransmission",
        "is_stale",
        "marker",
        "mid",
        "payload",
        "payload_type",
        "sequence_number",
        "size_bytes",
        "ssrc",
        "timestamp",
    )

    def __init__(
        self,
        *,
        payload_type: int,
        sequence_number: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        marker: bool = False,
        arrival_s: float = 0.0,
        size_bytes: int = 0,
    ) -> None:
        self.payload_type = payload_type
        self.marker = marker
        self.sequence_number = sequence_number
        self.timestamp = timestamp
        self.ssrc = ssrc
        self.payload = payload
        self.arrival_s = arrival_s
        self.size_bytes = size_bytes or 12 + len(payload)
        self.mid: str | None = None
        self.abs_send_time: int | None = None
        self.audio_level: int | None = None
        self.is_retransmission = False
        self.is_stale = False

    def __repr__(self) -> str:
        return (
            f"<RTP pt={self.payload_type} seq={self.sequence_number} ts={self.timestamp} "
            f"ssrc={self.ssrc:08x}{' marker' if self.marker else ''} {len(self.payload)} bytes>"
        )


class ExtensionIds:
    """Which number each header extension has in one connection (RFC 8285).

    Attributes:
        mid: Of the m-line's name, 1 to 14; ``None`` where it was not negotiated.
        abs_send_time: Of the sending time.
        audio_level: Of the loudness.
    """

    __slots__ = ("abs_send_time", "audio_level", "mid")

    def __init__(self) -> None:
        self.mid: int | None = None
        self.abs_send_time: int | None = None
        self.audio_level: int | None = None

    def learn(self, ids: Mapping[str, int]) -> None:
        """Add what was negotiated for one m-line: extension URI to number."""
        self.mid = ids.get(MID_URI, self.mid)
        self.abs_send_time = ids.get(ABS_SEND_TIME_URI, self.abs_send_time)
        self.audio_level = ids.get(AUDIO_LEVEL_URI, self.audio_level)


def parse_rtp(data: bytes, arrival_s: float, ids: ExtensionIds) -> RtpPacket:
    """Take an RTP packet apart.

    Args:
        data: Header and payload, decrypted.
        arrival_s: When it was read.
        ids: Numbers of the header extensions.

    Raises:
        ValueError: It is not RTP version 2, or its lengths do not fit.
    """
    size = len(data)
    if size < 12 or data[0] >> 6 != 2:
        raise ValueError("not an RTP packet")
    first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
    start = 12 + 4 * (first & 15)
    extension = None
    if first & 16:
        if size < start + 4:
            raise ValueError("RTP extension header is cut off")
        profile, words = _EXTENSION.unpack_from(data, start)
        end = start + 4 + 4 * words
        extension = (profile, start + 4, end)
        start = end
    stop = size
    if first & 32:
        stop -= data[-1]
    if stop < start:
        raise ValueError("RTP lengths do not fit")
    packet = RtpPacket(
        payload_type=second & 127,
        marker=second > 127,
        sequence_number=sequence_number,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=data[start:stop],
        arrival_s=arrival_s,
        size_bytes=size,
    )
    if extension:
        _read_extensions(data, extension, ids, packet)
    return packet


def _read_extensions(
    data: bytes, extension: tuple[int, int, int], ids: ExtensionIds, packet: RtpPacket
) -> None:
    profile, at, end = extension
    if end > len(data):
        raise ValueError("RTP extension is cut off")
    two_bytes = profile & 0xFFF0 == _TWO_BYTE_PROFILE
    if profile != _ONE_BYTE_PROFILE and not two_bytes:
        return
    while at < end:
        head = data[at]
        if head == 0:
            at += 1
            continue
        if two_bytes:
            if at + 2 > end:
                return
            number, length, at = head, data[at + 1], at + 2
        else:
            number, length, at = head >> 4, (head & 15) + 1, at + 1
            if number == 15:
                return
        if at + length > end:
            return
        if number == ids.abs_send_time and length == 3:
            packet.abs_send_time = int.from_bytes(data[at : at + 3], "big")
        elif number == ids.mid:
            packet.mid = data[at : at + length].decode("ascii", "replace")
        elif number == ids.audio_level and length == 1:
            packet.audio_level = data[at] & 127
        at += length


def extension_block(
    ids: ExtensionIds, mid: str, *, audio_level: int | None = None
) -> tuple[bytes, int]:
    """The extension part of a header, with room for the sending time.

    Args:
        ids: Numbers of the header extensions.
        mid: The m-line, up to 16 ASCII characters.
        audio_level: 0 (loudest) to 127.

    Returns:
        The block (empty when there is nothing to say) and where in it the three bytes of
        ``abs_send_time`` are, or -1.
    """
    items, time_at = b"", -1
    if ids.abs_send_time:
        items, time_at = bytes(((ids.abs_send_time << 4) | 2, 0, 0, 0)), 5
    name = mid.encode("ascii")
    if ids.mid and 0 < len(name) <= 16:
        items += bytes(((ids.mid << 4) | (len(name) - 1),)) + name
    if ids.audio_level and audio_level is not None:
        items += bytes((ids.audio_level << 4, 0x80 | audio_level if audio_level < 127 else 127))
    if not items:
        return b"", -1
    items += bytes(-len(items) % 4)
    return _EXTENSION.pack(_ONE_BYTE_PROFILE, len(items) // 4) + items, time_at


def abs_send_time(now_s: float) -> bytes:
    """``now_s`` as 24 bits of 6.18 fixed point, which wraps after 64 s."""
    return (int(now_s * 262144) & 0xFFFFFF).to_bytes(3, "big")


def audio_level(samples: NDArray[np.int16]) -> int:
    """Loudness from 0 (loudest) to 127 (silence) dBov (RFC 6464 section 3)."""
    values = samples.astype(np.float32)
    mean = float(np.dot(values, values)) / max(1, values.size)
    if mean <= 0:
        return 127
    return min(127, max(0, round(-10 * math.log10(mean / (32767.0 * 32767.0)))))


class Unwrapper:
    """Makes a counter that wraps one that does not.

    Args:
        bits: Of the counter, 16 or 32.

    Example:
        >>> unwrap = Unwrapper(16)
        >>> unwrap(65535), unwrap(0), unwrap(65534)
        (65535, 65536, 65534)
    """

    __slots__ = ("_half", "_last", "_modulus")

    def __init__(self, bits: int) -> None:
        self._modulus = 1 << bits
        self._half = self._modulus >> 1
        self._last: int | None = None

    def __call__(self, value: int) -> int:
        """The value nearest to the last one that has these lower bits."""
        last = self._last
        if last is not None:
            ahead = (value - last) % self._modulus
            value = last + (ahead if ahead < self._half else ahead - self._modulus)
            if value < last:
                return value
        self._last = value
        return value


def rtp_header(
    *,
    payload_type: int,
    marker: bool,
    sequence_number: int,
    timestamp: int,
    ssrc: int,
    extended: bool,
) -> bytes:
    """The first 12 bytes of a packet (RFC 3550 section 5.1).

    Args:
        payload_type: 0 to 127.
        marker: The marker bit.
        sequence_number: 16 bits.
        timestamp: 32 bits.
        ssrc: 32 bits.
        extended: Whether an extension block follows.
    """
    return _HEADER.pack(
        0x90 if extended else 0x80,
        payload_type | (0x80 if marker else 0),
        sequence_number,
        timestamp,
        ssrc,
    )
