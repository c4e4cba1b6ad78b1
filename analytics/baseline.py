"""The wearer's own baseline: what is usual for this person, and when a change is more than noise."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from sagittal.results import Change

MIN_DAYS = 5
"""Valid days before anything is called usual."""

RECENT_DAYS = 3
"""Valid days in a row on which a change must stand."""

MEMORY_DAYS = 60
"""Valid days kept; the reference is made from those before the recent ones."""

SPREAD_FACTOR = 3.0
_MAD_TO_SD = 1.4826
_CUSUM_DAYS = 14
_CUSUM_SLACK = 1.0
_CUSUM_LIMIT = 5.0
_CUSUM_CLIP = 2.0


@dataclass(frozen=True, slots=True)
class DetectableChange:
    """Smallest change of a metric beyond measurement error (95 %), in its unit, and its source."""

    value: float
    unit: str
    source: str


DETECTABLE: dict[str, DetectableChange] = {
    "walking_speed_mps": DetectableChange(0.18, "m/s", "MDC95, slow walkers: Sensors 2020 20:4866 table 3"),
    "cadence_spm": DetectableChange(12.2, "steps/min", "MDC95, slow walkers: Sensors 2020 20:4866 table 3"),
    "stride_length_m": DetectableChange(0.212, "m", "twice the MDC95 of step length, .106 m: ibid."),
    "flexion_deg": DetectableChange(10.0, "deg", "MDC90 of lumbar angles 5-15 deg: PMC5034504"),
    "lateral_deg": DetectableChange(10.0, "deg", "MDC90 of lumbar angles 5-15 deg: PMC5034504"),
    "compensation_departure": DetectableChange(
        0.33, "spreads", "2.77 times the scatter .12 between walks of one healthy person (healthy_walk)"
    ),
}
"""Detectable changes known from elsewhere; for other metrics the person's own spread alone decides."""


SLOW = "slow change: the sum of small departures passed its limit (CUSUM)"
"""The reason that stands beside a change which no single day shows."""


@dataclass(slots=True)
class MetricBaseline:
    """Days of one metric, newest last; constant memory."""

    metric: str
    detectable_change: float | None = None
    values: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=MEMORY_DAYS))
    reference: tuple[float, float] | None = None
    rise: float = 0.0
    fall: float = 0.0

    def __post_init__(self) -> None:
        """Take the detectable change that is known for the metric."""
        if self.detectable_change is None and self.metric in DETECTABLE:
            self.detectable_change = DETECTABLE[self.metric].value

    def add_day(self, date: str, value: float | None) -> Change:
        """Take in one finished day (ISO date, later than all before) and judge it.

        A day without a value (not worn, not assessable) leaves everything as it is. A date seen before or earlier
        than the newest is refused the same way: nothing is counted twice.
        """
        if value is None or not math.isfinite(value):
            return self._change(None, None, False, "no valid value on this day")
        if self.values and date <= self.values[-1][0]:
            return self._change(value, None, False, "this day or a later one is counted already")
        self.values.append((date, float(value)))
        self._follow(float(value))
        return self.judge()

    def peek(self, date: str, value: float | None) -> Change:
        """What `add_day` would say, without taking the day in."""
        return replace(self, values=self.values.copy()).add_day(date, value)

    def judge(self) -> Change:
        """The newest day against those before the last three.

        `baseline` and `spread` (robust SD) are over the valid days before the last three. Changed is where each of
        the last three lies beyond max(detectable change, 3 × spread) on the same side, or where small departures
        add up (`SLOW` is the reason then). Otherwise `reason` says why there is no baseline yet.
        """
        numbers = [number for _date, number in self.values]
        before, recent = numbers[:-RECENT_DAYS], numbers[-RECENT_DAYS:]
        value = numbers[-1] if numbers else None
        if len(before) < MIN_DAYS:
            need = MIN_DAYS + RECENT_DAYS
            return self._change(value, None, False, f"baseline not ready: {len(numbers)} of {need} valid days")
        centre, spread = centre_and_spread(before)
        limit = max(self.detectable_change or 0.0, SPREAD_FACTOR * spread)
        away = [number - centre for number in recent]
        lasting = limit > 0 and (min(away) > limit or max(away) < -limit)
        slow = self.drifting and not lasting
        return self._change(value, (centre, spread), lasting or slow, SLOW if slow else None)

    @property
    def drifting(self) -> bool:
        """Whether small departures since the baseline was made add up to a slow change."""
        return max(self.rise, self.fall) > _CUSUM_LIMIT

    def restart(self) -> None:
        """Begin anew, as after a new device or a new place of it."""
        self.values.clear()
        self.reference = None
        self.rise = self.fall = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "metric": self.metric,
            "detectable_change": self.detectable_change,
            "values": [list(day) for day in self.values],
            "reference": list(self.reference) if self.reference else None,
            "rise": self.rise,
            "fall": self.fall,
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> MetricBaseline:
        """The baseline that `to_dict` told."""
        days = [(str(date), float(value)) for date, value in state["values"]]
        reference = state["reference"]
        return cls(
            metric=str(state["metric"]),
            detectable_change=state["detectable_change"],
            values=deque(days, maxlen=MEMORY_DAYS),
            reference=(float(reference[0]), float(reference[1])) if reference else None,
            rise=float(state["rise"]),
            fall=float(state["fall"]),
        )

    def _follow(self, value: float) -> None:
        """Two-sided CUSUM (Page 1954) in spreads of the first 14 valid days, single days clipped."""
        if self.reference is None:
            if len(self.values) >= _CUSUM_DAYS:
                centre, spread = centre_and_spread([number for _date, number in self.values])
                self.reference = centre, max(spread, (self.detectable_change or 0.0) / SPREAD_FACTOR)
            return
        centre, spread = self.reference
        if spread <= 0:
            return
        z = min(max((value - centre) / spread, -_CUSUM_CLIP), _CUSUM_CLIP)
        self.rise = max(0.0, self.rise + z - _CUSUM_SLACK)
        self.fall = max(0.0, self.fall - z - _CUSUM_SLACK)

    def _change(
        self, value: float | None, usual: tuple[float, float] | None, changed: bool, reason: str | None
    ) -> Change:
        return Change(
            metric=self.metric,
            value=value,
            baseline=usual[0] if usual else None,
            spread=usual[1] if usual else None,
            detectable_change=self.detectable_change,
            days=len(self.values),
            changed=changed,
            reason=reason,
        )


def centre_and_spread(values: list[float]) -> tuple[float, float]:
    """Median and robust SD (1.4826 × the median absolute deviation)."""
    centre = median(values)
    return centre, _MAD_TO_SD * median([abs(value - centre) for value in values])
