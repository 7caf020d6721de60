"""The media side of a bot in a group call: in the room until the call is over for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from ...engine.peer import Peer
from ...errors import XnbError
from ...media.source import Source, SourceTrack
from ..refusal import Refusal
from .room_stay import RoomStay
from .seat import Seat

_log = logging.getLogger(__name__)

_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
_SIGN_S = 2.0
_GOOD_STAY_S = 5.0


class RoomCall:
    """A group call that a bot has joined. Use :func:`sitting`, which closes it whatever happens.

    When the room goes away under it, because its SFU died, the bot enters it again, wherever it
    is then.

    Attributes:
        connected: Set when media can flow.
        video: Whether the call has pictures.
    """

    is_room = True

    def __init__(self, seat: Seat) -> None:
        self.video = seat.video
        self.connected = asyncio.Event()
        self._seat = seat
        self._source: Source | None = None
        self._audio: SourceTrack | None = None
        self._echo_of: str | None = None
        self._stay: RoomStay | None = None

    @property
    def peer(self) -> Peer:
        """Over which it sends now; there is one once :attr:`connected` was set."""
        assert self._stay is not None
        return self._stay.peer

    def play(self, source: Source, audio: SourceTrack | None = None) -> None:
        """Send ``source``, with ``audio`` instead of its own; it is closed with the call."""
        self._source = source
        self._audio = audio or source.audio

    def echo(self, user_id: str) -> None:
        """Send back what this member of the call sends, packet by packet."""
        self._echo_of = user_id

    async def run(self, *, camera: bool) -> None:
        """Be in the room until the call is over for the bot, or has lasted as long as it may.

        Args:
            camera: Whether the bot has a picture.
        """
        staying = asyncio.create_task(self._stay_in(camera=camera and self.video))
        leaving = asyncio.create_task(self._seat.over())
        try:
            done, _ = await asyncio.wait(
                (staying, leaving),
                timeout=self._seat.options.bot_call_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if staying in done:
                await staying
        finally:
            for task in (staying, leaving):
                task.cancel()
            await asyncio.gather(staying, leaving, return_exceptions=True)

    async def _stay_in(self, *, camera: bool) -> None:
        failures, again = 0, False
        loop = asyncio.get_running_loop()
        while failures < len(_PAUSES_S):
            since_s, was_kicked = loop.time(), False
            try:
                await self._enter(camera=camera, restart=again)
                was_kicked = await self._until_broken()
            except (XnbError, Refusal) as error:
                _log.info("%s is not in its room: %s.", self._seat.name, type(error).__name__)
            await self._leave_room()
            if self._seat.is_over or was_kicked:
                return
            again = True
            if loop.time() - since_s >= _GOOD_STAY_S:
                failures = 0
            await asyncio.sleep(_PAUSES_S[failures])
            failures += 1
        _log.warning("%s gives up: its room cannot be entered.", self._seat.name)

    async def _enter(self, *, camera: bool, restart: bool) -> None:
        seat = self._seat
        door = await seat.door(restart=restart)
        stay = self._stay = RoomStay(
            door, seat.name, video_codec=seat.video_codec, echo_of=self._echo_of
        )
        if self._source is not None:
            stay.peer.audio_out.play(self._audio)
            if camera:
                stay.peer.video_out.play(self._source.video)
        await stay.enter(video=camera)
        seat.publishes()
        self.connected.set()

    async def _until_broken(self) -> bool:
        """Wait for the end of the stay; whether a moderator ended it."""
        stay = self._stay
        assert stay is not None
        while not stay.broken.is_set():
            self._seat.here()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stay.broken.wait(), _SIGN_S)
        return stay.was_kicked

    async def _leave_room(self) -> None:
        if self._stay is not None:
            await self._stay.close()

    async def close(self) -> None:
        """Leave the call and close the media. May be called again."""
        self._seat.leave()
        await self._leave_room()
        if self._source is not None:
            self._source.close()


@contextlib.asynccontextmanager
async def sitting(seat: Seat) -> AsyncIterator[RoomCall | None]:
    """Join the call; gives ``None`` when it is over or full already."""
    if not await seat.join():
        yield None
        return
    call = RoomCall(seat)
    try:
        yield call
    finally:
        await call.close()
