"""What a notebook types: short functions that return widgets at once, without ``await``.

They share one client, made on first use; :func:`default_client` gives it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from .launch import begin_server
from .settings import LoopMode

if TYPE_CHECKING:
    from .client import Client
    from .widgets.call_widget import CallWidget
    from .widgets.group_widget import GroupWidget
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
    from .widgets.call_widget import CallWidget, widget_for
    from .widgets.transport import check_transport

    check_transport(transport)
    who = default_client(handle, loop=loop)
    one, placing = who.prepare_call(recipient, **options)
    widget = widget_for(one, transport=transport)
    assert isinstance(widget, CallWidget)
    widget.keep_picture, widget.keep_recordings = keep_picture, keep_recordings
    _begin(who, placing)
    return widget


def group(
    invite: Sequence[object] = (),
    *,
    handle: str = "me",
    loop: LoopMode = "auto",
    transport: Transport = "auto",
    keep_picture: bool = True,
    keep_recordings: bool = False,
    **options: Any,
) -> GroupWidget:
    """Start a group call and show it. Returns the widget at once; ``widget.call`` is the call.

    Args:
        invite: Whom to invite: numeric ids, handles, or objects with an ``id``.
        handle: Who you are.
        loop: As for :func:`call`.
        transport: Likewise.
        keep_picture: Likewise, with the picture of who spoke last.
        keep_recordings: Likewise.
        **options: As for :meth:`xnb.Client.start_group_call`, such as ``video=True``.

    Raises:
        SettingsError: There is no such transport, or another setting cannot be.

    Example:
        >>> widget = xnb.group(["testcard", "testcard-2"], video=True)
        >>> widget
    """
    begin_server()
    from .widgets.transport import check_transport

    check_transport(transport)
    who = default_client(handle, loop=loop)
    one, starting = who.prepare_group_call(invite=invite, **options)
    widget = _group_widget(one, transport)
    widget.keep_picture, widget.keep_recordings = keep_picture, keep_recordings
    _begin(who, starting)
    return widget


def join(
    broadcast_id: str,
    *,
    handle: str = "me",
    loop: LoopMode = "auto",
    transport: Transport = "auto",
    keep_picture: bool = True,
    keep_recordings: bool = False,
    **options: Any,
) -> GroupWidget:
    """Join a group call and show it. Returns the widget at once; ``widget.call`` is the call.

    Args:
        broadcast_id: What its host sees as ``call.broadcast_id``.
        handle: Who you are; the host must have invited you.
        loop: As for :func:`call`.
        transport: Likewise.
        keep_picture: As for :func:`group`.
        keep_recordings: Likewise.
        **options: As for :meth:`xnb.Client.join_group_call`, such as ``video=True``.

    Raises:
        SettingsError: There is no such transport, or another setting cannot be.

    Example:
        >>> widget = xnb.join("1vOxwyXbkZAGB", handle="alice", video=True)
        >>> widget
    """
    begin_server()
    from .widgets.transport import check_transport

    check_transport(transport)
    who = default_client(handle, loop=loop)
    one, joining = who.prepare_join(broadcast_id, **options)
    widget = _group_widget(one, transport)
    widget.keep_picture, widget.keep_recordings = keep_picture, keep_recordings
    _begin(who, joining)
    return widget


def _group_widget(call: Any, transport: str) -> GroupWidget:
    from .widgets.call_widget import widget_for
    from .widgets.group_widget import GroupWidget

    widget = widget_for(call, transport=transport)
    assert isinstance(widget, GroupWidget)
    return widget


def _begin(who: Client, placing: Coroutine[Any, Any, None]) -> None:
    """Place a call. A failure ends it and is shown in its widget, so nobody waits for it here."""
    who.runner.submit(placing).add_done_callback(lambda future: future.exception())


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
