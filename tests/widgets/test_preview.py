"""Thumbnails: small, paced, acknowledged, and none when nobody looks."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from xnb.events import ListenerHandle
from xnb.widgets import preview as module
from xnb.widgets.preview import Preview, thumbnail


class Camera:
    """Stands for the engine's outgoing video."""

    def __init__(self) -> None:
        self.listeners: list[Any] = []

    def on_frame(self, callback: Any) -> ListenerHandle:
        self.listeners.append(callback)
        return ListenerHandle(lambda: self.listeners.remove(callback))

    def shoot(self, frame: Any) -> None:
        for listener in self.listeners:
            listener(frame)


def picture(width: int = 640, height: int = 480) -> av.VideoFrame:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2] = (220, 30, 30)
    pixels[:, width // 2 :] = (30, 30, 220)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(s=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.s))
    return clock


@pytest.fixture
def sent() -> list[tuple[int, int, int, bytes]]:
    return []


@pytest.fixture
def camera() -> Camera:
    return Camera()


@pytest.fixture
def preview(camera: Camera, sent: list[tuple[int, int, int, bytes]], now: Any) -> Preview:
    preview = Preview(lambda *one: sent.append(one))
    preview.watch(camera)
    preview.visible = True
    return preview


def test_it_is_the_picture_but_small(preview: Preview, camera: Camera, sent: list[Any]) -> None:
    camera.shoot(picture())
    number, width, height, data = sent[0]
    assert (number, width, height) == (1, 200, 150)
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert image.shape == (150, 200, 3)
    assert abs(image[75, 40] - (220, 30, 30)).max() < 30
    assert abs(image[75, 160] - (30, 30, 220)).max() < 30
    assert len(data) < 20_000


def test_odd_and_tiny_pictures() -> None:
    for width, height in ((642, 480), (64, 48), (1920, 1080)):
        data, shown_width, shown_height = thumbnail(picture(width, height))
        assert Image.open(io.BytesIO(data)).size == (shown_width, shown_height)
        assert shown_width <= 200


def test_at_most_eight_in_a_second(
    preview: Preview, camera: Camera, sent: list[Any], now: SimpleNamespace
) -> None:
    frame = picture(64, 48)
    for _ in range(60):
        camera.shoot(frame)
        preview.acknowledge(len(sent))
        now.s += 1 / 30
    assert 14 <= len(sent) <= 17


def test_at_most_two_unanswered(
    preview: Preview, camera: Camera, sent: list[Any], now: SimpleNamespace
) -> None:
    frame = picture(64, 48)
    for _ in range(10):
        camera.shoot(frame)
        now.s += 0.15
    assert len(sent) == 2
    assert preview.skipped > 0
    preview.acknowledge(1)
    camera.shoot(frame)
    assert len(sent) == 3
    preview.acknowledge(999)
    assert preview._shown == 3


def test_a_page_that_is_gone_does_not_stop_it_for_good(
    preview: Preview, camera: Camera, sent: list[Any], now: SimpleNamespace
) -> None:
    frame = picture(64, 48)
    for _ in range(3):
        camera.shoot(frame)
        now.s += 0.2
    assert len(sent) == 2
    now.s += 2.5
    camera.shoot(frame)
    assert len(sent) == 3


def test_nothing_is_sent_while_nobody_looks_or_packets_pass(
    preview: Preview, camera: Camera, sent: list[Any]
) -> None:
    camera.shoot(av.Packet(b"encoded"))
    preview.visible = False
    assert camera.listeners == [], "a file that passes through is not decoded for nobody"
    camera.shoot(picture(64, 48))
    assert sent == []
    preview.visible = preview.visible = True
    assert len(camera.listeners) == 1
    other = Camera()
    preview.watch(other)
    assert (camera.listeners, len(other.listeners)) == ([], 1)
    preview.close()
    preview.close()
    assert other.listeners == []
