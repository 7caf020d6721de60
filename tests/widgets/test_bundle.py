"""The committed bundles are what the sources give."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import xnb.widgets
from xnb.widgets.call_widget import CallWidget
from xnb.widgets.group_widget import GroupWidget
from xnb.widgets.incoming_widget import IncomingWidget
from xnb.widgets.recording_widget import RecordingWidget

ROOM = Path(xnb.widgets.__file__).parent
JS = ROOM / "js"
STATIC = ROOM / "static"
BUNDLES = ("call.js", "group.js", "incoming.js", "recording.js")
BUNDLES += ("group.css", "recording.css", "xnb.css")


def sources() -> list[Path]:
    names = sorted(
        path.relative_to(JS).as_posix()
        for path in JS.rglob("*")
        if (path.suffix in (".js", ".mjs", ".css") or path == JS / "package.json")
        and not path.name.endswith(".test.js")
    )
    return [JS / name for name in names if not name.startswith("node_modules/")]


def test_each_bundle_was_built_from_the_sources_that_are_here() -> None:
    digest = hashlib.sha256()
    for path in sources():
        name = path.relative_to(JS).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name in BUNDLES:
        head = (STATIC / name).read_text(encoding="utf-8")[:300]
        found = re.search(r"sources ([0-9a-f]{64})", head)
        assert found, name
        assert found[1] == digest.hexdigest(), f"{name} is stale: run make front"


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing: apt-get install nodejs npm")
    if not (JS / "node_modules" / "esbuild").exists():
        pytest.skip("esbuild is missing: npm --prefix xnb/widgets/js ci")
    subprocess.run([node, JS / "build.mjs", tmp_path], check=True, timeout=60)
    for name in BUNDLES:
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes(), name


def test_the_widgets_carry_their_bundles() -> None:
    widget = CallWidget(title="ann")
    assert str(widget._esm) == (STATIC / "call.js").read_text(encoding="utf-8")
    assert str(widget._css) == (STATIC / "xnb.css").read_text(encoding="utf-8")
    group = GroupWidget(title="ann and bob")
    assert str(group._esm) == (STATIC / "group.js").read_text(encoding="utf-8")
    assert str(group._css) == (STATIC / "group.css").read_text(encoding="utf-8")
    assert str(IncomingWidget._esm) == (STATIC / "incoming.js").read_text(encoding="utf-8")
    assert str(RecordingWidget._esm) == (STATIC / "recording.js").read_text(encoding="utf-8")
    assert str(RecordingWidget._css) == (STATIC / "recording.css").read_text(encoding="utf-8")


def test_the_bundles_are_small_and_load_nothing_from_elsewhere() -> None:
    for name in BUNDLES:
        text = (STATIC / name).read_text(encoding="utf-8")
        assert len(text) < 150_000, name
        hosts = set(re.findall(r"https?://([\w.-]+)", text))
        assert hosts <= {"www.w3.org"}, (name, hosts)
        assert not re.search(r"\bimport\s*[({*\"']|\beval\(", text), name


def test_the_licences_of_what_is_inside_lie_beside_it() -> None:
    for name, holder in (("lucide", "Lucide Contributors"), ("uplot", "Leon Sorokin")):
        text = (STATIC / f"LICENSE-{name}.txt").read_text(encoding="utf-8")
        assert holder in text
        assert "copyright notice and this permission notice" in text
    assert "uplot" in (STATIC / "call.js").read_text(encoding="utf-8")
    assert ".u-wrap" in (STATIC / "xnb.css").read_text(encoding="utf-8")


def test_the_lock_file_names_no_registry() -> None:
    assert "http" not in (JS / "package-lock.json").read_text(encoding="utf-8")


def test_sources_are_type_checked() -> None:
    for path in JS.glob("*.js"):
        if not path.name.endswith(".test.js"):
            assert path.read_text(encoding="utf-8").startswith("// @ts-check\n"), path.name
