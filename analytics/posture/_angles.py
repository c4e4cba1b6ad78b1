"""Inclination of the sensor against the wearer's upright, in the planes of the body, at 10 Hz."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analytics._window import FloatArray
from analytics.posture._records import Course
from analytics.posture._vectors import Vector, cross, dot, plus, unit

RATE_HZ = 10
_HUNDREDTHS = 100.0 * math.degrees(1.0)
"""Hundredths of a degree in a radian."""


@dataclass(frozen=True)
class Inclination:
    """A second at 10 Hz, degrees: flexion positive forwards, lateral positive to the right; None where not known."""

    flexion_deg: list[float] | None
    lateral_deg: list[float] | None
    reason: str | None


def inclination(course: Course, up: FloatArray) -> Inclination:
    """The angles of (20, 3) up in the sensor frame."""
    if course.reference is None:
        return Inclination(None, None, "upright is not known yet")
    if course.forward is None:
        return Inclination(None, None, "forward is not known before some walking or a calibration")
    upright, left, back = _pairs(course.reference, course.forward) @ up.reshape(RATE_HZ, 6).T
    found = np.empty((2, RATE_HZ))
    np.arctan2(back, upright, out=found[0])
    np.arcsin(np.minimum(np.maximum(left, -1.0), 1.0), out=found[1])
    flexion, lateral = (np.rint(found * _HUNDREDTHS) / 100.0).tolist()
    return Inclination(flexion, lateral, None)


def body_axes(course: Course) -> FloatArray:
    """(3, 3) up, right and forward of the body in the sensor frame, as rows; reference and forward must be known."""
    assert course.reference is not None
    assert course.forward is not None
    return np.array(_axes(course.reference, course.forward))


def _axes(upright: Vector, forward: Vector) -> tuple[Vector, Vector, Vector]:
    ahead = unit(plus(forward, upright, -dot(upright, forward)))
    return upright, cross(ahead, upright), ahead


@lru_cache(maxsize=4)
def _pairs(reference: Vector, forward: Vector) -> FloatArray:
    """(3, 6) which takes two directions in the sensor frame to their mean along up, left and back of the body."""
    upright, right, ahead = _axes(reference, forward)
    half = [[0.5 * x for x in upright], [-0.5 * x for x in right], [-0.5 * x for x in ahead]]
    return np.array([[*row, *row] for row in half])
