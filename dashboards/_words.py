"""Every word that a wearer reads, from one catalogue: `words.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from sagittal.results import NOTICE


@cache
def catalogue() -> dict[str, str]:
    """The words by their dotted names, such as `posture.sitting`."""
    table = tomllib.loads(files("dashboards").joinpath("words.toml").read_text(encoding="utf-8"))
    flat: dict[str, str] = {"notice": NOTICE}
    _flatten("", table, flat)
    return flat


def word(name: str, /, **values: object) -> str:
    """The words of one name with `{placeholders}` filled; KeyError where the catalogue lacks it."""
    text = catalogue()[name]
    return text.format(**values) if values else text


def word_or(name: str, fallback: str) -> str:
    """The words of one name, or the fallback where the catalogue has none."""
    return catalogue().get(name, fallback)


def duration(seconds: float) -> str:
    """A length of time as people say it: "40 s", "12 min", "2 h 05 min"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return word("unit.s", n=whole)
    hours, minutes = divmod(whole // 60, 60)
    return word("unit.h_min", h=hours, m=f"{minutes:02d}") if hours else word("unit.min", n=minutes)


def _flatten(prefix: str, table: dict[str, Any], into: dict[str, str]) -> None:
    for key, value in table.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}{key}.", value, into)
        else:
            into[f"{prefix}{key}"] = str(value)
