"""Compensation: who is flagged, by set and condition."""

from __future__ import annotations

from pathlib import Path

from benchmarks.validate._recordings import Judged, analysed, people
from benchmarks.validate._report import Row, Section

SETS = ("healthy_walk", "stroke_walk", "stiff_knee")


def section(data: Path) -> Section:
    """Share flagged and share with a score."""
    rows = []
    for set_name in SETS:
        every = analysed(data, set_name)
        for condition in sorted({one.meta["condition"] for one in every}):
            some = [one for one in every if one.meta["condition"] == condition]
            rows.append(Row(f"flagged: {condition} (`{set_name}`)", people(some), _share(some, "compensation_flagged")))
    return Section("Compensation", rows=rows)


def _share(some: list[Judged], key: str) -> float:
    return sum(bool(one.found[key]) for one in some) / len(some)
