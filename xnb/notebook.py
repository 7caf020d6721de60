"""What a notebook types: short functions that return widgets at once, without ``await``.

They share one client, made on first use; :func:`default_client` gives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .client import Client
from .settings import LoopMode

if TYPE_CHECKING:
    from .widgets.call_widget import CallWidget
    from .widgets.incoming_widget import IncomingWidget

_clients: dict[tuple[str, str], Client] = {}


def default_client(handle: str = "me", *, loop: LoopMode = "auto") -> Client:
    """The shared client of this notebook for ``handle``, made when it is first asked for.

    Args:
        handle: Who you are.
        loop: ``"auto"`` (the kernel's loop) or ``"thread"``.
    """
    key = (handle, loop)
    known = _clients.get(key)
    if known is None or known.is_closed or known.runner.is_closed:
        known = _clients[key] = Client(handle, loop=loop)
    return known


def call(
    recipient: object, *, handle: str = "me", loop: LoopMode = "auto", **options: Any
) -> CallWidget:
    """Place a call and show it. Returns the widget at once; ``widget.call`` is the Call.

    Args:
        recipient: Numeric id, ``"@handle"``, ``"handle"``, or an object with an ``id``.
        handle: Who you are.
        loop: ``"auto"`` or ``"thread"``; see :mod:`xnb.loop`.
        **options: As for :meth:`xnb.Client.call`, such as ``video=True`` or
            ``prefer="clip.mp4"`` for a file that will be sent.

    Example:
        >>> widget = xnb.call("echo", video=True)
        >>> widget
        >>> await widget.call.until("connected")
    """
    from .widgets.call_widget import widget_for

    who = default_client(handle, loop=loop)
    one, placing = who.prepare_call(recipient, **options)
    widget = widget_for(one)
    # A failure ends the call and is shown in its widget, so nobody waits for it here.
    who.runner.submit(placing).add_done_callback(lambda future: future.exception())
    return widget


def listen(handle: str = "me", *, loop: LoopMode = "auto") -> IncomingWidget:
    """Wait for calls to ``handle`` and ring. Returns the widget at once."""
    from .widgets.incoming_widget import IncomingWidget

    return IncomingWidget(default_client(handle, loop=loop))
