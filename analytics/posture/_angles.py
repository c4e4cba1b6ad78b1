"""Inclination of the sensor against the wearer's upright, in the planes of the body, at 10 Hz."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from math import asin, atan2
from typing import Any

import numpy as np

from analytics._window import FloatArray
from analytics.posture._records import Course
from analytics.posture._vectors import Vector, cross, dot, plus, unit

RATE_HZ = 10
_HUNDREDTHS = 100.0 * math.degrees(1.0)
"""Hundredths of a degree in a radian."""


Numbers = dict[str, Any]
"""Fields of a row, `Posture`, that hold angles, as far as there is something to say."""


@dataclass(frozen=True)
class Inclination:
    """A second at 10 Hz, degrees: flexion positive forwards, lateral positive to the right; None where not known.

    `numbers` is what the second's row says of it.
    """

    flexion_deg: list[float] | None
    lateral_deg: list[float] | None
    numbers: Numbers


def inclination(course: Course, up: FloatArray) -> Inclination:
    """The angles of (20, 3) up in the sensor frame."""
    if course.reference is None:
        return Inclination(None, None, {"angle_reason": "upright is not known yet"})
    if course.forward is None:
        return Inclination(None, None, {"angle_reason": "forward is not known before some walking or a calibration"})
    body = np.dot(up.reshape(RATE_HZ, 6), _pairs(course.reference, course.forward)).tolist()
    flexion = [round(_HUNDREDTHS * atan2(back, upright)) / 100.0 for upright, _, back in body]
    lateral = [round(_HUNDREDTHS * asin(left if -1.0 < left < 1.0 else _sign(left))) / 100.0 for _, left, _ in body]
    numbers = {
        "flexion_deg": round(sum(flexion) / RATE_HZ, 2),
        "flexion_min_deg": min(flexion),
        "flexion_max_deg": max(flexion),
        "lateral_deg": round(sum(lateral) / RATE_HZ, 2),
        "lateral_min_deg": min(lateral),
        "lateral_max_deg": max(lateral),
    }
    return Inclination(flexion, lateral, numbers)


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
def _pairs(reference: Vector, forward: Vector) -> FloatArray:
    """(6, 3) which takes two directions in the sensor frame to their mean along up, left and back of the body."""
    upright, right, ahead = _axes(reference, forward)
    half = [(0.5 * u, -0.5 * r, -0.5 * a) for u, r, a in zip(upright, right, ahead, strict=True)]
    return np.array((*half, *half))
