"""Watching what a publisher sends: who talks, whether media come, keyframes now and then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...engine.rtp.packets import RtpPacket
from .feed import FeedStream
from .talking import TalkDetector

if TYPE_CHECKING:
    from .publisher import Publisher

LOOK_S = 1.0
"""How often it is looked whether media still come."""


class FeedWatch:
    """Watches the streams of one publisher and tells the room and the client.

    Args:
        publisher: Whose streams they are.

    Attributes:
        active_packets: Its own ``audio_active_packets``, 0 for the room's.
        level_average: Its own ``audio_level_average``, 0 for the room's.
    """

    def __init__(self, publisher: Publisher) -> None:
        self.active_packets = 0
        self.level_average = 0
        self._publisher = publisher
        self._timer: asyncio.TimerHandle | None = None
        self._looks = 0

    def start(self) -> None:
        """The connection is up."""
        self.stop()
        self._looks = 0
        self._look()

    def stop(self) -> None:
        """Look no more. May be called again."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def listen(self, stream: FeedStream) -> None:
        """Tell from this stream who talks, in a room that asks for it."""
        settings = self._publisher.room.settings
        if stream.kind != "audio" or not settings.audiolevel_event:
            return
        talk = stream.talk = TalkDetector(
            settings.audio_active_packets, settings.audio_level_average
        )
        self.follow(stream)

        def take(packet: RtpPacket, _codec: str) -> None:
            level_dbov = packet.audio_level
            if level_dbov is not None and not stream.is_silenced and talk.add(level_dbov):
                self._tell_talking(stream)

        stream.incoming.on_packet(take)

    def follow(self, stream: FeedStream) -> None:
        """Use the thresholds of now."""
        if stream.talk:
            settings = self._publisher.room.settings
            stream.talk.packets = self.active_packets or settings.audio_active_packets
            stream.talk.average_dbov = self.level_average or settings.audio_level_average

    def silence(self, stream: FeedStream) -> None:
        """Nothing of it is heard any more."""
        if stream.talk and stream.talk.silence():
            self._tell_talking(stream)

    def _tell_talking(self, stream: FeedStream) -> None:
        talk, publisher = stream.talk, self._publisher
        assert talk is not None
        publisher.room.tell(
            {
                "videoroom": "talking" if talk.is_talking else "stopped-talking",
                "room": publisher.room.id,
                "id": publisher.id,
                "mindex": stream.line.index,
                "mid": stream.mid,
                "audio-level-dBov-avg": talk.level_dbov,
            }
        )

    def _look(self) -> None:
        """Once a second: whether media come, who fell silent, and the room's keyframes."""
        publisher = self._publisher
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)
        self._looks += 1
        for stream in publisher.streams:
            if stream.arrival_changed():
                publisher.link.media(stream.kind, stream.mid, stream.is_arriving)
            if not stream.is_arriving:
                self.silence(stream)
        every_s = publisher.room.settings.fir_freq_s
        if every_s and self._looks % max(1, round(every_s / LOOK_S)) == 0:
            publisher.request_keyframe()
