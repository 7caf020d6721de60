"""Settings as frozen value objects. Units are in the names; ranges are checked when made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .errors import SettingsError

VideoCodec = Literal["vp8", "h264"]
LoopMode = Literal["auto", "thread"]
VIDEO_CODECS: tuple[VideoCodec, ...] = ("vp8", "h264")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(
            f"{name} is {value!r}, outside its range {low:g} to {high:g}.",
            remedy=f"Give {name} a value in that range.",
        )


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server (RFC 7064, RFC 7065).

    Args:
        urls: ``stun:``, ``turn:`` or ``turns:`` URLs, in order of preference.
        username: TURN user name.
        credential: TURN password; never shown in the repr.
    """

    urls: tuple[str, ...]
    username: str | None = field(default=None, repr=False)
    credential: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for url in self.urls:
            if not url.startswith(("stun:", "turn:", "turns:")):
                raise SettingsError(
                    "An ICE server URL must start with stun:, turn: or turns:.",
                    remedy="Check the list of ICE servers.",
                )


@dataclass(frozen=True, slots=True)
class IceSettings:
    """How the two sides look for a path (ICE, RFC 8445).

    Args:
        servers: STUN and TURN servers. Empty means host candidates only; no public server is
            ever used unless it is named here.
        relay_only: Use only candidates from a TURN server.
        loopback: Also gather 127.0.0.1, so that a machine without a network can call itself.
            ``None`` means only when there is no other interface.
    """

    servers: tuple[IceServer, ...] = ()
    relay_only: bool = False
    loopback: bool | None = None


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """Limits of the video that is sent.

    Args:
        max_bitrate_bps: Upper limit of the encoder, 50,000 to 20,000,000.
        start_bitrate_bps: What the encoder starts with, at most ``max_bitrate_bps``.
        max_fps: Frames per second, 1 to 120.
        max_height_px: Taller pictures are scaled down, 16 to 4320.
    """

    max_bitrate_bps: int = 2_500_000
    start_bitrate_bps: int = 1_000_000
    max_fps: int = 30
    max_height_px: int = 1080

    def __post_init__(self) -> None:
        _between("max_bitrate_bps", self.max_bitrate_bps, 50_000, 20_000_000)
        _between("start_bitrate_bps", self.start_bitrate_bps, 50_000, self.max_bitrate_bps)
        _between("max_fps", self.max_fps, 1, 120)
        _between("max_height_px", self.max_height_px, 16, 4320)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Every wait of a call, in seconds.

    Args:
        ring_s: How long a call rings before it is missed (official clients: 60).
        connect_s: From both descriptions known to media connected.
        dead_peer_s: Silence after which a connected peer counts as gone and the call is
            ``reconnecting``.
        reconnect_s: How long ``reconnecting`` may last before the call ends with ``network``.
        signaling_s: One HTTP request.
        hangup_s: Saying good-bye; the call is over afterwards whatever the server says.
    """

    ring_s: float = 60.0
    connect_s: float = 12.0
    dead_peer_s: float = 8.0
    reconnect_s: float = 20.0
    signaling_s: float = 10.0
    hangup_s: float = 3.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            _between(name, getattr(self, name), 0.1, 3600.0)


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What one call is like.

    Args:
        video: Send and receive video as well as audio.
        announce: Let the far end ring. Without it the far end must know the broadcast id.
        video_codec: ``"vp8"``, ``"h264"``, or ``None`` to offer both, VP8 first.
        prefer: A file that will be sent: its video codec is negotiated when the far end has it
            too, so that it can be sent without being encoded anew. Without it that of the
            source, or of what waits to be sent.
        conversation_id: The conversation the call belongs to, when there is one.
        ice: Extra ICE settings, added to what the server gives.
        video_settings: Limits of the video that is sent.
        timeouts: Limits of every wait.
    """

    video: bool = False
    announce: bool = True
    video_codec: VideoCodec | None = None
    prefer: str | Path | None = None
    conversation_id: str | None = None
    ice: IceSettings = IceSettings()
    video_settings: VideoSettings = VideoSettings()
    timeouts: Timeouts = Timeouts()

    def __post_init__(self) -> None:
        if self.video_codec is not None and self.video_codec not in VIDEO_CODECS:
            raise SettingsError(
                f"video_codec is {self.video_codec!r}.",
                remedy="Use 'vp8', 'h264' or None for both.",
            )
