"""The card of a group call in the page."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator

from .lab import Card

_BAND = """(video) => {
    const canvas = new OffscreenCanvas(64, 48);
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 64, 48);
    const { data } = context.getImageData(0, 5, 64, 7);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c];
    return sum.map((one) => (4 * one) / data.length);
}"""
_PRESENTED = "(video) => video.getVideoPlaybackQuality().totalVideoFrames"


class GroupCard(Card):
    """The card of a group; a tile is found by the name on it."""

    def tile(self, name: str) -> Locator:
        """Somebody's tile; our own is ``"You"``."""
        named = self.root.page.locator(".xnb-tile-name").get_by_text(name, exact=True)
        return self.root.locator(".xnb-tile").filter(has=named)

    async def names(self) -> list[str]:
        """The names on the tiles that are seen, in order of their places, ours without."""
        found: list[str] = await self.root.evaluate(
            """(card) => [...card.querySelectorAll(".xnb-tile[data-key]")]
                .filter((tile) => !tile.hidden)
                .map((tile) => tile.querySelector(".xnb-tile-name").textContent)"""
        )
        return found

    async def wait_picture(self, name: str, timeout_s: float = 30) -> None:
        """Wait until somebody's tile shows a picture."""
        shown = self.root.page.locator('.xnb-tile[data-picture="true"]')
        await self.tile(name).and_(shown).wait_for(timeout=timeout_s * 1000)

    async def colour(self, name: str) -> tuple[int, ...]:
        """The mean colour of the band near the top of somebody's picture, 0 to 255."""
        band: list[float] = await self.tile(name).locator("video").first.evaluate(_BAND)
        return tuple(round(one) for one in band)

    async def pictures(self, name: str) -> int:
        """How many pictures of somebody were presented so far."""
        count: int = await self.tile(name).locator("video").first.evaluate(_PRESENTED)
        return count

    async def heard(self, name: str, seconds: float = 1.0) -> tuple[float, float]:
        """Root mean square and strongest frequency (Hz) of what somebody's tile plays."""
        self.video = self.tile(name).locator("video").first
        return await self.sound(seconds)

    async def size(self, name: str = "") -> tuple[int, int]:  # type: ignore[override]
        """Width and height of somebody's tile in CSS pixels."""
        box: dict[str, Any] | None = await self.tile(name).bounding_box()  # type: ignore[assignment]
        assert box is not None, name
        return round(box["width"]), round(box["height"])

    async def open_menu(self, name: str) -> Locator:
        """Open the box of somebody's tile."""
        await self.tile(name).locator(".xnb-tile-more").click()
        box = self.tile(name).locator(".xnb-tile-menu")
        await box.wait_for()
        return box
