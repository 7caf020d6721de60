"""What all our widgets share about the comm between page and kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

STATIC = Path(__file__).parent / "static"


class FreeRouting:
    """Mix-in for ipywidgets classes: the page's messages stay on the page's own subshell.

    ipykernel 7 answers a comm on the shell that sent on it last. Sent from an engine thread, or
    from a cell, that is the main shell, and a click would wait for the running cell to end. So
    such a comm is told to leave each message on the subshell that the page asked for. Kernels
    without subshells (ipykernel 6) have one shell only, and there a click does wait.
    """

    comm: Any

    def open(self) -> None:
        """Open the comm, if it is not open yet."""
        super().open()  # type: ignore[misc]
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = _as_asked


def _as_asked(_data: Any, subshell_id: str | None) -> str | None:
    return subshell_id
