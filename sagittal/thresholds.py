"""Thresholds as data: name, value, unit and source, from `thresholds.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold and where it comes from."""

    name: str
    value: float
    unit: str
    source: str


@cache
def thresholds() -> dict[str, Threshold]:
    """Every threshold by its dotted name, such as `posture.bend_min_deg`."""
    table = tomllib.loads(files("sagittal").joinpath("thresholds.toml").read_text(encoding="utf-8"))
    return {threshold.name: threshold for threshold in _walk("", table)}


def threshold(name: str) -> float:
    """The value of one threshold; KeyError where there is none of that name."""
    return thresholds()[name].value


def _walk(prefix: str, table: dict[str, Any]) -> Iterator[Threshold]:
    for key, entry in table.items():
        name = f"{prefix}{key}"
        if "value" in entry:
            yield Threshold(name, float(entry["value"]), entry["unit"], entry["source"])
        else:
            yield from _walk(f"{name}.", entry)
