"""Directions in the sensor frame: sideways, what lying on which side looks like."""

from __future__ import annotations

import math
from functools import lru_cache

from analytics.posture._limits import FACE_DEG, LYING_ENDS_DEG
from analytics.posture._records import Course, Trust
from analytics.posture._vectors import UP, Vector, angle, cross, dot, unit

_FACE = UP
"""Sensors are flat boxes whose third axis leaves the face."""


def worn_flat(up: Vector) -> bool:
    """Whether the face of a flat sensor looks so near to level that the trunk it is worn on may be upright."""
    return abs(90.0 - angle(up, _FACE)) < FACE_DEG


def right_of(course: Course) -> Vector | None:
    """The wearer's right, or left where forward is not known, from the face's normal; None where neither tells."""
    if course.reference is None:
        return None
    return _right(course.reference, course.forward, course.trust is Trust.FIRST)


@lru_cache(maxsize=64)
def _right(up: Vector, forward: Vector | None, first: bool) -> Vector | None:
    if forward is not None:
        return unit(cross(forward, up))
    return unit(cross(_FACE, up)) if first or worn_flat(up) else None


def lying_detail(course: Course, up: Vector) -> str | None:
    """Supine, prone, left side or right side; None where forward is not known."""
    if course.forward is None or course.reference is None:
        return None
    right = right_of(course)
    sideways = 0.0 if right is None else dot(up, right)
    if abs(sideways) > math.sin(math.radians(LYING_ENDS_DEG)):
        return "left side" if sideways > 0 else "right side"
    return "supine" if dot(up, course.forward) > 0 else "prone"
