"""Which layer of somebody's picture is worth its bits: by the tile it is shown in, and the path.

Pure logic: no clock, no network. One chooser belongs to one subscriber connection, so a slow
path to one participant changes nothing for the others, and nothing for other subscribers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from .errors import SettingsError

Layer = Literal["high", "low", "off"]
Wish = Literal["auto", "high", "low", "off"]
WISHES: tuple[Wish, ...] = ("auto", "high", "low", "off")
_ORDER: tuple[Layer, ...] = ("off", "low", "high")

LOW_TILE_PX, HIGH_TILE_PX = 200, 240
"""A tile up to the first height is served by the low layer (180 px), from the second on by the
high one; between them nothing changes, so that a tile that is being resized does not flicker."""
LOSSY, CLEAN = 0.1, 0.02
"""Shares of packets lost on the way, before repair: from the first on the path is bad, up to the
second it is good."""
OVERUSED = 0.9
"""The path is bad when the estimate is less than this share of what arrives: a queue grows."""
LITTLE_BPS = 100_000
"""From the low layer on, an estimate alone takes a picture away only below this, with sound some
40 kbps and a picture that is hardly one. Estimates come from delays, and a busy machine delays
packets as a narrow path does; what really does not fit gets lost, which counts as before."""
PATIENCE = {"high": 2, "low": 3}
"""So many bad readings in a row, a second each, take a picture down from that layer."""
FIRST_HOLD_S, LONGEST_HOLD_S = 6.0, 60.0
"""So long the path must be good before the next layer up is tried; twice as long after each try
that failed."""
FAILED_TRY_S = 10.0
"""A step down so soon after a step up was a try that failed."""
PROVEN_S = 30.0
"""A layer that lasted so long starts the holding time anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one second told of a subscriber's path.

    Args:
        loss: Share of packets lost on the way, before repair, 0 to 1.
        estimate_bps: What the path seems to take, ``None`` when unknown.
        received_bps: What arrived.
    """

    loss: float
    estimate_bps: int | None
    received_bps: float

    @property
    def is_bad(self) -> bool:
        """Whether the path does not carry what is sent."""
        overused = (
            self.estimate_bps is not None and self.estimate_bps < OVERUSED * self.received_bps
        )
        return self.loss >= LOSSY or overused

    @property
    def is_hopeless(self) -> bool:
        """Whether the path does not even carry the low layer."""
        little = self.estimate_bps is not None and self.estimate_bps < LITTLE_BPS
        return self.loss >= LOSSY or (self.is_bad and little)

    @property
    def is_good(self) -> bool:
        """Whether the path may carry more."""
        return self.loss <= CLEAN and not self.is_bad


class LayerChooser:
    """Chooses between a large picture, a small one and none.

    Somebody's explicit wish is kept whatever the path does. With ``"auto"`` the layer is the
    smaller of what the tile calls for and what the path carries: high, then low, then sound
    alone, and back one step at a time. A tile that is not shown calls for nothing, unless
    somebody reads the pictures all the same: a recording, or Python.

    Attributes:
        ceiling: The best layer that the path carries.
        is_read: Whether somebody reads them.

    Example:
        >>> chooser = LayerChooser()
        >>> chooser.tile_height_px = 120
        >>> chooser.layer({"high", "low"})
        'low'
    """

    def __init__(self) -> None:
        self.ceiling: Layer = "high"
        self.is_read = False
        self._wish: Wish = "auto"
        self._tile_height_px: int | None = None
        self._tile: Layer = "high"
        self._bad = 0
        self._good_since_s: float | None = None
        self._hold_s = FIRST_HOLD_S
        self._raised_s: float | None = None

    @property
    def wish(self) -> Wish:
        """``"auto"``, or the layer that is asked for."""
        return self._wish

    @wish.setter
    def wish(self, wish: Wish) -> None:
        if wish not in WISHES:
            raise SettingsError(
                f"There is no layer {wish!r}.", remedy=f"Use one of {', '.join(WISHES)}."
            )
        self._wish = wish

    @property
    def tile_height_px(self) -> int | None:
        """How high the tile is; 0 while it is not shown at all, ``None`` when nobody says."""
        return self._tile_height_px

    @tile_height_px.setter
    def tile_height_px(self, height_px: int | None) -> None:
        if height_px is not None and height_px < 0:
            raise SettingsError(
                f"A tile of {height_px} px cannot be.", remedy="Give 0 for one that is not shown."
            )
        self._tile_height_px = height_px
        if height_px is None or height_px >= HIGH_TILE_PX:
            self._tile = "high"
        elif height_px == 0:
            self._tile = "off"
        elif height_px <= LOW_TILE_PX or self._tile == "off":
            self._tile = "low"

    def layer(self, available: Collection[str]) -> Layer:
        """The layer to have now.

        Args:
            available: ``"high"``, ``"low"``, both or none, as the participant sends them. With
                one of them missing the other stands in for it, except that a path that carries
                only the low layer gets no high one.
        """
        shown: Layer = "high" if self._tile == "off" and self.is_read else self._tile
        wanted: Layer = shown if self._wish == "auto" else self._wish
        if wanted == "off" or not available:
            return "off"
        if self._wish == "auto":
            wanted = min(wanted, self.ceiling, key=_ORDER.index)
            if wanted == "low" and "low" not in available and self.ceiling != "high":
                return "off"
        if wanted == "off" or wanted in available:
            return wanted
        return "high" if "high" in available else "low"

    def read(self, reading: Reading, now_s: float) -> None:
        """Take a reading of the path, once a second.

        Args:
            reading: Of the last second.
            now_s: Monotonic.
        """
        if reading.is_hopeless if self.ceiling == "low" else reading.is_bad:
            self._good_since_s = None
            self._bad += 1
            if self._bad >= PATIENCE.get(self.ceiling, 1):
                self._lower(now_s)
            return
        self._bad = 0
        if not reading.is_good:
            self._good_since_s = None
            return
        if self._good_since_s is None:
            self._good_since_s = now_s
        if self._raised_s is not None and now_s - self._raised_s >= PROVEN_S:
            self._hold_s, self._raised_s = FIRST_HOLD_S, None
        if self.ceiling != "high" and now_s - self._good_since_s >= self._hold_s:
            self._raise(now_s)

    def restart(self) -> None:
        """There is another path now: nothing is known of it."""
        self.ceiling = "high"
        self._bad = 0
        self._good_since_s = self._raised_s = None
        self._hold_s = FIRST_HOLD_S

    def _lower(self, now_s: float) -> None:
        self._bad = 0
        if self.ceiling == "off":
            return
        self.ceiling = _ORDER[_ORDER.index(self.ceiling) - 1]
        if self._raised_s is not None and now_s - self._raised_s < FAILED_TRY_S:
            self._hold_s = min(LONGEST_HOLD_S, self._hold_s * 2)
        self._raised_s = None

    def _raise(self, now_s: float) -> None:
        self.ceiling = _ORDER[_ORDER.index(self.ceiling) + 1]
        self._good_since_s, self._raised_s = now_s, now_s
