"""Still moments among ticks: little turning and little change of acceleration for 0.3 s."""

from __future__ import annotations

import numpy as np

from analytics._window import BoolArray, FloatArray
from analytics.posture._limits import STILL_MPS2, STILL_RADPS
from analytics.posture._ticks import TICK_HZ

SPAN = 6
"""Ticks of the shortest still moment, 0.3 s."""
RESTLESS = 6 * TICK_HZ
"""Ticks without any after which twice as much movement passes for still."""
LOOSE = 2.0
_LEAST_MPS2 = 1.0
"""At rest a sensor reads gravity, in whatever scale: one that reads next to nothing tells of no rest."""
_MIDDLE_MPS2 = 10.0
_FACTORS = np.array([[1.0], [LOOSE]])
_FASTEST, _SPREAD = _FACTORS * STILL_RADPS, (_FACTORS * STILL_MPS2) ** 2


def quiet(force: FloatArray, rate: FloatArray) -> BoolArray:
    """(2, n - 5): which ticks but the first five end a still moment, as usual and where `LOOSE` times as much passes.

    Parameters
    ----------
    force, rate
        (n,) lengths of the acceleration in m/s² and of the angular rate in rad/s.
    """
    slow = _over_spans(rate, np.maximum) <= _FASTEST
    if not np.count_nonzero(slow):
        return slow
    powers = np.empty((2, len(force)))
    off = np.subtract(force, _MIDDLE_MPS2, out=powers[0])
    np.multiply(off, off, out=powers[1])
    mean, square = _over_spans(powers, np.add) / SPAN
    steady = (square - mean * mean < _SPREAD) & (mean > _LEAST_MPS2 - _MIDDLE_MPS2)
    return np.asarray(slow & steady)


def _over_spans(values: FloatArray, ufunc: np.ufunc) -> FloatArray:
    """What a function makes of every `SPAN` values in a row along the last axis, wherever they lie in a longer row."""
    twos = ufunc(values[..., :-1], values[..., 1:])
    return np.asarray(ufunc(ufunc(twos[..., :-4], twos[..., 2:-2]), twos[..., 4:]))
