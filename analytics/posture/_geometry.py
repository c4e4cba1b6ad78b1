"""Directions in the sensor frame: tilt, sideways, what lying on which side looks like."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from analytics._window import FloatArray
from analytics.posture._limits import FACE_DEG, LYING_ENDS_DEG
from analytics.posture._records import Course, Trust, Vector

_FACE = np.array([0.0, 0.0, 1.0])
"""Sensors are flat boxes whose third axis leaves the face."""


def angle(a: FloatArray, b: FloatArray) -> float:
    """Angle between two unit vectors, degrees."""
    return math.degrees(math.acos(max(-1.0, min(1.0, float(a @ b)))))


def vector(array: FloatArray) -> Vector:
    """A unit vector as plain numbers."""
    x, y, z = (array / math.sqrt(float(array @ array))).tolist()
    return (x, y, z)


def worn_flat(up: FloatArray) -> bool:
    """Whether the face of a flat sensor looks so near to level that the trunk it is worn on may be upright."""
    return abs(90.0 - angle(up, _FACE)) < FACE_DEG


def right_of(course: Course) -> FloatArray | None:
    """The wearer's right, or left where forward is not known, from the face's normal; None where neither tells."""
    if course.reference is None:
        return None
    return _right(course.reference, course.forward, course.trust is Trust.FIRST)


@lru_cache(maxsize=64)
def _right(reference: Vector, forward: Vector | None, first: bool) -> FloatArray | None:
    up = np.array(reference)
    if forward is not None:
        right = np.cross(np.array(forward), up)
    elif first or worn_flat(up):
        right = np.cross(_FACE, up)
    else:
        return None
    return np.asarray(right / math.sqrt(float(right @ right)))


def lying_detail(course: Course, up: FloatArray) -> str | None:
    """Supine, prone, left side or right side; None where forward is not known."""
    if course.forward is None or course.reference is None:
        return None
    right = right_of(course)
    sideways = 0.0 if right is None else float(up @ right)
    if abs(sideways) > math.sin(math.radians(LYING_ENDS_DEG)):
        return "left side" if sideways > 0 else "right side"
    return "supine" if float(up @ np.array(course.forward)) > 0 else "prone"
