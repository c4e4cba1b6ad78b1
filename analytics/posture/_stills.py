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


def quiet(rate: FloatArray, force: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Which ticks end a still moment, for all but the first five: as usual, and where `LOOSE` times as much passes.

    Parameters
    ----------
    rate, force
        (n,) lengths of the angular rate in rad/s and of the acceleration in m/s².
    """
    fastest = _over_spans(rate, np.maximum)
    off = force - 10.0
    first, second = _over_spans(off, np.add), _over_spans(off * off, np.add)
    spread = second / SPAN - (first / SPAN) ** 2
    usual, loose = (
        (fastest <= factor * STILL_RADPS) & (spread < (factor * STILL_MPS2) ** 2) for factor in (1.0, LOOSE)
    )
    return usual, loose


def _over_spans(values: FloatArray, ufunc: np.ufunc) -> FloatArray:
    """What a function makes of every `SPAN` values in a row, one after the other, wherever they lie in a longer row."""
    found = values[: len(values) - SPAN + 1]
    for place in range(1, SPAN):
        found = ufunc(found, values[place : len(values) - SPAN + 1 + place])
    return found
