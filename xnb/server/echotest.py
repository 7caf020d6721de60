"""The echotest plugin of the embedded Janus API: what a client sends comes back to it."""

from __future__ import annotations

import asyncio
from typing import Any

from ..engine.room_lines import ReceivedLine
from ..engine.room_peer import RoomPeer
from ..errors import XnbError
from ..settings import IceSettings
from .janus.plugin import Answer, HandleLink, Json, PluginError

NO_MESSAGE = 411
INVALID_ELEMENT = 413
INVALID_SDP = 414

CODECS = {"audio": ("opus",), "video": ("vp8", "h264")}


class EchoTest:
    """The echotest plugin (Janus documentation, "EchoTest"). Packets go back as they came.

    Args:
        ice: Servers and policy of the server's side.
    """

    package = "janus.plugin.echotest"

    def __init__(self, ice: IceSettings | None = None) -> None:
        self.ice = ice or IceSettings()
        self._handles: set[EchoHandle] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, link: HandleLink) -> EchoHandle:
        """Begin with a new handle."""
        handle = EchoHandle(self, link)
        self._handles.add(handle)
        return handle

    def forget(self, handle: EchoHandle) -> None:
        """A handle is gone."""
        self._handles.discard(handle)

    def soon(self, handle: EchoHandle) -> None:
        """Close a handle's connection, which broke."""
        task = asyncio.ensure_future(handle.hangup())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Close every connection. May be called again."""
        await asyncio.gather(*(handle.detach() for handle in tuple(self._handles)))
        await asyncio.gather(*self._tasks)


class EchoHandle:
    """One handle, and its connection.

    Args:
        plugin: Whose it is.
        link: Its client.
    """

    def __init__(self, plugin: EchoTest, link: HandleLink) -> None:
        self._plugin = plugin
        self._link = link
        self._peer: RoomPeer | None = None
        self._echoes = {"audio": True, "video": True}
        self._bitrate_bps = 0

    def __repr__(self) -> str:
        return f"<EchoHandle {'up' if self._peer and self._peer.is_up else 'idle'}>"

    def is_synchronous(self, body: Json) -> bool:
        """Never: each message is answered by an event."""
        del body
        return False

    async def message(self, body: Json, jsep: Json | None) -> Answer:
        """Set what is echoed (``audio``, ``video``, ``bitrate``), and take an offer.

        Raises:
            PluginError: A member has another type (413), or the offer cannot be used (414).
        """
        if not isinstance(body, dict):
            raise PluginError(NO_MESSAGE, "No message??")
        if jsep is None and not body.keys() & {"audio", "video", "bitrate", "keyframe"}:
            raise PluginError(INVALID_ELEMENT, "Message error: no supported attributes found")
        for name, kind in (("audio", bool), ("video", bool), ("keyframe", bool), ("bitrate", int)):
            value: Any = body.get(name)
            wrong = not isinstance(value, kind) or (kind is int and isinstance(value, bool))
            if value is not None and (wrong or (kind is int and value < 0)):
                raise PluginError(INVALID_ELEMENT, f"Invalid element type ({name})")
        self._echoes |= {kind: body[kind] for kind in self._echoes if body.get(kind) is not None}
        self._bitrate_bps = body.get("bitrate", self._bitrate_bps)
        answer = await self._negotiate(body, jsep) if jsep is not None else None
        for line in self._lines():
            self._set(line, keyframe=bool(body.get("keyframe")))
        return Answer({"echotest": "event", "result": "ok"}, answer)

    async def _negotiate(self, body: Json, jsep: Json) -> Json:
        if jsep.get("type") != "offer":
            raise PluginError(INVALID_SDP, "Only offers are taken")
        codecs = {kind: _first(body.get(f"{kind}codec"), known) for kind, known in CODECS.items()}
        peer = self._peer
        if peer is None:
            peer = self._peer = RoomPeer(ice=self._plugin.ice, name="echo")
            peer.on_up = self._link.webrtcup
            peer.on_gone = self._gone
        try:
            sdp = await peer.answer(str(jsep.get("sdp", "")), codecs, send_back=True)
        except XnbError as error:
            if not peer.received:
                self._peer = None
                await peer.close()
            raise PluginError(INVALID_SDP, f"Error parsing offer: {error.message}") from None
        for line in peer.received:
            if line.back and line.back.source is None:
                line.back.play(line.incoming)
        return {"type": "answer", "sdp": sdp}

    def _lines(self) -> list[ReceivedLine]:
        return self._peer.received if self._peer else []

    def _set(self, line: ReceivedLine, *, keyframe: bool) -> None:
        if line.back:
            line.back.pause(not self._echoes[line.kind])
        if line.kind == "video":
            line.incoming.limit_bitrate(self, self._bitrate_bps or None)
            if keyframe:
                line.incoming.request_keyframe()

    def _gone(self, reason: str) -> None:
        self._link.hangup(reason)
        self._plugin.soon(self)

    async def trickle(self, candidates: list[Json | None]) -> None:
        """Take candidates of the client."""
        for one in candidates:
            if self._peer and isinstance(one, dict) and isinstance(one.get("candidate"), str):
                await self._peer.add_candidate(one["candidate"], None, None)

    async def hangup(self) -> None:
        """The client hung up. May be called again."""
        peer, self._peer = self._peer, None
        if peer:
            self._link.event({"echotest": "event", "result": "done"})
            await peer.close()

    async def detach(self) -> None:
        """The handle is gone. May be called again."""
        self._plugin.forget(self)
        peer, self._peer = self._peer, None
        if peer:
            await peer.close()

    def info(self) -> Json:
        """What is echoed, and what came."""
        streams = [
            {
                "mid": line.mid,
                "type": line.kind,
                "codec": line.codec,
                "packets": line.count().packets,
            }
            for line in self._lines()
        ]
        return {"echo": dict(self._echoes), "bitrate": self._bitrate_bps, "streams": streams}


def _first(wanted: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(known, key=lambda name: name != wanted))
