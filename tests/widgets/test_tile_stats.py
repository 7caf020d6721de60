"""The figures of one person: they come again after whatever went wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from xnb.widgets import tile_stats
from xnb.widgets.tile_stats import TileStats

from .fake_group import FakeGroup
from .pages import until


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tile_stats, "INTERVAL_S", 0.01)


async def test_figures_come_again_after_an_error_nobody_thought_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    person = FakeGroup("ann").participants[0]
    sent: list[dict[str, Any]] = []
    stats = TileStats(sent.append, lambda _key: person)
    person.stats_error = ValueError("not 10.1.2.3")  # type: ignore[assignment]
    stats.watch("p", "1")
    await until(lambda: len(sent) > 2)
    assert sent[-1]["figures"] == []
    assert "ValueError" in caplog.text
    assert "10.1.2.3" not in caplog.text
    person.stats_error = None
    await until(lambda: sent[-1]["figures"] != [])
    stats.close()


async def test_figures_come_again_when_a_page_asks_after_they_could_not_be_told() -> None:
    sent: list[dict[str, Any]] = []

    def send(content: dict[str, Any]) -> None:
        sent.append(content)
        if len(sent) == 1:
            raise RuntimeError("The comm is closed.")

    person = FakeGroup("ann").participants[0]
    stats = TileStats(send, lambda _key: person)
    stats.watch("p", "1")
    await until(lambda: len(sent) == 1)
    reading = stats._reading
    assert reading is not None
    await asyncio.wait([reading])
    assert isinstance(reading.exception(), RuntimeError)
    stats.watch("p", "1")
    await until(lambda: len(sent) > 2)
    stats.close()
