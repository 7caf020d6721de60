"""The picture of the test card, drawn in YUV, and the reading of its frame counter."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .frames import VideoFrame, from_planes, plane_array, to_rgb

COUNTER_BITS = 24
# Measures on a picture 640 pixels wide; other sizes are scaled.
_REFERENCE_WIDTH = 640
_CELL_WIDTH, _STRIP_HEIGHT = 24, 16
_BLACK, _WHITE = 16, 235
# Cells behind the counter, so that a picture without a strip is not taken for number 0.
_GUARD = (1, 0)
_DARKEST_WHITE, _BRIGHTEST_BLACK = 165, 90

# 75 % bars of Rec. ITU-R BT.471: white yellow cyan green magenta red blue, as BT.601 YUV.
_BARS = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)


class CardPainter:
    """Draws numbered frames of one size.

    Args:
        width: Even, at least 160 pixels.
        height: Even, at least 120 pixels.
        fps: For the clock in the picture.
        colour: Red, green and blue, 0 to 255, where there are bars otherwise.
    """

    def __init__(
        self, width: int, height: int, fps: float, colour: tuple[int, int, int] | None = None
    ) -> None:
        self.width, self.height, self.fps = width, height, fps
        self._colour = colour
        self._y, self._u, self._v = self._background()
        unit = min(width / 640, height / 480)
        self._clock_glyphs = _glyphs("0123456789:.", max(12, int(88 * unit)))
        self._frame_glyphs = _glyphs("0123456789 frame", max(8, int(30 * unit)))
        self._radius = max(4, int(18 * unit)) & ~1

    def draw(self, number: int) -> av.VideoFrame:
        """Frame ``number`` (0 and up), yuv420p. A fresh frame each time; about 0.3 ms."""
        frame = from_planes(self._y, self._u, self._v)
        luma = plane_array(frame, 0)
        self._strip(luma, number)
        seconds = number / self.fps
        text = f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}.{int(seconds * 10) % 10}"
        _write(luma, text, self._clock_glyphs, self.height * 36 // 100)
        _write(luma, f"frame {number}", self._frame_glyphs, self.height * 58 // 100)
        self._ball(frame, seconds)
        return frame

    def _background(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
        y = np.full((self.height, self.width), 40, np.uint8)
        u = np.full((self.height // 2, self.width // 2), 128, np.uint8)
        v = u.copy()
        bars = _BARS if self._colour is None else (_to_yuv(*self._colour),)
        for index, (luma, blue, red) in enumerate(bars):
            left = self.width * index // len(bars) & ~1
            right = self.width * (index + 1) // len(bars) & ~1
            if index == len(bars) - 1:
                right = self.width
            y[:, left:right] = luma
            u[:, left // 2 : right // 2] = blue
            v[:, left // 2 : right // 2] = red
        box = slice(self.height * 30 // 100 & ~1, self.height * 72 // 100 & ~1)
        half_box = slice(box.start // 2, box.stop // 2)
        y[box], u[half_box], v[half_box] = 28, 128, 128
        ramp = slice(self.height * 90 // 100 & ~1, self.height)
        y[ramp] = np.linspace(_BLACK, _WHITE, self.width).astype(np.uint8)
        u[ramp.start // 2 :], v[ramp.start // 2 :] = 128, 128
        strip = (_strip_height(self.width) + 1) // 2
        y[: strip * 2], u[:strip], v[:strip] = 110, 128, 128
        return y, u, v

    def _strip(self, luma: NDArray[np.uint8], number: int) -> None:
        bits = [number >> bit & 1 for bit in range(COUNTER_BITS)] + list(_GUARD)
        height = _strip_height(self.width)
        for index, bit in enumerate(bits):
            left, right = _cell(index, self.width)
            luma[:height, left:right] = _WHITE if bit else _BLACK

    def _ball(self, frame: av.VideoFrame, seconds: float) -> None:
        radius = self._radius
        travel = self.width - 2 * radius
        phase = seconds * 0.25 % 1.0
        left = int((1 - abs(2 * phase - 1)) * travel) & ~1
        top = self.height * 77 // 100 & ~1
        side = 2 * radius
        rows, columns = np.ogrid[-radius:radius, -radius:radius]
        disc = rows**2 + columns**2 < radius**2
        plane_array(frame, 0)[top : top + side, left : left + side][disc] = _WHITE
        for index in (1, 2):
            chroma = plane_array(frame, index)
            half = chroma[top // 2 : top // 2 + radius, left // 2 : left // 2 + radius]
            half[disc[::2, ::2]] = 128


def read_counter(picture: Any) -> int | None:
    """The frame number in the strip along the top of a test card picture.

    Works after scaling and lossy coding, as long as the whole width is in the picture.

    Args:
        picture: (height, width, 3) or (height, width) uint8, an ``av.VideoFrame`` or a
            :class:`~xnb.media.frames.VideoFrame`.

    Returns:
        0 to 2**24 - 1, or ``None`` when there is no readable strip.
    """
    if isinstance(picture, VideoFrame):
        picture = picture.image
    elif isinstance(picture, av.VideoFrame):
        picture = to_rgb(picture)
    image: NDArray[Any] = np.asarray(picture)
    height, width = image.shape[:2]
    strip = _strip_height(width)
    if width < _REFERENCE_WIDTH // 8 or height < strip:
        return None
    rows = image[strip // 4 : max(strip // 4 + 1, strip - strip // 4)]
    levels = rows.astype(np.float32).mean(axis=tuple(i for i in range(rows.ndim) if i != 1))
    number = 0
    for index in range(COUNTER_BITS + len(_GUARD)):
        left, right = _cell(index, width)
        margin = (right - left) // 4
        level = float(levels[left + margin : right - margin].mean())
        if _BRIGHTEST_BLACK < level < _DARKEST_WHITE:
            return None
        bit = level >= _DARKEST_WHITE
        if index < COUNTER_BITS:
            number |= bit << index
        elif bit != bool(_GUARD[index - COUNTER_BITS]):
            return None
    return number


def _to_yuv(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """Rec. ITU-R BT.601 with limited range, from 8-bit full-range RGB."""
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return (
        round(16 + 219 * luma / 255),
        round(128 + 224 * (blue - luma) / (1.772 * 255)),
        round(128 + 224 * (red - luma) / (1.402 * 255)),
    )


def _cell(index: int, width: int) -> tuple[int, int]:
    scale = width / _REFERENCE_WIDTH
    return round(index * _CELL_WIDTH * scale), round((index + 1) * _CELL_WIDTH * scale)


def _strip_height(width: int) -> int:
    return max(4, round(_STRIP_HEIGHT * width / _REFERENCE_WIDTH))


def _glyphs(characters: str, height: int) -> dict[str, NDArray[np.uint8]]:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=height)
    glyphs = {}
    for character in characters:
        advance = round(font.getlength("0" if character.isdigit() else character))
        image = Image.new("L", (max(1, advance), round(height * 1.2)), 28)
        ImageDraw.Draw(image).text((0, 0), character, fill=_WHITE, font=font)
        glyphs[character] = np.asarray(image)
    return glyphs


def _write(
    luma: NDArray[np.uint8], text: str, glyphs: dict[str, NDArray[np.uint8]], top: int
) -> None:
    line = np.hstack([glyphs[character] for character in text])
    height, width = line.shape
    left = max(0, (luma.shape[1] - width) // 2)
    target = luma[top : top + height, left : left + width]
    target[:] = line[: target.shape[0], : target.shape[1]]
