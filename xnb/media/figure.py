"""A matplotlib figure as a picture that moves: drawn anew a few times a second."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import MediaError
from .push import PushSource, PushTrack, convert_picture

_log = logging.getLogger(__name__)

# A figure that is changed while it is drawn fails now and then; one that never can be drawn ends.
_MAX_FAILURES = 20
# Whoever else draws the figure clears its mark of change, too.
_DRAW_AT_LEAST_S = 1.0


class FigureSource(PushSource):
    """Made by :func:`figure`.

    Attributes:
        failures: How often drawing failed because the figure was being changed.
    """

    def __init__(self, fig: Any, fps: float) -> None:
        self._figure = fig
        self._lock_drawing = threading.RLock()
        self._picture: Any = None
        self._drawn_s = 0.0
        self._failed_in_a_row = 0
        self.failures = 0
        track = PushTrack("video", self._pictures(), convert_picture, 1 / fps)
        super().__init__("figure", video=track)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the figure from being drawn while you change it, so that no picture is half done.

        Example:
            >>> with source.hold():
            ...     line.set_data(x, y)
            ...     axes.relim()
        """
        with self._lock_drawing:
            yield

    def _pictures(self) -> Iterator[Any]:
        while True:
            with self._lock_drawing:
                picture = self._draw()
            yield picture

    def _draw(self) -> Any:
        """The figure as it is now; the picture before, if it did not change or is being changed."""
        now_s = time.monotonic()
        is_fresh = now_s - self._drawn_s < _DRAW_AT_LEAST_S and not self._figure.stale
        if self._picture is not None and is_fresh:
            return self._picture
        self._drawn_s = now_s
        from matplotlib.backends.backend_agg import RendererAgg

        try:
            # A renderer of our own: the figure keeps its canvas, and so its place in pyplot.
            dpi = self._figure.dpi
            width, height = (self._figure.get_size_inches() * dpi).round()
            renderer: Any = RendererAgg(max(2, int(width)), max(2, int(height)), dpi)  # type: ignore[no-untyped-call,unused-ignore]
            self._figure.draw(renderer)
            self._picture = np.array(renderer.buffer_rgba())[:, :, :3]
            self._failed_in_a_row = 0
        except Exception as error:
            self.failures += 1
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= _MAX_FAILURES:
                raise MediaError(
                    f"The figure cannot be drawn: {type(error).__name__}: {error}.",
                    remedy="Try fig.savefig(...); change the figure inside 'with source.hold():'.",
                ) from error
            _log.debug("A figure was being changed while it was drawn.")
        return self._picture


def figure(fig: Any, *, fps: float = 5) -> FigureSource:
    """A live plot: sends a matplotlib figure, and what you draw into it from now on.

    It is drawn with Agg on a thread of its own, at the figure's own size (``figsize * dpi``), when
    something in it changed, or a second has passed. The figure's canvas and its place in pyplot
    stay as they are. Change it as ever: ``line.set_data(...)``, ``axes.plot(...)``. Matplotlib
    knows no locks, so a picture may show half of a change, and drawing may fail while axes are
    added or removed; then the picture before is sent again and ``failures`` counts it. Whoever
    wants neither changes the figure inside ``with source.hold():``.

    Args:
        fig: A ``matplotlib.figure.Figure``.
        fps: How often to look for changes, 1 to 30. Drawing takes about 30 ms of a core.

    Raises:
        MediaError: This is no figure, or ``fps`` is out of range.

    Example:
        >>> fig, axes = plt.subplots()
        >>> playback = call.send_video(fig)
        >>> axes.plot(np.random.randn(100).cumsum())
    """
    slowest, fastest = 1, 30
    if not slowest <= fps <= fastest:
        raise MediaError(f"fps is {fps!r}.", remedy=f"Use {slowest} to {fastest}.")
    if not (hasattr(fig, "draw") and hasattr(fig, "get_size_inches")):
        raise MediaError(
            f"{type(fig).__name__} is no figure.", remedy="Give a figure; of axes, axes.figure."
        )
    return FigureSource(fig, fps)
