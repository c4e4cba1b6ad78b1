"""Bands, slopes and weights as data: `bands.toml`, each with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Band:
    """Where a metric lies in healthy gait, on its link scale.

    `centre` and `spread` are in link units at 105 steps/min, `slope` per unit of ln(cadence / 105); `sign` is +1
    where larger values depart from healthy gait, −1 where smaller ones do.
    """

    link: str
    centre: float
    spread: float
    slope: float
    sign: float
    source: str


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """The whole table; one is another's equal by identity, so that what follows from it is worked out once."""

    metric: dict[str, Band]
    phase_deg: dict[str, float]
    weight: dict[str, dict[str, float]]
    line: dict[str, float]
    source: dict[str, str]


@cache
def bands() -> Bands:
    """The table that ships with the package."""
    table = tomllib.loads(files("analytics.compensation").joinpath("bands.toml").read_text(encoding="utf-8"))
    return Bands(
        metric={name: Band(**entry) for name, entry in table["metric"].items()},
        phase_deg={name: float(entry["value"]) for name, entry in table["phase_deg"].items()},
        weight=table["weight"],
        line={name: float(entry["value"]) for name, entry in table["line"].items()},
        source={
            f"{group}.{name}": entry["source"]
            for group in ("phase_deg", "line")
            for name, entry in table[group].items()
        },
    )
