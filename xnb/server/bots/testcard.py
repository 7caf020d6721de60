"""``testcard``: a picture and a sound one can check."""

from __future__ import annotations

import av
import numpy as np

from ...media.source import SAMPLE_RATE_HZ, Source, SourceTrack
from ...media.synthetic import stereo_frame, testcard
from .base import SendingBot
from .cards import card_handle, colour, tone_hz
from .held import Held

TONE_HZ = tone_hz(1)
_TONE_LEVEL = 0.06
_SIZE = (640, 480, 30)
# Smaller and slower in a room, where several of them run side by side; both layers are sent at
# this rate.
_ROOM_SIZE = (480, 360, 15)


class TestcardBot(SendingBot):
    """Sends colour bars with a running clock, a 440 Hz tone and a voice that counts seconds.

    It teaches how to judge a call: the strip along the top is the frame's number in black and
    white cells, so a lost or repeated frame is a gap in the count; the spoken digit belongs to
    the second shown, so sound and picture out of step are heard at once; the tone is pure, so
    any gap in it is a lost packet. In a room the bars give way to a colour, and the other test
    cards have colours and tones of their own and no voice, so that it can be told who is seen
    and heard.

    Args:
        number: 1 for ``testcard``, 2 to 8 for ``testcard-2`` to ``testcard-8``.
    """

    __test__ = False  # not a test class, whatever pytest thinks of its name
    handle = "testcard"

    def __init__(self, number: int = 1) -> None:
        self.number = number
        if number > 1:
            self.handle = card_handle(number)

    def source(self, call: Held) -> Source:
        """See :meth:`SendingBot.source`."""
        width_px, height_px, fps = _ROOM_SIZE if call.is_room else _SIZE
        return testcard(
            width_px,
            height_px,
            fps,
            audio="counter" if self.number == 1 else "tone",
            tone_hz=tone_hz(self.number),
            colour=colour(self.number) if call.is_room or self.number > 1 else None,
        )

    async def hold(self, call: Held) -> None:
        """See :meth:`SendingBot.hold`."""
        source = self.source(call)
        if self.number == 1 and source.audio is not None:
            call.play(source, WithTone(source.audio))
        else:
            call.play(source)
        await call.run(camera=self.camera)


class WithTone(SourceTrack):
    """An audio track with a 440 Hz tone laid under it.

    Args:
        track: 48 kHz stereo s16 audio, whose ``pts`` counts samples.
    """

    kind = "audio"

    def __init__(self, track: SourceTrack) -> None:
        self._track = track
        phase = np.arange(SAMPLE_RATE_HZ) * (2 * np.pi * TONE_HZ / SAMPLE_RATE_HZ)
        self._second = np.round(np.sin(phase) * _TONE_LEVEL * 32767).astype(np.int32)

    @property
    def origin(self) -> object:
        """That of the track below."""
        return self._track.origin

    async def read(self) -> av.AudioFrame:
        """See :meth:`SourceTrack.read`."""
        frame = await self._track.read()
        assert isinstance(frame, av.AudioFrame)
        samples = frame.to_ndarray().reshape(-1, 2).astype(np.int32)
        at = np.arange(frame.pts or 0, (frame.pts or 0) + len(samples)) % SAMPLE_RATE_HZ
        samples += self._second[at][:, None]
        mixed = stereo_frame(np.clip(samples, -32768, 32767).astype(np.int16))
        mixed.pts, mixed.time_base = frame.pts, frame.time_base
        return mixed

    def close(self) -> None:
        """See :meth:`SourceTrack.close`."""
        self._track.close()
