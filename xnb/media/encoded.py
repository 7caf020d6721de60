"""One whole encoded frame: what a call moves, a recorder writes and a file can hold."""

from __future__ import annotations

from typing import Literal, NamedTuple


class EncodedFrame(NamedTuple):
    """One encoded picture, or one packet of sound.

    Attributes:
        kind: ``"audio"`` or ``"video"``.
        codec: ``"vp8"``, ``"h264"`` or ``"opus"``.
        data: The whole frame, depayloaded; H.264 as Annex B with start codes.
        timestamp: In ticks of the codec's RTP clock (48 kHz or 90 kHz). It does not wrap and
            rises in one stream; where it begins is arbitrary.
        is_keyframe: Whether it can be decoded without an earlier one; always true for sound.
    """

    kind: Literal["audio", "video"]
    codec: str
    data: bytes
    timestamp: int
    is_keyframe: bool
