"""Who gets what a page captures, when a call takes several things from pages."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import xnb
from xnb.media.browser import PageMedia
from xnb.widgets.page_devices import PageDevices

SOUND, PICTURE = object(), object()


class World:
    """A call that takes things from pages, and the one page ``p`` that it has."""

    def __init__(self, *sources: PageMedia, video: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self.call: Any = SimpleNamespace(
            playbacks=[],
            video_enabled=video,
            runner=SimpleNamespace(post=lambda fn, *args: fn(*args)),
            send_video=self.send,
            send_audio=self.send,
        )
        leg: Any = SimpleNamespace(audio_in=SOUND, video_in=PICTURE)
        self.devices = PageDevices(self.sent.append, lambda page: leg if page == "p" else None)
        for source in sources:
            self.send(source)

    def send(self, source: PageMedia) -> None:
        """As a call does, as far as pages are concerned."""
        self.call.playbacks.append(SimpleNamespace(source=source))
        source.on_change = lambda: None if source.kinds else source.close()

    def ask(self) -> dict[str, Any]:
        """What the page is asked for."""
        self.devices.ask(self.call, "p")
        return self.sent[-1]

    def page_says(self, **content: Any) -> None:
        """The page tells what it captures."""
        self.devices.heard(self.call, "p", content)


def test_each_source_is_asked_for_once_and_by_its_number() -> None:
    world = World(xnb.page_media(), xnb.page_media(screen=True, microphone=False))
    world.ask()
    world.ask()
    assert world.sent == [
        {
            "type": "capture",
            "page": "p",
            "request": 1,
            "wish": {"camera": True, "microphone": True, "screen": False},
        },
        {
            "type": "capture",
            "page": "p",
            "request": 2,
            "wish": {"camera": False, "microphone": False, "screen": True},
        },
    ]
    widget = SimpleNamespace(model_id="abc")
    assert World(PageMedia(widget=widget)).ask()["wish"] == {"model": "IPY_MODEL_abc"}


def test_the_screen_takes_the_picture_and_the_microphone_stays() -> None:
    first, screen = xnb.page_media(), xnb.page_media(screen=True, microphone=False)
    world = World(first)
    world.ask()
    world.page_says(camera=True, microphone=True)
    assert first.name == "camera and microphone"
    world.send(screen)
    world.ask()
    world.page_says(camera=True, microphone=True)  # before the screen was chosen
    assert first.kinds == {"audio", "video"}
    assert screen.kinds == set()
    world.page_says(camera=True, microphone=True, screen=True)
    assert (first.kinds, screen.kinds) == ({"audio"}, {"video"})
    assert (first.name, screen.name) == ("microphone", "screen")
    world.sent.clear()
    screen.close()
    assert world.sent == [{"type": "release", "page": "p", "kinds": ["video"]}]
    first.close()
    assert world.sent[-1]["kinds"] == ["audio", "video"]


def test_what_the_person_chooses_in_the_card_goes_to_the_source_there_is() -> None:
    media = xnb.page_media()
    world = World(media)
    world.ask()
    world.page_says(camera=True, microphone=True)
    track = media.video
    world.page_says(camera=True, microphone=True, screen=True)
    assert media.name == "screen and microphone"
    assert media.video is track, "nothing begins anew"
    world.page_says(camera=False, microphone=False)
    assert media.done
    world.page_says(camera=True, microphone=False)
    assert len(world.call.playbacks) == 2, "the button was clicked"


def test_a_refusal_ends_only_what_was_refused() -> None:
    first, screen = xnb.page_media(), xnb.page_media(screen=True)
    world = World(first)
    world.ask()
    world.page_says(camera=True, microphone=True)
    world.send(screen)
    request = world.ask()["request"]
    world.page_says(request=request, refused={"cause": "No screen.", "remedy": "Choose one."})
    assert str(screen.failure) == "No screen. Choose one."
    assert first.kinds == {"audio", "video"}


def test_a_call_without_video_wants_no_screen() -> None:
    screen = xnb.page_media(screen=True, microphone=False)
    world = World(screen, video=False)
    world.devices.ask(world.call, "p")
    assert world.sent == []
    with pytest.raises(xnb.MediaError, match=r"no video.*video=True"):
        raise screen.failure or AssertionError
