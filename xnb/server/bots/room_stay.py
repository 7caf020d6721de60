"""One connection of a bot to a media room, by the Janus API as any client has it."""

from __future__ import annotations

import asyncio
import logging

from ...engine.connection import PeerState
from ...engine.publishing import PublishingPeer
from ...settings import Timeouts, VideoSettings
from ...signaling.janus import Feed, JanusSession, Publisher
from .ear import Ear
from .seat import Door

_log = logging.getLogger(__name__)

TIMEOUTS = Timeouts(connect_s=20.0, dead_peer_s=20.0, reconnect_s=20.0)
# Eight of them encode in one process, on whatever machine a notebook runs.
_VIDEO = VideoSettings(max_bitrate_bps=800_000, start_bitrate_bps=500_000, max_fps=15)


class RoomStay:
    """In a room from :meth:`enter` to :meth:`close`.

    Args:
        door: The way in.
        name: For log lines.
        video_codec: What is sent, ``vp8`` or ``h264``.
        echo_of: The numeric id of somebody whose packets are sent back, or ``None``.

    Attributes:
        peer: Over which the bot sends.
        broken: Set when the stay is over, whoever ended it.
        was_kicked: Whether a moderator put the bot out.
    """

    def __init__(
        self, door: Door, name: str, *, video_codec: str, echo_of: str | None = None
    ) -> None:
        self.peer = PublishingPeer(
            timeouts=TIMEOUTS,
            video_settings=_VIDEO,
            video_codec="h264" if video_codec == "h264" else "vp8",
            name=name,
        )
        self.broken = asyncio.Event()
        self.was_kicked = False
        self._closing: asyncio.Task[None] | None = None
        self._door = door
        self._name = name
        self._echo_of = echo_of
        self._janus = JanusSession(door.gateway)
        self._publisher = Publisher(self._janus, door.room, pin=door.pin, user_id=door.user_id)
        self._private_id: int | None = None
        self._ear: Ear | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._listen()

    def _listen(self) -> None:
        publisher = self._publisher
        publisher.on_kicked = self._on_kicked
        publisher.on_destroyed = self.broken.set
        publisher.on_detached = self.broken.set
        publisher.on_hangup = lambda _reason: self.broken.set()
        publisher.on_publishers = self._saw
        self._janus.on_state = self._on_session
        self.peer.on_state = self._on_peer

    def _on_kicked(self) -> None:
        self.was_kicked = True
        self.broken.set()

    def _on_session(self, state: str) -> None:
        if state in ("lost", "closed"):
            self.broken.set()

    def _on_peer(self, state: PeerState, _text: str) -> None:
        if self._giving_up:
            self._giving_up.cancel()
            self._giving_up = None
        if state in (PeerState.FAILED, PeerState.CLOSED):
            self.broken.set()
        elif state is PeerState.DISCONNECTED:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(TIMEOUTS.reconnect_s, self.broken.set)

    async def enter(self, *, video: bool) -> None:
        """Join the room, and return when media can flow.

        Args:
            video: Send pictures.

        Raises:
            SfuError: The SFU refused, or does not answer.
            ConnectError: Media could not be connected.
        """
        door, peer = self._door, self.peer
        await self._janus.open()
        joined = await self._publisher.join(door.user_id, id=door.publisher_id, token=door.ticket)
        self._private_id = joined.private_id
        # An echo sends on what it gets; making it small would mean decoding it.
        offer = await peer.make_offer(video=video, low=self._echo_of is None)
        answer = await self._publisher.publish(offer, descriptions=peer.descriptions())
        await peer.apply_answer(answer)
        await peer.wait_connected()
        self._saw(joined.publishers)

    def _saw(self, feeds: tuple[Feed, ...]) -> None:
        """Somebody sends: listen, when it is the one to echo."""
        found = [one for one in feeds if one.user_id == self._echo_of and one.streams]
        if found:
            previous, self._hearing = self._hearing, None
            self._hearing = asyncio.create_task(
                self._hear(found[-1], previous), name=f"xnb bot {self._name} ear"
            )

    async def _hear(self, feed: Feed, previous: asyncio.Task[None] | None) -> None:
        if previous:
            previous.cancel()
            await asyncio.gather(previous, return_exceptions=True)
        old, self._ear = self._ear, None
        if old:
            await old.close()
        ear = self._ear = Ear(self._janus, self._door, feed, self._name)
        try:
            await ear.open(self._private_id)
        except Exception as error:  # the bot stays in the room without it
            _log.warning("%s cannot hear the host: %s.", self._name, type(error).__name__)
            return
        self.peer.audio_out.forward(ear.peer.audio_in)
        if self.peer.video_out.stream is not None:
            self.peer.video_out.forward(ear.peer.video_in)

    async def close(self) -> None:
        """Leave the room. May be called again, from any half-open state."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._giving_up:
            self._giving_up.cancel()
        if self._hearing:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)
        # Ends our handles as well, and does not wait for an SFU that is gone.
        await self._janus.close()
        await self.peer.close()
        if self._ear:
            await self._ear.close()
