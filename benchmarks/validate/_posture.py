"""Posture labels against what people were asked to do (posture_adl)."""

from __future__ import annotations

from pathlib import Path

from benchmarks.validate._recordings import Judged, analysed, people
from benchmarks.validate._report import Row, Section

LEAST_S = 1.0
EXPECTED = {
    "walk": {"walking"},
    "jog": {"walking"},
    "sit": {"sitting"},
    "lie": {"lying"},
    "squat": {"squatting"},
    "bend": {"bending"},
}
"""The label that must be seen, by a word of the activity's name."""


def section(data: Path) -> Section:
    """How often the label of the activity was seen for a second or more."""
    every = analysed(data, "posture_adl")
    rows = []
    for word, labels in EXPECTED.items():
        asked = [one for one in every if word in one.meta["condition"]]
        if asked:
            seen = sum(bool(labels & _labels(one)) for one in asked) / len(asked)
            rows.append(Row(f"label seen where the activity says “{word}”", people(asked), seen))
    return Section("Posture", rows=rows)


def _labels(one: Judged) -> set[str]:
    seconds: dict[str, float] = {}
    for span in one.found["posture"]:
        seconds[span["posture"]] = seconds.get(span["posture"], 0.0) + span["end_s"] - span["start_s"]
    return {label for label, amount in seconds.items() if amount >= LEAST_S}
