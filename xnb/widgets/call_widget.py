"""The live card of one call."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from .comms import STATIC
from .live_widget import LiveWidget, widgets


class CallWidget(LiveWidget):
    """Shows a 1:1 call and steers it: picture, sound, level, buttons, what went wrong.

    Args:
        call: The call to show, or ``None`` when it does not exist yet; see :class:`LiveWidget`.
        title: Who is called, shown until the call is there.
        transport: Which way media take to the page; see :class:`LiveWidget`.

    Raises:
        SettingsError: There is no such transport.
    """

    _esm: ClassVar[Path] = STATIC / "call.js"
    _css: ClassVar[Path] = STATIC / "xnb.css"


def widget_for(call: Any, *, transport: str | None = None) -> LiveWidget:
    """The one widget of ``call``; made when it is first shown.

    Args:
        call: The call; one with participants has a :class:`~xnb.widgets.group_widget.GroupWidget`.
        transport: See :class:`LiveWidget`; ``None`` leaves it as it is.

    Raises:
        SettingsError: There is no such transport.
    """
    widget = widgets.get(call)
    if widget is None:
        widget = _kind(call)(call, transport=transport or "auto")
    elif transport is not None:
        widget.transport = transport
    return widget


def _kind(call: Any) -> type[LiveWidget]:
    if not hasattr(call, "participants"):
        return CallWidget
    from .group_widget import GroupWidget

    return GroupWidget
