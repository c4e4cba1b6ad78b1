"""Vectors of three plain numbers: for one direction at a time they are several times as fast as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analytics._window import FloatArray

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
"""Three rows."""
Turn = Sequence[float]
"""The nine numbers of a rotation sensor → earth, row by row."""
ZERO: Vector = (0.0, 0.0, 0.0)
UP: Vector = (0.0, 0.0, 1.0)


def of(array: FloatArray) -> Vector:
    """Three numbers of an array."""
    x, y, z = array.tolist()
    return (x, y, z)


def dot(a: Vector, b: Vector) -> float:
    """The scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """The vector product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def plus(a: Vector, b: Vector, times: float = 1.0) -> Vector:
    """The sum of a and so many times b."""
    return (a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2])


def scaled(a: Vector, times: float) -> Vector:
    """So many times as long."""
    return (times * a[0], times * a[1], times * a[2])


def length(a: Vector) -> float:
    """How long it is."""
    return math.sqrt(dot(a, a))


def unit(a: Vector) -> Vector:
    """At length 1."""
    x, y, z = a
    size = math.sqrt(x * x + y * y + z * z)
    return (x / size, y / size, z / size)


def angle(a: Vector, b: Vector) -> float:
    """Angle between two unit vectors, degrees."""
    return math.degrees(math.acos(max(-1.0, min(1.0, dot(a, b)))))


def times(matrix: Matrix, a: Vector) -> Vector:
    """A matrix times a vector."""
    x, y, z = a
    (a0, a1, a2), (b0, b1, b2), (c0, c1, c2) = matrix
    return (a0 * x + a1 * y + a2 * z, b0 * x + b1 * y + b2 * z, c0 * x + c1 * y + c2 * z)


def to_earth(turn: Turn, a: Vector) -> Vector:
    """A vector of the sensor frame in earth's."""
    x, y, z = a
    a0, a1, a2, b0, b1, b2, c0, c1, c2 = turn
    return (a0 * x + a1 * y + a2 * z, b0 * x + b1 * y + b2 * z, c0 * x + c1 * y + c2 * z)


def to_sensor(turn: Turn, a: Vector) -> Vector:
    """A vector of earth's frame in the sensor's."""
    x, y, z = a
    a0, a1, a2, b0, b1, b2, c0, c1, c2 = turn
    return (a0 * x + b0 * y + c0 * z, a1 * x + b1 * y + c1 * z, a2 * x + b2 * y + c2 * z)


def rotated(quat: Sequence[float], a: Vector) -> Vector:
    """Turned by a unit quaternion, scalar first."""
    w, x, y, z = quat
    ahead = plus(cross((x, y, z), a), a, w)
    return plus(plus(scaled(ahead, w), cross((x, y, z), ahead)), (x, y, z), x * a[0] + y * a[1] + z * a[2])


def inverse(matrix: Matrix) -> Matrix:
    """The inverse of a symmetric matrix."""
    (a0, a1, a2), (b0, b1, b2), (c0, c1, c2) = matrix
    x, y, z = b1 * c2 - b2 * c1, b2 * c0 - b0 * c2, b0 * c1 - b1 * c0
    share = 1.0 / (a0 * x + a1 * y + a2 * z)
    return (
        (share * x, share * y, share * z),
        (share * (c1 * a2 - c2 * a1), share * (c2 * a0 - c0 * a2), share * (c0 * a1 - c1 * a0)),
        (share * (a1 * b2 - a2 * b1), share * (a2 * b0 - a0 * b2), share * (a0 * b1 - a1 * b0)),
    )
