"""Notebook outputs that can be written again, so that a saved notebook shows how it ended."""

from __future__ import annotations

from typing import Any


def show(data: dict[str, Any], display_id: str, *, update: bool = False) -> None:
    """Put a thing into an output, or into all outputs shown with this id before.

    Args:
        data: The forms of one thing by MIME type.
        display_id: Names the output.
        update: Write outputs again instead of making one.
    """
    from IPython.core.interactiveshell import InteractiveShell

    if not InteractiveShell.initialized():
        return
    InteractiveShell.instance().display_pub.publish(
        data=data, metadata={}, transient={"display_id": display_id}, update=update
    )
