"""Walks that decline and what a rest gives back, counted over a day or longer in constant memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from analytics.compensation._bands import Bands, bands
from analytics.compensation._course import Course
from analytics.compensation._departure import Departure, logistic

_NAMES = ("walks", "declined", "rested", "relieved", "lost", "rested_s")
_STEEPNESS = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Declines:
    """Long walks, those that declined, and those whose decline a rest undid.

    `lost` sums how far the long walks are declined ones, each between 0 and 1 by what it lost, one half at the edge;
    `pending` is the last declined walk, until the first minute of the next one tells what came back; `rested_s` is
    the time sat or stood bent since.
    """

    walks: int = 0
    declined: int = 0
    rested: int = 0
    relieved: int = 0
    lost: float = 0.0
    rested_s: float = 0.0
    pending: Course | None = None

    def add_walk(self, course: Course, table: Bands | None = None) -> Declines:
        """Count a finished walk; its opening answers for the decline before it where there was a rest between."""
        table = table or bands()
        answered = self._answer(course, table)
        found = decline_of(course, table)
        if found is None:
            return replace(answered, pending=None, rested_s=0.0)
        declined = found.size - found.error > table.line["decline_within_walk_edge"]
        lost = logistic(_STEEPNESS * (found.size - table.line["decline_within_walk_edge"]))
        return replace(
            answered,
            walks=answered.walks + 1,
            lost=answered.lost + lost,
            declined=answered.declined + declined,
            pending=course if declined else None,
            rested_s=0.0,
        )

    def add_rest(self, seconds: float) -> Declines:
        """Count time sitting, or standing bent forward, after a walk."""
        return replace(self, rested_s=self.rested_s + seconds)

    def merge(self, later: Declines) -> Declines:
        """Counts of this period and a later one; what was pending across the border stays unanswered."""
        return Declines(
            self.walks + later.walks,
            self.declined + later.declined,
            self.rested + later.rested,
            self.relieved + later.relieved,
            self.lost + later.lost,
            later.rested_s,
            later.pending,
        )

    @property
    def usual(self) -> Departure | None:
        """Twice the share of long walks that decline, and its standard error; None for fewer than two."""
        if self.walks < 2:
            return None
        share = self.lost / self.walks
        return Departure(2 * share, math.sqrt(share * (1 - share) / self.walks))

    def to_dict(self) -> dict[str, Any]:
        """Plain values and arrays."""
        counts = {name: getattr(self, name) for name in _NAMES}
        return counts | {"pending": self.pending.to_dict() if self.pending else None}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Declines:
        """The counts that `to_dict` told."""
        pending = Course.from_dict(state["pending"]) if state["pending"] else None
        return cls(**{name: state[name] for name in _NAMES}, pending=pending)

    def _answer(self, course: Course, table: Bands) -> Declines:
        if self.pending is None or self.rested_s < table.line["rest_min_s"]:
            return self
        back = relief(self.pending, course, table)
        if back is None:
            return self
        lost = decline_of(self.pending, table)
        half = lost is not None and back.size > 0.5 * lost.size
        return replace(self, rested=self.rested + 1, relieved=self.relieved + half)


def decline_of(course: Course, table: Bands) -> Departure | None:
    """What a walk lost from its beginning to its end; None where it is too short or has too few strides."""
    slopes = slopes_of(course, table)
    return None if slopes is None else loss_of(slopes, course.minutes, table)


def slopes_of(course: Course, table: Bands) -> dict[str, tuple[float, float]] | None:
    """Slopes per minute, with their errors, of what tells a decline; None for a walk that is too short for one."""
    if course.minutes < table.line["decline_min"]:
        return None
    return course.slopes_per_min(table.weight["decline"])


def loss_of(slopes: Mapping[str, tuple[float, float]], minutes: float, table: Bands) -> Departure:
    """What a walk of so many minutes lost."""
    weights = table.weight["decline"]
    size = -sum(weights[name] * slope * minutes for name, (slope, _) in slopes.items())
    return Departure(size, math.hypot(*(weights[name] * error * minutes for name, (_, error) in slopes.items())))


def relief(before: Course, after: Course, table: Bands | None = None) -> Departure | None:
    """How much of what a walk lost was back in the first minute of the next one; None where either is unknown."""
    table = table or bands()
    size = 0.0
    for name, weight in table.weight["decline"].items():
        end, start = before.end_value(name), after.opening_mean(name)
        if end is None or start is None:
            return None
        size += weight * (start - end)
    return Departure(size, table.line["relief_noise"])
