"""Names and units of metrics as people read them: the unit stands at the end of a metric's name."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards._words import word, word_or
from sagittal.names import Side
from sagittal.results import Change, Pattern

_UNITS = (
    ("_mps2", "m/s²", 2),
    ("_mps", "m/s", 2),
    ("_spm", "/min", 0),
    ("_per_min", "/min", 1),
    ("_percent", "%", 1),
    ("_dps", "°/s", 0),
    ("_deg", "°", 1),
    ("_min", "min", 0),
    ("_m", "m", 2),
    ("_s", "s", 2),
)
_SURE, _UNSURE = 0.75, 0.5


def metric_name(name: str) -> str:
    """A metric in words, without its unit."""
    suffix, _unit, _digits = _unit_of(name)
    bare = name.removesuffix(suffix) if suffix else name
    return word_or(f"metric.{name}", word_or(f"metric.{bare}", bare.replace("_", " ")))


def quantity(name: str, value: float | None) -> str:
    """A value with its unit, rounded to what can be told; a dash where it is absent."""
    if value is None:
        return "–"
    _suffix, unit, digits = _unit_of(name)
    space = "" if unit.startswith("°") or not unit else " "
    return f"{value:.{digits}f}{space}{unit}"


def pattern_name(name: str) -> str:
    """A compensation pattern in plain words."""
    return word_or(f"pattern.{name}", name.replace("_", " "))


def reason_words(reason: str | None) -> str:
    """Why something is absent, in words."""
    if not reason:
        return word("why.unknown")
    return word_or(f"why.{reason}", reason.replace("_", " "))


def sureness(confidence: float) -> str:
    """A confidence in words."""
    name = "sure" if confidence >= _SURE else "fair" if confidence >= _UNSURE else "unsure"
    return word(f"walks.{name}")


def pattern_words(pattern: Pattern) -> str:
    """A flagged pattern as a careful sentence."""
    side = word("walks.pattern_side", side=word(f"side.{Side(pattern.side)}")) if pattern.side else ""
    name = pattern_name(pattern.pattern)
    return word("walks.pattern", pattern=name, side=side, sure=sureness(pattern.confidence))


def evidence_words(evidence: Mapping[str, float | None], most: int = 4) -> str:
    """The first metrics that a pattern rests on, with their units, and how far from the reference, with its error."""
    known = {name: value for name, value in evidence.items() if value is not None}
    size, error = known.pop("departure", None), known.pop("departure_error", None)
    said = [f"{metric_name(name)} {quantity(name, value)}" for name, value in list(known.items())[:most]]
    if size is not None and error is not None:
        said.insert(0, word("walks.departure", size=f"{size:.1f}", error=f"{error:.1f}"))
    return ", ".join(said)


def change_words(change: Change) -> str:
    """A change against the person's own usual, in a sentence; empty where there is nothing to compare."""
    if change.value is None or change.baseline is None:
        return ""
    return word(
        "change.different" if change.changed else "change.usual",
        metric=metric_name(change.metric),
        value=quantity(change.metric, change.value),
        usual=quantity(change.metric, change.baseline),
        least=quantity(change.metric, change.detectable_change),
    )


def _unit_of(name: str) -> tuple[str, str, int]:
    return next((one for one in _UNITS if name.endswith(one[0])), ("", "", 2))
