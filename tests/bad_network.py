"""A bad network between two peers of one test, made where packets leave."""

from __future__ import annotations

import asyncio
import random

from xnb.engine.peer import Peer


class BadNetwork:
    """Drops and delays what a connected peer sends, by a seeded chance.

    Args:
        peer: Connected already.
        loss: Share of packets to drop, 0 to 1.
        delay_s: Of all others.
    """

    def __init__(self, peer: Peer, loss: float = 0.0, delay_s: float = 0.0, seed: int = 7) -> None:
        self.loss = loss
        self.delay_s = delay_s
        self.sent = 0
        self.dropped: list[bytes] = []
        self._chance = random.Random(seed)
        path = peer.streams._path
        assert path is not None
        self._send_rtp, self._send_rtcp = path.send_rtp, path.send_rtcp
        path.send_rtp = self._rtp  # type: ignore[method-assign]
        path.send_rtcp = self._rtcp  # type: ignore[method-assign]

    def _rtp(self, packet: bytes) -> None:
        self.sent += 1
        if self._chance.random() < self.loss:
            self.dropped.append(packet)
        elif self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, self._send_rtp, packet)
        else:
            self._send_rtp(packet)

    def _rtcp(self, packet: bytes) -> None:
        if self._chance.random() >= self.loss:
            asyncio.get_running_loop().call_later(self.delay_s, self._send_rtcp, packet)
