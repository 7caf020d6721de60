"""The plan of rooms: who may import whom, no cycles, private names, file sizes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "xnb"
MAX_LINES = 450

GROUND = {"settings", "profile", "events", "errors", "loop"}
ENGINE_MAY_USE = {"media.clock", "media.encoded", "media.frames", "media.source"}
SERVER_MAY_USE = ("signaling.messages", "signaling.janus")
MIDDLE = {"signaling", "engine", "media"}
CALLS = {
    "call_media",
    "calls",
    "client",
    "group_call",
    "group_people",
    "group_client",
    "group_layers",
    "group_recording",
    "group_wire",
    "incoming",
    "launch",
    "live_recording",
    "p2p_call",
    "participants",
    "playback",
    "recording",
    "tracks",
}
TOP = {"widgets", "plots", "cli", "notebook", "doctor", "lab", "magics", "__main__"}
# A Recording draws itself; the plots it uses know nothing of recordings.
EXTRA = {
    "recording": {"plots"},
    "cli": {"server.run"},
    "launch": {"signaling"},
}
# Only inside a function: what is shown in a notebook displays as its widget.
EXTRA_LAZY = {"calls": {"widgets.call_widget"}, "recording": {"widgets.recording_widget"}}

PRIVATE = re.compile(
    r"_RTC[A-Za-z]+__|\._connection\b|_handle_rtp|_send_rtp|_handle_rtcp|_send_rtcp|\.__dict__\b"
)


@dataclass(frozen=True)
class Import:
    source: str
    target: str
    line: int
    lazy: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def python_files(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*.py") if "node_modules" not in path.parts)


def module_name(path: Path, package: Path) -> str:
    parts = list(path.relative_to(package).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def type_checking_lines(tree: ast.AST) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                lines.update(range(child.lineno, (child.end_lineno or child.lineno) + 1))
    return lines


def function_lines(tree: ast.AST) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def imports_of(path: Path, package: Path, known: set[str]) -> Iterator[Import]:
    """Every import of our own modules in a file, also inside functions; names without ``xnb.``."""
    source = module_name(path, package)
    here = source.split(".") if source else []
    if path.name != "__init__.py":
        here = here[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped, inside = type_checking_lines(tree), function_lines(tree)
    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) in skipped:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "xnb" or alias.name.startswith("xnb."):
                    target = alias.name[3:].lstrip(".")
                    yield Import(source, target, node.lineno, node.lineno in inside)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = here[: len(here) - (node.level - 1)]
                target = ".".join([*base, *([module] if module else [])])
            elif module == "xnb" or module.startswith("xnb."):
                target = module[3:].lstrip(".")
            else:
                continue
            for alias in node.names:
                inner = f"{target}.{alias.name}".lstrip(".")
                found = inner if inner in known else target
                yield Import(source, found, node.lineno, node.lineno in inside)


def all_modules(package: Path) -> dict[str, Path]:
    return {module_name(path, package): path for path in python_files(package)}


def all_imports(package: Path) -> list[Import]:
    modules = all_modules(package)
    known = set(modules)
    return [found for path in modules.values() for found in imports_of(path, package, known)]


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def allowed(source: str, target: str, *, lazy: bool = False) -> bool:
    here, there = room(source), room(target)
    if lazy and target in EXTRA_LAZY.get(here, set()):
        return True
    if here == there or target in EXTRA.get(here, set()) or there in EXTRA.get(here, set()):
        return True
    if there in GROUND:
        return True
    if here in GROUND:
        return False
    if here == "engine":
        return target in ENGINE_MAY_USE
    if here in MIDDLE:
        return False
    if here == "server":
        # Its bots are clients of the Janus API like any other, and so is what drives a real Janus.
        return there in {"engine", "media"} or target.startswith(SERVER_MAY_USE)
    if here in CALLS:
        return there in MIDDLE | CALLS
    # The root is the public face: it names everything, and only the top may go through it.
    return here in TOP | {""} and there in MIDDLE | CALLS | TOP | {""}


def find_cycle(edges: dict[str, set[str]]) -> list[str]:
    done: set[str] = set()
    trail: list[str] = []

    def visit(module: str) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        trail.append(module)
        for target in sorted(edges.get(module, ())):
            if found := visit(target):
                return found
        trail.pop()
        done.add(module)
        return []

    for start in sorted(edges):
        if found := visit(start):
            return found
    return []


def edges_of(imports: list[Import]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = {}
    for found in imports:
        if found.source != found.target:
            edges.setdefault(found.source, set()).add(found.target)
    return edges


def test_every_import_follows_the_plan() -> None:
    found = all_imports(PACKAGE)
    assert len(found) > 20, "the walk found too little to be believed"
    broken = [str(one) for one in found if not allowed(one.source, one.target, lazy=one.lazy)]
    assert not broken, "\n".join(broken)


def test_every_module_has_a_room() -> None:
    rooms = {room(name) for name in all_modules(PACKAGE)}
    assert rooms <= GROUND | MIDDLE | CALLS | TOP | {"server", ""}


def test_no_cycles() -> None:
    cycle = find_cycle(edges_of(all_imports(PACKAGE)))
    assert not cycle, " -> ".join(cycle)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("widgets.call_widget", "calls", True),
        ("calls", "widgets.call_widget", False),
        ("engine.peer", "media.clock", True),
        ("engine.peer", "media.files", False),
        ("media.files", "engine.peer", False),
        ("signaling.p2p", "media.clock", False),
        ("server.bots", "signaling.messages", True),
        ("server.bots", "signaling.p2p", False),
        ("server.bots", "signaling.janus.session", True),
        ("server.bots", "client", False),
        ("settings", "errors", True),
        ("errors", "engine.peer", False),
        ("calls", "", False),
        ("cli", "server.run", True),
        ("cli", "server.app", False),
    ],
)
def test_the_rule_itself(source: str, target: str, expected: bool) -> None:
    assert allowed(source, target) is expected


def test_the_walk_sees_what_it_must(tmp_path: Path) -> None:
    package = tmp_path / "xnb"
    (package / "media").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "media" / "__init__.py").write_text("")
    (package / "media" / "clock.py").write_text("def f():\n    from ..calls import Call\n")
    (package / "calls.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "import xnb.media.clock\n"
        "from .media import clock\n"
        "if TYPE_CHECKING:\n    from .widgets import x\n"
    )
    found = all_imports(package)
    assert {(one.source, one.target) for one in found} == {
        ("media.clock", "calls"),
        ("calls", "media.clock"),
    }
    assert find_cycle(edges_of(found)) == ["calls", "media.clock", "calls"]


def own_private_names() -> set[str]:
    """Underscore names that xnb itself defines: attributes, functions, fields."""
    names: set[str] = set()
    for path in python_files(PACKAGE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
                    names.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                # __slots__ name attributes in strings.
                names.add(node.value)
    return names


def uses_engine_packages(tree: ast.AST) -> bool:
    modules = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(name.split(".")[0] in {"aiortc", "aioice"} for name in modules)


def test_private_engine_names_stay_in_the_adapter() -> None:
    own = own_private_names()
    broken = []
    for path in python_files(PACKAGE):
        if path == PACKAGE / "engine" / "adapter.py":
            continue
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(ROOT)
        broken += [
            f"{where}:{number} {line.strip()}"
            for number, line in enumerate(text.splitlines(), 1)
            if PRIVATE.search(line)
        ]
        tree = ast.parse(text)
        if not uses_engine_packages(tree):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                dunder = node.attr.startswith("__") and node.attr.endswith("__")
                if not dunder and node.attr not in own:
                    broken.append(f"{where}:{node.lineno} .{node.attr}")
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                ("aiortc", "aioice")
            ):
                broken += [
                    f"{where}:{node.lineno} imports {alias.name}"
                    for alias in node.names
                    if alias.name.startswith("_")
                ]
    assert not broken, "\n".join(broken)


def test_files_stay_short() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in python_files(PACKAGE)
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long, f"longer than {MAX_LINES} lines: {long}"
