"""The vertical path of the sensor between two still moments, where it stands still at both ends.

Up is known at both ends from gravity alone; between them the orientation filter carries it, and what it drifts is
spread evenly. Upward acceleration is integrated twice, the velocity's surplus at the end taken out as a linear drift;
that surplus is the path's quality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from analytics._window import FloatArray
from analytics.posture._bias import Bias, up_at_rest
from analytics.posture._ticks import ACC, KEPT, QUAT, ROTATION, TICK_S, products
from analytics.posture._vectors import Vector, dot, of, plus, rotated, times
from sagittal.units import STANDARD_GRAVITY_MPS2

HEIGHT_SD_M = 0.03
EDGE = 0.15
"""A rise or fall lasts while its speed is above this share of its peak."""
SLOW_RADPS = math.radians(3.0)
"""Turning below this rate is sway and noise."""
_BACK = ROTATION.reshape(16, 3, 3).transpose(1, 2, 0).reshape(3, 48)
"""Takes an earth vector to the (3, 16) which take products of a quaternion's parts to it in the sensor frame."""


class Stretch:
    """The ticks from one still moment to the next, (n, 12), and the mean acceleration at both, m/s² as read."""

    def __init__(self, ticks: FloatArray, start_acc: Vector, end_acc: Vector) -> None:
        self.ticks = ticks
        self._ends = start_acc, end_acc
        self._first, self._last = ticks[0, QUAT].tolist(), ticks[-1, QUAT].tolist()
        self._products = products(ticks[:, QUAT].T.copy())

    def up(self, bias: Bias) -> tuple[FloatArray, FloatArray]:
        """(3, n) up in the sensor frame as the filter carries it, its drift spread evenly; and its (n,) lengths."""
        start = rotated(self._first, up_at_rest(bias, self._ends[0]))
        drift = plus(rotated(self._last, up_at_rest(bias, self._ends[1])), start, -1.0)
        found = np.dot(np.dot((start, drift), _BACK).reshape(6, 16), self._products)
        up = found[:3] + _share(len(self.ticks)) * found[3:]
        return up, np.sqrt(_along(up, up))


@dataclass(frozen=True)
class Path:
    """A move tick by tick: up in the sensor frame, (3, n), height in m, vertical velocity in m/s; the ticks themselves.

    `residual_mps` is the velocity that was left at the end; `by_offset` what every m/s² of the sensor's offset takes
    from the height at the end, and `offset_sd_m` the standard error that comes from not knowing the offset.
    """

    up: FloatArray
    height: FloatArray
    velocity: FloatArray
    ticks: FloatArray
    residual_mps: float
    offset_sd_m: float
    by_offset: Vector

    @property
    def rise_m(self) -> float:
        """Height at the end over height at the start."""
        return float(self.height[-1])

    @property
    def sd_m(self) -> float:
        """Standard error of heights along it, that of the sensor's offset included."""
        left = HEIGHT_SD_M + abs(self.residual_mps) * len(self.height) * TICK_S / 8.0
        return math.hypot(left, self.offset_sd_m)


@dataclass(frozen=True)
class Sums:
    """What a move adds up to: the integral of up, s, and that of upward acceleration as read less gravity, m/s."""

    up_s: Vector
    surplus_mps: float

    def residual_mps(self, bias: Bias) -> float:
        """The vertical velocity at its end, which ought to be none."""
        return self.surplus_mps - dot(self.up_s, bias.mps2)


def sums_of(stretch: Stretch, bias: Bias) -> Sums:
    """The sums from one still moment to the next, by the trapezium rule."""
    up, size = stretch.up(bias)
    weights = np.divide(TICK_S, size)
    weights[0] *= 0.5
    weights[-1] *= 0.5
    (x, _, _), (_, y, _), (_, _, z) = np.dot(up * weights, stretch.ticks[:, ACC]).tolist()
    return Sums(of(np.dot(up, weights)), x + y + z - STANDARD_GRAVITY_MPS2 * TICK_S * (len(size) - 1))


def path_of(stretch: Stretch, bias: Bias) -> Path:
    """The path from one still moment to the next."""
    up, size = stretch.up(bias)
    rates = np.empty((4, len(size)))
    up = np.divide(up, size, out=rates[1:])
    rates[0] = _along(up, stretch.ticks[:, ACC].T) - (np.dot(bias.mps2, up) + STANDARD_GRAVITY_MPS2)
    sums = _sums(rates)
    left = sums[:, -1:]
    velocity = sums - left * _share(len(size))
    height = _sums(velocity)
    by_offset = height[1:]
    furthest = of(by_offset[:, int(_along(by_offset, by_offset).argmax())])
    return Path(
        up=up,
        height=height[0],
        velocity=velocity[0],
        ticks=stretch.ticks,
        residual_mps=float(left[0, 0]),
        by_offset=of(by_offset[:, -1]),
        offset_sd_m=math.sqrt(dot(furthest, times(bias.spread, furthest))),
    )


def _along(one: FloatArray, other: FloatArray) -> FloatArray:
    """(n,) scalar products of (3, n) vectors."""
    x, y, z = one * other
    return np.asarray(x + y + z)


@lru_cache(maxsize=KEPT)
def _share(count: int) -> FloatArray:
    """(n,) from 0 at the first tick to 1 at the last."""
    return np.arange(count) / (count - 1.0)


def falls_until(velocity: FloatArray) -> int:
    """The tick at which the fall is over; 0 where nothing falls."""
    return _ends(-velocity)


def rises_from(velocity: FloatArray) -> int:
    """The tick at which the rise begins; the last where nothing rises."""
    return len(velocity) - 1 - _ends(velocity[::-1])


def turned(rates: list[float]) -> float:
    """How far the sensor turned in ticks of so many rad/s, degrees, sway left out."""
    return math.degrees(sum(one - SLOW_RADPS for one in rates if one > SLOW_RADPS) * TICK_S)


def _ends(speed: FloatArray) -> int:
    peak = int(speed.argmax())
    if speed[peak] <= 0.0:
        return 0
    slower = (speed[peak:] < EDGE * speed[peak]).nonzero()[0]
    return peak + (int(slower[0]) if len(slower) else len(speed) - 1 - peak)


def _sums(values: FloatArray) -> FloatArray:
    """Running integrals of (m, n) rows by the trapezium rule, from zero."""
    steps = values[:, 1:] + values[:, :-1]
    steps *= TICK_S / 2
    sums = np.zeros(values.shape)
    np.add.accumulate(steps, axis=1, out=sums[:, 1:])
    return sums
