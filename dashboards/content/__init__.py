"""Content for people, as data with its sources: movements, and when to ask for help."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Movement:
    """A general movement, what the sensor counts of it (a value of its session's event, or nothing), and its source."""

    name: str
    title: str
    how: str
    counts: str
    source: str


@dataclass(frozen=True, slots=True)
class Checklist:
    """Signs for a person's own checking, never inferred from a sensor."""

    title: str
    items: tuple[str, ...]
    source: str


@cache
def movements() -> dict[str, Movement]:
    """The movements by name."""
    table = _table("movements.toml")
    return {name: Movement(name=name, **entry) for name, entry in table.items()}


@cache
def checklists() -> tuple[Checklist, ...]:
    """When it is wise to seek a professional's evaluation, most urgent first."""
    return tuple(
        Checklist(entry["title"], tuple(entry["items"]), entry["source"]) for entry in _table("help.toml").values()
    )


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files("dashboards.content").joinpath(name).read_text(encoding="utf-8"))


EXERCISES: tuple[str, ...] = tuple(movements())
"""The names of the movements."""
