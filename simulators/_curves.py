"""Smooth curves with their first and second derivatives, so that rates and accelerations are exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
"""A curve at n times is an array (3, n): value, first and second derivative."""


@dataclass(frozen=True, slots=True)
class Move:
    """One change of one channel: from `start_s` on for `duration_s`, by `delta`, with minimum jerk."""

    channel: str
    start_s: float
    duration_s: float
    delta: float

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.start_s + self.duration_s


def add_moves(curve: FloatArray, t: FloatArray, moves: Sequence[Move]) -> None:
    """Add moves to a curve (3, n) at rising times t (n,): x = Δ(10u³ − 15u⁴ + 6u⁵), Flash & Hogan 1985."""
    for move in moves:
        first, last = np.searchsorted(t, (move.start_s, move.end_s))
        curve[0, last:] += move.delta
        if first == last:
            continue
        u = (t[first:last] - move.start_s) / move.duration_s
        v = move.delta / move.duration_s
        uu = u * u
        curve[0, first:last] += move.delta * uu * u * (10 - 15 * u + 6 * uu)
        curve[1, first:last] += v * 30 * uu * (1 - u) ** 2
        curve[2, first:last] += v / move.duration_s * 60 * u * (1 - u) * (1 - 2 * u)


def product(a: FloatArray, b: FloatArray) -> FloatArray:
    """The product of two curves (…, 3, n) with its derivatives."""
    (x, dx, ddx), (y, dy, ddy) = np.moveaxis(a, -2, 0), np.moveaxis(b, -2, 0)
    return np.stack([x * y, dx * y + x * dy, ddx * y + 2 * dx * dy + x * ddy], axis=-2)


def constant(value: float, n: int) -> FloatArray:
    """A curve that stands still."""
    curve = np.zeros((3, n))
    curve[0] = value
    return curve
