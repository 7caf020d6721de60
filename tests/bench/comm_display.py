"""A call over the notebook's own connection, without WebRTC: CPU of the kernel, pictures shown."""

from __future__ import annotations

import importlib.util
import statistics
import sys

from .harness import Missing, Options, Record, Target, figure, main
from .live_display import FPS, Way, shown_in_turn

_CARD = ".xnb-card:not(.xnb-door)"
_OURS = """
from xnb.widgets.call_widget import widget_for
widget = widget_for(call)
widget.transport = {path!r}
widget
"""
_THEIRS = "from tests.bench.image_views import {name}\n{name}(call)"
WAYS = {
    "comm": Way(_OURS.format(path="comm"), ".xnb-card video", _CARD),
    "jpeg": Way(_OURS.format(path="jpeg"), ".xnb-card video", _CARD),
    "ipywidgets.Image": Way(_THEIRS.format(name="ImageView"), ".bench-image", ".bench-image"),
    "jupyter_rfb": Way(
        _THEIRS.format(name="FrameBuffer"), ".renderview-wrapper img", ".renderview-wrapper img"
    ),
}


def measure(options: Options) -> list[Record]:
    """The same frames by our comm path, by ``ipywidgets.Image`` and by jupyter_rfb."""
    if importlib.util.find_spec("jupyter_rfb") is None:
        raise Missing("jupyter_rfb is not installed (pip install '.[bench]')")
    results = shown_in_turn(WAYS, options)

    def each(way: str, key: str) -> list[float]:
        return [one[key] for one in results[way]]

    def said(way: str) -> str:
        cpu, fps = (statistics.median(each(way, key)) for key in ("cpu_percent", "fps"))
        return f"{way} {cpu:.1f} % at {fps:.0f} pictures a second"

    records = [
        figure(
            f"comm path, kernel CPU against {rival}",
            "% of a core",
            each("comm", "cpu_percent"),
            each(rival, "cpu_percent"),
            Target(0.5),
            f"{said('comm')}; {said(rival)}; our JPEG path {said('jpeg')}",
        )
        for rival in ("ipywidgets.Image", "jupyter_rfb")
    ]
    return [
        *records,
        figure(
            "comm path, pictures shown",
            "1/s",
            each("comm", "fps"),
            each("jupyter_rfb", "fps"),
            Target(FPS * 0.97, of="ours", at_least=True),
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
