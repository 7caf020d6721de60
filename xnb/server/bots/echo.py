"""``echo``: your own packets back."""

from __future__ import annotations

import asyncio
from collections import deque
from fractions import Fraction
from typing import Any, ClassVar, Literal

import av

from ...engine.codecs import CLOCK_RATE_HZ, is_keyframe
from ...engine.peer import Peer
from ...media.source import EndOfMedia, SourceTrack
from .base import Bot
from .call import answering
from .line import Line

_CAPACITY = {"audio": 25, "video": 30}


class EchoBot(Bot):
    """Sends back what you send, without decoding it.

    It teaches that a call moves *encoded* media: the bot puts your packets together to whole
    frames, cuts them into packets again and returns them, as a forwarding server does, and so
    uses next to no processor. The picture you get back was encoded once, by you: its quality
    and its delay are those of your own sender and of the way there and back. When you ask the
    bot for a keyframe it has none to make, and asks you for one: watch the PLI go out and come
    back.
    """

    handle: ClassVar[str] = "echo"

    async def called(self, line: Line) -> None:
        """See :meth:`Bot.called`."""
        async with answering(line) as call:
            if call is None:
                return
            peer = call.peer
            tracks = [EchoTrack("audio", peer), EchoTrack("video", peer)]
            peer.audio_out.play(tracks[0])
            peer.video_out.play(tracks[1])
            peer.video_out.on_keyframe_request = peer.request_keyframe
            try:
                await call.run(camera=True)
            finally:
                for track in tracks:
                    track.close()


class EchoTrack(SourceTrack):
    """What a peer receives, as a source of encoded packets.

    When the sender falls behind, audio loses its oldest packets; video loses everything up to
    the next keyframe, which is asked for. ``dropped`` counts both.

    Args:
        kind: ``"audio"`` or ``"video"``.
        peer: Whose incoming media to give back.
    """

    def __init__(self, kind: Literal["audio", "video"], peer: Peer) -> None:
        self.kind = kind
        self.dropped = 0
        self._peer = peer
        self._packets: deque[av.Packet[Any]] = deque()
        self._filled = asyncio.Event()
        self._need_key = kind == "video"
        self._closed = False
        self._time_base = Fraction(1, CLOCK_RATE_HZ[kind])
        incoming = peer.audio_in if kind == "audio" else peer.video_in
        self._handle = incoming.on_encoded(self._push)

    def _push(self, codec: str, data: bytes, timestamp: int) -> None:
        if self.kind == "video":
            if codec != self._peer.video_codec_in_use:
                self.dropped += 1
                return
            if self._need_key and not is_keyframe(codec, data):
                self.dropped += 1
                return
            self._need_key = False
        if len(self._packets) >= _CAPACITY[self.kind]:
            self._make_room()
            if self._need_key:
                self.dropped += 1
                return
        packet = av.Packet(data)
        packet.pts = packet.dts = timestamp
        packet.time_base = self._time_base
        self._packets.append(packet)
        self._filled.set()

    def _make_room(self) -> None:
        if self.kind == "audio":
            self._packets.popleft()
            self.dropped += 1
        else:
            self.dropped += len(self._packets)
            self._packets.clear()
            self._need_key = True
            self._peer.request_keyframe()

    async def read(self) -> av.Packet[Any]:
        """See :meth:`SourceTrack.read`; packets are due when they arrive."""
        while not self._packets:
            if self._closed:
                raise EndOfMedia
            self._filled.clear()
            await self._filled.wait()
        return self._packets.popleft()

    def close(self) -> None:
        """See :meth:`SourceTrack.close`."""
        self._closed = True
        self._handle.close()
        self._packets.clear()
        self._filled.set()
