"""A call's encoded media on its way to one page: nothing is decoded, every queue is bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

import av

from ..engine.codecs import CLOCK_RATE_HZ, is_keyframe
from ..engine.peer import Peer, PeerState
from ..errors import XnbError
from ..events import ListenerHandle
from ..media.source import EndOfMedia, MediaUnit, SourceTrack
from ..settings import IceSettings, Timeouts

VIDEO_CAPACITY = 30
"""Encoded pictures that may wait for the page: 1 s. When full, all wait for a keyframe."""
AUDIO_CAPACITY = 50
"""Encoded 20 ms packets that may wait: 1 s. When full, the oldest is dropped."""
CONNECT_TIMEOUT_S = 10.0


class PacketTrack(SourceTrack):
    """Encoded frames, fed by a call and read by a page's sender.

    Args:
        kind: ``"audio"`` or ``"video"``.
        ask_keyframe: Called when pictures were dropped and a keyframe is needed.
    """

    def __init__(self, kind: Literal["audio", "video"], ask_keyframe: Callable[[], None]) -> None:
        self.kind = kind
        self.dropped = 0
        self.fed = 0
        self._ask_keyframe = ask_keyframe
        self._capacity = VIDEO_CAPACITY if kind == "video" else AUDIO_CAPACITY
        self._time_base = Fraction(1, CLOCK_RATE_HZ[kind])
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._filled = asyncio.Event()
        self._need_key = kind == "video"
        self._closed = False

    def feed(self, codec: str, data: bytes, timestamp: int) -> None:
        """Take one encoded frame; ``timestamp`` counts in ticks of the codec's clock."""
        if self._closed:
            return
        if self._need_key:
            if not is_keyframe(codec, data):
                self.dropped += 1
                return
            self._need_key = False
        if len(self._waiting) >= self._capacity:
            self._overflow()
            if self._need_key:
                return
        self.fed += 1
        self._waiting.append((data, timestamp))
        self._filled.set()

    def _overflow(self) -> None:
        if self.kind == "audio":
            self._waiting.popleft()
            self.dropped += 1
            return
        self.dropped += len(self._waiting) + 1
        self._waiting.clear()
        self._need_key = True
        self._ask_keyframe()

    async def read(self) -> MediaUnit:
        """The next encoded frame, as soon as there is one."""
        while not self._waiting:
            if self._closed:
                raise EndOfMedia
            self._filled.clear()
            await self._filled.wait()
        data, timestamp = self._waiting.popleft()
        packet = av.Packet(data)
        packet.pts = packet.dts = timestamp
        packet.time_base = self._time_base
        return packet

    def close(self) -> None:
        """End the track; what waits is thrown away. May be called again."""
        self._closed = True
        self._waiting.clear()
        self._filled.set()


class PageLeg:
    """One page's peer connection, playing what a call's peer receives.

    Args:
        page: The page's own random name.
        call_peer: The peer whose incoming media is shown.
        on_lost: Called once, with the reason in words, when the page is gone or unreachable.
    """

    def __init__(self, page: str, call_peer: Peer, on_lost: Callable[[PageLeg, str], Any]) -> None:
        self.page = page
        self.codec = call_peer.video_codec_in_use
        self.peer = Peer(
            ice=IceSettings(),
            timeouts=Timeouts(connect_s=CONNECT_TIMEOUT_S),
            video_codec=self.codec,
            name="page",
        )
        self.audio = PacketTrack("audio", lambda: None)
        self.video = PacketTrack("video", call_peer.request_keyframe)
        self._call_peer = call_peer
        self._on_lost: Callable[[PageLeg, str], Any] | None = on_lost
        self._handles: list[ListenerHandle] = []

    @property
    def connected(self) -> bool:
        """Whether media flows to the page."""
        return self.peer.state is PeerState.CONNECTED

    @property
    def dropped(self) -> int:
        """Encoded frames that were not sent on."""
        return self.audio.dropped + self.video.dropped

    async def answer(self, offer: str) -> str:
        """Answer the page's offer and start feeding it."""
        self.peer.on_state = self._state_changed
        await self.peer.apply_offer(offer)
        self.peer.audio_out.play(self.audio)
        self.peer.video_out.play(self.video)
        self.peer.video_out.on_keyframe_request = self._call_peer.request_keyframe
        answer = await self.peer.make_answer()
        self._handles = [
            self._call_peer.audio_in.on_encoded(self.audio.feed),
            self._call_peer.video_in.on_encoded(self._feed_video),
        ]
        return answer

    async def run(self) -> None:
        """Wait until the page is connected, then have the far end send a whole picture."""
        try:
            await self.peer.wait_connected()
        except XnbError as error:
            self._lose(error.message)
            return
        self._call_peer.request_keyframe()

    def _feed_video(self, codec: str, data: bytes, timestamp: int) -> None:
        if self.codec and codec != self.codec:
            self._lose("The far end changed its video codec.")
            return
        self.video.feed(codec, data, timestamp)

    def _state_changed(self, state: PeerState, text: str) -> None:
        if state in (PeerState.DISCONNECTED, PeerState.FAILED, PeerState.CLOSED):
            self._lose(text)

    def _lose(self, why: str) -> None:
        on_lost, self._on_lost = self._on_lost, None
        if on_lost:
            on_lost(self, why)

    async def close(self) -> None:
        """Stop feeding and close the connection. May be called again."""
        self._on_lost = None
        while self._handles:
            self._handles.pop().close()
        self.audio.close()
        self.video.close()
        await self.peer.close()
