"""Rooms on the embedded SFU."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ...errors import SfuError
from .core import Core
from .plugin import PluginError
from .rooms import TOKEN_TTL_S, Dialect, Place, RoomTerms
from .tokens import VIDEOROOM

if TYPE_CHECKING:
    from ..videoroom import VideoRoom
    from ..videoroom.publisher import Publisher

_WEB_SOCKET = {"http": "ws", "https": "wss"}


class EmbeddedRooms:
    """Opens rooms on the SFU of this very server.

    Args:
        core: The embedded Janus API; its tokens let clients in.
        videoroom: Where the rooms are.
        dialect: How clients are told to speak.
    """

    def __init__(self, core: Core, videoroom: VideoRoom, *, dialect: Dialect = "stock") -> None:
        self._core = core
        self._videoroom = videoroom
        self._dialect: Dialect = dialect
        self._opened: dict[str, RoomTerms] = {}

    async def open(
        self, broadcast_id: str, *, publishers: int, video_codec: str, bitrate_bps: int
    ) -> None:
        """Create the room of a broadcast; see :class:`~xnb.server.janus.rooms.Rooms`."""
        if broadcast_id not in self._opened:
            self._opened[broadcast_id] = RoomTerms(publishers, video_codec, bitrate_bps)
        self._create(broadcast_id)

    async def place(
        self, broadcast_id: str, person: str, *, names: Collection[str], base_url: str
    ) -> Place:
        """Where the room is, with a fresh token and the person's ticket."""
        opened = self._opened[broadcast_id]
        self._create(broadcast_id)
        ticket = opened.ticket(person, names)
        self._videoroom.allow(broadcast_id, ticket.token, ticket.names)
        tokens = self._core.tokens
        return Place(
            self._url(base_url),
            broadcast_id,
            opened.pin,
            opened.secret,
            self._dialect,
            tokens.sign((VIDEOROOM,), ttl_s=TOKEN_TTL_S) if tokens else None,
            ticket.token,
        )

    async def kick(
        self,
        broadcast_id: str,
        person: str,
        *,
        names: Collection[str],
        keep: Callable[[], Collection[str]],
    ) -> None:
        """Take somebody's ticket away, and put out who came with it and who has none.

        ``names`` are of no use here: the room knows who came with which ticket.
        """
        opened = self._opened.get(broadcast_id)
        ticket = opened.tickets.pop(person, None) if opened else None
        if ticket is not None:
            await self._videoroom.put_out(broadcast_id, ticket.token)
        await self.put_out_others(broadcast_id, keep=keep)

    async def put_out_others(
        self, broadcast_id: str, *, keep: Callable[[], Collection[str]]
    ) -> None:
        """Put everybody out whose name is not in ``keep``.

        Only tokens that the host added in the room itself let in people of other names.
        """
        for each in self._people(broadcast_id):
            if _name(each) not in keep():
                await self._videoroom.kick(broadcast_id, each.id)

    async def present(self, broadcast_id: str) -> frozenset[str]:
        """The display names of everybody who is in the room."""
        return frozenset(map(_name, self._people(broadcast_id)))

    async def close_room(self, broadcast_id: str) -> None:
        """Destroy the room. May be called again."""
        if self._opened.pop(broadcast_id, None) is not None:
            await self._videoroom.destroy_room(broadcast_id)

    async def close(self) -> None:
        """Destroy all rooms. May be called again."""
        for broadcast_id in list(self._opened):
            await self.close_room(broadcast_id)

    def _create(self, broadcast_id: str) -> None:
        videoroom = self._videoroom
        if videoroom.has_room(broadcast_id):
            return
        opened = self._opened[broadcast_id]
        try:
            videoroom.create_room(
                broadcast_id,
                pin=opened.pin,
                secret=opened.secret,
                publishers=opened.publishers,
                video_codecs=opened.video_codecs,
                bitrate_bps=opened.bitrate_bps,
                is_private=True,
                require_pvtid=True,
                lock_record=True,
                allowed=opened.allowed,
            )
        except PluginError as error:
            self._opened.pop(broadcast_id)
            raise SfuError(
                f"No room could be made for the call: {error.reason}.",
                remedy="Try again when other calls have ended.",
                code=error.code,
            ) from None

    def _people(self, broadcast_id: str) -> tuple[Publisher, ...]:
        if broadcast_id not in self._opened:
            return ()
        room = self._videoroom.rooms.get(broadcast_id)
        return tuple(room.participants.values()) if room else ()

    def _url(self, base_url: str) -> str:
        if self._dialect == "gateway":
            return f"{base_url}/gateway"
        scheme, host, path, _, _ = urlsplit(base_url)
        return urlunsplit((_WEB_SOCKET.get(scheme, scheme), host, f"{path}/janus", "", ""))


def _name(one: Publisher) -> str:
    return one.display or str(one.id)
