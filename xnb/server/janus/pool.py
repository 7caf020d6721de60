"""Several Janus servers that are looked after: which of them live, and whose turn it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import aiohttp

from ...errors import SettingsError, SfuError
from .endpoint import Endpoint
from .ring import Ring

if TYPE_CHECKING:
    from .process import JanusProcess

_log = logging.getLogger(__name__)
CHECK_S = 3.0
_PROBE_S = 2.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
_MAX_REPLY_BYTES = 256 * 1024


class Instance:
    """One Janus of a pool.

    Args:
        name: Its name on the ring.
        endpoint: Where it is; ``None`` for a private one that is started by us.
        process: The private one.

    Attributes:
        is_healthy: Whether it answered when it was asked last.
        endpoint: Where it is now.
    """

    def __init__(
        self, name: str, endpoint: Endpoint | None = None, process: JanusProcess | None = None
    ) -> None:
        self.name = name
        self.endpoint = endpoint
        self.process = process
        self.is_healthy = False

    def __repr__(self) -> str:
        kind = "remote" if self.process is None else "private"
        return f"Instance({kind}, {'healthy' if self.is_healthy else 'down'})"


class Pool:
    """Janus servers behind one hash ring.

    Each is asked every few seconds whether it is there; one that refuses, or is silent for 2 s,
    is left until it answers again. A private one that ended is started again.

    Args:
        instances: The servers; their names must differ.
        check_s: Pause between two checks, in seconds.

    Raises:
        SettingsError: There is none, or two have the same name.

    Example::

        pool = Pool([Instance("one", Endpoint("ws://127.0.0.1:8188"))])
        await pool.start()
        instance = pool.order("1abc")[0]
    """

    def __init__(self, instances: Sequence[Instance], *, check_s: float = CHECK_S) -> None:
        self._instances = {instance.name: instance for instance in instances}
        if not instances or len(self._instances) != len(instances):
            raise SettingsError(
                "The Janus servers are not all different, or there is none.",
                remedy="Name each one once.",
            )
        self._ring = Ring(self._instances)
        self._check_s = check_s
        self._http: aiohttp.ClientSession | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"Pool({', '.join(map(repr, self.instances))})"

    @property
    def instances(self) -> list[Instance]:
        """All of them."""
        return list(self._instances.values())

    async def start(self) -> None:
        """Start the private ones, look at all once, and go on looking.

        Raises:
            SfuError: A private one does not start. Remote ones may be down.
        """
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PROBE_S))
        try:
            for instance in self.instances:
                if instance.process is not None:
                    instance.endpoint = await instance.process.start()
        except BaseException:
            await self.close()
            raise
        await asyncio.gather(*(self._check(instance) for instance in self.instances))
        for instance in self.instances:
            if not instance.is_healthy:
                _log.warning("Janus %s does not answer yet", instance.name)
        self._tasks = [
            asyncio.create_task(self._look_after(instance), name="janus health")
            for instance in self.instances
        ]

    async def close(self) -> None:
        """Stop the private ones and look no more. May be called again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        http, self._http = self._http, None
        if http is not None:
            await http.close()
        processes = [i.process for i in self.instances if i.process is not None]
        await asyncio.gather(*(process.stop() for process in processes))

    def order(self, key: str) -> list[Instance]:
        """The healthy servers, best first.

        Raises:
            SfuError: None is healthy.
        """
        healthy = [self._instances[name] for name in self._ring.order(key)]
        healthy = [instance for instance in healthy if instance.is_healthy]
        if not healthy:
            raise SfuError(
                f"No group-call server answers ({len(self._instances)} configured).",
                remedy="Check that Janus runs where --janus points to, then try again.",
            )
        return healthy

    def named(self, name: str) -> Instance | None:
        """The server of that name, if there is one."""
        return self._instances.get(name)

    def failed(self, instance: Instance) -> None:
        """Note that a server did not answer; the next check looks again."""
        instance.is_healthy = False

    async def _look_after(self, instance: Instance) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            if instance.process is None:
                await asyncio.sleep(self._check_s)
            elif instance.process.is_running:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._check_s):
                        await instance.process.wait()
            if instance.process is not None and not instance.process.is_running:
                instance.is_healthy = False
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                await self._start_again(instance, instance.process)
            if await self._check(instance):
                pause_s = _FIRST_PAUSE_S

    async def _start_again(self, instance: Instance, process: JanusProcess) -> None:
        try:
            await process.stop()
            instance.endpoint = await process.start()
        except Exception as error:  # also no ports, processes or disk: perhaps there are soon
            _log.warning("Janus %s could not be started: %s", instance.name, type(error).__name__)
        else:
            _log.warning("a private Janus had ended and was started again")

    async def _check(self, instance: Instance) -> bool:
        was_healthy = instance.is_healthy
        instance.is_healthy = await self._answers(instance)
        if was_healthy and not instance.is_healthy:
            _log.warning("Janus %s does not answer", instance.name)
        elif instance.is_healthy and not was_healthy:
            _log.info("Janus %s answers", instance.name)
        return instance.is_healthy

    async def _answers(self, instance: Instance) -> bool:
        if instance.endpoint is None or self._http is None:
            return False
        url = instance.endpoint.url
        try:
            async with asyncio.timeout(_PROBE_S):
                if url.startswith("http"):
                    async with self._http.get(f"{url.rstrip('/')}/info") as reply:
                        info = await reply.json(content_type=None)
                else:
                    async with self._http.ws_connect(
                        url, protocols=("janus-protocol",), max_msg_size=_MAX_REPLY_BYTES
                    ) as socket:
                        await socket.send_json(
                            {"janus": "info", "transaction": secrets.token_hex(8)}
                        )
                        info = await socket.receive_json()
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError, ValueError):
            return False
        return isinstance(info, dict) and info.get("janus") == "server_info"
