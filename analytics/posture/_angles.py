"""Inclination of the sensor against the wearer's upright, in the planes of the body, at 10 Hz."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analytics._window import FloatArray
from analytics.posture._records import Course, Vector

RATE_HZ = 10


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
    axes = body_axes(course)
    mean = (up[0::2] + up[1::2]) @ axes.T / 2.0
    flexion: list[float] = np.degrees(np.arctan2(-mean[:, 2], mean[:, 0])).tolist()
    lateral: list[float] = np.degrees(np.arcsin(np.minimum(np.maximum(-mean[:, 1], -1.0), 1.0))).tolist()
    return Inclination([round(one, 2) for one in flexion], [round(one, 2) for one in lateral], None)


def body_axes(course: Course) -> FloatArray:
    """(3, 3) up, right and forward of the body in the sensor frame, as rows; reference and forward must be known."""
    assert course.reference is not None
    assert course.forward is not None
    return _axes(course.reference, course.forward)


@lru_cache(maxsize=64)
def _axes(reference: Vector, forward: Vector) -> FloatArray:
    upright, ahead = np.array(reference), np.array(forward)
    ahead = ahead - upright * float(upright @ ahead)
    ahead /= float(np.sqrt(ahead @ ahead))
    return np.stack((upright, np.cross(ahead, upright), ahead))
