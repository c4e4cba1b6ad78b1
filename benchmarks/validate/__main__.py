"""`python -m benchmarks.validate [--only gait] [--data FOLDER] [--print]`: writes docs/validation.md and its plots."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.validate import _compensation, _gait, _matrix, _orientation, _posture
from benchmarks.validate._report import Section, document

SECTIONS: dict[str, Callable[[Path], Section]] = {
    "orientation": _orientation.section,
    "gait": _gait.section,
    "posture": _posture.section,
    "compensation": _compensation.section,
    "patterns": _matrix.section,
}
DOCS = Path(__file__).resolve().parents[2] / "docs"


def main() -> int:
    """Judge, print, and write unless only a part was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validate", description=__doc__)
    parser.add_argument("--only", choices=sorted(SECTIONS), help="judge one part and print it; nothing is written")
    parser.add_argument("--data", type=Path, default=os.environ.get("SAGITTAL_DATA"), help="folder of recordings")
    parser.add_argument("--print", action="store_true", help="print alone, write nothing")
    wish = parser.parse_args()
    if wish.data is None or not (wish.data / "recordings.py").is_file():
        print("no reference recordings: name their folder in SAGITTAL_DATA or with --data", file=sys.stderr)
        return 2
    found = []
    for name in [wish.only] if wish.only else list(SECTIONS):
        began = time.perf_counter()
        section = SECTIONS[name](wish.data.resolve())
        print(section.markdown(), flush=True)
        print(f"({name}: {time.perf_counter() - began:.0f} s)\n", file=sys.stderr, flush=True)
        found.append(section)
    if not wish.only and not wish.print:
        _write(found)
    return 0


def _write(sections: list[Section]) -> None:
    folder = DOCS / "validation"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for section in sections:
        for name, svg in section.plots.items():
            (folder / name).write_text(svg, encoding="utf-8")
    (DOCS / "validation.md").write_text(document(sections), encoding="utf-8")
    print(f"written: {DOCS / 'validation.md'}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
