"""Sources that have nothing to send at first: something must be opened, or say yes, before."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

from ..errors import MediaError
from .clock import Clock
from .pace import Pace
from .source import Source

_log = logging.getLogger(__name__)


class LateSource(Source):
    """A source whose tracks come later, and may come and go.

    Until they come, and when they are gone, a call sends what it sent before.

    Attributes:
        failure: Why nothing comes any more.
        on_change: Called when tracks came or went or :attr:`failure` was set, on whatever
            thread that happens.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.failure: MediaError | None = None
        self.on_change: Callable[[], None] | None = None

    def refuse(self, failure: MediaError) -> None:
        """Nothing comes any more, and why."""
        self.failure = self.error = failure
        self._changed()

    def _changed(self) -> None:
        if self.on_change:
            self.on_change()


class WrappingSource(LateSource):
    """A late source that shows another one, once that is there: its tracks, its place in time."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._inner: Source | None = None
        self._started = False
        self._clock: Clock | None = None

    def _adopt(self, inner: Source) -> None:
        """Take over what ``inner`` has; from now on it is closed with this one."""
        with self._lock:
            closing = self.done
            self._inner = inner
            self._show(inner)
        if closing:
            inner.close()
            return
        if self._started:
            inner.start(self._clock)
        inner.on_done(self._inner_done)
        self._changed()

    def _show(self, inner: Source) -> None:
        """Look like ``inner``."""
        self.audio, self.video = inner.audio, inner.video
        self.name, self.duration_s = inner.name, inner.duration_s

    def _inner_done(self) -> None:
        if self._inner:
            self.error = self._inner.error
        self._finish()

    def start(self, clock: Clock | None = None) -> None:
        """See :meth:`Source.start`."""
        with self._lock:
            if self._started:
                return
            self._started, self._clock = True, clock
        if self._inner:
            self._inner.start(clock)
        else:
            self._begin()

    @property
    def pace(self) -> Pace:
        """That of the source that is shown."""
        return self._opened("be read").pace

    @property
    def position_s(self) -> float:
        """See :attr:`Source.position_s`."""
        return self._inner.position_s if self._inner else 0.0

    @property
    def paused(self) -> bool:
        """See :attr:`Source.paused`."""
        return bool(self._inner and self._inner.paused)

    def pause(self) -> None:
        """See :meth:`Source.pause`."""
        self._opened("pause").pause()

    def resume(self) -> None:
        """See :meth:`Source.resume`."""
        self._opened("resume").resume()

    def seek(self, time_s: float) -> None:
        """See :meth:`Source.seek`."""
        self._opened("seek").seek(time_s)

    def _opened(self, what: str) -> Source:
        if self._inner is None:
            raise MediaError(
                f"{self.name} is not there yet, so it cannot {what}.",
                remedy="Wait until it is being sent.",
            )
        return self._inner

    def close(self) -> None:
        """See :meth:`Source.close`."""
        if self._inner:
            self._inner.close()
        self._finish()


class OpenedLater(WrappingSource):
    """A source that takes long to open: a device, a stream. A thread of its own opens it.

    Args:
        name: What people see until it is open.
        open_source: Opens it, on any thread; may block, within limits of its own.
        is_near: Whether opening is quick and shows what is in it, as with a file.
    """

    def __init__(
        self, name: str, open_source: Callable[[], Source], *, is_near: bool = False
    ) -> None:
        super().__init__(name)
        self.is_near = is_near
        self._open_source = open_source
        self._opening = threading.Lock()

    def open(self) -> None:
        """Open it now, blocking; does nothing when it is open already.

        Raises:
            MediaError: It cannot be opened.
        """
        with self._opening:
            if self._inner is None and not self.done:
                self._adopt(self._open_source())

    def _begin(self) -> None:
        threading.Thread(target=self._work, name="xnb-open", daemon=True).start()

    def _work(self) -> None:
        try:
            self.open()
        except MediaError as error:
            self.refuse(error)
        except Exception as error:
            # Its text may quote an address.
            _log.warning("%s could not be opened: %s.", self.name, type(error).__name__)
            self.refuse(MediaError(f"{self.name} could not be opened: {type(error).__name__}."))


async def open_near(source: Source | None) -> None:
    """Open a file that waits to be opened, and nothing else, so that its codecs are known.

    Raises:
        MediaError: It cannot be opened.
    """
    if isinstance(source, OpenedLater) and source.is_near:
        await asyncio.to_thread(source.open)
