"""The drawings of a summary as SVG: a strip of states and small curves.

They are shown as images, whose text nobody sanitizes away; colours are such as can be seen on
white and on black. Words stand beside them as text.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from .summary_facts import CallFacts, Figure, place_on_strip, strip_edges

STATE_COLORS = {
    "signaling": "#8b96a5",
    "ringing": "#d99a1c",
    "connecting": "#8579e6",
    "connected": "#2f9e68",
    "reconnecting": "#e0672f",
}
OTHER_COLOR = "#8b96a5"
RECORDED_COLOR = "#d64545"
CURVE_COLOR = "#2f81d8"
FACE_COLOR = "#5c6b7a"

STRIP_WIDTH_PX, STRIP_HEIGHT_PX = 600, 16
LEAST_SPAN_PX = 14
CURVE_WIDTH_PX, CURVE_HEIGHT_PX = 120, 24
FACE_PX = 44
MAX_CURVE_POINTS = 160

Points = Sequence[tuple[float, float]]


def state_color(state: str) -> str:
    """The colour of one state, as ``#rrggbb``."""
    return STATE_COLORS.get(state, OTHER_COLOR)


def strip_svg(facts: CallFacts) -> str:
    """The states one after the other as a bar, with a red line below while it was recorded."""
    width, bar = STRIP_WIDTH_PX, STRIP_HEIGHT_PX - 4
    edges = strip_edges(facts.spans, width, LEAST_SPAN_PX)
    shapes = [
        f'<rect x="{left:.1f}" width="{max(1.0, right - left - 1):.1f}" height="{bar}" rx="2"'
        f' fill="{state_color(span.state)}"/>'
        for span, left, right in zip(facts.spans, edges, edges[1:], strict=False)
    ]
    for start_s, end_s in facts.recorded:
        left = place_on_strip(facts.spans, edges, start_s)
        right = place_on_strip(facts.spans, edges, end_s)
        shapes.append(
            f'<rect x="{left:.1f}" y="{bar + 2}" width="{max(2.0, right - left):.1f}" height="2"'
            f' fill="{RECORDED_COLOR}"/>'
        )
    return _svg(width, STRIP_HEIGHT_PX, "".join(shapes), stretch=True)


def face_svg(letter: str) -> str:
    """A letter on a disk, for a far end that has shown no picture."""
    middle = FACE_PX / 2
    return _svg(
        FACE_PX,
        FACE_PX,
        f'<circle cx="{middle}" cy="{middle}" r="{middle}" fill="{FACE_COLOR}"/>'
        f'<text x="{middle}" y="29" text-anchor="middle" fill="#fff" font-size="19"'
        f' font-weight="600" font-family="system-ui,sans-serif">{escape(letter)}</text>',
    )


def curve_svg(figure: Figure) -> str:
    """One figure over the call as a curve with a filled ground."""
    points = curve_points(figure, CURVE_WIDTH_PX, CURVE_HEIGHT_PX)
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    base = CURVE_HEIGHT_PX - 1
    return _svg(
        CURVE_WIDTH_PX,
        CURVE_HEIGHT_PX,
        f'<polygon points="{points[0][0]:.1f},{base} {line} {points[-1][0]:.1f},{base}"'
        f' fill="{CURVE_COLOR}" fill-opacity=".22"/>'
        f'<polyline points="{line}" fill="none" stroke="{CURVE_COLOR}" stroke-width="1.5"'
        ' stroke-linejoin="round"/>',
    )


def curve_points(figure: Figure, width_px: float, height_px: float) -> list[tuple[float, float]]:
    """Where a figure's curve goes on a ground of that size; zero is at the bottom."""
    points = _thinned(figure.points)
    first_s, span_s = points[0][0], (points[-1][0] - points[0][0]) or 1.0
    highest = max(value for _, value in points) or 1.0
    inside = height_px - 3
    return [
        (
            (time_s - first_s) / span_s * width_px,
            1.5 + inside * (1 - max(0.0, value) / highest),
        )
        for time_s, value in points
    ]


def _thinned(points: Points) -> Points:
    """No more points than can be told apart; of neighbours the highest, so that peaks stay."""
    group = -(-len(points) // MAX_CURVE_POINTS)
    if group <= 1:
        return points
    return [
        max(points[at : at + group], key=lambda point: point[1])
        for at in range(0, len(points), group)
    ]


def image(svg: str, alt: str, attributes: str) -> str:
    """An ``<img>`` of a drawing.

    Args:
        svg: The drawing.
        alt: What it says, for those who do not see it; escaped here.
        attributes: Further attributes, as HTML.
    """
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}" {attributes}>'


def _svg(width: int, height: int, shapes: str, *, stretch: bool = False) -> str:
    aspect = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"{aspect}>{shapes}</svg>'
    )
