"""Inclination of the sensor against the wearer's upright, in the planes of the body, at 10 Hz."""

from __future__ import annotations

import math
from functools import lru_cache
from math import asin, atan2
from typing import Any, NamedTuple

import numpy as np

from analytics._window import FloatArray
from analytics.posture._records import Course
from analytics.posture._vectors import Vector, cross, dot, plus, unit

RATE_HZ = 10
HUNDREDTHS = 100.0 * math.degrees(1.0)
"""Hundredths of a degree in a radian."""
_NO_FORWARD = "forward is not known before some walking or a calibration"


Numbers = dict[str, Any]
"""Fields of a row, `Posture`, that hold angles, as far as there is something to say."""


NAMES = ("flexion_deg", "flexion_min_deg", "flexion_max_deg", "lateral_deg", "lateral_min_deg", "lateral_max_deg")


class Inclination(NamedTuple):
    """A second at 10 Hz, degrees: flexion positive forwards, lateral positive to the right; None where not known.

    `numbers` is what the second's row says of it.
    """

    flexion_deg: list[float] | None
    lateral_deg: list[float] | None
    numbers: Numbers


def absent(reference: Vector | None) -> Inclination:
    """No angles, for want of upright or, where that is known, of forward."""
    missing = "upright is not known yet" if reference is None else _NO_FORWARD
    return Inclination(None, None, {"angle_reason": missing})


def inclination(up: FloatArray, reference: Vector, forward: Vector) -> Inclination:
    """The angles of (20, 3) up in the sensor frame, by upright and forward there."""
    body = np.dot(up.reshape(RATE_HZ, 6), pairs(reference, forward)).tolist()
    flexion = [round(HUNDREDTHS * atan2(back, upright)) for upright, _, back in body]
    lateral = [round(HUNDREDTHS * asin(left if -1.0 < left < 1.0 else _sign(left))) for _, left, _ in body]
    numbers = zip(NAMES, (*_summary(flexion), *_summary(lateral)), strict=True)
    return Inclination([one / 100.0 for one in flexion], [one / 100.0 for one in lateral], dict(numbers))


def _summary(hundredths: list[int]) -> tuple[float, float, float]:
    """Mean, least and most, in degrees."""
    return round(sum(hundredths) / RATE_HZ) / 100.0, min(hundredths) / 100.0, max(hundredths) / 100.0


def _sign(value: float) -> float:
    return math.copysign(1.0, value)


def body_axes(course: Course) -> FloatArray:
    """(3, 3) up, right and forward of the body in the sensor frame, as rows; reference and forward must be known."""
    assert course.reference is not None
    assert course.forward is not None
    return np.array(_axes(course.reference, course.forward))


def _axes(upright: Vector, forward: Vector) -> tuple[Vector, Vector, Vector]:
    ahead = unit(plus(forward, upright, -dot(upright, forward)))
    return upright, cross(ahead, upright), ahead


@lru_cache(maxsize=4)
def pairs(reference: Vector, forward: Vector) -> FloatArray:
    """(6, 3) which takes two directions in the sensor frame to their mean along up, left and back of the body."""
    upright, right, ahead = _axes(reference, forward)
    half = [0.5 * one for u, r, a in zip(upright, right, ahead, strict=True) for one in (u, -r, -a)]
    return np.array([*half, *half]).reshape(6, 3)
