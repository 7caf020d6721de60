"""All of a server's group-call media: the embedded SFU, and real Janus servers if there are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import SettingsError
from .core import Core, CoreLimits
from .embedded_rooms import EmbeddedRooms
from .endpoint import Endpoint
from .gateway import GatewayDialect
from .janus_rooms import JanusRooms
from .pool import Instance, Pool
from .rooms import Rooms
from .tokens import Tokens

if TYPE_CHECKING:
    from ..options import JanusOptions, ServerOptions


class Sfu:
    """The embedded SFU with its Janus API, and where rooms are opened.

    Args:
        token: The server's token, which opens the embedded Janus API too.
        options: Limits, and which real Janus servers there are.

    Attributes:
        core: The embedded Janus API.
        gateway: The same in the live gateway's dialect.
        videoroom: Its rooms.
        tokens: Who may use it.
        pool: Real Janus servers, ``None`` without any.
        rooms: Where group calls get their rooms.
    """

    def __init__(self, token: str, options: ServerOptions) -> None:
        # Not on import: they bring the media engine, which takes a while to load.
        from ..echotest import EchoTest
        from ..videoroom import VideoRoom, VideoRoomOptions

        sfu = options.sfu
        secret = hmac.digest(token.encode(), b"xnb janus tokens", "sha256").hex()
        self.tokens = Tokens(secret)
        self.tokens.add(token)
        self.videoroom = VideoRoom(VideoRoomOptions(recordings=sfu.recordings))
        self.core = Core(
            [self.videoroom, EchoTest()],
            tokens=None if sfu.is_open else self.tokens,
            api_secret=None if sfu.is_open else sfu.api_secret,
            limits=CoreLimits(session_timeout_s=sfu.session_timeout_s, reclaim_s=sfu.reclaim_s),
        )
        self.gateway = GatewayDialect(self.core, self.videoroom, sfu.gateway)
        self.pool: Pool | None = None
        self.rooms: Rooms
        if options.janus is None:
            self.rooms = EmbeddedRooms(self.core, self.videoroom, dialect=sfu.dialect)
        else:
            self.pool = Pool(_instances(options.janus), check_s=options.janus.check_s)
            self.rooms = JanusRooms(self.pool, relay_tokens=self.tokens)

    async def start(self) -> None:
        """Start what runs outside of this process.

        Raises:
            SfuError: A private Janus does not start.
        """
        if self.pool is not None:
            await self.pool.start()

    async def close(self) -> None:
        """Close the rooms, then everything else. May be called again."""
        self.gateway.close()
        await self.rooms.close()
        await self.core.close()
        if self.pool is not None:
            await self.pool.close()


def _instances(options: JanusOptions) -> Sequence[Instance]:
    found = []
    for number, url in enumerate(options.urls):
        # The same name wherever the same URL is given, in whatever order.
        name = f"janus-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
        if url == "auto":
            from .process import JanusProcess

            found.append(Instance(f"auto-{number}", process=JanusProcess()))
            continue
        endpoint = Endpoint(url, options.api_secret, options.admin_key, options.token_secret)
        if endpoint.api_secret and not endpoint.token_secret and not url.startswith("ws"):
            raise SettingsError(
                "Clients cannot use a Janus with an API secret over HTTP.",
                remedy="Give its ws(s) URL, or start it with token_auth_secret and add "
                "--janus-token-secret-file.",
            )
        found.append(Instance(name, endpoint))
    return found
