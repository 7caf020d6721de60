"""Runs first in the kernels of the notebooks under test: writes down what must never be saved.

Everything that is secret or media and passes through the kernel, as it really is in this run:
the server's address and token, tokens on their way, descriptions of connections, credentials of a
TURN server (one is planted in each connection), ids of calls, pieces of media packets, and
buffers of messages between kernel and page. Into ``planted.jsonl`` in XNB_RUN_FOLDER, one a line.

It is copied away and run as a script of IPython's start, so it imports nothing of the tests.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import secrets
import socket
import struct
import threading
from pathlib import Path
from typing import Any

PIECE_BYTES = 24
MOST_PIECES = 3000
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


class Planted:
    """The file; each value once."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "planted.jsonl").open("a", encoding="utf-8", buffering=1)
        self._known: set[tuple[str, str]] = set()
        self._pieces: dict[str, int] = {}
        self._lock = threading.Lock()

    def text(self, kind: str, value: Any) -> None:
        if value and (kind, str(value)) not in self._known:
            self._known.add((kind, str(value)))
            self._write({"kind": kind, "text": str(value)})

    def piece(self, kind: str, data: Any) -> None:
        """Some bytes out of the middle of media data, unlike any others."""
        middle = bytes(data)[40:]
        piece = middle[len(middle) // 2 :][:PIECE_BYTES]
        if len(set(piece)) < PIECE_BYTES * 2 // 3 or self._pieces.get(kind, 0) >= MOST_PIECES:
            return
        self._pieces[kind] = self._pieces.get(kind, 0) + 1
        self._write({"kind": kind, "bytes": base64.b64encode(piece).decode()})

    def _write(self, line: dict[str, str]) -> None:
        with self._lock:
            self._file.write(json.dumps(line) + "\n")


def after(owner: Any, name: str, look: Any) -> None:
    """Call ``look(self, args, kwargs)`` after each call of a method that returned."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def both(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        look(self, args, kwargs)
        return result

    setattr(owner, name, both)


def after_awaited(owner: Any, name: str, look: Any) -> None:
    """The same for a coroutine method."""
    method = getattr(owner, name)

    @functools.wraps(method)
    async def both(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = await method(self, *args, **kwargs)
        look(self, args, kwargs)
        return result

    setattr(owner, name, both)


def refusing_turn_server() -> int:
    """The port of a TURN server that asks for credentials (401) and then refuses (403)."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)

    def serve() -> None:
        while True:
            data, sender = server.recvfrom(2000)
            signed = b"planted.example" in data
            body = attribute(0x0009, b"\0\0\4\3Forbidden" if signed else b"\0\0\4\1Unauthorized")
            if not signed:
                body += attribute(0x0014, b"planted.example") + attribute(0x0015, b"planted-nonce")
            # An error response to Allocate (RFC 8656 section 18.1).
            server.sendto(struct.pack("!HH", 0x0113, len(body)) + data[4:20] + body, sender)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def plant(folder: Path) -> None:
    """Put the ears on. What they hear is left as it is."""
    import aiohttp
    import ipywidgets
    from aiortc import RTCIceServer, RTCPeerConnection
    from comm.base_comm import BaseComm

    from xnb.calls import Call
    from xnb.engine.receive import Incoming
    from xnb.launch import ServerAddress

    planted = Planted(folder)

    def address(server: Any, *_: Any) -> None:
        planted.text("server", server.url)
        planted.text("server token", server.token)

    after(ServerAddress, "__init__", address)

    def request(_session: Any, args: Any, kwargs: Any) -> None:
        for token in TOKEN.findall(f"{args} {kwargs}"):
            planted.text("token", token)
        planted.text("header", dict(kwargs.get("headers") or {}).get("authorization"))

    after_awaited(aiohttp.ClientSession, "_request", request)

    def description(pc: Any, *_: Any) -> None:
        for one in (pc.localDescription, pc.remoteDescription):
            planted.text("sdp", one.sdp if one else "")

    for name in ("setLocalDescription", "setRemoteDescription"):
        after_awaited(RTCPeerConnection, name, description)

    port = refusing_turn_server()
    make = RTCPeerConnection.__init__

    def make_with_turn(pc: Any, configuration: Any = None) -> None:
        if configuration is not None and not configuration.iceServers:
            user, password = f"user-{secrets.token_hex(8)}", secrets.token_hex(16)
            configuration.iceServers = [RTCIceServer(f"turn:127.0.0.1:{port}", user, password)]
            planted.text("turn", user)
            planted.text("turn", password)
            planted.text("turn", f"127.0.0.1:{port}")
        make(pc, configuration)

    RTCPeerConnection.__init__ = make_with_turn

    after(Call, "_emit", lambda call, *_: planted.text("call", call.broadcast_id))

    def packet(incoming: Any, args: Any, _kwargs: Any) -> None:
        planted.piece(f"{incoming.kind} packet", args[0].payload)

    after(Incoming, "_take", packet)

    def buffers(kind: str, found: Any) -> None:
        for buffer in found or ():
            planted.piece(kind, buffer)

    def sent(_widget: Any, args: Any, kwargs: Any) -> None:
        buffers("sent buffer", kwargs.get("buffers") or (args[1] if len(args) > 1 else None))

    after(ipywidgets.Widget, "send", sent)
    after(
        BaseComm, "handle_msg", lambda _, args, __: buffers("page buffer", args[0].get("buffers"))
    )


if folder_name := os.environ.get("XNB_RUN_FOLDER"):
    plant(Path(folder_name))
for _name in ("plant", "after", "after_awaited", "refusing_turn_server", "Planted", "folder_name"):
    globals().pop(_name, None)
