"""How a walk goes on in time: slopes per minute, and how it began and ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._spectrum import SLOT

FOLLOWED = ("cadence", "amplitude", "regularity", "variability")
"""Log cadence, log vertical step amplitude (falls with speed), step regularity, stride time variability."""

_MOMENTS = ("n", "t", "tt", *(f"{kind}_{name}" for name in FOLLOWED for kind in ("y", "ty", "yy")))
_OPENING_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Sums for straight lines over one walk, weighted by strides; `merge` joins the pieces of the same bout."""

    moments: FloatArray = field(default_factory=lambda: np.zeros(len(_MOMENTS)))
    opening: FloatArray = field(default_factory=lambda: np.zeros(1 + len(FOLLOWED)))
    span_s: tuple[float, float] = (np.inf, -np.inf)

    def merge(self, later: Course) -> Course:
        """The same walk with a later piece of it."""
        return Course(
            self.moments + later.moments,
            self.opening + later.opening,
            (min(self.span_s[0], later.span_s[0]), max(self.span_s[1], later.span_s[1])),
        )

    @property
    def minutes(self) -> float:
        """Time between the first and the last block of strides."""
        return max(self.span_s[1] - self.span_s[0], 0.0) / 60 if np.isfinite(self.span_s[0]) else 0.0

    def slope_per_min(self, name: str) -> tuple[float, float] | None:
        """Least-squares slope and its standard error; None where the walk is too short for a line."""
        n, t, tt = (float(value) for value in self.moments[:3])
        place = 3 + 3 * FOLLOWED.index(name)
        y, ty, yy = (float(value) for value in self.moments[place : place + 3])
        if n < 12 or self.minutes < 1.0:
            return None
        spread = tt - t * t / n
        slope = (ty - t * y / n) / spread
        rest = max(yy - y * y / n - slope**2 * spread, 0.0) / max(n / 4 - 2, 1)
        return 60 * slope, 60 * float(np.sqrt(rest / spread))

    def opening_mean(self, name: str) -> float | None:
        """Mean over the first minute; None without a block in it."""
        if self.opening[0] <= 0:
            return None
        return float(self.opening[1 + FOLLOWED.index(name)] / self.opening[0])

    def end_value(self, name: str) -> float | None:
        """Where the line ends; None where there is no line."""
        slope = self.slope_per_min(name)
        if slope is None:
            return None
        n, t = float(self.moments[0]), float(self.moments[1])
        mean = float(self.moments[3 + 3 * FOLLOWED.index(name)]) / n
        return mean + slope[0] / 60 * (self.span_s[1] - t / n)

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
    n = rows[:, SLOT["strides"]]
    duration = rows[:, SLOT["duration"]] / n
    spread = np.sqrt(rows[:, SLOT["duration_spread"]] / n) / duration
    amplitude = np.sqrt(np.maximum(rows[:, SLOT["total_v"]] / n, 1e-9))
    regularity = (rows[:, SLOT["even_norm"]] - rows[:, SLOT["odd_norm"]]) / np.maximum(
        rows[:, SLOT["total_norm"]], 1e-9
    )
    values = np.column_stack([np.log(120 / duration), np.log(amplitude), regularity, spread])
    times = np.array((n.sum(), n @ at_s, n @ at_s**2))
    sums = np.concatenate((times, np.stack((n @ values, (n * at_s) @ values, n @ values**2)).T.ravel()))
    early = at_s < _OPENING_S
    opening = np.append(n[early].sum(), n[early] @ values[early])
    return Course(sums, opening, (float(at_s.min()), float(at_s.max())))
