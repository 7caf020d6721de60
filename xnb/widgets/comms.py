"""What all our widgets share about the comm between page and kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

STATIC = Path(__file__).parent / "static"


class FreeRouting:
    """Mix-in for ipywidgets classes: the page's messages stay on the page's own subshell.

    ipykernel 7 answers a comm on the shell that sent on it last. Sent from an engine thread, or
    from a cell, that is the main shell, and a click would wait for the running cell to end. So
    the memory of the last sender is dropped after each send, and a click arrives at once.
    """

    comm: Any

    def open(self) -> None:
        """Open the comm, if it is not open yet."""
        super().open()  # type: ignore[misc]
        _forget_sender(self.comm)

    def _send(self, msg: Any, buffers: Any = None) -> None:
        super()._send(msg, buffers)  # type: ignore[misc]
        _forget_sender(self.comm)


def _forget_sender(comm: Any) -> None:
    getattr(comm, "__dict__", {}).pop("_reply_subshell_id", None)
