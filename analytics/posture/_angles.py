"""Inclination of the sensor against the wearer's upright, in the planes of the body, at 10 Hz."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from analytics._window import FloatArray
from analytics.posture._records import Course
from analytics.posture._vectors import Vector, cross, dot, plus, scaled, unit

RATE_HZ = 10
_HUNDREDTHS = 100.0 * math.degrees(1.0)
"""Hundredths of a degree in a radian."""
_NO_FORWARD = "forward is not known before some walking or a calibration"


Numbers = dict[str, Any]
"""Fields of a row, `Posture`, that hold angles, as far as there is something to say."""


Axes = tuple[Vector, Vector, Vector]


class Inclination(NamedTuple):
    """A second at 10 Hz, degrees: flexion positive forwards, lateral positive to the right; None where not known.

    `numbers` is what the second's row says of it.
    """

    flexion_deg: list[float | None] | None
    lateral_deg: list[float | None] | None
    numbers: Numbers


def absent(reference: Vector | None) -> Inclination:
    """No angles, for want of upright or, where that is known, of forward."""
    missing = "upright is not known yet" if reference is None else _NO_FORWARD
    return Inclination(None, None, {"angle_reason": missing})


def inclination(up: FloatArray, axes: FloatArray) -> Inclination:
    """The angles of (3, 10) up in the sensor frame, by the body's `axes` there."""
    found = _hundredths(np.dot(axes, up))
    flexion, lateral = found.tolist()
    numbers = numbers_of(*summary(flexion), *summary(lateral))
    found /= 100.0
    flexion_deg, lateral_deg = found.tolist()
    return Inclination(flexion_deg, lateral_deg, numbers)


def inclinations(up: FloatArray, axes: FloatArray) -> list[Inclination]:
    """The angles of (k, 3, 10) up in the sensor frame, by the body's axes there, each second's or (3, 3) of all."""
    found = _hundredths((axes @ up).transpose(1, 0, 2))
    flexion_deg, lateral_deg = (found / 100.0).tolist()
    rows = [[*summary(found[0, 0].tolist()), *summary(found[1, 0].tolist())]] if len(up) == 1 else _summaries(found)
    return [Inclination(a, b, numbers_of(*row)) for a, b, row in zip(flexion_deg, lateral_deg, rows, strict=True)]


def _hundredths(body: FloatArray) -> FloatArray:
    """(2, ..., 10) flexion and lateral inclination in whole hundredths of a degree, of (3, ..., 10) up in the body."""
    upright, left, back = body
    found = np.empty((2, *upright.shape))
    np.arctan2(back, upright, out=found[0])
    np.arcsin(np.minimum(np.maximum(left, -1.0), 1.0), out=found[1])
    found *= _HUNDREDTHS
    np.rint(found, out=found)
    found += 0.0  # no zero is negative
    return found


def _summaries(angles: FloatArray) -> list[list[float]]:
    """What `summary` says of every second, flexion before lateral."""
    found = np.empty((2, 3, angles.shape[1]))
    found[:, 0] = np.rint(np.add.reduce(angles, axis=2) / RATE_HZ) + 0.0
    np.minimum.reduce(angles, axis=2, out=found[:, 1])
    np.maximum.reduce(angles, axis=2, out=found[:, 2])
    rows: list[list[float]] = (found.reshape(6, -1).T / 100.0).tolist()
    return rows


def numbers_of(
    flexion: float, flexion_min: float, flexion_max: float, lateral: float, lateral_min: float, lateral_max: float
) -> Numbers:
    """What a row says of a second's angles, degrees."""
    return {
        "flexion_deg": flexion,
        "flexion_min_deg": flexion_min,
        "flexion_max_deg": flexion_max,
        "lateral_deg": lateral,
        "lateral_min_deg": lateral_min,
        "lateral_max_deg": lateral_max,
    }


def summary(hundredths: Sequence[float]) -> tuple[float, float, float]:
    """Mean, least and most, in degrees."""
    return round(sum(hundredths) / RATE_HZ) / 100.0, min(hundredths) / 100.0, max(hundredths) / 100.0


def body_axes(course: Course) -> FloatArray:
    """(3, 3) up, right and forward of the body in the sensor frame, as rows; reference and forward must be known."""
    assert course.reference is not None
    assert course.forward is not None
    return np.array(_axes(course.reference, course.forward))


def _axes(upright: Vector, forward: Vector) -> Axes:
    ahead = unit(plus(forward, upright, -dot(upright, forward)))
    return upright, cross(ahead, upright), ahead


@lru_cache(maxsize=4)
def axes_of(reference: Vector, forward: Vector) -> FloatArray:
    """(3, 3) `axes_between` the two."""
    return np.array(axes_between(reference, forward))


def axes_between(reference: Vector, forward: Vector) -> Axes:
    """Up, left and back of the body in the sensor frame."""
    upright, right, ahead = _axes(reference, forward)
    return upright, scaled(right, -1.0), scaled(ahead, -1.0)
