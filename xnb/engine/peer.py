"""A peer of a call: sound and pictures each way over one connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..settings import IceSettings, Timeouts, VideoCodec, VideoSettings
from . import adapter
from .codecs import audio_preferences, offered_video_codec, video_preferences
from .connection import Connection, PeerState
from .plain_track import PlainTrack
from .receive import Incoming
from .remote_clock import RemoteClock
from .rtp.bandwidth import SendRate
from .send import Outgoing
from .send_clock import SendClock
from .stats import PeerStats, StatsReader

__all__ = ["Peer", "PeerState"]


class Peer(Connection):
    """One connection to one far end, with an audio and a video track each way.

    The real ``RTCPeerConnection`` is :attr:`pc`. One transport carries everything (BUNDLE, RFC
    9143). Must be made and used on an event loop.

    Args:
        ice: Servers and policy; no public STUN server is ever used by itself.
        timeouts: ``connect_s`` and ``dead_peer_s`` are used here.
        video_settings: Limits of the video that is sent.
        video_codec: Negotiate this codec only; ``None`` allows all.
        prefer_codec: Negotiate this codec when the far end has it, else another.
        name: For log lines.

    Attributes:
        audio_out: What is sent; :class:`~xnb.engine.send.Outgoing`.
        video_out: What is sent.
        audio_in: What is received; :class:`~xnb.engine.receive.Incoming`.
        video_in: What is received.
        streams: Its packets and reports; :class:`~xnb.engine.streams.Streams`.

    Example:
        >>> peer = Peer(video_codec="h264")
        >>> offer = await peer.make_offer(video=True)
    """

    def __init__(
        self,
        *,
        ice: IceSettings | None = None,
        timeouts: Timeouts | None = None,
        video_settings: VideoSettings | None = None,
        video_codec: VideoCodec | None = None,
        prefer_codec: VideoCodec | None = None,
        name: str = "",
    ) -> None:
        super().__init__(ice=ice, timeouts=timeouts, name=name)
        self.video_settings = video_settings or VideoSettings()
        self.video_codec = video_codec
        self.prefer_codec = prefer_codec
        self.on_track: Callable[[str], None] | None = None
        sending = SendClock()
        self.audio_out = Outgoing("audio", clock=sending)
        self.video_out = Outgoing("video", self.video_settings, sending)
        clock = RemoteClock()
        self.audio_in = Incoming("audio", clock)
        self.video_in = Incoming("video", clock)
        self._tracks: list[PlainTrack] = []
        self._stats = StatsReader(self)
        self.pc.on("track", self._on_track)

    # Negotiation (JSEP, RFC 9429)

    async def make_offer(self, *, audio: bool = True, video: bool = False) -> str:
        """Gather candidates and give an SDP offer that holds them.

        Args:
            audio: Send and receive audio.
            video: Send and receive video.
        """
        if not self.pc.getTransceivers():
            self._open(audio, video, "sendrecv")
        return await self._offer()

    async def apply_offer(self, sdp: str, *, video: bool = True) -> None:
        """Take a far end's offer.

        Args:
            sdp: The offer. Host names that hide addresses (``.local``) are left out.
            video: Whether to accept video when it is offered.

        Raises:
            SignalingError: It is not SDP, or has nothing in common with what we can do.
        """
        if not self.pc.getTransceivers():
            self.prefer_codec = self.prefer_codec or offered_video_codec(sdp)
            self._open("m=audio" in sdp, "m=video" in sdp, "sendrecv", accept_video=video)
        await self._set_remote(sdp, "offer")

    def _open(self, audio: bool, video: bool, direction: str, *, accept_video: bool = True) -> None:
        if audio:
            transceiver = self.pc.addTransceiver("audio", direction=direction)
            transceiver.setCodecPreferences(audio_preferences())
            self.streams.join(transceiver, self.audio_out, self.audio_in)
        if video:
            transceiver = self.pc.addTransceiver(
                "video", direction=direction if accept_video else "inactive"
            )
            transceiver.setCodecPreferences(video_preferences(self.video_codec, self.prefer_codec))
            limits = self.video_settings
            rate = SendRate(limits.start_bitrate_bps, limits.max_bitrate_bps)
            self.streams.join(transceiver, self.video_out, self.video_in, rate)
        self._tune()

    # Media

    @property
    def video_bitrate_bps(self) -> int | None:
        """What the video encoder aims at now; ``None`` while it does not run."""
        return self.video_out.bitrate_bps

    def _on_track(self, track: Any) -> None:
        incoming = self.audio_in if track.kind == "audio" else self.video_in
        self._tracks.append(PlainTrack(track, incoming))
        if self.on_track:
            self.on_track(track.kind)

    def request_keyframe(self) -> None:
        """Ask the far end for a keyframe."""
        self.video_in.request_keyframe()

    @property
    def video_codec_in_use(self) -> VideoCodec | None:
        """The negotiated video codec, or ``None`` before negotiation and without video."""
        for transceiver in self.pc.getTransceivers():
            if transceiver.kind == "video" and self.pc.remoteDescription:
                codec = adapter.codec_in_use(transceiver)
                return codec if codec in ("vp8", "h264") else None  # type: ignore[return-value]
        return None

    async def stats(self) -> PeerStats:
        """What is known of the connection now; see :class:`~xnb.engine.stats.PeerStats`."""
        return await self._stats.read()

    async def _stop_sending(self) -> None:
        await self.audio_out.stop()
        await self.video_out.stop()

    def _stop_receiving(self) -> None:
        for track in self._tracks:
            track.close()
        self.audio_in.close()
        self.video_in.close()
