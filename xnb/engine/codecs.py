"""Codec names, preferences, and what can be told from an encoded frame without decoding it."""

from __future__ import annotations

from aiortc import RTCRtpCodecCapability, RTCRtpSender

from ..settings import VIDEO_CODECS, VideoCodec

CLOCK_RATE_HZ = {"audio": 48_000, "video": 90_000}


def video_preferences(codec: VideoCodec | None) -> list[RTCRtpCodecCapability]:
    """Codecs to offer, for ``RTCRtpTransceiver.setCodecPreferences``.

    Args:
        codec: Offer this one only, or ``None`` for all of :data:`~xnb.settings.VIDEO_CODECS`.
    """
    wanted = [codec] if codec else list(VIDEO_CODECS)
    capabilities = RTCRtpSender.getCapabilities("video").codecs
    mains = [
        capability
        for name in wanted
        for capability in capabilities
        if capability.mimeType.lower() == f"video/{name}"
    ]
    retransmission = [c for c in capabilities if c.mimeType.lower() == "video/rtx"]
    return mains + retransmission


def is_keyframe(codec: str, data: bytes) -> bool:
    """Whether an encoded frame can be decoded without an earlier one.

    Args:
        codec: ``vp8`` (RFC 6386 section 9.1), ``h264`` (Annex B, NAL types of H.264 7.4.1) or
            an audio codec, whose every frame counts as one.
        data: One whole frame, depayloaded.
    """
    if codec == "vp8":
        return vp8_size(data) is not None
    if codec == "h264":
        return any(kind in (5, 7) for kind in _nal_types(data))
    return True


def _nal_types(data: bytes) -> list[int]:
    kinds, at = [], data.find(b"\0\0\1")
    while at >= 0 and at + 3 < len(data):
        kinds.append(data[at + 3] & 0x1F)
        at = data.find(b"\0\0\1", at + 3)
    return kinds


def vp8_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels told by a VP8 keyframe (RFC 6386 section 9.1), else ``None``."""
    if len(data) < 10 or data[0] & 1 or data[3:6] != b"\x9d\x01\x2a":
        return None
    width = int.from_bytes(data[6:8], "little") & 0x3FFF
    height = int.from_bytes(data[8:10], "little") & 0x3FFF
    return width, height
