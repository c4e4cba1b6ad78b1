"""Still moments among ticks: little turning and little change of acceleration for 0.3 s."""

from __future__ import annotations

import numpy as np

from analytics._window import BoolArray, FloatArray
from analytics.posture._limits import STILL_MPS2, STILL_RADPS
from analytics.posture._ticks import ACC, GYR, TICK_HZ

SPAN = 6
"""Ticks of the shortest still moment, 0.3 s."""
RESTLESS = 6 * TICK_HZ
"""Ticks without any after which twice as much movement passes for still."""


def quiet(ticks: FloatArray, *, loose: bool) -> tuple[BoolArray, FloatArray]:
    """Which ticks end a still moment, for all but the first five, and the length of the rate of those, rad/s."""
    factor = 2.0 if loose else 1.0
    rate = np.sqrt(np.einsum("ij,ij->i", ticks[:, GYR], ticks[:, GYR]))
    length = np.sqrt(np.einsum("ij,ij->i", ticks[:, ACC], ticks[:, ACC])) - 10.0
    calm = float(rate.max()) <= factor * STILL_RADPS
    if calm and float(length.max() - length.min()) < 2.0 * factor * STILL_MPS2:
        return np.ones(len(ticks) - SPAN + 1, dtype=bool), rate[SPAN - 1 :]
    sums = np.zeros((3, len(ticks) + 1))
    np.cumsum(np.stack((rate > factor * STILL_RADPS, length, length * length)), axis=1, out=sums[:, 1:])
    turning, first, second = sums[:, SPAN:] - sums[:, :-SPAN]
    spread = second / SPAN - (first / SPAN) ** 2
    return (turning < 0.5) & (spread < (factor * STILL_MPS2) ** 2), rate[SPAN - 1 :]
