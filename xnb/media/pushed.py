"""Pictures and sound handed in one by one, whenever there are some."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import MediaError
from .frames import check_sample_rate, to_av_video, to_int16
from .push import PushSource, audio_from, video_from

_SOUND_S = 2.0
# A picture that stands is sent again: one alone may get lost, or be left out by the encoder.
_REPEAT_S = 0.5


class Inbox:
    """Items from whoever has some, for one reader's thread; the oldest makes room.

    Args:
        repeat_s: Give the last item again when there is no other for so long; ``None``: wait.
    """

    def __init__(self, repeat_s: float | None = None) -> None:
        self.dropped = 0
        self._repeat_s = repeat_s
        self._last: Any = None
        self._items: deque[tuple[Any, float]] = deque()
        self._held = 0.0
        self._over = False
        self._condition = threading.Condition()

    def put(self, item: Any, size: float, limit: float) -> None:
        """Add an item of this size; the oldest go while all are larger than ``limit`` together."""
        with self._condition:
            if self._over:
                raise MediaError("This source is over.", remedy="Send a new one.")
            self._items.append((item, size))
            self._held += size
            while self._held > limit and len(self._items) > 1:
                self._held -= self._items.popleft()[1]
                self.dropped += 1
            self._condition.notify()

    def finish(self) -> None:
        """Nothing more comes."""
        with self._condition:
            self._over = True
            self._condition.notify_all()

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._condition:
                while not self._items and not self._over:
                    in_time = self._condition.wait(self._repeat_s or 1.0)
                    if not in_time and self._repeat_s and self._last is not None:
                        break
                if self._items:
                    self._last, size = self._items.popleft()
                    self._held -= size
                elif self._over:
                    return
                item = self._last
            yield item


class PushedSource(PushSource):
    """Made by :func:`pushed`. All its methods may be called from any thread."""

    def __init__(self, *, audio: bool, video: bool, fps: float, sample_rate_hz: int) -> None:
        self._rate_hz = check_sample_rate(sample_rate_hz)
        self._pictures, self._sound = Inbox(_REPEAT_S), Inbox()
        tracks: dict[str, Any] = {}
        if video:
            tracks["video"] = video_from(self._pictures, fps).video
        if audio:
            tracks["audio"] = audio_from(self._sound, sample_rate_hz).audio
        super().__init__("pushed pictures" if video else "pushed sound", **tracks)

    @property
    def dropped(self) -> int:
        """Pictures and pieces of sound that came faster than they could be sent."""
        return self._pictures.dropped + self._sound.dropped

    def push(self, picture: Any) -> None:
        """Send this picture next; one that was not sent yet gives way to it.

        Args:
            picture: See :func:`~xnb.media.frames.to_av_video`. Copied before this returns.

        Raises:
            MediaError: This is no picture, the source has none, or it is over.
        """
        self._need("video")
        self._pictures.put(to_av_video(picture), 1.0, 1.0)

    def push_sound(self, samples: Any) -> None:
        """Send these samples after those pushed before; of more than two seconds, the last two.

        Args:
            samples: ``(n,)`` or ``(n, 2)``, int16 or float in -1..1. Copied before this returns.

        Raises:
            MediaError: This is no sound, the source has none, or it is over.
        """
        self._need("audio")
        array = np.array(to_int16(samples))
        self._sound.put(array, len(array) / self._rate_hz, _SOUND_S)

    def _need(self, kind: str) -> None:
        if kind not in self.kinds:
            raise MediaError(
                f"This source has no {kind}.", remedy=f"Make it with xnb.pushed({kind}=True)."
            )

    def finish(self) -> None:
        """Nothing more comes: what is left is sent, then the source ends. May be called again."""
        self._pictures.finish()
        self._sound.finish()

    def _released(self) -> None:
        self.finish()
        super()._released()


def pushed(
    *, video: bool = True, audio: bool = False, fps: float = 30, sample_rate_hz: int = 48_000
) -> PushedSource:
    """A source into which you push pictures and sound whenever you have some.

    For programs that cannot be a generator: callbacks, other threads, a loop of their own. Between
    two pictures the last one stands, and is sent again twice a second.

    Args:
        video: It takes pictures, with ``push``.
        audio: It takes sound, with ``push_sound``.
        fps: At most so many pictures a second are sent, 1 to 120.
        sample_rate_hz: Of the samples, 8,000 to 192,000.

    Raises:
        MediaError: It takes neither, or a rate is out of range.

    Example:
        >>> source = xnb.pushed()
        >>> playback = call.send_video(source)
        >>> source.push(np.zeros((240, 320, 3), np.uint8))
    """
    if not (video or audio):
        raise MediaError("It takes neither picture nor sound.", remedy="Leave one of them True.")
    return PushedSource(audio=audio, video=video, fps=fps, sample_rate_hz=sample_rate_hz)
