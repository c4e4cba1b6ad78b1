"""The vertical path of the sensor between two still moments, where it stands still at both ends.

Up is known at both ends from gravity alone; between them the orientation filter carries it, and what it drifts is
spread evenly. Upward acceleration is integrated twice, the velocity's surplus at the end taken out as a linear drift;
that surplus is the path's quality.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analytics._window import FloatArray
from analytics.posture._bias import Bias
from analytics.posture._ticks import ACC, QUAT, RATE, SHAKE, TICK_S, lengths, rotations
from analytics.posture._vectors import Vector, dot, of, plus, scaled, times
from sagittal.units import STANDARD_GRAVITY_MPS2

HEIGHT_SD_M = 0.03
EDGE = 0.15
"""A rise or fall lasts while its speed is above this share of its peak."""
SLOW_RADPS = np.radians(3.0)
"""Turning below this rate is sway and noise."""
IMPACT_MPS2 = 3.0
IMPACT_SHAKE_MPS2 = 1.5
"""Legs brake at 2.5 m/s² at most and smoothly; a seat does not."""


@dataclass(frozen=True)
class Path:
    """A move tick by tick: up in the sensor frame, height in m, vertical velocity in m/s; what was left at the end.

    `by_offset` is what every m/s² of the sensor's offset takes from the height at the end; `rate` is the length of the
    angular rate, `shake` the fast part of the acceleration and `force` its length, in SI.
    """

    up: FloatArray
    height: FloatArray
    velocity: FloatArray
    rate: FloatArray
    shake: FloatArray
    force: FloatArray
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


def sums_of(ticks: FloatArray, start_up: Vector, end_up: Vector) -> Sums:
    """The sums over `ticks`, (n, 12), whose first and last are still, with up there as unit vectors."""
    up = _up_between(ticks[:, QUAT], start_up, end_up, _share(len(ticks)))
    along = np.einsum("ij,ij->i", up, ticks[:, ACC])
    edges = plus(of(up[0]), of(up[-1]))
    surplus = float(along.sum()) - 0.5 * float(along[0] + along[-1]) - STANDARD_GRAVITY_MPS2 * (len(ticks) - 1)
    return Sums(scaled(plus(of(up.sum(axis=0)), edges, -0.5), TICK_S), surplus * TICK_S)


def path_of(ticks: FloatArray, start_up: Vector, end_up: Vector, bias: Bias) -> Path:
    """The path over `ticks`, (n, 12), whose first and last are still, with up there as unit vectors."""
    share = _share(len(ticks))
    up = _up_between(ticks[:, QUAT], start_up, end_up, share)
    acc = ticks[:, ACC]
    upward = np.einsum("ij,ij->i", up, acc - bias.mps2) - STANDARD_GRAVITY_MPS2
    sums = _sums(np.concatenate((upward[:, None], up), axis=1))
    velocity = sums - sums[-1] * share
    height = _sums(velocity)
    by_offset = height[:, 1:]
    furthest = of(by_offset[int(lengths(by_offset).argmax())])
    return Path(
        up=up,
        height=height[:, 0],
        velocity=velocity[:, 0],
        rate=ticks[:, RATE],
        shake=ticks[:, SHAKE],
        force=lengths(acc),
        residual_mps=float(sums[-1, 0]),
        by_offset=of(by_offset[-1]),
        offset_sd_m=math.sqrt(dot(furthest, times(bias.spread, furthest))),
    )


def _share(count: int) -> FloatArray:
    """(n, 1) from 0 at the first tick to 1 at the last."""
    return np.arange(count)[:, None] / (count - 1.0)


def _up_between(quat: FloatArray, start_up: Vector, end_up: Vector, share: FloatArray) -> FloatArray:
    """(n, 3) up in the sensor frame, as the filter carries it, with what it drifts between both ends spread evenly."""
    turn = rotations(quat).reshape(-1, 3, 3)
    start, end = turn[0] @ start_up, turn[-1] @ end_up
    up = np.einsum("nij,ni->nj", turn, start + (end - start) * share)
    return np.asarray(up / lengths(up)[:, None])


def falls_until(velocity: FloatArray) -> int:
    """The tick at which the fall is over; 0 where nothing falls."""
    return _ends(-velocity)


def rises_from(velocity: FloatArray) -> int:
    """The tick at which the rise begins; the last where nothing rises."""
    return len(velocity) - 1 - _ends(velocity[::-1])


def turned(rate: FloatArray) -> float:
    """How far the sensor turned, degrees, sway left out."""
    return math.degrees(float(np.maximum(rate - SLOW_RADPS, 0.0).sum()) * TICK_S)


def _ends(speed: FloatArray) -> int:
    peak = int(speed.argmax())
    if speed[peak] <= 0.0:
        return 0
    slower = (speed[peak:] < EDGE * speed[peak]).nonzero()[0]
    return peak + (int(slower[0]) if len(slower) else len(speed) - 1 - peak)


def _sums(values: FloatArray) -> FloatArray:
    """Running integral by the trapezium rule, from zero."""
    sums = np.zeros_like(values)
    np.cumsum((values[1:] + values[:-1]) * (TICK_S / 2), axis=0, out=sums[1:])
    return sums
