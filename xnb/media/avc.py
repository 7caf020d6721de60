"""H.264 as it is sent and as files hold it: start codes, length prefixes, parameter sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import av

_SPS, _PPS, _DELIMITER = 7, 8, 9


class ParameterSets(NamedTuple):
    """The sequence and picture parameter sets of a stream."""

    sequence: tuple[bytes, ...]
    picture: tuple[bytes, ...]

    def record(self) -> bytes:
        """The decoder configuration ``avcC`` (ISO/IEC 14496-15 section 5.3.3.1)."""
        profile = self.sequence[0][1:4]
        parts = [b"\x01", profile, b"\xff", bytes([0xE0 | len(self.sequence)])]
        parts += [len(one).to_bytes(2, "big") + one for one in self.sequence]
        parts.append(bytes([len(self.picture)]))
        parts += [len(one).to_bytes(2, "big") + one for one in self.picture]
        if profile[0] in (100, 110, 122, 144):
            parts.append(b"\xfd\xf8\xf8\0")  # 4:2:0 with 8 bits, as WebRTC decoders take it
        return b"".join(parts)


def units(data: bytes) -> list[bytes]:
    """The NAL units between the start codes of a frame in Annex B form (H.264 annex B)."""
    found, at = [], data.find(b"\0\0\1")
    while at >= 0:
        following = data.find(b"\0\0\1", at + 3)
        unit = data[at + 3 : following if following >= 0 else len(data)].rstrip(b"\0")
        if unit:
            found.append(unit)
        at = following
    return found


def prefixed_units(data: bytes) -> list[bytes]:
    """The NAL units of a frame whose units follow their lengths of four bytes each."""
    found, at = [], 0
    while at + 4 < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def prefixed(parts: Iterable[bytes]) -> bytes:
    """NAL units as files hold them: each after its length in four bytes."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in parts)


def parameter_sets(parts: Iterable[bytes]) -> ParameterSets | None:
    """The parameter sets among the units of a frame; ``None`` when there are none."""
    parts = list(parts)
    sequence = tuple(unit for unit in parts if unit[0] & 0x1F == _SPS and len(unit) > 3)
    picture = tuple(unit for unit in parts if unit[0] & 0x1F == _PPS)
    return ParameterSets(sequence, picture) if sequence and picture else None


def without_parameter_sets(parts: Iterable[bytes]) -> list[bytes]:
    """The units of a frame that show something."""
    return [unit for unit in parts if unit and unit[0] & 0x1F not in (_SPS, _PPS, _DELIMITER)]


def size_of(keyframe: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a keyframe in Annex B form; ``None`` if it cannot be read."""
    decoder = av.CodecContext.create("h264", "r")
    try:
        for packet in (av.Packet(keyframe), None):
            for frame in decoder.decode(packet):
                if isinstance(frame, av.VideoFrame):
                    return frame.width, frame.height
    except av.FFmpegError:
        return None
    return None
