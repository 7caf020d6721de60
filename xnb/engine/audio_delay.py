"""How long sound should wait before it is played: as long as the network needs, no longer."""

from __future__ import annotations

from collections import deque

MIN_DELAY_S = 0.02
MAX_DELAY_S = 0.2
NACK_MAX_RTT_S = 0.1
"""With a longer round trip, waiting for a repetition costs more than it is worth."""

_BIN_S = 0.005
_BINS = 64
_LATE_SHARE = 0.02
"""Packets that may come later than the delay covers."""
_MEMORY = 1 / 500
"""How much one packet weighs: about 10 s of packets count."""
_FLOOR_S = 2.0
"""The earliest arrivals of two such stretches are what lateness is measured from."""
_LOSS_MEMORY = 1 / 250
_LOSS_ON = 0.006
_LOSS_HOLD_PACKETS = 1500
"""Half a minute without loss before the delay no longer allows for it."""
_TRY_TWICE_SHARE = 0.07
_TRY_TWICE_FEC_SHARE = 0.12
"""With more loss than this, a repetition that was lost too is waited for."""
_SPARE_S = 0.015
_MARGIN_S = 0.004
_NACK_TRIALS = 12
"""Losses without any repetition after which none is waited for."""


class DelayTarget:
    """One stream's jitter and loss, and the playout delay that follows from them.

    Lateness is how much later than the earliest of the last seconds a packet came, compared by
    its RTP timestamp. All times are in seconds on one monotonic clock.

    Attributes:
        loss_share: Share of packets that did not come at first, over the last seconds, 0 to 1.
        has_fec: Whether packets repeat the ones before them.
        packet_s: How long one packet sounds.
        target_s: The delay, 0.02 to 0.2: a packet this late can still be played.
    """

    def __init__(self) -> None:
        self.loss_share = 0.0
        self.has_fec = False
        self.packet_s = 0.02
        self.target_s = MIN_DELAY_S
        self._weights = [0.0] * _BINS
        self._total = 0.0
        self._grain = 1.0
        self._until_update = 0
        self._lossy_left = 0
        self._repeated: deque[float] = deque(maxlen=24)
        self._unanswered = 0
        self.rebase()

    def rebase(self) -> None:
        """Measure lateness anew from the next packet on, as after a pause or a restart."""
        self._floor_s = self._older_s = float("inf")
        self._floor_until_s = -float("inf")

    @property
    def base_s(self) -> float:
        """Arrival minus timestamp, in seconds, of the earliest packets."""
        return min(self._floor_s, self._older_s)

    def arrived(self, offset_s: float, now_s: float) -> float:
        """A packet came.

        Args:
            offset_s: Arrival minus timestamp.
            now_s: The arrival.

        Returns:
            Its lateness in seconds, 0 or more.
        """
        if now_s >= self._floor_until_s:
            self._older_s, self._floor_s = self._floor_s, offset_s
            self._floor_until_s = now_s + _FLOOR_S
        elif offset_s < self._floor_s:
            self._floor_s = offset_s
        return offset_s - (self._floor_s if self._floor_s < self._older_s else self._older_s)

    def measured(self, lateness_s: float, rtt_s: float | None) -> None:
        """Count the lateness of a packet that came by itself; updates the target now and then."""
        place = min(_BINS - 1, int(lateness_s / _BIN_S))
        self._weights[place] += self._grain
        self._total += self._grain
        self._grain *= 1 + _MEMORY
        self.loss_share -= self.loss_share * _LOSS_MEMORY
        self._lossy_left -= 1
        self._until_update -= 1
        if self._until_update <= 0 or lateness_s > self.target_s:
            self._until_update = 10
            self.update(rtt_s)

    def lost(self, rtt_s: float | None) -> None:
        """Count a packet that was not there when it was due."""
        self._add_loss()
        self._unanswered += 1
        self.update(rtt_s)

    def found(self) -> None:
        """Take back one :meth:`lost`: the packet came by itself, only later."""
        self.loss_share = max(0.0, self.loss_share - _LOSS_MEMORY)

    def repeated(self, lateness_s: float, rtt_s: float | None, *, counted: bool) -> None:
        """Count a packet that came because it was asked for.

        Args:
            lateness_s: As :meth:`arrived` gave it.
            rtt_s: The round trip, when known.
            counted: Whether :meth:`lost` counted it already: it came too late.
        """
        if not counted:
            self._add_loss()
        self._unanswered = 0
        self._repeated.append(lateness_s)
        self.update(rtt_s)

    def _add_loss(self) -> None:
        self.loss_share += (1 - self.loss_share) * _LOSS_MEMORY
        if self._lossy_left > 0 or self.loss_share > _LOSS_ON:
            self._lossy_left = _LOSS_HOLD_PACKETS

    def update(self, rtt_s: float | None) -> None:
        """Reckon the target anew."""
        if self._grain > 1e6:
            self._weights = [weight / self._grain for weight in self._weights]
            self._total /= self._grain
            self._grain = 1.0
        jitter_s = max(MIN_DELAY_S, self._jitter_s())
        target_s = jitter_s
        if self._lossy_left > 0:
            if rtt_s is not None and rtt_s <= NACK_MAX_RTT_S and self._unanswered < _NACK_TRIALS:
                target_s = max(target_s, self._repeat_s(rtt_s) + jitter_s - MIN_DELAY_S)
            elif self.has_fec:
                target_s = jitter_s + self.packet_s
        self.target_s = min(MAX_DELAY_S, target_s)

    def _jitter_s(self) -> float:
        """The lateness that all but a few packets stay under."""
        left = self._total * _LATE_SHARE
        for place in range(_BINS - 1, -1, -1):
            left -= self._weights[place]
            if left < 0:
                return (place + 1) * _BIN_S + _MARGIN_S
        return _BIN_S

    def _repeat_s(self, rtt_s: float) -> float:
        """How late repetitions come: the hole is seen with the next packet, then a round trip."""
        bound = _TRY_TWICE_FEC_SHARE if self.has_fec else _TRY_TWICE_SHARE
        twice = self.loss_share > bound
        if len(self._repeated) >= 4:
            share = 0.95 if twice else 0.75
            ordered = sorted(self._repeated)
            learned_s = ordered[int(share * (len(ordered) - 1))]
            return min(learned_s, self.packet_s + 3 * rtt_s) + _SPARE_S
        return self.packet_s + (2 if twice else 1) * rtt_s + _SPARE_S
