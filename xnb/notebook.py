"""What a notebook types: short functions that return widgets at once, without ``await``.

They share one client, made on first use; :func:`default_client` gives it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .launch import begin_server
from .settings import LoopMode

if TYPE_CHECKING:
    from .client import Client
    from .widgets.call_widget import CallWidget
    from .widgets.incoming_widget import IncomingWidget
    from .widgets.transport import Transport

_clients: dict[tuple[str, str], Client] = {}


def default_client(handle: str = "me", *, loop: LoopMode = "auto") -> Client:
    """The shared client of this notebook for ``handle``, made when it is first asked for.

    Args:
        handle: Who you are.
        loop: ``"auto"`` (the kernel's loop) or ``"thread"``.
    """
    from .client import Client

    key = (handle, loop)
    known = _clients.get(key)
    if known is None or known.is_closed or known.runner.is_closed:
        known = _clients[key] = Client(handle, loop=loop)
    return known


def call(
    recipient: object,
    *,
    handle: str = "me",
    loop: LoopMode = "auto",
    transport: Transport = "auto",
    keep_picture: bool = True,
    keep_recordings: bool = False,
    **options: Any,
) -> CallWidget:
    """Place a call and show it. Returns the widget at once; ``widget.call`` is the Call.

    Args:
        recipient: Numeric id, ``"@handle"``, ``"handle"``, or an object with an ``id``.
        handle: Who you are.
        loop: ``"auto"`` or ``"thread"``; see :mod:`xnb.loop`.
        transport: Which way picture and sound take to the page: ``"webrtc"``, ``"comm"`` (encoded
            frames over the notebook's own connection), ``"jpeg"`` (pictures one by one), or
            ``"auto"``, the best that works. The card's bottom line says which one it is.
        keep_picture: Whether the summary that replaces the card after the call, and that a saved
            notebook keeps, shows the far end's last picture (320 px at most, 60 kB at most).
        keep_recordings: Whether that summary holds recordings of at most 1 MB themselves.
            Without, it has a player that plays the file from where it lies.
        **options: As for :meth:`xnb.Client.call`, such as ``video=True`` or
            ``prefer="clip.mp4"`` for a file that will be sent.

    Raises:
        SettingsError: There is no such transport, or another setting cannot be.

    Example:
        >>> widget = xnb.call("echo", video=True)
        >>> widget
        >>> await widget.call.until("connected")
    """
    # The server needs as long to start as the imports below take: both at once.
    begin_server()
    from .widgets.call_widget import widget_for
    from .widgets.transport import check_transport

    check_transport(transport)
    who = default_client(handle, loop=loop)
    one, placing = who.prepare_call(recipient, **options)
    widget = widget_for(one, transport=transport)
    widget.keep_picture, widget.keep_recordings = keep_picture, keep_recordings
    # A failure ends the call and is shown in its widget, so nobody waits for it here.
    who.runner.submit(placing).add_done_callback(lambda future: future.exception())
    return widget


def listen(
    handle: str = "me",
    *,
    loop: LoopMode = "auto",
    transport: Transport = "auto",
    keep_picture: bool = True,
) -> IncomingWidget:
    """Wait for calls to ``handle`` and ring. Returns the widget at once.

    Args:
        handle: Who you are.
        loop: ``"auto"`` or ``"thread"``; see :mod:`xnb.loop`.
        transport: As for :func:`call`, for the calls that are accepted.
        keep_picture: Likewise.

    Raises:
        SettingsError: There is no such transport.
    """
    begin_server()
    from .widgets.incoming_widget import IncomingWidget

    who = default_client(handle, loop=loop)
    return IncomingWidget(who, keep_picture=keep_picture, transport=transport)
