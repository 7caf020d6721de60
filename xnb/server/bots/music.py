"""``music``: sound without a picture."""

from __future__ import annotations

from typing import ClassVar

from ...media.source import Source
from ...media.synthetic import music
from .base import SendingBot
from .held import Held


class MusicBot(SendingBot):
    """Plays a short piece over and over and sends no picture, also in a video call.

    It teaches what a call sounds like: music shows up gaps, jitter and a wrong sample rate that
    speech forgives. In a video call it says with MEDIA_STATUS that its camera is off, which is
    what a call with one camera looks like.
    """

    handle = "music"
    camera: ClassVar[bool] = False

    def source(self, call: Held) -> Source:
        """See :meth:`SendingBot.source`."""
        return music()
