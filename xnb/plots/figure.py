"""A matplotlib figure that shows itself in a notebook, on light and dark pages alike."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#808080"
"""Gray that can be read on white and on black."""
ACCENT = "#2f81d8"
"""Blue with enough contrast on white and on black."""


class InlineFigure(Figure):
    """A figure made without pyplot: no global state, safe on any thread."""

    def __init__(self, width_in: float, height_in: float, dpi: float = 100) -> None:
        super().__init__(figsize=(width_in, height_in), dpi=dpi, layout="constrained")
        FigureCanvasAgg(self)
        self.patch.set_alpha(0)

    def png(self, dpi: float | None = None) -> bytes:
        """The figure as PNG data with a transparent ground."""
        data = io.BytesIO()
        self.savefig(data, format="png", dpi=dpi or self.dpi, transparent=True)
        return data.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()


def plain_axes(figure: Figure) -> Any:
    """Axes with gray ink and no frame around them."""
    axes = figure.add_subplot()
    axes.patch.set_alpha(0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(INK)
    axes.tick_params(colors=INK, labelsize=8)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    axes.title.set_color(INK)
    return axes
