"""What a participant of a group sends into a room: sound, a picture, and the same picture small."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from av import VideoFrame

from ..media.frames import from_planes, plane_array
from ..media.source import EndOfMedia, SourceTrack
from ..settings import VideoSettings
from .codecs import video_preferences
from .peer import Peer
from .receive import Incoming
from .remote_clock import RemoteClock
from .rtp.bandwidth import SendRate
from .send import Outgoing

if TYPE_CHECKING:
    from ..events import ListenerHandle

AUDIO, HIGH, LOW = "audio", "high", "low"
"""How the m-lines are described to the room."""
LOW_SETTINGS = VideoSettings(
    max_bitrate_bps=150_000, start_bitrate_bps=120_000, max_fps=15, max_height_px=180
)
FOLLOW_S = 0.25
"""How often is looked whether something is forwarded instead of encoded."""


class PublishingPeer(Peer):
    """The connection over which one sends into a room; nothing comes back on it.

    The small picture is an m-line of its own, not a simulcast layer (RFC 8853), because aiortc
    negotiates neither ``a=simulcast`` nor RIDs (RFC 8851), and because it needs nothing special
    of the room: each layer is an ordinary stream with its own keyframes, retransmissions and
    limit, and a subscriber changes between them with Janus' ``switch``. Both ways cost the same
    two encoders and the same bits; the second m-line adds about 2 kB to two descriptions. The
    small picture takes about a sixth of the pixels of a 640x480 one at half the rate.

    Args:
        **options: As for :class:`~xnb.engine.peer.Peer`.

    Attributes:
        low_out: The small picture: at most 180 px high, 15 a second, about 120 kbps. It follows
            ``video_out`` by itself. ``None`` before the offer, and without one.

    Example:
        >>> peer = PublishingPeer(video_codec="vp8")
        >>> offer = await peer.make_offer(video=True)
        >>> peer.descriptions()
        {'0': 'audio', '1': 'high', '2': 'low'}
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.low_out: Outgoing | None = None
        self._wants_low = True
        self._low_in: Incoming | None = None
        self._small: SmallTrack | None = None

    async def make_offer(self, *, audio: bool = True, video: bool = False, low: bool = True) -> str:
        """Gather candidates and give an SDP offer that holds them; all of it ``sendonly``.

        Args:
            audio: Send sound.
            video: Send pictures.
            low: Send them small as well.
        """
        self._wants_low = low
        if not self.pc.getTransceivers():
            self._open(audio, video, "sendonly")
        return await self._offer()

    def _open(self, audio: bool, video: bool, direction: str, *, accept_video: bool = True) -> None:
        super()._open(audio, video, direction, accept_video=accept_video)
        if not video or not self._wants_low or not accept_video:
            return
        transceiver = self.pc.addTransceiver("video", direction=direction)
        transceiver.setCodecPreferences(video_preferences(self.video_codec, self.prefer_codec))
        self.low_out = Outgoing("video", LOW_SETTINGS)
        self._low_in = Incoming("video", RemoteClock())
        rate = SendRate(LOW_SETTINGS.start_bitrate_bps, LOW_SETTINGS.max_bitrate_bps)
        self.streams.join(transceiver, self.low_out, self._low_in, rate)
        self._small = SmallTrack(self.video_out)
        self.low_out.play(self._small)

    def descriptions(self) -> dict[str, str]:
        """What each m-line is, by its mid: ``audio``, ``high`` or ``low``; after the offer."""
        names = {"audio": [AUDIO], "video": [HIGH, LOW]}
        return {
            str(one.mid): names[one.kind].pop(0)
            for one in self.pc.getTransceivers()
            if one.mid is not None
        }

    async def _stop_sending(self) -> None:
        if self._small:
            self._small.close()
        if self.low_out:
            await self.low_out.stop()
        await super()._stop_sending()

    def _stop_receiving(self) -> None:
        super()._stop_receiving()
        if self._low_in:
            self._low_in.close()


class SmallTrack(SourceTrack):
    """The pictures that an :class:`~xnb.engine.send.Outgoing` sends, to be sent once more.

    What is encoded there is taken before it is. What passes there as packets, or is forwarded
    from another connection, is decoded for this. Only the newest picture waits.

    Args:
        out: What to follow, until :meth:`close`.
    """

    kind = "video"

    def __init__(self, out: Outgoing) -> None:
        self._out = out
        self._newest: VideoFrame | None = None
        self._came = asyncio.Event()
        self._closed = False
        self._handle = out.on_frame(self._take)
        self._followed: Incoming | None = None
        self._following: ListenerHandle | None = None

    async def read(self) -> VideoFrame:
        """The newest picture, as soon as there is one that was not given yet."""
        while not self._closed:
            self._follow()
            picture, self._newest = self._newest, None
            if picture is not None:
                return _own(picture)
            self._came.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), FOLLOW_S)
        raise EndOfMedia

    def _take(self, frame: Any, _time_s: float = 0.0) -> None:
        if isinstance(frame, VideoFrame):
            self._newest = frame
            self._came.set()

    def _follow(self) -> None:
        """Decode what is forwarded, as long as something is and nothing is muted."""
        link = self._out.link
        source = link.source if link and link.is_flowing and not self._out.muted else None
        if source is self._followed:
            return
        if self._following:
            self._following.close()
        self._followed = source
        self._following = source.on_frame(self._take) if source else None

    def close(self) -> None:
        """Follow no more. May be called again."""
        self._closed = True
        self._came.set()
        self._handle.close()
        if self._following:
            self._following.close()
        self._following = self._followed = self._newest = None


def _own(picture: VideoFrame) -> VideoFrame:
    """A picture whose time may be changed: the same one may wait for the large encoder."""
    if picture.height > LOW_SETTINGS.max_height_px:
        return picture  # it will be scaled into a new one
    copy = from_planes(*(plane_array(picture, index) for index in range(3)))
    copy.pts = picture.pts
    if picture.time_base is not None:
        copy.time_base = picture.time_base
    return copy
