"""Which pages are open, and which are gone without a word."""

from __future__ import annotations

import asyncio

from xnb.widgets import page_views
from xnb.widgets.page_views import GONE_S, PageViews


class Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def told(page: str, *, is_open: bool = True, visible: bool = True) -> dict[str, object]:
    return {"type": "view", "page": page, "open": is_open, "visible": visible}


def test_somebody_sees_it_while_one_page_is_seen() -> None:
    seen: list[bool] = []
    views = PageViews(seen.append, lambda _page: None)
    views.told(told("a", visible=False))
    views.told(told("b"))
    views.told(told("b", is_open=False))
    assert seen == [False, True, False]
    assert views.pages == ("a",)
    assert not views.is_seen


def test_a_page_that_went_without_a_word_is_let_go() -> None:
    time, seen, gone = Time(), [], []
    views = PageViews(seen.append, gone.append, time)
    views.told(told("closed"))
    views.told(told("open"))
    time.now_s += 20
    views.told(told("open"))
    views.look()
    assert gone == []
    time.now_s += GONE_S - 10
    views.look()
    assert gone == ["closed"]
    assert views.pages == ("open",)
    assert views.is_seen
    time.now_s += GONE_S
    views.look()
    assert gone == ["closed", "open"]
    assert seen[-1] is False


async def test_it_looks_by_itself_and_stops(monkeypatch) -> None:
    monkeypatch.setattr(page_views, "GONE_S", 0.1)
    gone: list[str] = []
    views = PageViews(lambda _seen: None, gone.append)
    views.told(told("closed"))
    async with asyncio.timeout(5):
        while not gone:
            await asyncio.sleep(0.02)
    assert views.pages == ()
    views.told(told("a"))
    views.close()
    views.close()
    await asyncio.sleep(0.3)
    assert gone == ["closed"]
