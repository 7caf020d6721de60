"""A call's media on their way to one page and back, packet by packet: nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.peer import Peer, PeerState
from ..errors import XnbError
from ..settings import IceSettings, Timeouts

CONNECT_TIMEOUT_S = 10.0


class PageLeg:
    """One page's peer connection, playing what a call's peer receives.

    What the page itself sends comes out of ``peer.audio_in`` and ``peer.video_in``, in the
    codec of the call, because the answer to the page leaves no other.

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
        self._call_peer = call_peer
        self._on_lost: Callable[[PageLeg, str], Any] | None = on_lost

    @property
    def connected(self) -> bool:
        """Whether media flows to the page."""
        return self.peer.state is PeerState.CONNECTED

    @property
    def dropped(self) -> int:
        """Packets that were not passed on to the page."""
        links = (self.peer.audio_out.link, self.peer.video_out.link)
        return sum(link.dropped for link in links if link)

    async def answer(self, offer: str) -> str:
        """Answer the page's offer and start feeding it."""
        self.peer.on_state = self._state_changed
        await self.peer.apply_offer(offer)
        self.peer.audio_out.forward(self._call_peer.audio_in)
        self.peer.video_out.forward(self._call_peer.video_in, on_codec=self._codec_changed)
        # The page encodes for the far end, so what this side may send binds the page.
        limits = self._call_peer.video_settings
        self.peer.video_in.limit_bitrate(self, limits.max_bitrate_bps)
        return await self.peer.make_answer()

    async def run(self) -> None:
        """Wait until the page is connected, then have the far end send a whole picture."""
        try:
            await self.peer.wait_connected()
        except XnbError as error:
            self._lose(error.message)
            return
        self._call_peer.request_keyframe()

    def _codec_changed(self, _codec: str) -> None:
        self._lose("The far end changed its video codec.")

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
        await self.peer.close()
