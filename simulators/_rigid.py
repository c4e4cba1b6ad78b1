"""Rigid segments: specific force and angular rate of any point, exactly, from the angles' curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sagittal.units import STANDARD_GRAVITY_MPS2
from simulators._curves import FloatArray

Axis = Literal[0, 1, 2]
UP: Final = 0
RIGHT: Final = 1
FORWARD: Final = 2
Point = tuple[float, float, float]
"""Up, right, forward, m, in a segment's own axes."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A segment's axes (up, right, forward) at n times, each (3, n) in those axes.

    `force` is the specific force at the origin, m/s²; `rate` and `change` are the angular rate, rad/s, and its
    derivative; `up` is the direction against gravity, `ahead`, where it is asked for, where heading zero points.
    Rotations follow the right hand.
    """

    force: FloatArray
    rate: FloatArray
    change: FloatArray
    up: FloatArray
    ahead: FloatArray | None = None

    def turned(self, axis: Axis, angle: FloatArray) -> Frame:
        """The frame of a part that is turned about an axis by an angle's curve (3, n), rad, on the same origin."""
        c, s = np.cos(angle[0]), np.sin(angle[0])
        rate, change = _inverse(axis, c, s, self.rate), _inverse(axis, c, s, self.change)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        change[i] += angle[1] * rate[j]
        change[j] -= angle[1] * rate[i]
        change[axis] += angle[2]
        rate[axis] += angle[1]
        ahead = None if self.ahead is None else _inverse(axis, c, s, self.ahead)
        return Frame(_inverse(axis, c, s, self.force), rate, change, _inverse(axis, c, s, self.up), ahead)

    def moved(self, point: Point) -> Frame:
        """The same axes with the origin at another point of the segment."""
        return Frame(self.force_at(point), self.rate, self.change, self.up, self.ahead)

    def orientation(self) -> FloatArray:
        """(n, 4) quaternions, scalar first, that take own axes to the earth's (up, right, forward at heading zero)."""
        from scipy.spatial.transform import Rotation  # here, for it takes longer to load than a bridge to start

        if self.ahead is None:
            raise ValueError("this frame was made without its heading: ask for it where the path begins")
        rows = np.stack((self.up, _cross(self.ahead, self.up), self.ahead))
        return np.asarray(Rotation.from_matrix(rows.transpose(2, 0, 1)).as_quat(canonical=True, scalar_first=True))

    def force_at(self, point: Point) -> FloatArray:
        """Specific force at a point of the segment: f + ω̇ × r + ω × (ω × r)."""
        r = np.array(point)[:, None]
        return np.asarray(self.force + _cross(self.change, r) + _cross(self.rate, _cross(self.rate, r)))


def path_frame(acceleration: FloatArray, heading: FloatArray, *, whole: bool = False) -> Frame:
    """Upright axes that follow the heading's curve (3, n), at a point with an acceleration (3, n) in these axes.

    `whole` keeps the heading, which costs some time, so that orientations can be asked for.
    """
    n = acceleration.shape[1]
    force = acceleration.copy()
    force[UP] += STANDARD_GRAVITY_MPS2
    rate, change, up = np.zeros((3, n)), np.zeros((3, n)), np.zeros((3, n))
    rate[UP], change[UP], up[UP] = heading[1], heading[2], 1.0
    if not whole:
        return Frame(force, rate, change, up)
    ahead = np.zeros((3, n))
    ahead[FORWARD] = 1.0
    return Frame(force, rate, change, up, _inverse(UP, np.cos(heading[0]), np.sin(heading[0]), ahead))


def inclination(up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Flexion (forwards positive) and lateral inclination (to the right positive), rad, from `up` in own axes."""
    return np.arctan2(-up[FORWARD], up[UP]), np.arctan2(-up[RIGHT], np.hypot(up[UP], up[FORWARD]))


def _inverse(axis: Axis, c: FloatArray, s: FloatArray, vector: FloatArray) -> FloatArray:
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out = np.empty_like(vector)
    out[axis] = vector[axis]
    out[i] = c * vector[i] + s * vector[j]
    out[j] = c * vector[j] - s * vector[i]
    return out


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
