"""A TCP relay between a client and a server: a network that can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import ssl


class Relay:
    """Passes connections on to a port of 127.0.0.1.

    Args:
        target_port: That port.
        tls: What to be a TLS server with; the way on is without.

    Attributes:
        port: Where to connect to.
        connections: How many have been made so far.
    """

    def __init__(self, target_port: int, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.connections = 0
        self._target = target_port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._may_pass = asyncio.Event()
        self._may_pass.set()

    async def start(self) -> Relay:
        """Listen on a free port."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def cut(self) -> None:
        """Break all connections; new ones are still taken."""
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def down(self) -> None:
        """Break all connections and refuse new ones, until :meth:`start`."""
        if self._server is not None:
            self._server.close()
        await self.cut()

    def hold(self) -> None:
        """Let nothing through, without breaking anything, until :meth:`release`."""
        self._may_pass.clear()

    def release(self) -> None:
        """Let through what waited."""
        self._may_pass.set()

    async def close(self) -> None:
        """End it."""
        self.release()
        await self.down()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            mine = {writer, far_writer}
            self._writers |= mine
            try:
                await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))
            finally:
                self._writers -= mine
                for one in mine:
                    one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._may_pass.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                writer.close()
