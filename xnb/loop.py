"""Where the engine runs, and the only place where a thread is crossed.

A :class:`Runner` is one event loop that owns a client's calls. With ``loop="auto"`` that is the
loop already running (a notebook's kernel loop, an asyncio program's own); in a plain script,
where none runs, and with ``loop="thread"`` it is a loop on a thread of its own.

The naming rule of the public API, said once: **every coroutine method ``name`` has a blocking
twin ``name_now``**, and ``wait`` is the blocking twin of ``until``. The twins work in thread
mode and in plain Python; on the engine's own loop they raise :class:`~xnb.errors.LoopError`
unless :func:`allow_nested_wait` was called.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from .errors import LoopError
from .settings import LoopMode

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_HANDOVER_TIMEOUT_S = 10.0
_SWITCH_INTERVAL_S = 0.0005


class _QuickSwitching:
    """Lets an engine's thread have the interpreter soon while another thread computes.

    Every read, decryption and write of a packet gives the interpreter lock away and asks for it
    back. Beside a pure-Python loop each asking takes one switch interval, by default 5 ms, so a
    packet costs 25 ms and a call that gets 150 of them a second falls seconds behind. With
    0.5 ms it keeps up, and the computing loop loses nothing that can be measured.

    The interval is one for the whole process (``sys.setswitchinterval``): it is taken down when
    the first engine thread starts and put back when the last one ends, unless somebody else has
    set it meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before_s = 0.0
        self._ours_s: float | None = None

    def start(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1 and sys.getswitchinterval() > _SWITCH_INTERVAL_S:
                self._before_s = sys.getswitchinterval()
                sys.setswitchinterval(_SWITCH_INTERVAL_S)
                self._ours_s = sys.getswitchinterval()  # it is kept in whole microseconds

    def stop(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._ours_s is not None:
                if sys.getswitchinterval() == self._ours_s:
                    sys.setswitchinterval(self._before_s)
                self._ours_s = None


_quick_switching = _QuickSwitching()


class Runner:
    """One event loop that owns calls.

    Args:
        loop: The loop to use, or ``None`` to start one on a thread of its own.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._thread: threading.Thread | None = None
        if loop is None:
            loop = asyncio.new_event_loop()
            ready = threading.Event()
            self._thread = threading.Thread(
                target=self._run_thread, args=(loop, ready), name="xnb-engine", daemon=True
            )
            self._thread.start()
            ready.wait()
            _quick_switching.start()
        self.loop = loop

    @staticmethod
    def _run_thread(loop: asyncio.AbstractEventLoop, ready: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        loop.call_soon(ready.set)
        loop.run_forever()

    @classmethod
    def choose(cls, mode: LoopMode) -> Runner:
        """The runner for ``mode``, as described at the head of this module."""
        return cls(None if mode == "thread" else running_loop())

    @property
    def is_thread(self) -> bool:
        """Whether the loop has a thread of its own."""
        return self._thread is not None

    @property
    def is_closed(self) -> bool:
        """Whether the loop has ended, so that nothing can run on it any more."""
        return self.loop.is_closed()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this loop."""
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    def submit(self, coro: Coroutine[Any, Any, R]) -> Future[R]:
        """Start ``coro`` on the loop, from any thread, without waiting for it."""
        return asyncio.run_coroutine_threadsafe(coro, self.loop)

    def post(self, fn: Callable[..., Any], *args: Any) -> None:
        """Call ``fn`` on the loop soon, from any thread, without waiting for it."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(fn, *args)

    async def run(self, coro: Coroutine[Any, Any, R]) -> R:
        """Run ``coro`` on the loop and await its result on the caller's loop."""
        if self.is_current:
            return await coro
        return await asyncio.wrap_future(self.submit(coro))

    def block(self, coro: Coroutine[Any, Any, R], what: str) -> R:
        """Run ``coro`` on the loop and block until it is done.

        Raises:
            LoopError: The caller is on this loop (or its thread), so waiting would never end.
        """
        if self.is_current or (not self.is_thread and _on_main_thread_of(self.loop)):
            if _nested_allowed:
                return self.loop.run_until_complete(coro)
            coro.close()
            raise LoopError(
                f"{what} would block the event loop that has to do the work.",
                remedy=f"Write 'await {what.removesuffix('_now')}(...)', make the client with "
                "loop='thread', or call xnb.allow_nested_wait() first.",
            )
        return self.submit(coro).result()

    def call(self, fn: Callable[[], R]) -> R:
        """Call ``fn`` on the loop and return its result; directly when already there."""
        if self.is_current or not self.loop.is_running():
            return fn()

        async def run() -> R:
            return fn()

        return self.submit(run()).result(_HANDOVER_TIMEOUT_S)

    def close(self) -> None:
        """Stop the loop's own thread, if it has one. May be called again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        _quick_switching.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        if thread is not threading.current_thread():
            thread.join(timeout=5)
            if not thread.is_alive():
                self.loop.run_until_complete(self.loop.shutdown_asyncgens())
                self.loop.run_until_complete(self.loop.shutdown_default_executor())
                self.loop.close()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The kernel's main loop in a notebook, else the loop running here, else ``None``."""
    if threading.current_thread() is not threading.main_thread():
        kernel = _kernel()
        loop = getattr(getattr(kernel, "io_loop", None), "asyncio_loop", None)
        if isinstance(loop, asyncio.AbstractEventLoop):
            return loop
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _kernel() -> Any:
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]

    return getattr(get_ipython(), "kernel", None)  # type: ignore[no-untyped-call,unused-ignore]


def _on_main_thread_of(loop: asyncio.AbstractEventLoop) -> bool:
    return loop.is_running() and getattr(loop, "_thread_id", None) == threading.get_ident()


_nested_allowed = False


def allow_nested_wait() -> None:
    """Let the blocking twins work on a running loop, by applying ``nest_asyncio2``.

    The cost: while such a call waits, widget messages are delivered late (they queue until it
    returns). Prefer ``await``, or ``loop="thread"``.

    Raises:
        LoopError: The package ``nest_asyncio2`` is not installed.
    """
    global _nested_allowed  # noqa: PLW0603 - nest_asyncio2 patches the whole process, too
    try:
        import nest_asyncio2
    except ImportError:
        raise LoopError(
            "nest_asyncio2 is not installed.", remedy="Install it with: pip install 'xnb[lab]'."
        ) from None
    nest_asyncio2.apply()
    _nested_allowed = True


class HasRunner(Protocol):
    """Anything whose methods run on a runner's loop."""

    @property
    def runner(self) -> Runner:
        """The runner."""


S = TypeVar("S", bound=HasRunner)


def crosses(
    fn: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """A coroutine method that may be awaited on any loop and runs on its runner's."""

    @functools.wraps(fn)
    async def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self.runner.run(fn(self, *args, **kwargs))

    return method


def blocking(
    fn: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
    doc: str = "",
) -> Callable[Concatenate[S, P], R]:
    """The blocking twin of a coroutine method (see the naming rule above)."""

    @functools.wraps(fn)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.runner.block(fn(self, *args, **kwargs), f"{fn.__name__}_now")

    method.__name__ = f"{fn.__name__}_now"
    method.__qualname__ = f"{fn.__qualname__}_now"
    method.__doc__ = doc or f"Blocking twin of :meth:`{fn.__name__}`; see :mod:`xnb.loop`."
    return method


def on_engine(fn: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A plain method that may be called from any thread and runs on its runner's loop."""

    @functools.wraps(fn)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.runner.call(lambda: fn(self, *args, **kwargs))

    return method


class Stream(Generic[T]):
    """A bounded stream from the engine to one reader on any loop or thread.

    When it is full the oldest item is dropped and ``dropped`` counts it. Read it with
    ``async for`` on a loop, or with a plain ``for`` where blocking is fine.
    """

    def __init__(self, capacity: int, on_close: Callable[[], None] | None = None) -> None:
        self.dropped = 0
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._ended = False
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._on_close = on_close

    def put(self, item: T) -> None:
        """Add an item, from any thread."""
        with self._lock:
            if self._ended:
                return
            if len(self._items) >= self._capacity:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._wake()

    def end(self) -> None:
        """No more items: the reader gets what is left, then stops."""
        with self._lock:
            self._ended = True
            self._wake()

    def close(self) -> None:
        """Stop reading and let the writer know. May be called again."""
        self.end()
        with self._lock:
            self._items.clear()
            on_close, self._on_close = self._on_close, None
        if on_close:
            on_close()

    def _wake(self) -> None:
        self._filled.notify_all()
        if self._waiter:
            loop, event = self._waiter
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if self._items:
                    return self._items.popleft()
                if self._ended:
                    break
                event = asyncio.Event()
                self._waiter = (loop, event)
            await event.wait()
        self.close()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Same as :meth:`close`, for ``contextlib.aclosing``."""
        self.close()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            while not self._items and not self._ended:
                self._filled.wait(timeout=1.0)
            if self._items:
                return self._items.popleft()
        self.close()
        raise StopIteration


class Completion(Generic[T]):
    """Something that finishes later: ``await`` it on any loop, or :meth:`wait` for it.

    It finishes whether or not anybody waits, and may be awaited more than once.
    """

    def __init__(self, what: str = "this") -> None:
        self._what = what
        self._future: Future[T] = Future()

    def __repr__(self) -> str:
        return f"<{self._what}: {'done' if self.is_done else 'running'}>"

    @property
    def is_done(self) -> bool:
        """Whether it has finished, well or badly."""
        return self._future.done()

    def set(self, value: T) -> None:
        """Finish with a value; the first one counts."""
        if not self._future.done():
            self._future.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Finish with an error; raised wherever it is awaited."""
        if not self._future.done():
            self._future.set_exception(error)

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.shield(asyncio.wrap_future(self._future)).__await__()

    def wait(self, timeout_s: float | None = None) -> T:
        """Block until finished; for thread mode and plain Python.

        Raises:
            LoopError: It did not finish within ``timeout_s``, or an event loop runs here.
        """
        if not self._future.done():
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                pass
            else:
                if not _nested_allowed:
                    raise LoopError(
                        f"Waiting for {self._what} here would block the event loop.",
                        remedy="Use await instead.",
                    )
                return asyncio.get_running_loop().run_until_complete(_as_coroutine(self))
        try:
            return self._future.result(timeout_s)
        except FutureTimeoutError:
            if self._future.done():
                raise
            raise LoopError(f"{self._what} did not finish within {timeout_s:g} s.") from None


async def _as_coroutine(completion: Completion[T]) -> T:
    return await completion
