"""A second sensor on the trunk or a thigh: its own upright and forward, and what it adds.

Its upright is its mean direction in the lead's walking. Its forward needs no compass: both sensors feel the same
horizontal accelerations of walking, so the turn that makes theirs agree best with the lead's is its mounting. Flexion
and lateral bend between two sensors are differences of inclinations, in which heading has no part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analytics._window import FloatArray, Window
from analytics.posture._angles import body_axes
from analytics.posture._records import Course
from analytics.posture._ticks import Array
from analytics.posture._vectors import angle, of, unit
from sagittal.names import Site

ENOUGH_S = 5.0
_MEMORY_S = 600.0
_LEAST_AGREEMENT = 0.4
_THIGHS = (Site.THIGH_LEFT, Site.THIGH_RIGHT)


@dataclass(frozen=True)
class Beside:
    """One further sensor: sums over seconds of walking.

    `up` of its mean directions; `both`, `lead` and `own`, (3, 3), of products of accelerations, the lead's with its
    own, the lead's with each other, its own with each other.
    """

    seconds: float = 0.0
    up: Array = field(default_factory=lambda: np.zeros(3))
    both: Array = field(default_factory=lambda: np.zeros((3, 3)))
    lead: Array = field(default_factory=lambda: np.zeros((3, 3)))
    own: Array = field(default_factory=lambda: np.zeros((3, 3)))


@dataclass(frozen=True)
class Added:
    """What the further sensors add to a second, degrees: lumbar bends, and the thigh's inclination."""

    lumbar_flexion_deg: float | None = None
    lumbar_lateral_deg: float | None = None
    thigh_deg: float | None = None


NOTHING = Added()


def learn(known: dict[str, Beside], lead: FloatArray, others: Mapping[str, Window]) -> dict[str, Beside]:
    """Take a second of walking; `lead` is the leading sensor's acceleration, (100, 3)."""
    acc = lead - lead.sum(axis=0) / len(lead)
    return {**known, **{site: _with(known.get(site, Beside()), acc, window) for site, window in others.items()}}


def add(
    known: Mapping[str, Beside],
    course: Course,
    others: Mapping[str, Window],
    flexion_deg: float | None,
    lateral_deg: float | None,
) -> Added:
    """What the further sensors say of a second, beside the lead's mean inclination."""
    flexion = lateral = None
    trunk, window = known.get(str(Site.UPPER_TRUNK)), others.get(str(Site.UPPER_TRUNK))
    if trunk is not None and window is not None and flexion_deg is not None and lateral_deg is not None:
        axes = _axes(trunk, body_axes(course))
        if axes is not None:
            up = axes @ (window.up.sum(axis=0) / len(window))
            flexion = math.degrees(math.atan2(-up[2], up[0])) - flexion_deg
            lateral = math.degrees(math.asin(max(-1.0, min(1.0, -float(up[1]))))) - lateral_deg
    return Added(_rounded(flexion), _rounded(lateral), _rounded(_thigh(known, others)))


def trunk_tilt_deg(known: Mapping[str, Beside], others: Mapping[str, Window]) -> float | None:
    """Inclination of the upper trunk against walking."""
    return _tilt(known, others, Site.UPPER_TRUNK)


def _tilt(known: Mapping[str, Beside], others: Mapping[str, Window], site: Site) -> float | None:
    own, window = known.get(str(site)), others.get(str(site))
    if own is None or window is None or own.seconds < ENOUGH_S:
        return None
    return angle(unit(of(window.up.sum(axis=0))), unit(of(own.up)))


def _thigh(known: Mapping[str, Beside], others: Mapping[str, Window]) -> float | None:
    """Inclination of the thighs against walking, of both the lesser one: a leg may be crossed or stretched."""
    found = [_tilt(known, others, site) for site in _THIGHS]
    return min((tilt for tilt in found if tilt is not None), default=None)


def _with(known: Beside, lead: FloatArray, window: Window) -> Beside:
    acc = window.acc - window.acc.sum(axis=0) / len(window)
    keep = min(1.0, _MEMORY_S / (known.seconds + 1.0))
    return Beside(
        seconds=keep * known.seconds + 1.0,
        up=keep * known.up + window.up.sum(axis=0) / len(window),
        both=keep * known.both + lead.T @ acc,
        lead=keep * known.lead + lead.T @ lead,
        own=keep * known.own + acc.T @ acc,
    )


def _axes(known: Beside, lead: FloatArray) -> FloatArray | None:
    """(3, 3) up, right and forward of the body in its frame, by those of the lead; None where not known well enough."""
    if known.seconds < ENOUGH_S:
        return None
    up = _unit(known.up)
    level = np.eye(3) - np.outer(up, up)
    _, right, forward = lead
    turn = level @ (forward @ known.both + np.cross(up, right @ known.both))
    power = float(right @ known.lead @ right + forward @ known.lead @ forward) * float(np.trace(level @ known.own))
    if power <= 0.0 or float(np.sqrt(turn @ turn)) / math.sqrt(power) < _LEAST_AGREEMENT:
        return None
    ahead = _unit(turn)
    return np.stack((up, np.cross(ahead, up), ahead))


def _unit(array: FloatArray) -> FloatArray:
    return np.array(unit(of(array)))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
