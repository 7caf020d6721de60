"""The card of a call that is over as one PNG, for places that show nothing but pictures."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from . import summary_charts as charts
from .summary_facts import CallFacts, length_words, place_on_strip, strip_edges

WIDTH_PX = 640
MAX_BYTES = 120_000
"""A larger card is drawn without the picture."""
_SCALE = 2
_PAD = 16
_INK, _SOFT, _GROUND, _LINE = "#1f2329", "#59626e", "#ffffff", "#d0d5dc"
_FILL = "#d3e4f6"
_MAX_LINES = 6
_MAX_FILES = 8
_MAX_HEIGHT_PX = 900
_MOST_COLORS = 256
_SHARES = (0.2, 0.4, 0.6, 0.8)


def summary_png(facts: CallFacts) -> bytes:
    """Picture, words, figures and timeline of a call, 640 pixels wide, on white."""
    data = _Card(facts).png()
    if len(data) > MAX_BYTES and facts.picture is not None:
        data = _Card(dataclasses.replace(facts, picture=None)).png()
    return data


class _Card:
    """Draws at twice the size and shrinks it, which makes all edges smooth."""

    def __init__(self, facts: CallFacts) -> None:
        self.facts = facts
        self.image = Image.new("RGB", (WIDTH_PX * _SCALE, _MAX_HEIGHT_PX * _SCALE), _GROUND)
        self.draw = ImageDraw.Draw(self.image)
        self.left = 0.0
        self.portrait = (0.0, 0.0, 0.0, 0.0)

    def png(self) -> bytes:
        self._text(_PAD, 11, self.facts.title, 13, bold=True)
        title_px = self._width(self.facts.title, 13, bold=True)
        self._text(_PAD + title_px + 12, 11, self.facts.state_label, 13, _SOFT)
        self._line(38)
        bottom = max(self._portrait(52), self._words(52))
        bottom = self._strip(bottom + 12)
        for file in self.facts.files[:_MAX_FILES]:
            self._text(_PAD, bottom, f"Recorded to {file.name}", 12, _SOFT)
            bottom += 18
        return self._finish(min(bottom + 10, _MAX_HEIGHT_PX))

    def _portrait(self, top: float) -> float:
        picture = self.facts.picture
        if picture is None:
            self._ellipse(_PAD, top, charts.FACE_PX, charts.FACE_COLOR)
            letter = self.facts.initial
            middle = _PAD + 22 - self._width(letter, 19, bold=True) / 2
            self._text(middle, top + 10, letter, 19, "#ffffff", bold=True)
            self.left = _PAD + 58.0
            return top + 44
        image = Image.open(io.BytesIO(picture.jpeg), formats=("JPEG",))
        width = min(208, picture.width)
        height = round(picture.height * width / picture.width)
        small = image.convert("RGB").resize((width * _SCALE, height * _SCALE))
        self.image.paste(small, (_PAD * _SCALE, round(top * _SCALE)))
        self.left = _PAD + width + 14.0
        self.portrait = (_PAD, top, _PAD + width, top + height)
        return top + height

    def _words(self, top: float) -> float:
        at = top
        room = WIDTH_PX - _PAD - self.left
        for line in self._wrapped(self.facts.headline, 15, room, bold=True):
            self._text(self.left, at, line, 15, bold=True)
            at += 21
        lines = [part for line in self.facts.lines for part in self._wrapped(line, 13, room)]
        for line in lines[:_MAX_LINES]:
            self._text(self.left, at, line, 13, _SOFT)
            at += 18
        at += 8
        for figure in self.facts.figures:
            self._text(self.left, at + 4, figure.label, 12)
            self._curve(figure, self.left + 62, at)
            self._text(self.left + 62 + charts.CURVE_WIDTH_PX + 10, at + 4, figure.text, 12)
            at += 30
        return at

    def _curve(self, figure: Any, left: float, top: float) -> None:
        height = charts.CURVE_HEIGHT_PX
        points = [
            ((left + x) * _SCALE, (top + y) * _SCALE)
            for x, y in charts.curve_points(figure, charts.CURVE_WIDTH_PX, height)
        ]
        base = (top + height - 1) * _SCALE
        self.draw.polygon([(points[0][0], base), *points, (points[-1][0], base)], fill=_FILL)
        self.draw.line(points, fill=charts.CURVE_COLOR, width=_SCALE + 1, joint="curve")

    def _strip(self, top: float) -> float:
        facts = self.facts
        if not facts.spans:
            return top
        width = WIDTH_PX - 2 * _PAD
        edges = strip_edges(facts.spans, width, charts.LEAST_SPAN_PX)
        for span, left, right in zip(facts.spans, edges, edges[1:], strict=False):
            end = max(left + 1, right - 1)
            self._box(_PAD + left, top, _PAD + end, top + 12, charts.state_color(span.state))
        for start_s, end_s in facts.recorded:
            left = place_on_strip(facts.spans, edges, start_s)
            right = max(left + 2, place_on_strip(facts.spans, edges, end_s))
            self._box(_PAD + left, top + 14, _PAD + right, top + 16, charts.RECORDED_COLOR)
        return self._legend(top + 21)

    def _legend(self, top: float) -> float:
        facts = self.facts
        entries = [
            (charts.state_color(span.state), f"{span.text} {length_words(span.length_s)}")
            for span in facts.spans
        ]
        if facts.recorded:
            length_s = sum(end_s - start_s for start_s, end_s in facts.recorded)
            entries.append((charts.RECORDED_COLOR, f"recorded {length_words(length_s)}"))
        left = float(_PAD)
        for color, text in entries:
            need = 14 + self._width(text, 12) + 14
            if left > _PAD and left + need > WIDTH_PX - _PAD:
                left, top = float(_PAD), top + 18
            self._box(left, top + 4, left + 9, top + 13, color)
            self._text(left + 14, top, text, 12)
            left += need
        return top + 22

    # Strokes, in pixels of the finished card

    def _text(
        self, x: float, y: float, text: str, size: int, color: str = _INK, *, bold: bool = False
    ) -> None:
        where = (x * _SCALE, y * _SCALE)
        self.draw.text(where, text, fill=color, font=_font(size, bold=bold))

    def _width(self, text: str, size: int, *, bold: bool = False) -> float:
        return float(self.draw.textlength(text, font=_font(size, bold=bold))) / _SCALE

    def _wrapped(self, text: str, size: int, room: float, *, bold: bool = False) -> list[str]:
        lines, line = [], ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self._width(longer, size, bold=bold) > room:
                lines.append(line)
                line = word
            else:
                line = longer
        return [*lines, line] if line else lines

    def _box(self, left: float, top: float, right: float, bottom: float, color: str) -> None:
        edges = [round(edge * _SCALE) for edge in (left, top, right, bottom)]
        self.draw.rectangle((edges[0], edges[1], edges[2] - 1, edges[3] - 1), fill=color)

    def _ellipse(self, left: float, top: float, size: float, color: str) -> None:
        edges = (left, top, left + size, top + size)
        self.draw.ellipse(tuple(edge * _SCALE for edge in edges), fill=color)

    def _line(self, y: float) -> None:
        self._box(0, y, WIDTH_PX, y + 1, _LINE)

    def _finish(self, height: float) -> bytes:
        whole = self.image.crop((0, 0, WIDTH_PX * _SCALE, round(height) * _SCALE))
        frame = (0, 0, whole.width - 1, whole.height - 1)
        ImageDraw.Draw(whole).rectangle(frame, outline=_LINE, width=_SCALE)
        small = whole.resize((WIDTH_PX, round(height)), Image.Resampling.LANCZOS)
        data = io.BytesIO()
        few = small.quantize(palette=self._palette(), dither=Image.Dither.NONE)
        few.save(data, "PNG", compress_level=9)
        return data.getvalue()

    def _palette(self) -> Image.Image:
        """The colours of lines and words as they are, and the picture's most common ones."""
        inks = [
            _INK, _SOFT, _GROUND, _LINE, _FILL, charts.FACE_COLOR, charts.CURVE_COLOR,
            charts.RECORDED_COLOR, *charts.STATE_COLORS.values(),
        ]  # fmt: skip
        colors = [part for ink in inks for part in ImageColor.getrgb(ink)]
        # Between ink and ground, for smooth edges.
        for ink in (_INK, _SOFT, charts.CURVE_COLOR, charts.FACE_COLOR):
            for share in _SHARES:
                colors += [round(255 + (part - 255) * share) for part in ImageColor.getrgb(ink)]
        if self.facts.picture:
            left, top, right, bottom = (round(edge) for edge in self.portrait)
            room = _MOST_COLORS - len(colors) // 3
            portrait = self.image.crop(
                (left * _SCALE, top * _SCALE, right * _SCALE, bottom * _SCALE)
            ).quantize(room)
            colors += (portrait.getpalette() or [])[: 3 * room]
        palette = Image.new("P", (1, 1))
        palette.putpalette(colors)
        return palette


@cache
def _font(size: int, *, bold: bool = False) -> Any:
    """DejaVu Sans, which comes with matplotlib, at twice ``size`` pixels."""
    found = importlib.util.find_spec("matplotlib")
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    for place in (found.submodule_search_locations or ()) if found else ():
        path = Path(place) / "mpl-data" / "fonts" / "ttf" / name
        if path.is_file():
            return ImageFont.truetype(str(path), size * _SCALE)
    return ImageFont.load_default(size * _SCALE)
