"""What a sensor adds to every acceleration, learnt from still moments and from the moves between them.

At rest a sensor reads gravity's length, and between two rests the vertical velocity starts and ends at zero: both tell
of the same three unknowns. Ridge regression (Hoerl & Kennard 1970) with forgetting; without it an offset of 1 m/s² on
one axis, which wearables have, tilts every posture by 6° and moves every height by decimetres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from analytics._evolve import evolve
from analytics.posture._vectors import ZERO, Matrix, Vector, dot, inverse, length, plus, scaled, times, unit
from sagittal.units import STANDARD_GRAVITY_MPS2

PRIOR_MPS2 = 1.0
"""Spread of offsets before anything is known: wearables read 0.05 to 1.8 m/s² wrong."""
REST_MPS2 = 0.04
VELOCITY_MPS = 0.1
HEIGHT_M = 0.05
MEMORY_S = 600.0
_UNKNOWN: Matrix = ((PRIOR_MPS2**2, 0.0, 0.0), (0.0, PRIOR_MPS2**2, 0.0), (0.0, 0.0, PRIOR_MPS2**2))
_PRIOR = inverse(_UNKNOWN)


@dataclass(frozen=True)
class Bias:
    """Normal equations beyond the prior; the offset in m/s² they lead to and its covariance; when last added to, s."""

    normal: Matrix = (ZERO, ZERO, ZERO)
    right: Vector = ZERO
    mps2: Vector = ZERO
    spread: Matrix = _UNKNOWN
    time_s: float = 0.0


def up_at_rest(bias: Bias, acc: Vector) -> Vector:
    """Earth's up, unit length, from the mean acceleration of a still moment."""
    return unit(plus(acc, bias.mps2, -1.0))


def at_rest(bias: Bias, acc: Vector, time_s: float) -> Bias:
    """With one more still moment: the length of its corrected acceleration is gravity's."""
    left = plus(acc, bias.mps2, -1.0)
    up = unit(left)
    return _with(bias, up, length(left) - STANDARD_GRAVITY_MPS2 + dot(up, bias.mps2), REST_MPS2, time_s)


def between_rests(bias: Bias, up_s: Vector, surplus_mps: float, time_s: float) -> Bias:
    """With one more move: `up_s` the integral of up, `surplus_mps` that of upward acceleration less gravity."""
    return _with(bias, up_s, surplus_mps, VELOCITY_MPS, time_s)


def back_again(bias: Bias, by_offset: Vector, rise_m: float, time_s: float) -> Bias:
    """With a way out and back to the same height: it rose by `rise_m`, less `by_offset` for every m/s² of offset."""
    return _with(bias, by_offset, rise_m + dot(by_offset, bias.mps2), HEIGHT_M, time_s)


def _with(bias: Bias, row: Vector, value: float, spread: float, time_s: float) -> Bias:
    keep = math.exp(-max(0.0, time_s - bias.time_s) / MEMORY_S)
    weight = 1.0 / spread**2
    a, b, c = (plus(scaled(row, weight * one), old, keep) for one, old in zip(row, bias.normal, strict=True))
    right = plus(scaled(row, weight * value), bias.right, keep)
    known = inverse((plus(a, _PRIOR[0]), plus(b, _PRIOR[1]), plus(c, _PRIOR[2])))
    return evolve(bias, normal=(a, b, c), right=right, mps2=times(known, right), spread=known, time_s=time_s)
