"""What a page has to load: sizes of the widgets' bundles, as they are and with gzip."""

from __future__ import annotations

import gzip
import sys

from .harness import ROOT, BadRun, Options, Record, Target, figure, main

STATIC = ROOT / "xnb" / "widgets" / "static"
LIMIT_KB = 150
PARTS = {".js": "export", ".css": ".xnb-"}
"""Something that a bundle of each kind has in it."""


def measure(options: Options) -> list[Record]:
    """Kilobytes (1000 bytes) of every script and style sheet."""
    target = Target(LIMIT_KB, of="ours")
    records = []
    for path in sorted(path for path in STATIC.iterdir() if path.suffix in PARTS):
        data = path.read_bytes()
        if PARTS[path.suffix].encode() not in data:
            raise BadRun(f"{path.name} is not a bundle; run make front")
        packed_kb = len(gzip.compress(data, mtime=0)) / 1000
        note = f"{packed_kb:.1f} kB with gzip"
        records.append(figure(f"bundle {path.name}", "kB", [len(data) / 1000], None, target, note))
    if not records:
        raise BadRun("there is no bundle; run make front")
    return records


if __name__ == "__main__":
    sys.exit(main(measure, __doc__ or ""))
