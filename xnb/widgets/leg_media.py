"""A call's media on their way to one page and back, packet by packet: nothing is decoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..engine.peer import Peer, PeerState
from ..errors import XnbError
from ..settings import IceSettings, Timeouts
from .leg import Leg, Path

CONNECT_TIMEOUT_S = 10.0


class PageLeg(Leg):
    """One page's peer connection, playing what a call's peer receives.

    What the page itself sends comes out of ``peer.audio_in`` and ``peer.video_in``, in the
    codec of the call, because the answer to the page leaves no other.

    Args:
        page: The page's own random name.
        call_peer: The peer whose incoming media is shown.
        on_lost: See :class:`~xnb.widgets.leg.Leg`.
        rests: Send pictures only while somebody sees them, as in a tile of a group. Else they go
            on, for the small window that a browser shows beside its pages.

    Attributes:
        video_settings: Limits of what the page may send.
    """

    path: ClassVar[Path] = "webrtc"

    def __init__(
        self,
        page: str,
        call_peer: Peer,
        on_lost: Callable[[Any, str, bool], Any],
        *,
        rests: bool = False,
    ) -> None:
        super().__init__(page, on_lost)
        self._rests = rests
        self.codec = call_peer.video_codec_in_use
        self.peer = Peer(
            ice=IceSettings(),
            timeouts=Timeouts(connect_s=CONNECT_TIMEOUT_S),
            video_codec=self.codec,
            name="page",
        )
        self.audio_in = self.peer.audio_in
        self.video_in = self.peer.video_in
        self.video_settings = call_peer.video_settings
        self._call_peer = call_peer

    @property
    def connected(self) -> bool:
        """Whether media flows to the page."""
        return self.peer.state is PeerState.CONNECTED

    @property
    def dropped(self) -> int:
        """Packets that were not passed on to the page."""
        links = (self.peer.audio_out.link, self.peer.video_out.link)
        return sum(link.dropped for link in links if link)

    @property
    def packets(self) -> int:
        """Packets that left for the page, so that it notices when none arrives."""
        streams = (self.peer.audio_out.stream, self.peer.video_out.stream)
        return sum(stream.packets for stream in streams if stream)

    @property
    def received(self) -> int:
        """Packets that came from the page, so that it notices when none arrives here."""
        streams = (self.peer.audio_in.stream, self.peer.video_in.stream)
        return sum(stream.received for stream in streams if stream)

    def set_visible(self, visible: bool) -> None:
        """Begin or stop to send pictures, if they rest; they begin with a keyframe."""
        if self._rests:
            self.peer.video_out.muted = not visible

    async def answer(self, offer: str) -> str:
        """Answer the page's offer and start feeding it."""
        self.peer.on_state = self._state_changed
        await self.peer.apply_offer(offer)
        self.peer.audio_out.forward(self._call_peer.audio_in)
        self.peer.video_out.forward(self._call_peer.video_in, on_codec=self._codec_changed)
        # The page encodes for the far end, so what this side may send binds the page.
        self.peer.video_in.limit_bitrate(self, self.video_settings.max_bitrate_bps)
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
        self._lose("The far end changed its video codec.", again=True)

    def _state_changed(self, state: PeerState, text: str) -> None:
        if state in (PeerState.DISCONNECTED, PeerState.FAILED, PeerState.CLOSED):
            self._lose(text)

    async def close(self) -> None:
        """Stop feeding and close the connection. May be called again."""
        await super().close()
        await self.peer.close()
