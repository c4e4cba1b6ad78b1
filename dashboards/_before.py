"""What came before high pain marks: the half hours before them beside all other worn time. A description, with counts.

Entries are not missing at random (people in more pain log more), so counts stand beside every share and nothing is
tested or called a cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sagittal.names import PostureLabel
from sagittal.results import Event, Exposure, Minute
from sagittal.units import NS_PER_S

PAINS = ("pain_back", "pain_knee_left", "pain_knee_right")
BEFORE_NS = 30 * 60 * NS_PER_S
HIGH_PAIN = 5
MIN_WORN_MIN = 20
"""Worn minutes before the marks below which shares say nothing."""
_MINUTE_NS = 60 * NS_PER_S
_SHOWN = (PostureLabel.SITTING, PostureLabel.STANDING, PostureLabel.WALKING, PostureLabel.BENDING, PostureLabel.LYING)


@dataclass(slots=True)
class Span:
    """Sums over some minutes."""

    worn_s: float = 0.0
    slouched_s: float = 0.0
    bends: int = 0
    steps: int = 0
    posture_s: dict[str, float] | None = None

    def add(self, sums: Exposure) -> None:
        """Count a minute."""
        self.posture_s = self.posture_s or {}
        self.worn_s += sums.worn_s
        self.slouched_s += sums.slouched_s
        self.bends += sums.bends
        self.steps += sums.steps
        for label in _SHOWN:
            self.posture_s[label] = self.posture_s.get(label, 0.0) + sums.posture_s.get(label, 0.0)

    def share(self, seconds: float) -> float:
        """Percent of the worn time."""
        return 100.0 * seconds / self.worn_s

    def an_hour(self, count: int) -> float:
        """A count for every worn hour."""
        return 3600.0 * count / self.worn_s


@dataclass(frozen=True, slots=True)
class Before:
    """The half hours before `marks` high entries, beside the other worn minutes."""

    marks: int
    inside: Span
    outside: Span

    @property
    def enough(self) -> bool:
        """Whether there is something to compare."""
        return self.marks > 0 and self.inside.worn_s >= 60 * MIN_WORN_MIN and self.outside.worn_s > 0

    def shares(self) -> list[tuple[str, float, float]]:
        """Posture, or "slouched", with its percent before and otherwise."""
        inside, outside = self.inside.posture_s or {}, self.outside.posture_s or {}
        rows = [
            (str(label), self.inside.share(inside.get(label, 0.0)), self.outside.share(outside.get(label, 0.0)))
            for label in _SHOWN
        ]
        slouched = [span.share(span.slouched_s) for span in (self.inside, self.outside)]
        rows.append(("slouched", slouched[0], slouched[1]))
        return [row for row in rows if max(row[1], row[2]) >= 0.5]


def what_came_before(minutes: Iterable[Minute], entries: Sequence[Event]) -> Before:
    """Sort minutes into those of the half hours before high marks and all others."""
    high = sorted(event.t_ns for event in entries if highest(event) >= HIGH_PAIN)
    inside, outside = Span(), Span()
    for minute in minutes:
        before = any(at - BEFORE_NS <= minute.t_ns and minute.t_ns + _MINUTE_NS <= at for at in high)
        if minute.exposure.worn_s > 0:
            (inside if before else outside).add(minute.exposure)
    return Before(len(high), inside, outside)


def highest(event: Event) -> float:
    """The highest pain mark of an entry; 0 where it has none."""
    return max((event.values.get(name) or 0.0 for name in PAINS), default=0.0)
