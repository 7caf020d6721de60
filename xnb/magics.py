"""``%load_ext xnb`` gives ``%xnb``: what runs here, the open calls, hang up, and the doctor.

=====================  ==========================================================
``%xnb``               server, clients, where the engine runs, versions
``%xnb calls``         the calls that are not over
``%xnb hangup [NAME]`` ends them all, or those with NAME
``%xnb doctor``        what works on this machine, as ``xnb doctor`` in a terminal
=====================  ==========================================================

It works between any two cells without ``await``. Addresses and tokens are not shown.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import Call
    from .client import Client
    from .loop import Runner

HANGUP_LIMIT_S = 8.0
"""How long ``%xnb hangup`` waits for calls whose engine has a thread of its own."""

_PACKAGES = ("aiortc", "av", "anywidget", "ipywidgets", "IPython", "ipykernel", "jupyterlab")
_HELP = (
    ("%xnb", "server, clients, where the engine runs, versions"),
    ("%xnb calls", "the calls that are not over"),
    ("%xnb hangup [NAME]", "end them all, or those with NAME"),
    ("%xnb doctor", "what works on this machine"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a magic says: a title, a table, a line below. Shows as HTML, or as plain text.

    Args:
        title: What the table is about.
        rows: The table's cells, row by row; all rows are equally long.
        head: Names of the columns; empty for a table of names and values.
        note: What to know or to do besides.
    """

    title: str
    rows: Sequence[Sequence[str]] = ()
    head: Sequence[str] = ()
    note: str = ""

    def __repr__(self) -> str:
        table = [self.head, *self.rows] if self.head else list(self.rows)
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in table
        ]
        return "\n".join(line.rstrip() for line in (self.title, *lines, self.note) if line)

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        head = "".join(f'<th scope="col" {left}>{escape(name)}</th>' for name in self.head)
        body = "".join(
            "<tr>"
            + "".join(
                f'<th scope="row" {left}>{escape(cell)}</th>'
                if index == 0
                else f"<td {left}>{escape(cell)}</td>"
                for index, cell in enumerate(row)
            )
            + "</tr>"
            for row in self.rows
        )
        table = f"<thead><tr>{head}</tr></thead>" if head else ""
        table = f"<table>{table}<tbody>{body}</tbody></table>" if body else ""
        note = f"<div>{escape(self.note)}</div>" if self.note else ""
        return f'<div class="xnb-magic"><strong>{escape(self.title)}</strong>{table}{note}</div>'


def register(shell: Any) -> None:
    """Give an IPython shell the magic; loading twice is no mistake."""
    shell.register_magic_function(run, magic_kind="line", magic_name="xnb")


def unregister(shell: Any) -> None:
    """Take the magic away again."""
    shell.magics_manager.magics["line"].pop("xnb", None)


def run(line: str) -> Answer | None:
    """Do what stands behind ``%xnb``.

    Args:
        line: The words after it.

    Returns:
        What to show; ``None`` when it was printed already, as the doctor does.
    """
    word, *rest = line.split() or ["status"]
    if word == "status" and not rest:
        return status()
    if word == "calls" and not rest:
        return calls()
    if word == "hangup" and len(rest) <= 1:
        return hangup(rest[0] if rest else "")
    if word == "doctor" and not rest:
        _doctor()
        return None
    known = ("", "help", "-h", "--help")
    title = "What %xnb can do:" if line.strip() in known else f"%xnb {line.strip()} is unknown."
    return Answer(title, _HELP)


def status() -> Answer:
    """Server, clients and versions, without starting anything."""
    from .client import open_clients

    rows = [("server", _server_words())]
    for client in open_clients():
        count = len(client.calls)
        words = f"{_loop_words(client.runner)}; {count} open call{'' if count == 1 else 's'}"
        rows.append((f"client {client.handle}", words))
    if len(rows) == 1:
        rows.append(("clients", "none yet; xnb.call() and xnb.listen() make one"))
    rows += [("Python", ".".join(str(part) for part in sys.version_info[:3]))]
    rows += [(name, found) for name in _PACKAGES if (found := _version(name))]
    return Answer(f"xnb {_version('xnb')}", rows)


def calls() -> Answer:
    """One row for each call that is not over."""
    found = _open_calls()
    if not found:
        return Answer("No open calls.")
    head = ("call", "state", "for", "engine", "sends", "")
    rows = [_row(client, call) for client, call in found]
    return Answer(f"{len(rows)} open call{'' if len(rows) == 1 else 's'}", rows, head)


def hangup(name: str = "") -> Answer:
    """End calls. Waits where that is possible without blocking the loop that does the work.

    Args:
        name: The far end's handle or id, with or without ``@``; empty for all calls.
    """
    name = name.removeprefix("@").casefold()
    found = [(client, call) for client, call in _open_calls() if _fits(call, name)]
    if not found:
        others = ", ".join(call.title for _, call in _open_calls())
        note = f"Open are: {others}" if others else ""
        return Answer(f"No open call with {name}." if name else "No open calls.", note=note)
    waiting: list[Future[None]] = []
    for client, call in found:
        _end(client.runner, call, waiting)
    for future in waiting:
        try:
            future.result(HANGUP_LIMIT_S)
        except FutureTimeoutError:
            continue
    rows = [(call.title, "over" if call.state == "ended" else "ending") for _, call in found]
    if all(call.state == "ended" for _, call in found):
        return Answer("Hung up", rows)
    return Answer("Hanging up", rows, note="On the kernel's loop it goes on after this cell.")


def _end(runner: Runner, call: Call, waiting: list[Future[None]]) -> None:
    if not runner.loop.is_running():
        # A terminal's IPython: its loop runs only while a line awaits.
        runner.loop.run_until_complete(asyncio.wait_for(call.hangup(), HANGUP_LIMIT_S))
        return
    future = runner.submit(call.hangup())
    if runner.is_thread:
        waiting.append(future)


def _doctor() -> None:
    from . import doctor

    frozen = [call.title for client, call in _open_calls() if not client.runner.is_thread]
    if frozen:
        print(f"Paused meanwhile, as they run on the kernel's loop: {', '.join(frozen)}")
    doctor.main()


def _open_calls() -> list[tuple[Client, Call]]:
    from .client import open_clients

    return [(client, call) for client in open_clients() for call in client.calls]


def _fits(call: Call, name: str) -> bool:
    return not name or name in (call.title.casefold(), call.recipient.id)


def _row(client: Client, call: Call) -> tuple[str, ...]:
    from .widgets.words import duration_words

    way = "to" if call.direction == "outgoing" else "from"
    notes = {"muted": call.is_muted, "recording": call.recording is not None}
    return (
        f"{way} {call.title}",
        str(call.state),
        duration_words(call.duration_seconds),
        _loop_words(client.runner),
        call.sending or "",
        ", ".join(note for note, true in notes.items() if true),
    )


def _loop_words(runner: Runner) -> str:
    if runner.is_thread:
        return "a thread of its own"
    return "the kernel's loop" if _in_kernel() else "this program's loop"


def _server_words() -> str:
    from .launch import embedded_server

    if os.environ.get("XNB_SERVER", "").strip():
        return "the one that XNB_SERVER names"
    server = embedded_server()
    if server.running:
        return f"embedded, running (process {server.pid})"
    return "embedded, not running; the first call starts it"


def _in_kernel() -> bool:
    from IPython import get_ipython  # type: ignore[attr-defined,unused-ignore]

    return getattr(get_ipython(), "kernel", None) is not None  # type: ignore[no-untyped-call,unused-ignore]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
