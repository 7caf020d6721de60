"""Candidates in descriptions."""

from __future__ import annotations

from collections.abc import Sequence


def with_shared_candidates(lines: Sequence[str]) -> list[str]:
    """A description's lines with the candidates of its first m-line in every m-line that has none.

    In a bundle only the first m-line needs candidates (RFC 9143 section 7.1.3), but aiortc takes
    those of the last one.

    Args:
        lines: Of an SDP description, without line ends.
    """
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if not any(line.startswith("a=group:BUNDLE") for line in lines) or not starts:
        return list(lines)
    sections = [
        list(lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]
    shared = [line for line in sections[0] if _is_candidate(line)]
    made = list(lines[: starts[0]])
    for section in sections:
        rejected = section[0].split()[1:2] == ["0"] and "a=bundle-only" not in section
        made += section
        if not rejected and not any(_is_candidate(line) for line in section):
            made += shared
    return made


def _is_candidate(line: str) -> bool:
    return line.startswith(("a=candidate:", "a=end-of-candidates"))
