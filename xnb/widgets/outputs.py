"""Notebook outputs that can be written again, so that a saved notebook shows how it ended."""

from __future__ import annotations

import contextvars
from typing import Any


def show(data: dict[str, Any], display_id: str, *, update: bool = False) -> None:
    """Put a thing into an output, or into all outputs shown with this id before. From any thread.

    Args:
        data: The forms of one thing by MIME type.
        display_id: Names the output.
        update: Write outputs again instead of making one.
    """
    from IPython.core.interactiveshell import InteractiveShell

    if not InteractiveShell.initialized():
        return
    publish = InteractiveShell.instance().display_pub.publish
    forms = {"data": data, "metadata": {}, "transient": {"display_id": display_id}}
    if update:
        # A task goes on in the context of the cell that began it, and would write in that cell's
        # name. Those who run a notebook without a browser hear only what is said in the name of
        # the cell that runs now; an empty context has that one. The id alone says which outputs.
        contextvars.Context().run(lambda: publish(**forms, update=True))
    else:
        publish(**forms, update=False)
