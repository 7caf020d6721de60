"""What a notebook shows: anywidget classes over the calls. Needs ``anywidget`` and Jupyter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call_widget import CallWidget
    from .group_widget import GroupWidget
    from .incoming_widget import IncomingWidget
    from .recording_widget import RecordingWidget

__all__ = ["CallWidget", "GroupWidget", "IncomingWidget", "RecordingWidget"]


def __getattr__(name: str) -> Any:
    if name == "CallWidget":
        from .call_widget import CallWidget

        return CallWidget
    if name == "GroupWidget":
        from .group_widget import GroupWidget

        return GroupWidget
    if name == "IncomingWidget":
        from .incoming_widget import IncomingWidget

        return IncomingWidget
    if name == "RecordingWidget":
        from .recording_widget import RecordingWidget

        return RecordingWidget
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
