"""The vertical path of the sensor between two still moments, where it stands still at both ends.

Up is known at both ends from gravity alone; between them the orientation filter carries it, and what it drifts is
spread evenly. Upward acceleration is integrated twice, the velocity's surplus at the end taken out as a linear drift;
that surplus is the path's quality.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._window import FloatArray
from analytics.posture._bias import Bias
from analytics.posture._ticks import ACC, QUAT, RATE, SHAKE, TICK_S, in_earth, lengths
from analytics.posture._vectors import Vector
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
    by_offset: FloatArray
    up_s: FloatArray
    surplus_mps: float

    @property
    def rise_m(self) -> float:
        """Height at the end over height at the start."""
        return float(self.height[-1])

    @property
    def sd_m(self) -> float:
        """Standard error of heights along it, that of the sensor's offset included."""
        left = HEIGHT_SD_M + abs(self.residual_mps) * len(self.height) * TICK_S / 8.0
        return float(np.hypot(left, self.offset_sd_m))


def path_of(ticks: FloatArray, start_up: Vector, end_up: Vector, bias: Bias) -> Path:
    """The path over `ticks`, (n, 12), whose first and last are still, with up there as unit vectors."""
    quat = ticks[:, QUAT]
    ends = in_earth(quat[[0, -1]], np.array((start_up, end_up)))
    share = np.linspace(0.0, 1.0, len(ticks))[:, None]
    up = _into_sensor(quat, ends[0] + (ends[1] - ends[0]) * share)
    acc = ticks[:, ACC]
    raw = np.einsum("ij,ij->i", up, acc) - STANDARD_GRAVITY_MPS2
    upward = raw - up @ bias.mps2
    velocity, residual = _between_rests(np.column_stack((upward, up)), share)
    height = _sums(velocity)
    by_offset = height[:, 1:]
    furthest = by_offset[int(np.argmax(np.einsum("ij,ij->i", by_offset, by_offset)))]
    return Path(
        up=up,
        height=height[:, 0],
        velocity=velocity[:, 0],
        rate=ticks[:, RATE],
        shake=ticks[:, SHAKE],
        force=lengths(acc),
        residual_mps=residual,
        by_offset=by_offset[-1],
        offset_sd_m=float(np.sqrt(furthest @ bias.spread @ furthest)),
        up_s=_integral(up),
        surplus_mps=float(_integral(raw[:, None])[0]),
    )


def falls_until(velocity: FloatArray) -> int:
    """The tick at which the fall is over; 0 where nothing falls."""
    return _ends(-velocity)


def rises_from(velocity: FloatArray) -> int:
    """The tick at which the rise begins; the last where nothing rises."""
    return len(velocity) - 1 - _ends(velocity[::-1])


def turned(rate: FloatArray) -> float:
    """How far the sensor turned, degrees, sway left out."""
    return float(np.degrees(np.maximum(rate - SLOW_RADPS, 0.0).sum() * TICK_S))


def _ends(speed: FloatArray) -> int:
    peak = int(np.argmax(speed))
    if speed[peak] <= 0.0:
        return 0
    slower = np.flatnonzero(speed[peak:] < EDGE * speed[peak])
    return peak + (int(slower[0]) if len(slower) else len(speed) - 1 - peak)


def _between_rests(acceleration: FloatArray, share: FloatArray) -> tuple[FloatArray, float]:
    """Velocities that are zero at both ends, and what the first of them had left."""
    velocity = _sums(acceleration)
    return velocity - velocity[-1] * share, float(velocity[-1, 0])


def _sums(values: FloatArray) -> FloatArray:
    """Running integral by the trapezium rule, from zero."""
    sums = np.zeros_like(values)
    np.cumsum((values[1:] + values[:-1]) * (TICK_S / 2), axis=0, out=sums[1:])
    return sums


def _integral(values: FloatArray) -> FloatArray:
    return np.asarray((values[1:] + values[:-1]).sum(axis=0) * (TICK_S / 2))


def _into_sensor(quat: FloatArray, vectors: FloatArray) -> FloatArray:
    """(n, 3) earth vectors, one for every quaternion, as unit vectors in the sensor frame."""
    found = in_earth(quat * (1.0, -1.0, -1.0, -1.0), vectors)
    return np.asarray(found / lengths(found)[:, None])
