"""The media side of a bot's call: negotiation, one peer, and when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from ...engine import negotiation as nego
from ...engine.peer import Peer, PeerState
from ...errors import ConnectError
from ...media.source import Source, SourceTrack
from ...settings import Timeouts
from ...signaling.messages import (
    Answer,
    CandidateSignal,
    MediaStatusSignal,
    Offer,
    Signal,
)
from .line import Line

_log = logging.getLogger(__name__)

# A kernel that computes answers nothing, and its calls are to survive two minutes of that.
TIMEOUTS = Timeouts(connect_s=130.0, dead_peer_s=130.0, reconnect_s=20.0)


class BotCall:
    """A call that a bot has answered or placed.

    Use :func:`answering` or :func:`placing`, which close it whatever happens.

    Attributes:
        peer: The media connection.
        connected: Set when media can flow.
        video: Whether the call has pictures.
    """

    is_room = False

    def __init__(self, line: Line) -> None:
        self.line = line
        self.video = line.video
        self.peer = Peer(timeouts=TIMEOUTS, name=line.name)
        self.peer.on_state = self._on_state
        self.connected = asyncio.Event()
        self._broken = asyncio.Event()
        self._negotiation = nego.Negotiation(polite=not line.is_host, offers_first=line.is_host)
        self._waiting: asyncio.Task[None] | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._source: Source | None = None

    def play(self, source: Source, audio: SourceTrack | None = None) -> None:
        """Send ``source``, with ``audio`` instead of its own; it is closed with the call."""
        self._source = source
        self.peer.audio_out.play(audio or source.audio)
        if self.line.video:
            self.peer.video_out.play(source.video)

    async def run(self, *, camera: bool) -> None:
        """Hold the call until it has ended, broken, or lasted as long as it may.

        Args:
            camera: What the far end is told about the bot's picture.
        """
        self.line.send(MediaStatusSignal(not (camera and self.line.video), False))
        talking = asyncio.create_task(self._talk())
        breaking = asyncio.create_task(self._broken.wait())
        try:
            done, _ = await asyncio.wait(
                (talking, breaking),
                timeout=self.line.options.bot_call_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if talking in done:
                await talking
        finally:
            for task in (talking, breaking):
                task.cancel()
            await asyncio.gather(talking, breaking, return_exceptions=True)

    async def _talk(self) -> None:
        if self.line.is_host:
            await self._do(nego.NegotiationNeeded())
        else:
            await self._do(nego.Accepted())
        while not self.line.is_over:
            for signal in await self.line.receive():
                await self._take(signal)

    async def _take(self, signal: Signal) -> None:
        match signal:
            case Offer(sdp=sdp):
                await self._do(nego.RemoteOffer(sdp))
            case Answer(sdp=sdp):
                await self._do(nego.RemoteAnswer(sdp))
            case CandidateSignal(candidate=candidate, mid=mid, index=index):
                await self._do(nego.RemoteCandidate(candidate, mid, index))
            case MediaStatusSignal():
                _log.debug(
                    "%s: the caller's camera is %s, microphone %s.",
                    self.line.name,
                    "off" if signal.is_camera_deactivated else "on",
                    "off" if signal.is_microphone_deactivated else "on",
                )

    async def _do(self, event: nego.Input) -> None:
        for action in self._negotiation.feed(event):
            match action:
                case nego.MakeOffer():
                    sdp = await self.peer.make_offer(video=self.line.video)
                    await self._do(nego.LocalOffer(sdp))
                case nego.Rollback():
                    await self.peer.rollback()
                case nego.ApplyOffer(sdp=sdp):
                    await self.peer.apply_offer(sdp)
                case nego.MakeAnswer():
                    await self._do(nego.LocalAnswer(await self.peer.make_answer(), settled=True))
                case nego.ApplyAnswer(sdp=sdp):
                    await self.peer.apply_answer(sdp)
                    self._watch_connecting()
                case nego.SendOffer(sdp=sdp):
                    self.line.send(Offer(sdp))
                case nego.SendAnswer(sdp=sdp):
                    self.line.send(Answer(sdp))
                    self._watch_connecting()
                case nego.AddCandidate(candidate=candidate, mid=mid, index=index):
                    await self.peer.add_candidate(candidate, mid, index)

    def _watch_connecting(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._wait_connected())

    async def _wait_connected(self) -> None:
        try:
            await self.peer.wait_connected()
        except ConnectError as error:
            _log.warning("%s: no media, stuck at %s.", self.line.name, error.stage)
            self._broken.set()
        else:
            self.connected.set()

    def _on_state(self, state: PeerState, _text: str) -> None:
        if self._giving_up:
            self._giving_up.cancel()
            self._giving_up = None
        if state in (PeerState.FAILED, PeerState.CLOSED):
            self._broken.set()
        elif state is PeerState.DISCONNECTED:
            loop = asyncio.get_running_loop()
            self._giving_up = loop.call_later(TIMEOUTS.reconnect_s, self._broken.set)

    async def close(self) -> None:
        """Leave the broadcast and close the media. May be called again."""
        self.line.leave()
        if self._giving_up:
            self._giving_up.cancel()
        if self._waiting:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)
        if self._source:
            self._source.close()
        await self.peer.close()


@contextlib.asynccontextmanager
async def answering(line: Line) -> AsyncIterator[BotCall | None]:
    """Join the call; gives ``None`` when the caller has gone already."""
    if not line.join():
        yield None
        return
    async with placing(line) as call:
        yield call


@contextlib.asynccontextmanager
async def placing(line: Line) -> AsyncIterator[BotCall]:
    """Hold the bot's own end of ``line`` and close it at the end."""
    call = BotCall(line)
    try:
        yield call
    finally:
        await call.close()
