"""How tall each person of a group is drawn, over all pages that show the call."""

from __future__ import annotations

from typing import Any

MAX_HEIGHT_PX = 4320


class TileSizes:
    """The heights of tiles as pages report them, in pixels of the screen.

    A page says for each person how tall the picture is drawn, 0 for a tile that is not seen.
    """

    def __init__(self) -> None:
        self._pages: dict[str, dict[str, int]] = {}

    def told(self, page: str, heights: Any) -> None:
        """A page's report; it replaces the page's earlier one.

        Args:
            page: The page's own random name.
            heights: Heights in pixels by the person's key.
        """
        if not isinstance(heights, dict):
            return
        self._pages[page] = {
            str(key): min(MAX_HEIGHT_PX, max(0, int(value)))
            for key, value in heights.items()
            if isinstance(value, int | float)
        }

    def forget(self, page: str) -> None:
        """The page shows the call no more. May be called again."""
        self._pages.pop(page, None)

    def height_px(self, key: str) -> int | None:
        """The tallest tile of a person in any page; ``None`` while no page has said anything."""
        said = [heights[key] for heights in self._pages.values() if key in heights]
        return max(said, default=None)
