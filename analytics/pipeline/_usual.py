"""The day against the wearer's own usual: sums of the day, valid days remembered, changes told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from analytics._evolve import evolve
from analytics.baseline import MetricBaseline
from sagittal.names import PostureLabel
from sagittal.results import Change, Day, Event, Posture, Walk
from sagittal.thresholds import threshold

WALKING = ("cadence_spm", "walking_speed_mps", "stride_length_m")
ANGLES = ("flexion_deg", "lateral_deg")
DEPARTURE = "compensation_departure"
FOLLOWED = (*WALKING, DEPARTURE, *ANGLES)
"""Metrics of a day that are compared with the wearer's own baseline."""

_UPRIGHT = (PostureLabel.STANDING, PostureLabel.WALKING)

Mean = tuple[float, float]
"""Weight, and weight times value, summed."""


@dataclass(frozen=True)
class UsualState:
    """The day's weighted sums by metric, the baselines as plain values, and the metrics told as changed."""

    sums: dict[str, Mean] = field(default_factory=dict)
    strides: int = 0
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


def hear(state: UsualState, walk: Walk) -> UsualState:
    """Count final bouts, by their strides."""
    if not walk.final:
        return state
    found = {name: getattr(walk, name) for name in WALKING}
    return _added(evolve(state, strides=state.strides + walk.n_strides), found, float(walk.n_strides))


def settle(state: UsualState, row: Posture, *, posed: bool) -> UsualState:
    """Count the angles of an upright second that changes no more, where upright comes from a pose."""
    if not posed or row.posture not in _UPRIGHT:
        return state
    return _added(state, {name: getattr(row, name) for name in ANGLES}, 1.0)


def compared(state: UsualState, day: Day, departure: float | None) -> tuple[Change, ...]:
    """Every followed metric of a day, over or not, against the baseline; nothing is remembered."""
    return tuple(
        _baseline(state, name).peek(day.date, value) if reason is None else _not_valid(state, name, value, reason)
        for name, value, reason in _values(state, day, departure)
    )


def closed(
    state: UsualState, day: Day, departure: float | None, version: str
) -> tuple[UsualState, tuple[Change, ...], list[Event]]:
    """A finished day: remembered where it is valid; what changed for the first time becomes an event."""
    changes, baselines = [], dict(state.baselines)
    for name, value, reason in _values(state, day, departure):
        if reason is None:
            baseline = _baseline(state, name)
            changes.append(baseline.add_day(day.date, value))
            baselines[name] = baseline.to_dict()
        else:
            changes.append(_not_valid(state, name, value, reason))
    judged = {one.metric for one in changes if one.reason is None or one.changed}
    now = {one.metric for one in changes if one.changed} | {one for one in state.changed if one not in judged}
    events = [_event(day, one, version) for one in changes if one.changed and one.metric not in state.changed]
    return UsualState(baselines=baselines, changed=tuple(sorted(now))), tuple(changes), events


def _added(state: UsualState, values: Mapping[str, float | None], weight: float) -> UsualState:
    sums = dict(state.sums)
    for name, value in values.items():
        if value is not None:
            before = sums.get(name, (0.0, 0.0))
            sums[name] = (before[0] + weight, before[1] + weight * value)
    return evolve(state, sums=sums)


def _values(state: UsualState, day: Day, departure: float | None) -> list[tuple[str, float | None, str | None]]:
    """Metric, its value over the day, and why the day does not count for it."""
    worn_h, least_h = day.exposure.worn_s / 3600, threshold("baseline.worn_min_h")
    worn = None if worn_h >= least_h else f"not a valid day: worn {worn_h:.1f} h, needs {least_h:.0f} h"
    least = threshold("baseline.strides_min")
    few = None if state.strides >= least else f"not a valid day: {state.strides} strides, needs {least:.0f}"
    found: list[tuple[str, float | None, str | None]] = []
    for name in FOLLOWED:
        weight, total = state.sums.get(name, (0.0, 0.0))
        value = departure if name == DEPARTURE else total / weight if weight else None
        reason = worn or (few if name not in ANGLES else None)
        if reason is None and value is None:
            reason = "upright is not known from a pose" if name in ANGLES else "no value on this day"
        found.append((name, value, reason))
    return found


def _baseline(state: UsualState, name: str) -> MetricBaseline:
    plain = state.baselines.get(name)
    return MetricBaseline(name) if plain is None else MetricBaseline.from_dict(plain)


def _not_valid(state: UsualState, name: str, value: float | None, reason: str) -> Change:
    judged = _baseline(state, name).judge() if name in state.baselines else _new(name)
    return replace(judged, value=value, changed=False, reason=reason)


@cache
def _new(name: str) -> Change:
    """What is said of a metric of which no day is known."""
    return MetricBaseline(name).judge()


def _event(day: Day, change: Change, version: str) -> Event:
    assert change.value is not None
    assert change.baseline is not None
    way = "above" if change.value > change.baseline else "below"
    text = f"{change.metric} is {way} what is usual: {change.value:.2f}, usual {change.baseline:.2f}."
    values = {"value": change.value, "baseline": change.baseline, "spread": change.spread}
    return Event(t_ns=day.end_ns, event="baseline_change", key=change.metric, values=values, text=text, version=version)


def restored(plain: Mapping[str, Any]) -> UsualState:
    """The state from its saved values."""
    sums = {name: (float(weight), float(total)) for name, (weight, total) in plain["sums"].items()}
    return UsualState(sums, int(plain["strides"]), plain["baselines"], tuple(plain["changed"]))
