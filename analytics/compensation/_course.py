"""How a walk goes on in time: slopes per minute, and how it began and ended."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._spectrum import SLOT

FOLLOWED = ("cadence", "amplitude", "regularity", "variability")
"""Log cadence, log vertical step amplitude (falls with speed), step regularity, stride time variability."""

_MOMENTS = ("n", "t", "tt", *(f"{kind}_{name}" for name in FOLLOWED for kind in ("y", "ty", "yy")))
_OPENING_S = 60.0
_TOLD = [
    SLOT[name] for name in ("strides", "duration", "duration_spread", "total_v", "even_norm", "odd_norm", "total_norm")
]
"""Sums of a block that the course is made of."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Sums for straight lines over one walk, weighted by strides; `merge` joins the pieces of the same bout."""

    moments: FloatArray = field(default_factory=lambda: np.zeros(len(_MOMENTS)))
    opening: FloatArray = field(default_factory=lambda: np.zeros(1 + len(FOLLOWED)))
    span_s: tuple[float, float] = (np.inf, -np.inf)

    def merge(self, later: Course) -> Course:
        """The same walk with a later piece of it."""
        if later.span_s[0] > later.span_s[1]:
            return self
        return Course(
            self.moments + later.moments,
            self.opening + later.opening,
            (min(self.span_s[0], later.span_s[0]), max(self.span_s[1], later.span_s[1])),
        )

    @property
    def minutes(self) -> float:
        """Time between the first and the last block of strides."""
        return max(self.span_s[1] - self.span_s[0], 0.0) / 60

    def slopes_per_min(self, names: Iterable[str]) -> dict[str, tuple[float, float]] | None:
        """Least-squares slopes and their standard errors; None where the walk is too short for a line."""
        n, t, tt, *sums = self.moments.tolist()
        if n < 12 or self.minutes < 1.0:
            return None
        spread = tt - t * t / n
        found: dict[str, tuple[float, float]] = {}
        for name in names:
            place = 3 * FOLLOWED.index(name)
            y, ty, yy = sums[place : place + 3]
            slope = (ty - t * y / n) / spread
            rest = max(yy - y * y / n - slope**2 * spread, 0.0) / max(n / 4 - 2, 1)
            found[name] = 60 * slope, 60 * math.sqrt(rest / spread)
        return found

    def opening_mean(self, name: str) -> float | None:
        """Mean over the first minute; None without a block in it."""
        if self.opening[0] <= 0:
            return None
        return float(self.opening[1 + FOLLOWED.index(name)] / self.opening[0])

    def end_value(self, name: str) -> float | None:
        """Where the line ends; None where there is no line."""
        slopes = self.slopes_per_min((name,))
        if slopes is None:
            return None
        n, t = float(self.moments[0]), float(self.moments[1])
        mean = float(self.moments[3 + 3 * FOLLOWED.index(name)]) / n
        return mean + slopes[name][0] / 60 * (self.span_s[1] - t / n)

    def to_dict(self) -> dict[str, Any]:
        """Plain values and arrays."""
        return {"moments": self.moments, "opening": self.opening, "span_s": list(self.span_s)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Course:
        """The course that `to_dict` told; one of another version starts anew."""
        moments = np.array(state["moments"], dtype=float)
        if moments.shape != (len(_MOMENTS),):
            return cls()
        first, last = state["span_s"]
        return cls(moments, np.array(state["opening"], dtype=float), (float(first), float(last)))


def course_of(rows: FloatArray, at_s: FloatArray) -> Course:
    """The course of one stretch from its blocks."""
    n, duration_sum, spread, amplitude, even, odd, norm = rows[:, _TOLD].T
    duration = duration_sum / n
    values = np.empty((len(rows), 1 + len(FOLLOWED)))
    values[:, 0] = 1.0
    values[:, 1] = np.log(120 / duration)
    values[:, 2] = 0.5 * np.log(np.maximum(amplitude / n, 1e-9))
    values[:, 3] = (even - odd) / np.maximum(norm, 1e-9)
    values[:, 4] = np.sqrt(spread / n) / duration
    weights = np.array((n, n * at_s))
    (strides, *plain), (times, *timed) = (weights @ values).tolist()
    squares = (n @ values[:, 1:] ** 2).tolist()
    sums = [strides, times, weights[1] @ at_s, *itertools.chain(*zip(plain, timed, squares, strict=True))]
    opening = (n * (at_s < _OPENING_S)) @ values
    return Course(np.array(sums), opening, (float(at_s.min()), float(at_s.max())))
