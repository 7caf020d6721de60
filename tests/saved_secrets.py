"""Looks for what must not be there in a saved notebook or an export, also inside base64."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

BASE64 = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
ESCAPED = re.compile(r"\\u[0-9a-fA-F]{4}|\\n|&#?\w+;|%[0-9A-Fa-f]{2}")
# Whatever was planted, no part of a description may be there either.
DESCRIPTION = re.compile(rb"a=(ice-pwd|ice-ufrag|fingerprint|candidate|setup):|candidate:\d+ \d")
LOCAL_PORT = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\]):\d{4,5}")
CANDIDATE = re.compile(r"candidate:\S+ \d+ \S+ \d+ (\S+) (\d+) ")
MOST_DEPTH = 3
FEW = 100


@dataclass
class Secrets:
    """What was planted in one run.

    Attributes:
        texts: Pairs of a kind and bytes that must not be found.
        media: The same, of media.
    """

    texts: set[tuple[str, bytes]] = field(default_factory=set)
    media: set[tuple[str, bytes]] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> Secrets:
        """From the file that ``notebook_startup.py`` wrote."""
        found = cls()
        for line in path.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if "bytes" in one:
                found.media.add((one["kind"], base64.b64decode(one["bytes"])))
            elif one["kind"] == "sdp":
                found.texts.update(("sdp", text.encode()) for text in of_description(one["text"]))
            else:
                text = one["text"].removeprefix("http://").rstrip("/")
                found.texts.update((one["kind"], form.encode()) for form in (text, quote(text, "")))
        return found

    @property
    def kinds(self) -> set[str]:
        """What kinds of things were planted."""
        return {kind for kind, _ in (*self.texts, *self.media)}


def of_description(sdp: str) -> Iterator[str]:
    """The secret parts of one description, each as it would be written anywhere."""
    for name in ("ice-pwd", "fingerprint"):
        for value in re.findall(rf"a={name}:(?:sha-\d+ )?(\S+)", sdp):
            yield value
    for value in re.findall(r"a=ice-ufrag:(\S+)", sdp):
        yield f"ufrag:{value}"  # four letters alone turn up by chance
        yield f"ufrag {value}"
    for address, port in CANDIDATE.findall(sdp):
        yield f"{address}:{port}"
        yield f"{address} {port}"
        if not address.startswith(("127.", "0.", "::1")):
            yield address


def found_in(haystacks: Iterable[bytes], needles: Iterable[tuple[str, bytes]]) -> set[str]:
    """Kinds of the needles that are in any haystack, with what is around them."""
    by_length: dict[int, dict[bytes, str]] = {}
    for kind, needle in needles:
        by_length.setdefault(len(needle), {})[needle] = kind
    found = set()
    for hay in haystacks:
        for length, some in by_length.items():
            for at in _places(hay, length, some):
                kind = some[hay[at : at + length]]
                found.add(f"{kind}: {hay[max(0, at - 60) : at + 60]!r}")
    return found


def _places(hay: bytes, length: int, needles: dict[bytes, str]) -> Iterator[int]:
    """Where needles of one length begin; of thousands at once as quickly as of a few."""
    if len(needles) < FEW:
        yield from (at for needle in needles if (at := hay.find(needle)) >= 0)
    else:
        yield from (at for at in range(len(hay) - length + 1) if hay[at : at + length] in needles)


def unsafe_words(haystacks: Iterable[bytes]) -> set[str]:
    """Pieces of descriptions and addresses with a port, whosoever they are."""
    found = set()
    for hay in haystacks:
        for pattern in (DESCRIPTION, LOCAL_PORT):
            if match := pattern.search(hay):
                found.add(f"{hay[max(0, match.start() - 60) : match.end() + 60]!r}")
    return found


def layers(text: str, depth: int = MOST_DEPTH) -> Iterator[bytes]:
    """A text, the same without its escapes, and what base64 in it stands for, again and again."""
    yield text.encode("utf-8", "replace")
    if ESCAPED.search(text):
        yield unquote(html.unescape(text)).encode("utf-8", "replace")
    if depth == 0:
        return
    for match in BASE64.finditer(text):
        data = decoded(match.group())
        yield data
        try:
            inner = data.decode()
        except UnicodeDecodeError:
            continue
        yield from layers(inner, depth - 1)


def decoded(run: str) -> bytes:
    """What a run of base64 letters stands for; words that only look like it give garbage."""
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) // 4 * 4] if len(body) % 4 == 1 else body
    return base64.b64decode(body + "=" * (-len(body) % 4))


def strings(value: Any) -> Iterator[str]:
    """Every string of a JSON value, names too; lists of lines as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from strings(inner)
    elif isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):
            yield "".join(value)
        else:
            for one in value:
                yield from strings(one)


def all_layers(value: Any) -> list[bytes]:
    """The layers of every string of a JSON value."""
    return [layer for text in strings(value) for layer in layers(text)]
