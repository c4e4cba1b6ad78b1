"""Contacts against contacts, time against time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.validate._recordings import FloatArray


@dataclass
class Matches:
    """Pairs within a tolerance: `error_s` ours less reference, `sides` (ours, reference); and what is left over."""

    error_s: list[float] = field(default_factory=list)
    sides: list[tuple[str | None, str | None]] = field(default_factory=list)
    missed: int = 0
    extra: int = 0

    def __iadd__(self, other: Matches) -> Self:
        self.error_s += other.error_s
        self.sides += other.sides
        self.missed += other.missed
        self.extra += other.extra
        return self

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision."""
        hits = len(self.error_s)
        return 2 * hits / max(1, 2 * hits + self.missed + self.extra)

    @property
    def error_ms(self) -> float:
        """Mean absolute error of the pairs."""
        return 1000 * float(np.mean(np.abs(self.error_s))) if self.error_s else float("nan")

    @property
    def own_lag_error_ms(self) -> float:
        """The same after the median error is taken off."""
        return (
            1000 * float(np.mean(np.abs(np.asarray(self.error_s) - np.median(self.error_s))))
            if self.error_s
            else float("nan")
        )

    @property
    def side_accuracy(self) -> float:
        """Share of pairs with the right side, of those whose reference names one."""
        known = [(ours, theirs) for ours, theirs in self.sides if theirs is not None]
        return sum(ours == theirs for ours, theirs in known) / max(1, len(known))


def match(
    ours: Sequence[float],
    theirs: Sequence[float],
    within_s: float,
    sides: tuple[Sequence[str | None], Sequence[str | None]] | None = None,
) -> Matches:
    """One to one, the closest pairs first."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    found = Matches()
    distance = np.abs(a[:, None] - b[None, :]) if len(a) and len(b) else np.zeros((0, 0))
    left_a, left_b = set(range(len(a))), set(range(len(b)))
    for flat in np.argsort(distance, axis=None, kind="stable"):
        i, j = divmod(int(flat), distance.shape[1])
        if distance[i, j] > within_s:
            break
        if i in left_a and j in left_b:
            left_a.remove(i)
            left_b.remove(j)
            found.error_s.append(float(a[i] - b[j]))
            if sides is not None:
                found.sides.append((sides[0][i], sides[1][j]))
    found.missed, found.extra = len(left_b), len(left_a)
    return found


def covered(spans: Sequence[tuple[float, float]], at_s: FloatArray) -> NDArray[np.bool_]:
    """Which times lie in one of the spans."""
    inside = np.zeros(len(at_s), dtype=bool)
    for start, end in spans:
        inside |= (at_s >= start) & (at_s <= end)
    return inside


def icc(pairs: Sequence[tuple[float, float]]) -> float:
    """One-way intraclass correlation of what was measured twice (Shrout & Fleiss 1979, ICC 1,1)."""
    values = np.array(pairs)
    between = 2 * values.mean(axis=1).var(ddof=1)
    within = float(((values[:, 0] - values[:, 1]) ** 2 / 2).mean())
    return float((between - within) / (between + within))
