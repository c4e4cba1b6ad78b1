"""What a sensor adds to every acceleration, learnt from still moments and from the moves between them.

At rest a sensor reads gravity's length, and between two rests the vertical velocity starts and ends at zero: both tell
of the same three unknowns. Ridge regression (Hoerl & Kennard 1970) with forgetting; without it an offset of 1 m/s² on
one axis, which wearables have, tilts every posture by 6° and moves every height by decimetres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from analytics._evolve import evolve
from analytics._window import FloatArray
from analytics.posture._ticks import Array
from analytics.posture._vectors import Vector, of, plus, unit
from sagittal.units import STANDARD_GRAVITY_MPS2

PRIOR_MPS2 = 1.0
"""Spread of offsets before anything is known: wearables read 0.05 to 1.8 m/s² wrong."""
REST_MPS2 = 0.04
VELOCITY_MPS = 0.1
HEIGHT_M = 0.05
MEMORY_S = 600.0


@dataclass(frozen=True)
class Bias:
    """Normal equations beyond the prior; the offset in m/s² they lead to and its covariance; when last added to, s."""

    normal: Array = field(default_factory=lambda: np.zeros((3, 3)))
    right: Array = field(default_factory=lambda: np.zeros(3))
    mps2: Array = field(default_factory=lambda: np.zeros(3))
    spread: Array = field(default_factory=lambda: PRIOR_MPS2**2 * np.eye(3))
    time_s: float = 0.0


def up_at_rest(bias: Bias, acc: Vector) -> Vector:
    """Earth's up, unit length, from the mean acceleration of a still moment."""
    return unit(plus(acc, of(bias.mps2), -1.0))


def at_rest(bias: Bias, acc: Vector, time_s: float) -> Bias:
    """With one more still moment: the length of its corrected acceleration is gravity's."""
    left = np.array(acc) - bias.mps2
    length = math.sqrt(float(left @ left))
    up = left / length
    return _with(bias, up, length - STANDARD_GRAVITY_MPS2 + float(up @ bias.mps2), REST_MPS2, time_s)


def between_rests(bias: Bias, up_s: FloatArray, surplus_mps: float, time_s: float) -> Bias:
    """With one more move: `up_s` the integral of up, `surplus_mps` that of upward acceleration less gravity."""
    return _with(bias, up_s, surplus_mps, VELOCITY_MPS, time_s)


def back_again(bias: Bias, by_offset: FloatArray, rise_m: float, time_s: float) -> Bias:
    """With a way out and back to the same height: it rose by `rise_m`, less `by_offset` for every m/s² of offset."""
    return _with(bias, by_offset, rise_m + float(by_offset @ bias.mps2), HEIGHT_M, time_s)


def _with(bias: Bias, row: FloatArray, value: float, spread: float, time_s: float) -> Bias:
    keep = math.exp(-max(0.0, time_s - bias.time_s) / MEMORY_S)
    weight = 1.0 / spread**2
    normal = keep * bias.normal + weight * np.outer(row, row)
    right = keep * bias.right + weight * value * row
    inverse: FloatArray = np.asarray(np.linalg.inv(normal + np.eye(3) / PRIOR_MPS2**2), dtype=float)
    return evolve(bias, normal=normal, right=right, mps2=inverse @ right, spread=inverse, time_s=time_s)
