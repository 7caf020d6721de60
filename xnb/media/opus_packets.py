"""What can be told of Opus packets, and made from them, without decoding (RFC 6716, RFC 7845)."""

from __future__ import annotations

from collections.abc import Iterator

RATE_HZ = 48000
PRE_SKIP_SAMPLES = 312
"""By how much the sound in a packet is older than the packet says: libopus looks this far ahead
unless it is told to have low delay, and every WebRTC end uses libopus so."""
SHORTEST_SAMPLES = 120

_SILK_SAMPLES = (480, 960, 1920, 2880)
_CELT_SAMPLES = (120, 240, 480, 960)
# Fullband CELT frames, the longest first: the first byte of a packet that holds one, in mono.
_CELT_TOC = ((960, 0xF8), (480, 0xF0), (240, 0xE8), (120, 0xE0))
_SILENT_FRAME = b"\xff\xfe"


def duration_samples(packet: bytes) -> int:
    """Length of a packet in samples of 48 kHz; 0 when it is none (RFC 6716 section 3)."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = _SILK_SAMPLES[config & 3]
    elif config < 16:
        frame = _SILK_SAMPLES[config & 1]
    else:
        frame = _CELT_SAMPLES[config & 3]
    if code < 3:
        return frame * (1, 2, 2)[code]
    count = packet[1] & 0x3F if len(packet) > 1 else 0
    # No packet is longer than 120 ms.
    return frame * count if frame * count <= 5760 else 0


def head(channels: int = 2) -> bytes:
    """The identification header ``OpusHead`` (RFC 7845 section 5.1), as Matroska stores it."""
    return b"".join(
        (
            b"OpusHead\x01",
            bytes([channels]),
            PRE_SKIP_SAMPLES.to_bytes(2, "little"),
            RATE_HZ.to_bytes(4, "little"),
            b"\0\0\0",
        )
    )


def is_celt(packet: bytes) -> bool:
    """Whether a packet is of the CELT mode alone (RFC 6716 section 3.1)."""
    return packet[0] >> 3 >= 16


def without_frame(samples: int) -> bytes:
    """A packet of 120, 240, 480 or 960 samples whose frame was lost (RFC 6716 section 3.2.1)."""
    return bytes([dict(_CELT_TOC)[samples]])


def silence(samples: int) -> Iterator[tuple[bytes, int]]:
    """Packets of silence, each with its length in samples, up to 119 samples less than asked."""
    while samples >= SHORTEST_SAMPLES:
        length, toc = next(one for one in _CELT_TOC if one[0] <= samples)
        yield bytes([toc]) + _SILENT_FRAME, length
        samples -= length
