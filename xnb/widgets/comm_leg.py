"""A call's encoded frames as messages to one page, which decodes them (WebCodecs).

For pages that UDP does not reach: behind a proxy only the notebook's own port is open.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ..events import ListenerHandle
from ..media.encoded import EncodedFrame
from .frame_leg import FrameLeg
from .leg import Path


class CommLeg(FrameLeg):
    """Whole encoded pictures and packets of sound, undecoded.

    Pictures go only while somebody sees the page. What the page has no room for is left out up
    to a keyframe, which is asked for as soon as there is room again. What lay in the socket during
    a blocking cell is left out, too.
    """

    path: ClassVar[Path] = "comm"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._need_key = True
        self._pictures: ListenerHandle | None = None
        self._sound: ListenerHandle | None = None

    def open(self) -> None:
        """Tell the page what comes, and begin with the sound."""
        super().open()
        if self._sound is None:
            self._sound = self._peer.audio_in.on_encoded(self._take_sound)

    def set_visible(self, visible: bool) -> None:
        """Begin or stop to send pictures; they begin with a keyframe."""
        if visible and self._pictures is None and self._is_open:
            self._need_key = True
            self._pictures = self._peer.video_in.on_encoded(self._take_picture)
        elif not visible and self._pictures:
            self._pictures.close()
            self._pictures = None

    def request_keyframe(self) -> None:
        """The page's decoder cannot go on without one."""
        if self._pictures:
            self._need_key = True
            self._peer.request_keyframe()

    def _take_picture(self, frame: EncodedFrame, time_s: float) -> None:
        if self._peer.video_in.is_stale(time_s):
            self._need_key = True
            self._dropped += 1
        elif self.window.is_full:
            self._need_key = True
            self._refused()
        elif self._need_key and not frame.is_keyframe:
            self._dropped += 1
            self._peer.request_keyframe()
        else:
            self._need_key = False
            self._add(frame.codec, frame.is_keyframe, time_s, frame.data)

    def _take_sound(self, frame: EncodedFrame, time_s: float) -> None:
        if self._peer.audio_in.is_stale(time_s):
            self._dropped += 1
        else:
            self._add(frame.codec, True, time_s, frame.data)

    async def close(self) -> None:
        """Stop feeding. May be called again."""
        self.set_visible(False)
        if self._sound:
            self._sound.close()
            self._sound = None
        await super().close()
