"""Whole encoded frames into RTP payloads: VP8 (RFC 7741), H.264 (RFC 6184), Opus (RFC 7587)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Literal

from ...errors import MediaError

MAX_PAYLOAD_BYTES = 1200
_PICTURE_IDS = 1 << 15
_VP8_DESCRIPTOR_BYTES = 4
_START_CODE = b"\0\0\1"
_STAP_A, _FU_A = 24, 28
_FORBIDDEN_BIT, _IMPORTANCE_BITS, _TYPE_BITS = 0x80, 0x60, 0x1F
_FU_START, _FU_END = 0x80, 0x40
_FU_HEADER_BYTES = 2
_STAP_LENGTH_BYTES = 2


class Packetizer:
    """Splits the frames of one stream into payloads of at most 1200 bytes.

    The marker bit belongs on the last payload of a picture, and all payloads of a picture carry
    its timestamp; both are the sender's to write.

    Args:
        codec: ``"vp8"``, ``"h264"`` or ``"opus"``.

    Raises:
        MediaError: Another codec.
    """

    def __init__(self, codec: Literal["vp8", "h264", "opus"] | str) -> None:
        if codec not in ("vp8", "h264", "opus"):
            raise MediaError(
                f"There is no RTP packing for {codec!r} here.", remedy="Use vp8, h264 or opus."
            )
        self.codec = codec
        self._picture_id = secrets.randbelow(_PICTURE_IDS)

    def split(self, data: bytes) -> list[bytes]:
        """The payloads of one frame, in sending order; none for an empty frame.

        Args:
            data: One whole frame; H.264 as Annex B with start codes.

        Raises:
            MediaError: H.264 without start codes.
        """
        if not data:
            return []
        if self.codec == "vp8":
            return self._split_vp8(data)
        if self.codec == "h264":
            return _split_h264(data)
        return [data]

    def _split_vp8(self, data: bytes) -> list[bytes]:
        """Payloads with the extended descriptor of RFC 7741 section 4.2: a 15-bit picture id."""
        picture_id = self._picture_id
        self._picture_id = (picture_id + 1) % _PICTURE_IDS
        tail = bytes((0x80, 0x80 | picture_id >> 8, picture_id & 0xFF))
        first, later = b"\x90" + tail, b"\x80" + tail
        pieces = _even_pieces(data, MAX_PAYLOAD_BYTES - _VP8_DESCRIPTOR_BYTES)
        payloads = [later + piece for piece in pieces]
        payloads[0] = first + pieces[0]
        return payloads


def nal_units(data: bytes) -> Iterator[bytes]:
    """The NAL units of Annex B data (H.264 Annex B), without start codes and padding zeros."""
    at = data.find(_START_CODE)
    while at >= 0:
        begin = at + len(_START_CODE)
        at = data.find(_START_CODE, begin)
        unit = data[begin:] if at < 0 else data[begin:at]
        # A NAL unit ends in a byte that is not zero: zeros belong to the next start code.
        unit = unit.rstrip(b"\0")
        if unit:
            yield unit


def _split_h264(data: bytes) -> list[bytes]:
    """Payloads of packetization-mode 1 (RFC 6184 section 5.4).

    Neighbours that fit one payload together go as STAP-A (5.7.1), what fits none alone as
    FU-A (5.8), the rest as single NAL units (5.6).
    """
    payloads: list[bytes] = []
    small: list[bytes] = []
    small_bytes = 1
    for unit in nal_units(data):
        grown = small_bytes + _STAP_LENGTH_BYTES + len(unit)
        if small and grown > MAX_PAYLOAD_BYTES:
            payloads.append(_aggregate(small))
            small, small_bytes = [], 1
            grown = 1 + _STAP_LENGTH_BYTES + len(unit)
        if len(unit) > MAX_PAYLOAD_BYTES:
            payloads.extend(_fragment(unit))
        else:
            small.append(unit)
            small_bytes = grown
    if small:
        payloads.append(_aggregate(small))
    if not payloads:
        raise MediaError(
            "H.264 without start codes cannot be packed.",
            remedy="Convert it to Annex B with the h264_mp4toannexb bitstream filter.",
        )
    return payloads


def _aggregate(units: list[bytes]) -> bytes:
    if len(units) == 1:
        return units[0]
    forbidden = max(unit[0] & _FORBIDDEN_BIT for unit in units)
    importance = max(unit[0] & _IMPORTANCE_BITS for unit in units)
    parts = [bytes((forbidden | importance | _STAP_A,))]
    for unit in units:
        parts += (len(unit).to_bytes(_STAP_LENGTH_BYTES, "big"), unit)
    return b"".join(parts)


def _fragment(unit: bytes) -> list[bytes]:
    indicator, kind = unit[0] & ~_TYPE_BITS | _FU_A, unit[0] & _TYPE_BITS
    pieces = _even_pieces(unit[1:], MAX_PAYLOAD_BYTES - _FU_HEADER_BYTES)
    last = len(pieces) - 1
    return [
        bytes((indicator, kind | (_FU_START if not at else _FU_END if at == last else 0))) + piece
        for at, piece in enumerate(pieces)
    ]


def _even_pieces(data: bytes, most_bytes: int) -> list[bytes]:
    """As few pieces as the limit allows, of sizes that differ by one byte at most.

    Even packets are paced evenly, and none is a small one that costs a header for little.
    """
    count = -(-len(data) // most_bytes)
    size, larger = divmod(len(data), count)
    pieces, at = [], 0
    for index in range(count):
        end = at + size + (index < larger)
        pieces.append(data[at:end])
        at = end
    return pieces
