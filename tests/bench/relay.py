"""A bad network: a UDP relay between two sides, with loss, delay and jitter.

Side A is told the relay's port ``b`` as the far end's address, side B port ``a``: whatever A
sends comes in at one socket and leaves for B from the other. It runs as a process of its own, so
that its CPU time is nobody's. :class:`Relay` starts and steers it.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import select
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

_SIZE_BYTES = 1 << 21
_READ_AT_ONCE = 64


class Relay:
    """The relay as a context manager; perfect until :meth:`worsen`.

    Args:
        seed: Of the losses: the same packets of a stream are lost again.
    """

    def __init__(self, seed: int = 1) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports: list[int] = self._ask()["ports"]

    def _ask(self) -> dict[str, Any]:
        assert self._process.stdout
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def worsen(self, *, loss: float = 0.0, delay_s: float = 0.0, jitter_s: float = 0.0) -> None:
        """From now on lose and delay, each way.

        Args:
            loss: Share of packets, each on its own, 0 to 1.
            delay_s: For every packet.
            jitter_s: A random extra of up to this much; packets may overtake each other.
        """
        assert self._process.stdin
        self._process.stdin.write(
            json.dumps({"loss": loss, "delay_s": delay_s, "jitter_s": jitter_s}) + "\n"
        )
        self._process.stdin.flush()

    def close(self) -> dict[str, Any]:
        """Stop it. Gives how many packets came in and were lost, of A and of B."""
        assert self._process.stdin
        self._process.stdin.close()
        counts = self._ask()
        self._process.wait(5)
        return counts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(5)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()


def _serve(seed: int) -> None:
    rng = random.Random(seed)
    sockets = []
    for _ in range(2):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SIZE_BYTES)
        one.bind(("0.0.0.0", 0))
        one.setblocking(False)
        sockets.append(one)
    # A talks to its own socket, "a's far end"; port a is where B finds A.
    print(json.dumps({"ports": [one.getsockname()[1] for one in sockets]}), flush=True)
    network = {"loss": 0.0, "delay_s": 0.0, "jitter_s": 0.0}
    addresses: list[Any] = [None, None]
    counts = {"came": [0, 0], "lost": [0, 0]}
    waiting: list[tuple[float, int, int, bytes]] = []
    order = itertools.count()
    while True:
        now_s = time.monotonic()
        while waiting and waiting[0][0] <= now_s:
            _, _, side, data = heapq.heappop(waiting)
            if addresses[side]:
                try:
                    sockets[side].sendto(data, addresses[side])
                except OSError:
                    counts["lost"][side] += 1
        pause_s = max(0.0, waiting[0][0] - now_s) if waiting else 1.0
        ready, _, _ = select.select([*sockets, sys.stdin], [], [], pause_s)
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                break
            network.update(json.loads(line))
        for side, one in enumerate(sockets):
            if one not in ready:
                continue
            for _ in range(_READ_AT_ONCE):
                try:
                    data, addresses[side] = one.recvfrom(4096)
                except BlockingIOError:
                    break
                counts["came"][side] += 1
                if rng.random() < network["loss"]:
                    counts["lost"][side] += 1
                    continue
                late_s = network["delay_s"] + rng.random() * network["jitter_s"]
                heapq.heappush(waiting, (time.monotonic() + late_s, next(order), 1 - side, data))
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
