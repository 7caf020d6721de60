"""Media to a page in messages of the comm, never more of them than the page has room for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from ..engine.peer import Peer
from .ack_window import PICTURES_IN_FLIGHT, AckWindow
from .frame_wire import SOUND, WireFrame, pack, unpack
from .leg import Leg
from .page_frames import PageClock, PageFrames

_log = logging.getLogger(__name__)

SOUND_HELD_S = 0.03
"""Sound waits this long for a picture to travel with."""
GOT_EVERY = 4
"""Messages of the page that are acknowledged together, unless frames go the other way."""


class FrameLeg(Leg):
    """One page that is fed through the comm, and whose own frames come the same way.

    Args:
        page: The page's own random name.
        call_peer: The peer whose incoming media is shown.
        send: Takes a message's content and its buffers.
        on_lost: See :class:`~xnb.widgets.leg.Leg`.

    Attributes:
        capacity: Pictures that may be on their way.
    """

    capacity: ClassVar[int] = PICTURES_IN_FLIGHT

    def __init__(
        self,
        page: str,
        call_peer: Peer,
        send: Callable[[dict[str, Any], list[bytes]], Any],
        on_lost: Callable[[Any, str, bool], Any],
    ) -> None:
        super().__init__(page, on_lost)
        self.window = AckWindow(self.capacity)
        clock = PageClock()
        self.audio_in = PageFrames("audio", clock, self._ask_sound)
        self.video_in = PageFrames("video", clock, self._ask_picture)
        self._peer = call_peer
        self._tell = send
        self._pending: list[WireFrame] = []
        self._begun_s: float | None = None
        self._dropped = 0
        self._limit_bps: int | None = None
        self._got = 0
        self._told_got = 0
        self._is_open = False

    @property
    def connected(self) -> bool:
        """Whether the page was told that media comes this way."""
        return self._is_open

    @property
    def dropped(self) -> int:
        """Frames that were left out because the page had no room for them."""
        return self._dropped

    def open(self) -> None:
        """Tell the page what comes, and begin."""
        limits = self._peer.video_settings
        self._is_open = True
        self._say(
            "opened",
            path=self.path,
            codec=self._peer.video_codec_in_use or "",
            max_fps=limits.max_fps,
            max_height_px=limits.max_height_px,
            max_bitrate_bps=limits.max_bitrate_bps,
        )

    def _say(self, kind: str, **content: Any) -> None:
        self._tell({"type": kind, "page": self.page, **content}, [])

    # To the page

    def _add(self, codec: str, is_keyframe: bool, time_s: float, data: bytes) -> None:
        """Take a frame along with the next message; a picture leaves at once."""
        if self._begun_s is None:
            self._begun_s = time_s
        time_ms = 1000 * (time_s - self._begun_s)
        self._pending.append(WireFrame(codec, is_keyframe, time_ms, data))
        first_ms = self._pending[0].time_ms
        if codec not in SOUND or not 0 <= time_ms - first_ms < 1000 * SOUND_HELD_S:
            self._flush()

    def _flush(self) -> None:
        frames, self._pending = self._pending, []
        pictures = sum(frame.codec not in SOUND for frame in frames)
        if not pictures and self.window.is_full_for_sound:
            self._refused(len(frames))
            return
        data = pack(frames)
        content = {"type": "frames", "page": self.page, "n": self.window.took(len(data), pictures)}
        if self._got != self._told_got:
            content["got"] = self._told_got = self._got
        self._tell(content, [data])

    def _refused(self, frames: int = 1) -> None:
        self._dropped += frames
        self.window.refused()
        self._limit()
        if self.window.is_hopeless:
            self._lose("The page does not answer.")

    def _limit(self) -> None:
        """What the far end need not send, it should not."""
        if self.window.limit_bps != self._limit_bps:
            self._limit_bps = self.window.limit_bps
            self._peer.video_in.limit_bitrate(self, self._limit_bps)

    # From the page

    def heard(self, content: dict[str, Any], buffers: Any) -> None:
        """A message of the page for this leg: ``ack`` or ``frames``."""
        if isinstance(number := content.get("ack"), int):
            self.window.acknowledged(number)
            self._limit()
        if content.get("type") != "frames" or not buffers:
            return
        for frame in unpack(buffers[0]):
            if frame.codec == "opus":
                self.audio_in.take(frame)
            elif frame.codec in ("vp8", "h264"):
                self.video_in.take(frame)
        if isinstance(number := content.get("n"), int):
            self._got = number
            if self._got - self._told_got >= GOT_EVERY:
                self._told_got = self._got
                self._say("got", n=self._got)

    def _ask_picture(self, keyframe: bool, bitrate_bps: int | None) -> None:
        if self._is_open:
            self._say("encode", keyframe=keyframe, bitrate_bps=bitrate_bps)

    def _ask_sound(self, _keyframe: bool, _bitrate_bps: int | None) -> None:
        """Opus of a microphone is 32 kbps: nothing to ask for."""

    async def close(self) -> None:
        """Stop feeding. May be called again."""
        await super().close()
        self._is_open = False
        self._pending.clear()
        self._peer.video_in.limit_bitrate(self, None)
        self.audio_in.close()
        self.video_in.close()
