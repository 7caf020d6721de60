"""Codec names, preferences, and what can be told from an encoded frame without decoding it."""

from __future__ import annotations

import re

from aiortc import RTCRtpCodecCapability, RTCRtpSender

from ..settings import VIDEO_CODECS, VideoCodec

CLOCK_RATE_HZ = {"audio": 48_000, "video": 90_000}


def audio_preferences() -> list[RTCRtpCodecCapability]:
    """Codecs to offer for sound: Opus."""
    capabilities = RTCRtpSender.getCapabilities("audio").codecs
    return [one for one in capabilities if one.mimeType.lower() == "audio/opus"]


def video_preferences(
    codec: VideoCodec | None, prefer: VideoCodec | None = None
) -> list[RTCRtpCodecCapability]:
    """Codecs to offer, for ``RTCRtpTransceiver.setCodecPreferences``.

    Args:
        codec: Offer this one only, or ``None`` for all of :data:`~xnb.settings.VIDEO_CODECS`.
        prefer: Offer this one first.
    """
    wanted = [codec] if codec else sorted(VIDEO_CODECS, key=lambda name: name != prefer)
    capabilities = RTCRtpSender.getCapabilities("video").codecs
    mains = [
        capability
        for name in wanted
        for capability in capabilities
        if capability.mimeType.lower() == f"video/{name}"
    ]
    retransmission = [c for c in capabilities if c.mimeType.lower() == "video/rtx"]
    return mains + retransmission


def offered_video_codec(sdp: str) -> VideoCodec | None:
    """The codec of ours that an offer names first for its video, ``None`` without one.

    Answering in the offer's order (RFC 3264 section 6.1) has both sides send the same codec.
    """
    _, is_there, video = sdp.partition("m=video ")
    if not is_there:
        return None
    video = video.partition("\nm=")[0]
    names = dict(re.findall(r"^a=rtpmap:(\d+) ([\w.-]+)/", video, re.MULTILINE))
    numbers = video.partition("\n")[0].split()[2:]
    offered = [names.get(number, "").lower() for number in numbers]
    known: tuple[VideoCodec, ...] = VIDEO_CODECS
    return next((codec for name in offered for codec in known if name == codec), None)


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


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether an RTP payload is the first of a keyframe.

    Args:
        codec: ``vp8`` (RFC 7741 section 4.2), ``h264`` (RFC 6184 section 5) or an audio codec,
            whose every packet counts as one.
        payload: Of one packet.
    """
    if codec == "vp8":
        start = _vp8_data_at(payload)
        return start is not None and payload[0] & 0x1F == 0x10 and not payload[start] & 1
    if codec == "h264":
        if len(payload) < 2:
            return False
        kind = payload[0] & 0x1F
        if kind == 24:  # STAP-A
            return len(payload) > 3 and payload[3] & 0x1F in (5, 7)
        if kind == 28:  # FU-A
            return bool(payload[1] & 0x80) and payload[1] & 0x1F in (5, 7)
        return kind == 7
    return True


def _vp8_data_at(payload: bytes) -> int | None:
    """Where the VP8 data begin behind the payload descriptor."""
    if not payload:
        return None
    at = 1
    if payload[0] & 0x80:
        if len(payload) < 2:
            return None
        flags, at = payload[1], 2
        if flags & 0x80:
            at += 2 if at < len(payload) and payload[at] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    return at if at < len(payload) else None


def vp8_payload_size(payload: bytes) -> tuple[int, int] | None:
    """Width and height in pixels told by the first packet of a VP8 keyframe, else ``None``."""
    at = _vp8_data_at(payload)
    return None if at is None else vp8_size(payload[at : at + 10])
