"""Walks and their patterns in plain words: what was looked for, what was seen, and what could not be assessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dashboards._clock import local_time
from dashboards._metrics import (
    change_words,
    evidence_words,
    pattern_name,
    pattern_words,
    quantity,
    reason_words,
)
from dashboards._words import duration, word
from sagittal.results import Day, Pattern, Walk
from sagittal.units import NS_PER_S

_FACTS = ("walking_speed_mps", "stride_length_m")


@dataclass(frozen=True, slots=True)
class WalkView:
    """One walk in words."""

    start: str
    iso: str
    length: str
    steps: int
    cadence: str
    facts: str
    patterns: list[str]


@dataclass(frozen=True, slots=True)
class PatternView:
    """One pattern over a day: how often it was seen where it could be assessed, on what, or why it could not be."""

    name: str
    seen: str
    flagged: bool
    basis: str
    limits: str


@dataclass(frozen=True, slots=True)
class PatternsView:
    """Every pattern that was looked for on a day, and changes against the own usual."""

    patterns: list[PatternView]
    changed: list[str]
    usual: list[str]
    waiting: str


def walk_view(walk: Walk, zone: ZoneInfo) -> WalkView:
    """A walk in words."""
    start = local_time(walk.start_ns, zone)
    return WalkView(
        start=f"{start:%H:%M}",
        iso=start.isoformat(timespec="seconds"),
        length=duration((walk.end_ns - walk.start_ns) / NS_PER_S) if walk.final else word("walks.ongoing"),
        steps=walk.n_steps,
        cadence="–" if walk.cadence_spm is None else str(round(walk.cadence_spm)),
        facts=_facts(walk),
        patterns=[pattern_words(pattern) for pattern in walk.compensations if pattern.flagged],
    )


def patterns_view(walks: Sequence[Walk], day: Day | None) -> PatternsView:
    """The patterns of a day: the day's own where it has them, else gathered from its walks."""
    by_walk: dict[str, list[Pattern]] = {}
    for walk in sorted(walks, key=lambda walk: walk.start_ns):
        for pattern in walk.compensations:
            by_walk.setdefault(pattern.pattern, []).append(pattern)
    of_day = {pattern.pattern: pattern for pattern in day.compensations} if day is not None else {}
    names = [*of_day, *(name for name in by_walk if name not in of_day)]
    views = [_pattern(name, of_day.get(name), by_walk.get(name, [])) for name in names]
    said = [(change, change_words(change)) for change in (day.changes if day is not None else [])]
    waits = next((change.reason for change, text in said if not text and change.reason), "")
    return PatternsView(
        patterns=sorted(views, key=lambda view: not view.flagged),
        changed=[text for change, text in said if text and change.changed],
        usual=[text for change, text in said if text and not change.changed],
        waiting=reason_words(waits) if waits else "",
    )


def _pattern(name: str, whole: Pattern | None, walks: Sequence[Pattern]) -> PatternView:
    able = [pattern for pattern in walks if pattern.assessable]
    newest = whole or (able[-1] if able else walks[-1])
    flagged = newest.flagged if whole is not None else any(pattern.flagged for pattern in able)
    basis = ""
    if able:
        seen = word("walks.seen_in", n=sum(pattern.flagged for pattern in able), of=len(able))
        basis = evidence_words(newest.evidence)
    elif newest.assessable:
        seen = word("walks.seen") if newest.flagged else word("walks.not_seen")
        basis = evidence_words(newest.evidence)
    else:
        seen = word("walks.not_assessed", reason=reason_words(newest.reason))
    return PatternView(pattern_name(name), seen, flagged, basis, newest.limits)


def _facts(walk: Walk) -> str:
    said = [
        word(f"walks.{name}", value=quantity(name, value))
        for name in _FACTS
        if (value := getattr(walk, name)) is not None
    ]
    if walk.final:
        said.append(word("walks.steady_walk") if walk.steady else _unsteady(walk))
    return " · ".join(said)


def _unsteady(walk: Walk) -> str:
    reason = reason_words(walk.steady_reason) if walk.steady_reason else ""
    return word("walks.unsteady", reason=reason) if reason else word("walks.unsteady_walk")
